package http

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/mehari-go/mehari/internal/octets"
	"github.com/mehari-go/mehari/route"
)

// A ReplyError is the error of an exchange whose client is told why: a route returns it for
// a request that is wrong. Of all other errors clients hear no more than a status.
type ReplyError struct {
	Status  int    // from 400 to 599
	Message string // for the client
	Err     error  // for the log; may be nil
}

func (e *ReplyError) Error() string {
	text := "status " + strconv.Itoa(e.Status) + ": " + e.Message
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *ReplyError) Unwrap() error { return e.Err }

var (
	errLate = errors.New("http-server: the request timeout is over")
	errGone = errors.New("http-server: the client has gone")
)

// statusOf returns the status that says as much of an error as clients may know.
func statusOf(ctx context.Context, err error) int {
	if _, ok := errors.AsType[*route.ValidationError](err); ok {
		return http.StatusBadRequest
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	if _, ok := errors.AsType[*octets.TooLargeError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	if _, ok := errors.AsType[*route.ThrottledError](err); ok {
		return http.StatusTooManyRequests
	}
	if _, ok := errors.AsType[*route.CircuitOpenError](err); ok {
		return http.StatusServiceUnavailable
	}
	if _, ok := errors.AsType[*route.RejectedError](err); ok {
		return http.StatusServiceUnavailable
	}
	if _, ok := errors.AsType[*StatusError](err); ok {
		return http.StatusBadGateway
	}
	switch {
	case ctx.Err() != nil && context.Cause(ctx) == errLate, errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	case errors.Is(err, context.Canceled), errors.Is(err, route.ErrStopped):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// fail answers an exchange that has failed. The engine has logged why.
func (h *handler) fail(ctx context.Context, w http.ResponseWriter, err error) {
	maps.DeleteFunc(w.Header(), func(name string, _ []string) bool {
		return name != "Vary" && !strings.HasPrefix(name, "Access-Control-")
	})
	renew(w, h.endpoint.site.options.WriteTimeout)
	if e, ok := errors.AsType[*ReplyError](err); ok && e.Status >= 400 && e.Status <= 599 {
		http.Error(w, e.Message, e.Status)
		return
	}
	refuse(w, statusOf(ctx, err))
}

// fault answers where what the route has left cannot be sent.
func (h *handler) fault(ctx context.Context, w http.ResponseWriter, err error) {
	h.tell(ctx, "the exchange makes no reply", err)
	h.fail(ctx, w, errors.New("no reply"))
}

// refuse answers with a status and its name.
func refuse(w http.ResponseWriter, status int) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, http.StatusText(status), status)
}
