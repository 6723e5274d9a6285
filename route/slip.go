package route

import (
	"cmp"
	"context"
	"fmt"
	"strings"
)

// A slip is the list of URIs that a value names. To go through it costs no allocation.
type slip struct {
	text      string // what is left of it
	delimiter string
	list      []string
	uris      []URI
}

// maxURIs is how many URIs a sequence may have.
const maxURIs = 10_000

// newSlip takes text with a delimiter, "," if it is "", between URIs, a []string, a []URI,
// a URI, nil for none, or whatever else can be split into strings or URIs.
func newSlip(v any, delimiter string) (slip, error) {
	delimiter = cmp.Or(delimiter, ",")
	switch v := v.(type) {
	case nil:
		return slip{}, nil
	case string:
		return slip{text: v, delimiter: delimiter}, nil
	case []string:
		return slip{list: v}, nil
	case []URI:
		return slip{uris: v}, nil
	case URI:
		return slip{list: []string{string(v)}}, nil
	}
	values, seq, ok := sequence(v) // such as an array of JSON
	if !ok {
		return slip{}, fmt.Errorf("want URIs as text, with %q between them, as []string or as []route.URI, have %T", delimiter, v)
	}
	if seq == nil {
		seq = values.all
	}
	var list []string
	for x, err := range seq {
		if err != nil {
			return slip{}, err
		}
		switch x := x.(type) {
		case string:
			list = append(list, x)
		case URI:
			list = append(list, string(x))
		default:
			return slip{}, fmt.Errorf("want URIs: element %d is %T, want string", len(list), x)
		}
		if len(list) > maxURIs {
			return slip{}, fmt.Errorf("want up to %d URIs, have more", maxURIs)
		}
	}
	return slip{list: list}, nil
}

// next returns the next URI, "" when there are no more. Empty ones are left out.
func (s *slip) next() (uri string) {
	for uri == "" {
		switch {
		case s.text != "":
			uri, s.text, _ = strings.Cut(s.text, s.delimiter)
		case len(s.list) > 0:
			uri, s.list = s.list[0], s.list[1:]
		case len(s.uris) > 0:
			uri, s.uris = string(s.uris[0]), s.uris[1:]
		default:
			return ""
		}
		uri = strings.TrimSpace(uri)
	}
	return uri
}

// A textValue is a value that mostly is text, which costs no allocation where it is that
// of a key.
type textValue struct {
	key *key // or, where it is nil:
	value
}

func (b *Builder) textValue(e Expr) textValue {
	if e == nil {
		b.Errorf("want a value or an expression, have nil")
	}
	if k := ownKey(e); k != nil {
		return textValue{key: k}
	}
	return textValue{value: b.value(e)}
}

// get returns the text, or a value that is none.
func (v *textValue) get(ctx context.Context, ex *Exchange) (text string, other any, err error) {
	if v.key != nil {
		if text, ok := v.key.find(ex); ok {
			return text, nil, nil
		}
		return "", v.key.value(ex), nil
	}
	x, err := v.value.get(ctx, ex)
	if text, ok := x.(string); ok {
		return text, nil, err
	}
	return "", x, err
}
