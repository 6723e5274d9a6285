package log_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/log"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestComponent(t *testing.T) {
	routetest.TestComponent(t, routetest.Harness{
		New: log.New,
		Configs: []routetest.Config{
			log.Config{Name: "orders"},
			log.Config{
				Name: "orders", Level: log.Warn, Marker: "m", ShowAll: true, ShowExchangeID: true, ShowRouteID: true,
				ShowExchangePattern: true, ShowProperties: true, ShowAllProperties: true, ShowHeaders: true,
				ShowBodyType: new(false), ShowBody: new(false), ShowCaughtException: true,
				Multiline: true, SkipBodyLineSeparator: new(false), MaxChars: new(0), LogMask: true,
			},
			log.Config{Name: "orders", Plain: true, MaxChars: new(80)},
			log.Config{Name: "rate", GroupSize: 10},
			log.Config{Name: "rate", GroupInterval: time.Minute, GroupDelay: time.Second, GroupActiveOnly: new(false)},
		},
		Producer: "log:orders?showAll=true",
	})
}

// logged runs exchanges through a log endpoint and returns what it writes.
func logged(t *testing.T, u route.URI, exchanges ...func(*route.Exchange)) []string {
	t.Helper()
	var out bytes.Buffer
	mock := new(routetest.Mock)
	routetest.Run(t, route.Config{
		Components: route.Components{"log": log.New(), "mock": mock},
		Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug - 4, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})),
	}, route.From("mock:in").ID("r").To(u))
	for _, set := range exchanges {
		if err := mock.Send("in", nil, set); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

type order struct{ ID int }

type named string

func (n named) String() string { return "named " + string(n) }

func TestShows(t *testing.T) {
	body := func(v any) func(*route.Exchange) { return func(ex *route.Exchange) { ex.Body = v } }
	full := func(ex *route.Exchange) {
		ex.Body = "hello\nworld"
		ex.SetHeader("a", 1)
		ex.SetHeader("Authorization", "Bearer 123")
		ex.SetProperty("p", "x")
		ex.SetProperty("CamelTimerCounter", 7)
		route.Caught.Set(ex, errors.New("boom"))
	}
	for _, tt := range []struct {
		uri  route.URI
		set  func(*route.Exchange)
		want string
	}{
		{"log:x", body("hello"), `Exchange[BodyType: string, Body: hello]`},
		{"log:x", body(nil), `Exchange[BodyType: null, Body: [Body is null]]`},
		{"log:x", body([]byte("hello")), `Exchange[BodyType: []byte, Body: hello]`},
		{"log:x", body([]byte{0xff, 0x00}), `Exchange[BodyType: []byte, Body: ff00]`},
		{"log:x", body(order{7}), `Exchange[BodyType: log_test.order, Body: {7}]`},
		{"log:x", body(named("n")), `Exchange[BodyType: log_test.named, Body: named n]`},
		{"log:x", body(io.LimitReader(nil, 1)), `Exchange[BodyType: *io.LimitedReader, Body: [Body is a stream: *io.LimitedReader]]`},
		{"log:x", body("a\r\nb"), `Exchange[BodyType: string, Body: ab]`},
		{"log:x?skipBodyLineSeparator=false", body("a\nb"), `Exchange[BodyType: string, Body: a\nb]`},
		{"log:x?plain=true", body("a\nb"), `a\nb`},
		{"log:x?showBody=false", body("a"), `Exchange[BodyType: string]`},
		{"log:x?showBodyType=false", body("a"), `Exchange[Body: a]`},
		{"log:x?showBodyType=false&showBody=false", body("a"), `Exchange[]`},
		{"log:x?showHeaders=true", full, `Exchange[Headers: {a=1, Authorization=xxxxx}, BodyType: string, Body: helloworld]`},
		{"log:x?showProperties=true", full, `Exchange[Properties: {p=x}, BodyType: string, Body: helloworld]`},
		{"log:x?showRouteId=true&showExchangePattern=true", body("a"), `Exchange[RouteId: r, ExchangePattern: InOnly, BodyType: string, Body: a]`},
		{"log:x?showCaughtException=true", full, `Exchange[BodyType: string, Body: helloworld, CaughtExceptionType: *errors.errorString, CaughtExceptionMessage: boom]`},
		{"log:x?multiline=true&showHeaders=true", full, `Exchange[\n  Headers: {a=1, Authorization=xxxxx}\n  BodyType: string\n  Body: helloworld\n]`},
		{"log:x?plain=true&maxChars=3", body("äöüß"), `äöü...`},
		{"log:x?plain=true&maxChars=4", body("äöüß"), `äöüß`},
		{"log:x?plain=true&maxChars=0", body(strings.Repeat("x", 20000)), strings.Repeat("x", 20000)},
		{"log:x?plain=true", body(strings.Repeat("x", 20000)), strings.Repeat("x", 10000) + "..."},
		{
			"log:x?plain=true&logMask=true", body(`{"password": "a\"b", "n": 1, "api-key":12} token=abc&x=1 Authorization: Bearer zzz, <secret>s</secret> amqp://u:pw@host`),
			`{"password": "xxxxx", "n": 1, "api-key":"xxxxx"} token=xxxxx&x=1 Authorization: Bearer xxxxx, <secret>xxxxx</secret> amqp://u:xxxxx@host`,
		},
		{"log:x?plain=true&logMask=true", body("nothing to hide: a=b, c: d"), "nothing to hide: a=b, c: d"},
	} {
		got := logged(t, tt.uri, tt.set)
		want := fmt.Sprintf("msg=%s logger=x", tt.want)
		quoted := fmt.Sprintf(`msg="%s" logger=x`, strings.NewReplacer(`"`, `\"`, `\"`, `\\\"`).Replace(tt.want))
		if len(got) != 1 || !strings.HasSuffix(got[0], want) && !strings.HasSuffix(got[0], quoted) {
			t.Errorf("%s:\n\thave %.300s,\n\twant %.300s", tt.uri, got, want)
		}
	}
}

func TestShowAll(t *testing.T) {
	got := logged(t, "log:x?showAll=true&showBody=false", func(ex *route.Exchange) {
		ex.Body = "b"
		ex.SetProperty("CamelTimerCounter", 7)
	})[0]
	for _, want := range []string{"Exchange[Id: ", ", RouteId: r, ExchangePattern: InOnly, Properties: {CamelTimerCounter=7}, Headers: {}, BodyType: string, Body: b]"} {
		if !strings.Contains(got, want) {
			t.Errorf("have %s, want %s in it", got, want)
		}
	}
}

func TestLevels(t *testing.T) {
	for level, want := range map[string]string{
		"TRACE": "level=DEBUG-4 ", "debug": "level=DEBUG ", "INFO": "level=INFO ", "WARN": "level=WARN ", "ERROR": "level=ERROR ", "OFF": "",
	} {
		got := logged(t, route.URI("log:x?marker=m&level="+level), func(*route.Exchange) {})[0]
		if want == "" && got != "" || want != "" && !(strings.HasPrefix(got, want) && strings.HasSuffix(got, " logger=x marker=m")) {
			t.Errorf("%s: have %q, want %q", level, got, want)
		}
	}
}

func TestGroupSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := func(*route.Exchange) { time.Sleep(250 * time.Millisecond) } // before it is sent
		got := logged(t, "log:x?groupSize=2", one, one, one, one, one)
		want := []string{
			`level=INFO msg="Received: 2 new messages, with total 2 so far. Last group took: 250 millis which is: 8 messages per second. average: 8" logger=x`,
			`level=INFO msg="Received: 2 new messages, with total 4 so far. Last group took: 500 millis which is: 4 messages per second. average: 5.33" logger=x`,
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("have\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestGroupInterval(t *testing.T) {
	for _, tt := range []struct {
		options string
		at      []int  // seconds at which there are exchanges
		want    string // the numbers of new ones in the lines
	}{
		{"groupInterval=10s", []int{0, 2, 52}, "2 1"},
		{"groupInterval=10s&groupDelay=1s", []int{0, 2, 3}, "1 2"},
		{"groupInterval=10s&groupActiveOnly=false", []int{0, 2, 52}, "2 0 0 0 0 1 0 0 0 0"},
	} {
		t.Run(tt.options, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				mock := new(routetest.Mock)
				routetest.Run(t, route.Config{
					Components: route.Components{"log": log.New(), "mock": mock},
					Logger:     slog.New(slog.NewTextHandler(&out, nil)),
				}, route.From("mock:in").To(route.URI("log:x?"+tt.options)))
				begun := time.Now()
				until := func(second int) { routetest.Advance(time.Until(begun.Add(time.Duration(second) * time.Second))) }
				for _, second := range tt.at {
					until(second)
					if err := mock.Send("in", 1); err != nil {
						t.Fatal(err)
					}
				}
				until(100)
				var got []string
				for line := range strings.Lines(out.String()) {
					_, n, _ := strings.Cut(line, "Received: ")
					n, _, _ = strings.Cut(n, " ")
					got = append(got, n)
				}
				if have := strings.Join(got, " "); have != tt.want {
					t.Errorf("have %q, want %q\n%s", have, tt.want, out.String())
				}
			})
		})
	}
}

func TestRefuses(t *testing.T) {
	for u, want := range map[route.URI]string{
		"log:":                                 `nothing after "log:"`,
		"log:a?showHeader=true":                `unknown option "showHeader" (did you mean showHeaders?)`,
		"log:a?level=loud":                     `option "level": want TRACE, DEBUG, INFO, WARN, ERROR or OFF, have "loud"`,
		"log:a?maxChars=-1":                    `option "maxChars": want 0 (no limit) or more, have -1`,
		"log:a?groupSize=0":                    `option "groupSize": want 1 or more, have 0`,
		"log:a?groupInterval=-1":               `option "groupInterval": want 1ms or more, have -1ms`,
		"log:a?groupInterval=1s&groupDelay=-1": `option "groupDelay": want 0 or more, have -1ms`,
		"log:a?groupSize=1&groupInterval=1s":   `options "groupSize" and "groupInterval" exclude each other`,
		"log:a?groupDelay=1s":                  `option "groupDelay" has a meaning with groupInterval only`,
		"log:a?groupSize=1&showHeaders=true":   `option "showHeaders" has no meaning where throughput is logged`,
		"log:a?plain=true&showBody=true":       `option "showBody" has no meaning with plain=true`,
	} {
		_, err := route.New(route.Config{Components: route.Components{"log": log.New(), "mock": new(routetest.Mock)}},
			route.From("mock:in").To(u))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", u, err, want)
		}
	}
}

func Example() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	addr, err := log.Config{Name: "orders", ShowHeaders: true}.URI().Parse()
	if err != nil {
		fmt.Println(err)
		return
	}
	ep, err := log.New().Endpoint(route.Env{Logger: logger}, addr)
	if err != nil {
		fmt.Println(err)
		return
	}
	ex := route.NewExchange("one espresso")
	defer ex.Release()
	ex.SetHeader("table", 4)
	fmt.Println(ep, ep.(route.Producer).Process(context.Background(), ex))
	// Output:
	// level=INFO msg="Exchange[Headers: {table=4}, BodyType: string, Body: one espresso]" logger=orders
	// log:orders?showHeaders=true <nil>
}
