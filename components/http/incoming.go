package http

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/mehari-go/mehari/route"
)

// An incoming request, whose body is taken in.
type incoming struct {
	h    *handler
	w    http.ResponseWriter
	r    *http.Request
	held int64 // bytes of the site's memory
}

var errNoMemory = errors.New("the bodies of other requests take all the memory there is for bodies")

// body returns what becomes the body of the exchange.
func (in *incoming) body() (any, error) {
	r, max := in.r, in.h.maxBody
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body := r.Body
	if max > 0 {
		if r.ContentLength > max {
			in.w.Header().Set("Connection", "close") // nobody will read what comes
			return nil, &http.MaxBytesError{Limit: max}
		}
		body = http.MaxBytesReader(in.w, body, max)
	}
	if in.h.endpoint.config.UseStreaming {
		patience := in.h.endpoint.site.options.ReadTimeout
		return route.NewStream(&upload{body, http.NewResponseController(in.w), patience, time.Now()}), nil
	}
	b, err := in.readAll(body)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	return b, nil
}

// firstRead is how much memory a body gets before any of it has come.
const firstRead = 4 << 10

// readAll reads a body into memory that grows as it comes, whatever its length is said to be:
// many clients that send nothing take next to nothing.
func (in *incoming) readAll(body io.Reader) ([]byte, error) {
	size := int64(firstRead)
	if n := in.r.ContentLength; n > 0 && n < size {
		size = n
	}
	if !in.hold(size) {
		return nil, errNoMemory
	}
	b := make([]byte, 0, size)
	for {
		n, err := body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF || int64(len(b)) == in.r.ContentLength {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
		if len(b) == cap(b) {
			more := int64(cap(b)) // doubled, but not beyond what there is to come
			if left := in.r.ContentLength - int64(len(b)); left > 0 {
				more = min(more, left)
			}
			if !in.hold(more) {
				return nil, errNoMemory
			}
			grown := make([]byte, len(b), int64(cap(b))+more)
			copy(grown, b)
			b = grown
		}
	}
}

// hold tells whether there is memory for n more bytes.
func (in *incoming) hold(n int64) bool {
	s := in.h.endpoint.site
	if s.memory.Add(n) > s.options.MaxBodyMemory {
		s.memory.Add(-n)
		return false
	}
	in.held += n
	return true
}

// free gives the memory back.
func (in *incoming) free() {
	if in.held > 0 {
		in.h.endpoint.site.memory.Add(-in.held)
	}
}

// refuse answers a request whose body could not be taken in.
func (in *incoming) refuse(err error) {
	renew(in.w, in.h.endpoint.site.options.WriteTimeout) // the body may have taken all of it
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		refuse(in.w, http.StatusRequestEntityTooLarge)
		return
	}
	if err == errNoMemory {
		in.w.Header().Set("Connection", "close")
		refuse(in.w, http.StatusServiceUnavailable)
		return
	}
	in.w.Header().Set("Connection", "close")
	if t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && t.Timeout() {
		refuse(in.w, http.StatusRequestTimeout)
		return
	}
	refuse(in.w, http.StatusBadRequest)
}

// An upload is a body that is read while the route works. Each part of it may take as long
// as a whole request.
type upload struct {
	io.ReadCloser
	control  *http.ResponseController
	patience time.Duration
	renewed  time.Time
}

func (u *upload) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(u.renewed) > u.patience/10 {
		u.renewed = now
		_ = u.control.SetReadDeadline(now.Add(u.patience)) // where there are none, nothing is to be renewed
	}
	return u.ReadCloser.Read(p)
}
