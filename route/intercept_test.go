package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/route"
)

// say returns a step that adds to a list.
func say(list *[]string, what string) route.ProcessorFunc {
	return func(_ context.Context, ex *route.Exchange) error {
		step, _ := route.InterceptedStep.Get(ex)
		to, _ := route.InterceptedEndpoint.Get(ex)
		*list = append(*list, strings.TrimRight(fmt.Sprintf("%s %s %s", what, step, to), " "))
		return nil
	}
}

func TestInterceptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		var k kit
		sent := k.record("a")
		k.to["b"] = say(&said, "b")
		k.start(t, route.Config{Routes: route.Configuration{Intercept: []*route.Interceptor{
			route.InterceptFrom("in:x*").Process(say(&said, "from")),
			route.InterceptSendTo("to:a").When(func(ex *route.Exchange) bool { return ex.Body == "skip" }).Process(say(&said, "skipped")).Skip().After("to:b"),
		}}},
			route.From("in:x?y=z").Intercept(route.Intercept().Process(say(&said, "before"))).
				Filter(true, route.Do().SetHeader("h", 1)).To("to:a"),
			route.From("in:y").Intercept(route.Intercept().When(route.Is(route.NewKey[string]("h"), "stop")).Stop()).
				SetHeader("h", "stop").SetBody("not reached"),
			route.From("in:z").Intercept(route.InterceptSendTo("to:*").Process(failing(errBoom))).To("to:a"))
		k.send(t, "x", "skip")
		want := []string{
			"from  in:x", "before filter in:x", `before set header "h" in:x`, `before to "to:a" in:x`,
			`skipped to "to:a" to:a`, `b to "to:a" to:a`,
		}
		if !slices.Equal(said, want) {
			t.Errorf("%q, want %q", said, want)
		}
		k.send(t, "x", "b")
		if got := k.send(t, "y", "b"); got != "b" || !slices.Equal(*sent, []string{"b"}) {
			t.Errorf("%v; sent %q", got, *sent)
		}
		if err := k.give("z", route.NewExchange("b")); !errors.Is(err, errBoom) || len(*sent) != 1 {
			t.Errorf("%v; sent %q", err, *sent)
		}
		s, _ := k.Status().Route("route1")
		if len(s.Steps) != 2 || len(s.Steps[0].Steps) != 1 {
			t.Errorf("steps %v: want those of the route only", s.Steps)
		}
	})
}

func TestOnCompletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k kit
		done := k.record("done")
		k.start(t, route.Config{Routes: route.Configuration{OnCompletion: []*route.Completion{
			route.OnCompletion().OnSuccess().SetBody(route.Simple("engine: ${body} ${routeId}")).To("to:done"),
		}}},
			route.From("in:x").
				OnError(route.OnError[*declined]().Handled()).
				OnCompletion(
					route.OnCompletion().OnFailure().UseOriginalMessage().To("to:done"),
					route.OnCompletion().BeforeConsumer().When(func(ex *route.Exchange) bool { return ex.Body == "reply" }).SetBody("changed"),
				).
				Process(func(_ context.Context, ex *route.Exchange) error {
					switch ex.Body {
					case "boom":
						ex.Body = "other"
						return errBoom
					case "declined":
						return &declined{}
					}
					return nil
				}).To("call:y"),
			route.From("call:y").OnCompletion(route.OnCompletion().To("to:done")).Process(append1).Stop(),
			route.From("in:before").OnCompletion(route.OnCompletion().BeforeConsumer().Process(failing(errBoom))),
			route.From("in:after").OnCompletion(route.OnCompletion().Process(func(ctx context.Context, _ *route.Exchange) error {
				<-ctx.Done()
				return context.Cause(ctx)
			})))
		for _, body := range []string{"a", "boom", "declined", "reply"} {
			ex := route.NewExchange(body)
			err := k.give("x", ex)
			if (err != nil) != (body == "boom") || body == "reply" && ex.Body != "reply1" {
				t.Errorf("%s: %v, %v", body, ex.Body, err)
			}
			ex.Release()
		}
		synctest.Wait()
		slices.Sort(*done)
		want := []string{"a1", "boom after boom", "engine: a1 route1", "engine: declined route1 after declined: ", "engine: reply1 route1", "reply1"}
		if !slices.Equal(*done, want) {
			t.Errorf("%q, want %q", *done, want)
		}
		if err := k.give("before", route.NewExchange(1)); !errors.Is(err, errBoom) {
			t.Errorf("before the consumer: %v", err)
		}
		k.logs.take()
		k.send(t, "after", 1)
		err := k.stop()
		drained, ok := errors.AsType[*route.DrainError](err)
		if logs := strings.Join(k.logs.take(), "\n"); !ok || len(drained.InFlight) != 1 || !strings.Contains(logs, "exchange given up") || !strings.Contains(logs, "exchange failed") {
			t.Errorf("%v; %s: want the route to wait for the completion, then to give it up", err, logs)
		}
	})
}

func TestPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		tell := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
		policy := route.Policy{
			Init:  func(e *route.Engine, id string) error { tell("init %s", id); return nil },
			Start: func(ctx context.Context, id string) { tell("start %s %v", id, ctx.Err()) },
			Stop:  func(id string) { tell("stop %s", id) },
			Begin: func(_ context.Context, ex *route.Exchange) { tell("begin %v", ex.Body) },
			Done: func(_ context.Context, ex *route.Exchange, err error) {
				tell("done %v %v", ex.Body, errors.Is(err, errBoom))
				panic("careless")
			},
		}
		k := start(t, route.Config{Routes: route.Configuration{Policies: []route.Policy{
			{Begin: func(context.Context, *route.Exchange) { tell("first") }},
		}}}, route.From("in:x").Policy(policy).Process(failing(errBoom)))
		_ = k.give("x", route.NewExchange("a"))
		k.send(t, "x", "b")
		k.logs.take()
		if err := k.Stop(t.Context(), "route1"); err != nil {
			t.Error(err)
		}
		want := []string{"init route1", "start route1 <nil>", "first", "begin a", "done a? true", "first", "begin b", "done b ok2 false", "stop route1"}
		if !slices.Equal(said, want) {
			t.Errorf("%q, want %q", said, want)
		}
	})
}

func TestConfigurationMistakes(t *testing.T) {
	var k kit
	err := k.build(route.Config{Routes: route.Configuration{Policies: []route.Policy{
		{Init: func(*route.Engine, string) error { return errors.New("no thanks") }},
	}}},
		route.From("in:x").Use(nil).
			ErrorHandler(route.ErrorHandler{DeadLetter: "nowhere:x", Redelivery: route.Redelivery{
				Maximum: -2, Multiplier: 0.5, MaxDelay: -1, CollisionAvoidance: 2, DelayPattern: "1:x",
			}}).
			OnError(nil,
				route.OnErrorWhere(nil),
				route.OnError[error]().Handled().Continued(),
				route.OnError[*declined]().When(nil).Redeliver(route.Redelivery{DelayPattern: "5:1;5:2"}).Step(nil)).
			OnCompletion(nil, route.OnCompletion().OnSuccess().OnFailure()).
			Intercept(nil, route.Intercept().After("to:x"), route.InterceptFrom("in:*").Skip(), route.InterceptSendTo("")))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"a configuration is nil", "error clause 1 is nil", "nil function", "handled or continued, not both", "it is never reached: the clause at",
		"want a route.Predicate", `want numbers that grow, have 5 after 5 in "5:1;5:2"`, "nil step", `no component "nowhere"`,
		"route.Redelivery.Maximum: want a number, or -1 for ever, have -2", "route.Redelivery.Multiplier: want 1 or more, have 0.5", "but Exponential is not set",
		"route.Redelivery.MaxDelay", "route.Redelivery.CollisionAvoidance: want a part from 0 to 1, have 2", `route.Redelivery.DelayPattern: want a duration that is not negative, have "x", in "1:x"`,
		"completion 1 is nil", "want OnSuccess or OnFailure, or neither for both", "want steps", "interceptor 1 is nil", "After is for route.InterceptSendTo",
		"Skip is for other interceptors", "want a pattern", "policy: no thanks",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q in\n%v", want, err)
		}
	}
}
