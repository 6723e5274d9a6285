package route_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/route"
)

func TestStreamsAreReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := func() *route.Block { return route.Do().To("to:part") }
		var k kit
		parts := k.record("part")
		k.start(t, route.Config{},
			route.From("in:twice").Split(route.Lines(), lines()).Split(route.Lines(), lines()),
			route.From("in:branches").Multicast(
				route.Do().Split(route.Lines(), lines()),
				route.Do().Split(route.Lines(), lines())),
			route.From("in:again").ErrorHandler(route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 1}}).
				Split(route.Lines(), route.Do().Process(failing(errBoom, errBoom, errBoom))),
			route.From("in:once").Process(func(_ context.Context, ex *route.Exchange) error {
				s := ex.Body.(*route.Stream)
				r, err := s.Open()
				if err != nil {
					return err
				}
				b, err := io.ReadAll(r)
				ex.Body = string(b)
				return err
			}))
		for _, test := range []struct {
			name  string
			parts int
			err   string
		}{
			{"twice", 2, "the stream was read before"},
			{"branches", 2, "the stream was read before"},
			{"again", 0, "boom"},
		} {
			*parts = nil
			err := k.give(test.name, route.NewExchange(strings.NewReader("a\nb")))
			if len(*parts) != test.parts || err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: %q, %v", test.name, *parts, err)
			}
		}
		if got := k.send(t, "once", route.NewStream(strings.NewReader("text"))); got != "text" {
			t.Errorf("%v", got)
		}
		s := route.NewStream(strings.NewReader("text"))
		if b, err := io.ReadAll(s); string(b) != "text" || err != nil || route.NewStream(s) != s {
			t.Errorf("%s, %v", b, err)
		}
		_, _ = s.Open()
		if _, err := io.ReadAll(s); err == nil {
			t.Error("no error for a stream that was opened")
		}
	})
}
