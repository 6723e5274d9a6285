package routefx

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/route"
)

// VitalOptions say when a route is given up. There may be one.
type VitalOptions struct {
	// Failures is how often in a row the consumer of the route ends early before the
	// application is shut down; 0 means 5. In between the engine starts it anew, after
	// [route.Config.Restart].
	Failures int

	// ExitCode is that of the program then; 0 means 1.
	ExitCode int
}

type vital struct {
	id string
	VitalOptions
}

// Vital has the application shut down when the route with an id has died: its consumer
// ends early again and again, or has no more to give, which is not a failure, so that the
// exit code is 0. Otherwise the engine starts a consumer anew for ever.
//
// The consumer of a master endpoint does not end: what it consumes under the lock is
// started anew while this replica leads.
func Vital(id string, options ...VitalOptions) Contribution {
	v := vital{id: id}
	var err error
	if len(options) > 0 {
		v.VitalOptions = options[0]
	}
	switch {
	case len(options) > 1:
		err = fmt.Errorf("want at most one VitalOptions, have %d", len(options))
	case v.Failures < 0 || v.ExitCode < 0 || v.ExitCode > 255:
		err = errors.New("want Failures that are not negative and an ExitCode from 0 to 255")
	}
	if err != nil {
		refusal := fx.Error(fmt.Errorf("routefx: %s: vital %q: %w", callerOf().place, id, err))
		return Contribution{refusal, func(string) fx.Option { return refusal }}
	}
	v.Failures, v.ExitCode = cmp.Or(v.Failures, 5), cmp.Or(v.ExitCode, 1)
	return contribute("vital", id, []any{v}, reflect.TypeFor[vital]())
}

// watch makes the policy that shuts the application down.
func (e *engine) watch(v vital) route.Policy {
	return route.Policy{Ended: func(id string, failures int, err error) {
		if id != v.id || failures > 0 && failures < v.Failures {
			return
		}
		code := v.ExitCode
		if failures == 0 {
			code = 0
		}
		e.dying.Do(func() {
			logger := e.config.Logger
			if code == 0 {
				logger.Info("a vital route has no more to give: shutting the application down", "route", id)
			} else {
				logger.Error("a vital route has died: shutting the application down", "route", id, "failures", failures, "exitCode", code, "error", err)
			}
			if err := e.shutdowner.Shutdown(fx.ExitCode(code)); err != nil {
				logger.Error("the application cannot be shut down", "error", err)
			}
		})
	}}
}
