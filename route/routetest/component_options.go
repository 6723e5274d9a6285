package routetest

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/mehari-go/mehari/route"
)

// The checks of addresses and options.

// endpoint makes an endpoint outside of an engine.
func (h *Harness) endpoint(c route.Component, u route.URI) (route.Endpoint, error) {
	addr, err := u.Parse()
	if err != nil {
		return nil, err
	}
	return c.Endpoint(h.env(), addr)
}

func (h *Harness) env() route.Env {
	env := route.Env{Logger: slog.New(slog.DiscardHandler)}
	env.Resolve = func(u route.URI) (route.Endpoint, error) {
		addr, err := u.Parse()
		if err != nil {
			return nil, err
		}
		c, ok := h.Others[addr.Scheme]
		if !ok {
			return nil, fmt.Errorf("routetest: no component %q in Harness.Others", addr.Scheme)
		}
		return c.Endpoint(env, addr)
	}
	return env
}

// addresses are all that the harness has.
func (h *Harness) addresses() (all []route.URI) {
	for _, u := range []route.URI{h.Consumer, h.Producer} {
		if u != "" {
			all = append(all, u)
		}
	}
	for _, c := range h.Configs {
		all = append(all, c.URI())
	}
	return all
}

// An option is a field of a config with a `uri` tag.
type option struct {
	name   string
	secret bool
	value  reflect.Value
}

func options(config reflect.Value) (all []option) {
	for f, v := range config.Fields() {
		if tag, ok := f.Tag.Lookup("uri"); ok {
			name, flags, _ := strings.Cut(tag, ",")
			all = append(all, option{name, strings.Contains(flags, "secret"), v})
		}
	}
	return all
}

func (h *Harness) known() map[string]bool {
	known := map[string]bool{}
	for _, o := range options(reflect.ValueOf(h.Configs[0])) {
		known[o.name] = true
	}
	return known
}

// with returns the first config's address with one more option.
func (h *Harness) with(name string, values ...string) (route.Address, error) {
	addr, err := h.Configs[0].URI().Parse()
	if err == nil {
		addr.Options[name] = values
	}
	return addr, err
}

func unknownOptions(h *Harness) error {
	if len(h.Configs) == 0 {
		return noConfigs
	}
	known := h.known()
	var errs []error
	for name := range known {
		if name == "." {
			continue
		}
		wrong := name + name[len(name)-1:]
		if known[wrong] {
			continue
		}
		addr, err := h.with(wrong, "1")
		if err != nil {
			return err
		}
		_, err = h.New().Endpoint(h.env(), addr)
		switch {
		case err == nil:
			errs = append(errs, fmt.Errorf("the unknown option %q is not refused", wrong))
		case !strings.Contains(err.Error(), fmt.Sprintf("%q", wrong)):
			errs = append(errs, fmt.Errorf("the unknown option %q is not named: %w", wrong, err))
		case len(name) > 2 && !strings.Contains(err.Error(), "did you mean "+name+"?"):
			errs = append(errs, fmt.Errorf("for %q the option %q is not proposed: %w", wrong, name, err))
		}
	}
	addr, err := h.with("noSuchOption", "1")
	if err != nil {
		return err
	}
	if _, err := h.New().Endpoint(h.env(), addr); err == nil {
		errs = append(errs, errors.New(`the unknown option "noSuchOption" is not refused`))
	}
	return errors.Join(errs...)
}

const malformed = "\x01malformed"

func malformedOptions(h *Harness) error {
	if len(h.Configs) == 0 {
		return noConfigs
	}
	var errs []error
	for _, o := range options(reflect.ValueOf(h.Configs[0])) {
		if o.name == "." {
			continue
		}
		refused := func(what string, values ...string) {
			addr, err := h.with(o.name, values...)
			if err == nil {
				_, err = h.New().Endpoint(h.env(), addr)
			}
			switch {
			case err == nil:
				errs = append(errs, fmt.Errorf("option %q %s is not refused", o.name, what))
			case !strings.Contains(err.Error(), fmt.Sprintf("%q", o.name)):
				errs = append(errs, fmt.Errorf("option %q %s: it is not named: %w", o.name, what, err))
			case o.secret && strings.Contains(err.Error(), "malformed"):
				errs = append(errs, fmt.Errorf("option %q %s: the error tells the secret", o.name, what))
			}
		}
		if !isText(o.value.Type()) {
			refused("with a malformed value", malformed)
		}
		refused("given twice", "1", "1")
	}
	return errors.Join(errs...)
}

// isText tells whether any text is a value of t.
func isText(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return false
	}
	return t.Kind() == reflect.String || t == reflect.TypeFor[[]string]()
}

func roundTrip(h *Harness) error {
	if len(h.Configs) == 0 {
		return noConfigs
	}
	var errs []error
	unset := h.known()
	for i, c := range h.Configs {
		for _, o := range options(reflect.ValueOf(c)) {
			if !o.value.IsZero() {
				delete(unset, o.name)
			}
		}
		addr, err := c.URI().Parse()
		if err != nil {
			errs = append(errs, fmt.Errorf("Configs[%d]: %q: %w", i, c.URI(), err))
			continue
		}
		got := reflect.New(reflect.TypeOf(c))
		if err := addr.Decode(got.Interface()); err != nil {
			errs = append(errs, fmt.Errorf("Configs[%d]: %q does not decode: %w", i, c.URI(), err))
		} else if !reflect.DeepEqual(got.Elem().Interface(), c) {
			errs = append(errs, fmt.Errorf("Configs[%d]: %q decodes to\n\t%+v, want\n\t%+v", i, c.URI(), got.Elem(), c))
		}
		if _, err := h.New().Endpoint(h.env(), addr); err != nil {
			errs = append(errs, fmt.Errorf("Configs[%d]: %q makes no endpoint: %w", i, c.URI(), err))
		}
	}
	for name := range unset {
		errs = append(errs, fmt.Errorf("no value in Configs has the option %q", name))
	}
	return errors.Join(errs...)
}

const secret = "s3cr3t-7d1f"

// secrets looks at what endpoints show of themselves.
func secrets(h *Harness) error {
	var errs []error
	shown := func(u route.URI, hidden ...string) {
		ep, err := h.endpoint(h.New(), u)
		if err != nil {
			errs = append(errs, fmt.Errorf("%q makes no endpoint: %w", u, err))
			return
		}
		text := ep.String()
		addr, err := route.URI(text).Parse()
		if err != nil {
			errs = append(errs, fmt.Errorf("String() is no URI: %w", err))
		}
		if want, _, _ := strings.Cut(string(u), ":"); err == nil && addr.Scheme != want {
			errs = append(errs, fmt.Errorf("String() is %q: want the scheme %q", text, want))
		}
		for _, s := range hidden {
			if strings.Contains(text, s) {
				errs = append(errs, fmt.Errorf("String() shows a secret: %s", text))
			}
		}
	}
	for _, u := range h.addresses() {
		shown(u, passwords(u)...)
	}
	for _, c := range h.Configs {
		changed := reflect.New(reflect.TypeOf(c)).Elem()
		changed.Set(reflect.ValueOf(c))
		some := false
		for _, o := range options(changed) {
			if o.secret && o.value.Kind() == reflect.String && !o.value.IsZero() { // one that is not set may exclude others
				o.value.SetString(secret)
				some = true
			}
		}
		if some {
			shown(changed.Interface().(Config).URI(), secret)
		}
	}
	return errors.Join(errs...)
}

// passwords returns the password in the authority of u, if there is one.
func passwords(u route.URI) []string {
	addr, err := u.Parse()
	if err != nil {
		return nil
	}
	authority, _, _ := strings.Cut(addr.Path, "/")
	if user, _, ok := strings.Cut(authority, "@"); ok {
		if _, password, ok := strings.Cut(user, ":"); ok {
			return []string{password}
		}
	}
	return nil
}

// noIO makes many endpoints at once and looks whether files or sockets are open then.
func noIO(h *Harness) error {
	before, counted := openFiles()
	begun := time.Now()
	c := h.New()
	var made sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		made.Go(func() {
			for _, u := range h.addresses() {
				if _, err := h.endpoint(c, u); err != nil {
					errs[i] = fmt.Errorf("%q: %w", u, err)
				}
			}
		})
	}
	made.Wait()
	if after, _ := openFiles(); counted && after > before {
		errs = append(errs, fmt.Errorf("%d files or sockets are open that were not before", after-before))
	}
	if d := time.Since(begun); d > 2*time.Second {
		errs = append(errs, fmt.Errorf("to make %d endpoints took %v", 8*len(h.addresses()), d))
	}
	return errors.Join(errs...)
}

// openFiles counts the process's open files, where the system tells.
func openFiles() (n int, ok bool) {
	list, err := os.ReadDir("/proc/self/fd")
	return len(list), err == nil
}

// stopsAtOnce starts a consumer with a context that is done.
func stopsAtOnce(h *Harness) error {
	if h.Consumer == "" {
		return noConsumer
	}
	ep, err := h.endpoint(h.New(), h.Consumer)
	if err != nil {
		return err
	}
	c, ok := ep.(route.Consumer)
	if !ok {
		return fmt.Errorf("%s is not a route.Consumer", ep)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	called, returned := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(returned)
		_ = c.Consume(ctx, route.ProcessorFunc(func(context.Context, *route.Exchange) error {
			select {
			case called <- struct{}{}:
			default:
			}
			return nil
		}))
	}()
	if !within(returned) {
		return fmt.Errorf("Consume does not return, though its context was done when it began")
	}
	select {
	case <-called:
		return errors.New("Consume gives an exchange, though its context was done when it began")
	default:
		return nil
	}
}
