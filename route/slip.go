package route

import (
	"cmp"
	"fmt"
	"strings"
)

// A slip is the list of URIs that a value names. Their iteration makes no garbage.
type slip struct {
	text      string // what is left of it
	delimiter string
	list      []string
	uris      []URI
}

// newSlip takes text with a delimiter, "," if it is "", between URIs, a []string, a []URI,
// a URI, or nil for none.
func newSlip(v any, delimiter string) (slip, error) {
	switch v := v.(type) {
	case nil:
		return slip{}, nil
	case string:
		return slip{text: v, delimiter: cmp.Or(delimiter, ",")}, nil
	case []string:
		return slip{list: v}, nil
	case []URI:
		return slip{uris: v}, nil
	case URI:
		return slip{list: []string{string(v)}}, nil
	}
	return slip{}, fmt.Errorf("want URIs as text, with %q between them, as []string or as []route.URI, have %T", cmp.Or(delimiter, ","), v)
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
