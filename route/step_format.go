package route

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mehari-go/mehari/dataformat"
	"github.com/mehari-go/mehari/internal/convert"
)

// MarshalOptions are options of [Route.Marshal].
type MarshalOptions struct {
	// VariableSend is the variable whose value is marshalled, "" for the body.
	VariableSend string

	// VariableReceive is the variable that gets the result, "" for the body. The body
	// then stays as it was.
	VariableReceive string
}

// UnmarshalOptions are options of [Route.Unmarshal] and of [Unmarshal].
type UnmarshalOptions struct {
	// AllowNullBody leaves a nil body as it is. By default it is an error.
	AllowNullBody bool

	// VariableSend is the variable whose value is unmarshalled, "" for the body.
	VariableSend string

	// VariableReceive is the variable that gets the result, "" for the body. The body
	// then stays as it was.
	VariableReceive string
}

// Marshal turns the body into bytes of a format, such as json.Format{}; the body becomes
// a []byte. It leaves the header Content-Type alone, as Camel does: what the bytes are
// called is up to the route.
func (c *chain[Self]) Marshal(f dataformat.Format, opts ...MarshalOptions) Self {
	return c.add(marshalStep{f, opts})
}

// Unmarshal turns the body, which is text of some kind, into what is natural to the
// format, such as a map[string]any for a JSON object. For a type of one's own there is
// [Unmarshal]. The body may be a []byte, a string, an [io.Reader] or what converts to
// text: see [As]. An io.Reader is read to its end and not closed.
func (c *chain[Self]) Unmarshal(f dataformat.Format, opts ...UnmarshalOptions) Self {
	return c.add(Unmarshal[any](f, opts...))
}

// Unmarshal returns the step that turns the body, which is text of some kind, into a T,
// like [Route.Unmarshal]:
//
//	route.From("direct:orders").
//		Step(route.Unmarshal[Order](json.Format{}))
//
// Formats whose text is text of another kind, such as gzip, give an [io.Reader] that
// streams, a []byte or a string.
func Unmarshal[T any](f dataformat.Format, opts ...UnmarshalOptions) Step {
	return unmarshalStep[T]{f, opts}
}

func checkFormat(b *Builder, f dataformat.Format) {
	if f == nil {
		b.Errorf("want a data format, such as json.Format{}")
	} else if c, ok := f.(dataformat.Checker); ok {
		if err := c.Check(); err != nil {
			b.Errorf("%w", err)
		}
	}
}

type marshalStep struct {
	f    dataformat.Format
	opts []MarshalOptions
}

func (s marshalStep) String() string { return "marshal" + ofFormat(s.f) }

func (s marshalStep) Build(b *Builder) Processor {
	checkFormat(b, s.f)
	o := only(b, s.opts)
	from, to := bodyOrVariable(o.VariableSend), bodyOrVariable(o.VariableReceive)
	return ProcessorFunc(func(_ context.Context, ex *Exchange) error {
		var out bytes.Buffer
		err := s.f.Marshal(&out, from.get(ex))
		if from == "" {
			ex.wasRead()
		}
		if err != nil {
			return err
		}
		to.set(ex, out.Bytes())
		return nil
	})
}

type unmarshalStep[T any] struct {
	f    dataformat.Format
	opts []UnmarshalOptions
}

func (s unmarshalStep[T]) String() string {
	into := ""
	if _, natural := any(new(T)).(*any); !natural {
		into = " into " + typeName[T]()
	}
	return "unmarshal" + ofFormat(s.f) + into
}

func (s unmarshalStep[T]) Build(b *Builder) Processor {
	checkFormat(b, s.f)
	o := only(b, s.opts)
	from, to := bodyOrVariable(o.VariableSend), bodyOrVariable(o.VariableReceive)
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		body := from.get(ex)
		if body == nil {
			if o.AllowNullBody {
				return nil
			}
			return fmt.Errorf("%s is nil", from)
		}
		r, err := ex.reader(ctx, body, o.VariableSend == "")
		if err != nil {
			return err
		}
		var v T
		if err := s.f.Unmarshal(r, &v); err != nil {
			return err
		}
		to.set(ex, v)
		return nil
	})
}

// reader returns a reader of the text of v.
func (ex *Exchange) reader(ctx context.Context, v any, isBody bool) (io.Reader, error) {
	switch v := v.(type) {
	case []byte:
		return bytes.NewReader(v), nil
	case string:
		return strings.NewReader(v), nil
	case io.Reader:
		return ex.open(v, isBody)
	}
	b, err := As[[]byte](ctx, ex, v)
	if e, ok := errors.AsType[*convert.Error](err); ok {
		return nil, fmt.Errorf("want a []byte, a string or an io.Reader: %w", e)
	}
	return bytes.NewReader(b), err
}

func ofFormat(f dataformat.Format) string {
	if f == nil {
		return ""
	}
	return " " + f.String()
}

// bodyOrVariable names a variable, or is "" and means the body.
type bodyOrVariable string

func (p bodyOrVariable) String() string {
	if p == "" {
		return "body"
	}
	return fmt.Sprintf("variable %q", string(p))
}

func (p bodyOrVariable) get(ex *Exchange) any {
	if p == "" {
		return ex.Body
	}
	return ex.Variable(string(p))
}

func (p bodyOrVariable) set(ex *Exchange, v any) {
	if p == "" {
		ex.Body = v
		return
	}
	ex.SetVariable(string(p), v)
}
