package kubernetes_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

// Where the version is known, the metadata alone is asked for, and the API server is
// never allowed to answer from its cache.
func TestGetAsksForMetadata(t *testing.T) {
	a := newAPI(t)
	s := a.store(t)
	a.answer(200, table("7", "{}"))
	rec, err := s.Get(t.Context(), "table", 7)
	if err != nil || rec.Version != 7 || rec.Value != nil {
		t.Errorf("Get = %v, %v; want version 7 without a value", rec, err)
	}
	if accept := a.last().Header.Get("Accept"); !strings.Contains(accept, "as=PartialObjectMetadata;") {
		t.Errorf("Accept: %q", accept)
	}
	a.answer(200, table("8", "{}"))
	a.answer(200, table("9", "{ }"))
	rec, err = s.Get(t.Context(), "table", 7)
	if err != nil || rec.Version != 9 || string(rec.Value) != "{ }" {
		t.Errorf("Get = %v, %v; want version 9", rec, err)
	}
	for _, r := range a.requests {
		if r.URL.Query().Has("resourceVersion") {
			t.Errorf("asked for %s", r.URL)
		}
	}
}

// An update carries the version and the uid, so that it can neither overwrite nor
// bring back what was deleted.
func TestSetCarriesUID(t *testing.T) {
	a := newAPI(t)
	s := a.store(t)
	a.answer(200, table("7", "{}"))
	a.answer(200, table("8", "[]"))
	if v, err := s.Set(t.Context(), "table", []byte("[]"), 7); err != nil || v != 8 {
		t.Fatalf("Set = %d, %v", v, err)
	}
	body := a.bodies[len(a.bodies)-1]
	for _, want := range []string{`"uid":"u-1"`, `"resourceVersion":"7"`, `"table":"[]"`} {
		if a.last().Method != "PUT" || !strings.Contains(body, want) {
			t.Errorf("%s %s, want a PUT with %s", a.last().Method, body, want)
		}
	}
}

// Only what surely was not stored is a conflict.
func TestSetConflicts(t *testing.T) {
	quota := status(409, "Conflict", "the object has been modified", "resourcequotas", "q")
	for name, tt := range map[string]struct {
		prev     cluster.Version
		code     int
		body     string
		conflict bool
	}{
		"exists":            {0, 409, status(409, "AlreadyExists", "exists", "configmaps", "leaders"), true},
		"busy quota":        {0, 409, quota, false},
		"no namespace":      {0, 404, notFound("namespaces", "demo"), false},
		"changed":           {7, 409, status(409, "Conflict", "modified", "configmaps", "leaders"), true},
		"deleted":           {7, 404, notFound("configmaps", "leaders"), true},
		"forbidden":         {7, 403, status(403, "Forbidden", "may not", "configmaps", "leaders"), false},
		"server error":      {7, 500, status(500, "InternalError", "etcd timed out", "configmaps", "leaders"), false},
		"gateway":           {7, 502, "<html>bad gateway</html>", false},
		"not an API server": {7, 404, "404 page not found", false},
		"no JSON":           {7, 200, "<html>hello</html>", false},
		"no version":        {7, 200, `{"metadata":{"name":"leaders"}}`, false},
		"redirect":          {7, 307, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			s := a.store(t)
			if tt.prev != 0 {
				a.answer(200, table("7", "{}"))
			}
			a.answer(tt.code, tt.body)
			v, err := s.Set(t.Context(), "table", []byte("[]"), tt.prev)
			if err == nil {
				t.Fatalf("Set = %d, want an error", v)
			}
			if errors.Is(err, cluster.ErrConflict) != tt.conflict {
				t.Errorf("Set: %v; conflict wanted: %t", err, tt.conflict)
			}
			if strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("the error tells the token: %v", err)
			}
		})
	}
}

func TestUnknownKey(t *testing.T) {
	s := newAPI(t).store(t)
	for _, key := range []string{"", "other", "slot-", "slot-../x", "slot-A"} {
		if _, err := s.Get(t.Context(), key, 0); err == nil || !strings.Contains(err.Error(), "no object for the record") {
			t.Errorf("Get(%q): %v", key, err)
		}
		if _, err := s.Set(t.Context(), key, nil, 0); err == nil || errors.Is(err, cluster.ErrConflict) {
			t.Errorf("Set(%q): %v", key, err)
		}
	}
	if _, err := s.Set(t.Context(), "table", []byte{0xff}, 0); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("Set of a value that is not UTF-8: %v", err)
	}
}

// A request ends by the timeout of the store or the context of the caller, whichever
// comes first, also while it waits for the first connection.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := through(t, func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		began := time.Now()
		_, err := s.Get(t.Context(), "table", 0)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 2.5s") || time.Since(began) != 2500*time.Millisecond {
			t.Errorf("Get ends after %v with %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("the caller's reason"))
		defer cancel()
		began = time.Now()
		var asking sync.WaitGroup
		for _, key := range []string{"table", "slot-0", "slot-1"} {
			asking.Go(func() {
				if _, err := s.Get(ctx, key, 0); err == nil || !strings.Contains(err.Error(), "the caller's reason") {
					t.Errorf("Get: %v", err)
				}
			})
		}
		asking.Wait()
		if d := time.Since(began); d != time.Second {
			t.Errorf("Get ends after %v, want 1s", d)
		}
	})
}
