package routetest

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Got is what a mock endpoint was sent: clones of the exchanges as they were then,
// with the same bodies, and copies of []byte bodies.
type Got struct {
	Exchanges []*route.Exchange // that are kept: all, unless the endpoint is told otherwise
	Arrived   []time.Time       // when each of them was sent
	Total     int
}

// An Expectation says what is wrong with what a mock endpoint was sent, or returns nil.
// Tests may write their own.
type Expectation func(got Got) error

// Count expects n exchanges.
func Count(n int) Expectation {
	return func(got Got) error {
		if got.Total != n {
			return fmt.Errorf("want %d exchanges, have %d", n, got.Total)
		}
		return nil
	}
}

// AtLeast expects n exchanges or more.
func AtLeast(n int) Expectation {
	return func(got Got) error {
		if got.Total < n {
			return fmt.Errorf("want at least %d exchanges, have %d", n, got.Total)
		}
		return nil
	}
}

// Bodies expects exchanges with these bodies, in this order, and no others. Bodies are
// compared with [reflect.DeepEqual].
func Bodies(want ...any) Expectation {
	return func(got Got) error {
		if len(got.Exchanges) != len(want) {
			return fmt.Errorf("want %d bodies %s, have %d", len(want), list(want), len(got.Exchanges))
		}
		for i, ex := range got.Exchanges {
			if !reflect.DeepEqual(ex.Body, want[i]) {
				return fmt.Errorf("exchange %d: want body %s, have %s", i, show(want[i]), show(ex.Body))
			}
		}
		return nil
	}
}

// BodiesInAnyOrder expects exchanges with these bodies and no others.
func BodiesInAnyOrder(want ...any) Expectation {
	return func(got Got) error {
		missing := slices.Clone(want)
		var extra []any
		for _, ex := range got.Exchanges {
			i := slices.IndexFunc(missing, func(w any) bool { return reflect.DeepEqual(ex.Body, w) })
			if i < 0 {
				extra = append(extra, ex.Body)
			} else {
				missing = slices.Delete(missing, i, i+1)
			}
		}
		var errs []error
		if len(missing) > 0 {
			errs = append(errs, fmt.Errorf("bodies are missing: %s", list(missing)))
		}
		if len(extra) > 0 {
			errs = append(errs, fmt.Errorf("bodies are too many: %s", list(extra)))
		}
		return errors.Join(errs...)
	}
}

// Header expects each exchange, of which there is one at least, to have a header with this
// value.
func Header(name string, want any) Expectation {
	return field("header", name, want, (*route.Exchange).Headers)
}

// Property expects each exchange, of which there is one at least, to have a property with
// this value.
func Property(name string, want any) Expectation {
	return field("property", name, want, (*route.Exchange).Properties)
}

func field(kind, name string, want any, all func(*route.Exchange) iter.Seq2[string, any]) Expectation {
	return func(got Got) error {
		if len(got.Exchanges) == 0 {
			return fmt.Errorf("want exchanges with %s %q, have none", kind, name)
		}
		for i, ex := range got.Exchanges {
			have, ok := any(nil), false
			for n, v := range all(ex) {
				if strings.EqualFold(n, name) {
					have, ok = v, true
				}
			}
			if !ok {
				return fmt.Errorf("exchange %d: want %s %q to be %s, have none", i, kind, name, show(want))
			}
			if !reflect.DeepEqual(have, want) {
				return fmt.Errorf("exchange %d: want %s %q to be %s, have %s", i, kind, name, show(want), show(have))
			}
		}
		return nil
	}
}

// Each expects something to hold for each exchange, of which there is one at least; what
// says what that is.
func Each(what string, holds func(*route.Exchange) bool) Expectation {
	return func(got Got) error {
		if len(got.Exchanges) == 0 {
			return fmt.Errorf("want exchanges with %s, have none", what)
		}
		for i, ex := range got.Exchanges {
			if !holds(ex) {
				return fmt.Errorf("exchange %d: want %s", i, what)
			}
		}
		return nil
	}
}

// Any expects something to hold for an exchange at least; what says what that is.
func Any(what string, holds func(*route.Exchange) bool) Expectation {
	return func(got Got) error {
		if !slices.ContainsFunc(got.Exchanges, holds) {
			return fmt.Errorf("want an exchange with %s, have none", what)
		}
		return nil
	}
}

// Check fails the test if what "mock:" + path was sent so far is not as expected.
func (m *Mock) Check(t testing.TB, path string, want ...Expectation) {
	t.Helper()
	got, _ := m.path(path).now()
	if err := unmet(got, want); err != nil {
		t.Errorf("mock:%s: %v\n%s", path, err, m.describe(got))
	}
}

// Eventually waits until all is as expected. It fails the test if it is not so within a
// time, which is virtual in a synctest bubble.
func (m *Mock) Eventually(t testing.TB, within time.Duration, path string, want ...Expectation) {
	t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		got, changed := m.path(path).now()
		err := unmet(got, want)
		if err == nil {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			t.Errorf("mock:%s: after %v: %v\n%s", path, within, err, m.describe(got))
			return
		}
	}
}

// Never lets a time pass, which is virtual in a synctest bubble, and fails the test as
// soon as all that is given holds: with nothing, as soon as there is an exchange.
func (m *Mock) Never(t testing.TB, during time.Duration, path string, unwanted ...Expectation) {
	t.Helper()
	if len(unwanted) == 0 {
		unwanted = []Expectation{AtLeast(1)}
	}
	begun := time.Now()
	timer := time.NewTimer(during)
	defer timer.Stop()
	for {
		got, changed := m.path(path).now()
		if unmet(got, unwanted) == nil {
			t.Errorf("mock:%s: after %v there is what should never be\n%s", path, time.Since(begun), describe(got))
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		}
	}
}

func unmet(got Got, want []Expectation) error {
	var errs []error
	for _, w := range want {
		errs = append(errs, w(got))
	}
	return errors.Join(errs...)
}

// maxShown is how many exchanges and values a failure shows.
const maxShown = 20

// describe shows what an endpoint was sent, or which others were sent something.
func (m *Mock) describe(got Got) string {
	if others := m.sent(); got.Total == 0 && len(others) > 0 {
		return "\tsent to were: " + strings.Join(others, ", ")
	}
	return describe(got)
}

// sent returns the endpoints that were sent something.
func (m *Mock) sent() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name, p := range m.paths {
		if got, _ := p.now(); got.Total > 0 {
			names = append(names, "mock:"+name)
		}
	}
	slices.Sort(names)
	return names
}

func describe(got Got) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\thave %d exchanges", got.Total)
	for i, ex := range got.Exchanges[:min(len(got.Exchanges), maxShown)] {
		fmt.Fprintf(&b, "\n\t%d: body %s", i, show(ex.Body))
		for name, v := range ex.Headers() {
			fmt.Fprintf(&b, ", header %s=%s", name, show(v))
		}
	}
	if more := got.Total - min(len(got.Exchanges), maxShown); more > 0 {
		fmt.Fprintf(&b, "\n\tand %d more", more)
	}
	return b.String()
}

func list(values []any) string {
	var all []string
	for _, v := range values[:min(len(values), maxShown)] {
		all = append(all, show(v))
	}
	if len(values) > maxShown {
		all = append(all, "…")
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func show(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case []byte:
		return fmt.Sprintf("[]byte(%q)", v)
	}
	return fmt.Sprintf("%T(%v)", v, v)
}
