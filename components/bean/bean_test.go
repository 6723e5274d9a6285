package bean_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/bean"
	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

var errSoldOut = errors.New("sold out")

func registry() bean.Registry {
	return bean.Registry{
		"double":     bean.Func(func(_ context.Context, n int) (int, error) { return 2 * n, nil }),
		"shop.price": bean.Func(func(_ context.Context, item string) (float64, error) { return float64(len(item)), nil }),
		"shop.check": bean.Do(func(_ context.Context, item string) error {
			if item == "moon" {
				return errSoldOut
			}
			return nil
		}),
		"stamp": route.ProcessorFunc(func(_ context.Context, ex *route.Exchange) error {
			ex.SetHeader("stamped", true)
			return nil
		}),
		"panics":  bean.Do(func(context.Context, any) error { panic("boom") }),
		"nothing": nil,
		"no func": bean.Func[int, int](nil),
		"no do":   bean.Do[int](nil),
	}
}

func TestComponent(t *testing.T) {
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component {
			r := registry()
			r["a/b"] = r["stamp"]
			return bean.New(r)
		},
		Configs:  []routetest.Config{bean.Config{Name: "a/b"}, bean.Config{Name: "shop", Method: "price"}},
		Producer: "bean:stamp",
	})
}

func TestCalls(t *testing.T) {
	for _, tt := range []struct {
		uri  route.URI
		body any
		want any
		err  string
	}{
		{"bean:double", 21, 42, ""},
		{"bean:double", "21", 42, ""},
		{"bean:double", []byte("21"), 42, ""},
		{"bean:double", "many", nil, `body: `},
		{"bean:shop?method=price", "pen", 3.0, ""},
		{"bean:shop.price", "pen", 3.0, ""},
		{"bean:shop?method=check", "pen", "pen", ""},
		{"bean:shop?method=check", "moon", nil, "sold out"},
		{"bean:panics", "pen", nil, "boom"},
		{"bean:stamp", "pen", "pen", ""},
	} {
		t.Run(string(tt.uri), func(t *testing.T) {
			e := routetest.Run(t, route.Config{
				Components: route.Components{"bean": bean.New(registry()), "direct": direct.New()}, Logger: slog.New(slog.DiscardHandler),
			}, route.From("direct:in").To(tt.uri))
			ex, err := e.Request(t.Context(), "direct:in", tt.body)
			switch {
			case tt.err != "":
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %q", err, tt.err)
				}
			case err != nil:
				t.Error(err)
			case ex.Body != tt.want:
				t.Errorf("%v, want %v", ex.Body, tt.want)
			case tt.uri == "bean:stamp" && ex.Header("stamped") != true:
				t.Error("no header")
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	for u, want := range map[route.URI]string{
		"bean:":                  `nothing after "bean:"`,
		"bean:doubel":            `no function "doubel" (did you mean double?)`,
		"bean:shop":              `no function "shop"`,
		"bean:shop?method=prise": `no function "shop.prise" (did you mean shop.price?)`,
		"bean:nothing":           `the function "nothing" is nil`,
		"bean:no func":           `the function "no func" is nil`,
		"bean:no do":             `the function "no do" is nil`,
		"bean:double?scope=x":    `unknown option "scope"`,
	} {
		_, err := route.New(route.Config{Components: route.Components{"bean": bean.New(registry()), "direct": direct.New()}}, route.From("direct:in").To(u))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", u, err, want)
		}
	}
}

func ExampleFunc() {
	price := func(_ context.Context, item string) (float64, error) {
		if item == "moon" {
			return 0, errors.New("not for sale")
		}
		return 1.5 * float64(len(item)), nil
	}
	engine, err := route.New(route.Config{
		Components: route.Components{"bean": bean.New(bean.Registry{"price": bean.Func(price)}), "direct": direct.New()},
		Logger:     slog.New(slog.DiscardHandler),
	}, route.From("direct:orders").To("bean:price"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	if ex, err := engine.Request(ctx, "direct:orders", "pen"); err == nil {
		fmt.Println(ex.Body)
	}
	_, err = engine.Request(ctx, "direct:orders", "moon")
	fmt.Println(errors.Unwrap(err) != nil)
	cancel()
	<-done
	// Output:
	// 4.5
	// true
}
