package telegramtest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// A Fault is what goes wrong with one call. The zero Fault is nothing; what follows is
// looked at in this order.
type Fault struct {
	Delay time.Duration // before anything else

	Cut bool // the connection ends without an answer, and nothing is done

	Body   string // an answer of another kind, such as the page of a proxy
	Status int    // of Body; 0 means 200

	Code        int           // an answer that is not ok, as 401, 429 or 500
	Description string        // "" means one that is usual for the code
	RetryAfter  time.Duration // for 429, in whole seconds
	MigrateTo   int64         // the group's new id, for 400

	Lose bool // it is done, but the connection ends before the answer
}

// A fault waits for a call of its method.
type fault struct {
	Fault
	method string
}

// Fail makes the next calls of a method go wrong, each with one of the faults, after those
// that were given before. An empty method stands for all but getUpdates.
func (s *Server) Fail(method string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.faults = append(s.faults, fault{f, strings.ToLower(method)})
	}
}

// fault takes the fault of a call.
func (s *Server) fault(method string) Fault {
	for i, f := range s.faults {
		if f.method == method || f.method == "" && method != "getupdates" {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			return f.Fault
		}
	}
	return Fault{}
}

// answer tells whether the fault is all that there is to answer.
func (f Fault) answer(ctx context.Context, w http.ResponseWriter) bool {
	if f.Delay > 0 {
		pause(ctx, f.Delay)
	}
	switch {
	case f.Cut:
		panic(http.ErrAbortHandler)
	case f.Body != "":
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(max(f.Status, 200))
		_, _ = io.WriteString(w, f.Body)
	case f.Code != 0:
		reply(w, nil, f.failure())
	default:
		return false
	}
	return true
}

func (f Fault) failure() *failure {
	e := refuse(f.Code, f.Description)
	after := int(f.RetryAfter / time.Second)
	if e.Description == "" {
		e.Description = map[int]string{
			401: "Unauthorized", 403: "Forbidden: bot was blocked by the user", 404: "Not Found", 409: anotherPoll,
			429: "Too Many Requests: retry after " + seconds(after), 500: "Internal Server Error: restart", 502: "Bad Gateway",
		}[f.Code]
	}
	if after > 0 || f.MigrateTo != 0 {
		e.Parameters = new(struct {
			RetryAfter int   `json:"retry_after,omitempty"`
			MigrateTo  int64 `json:"migrate_to_chat_id,omitempty"`
		})
		e.Parameters.RetryAfter, e.Parameters.MigrateTo = after, f.MigrateTo
	}
	return e
}
