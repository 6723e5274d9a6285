package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-resty/resty/v2"

	"github.com/mehari-go/mehari/route"
)

// A Part is one of those of a multipart/form-data form (RFC 7578). A body that is a []Part is
// sent as such a form.
type Part struct {
	Name        string
	FileName    string // "" for a field
	ContentType string // "" for text, if it is a field, and any bytes, if it is a file
	Body        any    // a string, a []byte, an io.Reader or what converts to these
}

// checkPart refuses a text that could end its header.
func checkPart(text string) error {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '"' || r == '\\' }) {
		return errors.New("want no quotes, backslashes and control characters in it")
	}
	return nil
}

// setParts makes a form the body of a request.
func setParts(ctx context.Context, ex *route.Exchange, r *resty.Request, parts []Part) error {
	if len(parts) == 0 {
		return errors.New("body: want at least one part")
	}
	delete(r.Header, "Content-Encoding")
	for _, p := range parts {
		if p.Name == "" {
			return errors.New("body: a part without a name")
		}
		for _, text := range []string{p.Name, p.FileName, p.ContentType} {
			if err := checkPart(text); err != nil {
				return fmt.Errorf("body: part %q: %q: %w", p.Name, text, err)
			}
		}
		body, err := route.As[io.Reader](ctx, ex, p.Body)
		if err == nil {
			body, err = route.NewStream(body).Open()
		}
		if err != nil {
			return fmt.Errorf("body: part %q: %w", p.Name, err)
		}
		if p.ContentType == "" && p.FileName != "" {
			p.ContentType = "application/octet-stream"
		}
		r.SetMultipartField(p.Name, p.FileName, p.ContentType, body)
	}
	return nil
}
