package kubernetes_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/mehari-go/mehari/cluster/kubernetes"
)

// An api is an API server that says what it is told to, for answers that a real one
// gives seldom. What real ones do is tested in test/kube.
type api struct {
	*httptest.Server
	mu       sync.Mutex
	answers  []answer
	requests []*http.Request
	bodies   []string
}

type answer struct {
	code int
	body string
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

// store returns a store that asks a.
func (a *api) store(t *testing.T) *kubernetes.Store {
	t.Helper()
	s, err := kubernetes.New(kubernetes.Config{REST: &rest.Config{Host: a.URL, BearerToken: "s3cr3t"}, Namespace: "demo", Pod: "pod-0", Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// answer says what the next request is answered.
func (a *api) answer(code int, body string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers = append(a.answers, answer{code, body})
}

// last is the last request.
func (a *api) last() *http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests[len(a.requests)-1]
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	a.requests, a.bodies = append(a.requests, r), append(a.bodies, string(body))
	next := answer{code: http.StatusNotImplemented, body: "the test has no answer"}
	if len(a.answers) > 0 {
		next, a.answers = a.answers[0], a.answers[1:]
	}
	a.mu.Unlock()
	if next.code/100 == 3 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(next.code)
	if _, err := io.WriteString(w, next.body); err != nil {
		panic(http.ErrAbortHandler) // the store has not waited
	}
}

// A transport answers requests without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// through returns a store whose requests f answers.
func through(t *testing.T, f transport) *kubernetes.Store {
	t.Helper()
	s, err := kubernetes.New(kubernetes.Config{REST: &rest.Config{Host: "http://api", Transport: f}, Namespace: "demo", Pod: "pod-0"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func status(code int, reason, message, kind, name string) string {
	return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":%q,"reason":%q,"details":{"kind":%q,"name":%q},"code":%d}`,
		message, reason, kind, name, code)
}

func notFound(kind, name string) string {
	return status(404, "NotFound", fmt.Sprintf("%s %q not found", kind, name), kind, name)
}

// table is the ConfigMap of the table at a version.
func table(version, value string) string {
	return fmt.Sprintf(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"leaders","namespace":"demo","uid":"u-1","resourceVersion":%q},"data":{"table":%q}}`, version, value)
}
