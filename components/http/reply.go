package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/mehari-go/mehari/route"
)

// reply answers with what the route has left in the exchange. The request began to be
// answered at begun.
func (h *handler) reply(ctx context.Context, w http.ResponseWriter, r *http.Request, ex *route.Exchange, begun time.Time) {
	stream, isStream := ex.Body.(io.Reader)
	if isStream {
		var err error
		if stream, err = route.NewStream(stream).Open(); err != nil {
			h.fault(ctx, w, err)
			return
		}
		if c, ok := stream.(io.Closer); ok {
			defer c.Close()
		}
	}
	var body []byte
	var kind string
	var err error
	if !isStream {
		body, kind, err = content(ctx, ex)
	}
	status, wrong := replyStatus(ctx, ex)
	if err = errors.Join(err, wrong); err == nil {
		err = h.replyHeaders(w.Header(), r, ex)
	}
	if err != nil {
		h.fault(ctx, w, err)
		return
	}
	header := w.Header()
	if kind != "" && header["Content-Type"] == nil {
		header["Content-Type"] = []string{kind}
	}
	if isStream {
		h.stream(ctx, w, status, stream)
		return
	}
	if status == http.StatusNoContent || status == http.StatusNotModified {
		delete(header, "Content-Type")
		w.WriteHeader(status)
		return
	}
	if len(body) > 1024 { // of shorter ones net/http sets it
		header["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	if patience := h.endpoint.site.options.WriteTimeout; time.Since(begun) > patience/10 {
		renew(w, patience) // nearly always the server's own is as good
	}
	if len(body) > atOnce {
		defer h.cutOff(w, nil)()
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // that the client has gone is its own affair
}

// atOnce is how long a body may be that goes out without waiting for the client.
const atOnce = 64 << 10

// cutOff ends a reply that takes its time when exchanges are given up, until the function
// that it returns is called.
func (h *handler) cutOff(w http.ResponseWriter, body io.Reader) (done func() bool) {
	control := http.NewResponseController(w)
	return context.AfterFunc(route.Work(h.ctx), func() {
		_ = control.SetWriteDeadline(time.Unix(1, 0)) // where there are none, it is for the client to end it
		if c, ok := body.(io.Closer); ok {
			_ = c.Close()
		}
	})
}

// renew gives the client time anew for what is written next.
func renew(w http.ResponseWriter, patience time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience)) // where there are none, nothing is to be renewed
}

// content returns the bytes of a body, and what they are.
func content(ctx context.Context, ex *route.Exchange) ([]byte, string, error) {
	switch b := ex.Body.(type) {
	case nil:
		return nil, "", nil
	case []byte:
		return b, "application/octet-stream", nil
	case string:
		return []byte(b), "text/plain; charset=utf-8", nil
	}
	b, err := route.As[[]byte](ctx, ex, ex.Body)
	kind := "text/plain; charset=utf-8"
	if len(b) > 0 && (b[0] == '{' || b[0] == '[') {
		kind = "application/json"
	}
	return b, kind, err
}

// replyStatus returns the status to answer with.
func replyStatus(ctx context.Context, ex *route.Exchange) (int, error) {
	v := ex.Header(ResponseCode.Name())
	if v == nil {
		return http.StatusOK, nil
	}
	status, err := route.As[int](ctx, ex, v)
	if err != nil || status < 200 || status > 599 {
		return 0, fmt.Errorf("header %q: want a status from 200 to 599, have %v", ResponseCode.Name(), v)
	}
	return status, nil
}

// replyHeaders are those of the exchange that did not come with the request.
func (h *handler) replyHeaders(out http.Header, r *http.Request, ex *route.Exchange) error {
	if t, ok := ex.Header("Content-Type").(string); ok && t != "" && ex.Body != nil {
		if err := put(out, "Content-Type", t); err != nil {
			return err
		}
	}
	if h.endpoint.config.SkipResponseHeaders {
		return nil
	}
	for name, value := range ex.Headers() {
		if own(name) || h.isAsItCame(name, value, r) {
			continue
		}
		switch canonical := http.CanonicalHeaderKey(name); {
		case hop[canonical], canonical == "Content-Type":
		case canonical == "Content-Encoding" && ex.Body == nil:
		default:
			if err := put(out, name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// stream answers with what comes out of a reader, as it comes. Where that fails the
// connection is cut, so that the client sees that there should be more.
func (h *handler) stream(ctx context.Context, w http.ResponseWriter, status int, body io.Reader) {
	if w.Header()["Content-Type"] == nil {
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	patience := h.endpoint.site.options.WriteTimeout
	control := http.NewResponseController(w)
	given := route.Work(h.ctx)
	defer h.cutOff(w, body)()
	buf := make([]byte, 32<<10)
	for begun := false; ; begun = true {
		n, err := body.Read(buf)
		if err != nil && err != io.EOF && !begun && n == 0 {
			h.fail(ctx, w, err)
			return
		}
		if !begun {
			w.WriteHeader(status)
		}
		if n > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(patience))
			if given.Err() != nil {
				panic(http.ErrAbortHandler)
			}
			if _, gone := w.Write(buf[:n]); gone != nil {
				return // what is left of the stream its Close ends
			}
			if err == nil && n < len(buf) {
				_ = control.Flush() // more may take a while
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			h.tell(ctx, "reply cut off: its stream failed", err)
			panic(http.ErrAbortHandler)
		}
	}
}
