package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/route"
)

var messageID = route.NewKey[string]("id")

// sendID gives in:x a message and returns whether the body counted it as a duplicate.
func sendID(k *kit, id, body string) (duplicate bool, err error) {
	ex := route.NewExchange(body)
	defer ex.Release()
	if id != "" {
		messageID.Set(ex, id)
	}
	err = k.give("x", ex)
	duplicate, _ = route.DuplicateMessage.Get(ex)
	return duplicate, err
}

func TestIdempotentConsumer(t *testing.T) {
	bad := errors.New("bad")
	fail := func(_ context.Context, ex *route.Exchange) error {
		if ex.Body == "bad" {
			return bad
		}
		return nil
	}
	for _, c := range []struct {
		name    string
		options route.IdempotentOptions
		inside  bool     // whether it fails in the body, or after it
		send    []string // body of messages with the same id
		want    []string // those that reached the body
	}{
		{"second is skipped", route.IdempotentOptions{}, true, []string{"a", "b"}, []string{"a"}},
		{"failed comes again", route.IdempotentOptions{}, true, []string{"bad", "b", "c"}, []string{"bad", "b"}},
		{"failed after the body comes again", route.IdempotentOptions{}, false, []string{"bad", "b"}, []string{"bad", "b"}},
		{"eager completion: failed in the body comes again", route.IdempotentOptions{CompletionEager: true}, true, []string{"bad", "b", "c"}, []string{"bad", "b"}},
		{"eager completion: failed after the body does not", route.IdempotentOptions{CompletionEager: true}, false, []string{"bad", "b"}, []string{"bad"}},
		{"kept on failure", route.IdempotentOptions{KeepOnFailure: true}, true, []string{"bad", "b"}, []string{"bad"}},
		{"late", route.IdempotentOptions{Late: true}, true, []string{"a", "b"}, []string{"a"}},
		{"late: failed comes again", route.IdempotentOptions{Late: true, KeepOnFailure: true}, true, []string{"bad", "b", "c"}, []string{"bad", "b"}},
		{"duplicates pass", route.IdempotentOptions{PassDuplicates: true}, true, []string{"a", "b"}, []string{"a", "b is a duplicate"}},
		{
			"a failing duplicate removes no key",
			route.IdempotentOptions{PassDuplicates: true},
			true,
			[]string{"a", "bad", "c"},
			[]string{"a", "bad is a duplicate", "c is a duplicate"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []string
				body := route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
					text := ex.Body.(string)
					if dup, _ := route.DuplicateMessage.Get(ex); dup {
						text += " is a duplicate"
					}
					got = append(got, text)
					return nil
				})
				if c.inside {
					body.Process(fail)
				}
				r := route.From("in:x").IdempotentConsumer(messageID, new(route.IdempotentMemory), body, c.options)
				if !c.inside {
					r.Process(fail)
				}
				k := start(t, route.Config{Poison: true}, r)
				for _, b := range c.send {
					dup, err := sendID(k, "1", b)
					if errors.Is(err, bad) != (b == "bad") {
						t.Errorf("%s: %v", b, err)
					}
					if dup == slices.Contains(c.want, b) {
						t.Errorf("%s: duplicate: %v", b, dup)
					}
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("%q, want %q", got, c.want)
				}
			})
		})
	}
}

// The property of an earlier consumer says nothing of this one.
func TestIdempotentConsumersInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := 0
		k := start(t, route.Config{}, route.From("in:x").
			IdempotentConsumer(messageID, new(route.IdempotentMemory), route.Do().Process(nop)).
			IdempotentConsumer(route.Simple("${body}"), new(route.IdempotentMemory), route.Do().
				Process(func(context.Context, *route.Exchange) error { second++; return nil })))
		for i, body := range []string{"a", "b"} {
			if dup, err := sendID(k, "1", body); dup || err != nil {
				t.Errorf("message %d: %v, %v", i, dup, err)
			}
		}
		if second != 2 {
			t.Errorf("second block: %d messages, want 2", second)
		}
	})
}

func TestIdempotentConsumerOfParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []any
		k := start(t, route.Config{Poison: true}, route.From("in:x").Split(
			func(ex *route.Exchange) any { return ex.Body },
			route.Do().IdempotentConsumer(func(ex *route.Exchange) any { return ex.Body }, new(route.IdempotentMemory),
				route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
					got = append(got, ex.Body)
					if len(got) == 2 {
						panic("two")
					}
					return nil
				}))))
		ex := route.NewExchange([]any{1, true, true, []byte("x"), "x", 1})
		defer ex.Release()
		if err := k.give("x", ex); err == nil {
			t.Error("no error")
		}
		if fmt.Sprintf("%s", got) != "[%!s(int=1) %!s(bool=true) %!s(bool=true) x]" {
			t.Errorf("%s", got)
		}
	})
}

func TestIdempotentConsumerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:x").
			IdempotentConsumer(func(ex *route.Exchange) any { return ex.Header("id") }, brokenRepository{}, route.Do().Process(nop)))
		_, err := sendID(k, "", "a")
		wantError(t, err, here(-2)+`: route "route1": exchange ID: idempotent consumer: the message has no key`)
		_, err = sendID(k, "add", "a")
		wantError(t, err, here(-4)+`: route "route1": exchange ID: idempotent consumer: key "add": disk full`)
		_, err = sendID(k, "confirm", "a")
		wantError(t, err, `key "confirm": disk full`)
		ex := route.NewExchange(nil)
		defer ex.Release()
		ex.SetHeader("id", 1.5)
		wantError(t, k.give("x", ex), here(-10)+`: route "route1": exchange ID: idempotent consumer: `+
			`the key is float64, want a text, a []byte, a bool or an integer`)
	})
}

type brokenRepository struct{}

var errFull = errors.New("disk full")

func (brokenRepository) Add(_ context.Context, key string) (bool, error) {
	if key == "add" {
		return false, errFull
	}
	return true, nil
}
func (brokenRepository) Contains(context.Context, string) (bool, error) { return false, errFull }
func (brokenRepository) Confirm(context.Context, string) error          { return errFull }
func (brokenRepository) Remove(context.Context, string) error           { return errFull }

func TestIdempotentConsumerMistakes(t *testing.T) {
	_, err := route.New(route.Config{Components: route.Components{"in": (&kit{}).component(func(a route.Address) route.Endpoint { return &in{nil, a.Path} })}},
		route.From("in:x").
			IdempotentConsumer("always", nil, nil, route.IdempotentOptions{}, route.IdempotentOptions{}))
	at := here(-1) + `: route "route1": idempotent consumer: `
	wantError(t, err, at+"want one route.IdempotentOptions, have 2\n"+
		at+"want a repository, such as new(route.IdempotentMemory)\n"+
		at+"want an expression, have \"always\", which is the same for all messages\n"+
		at+"want a block with steps: route.Do()")
}

func TestIdempotentMemory(t *testing.T) {
	ctx := t.Context()
	m := &route.IdempotentMemory{Size: 3}
	add := func(key string, want bool) {
		t.Helper()
		if ok, err := m.Add(ctx, key); ok != want || err != nil {
			t.Errorf("add %s: %v, %v", key, ok, err)
		}
	}
	has := func(key string, want bool) {
		t.Helper()
		if ok, err := m.Contains(ctx, key); ok != want || err != nil {
			t.Errorf("contains %s: %v, %v", key, ok, err)
		}
	}
	for range 3 {
		add("a", true)
		add("b", true)
		add("a", false)
		add("c", true)
		has("b", true) // so that a is the oldest
		add("d", true)
		has("a", false)
		for _, key := range []string{"b", "a", "d"} {
			if err := m.Remove(ctx, key); err != nil {
				t.Error(err)
			}
		}
		has("b", false)
		has("c", true)
		add("e", true)
		add("f", true)
		add("g", true) // in the place of c
		has("c", false)
		if m.Len() != 3 {
			t.Errorf("%d keys", m.Len())
		}
		if err := m.Confirm(ctx, "h"); err != nil || m.Len() != 3 {
			t.Error(m.Len(), err)
		}
		has("h", true)
		has("e", false)
		m.Clear()
	}
	for i := range 1500 {
		add(fmt.Sprint(i), true)
	}
	if m.Len() != 3 {
		t.Errorf("%d keys", m.Len())
	}
	zero := new(route.IdempotentMemory)
	for i := range 1500 {
		if ok, err := zero.Add(ctx, fmt.Sprint(i)); !ok || err != nil {
			t.Error(ok, err)
		}
	}
	if zero.Len() != 1000 {
		t.Errorf("%d keys, want 1000", zero.Len())
	}
}

// Of equal messages at the same time one is new.
func TestIdempotentConsumerAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		seen := map[any]int{}
		k := start(t, route.Config{}, route.From("in:x").
			IdempotentConsumer(messageID, new(route.IdempotentMemory), route.Do().
				Process(func(_ context.Context, ex *route.Exchange) error {
					mu.Lock()
					defer mu.Unlock()
					seen[ex.Header("id")]++
					return nil
				}).
				Delay(1)))
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				for i := range 100 {
					if _, err := sendID(k, fmt.Sprint(i), ""); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%v: %d times", id, n)
			}
		}
		if len(seen) != 100 {
			t.Errorf("%d keys", len(seen))
		}
	})
}
