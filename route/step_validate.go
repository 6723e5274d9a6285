package route

import (
	"context"
	"fmt"
	"path"
	"reflect"
	"runtime"
)

// Validate ends the exchange's way with a [*ValidationError] where c does not hold.
func (c *chain[Self]) Validate(cond Cond, options ...ValidateOptions) Self {
	return c.add(validateStep{cond, options})
}

// ValidateOptions are the options of [Route.Validate].
type ValidateOptions struct {
	// Error makes the error of an exchange that is not valid; nil makes a
	// [*ValidationError]. Where it returns nil, so does it.
	Error func(*Exchange) error
}

// A ValidationError says that an exchange is not as [Route.Validate] wants it. Camel calls
// it a PredicateValidationException.
type ValidationError struct {
	Condition string // as it was written; of a function, its name
}

func (e *ValidationError) Error() string { return "not valid: want " + e.Condition }

type validateStep struct {
	cond    Cond
	options []ValidateOptions
}

func (s validateStep) String() string { return "validate " + describeCond(s.cond) }

func (s validateStep) Build(b *Builder) Processor {
	o := only(b, s.options)
	return &validate{b.Predicate(s.cond), asTextIs(s.cond), &ValidationError{describeCond(s.cond)}, o.Error}
}

type validate struct {
	cond    Predicate
	is      *textIs // what cond does, if it compares a text
	invalid *ValidationError
	other   func(*Exchange) error
}

func (v *validate) Process(ctx context.Context, ex *Exchange) error {
	var ok bool
	if v.is != nil {
		ok = v.is.matches(ex)
	} else {
		var err error
		if ok, err = v.cond(ctx, ex); err != nil {
			return err
		}
	}
	if ok {
		return nil
	}
	if v.other != nil {
		if err := v.other(ex); err != nil {
			return err
		}
	}
	return v.invalid
}

// describeCond says what a condition is, for people.
func describeCond(c Cond) string {
	switch c := c.(type) {
	case fmt.Stringer:
		return c.String()
	case bool:
		return fmt.Sprint(c)
	}
	if f := reflect.ValueOf(c); f.Kind() == reflect.Func && !f.IsNil() {
		if named := runtime.FuncForPC(f.Pointer()); named != nil {
			return path.Base(named.Name())
		}
	}
	return fmt.Sprintf("%T", c)
}
