package http

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/mehari-go/mehari/route"
)

// The headers that the endpoints of this package set, and that those that send requests
// obey where [Config.ControlHeaders] says so. They have Camel's names and never go over
// the network.
var (
	Method = route.NewKey[string]("CamelHttpMethod")
	Path   = route.NewKey[string]("CamelHttpPath")  // as it stands in a URL, %-encoded
	Query  = route.NewKey[string]("CamelHttpQuery") // the same, without the question mark
	URI    = route.NewKey[string]("CamelHttpUri")   // the path of a request that came in; the whole URL of one to send

	// ResponseCode is the status of a response: that which came, or that to answer with.
	// An int, or a text of digits, is understood there.
	ResponseCode = route.NewKey[int]("CamelHttpResponseCode")
	ResponseText = route.NewKey[string]("CamelHttpResponseText") // that came with it

	// ContentType is the one header that goes over the network which this package sets.
	ContentType = route.NewKey[string]("Content-Type")
)

// What a request has told about its sender. These are properties: they stay in the process,
// so that nobody's password goes to whom the route sends the message next.
var (
	Authorization = route.NewProperty[string]("CamelHttpAuthorization") // as the header of that name
	Cookie        = route.NewProperty[string]("CamelHttpCookie")        // as the header of that name
	Host          = route.NewProperty[string]("CamelHttpHost")          // that the request was for
	RemoteAddress = route.NewProperty[string]("CamelHttpRemoteAddress") // host:port of the connection
)

// own tells whether a header is one of those that never go over the network. Names compare
// without case.
func own(name string) bool {
	return len(name) >= 5 && strings.EqualFold(name[:5], "camel")
}

// hop are the headers that are about one connection, RFC 9110, section 7.6.1, and those that
// net/http deals with.
var hop = map[string]bool{
	"Connection": true, "Proxy-Connection": true, "Keep-Alive": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true, "Proxy-Authenticate": true, "Proxy-Authorization": true,
	"Content-Length": true, "Host": true, "Expect": true,
}

// connectionNames returns the headers that a Connection header makes those of one connection.
func connectionNames(h http.Header) map[string]bool {
	var names map[string]bool
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			if names == nil {
				names = map[string]bool{}
			}
			names[http.CanonicalHeaderKey(strings.TrimSpace(name))] = true
		}
	}
	return names
}

// texts returns what a header says that goes out. What is no text, number, truth value or
// time, or a list of texts, stays in the process, as in Camel.
func texts(value any) (one string, more []string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, nil, true
	case []string:
		return "", v, len(v) > 0
	case int:
		return strconv.Itoa(v), nil, true
	case time.Time:
		return v.UTC().Format(http.TimeFormat), nil, true
	case bool, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64:
		return fmt.Sprint(v), nil, true
	}
	return "", nil, false
}

// put adds a header to those that go out. A name or a value that could end the header and
// begin another one is an error, which does not tell the value.
func put(h http.Header, name string, value any) error {
	one, more, ok := texts(value)
	if !ok {
		return nil
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return fmt.Errorf("header %q: want a name of letters, digits and -, as in RFC 9110", name)
	}
	if more == nil {
		more = []string{one}
	}
	for _, v := range more {
		if !httpguts.ValidHeaderFieldValue(v) {
			return fmt.Errorf("header %q: its value has line breaks or other control characters", name)
		}
	}
	h[http.CanonicalHeaderKey(name)] = more
	return nil
}
