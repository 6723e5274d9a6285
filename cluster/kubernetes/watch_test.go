package kubernetes_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func event(kind, object string) string {
	return fmt.Sprintf(`{"type":%q,"object":%s}`+"\n", kind, object)
}

// A watch yields the list, then the events, without going back, and ends with an
// error where it cannot go on.
func TestWatch(t *testing.T) {
	const list = `{"metadata":{"resourceVersion":"10"},"items":[` + `{"metadata":{"name":"leaders","resourceVersion":"7"},"data":{"table":"a"}}` + `]}`
	gone := `{"kind":"Status","status":"Failure","message":"too old resource version","reason":"Expired","code":410}`
	for name, tt := range map[string]struct {
		listed int
		events []string
		want   []string
		error  string
	}{
		"order": {
			events: []string{
				event("MODIFIED", table("11", "b")), event("MODIFIED", table("9", "old")), event("BOOKMARK", table("12", "")),
				event("MODIFIED", table("12", "old")), event("DELETED", table("13", "b")), event("ADDED", table("14", "c")),
			},
			want:  []string{"7 a", "11 b", "0 ", "14 c"},
			error: "ends the watch at once",
		},
		"expired":         {events: []string{event("ERROR", gone)}, want: []string{"7 a"}, error: "too old resource version"},
		"unknown event":   {events: []string{event("RENAMED", table("11", "b"))}, want: []string{"7 a"}, error: `unknown event "RENAMED"`},
		"no JSON":         {events: []string{"<html>"}, want: []string{"7 a"}, error: "invalid character"},
		"cut":             {events: []string{`{"type":"MODIF`}, want: []string{"7 a"}, error: "unexpected EOF"},
		"foreign":         {events: []string{event("MODIFIED", `{"metadata":{"name":"leaders","resourceVersion":"11"},"data":{"x":"y"}}`)}, want: []string{"7 a"}, error: `no key "table"`},
		"strange version": {events: []string{event("MODIFIED", table("x", "b"))}, want: []string{"7 a"}, error: `resource version "x"`},
		"list forbidden":  {listed: 403, error: "may not"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			if tt.listed != 0 {
				a.answer(tt.listed, status(tt.listed, "Forbidden", "may not", "configmaps", ""))
			} else {
				a.answer(200, list)
			}
			a.answer(200, strings.Join(tt.events, ""))
			var got []string
			var failed error
			for rec, err := range a.store(t).Watch(t.Context(), "table") {
				if failed = err; err == nil {
					got = append(got, fmt.Sprintf("%d %s", rec.Version, rec.Value))
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("the watch yields %q, want %q", got, tt.want)
			}
			if failed == nil || !strings.Contains(failed.Error(), tt.error) {
				t.Errorf("the watch ends with %v, want %q", failed, tt.error)
			}
			for i, r := range a.requests {
				q := r.URL.Query()
				if q.Get("fieldSelector") != "metadata.name=leaders" || i == 1 && (q.Get("watch") != "1" || q.Get("resourceVersion") != "10") {
					t.Errorf("asked for %s", r.URL)
				}
			}
		})
	}
}

// Where the API server ends a watch after its time, another goes on from the last
// version that is known, that of a bookmark too.
func TestWatchGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var watched []string
		s := through(t, func(r *http.Request) (*http.Response, error) {
			body, w := io.Pipe()
			q := r.URL.Query()
			go func() {
				var failed error
				defer func() { w.CloseWithError(failed) }()
				if !q.Has("watch") {
					_, failed = io.WriteString(w, `{"metadata":{"resourceVersion":"10"}}`)
					return
				}
				at := q.Get("resourceVersion")
				watched = append(watched, at)
				events := map[string]string{
					"10": event("ADDED", table("11", "a")) + event("BOOKMARK", table("20", "")),
					"20": event("MODIFIED", table("21", "b")),
					"21": event("ERROR", `{"message":"the end"}`),
				}
				if _, failed = io.WriteString(w, events[at]); failed != nil {
					return
				}
				seconds, err := strconv.Atoi(q.Get("timeoutSeconds"))
				if err != nil || seconds < 300 || seconds > 600 {
					t.Errorf("timeoutSeconds: %v, %v", seconds, err)
				}
				select {
				case <-time.After(time.Duration(seconds) * time.Second):
				case <-r.Context().Done():
				}
			}()
			return &http.Response{StatusCode: 200, Body: body}, nil
		})
		var got []string
		for rec, err := range s.Watch(t.Context(), "table") {
			if err != nil {
				if !strings.Contains(err.Error(), "the end") {
					t.Error(err)
				}
				break
			}
			got = append(got, fmt.Sprintf("%d %s", rec.Version, rec.Value))
		}
		if want := []string{"11 a", "21 b"}; !slices.Equal(got, want) {
			t.Errorf("the watch yields %q, want %q", got, want)
		}
		if want := []string{"10", "20", "21"}; !slices.Equal(watched, want) {
			t.Errorf("watched from %q, want %q", watched, want)
		}
		synctest.Wait()
	})
}

// The watch of one slot asks for one object, that of all for those with our labels.
func TestWatchSelects(t *testing.T) {
	for prefix, want := range map[string]string{
		"slot-":  "labelSelector=app.kubernetes.io%2Fmanaged-by%3Dmehari%2Capp.kubernetes.io%2Finstance%3Dleaders",
		"slot-7": "fieldSelector=metadata.name%3Dleaders-7",
	} {
		a := newAPI(t)
		a.answer(200, `{"metadata":{"resourceVersion":"10"}}`)
		for _, err := range a.store(t).Watch(t.Context(), prefix) {
			if err == nil {
				t.Errorf("Watch(%q) yields a record of an empty list", prefix)
			}
		}
		if got := a.requests[0].URL.RawQuery; got != want {
			t.Errorf("Watch(%q) asks for %s, want %s", prefix, got, want)
		}
	}
}
