package route

import (
	"context"
	"errors"
	"fmt"
)

// A correlation is a built Expr whose value is the text of a key: a text that is not empty, a
// []byte, a bool or an integer.
type correlation struct {
	key *key // of the header, property or variable that has it; nil for an expression
	of  value
}

func (b *Builder) correlation(e Expr) (c correlation) {
	if c.key = ownKey(e); c.key != nil {
		return c
	}
	if c.of = b.value(e); c.of.eval == nil {
		b.Errorf("want an expression, have %#v, which is the same for all messages", e)
	}
	return c
}

func (c *correlation) text(ctx context.Context, ex *Exchange) (string, error) {
	var v any
	if c.key != nil {
		if text, ok := c.key.find(ex); ok && text != "" {
			return text, nil
		}
		v = c.key.value(ex)
	} else {
		var err error
		if v, err = c.of.get(ctx, ex); err != nil {
			return "", err
		}
	}
	switch v := v.(type) {
	case string:
		if v != "" {
			return v, nil
		}
	case []byte:
		if len(v) > 0 {
			return string(v), nil
		}
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return fmt.Sprint(v), nil
	case nil:
	default:
		return "", fmt.Errorf("the key is %T, want a text, a []byte, a bool or an integer", v)
	}
	return "", errors.New("the message has no key")
}
