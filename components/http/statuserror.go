package http

import (
	"fmt"
	"net/http"
)

// A StatusError is the error of a request that was answered with a status that is not in
// [Config.OkStatusCodeRange]. Its text has neither the query nor the body, in which there
// may be secrets.
type StatusError struct {
	Method string
	URL    string // without query
	Status int
	Header http.Header
	Body   []byte // its first 16 kB
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: status %d %s", e.Method, e.URL, e.Status, http.StatusText(e.Status))
}
