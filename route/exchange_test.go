package route_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/route"
)

// A model is what headers are: a list in the order in which they were first set.
type model []struct {
	name  string
	value any
}

func (m model) find(name string) int {
	return slices.IndexFunc(m, func(h struct {
		name  string
		value any
	},
	) bool {
		return strings.EqualFold(h.name, name)
	})
}

func (m *model) set(name string, value any) {
	if i := m.find(name); i >= 0 {
		(*m)[i].value = value
		return
	}
	*m = append(*m, struct {
		name  string
		value any
	}{name, value})
}

func (m *model) remove(name string) bool {
	i := m.find(name)
	if i < 0 {
		return false
	}
	*m = slices.Delete(*m, i, i+1)
	return true
}

// play does what the bytes say to an exchange and to a model, and compares the two.
func play(t *testing.T, script []byte) {
	t.Helper()
	ex, want := route.NewExchange(nil), model{}
	defer func() { ex.Release() }()
	spell := func(n byte) string {
		name := fmt.Sprintf("Header-%d", n%20)
		if n >= 128 {
			name = strings.ToUpper(name)
		} else if n >= 64 {
			name = strings.ToLower(name)
		}
		return name
	}
	type before struct {
		ex   *route.Exchange
		want model
	}
	var kept []before
	compare := func(ex *route.Exchange, want model) {
		t.Helper()
		var got model
		for name, value := range ex.Headers() {
			got = append(got, struct {
				name  string
				value any
			}{name, value})
		}
		if len(got) != len(want) {
			t.Fatalf("script %v: headers %v, want %v", script, got, want)
		}
		for i, h := range want {
			if !strings.EqualFold(got[i].name, h.name) || got[i].value != h.value || ex.Header(strings.ToUpper(h.name)) != h.value {
				t.Fatalf("script %v: headers %v, want %v", script, got, want)
			}
		}
	}
	for i := 0; i+1 < len(script); i += 2 {
		name := spell(script[i+1])
		switch script[i] % 9 {
		case 0, 1:
			route.NewKey[string](name).Set(ex, fmt.Sprint("text", i))
			want.set(name, fmt.Sprint("text", i))
		case 2:
			ex.SetHeader(name, i)
			want.set(name, i)
		case 3:
			long := strings.Repeat("long", 20)
			route.NewKey[string](name).Set(ex, long)
			want.set(name, long)
		case 4, 5:
			if got, have := ex.RemoveHeader(name), want.remove(name); got != have {
				t.Fatalf("script %v: RemoveHeader(%s) = %v, want %v", script, name, got, have)
			}
		case 6: // goes on with a clone
			kept = append(kept, before{ex, slices.Clone(want)})
			ex = ex.Clone()
		case 7: // a new one, likely from the pool
			ex.Release()
			ex, want = route.NewExchange(nil), model{}
		case 8:
			text, ok := route.NewKey[string](name).Get(ex)
			n, isInt := route.NewKey[int](name).Get(ex)
			var value any
			if j := want.find(name); j >= 0 {
				value = want[j].value
			}
			if s, isText := value.(string); s != text || isText != ok {
				t.Fatalf("script %v: text %q, %v; want %v", script, text, ok, value)
			}
			if m, is := value.(int); m != n || is != isInt {
				t.Fatalf("script %v: int %d, %v; want %v", script, n, isInt, value)
			}
		}
		compare(ex, want)
	}
	for _, b := range kept {
		compare(b.ex, b.want)
		b.ex.Release()
	}
}

func TestHeadersAreLikeAList(t *testing.T) {
	for seed := range 300 {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		script := make([]byte, 400)
		for i := range script {
			script[i] = byte(r.Uint32())
		}
		play(t, script)
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add([]byte{0, 1, 2, 1, 4, 1})
	many := []byte{}
	for i := range byte(20) {
		many = append(many, 0, i)
	}
	f.Add(append(many, 4, 3, 0, 3, 6, 0, 4, 15, 2, 200, 7, 0, 0, 1))
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) < 4000 {
			play(t, script)
		}
	})
}

func TestPropertiesAreNotHeaders(t *testing.T) {
	ex := route.NewRequest("b")
	ex.SetHeader("x", 1)
	ex.SetProperty("X", 2)
	if ex.Header("X") != 1 || ex.Property("x") != 2 || !ex.ReplyExpected() {
		t.Errorf("header %v, property %v", ex.Header("x"), ex.Property("x"))
	}
	if !ex.RemoveProperty("x") || ex.RemoveProperty("x") || ex.Property("x") != nil || ex.Header("x") != 1 {
		t.Error("RemoveProperty")
	}
	ex.SetHeader("nil", nil)
	n := 0
	for range ex.Headers() {
		n++
	}
	for range ex.Properties() {
		n++
	}
	if n != 2 {
		t.Errorf("%d headers and properties, want 2", n)
	}
	for range ex.Headers() {
		break
	}
	ex.SetHeader("é", 1) // only ASCII letters have a case
	if ex.Header("É") != nil || ex.Header("é") != 1 {
		t.Error("the case of other letters")
	}
}

func TestKeys(t *testing.T) {
	ex := route.NewExchange(nil)
	var err error = &declined{"x"}
	route.Caught.Set(ex, err)
	if got, ok := route.Caught.Get(ex); !ok || got != err || ex.Property("camelexceptioncaught") != err {
		t.Errorf("an error: %v, %v", got, ok)
	}
	type name string
	key := route.NewKey[name]("N")
	key.Set(ex, "x")
	if v, ok := key.Get(ex); !ok || v != "x" || key.Name() != "N" {
		t.Errorf("a named string: %v, %v", v, ok)
	}
	if v, ok := route.NewKey[string]("n").Get(ex); ok || v != "" {
		t.Errorf("a string under a key of a named one: %q, %v", v, ok)
	}
	route.NewKey[string]("s").Set(ex, "text")
	if v, ok := route.NewKey[any]("S").Get(ex); !ok || v != "text" {
		t.Errorf("any: %v, %v", v, ok)
	}
	if v, ok := route.NewKey[fmt.Stringer]("s").Get(ex); ok || v != nil {
		t.Errorf("a Stringer: %v, %v", v, ok)
	}
}

func TestBodyAs(t *testing.T) {
	ex := route.NewExchange([]byte("x"))
	if b, err := route.BodyAs[[]byte](ex); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
	_, err := route.BodyAs[error](ex)
	wantError(t, err, "body is []uint8, want error")
	ex.Body = nil
	_, err = route.BodyAs[string](ex)
	wantError(t, err, "body is <nil>, want string")
}

func TestHandover(t *testing.T) {
	ex := route.NewRequest(1)
	if waits, leaves := ex.Handover(true), ex.Handover(false); !waits.ReplyExpected() || leaves.ReplyExpected() || waits.ID() == ex.ID() {
		t.Errorf("replies expected: %v, %v", waits.ReplyExpected(), leaves.ReplyExpected())
	}
}

func TestCloneHasAnIDOfItsOwn(t *testing.T) {
	ex := route.NewExchange(1)
	c := ex.Clone()
	if ex.ID() == c.ID() || ex.ID() != ex.ID() || ex.RouteID() != "" || ex.FromRouteID() != "" {
		t.Errorf("ids %s, %s, routes %q, %q", ex.ID(), c.ID(), ex.RouteID(), ex.FromRouteID())
	}
	if !errors.Is(fmt.Errorf("x: %w", &route.StepError{Err: route.ErrDone}), route.ErrDone) {
		t.Error("a StepError hides its cause")
	}
}

func TestRenew(t *testing.T) {
	ex := route.NewRequest("a")
	ex.SetHeader("h", 1)
	ex.SetProperty("p", 1)
	id := ex.ID()
	again := ex.Renew("b")
	if again != ex || again.Body != "b" || again.Header("h") != nil || again.Property("p") != nil || again.ReplyExpected() || again.ID() == id {
		t.Errorf("%+v", again)
	}
	again.Release()
	defer func() {
		if recover() == nil {
			t.Error("a released exchange was renewed")
		}
	}()
	again.Renew("c")
}
