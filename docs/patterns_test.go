// Package docs_test runs what the documents show.
package docs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/log"
	"github.com/mehari-go/mehari/components/seda"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/dataformat/gzip"
	"github.com/mehari-go/mehari/dataformat/json"
	"github.com/mehari-go/mehari/dataformat/yaml"
	"github.com/mehari-go/mehari/language/jq"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// A page is where one pattern of patterns.md is tried.
type page struct {
	*testing.T
	*routetest.Mock
	config route.Config
	engine *route.Engine
}

func (p *page) run(routes ...*route.Route) {
	p.config.Components = route.Components{
		"direct": direct.New(), "log": log.New(), "mock": p.Mock, "seda": seda.New(), "timer": timer.New(),
	}
	p.engine = routetest.Run(p.T, p.config, routes...)
	synctest.Wait() // until all consumers take messages
}

// send sends bodies to direct:in; all of them have to succeed.
func (p *page) send(bodies ...any) {
	for _, body := range bodies {
		if err := p.engine.Send(context.Background(), "direct:in", body); err != nil {
			p.Errorf("%v: %v", body, err)
		}
	}
}

// with sends a body with a header.
func (p *page) with(header, value string, body any) {
	if err := p.engine.Send(context.Background(), "direct:in", body, route.WithHeader(header, value)); err != nil {
		p.Errorf("%v: %v", body, err)
	}
}

// ask sends a body and wants a reply.
func (p *page) ask(body, want any) {
	ex, err := p.engine.Request(context.Background(), "direct:in", body)
	if err != nil || fmt.Sprint(ex.Body) != fmt.Sprint(want) {
		p.Errorf("asked %v: %v, %v; want %v", body, ex, err, want)
	}
}

// want waits for bodies at mock:path, as text.
func (p *page) want(path string, want ...any) {
	synctest.Wait()
	p.Eventually(p.T, time.Minute, path, routetest.AtLeast(len(want)))
	var got []any
	for _, body := range p.Bodies(path) {
		got = append(got, fmt.Sprint(body))
	}
	if !slices.Equal(got, want) {
		p.Errorf("mock:%s: %q, want %q", path, got, want)
	}
}

type order struct {
	ID     string
	Amount int
}

var (
	kind    = route.NewKey[string]("kind")
	command = route.NewKey[string]("command")
	format  = route.NewKey[string]("Content-Type")
	errBusy = errors.New("busy")
)

func isGold(ex *route.Exchange) bool { return ex.Header("kind") == "gold" }

func big(o order) bool { return o.Amount > 100 }

func price(_ context.Context, o order) (int, error) { return o.Amount * 2, nil }

// failsTwice is a step that is busy at first.
func failsTwice() route.ProcessorFunc {
	n := 0
	return func(context.Context, *route.Exchange) error {
		if n++; n <= 2 {
			return errBusy
		}
		return nil
	}
}

func busy(context.Context, *route.Exchange) error { return errBusy }

// A pattern has the heading that it has in patterns.md, where its code stands, too.
type pattern struct {
	heading string
	try     func(*page)
}

func TestPatterns(t *testing.T) {
	for _, p := range patterns {
		t.Run(p.heading, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { p.try(&page{T: t, Mock: new(routetest.Mock)}) })
		})
	}
}

// What patterns.md shows is what the tests run, in the same order.
func TestPatternsAreThoseOfTheDocument(t *testing.T) {
	document, source := read(t, "patterns.md"), read(t, "patterns_test.go")
	intro, _, _ := strings.Cut(document, "\n## ")
	for declaration := range strings.SplitSeq(strings.Split(intro, "```")[1], "\n\n") {
		if code := strings.TrimPrefix(declaration, "go\n"); !strings.Contains(flat(source), flat(code)) {
			t.Errorf("what is declared is not what is used:\n%s", code)
		}
	}
	var headings []string
	for _, h := range regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(document, -1) {
		headings = append(headings, h[1])
	}
	var tried []string
	for _, p := range patterns {
		tried = append(tried, p.heading)
	}
	if !slices.Equal(headings, tried) {
		t.Fatalf("headings of patterns.md:\n%q\nwhat is tried:\n%q", headings, tried)
	}
	for i, section := range strings.Split(document, "\n### ")[1:] {
		parts := strings.Split(section, "```")
		if len(parts) < 3 {
			t.Errorf("%s shows no code", headings[i])
			continue
		}
		begin := strings.Index(source, fmt.Sprintf("{%q,", headings[i]))
		if begin < 0 {
			t.Fatalf("%s is not tried", headings[i])
		}
		try := source[begin:]
		if end := strings.Index(try, "\n\t}},"); end >= 0 {
			try = try[:end]
		}
		code, ok := strings.CutPrefix(parts[1], "go\n")
		if !ok || !strings.Contains(flat(try), flat(code)) {
			t.Errorf("%s: what is shown is not what is tried:\n%s", headings[i], code)
		}
		if lines := strings.Count(code, "\n"); lines > 10 {
			t.Errorf("%s: %d lines of code, want 10 at most", headings[i], lines)
		}
	}
}

// flat is code without regard to its layout.
func flat(code string) string {
	code = regexp.MustCompile(`\bp\.`).ReplaceAllString(code, "") // of the page
	return strings.Join(strings.Fields(strings.ReplaceAll(code, ",\n", "\n")), "")
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var patterns = []pattern{
	{"Message Channel", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:orders"),
			route.From("seda:orders").To("mock:out"))
		p.send("a", "b")
		p.want("out", "a", "b")
	}},
	{"Message", func(p *page) {
		p.run(route.From("direct:in").
			SetBody("Hello").SetHeader("kind", "greeting").SetProperty("seen", true).
			Log("${body} is a ${header.kind}").To("mock:out"))
		p.send(nil)
		p.want("out", "Hello")
	}},
	{"Pipes and Filters", func(p *page) {
		p.run(route.From("direct:in").
			Transform(route.Simple("<${body}>")).
			Transform(route.Simple("${body}!")).
			To("mock:out"))
		p.send("a")
		p.want("out", "<a>!")
	}},
	{"Message Router", func(p *page) {
		p.run(route.From("direct:in").Choice(
			route.When(isGold).To("mock:gold"),
			route.Otherwise().To("mock:others")))
		p.with("kind", "gold", "a")
		p.send("b")
		p.want("gold", "a")
		p.want("others", "b")
	}},
	{"Message Translator", func(p *page) {
		p.run(route.From("direct:in").
			Unmarshal(json.Format{}).
			Transform(jq.Expr(".name")).
			To("mock:out"))
		p.send(`{"name": "Ada"}`)
		p.want("out", "Ada")
	}},
	{"Message Endpoint", func(p *page) {
		p.run(route.From("timer:tick?period=1s&repeatCount=2").
			SetBody("tick").To("mock:out"))
		p.want("out", "tick", "tick")
	}},
	{"Point-to-Point Channel", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:work?size=100"),
			route.From("seda:work?concurrentConsumers=4").To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Publish-Subscribe Channel", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:news?multipleConsumers=true"),
			route.From("seda:news?multipleConsumers=true").To("mock:paper"),
			route.From("seda:news?multipleConsumers=true").To("mock:radio"))
		p.send("a")
		p.want("paper", "a")
		p.want("radio", "a")
	}},
	{"Datatype Channel", func(p *page) {
		p.run(route.From("direct:in").
			ConvertBodyTo(reflect.TypeFor[order]()).
			To("mock:orders"))
		p.send(`{"ID": "a", "Amount": 1}`)
		p.want("orders", "{a 1}")
		if err := p.engine.Send(p.Context(), "direct:in", "no order"); err == nil {
			p.Error("no error")
		}
	}},
	{"Invalid Message Channel", func(p *page) {
		p.run(route.From("direct:in").
			OnError(route.OnError[*route.StepError]().Handled().UseOriginalMessage().To("mock:invalid")).
			Step(route.Unmarshal[order](json.Format{})).To("mock:orders"))
		p.send("no order")
		p.want("invalid", "no order")
	}},
	{"Dead Letter Channel", func(p *page) {
		p.run(route.From("direct:in").
			ErrorHandler(route.ErrorHandler{
				DeadLetter: "mock:dead",
				Redelivery: route.Redelivery{Maximum: 3, Delay: time.Second, Exponential: true},
			}).
			Process(busy))
		p.send("a")
		p.want("dead", "a")
	}},
	{"Guaranteed Delivery", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:work?waitForTaskToComplete=Always"),
			route.From("seda:work").Process(busy))
		if err := p.engine.Send(p.Context(), "direct:in", "a"); !errors.Is(err, errBusy) {
			p.Error(err)
		}
	}},
	{"Channel Adapter", func(p *page) {
		p.run(route.From("direct:in").To("mock:out"))
		ctx, mux := p.Context(), http.NewServeMux()
		mux.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) {
			if err := p.engine.Send(ctx, "direct:in", r.FormValue("order")); err != nil {
				http.Error(w, "come again", http.StatusServiceUnavailable)
			}
		})
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/orders?order=a", nil))
		if w.Code != http.StatusOK {
			p.Error(w.Code)
		}
		p.want("out", "a")
	}},
	{"Messaging Bridge", func(p *page) {
		p.run(
			route.From("seda:here").To("seda:there"),
			route.From("seda:there").To("mock:out"))
		_ = p.engine.Send(p.Context(), "seda:here", "a")
		p.want("out", "a")
	}},
	{"Command Message", func(p *page) {
		p.run(route.From("direct:in").Choice(
			route.When(route.Is(command, "open")).To("mock:open"),
			route.When(route.Is(command, "close")).To("mock:close"),
			route.Otherwise().ThrowText("unknown command ${header.command}")))
		p.with("command", "open", "door")
		p.want("open", "door")
	}},
	{"Document Message", func(p *page) {
		p.run(route.From("direct:in").Process(route.Map(price)).To("mock:out"))
		p.send(order{ID: "a", Amount: 1})
		p.want("out", "2")
	}},
	{"Event Message", func(p *page) {
		p.run(route.From("direct:in").
			WireTap("mock:audit").To("mock:out"))
		err := p.engine.Send(p.Context(), "direct:in", "sold") // nobody waits for a reply
		if err != nil {
			p.Error(err)
		}
		p.want("audit", "sold")
	}},
	{"Request-Reply", func(p *page) {
		p.run(route.From("direct:in").Transform(route.Simple("Hello ${body}")))
		ctx := p.Context()
		reply, err := p.engine.Request(ctx, "direct:in", "Ada")
		if err != nil || reply.Body != "Hello Ada" {
			p.Errorf("%v, %v", reply, err)
		}
	}},
	{"Return Address", func(p *page) {
		p.run(route.From("direct:in").
			Transform(route.Simple("Hello ${body}")).
			ToD("${header.replyTo}", route.DynamicOptions{AllowedSchemes: []string{"mock"}}))
		p.with("replyTo", "mock:ada", "Ada")
		p.want("ada", "Hello Ada")
	}},
	{"Correlation Identifier", func(p *page) {
		p.run(route.From("direct:in").
			SetHeader("correlation", route.Simple("${exchangeId}")).
			Multicast(route.Do().To("direct:join"), route.Do().To("direct:join")),
			route.From("direct:join").
				Aggregate(route.Simple("${header.correlation}"), route.Collect, route.Do().To("mock:out"), route.AggregateOptions{Size: 2}))
		p.send("a", "b")
		p.want("out", "[a a]", "[b b]")
	}},
	{"Message Sequence", func(p *page) {
		p.run(route.From("direct:in").
			Split(route.Tokenize(","), route.Do().
				SetHeader("number", route.SplitIndex).SetHeader("last", route.SplitComplete).
				Transform(route.Simple("${header.number} ${header.last} ${body}")).To("mock:out")))
		p.send("a,b")
		p.want("out", "0 false a", "1 true b")
	}},
	{"Message Expiration", func(p *page) {
		expires := route.NewKey[time.Time]("expires")
		p.run(route.From("direct:in").
			Filter(func(ex *route.Exchange) bool { t, ok := expires.Get(ex); return !ok || time.Now().Before(t) }).
			To("mock:out"))
		err := p.engine.Send(p.Context(), "direct:in", "old", route.WithHeader("expires", time.Now().Add(-time.Second)))
		if err != nil {
			p.Error(err)
		}
		p.send("new")
		p.want("out", "new")
	}},
	{"Format Indicator", func(p *page) {
		p.run(route.From("direct:in").Choice(
			route.When(route.Is(format, "application/json")).Unmarshal(json.Format{}),
			route.When(route.Is(format, "application/yaml")).Unmarshal(yaml.Format{})).
			Transform(route.Simple("${body.id}")).To("mock:out"))
		p.with("Content-Type", "application/json", `{"id": "7"}`)
		p.with("Content-Type", "application/yaml", "id: 8")
		p.want("out", "7", "8")
	}},
	{"Content-Based Router", func(p *page) {
		p.run(route.From("direct:in").Choice(
			route.When(route.Is(kind, "gold")).To("mock:gold"),
			route.When(route.Simple("${header.kind} in 'silver,bronze'")).To("mock:metal"),
			route.Otherwise().To("mock:others")))
		p.with("kind", "gold", "a")
		p.with("kind", "bronze", "b")
		p.want("gold", "a")
		p.want("metal", "b")
	}},
	{"Message Filter", func(p *page) {
		p.run(route.From("direct:in").Filter(route.Where(big)).To("mock:out"))
		p.send(order{"a", 500}, order{"b", 5})
		p.want("out", "{a 500}")
	}},
	{"Dynamic Router", func(p *page) {
		next := func(ex *route.Exchange) any {
			if ex.Property("CamelSlipEndpoint") == nil {
				return "mock:first"
			}
			return nil
		}
		p.run(route.From("direct:in").DynamicRouter(next))
		p.send("a")
		p.want("first", "a")
	}},
	{"Recipient List", func(p *page) {
		p.run(route.From("direct:in").
			RecipientList(route.Simple("${header.to}"), route.RecipientOptions{AllowedSchemes: []string{"mock"}}))
		p.with("to", "mock:a, mock:b", "x")
		p.want("a", "x")
		p.want("b", "x")
	}},
	{"Splitter", func(p *page) {
		p.run(route.From("direct:in").
			Split(route.Tokenize(","), route.Do().To("mock:parts")).
			To("mock:whole"))
		p.send("a,b")
		p.want("parts", "a", "b")
		p.want("whole", "a,b")
	}},
	{"Aggregator", func(p *page) {
		p.run(route.From("direct:in").
			Aggregate(kind, route.Collect, route.Do().To("mock:groups"),
				route.AggregateOptions{Size: 2, Timeout: time.Minute}))
		for _, body := range []any{"a", "b", "c"} {
			p.with("kind", "gold", body)
		}
		p.want("groups", "[a b]")
		time.Sleep(time.Minute)
		p.want("groups", "[a b]", "[c]")
	}},
	{"Resequencer", func(p *page) {
		p.run(route.From("direct:in").
			Resequence(route.Simple("${body}"), route.Do().To("mock:out"),
				route.ResequenceOptions{BatchSize: 3}))
		p.send("c", "a", "b")
		p.want("out", "a", "b", "c")
	}},
	{"Composed Message Processor", func(p *page) {
		p.run(route.From("direct:in").
			Split(route.Tokenize(","), route.Do().Transform(route.Simple("<${body}>")),
				route.SplitOptions{FanOut: route.FanOut{Parallel: 4, Merge: route.JoinText("+")}}).
			To("mock:out"))
		p.send("a,b")
		p.want("out", "<a>+<b>")
	}},
	{"Scatter-Gather", func(p *page) {
		p.run(route.From("direct:in").
			MulticastWith(route.FanOut{Parallel: 2, Timeout: time.Second, Merge: route.Collect},
				route.Do().SetBody("offer 1"),
				route.Do().SetBody("offer 2")).
			To("mock:out"))
		p.send("a")
		p.want("out", "[offer 1 offer 2]")
	}},
	{"Routing Slip", func(p *page) {
		p.run(route.From("direct:in").RoutingSlip(route.Simple("${header.slip}")))
		p.with("slip", "mock:a,mock:b", "x")
		p.want("a", "x")
		p.want("b", "x")
	}},
	{"Process Manager", func(p *page) {
		p.run(
			route.From("direct:in").Saga(route.Do().To("direct:book").Throw(errBusy)),
			route.From("direct:book").Saga(route.Do().To("mock:book"), route.SagaOptions{Compensation: "mock:cancel"}))
		if err := p.engine.Send(p.Context(), "direct:in", "a"); !errors.Is(err, errBusy) {
			p.Error(err)
		}
		p.want("book", "a")
		p.Eventually(p.T, time.Minute, "cancel", routetest.Count(1))
	}},
	{"Message Broker", func(p *page) {
		p.run(route.From("direct:in").
			ToD("mock:${header.kind}", route.DynamicOptions{AllowedSchemes: []string{"mock"}}))
		p.with("kind", "gold", "a")
		p.want("gold", "a")
	}},
	{"Throttler", func(p *page) {
		p.run(route.From("direct:in").
			Throttle(2, route.ThrottleOptions{By: kind}).
			To("mock:out"))
		for _, body := range []any{"a", "b", "c"} {
			p.with("kind", "gold", body)
		}
		p.want("out", "a", "b", "c")
	}},
	{"Sampling", func(p *page) {
		p.run(route.From("direct:in").Sample(route.SampleOptions{Every: 2}).To("mock:out"))
		p.send("a", "b", "c", "d")
		p.want("out", "b", "d")
	}},
	{"Delayer", func(p *page) {
		p.run(route.From("direct:in").Delay(time.Second).To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Load Balancer", func(p *page) {
		p.run(route.From("direct:in").LoadBalance(route.RoundRobin(),
			route.Do().To("mock:a"),
			route.Do().To("mock:b")))
		p.send("1", "2", "3")
		p.want("a", "1", "3")
		p.want("b", "2")
	}},
	{"Multicast", func(p *page) {
		p.run(route.From("direct:in").Multicast(
			route.Do().To("mock:a"),
			route.Do().To("mock:b")))
		p.send("x")
		p.want("a", "x")
		p.want("b", "x")
	}},
	{"Loop", func(p *page) {
		p.run(route.From("direct:in").
			Loop(3, route.Do().Transform(route.Simple("${body}.")).To("mock:turn")))
		p.send("a")
		p.want("turn", "a.", "a..", "a...")
	}},
	{"Circuit Breaker", func(p *page) {
		p.run(route.From("direct:in").CircuitBreaker(
			route.Do().To("mock:shop").Process(busy),
			route.Do().SetBody("yesterday's price"),
			route.CircuitBreakerOptions{Config: route.BreakerConfig{SlidingWindowSize: 2}}).
			To("mock:out"))
		p.send("a", "b", "c")
		p.want("shop", "a", "b")
		p.want("out", "yesterday's price", "yesterday's price", "yesterday's price")
	}},
	{"Envelope Wrapper", func(p *page) {
		p.run(
			route.From("direct:in").Marshal(gzip.Format{}).To("direct:wire"),
			route.From("direct:wire").Step(route.Unmarshal[string](gzip.Format{})).To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Content Enricher", func(p *page) {
		p.run(
			route.From("direct:in").
				Enrich("direct:rates", route.EnrichOptions{Merge: route.Fold(func(_ context.Context, amount, rate int) (int, error) {
					return amount * rate, nil
				})}).
				To("mock:out"),
			route.From("direct:rates").SetBody(2))
		p.send(21)
		p.want("out", "42")
	}},
	{"Content Filter", func(p *page) {
		p.run(route.From("direct:in").
			RemoveHeaders("*", "kind").
			Transform(jq.Expr("{name}")).
			To("mock:out"))
		p.with("secret", "x", map[string]any{"name": "Ada", "password": "x"})
		p.want("out", "map[name:Ada]")
	}},
	{"Claim Check", func(p *page) {
		p.run(route.From("direct:in").
			ClaimCheck(route.ClaimPush, nil).SetBody("light").To("mock:light").
			ClaimCheck(route.ClaimPop, nil).To("mock:out"))
		p.send("heavy")
		p.want("light", "light")
		p.want("out", "heavy")
	}},
	{"Normalizer", func(p *page) {
		p.run(
			route.From("direct:in").Choice(
				route.When(route.Is(kind, "csv")).Transform(route.Simple("${substringBefore(';')}")),
				route.Otherwise().Unmarshal(json.Format{}).Transform(jq.Expr(".id"))).
				To("mock:out"))
		p.with("kind", "csv", "7;x")
		p.send(`{"id": "8"}`)
		p.want("out", "7", "8")
	}},
	{"Canonical Data Model", func(p *page) {
		p.run(
			route.From("direct:in").Step(route.Unmarshal[order](json.Format{})).To("direct:orders"),
			route.From("direct:orders").Process(route.Map(price)).To("mock:out"))
		p.send(`{"Amount": 4}`)
		p.want("out", "8")
	}},
	{"Sort", func(p *page) {
		p.run(route.From("direct:in").Sort(route.Simple("${body}")).To("mock:out"))
		p.send([]any{3, 1, 2})
		p.want("out", "[1 2 3]")
	}},
	{"Validate", func(p *page) {
		p.run(route.From("direct:in").
			OnError(route.OnError[*route.ValidationError]().Handled().To("mock:invalid")).
			Validate(route.Simple("${body} != ''")).To("mock:out"))
		p.send("", "a")
		p.want("invalid", "")
		p.want("out", "a")
	}},
	{"Messaging Mapper", func(p *page) {
		p.run(route.From("direct:in").
			Step(route.Unmarshal[order](json.Format{})). // the body is an order
			Process(route.Map(price)).                   // func(context.Context, order) (int, error)
			To("mock:out"))
		p.send(`{"ID": "a", "Amount": 21}`)
		p.want("out", "42")
	}},
	{"Polling Consumer", func(p *page) {
		p.run(route.From("direct:in").
			Poll("seda:work", route.PollOptions{Timeout: time.Second}).
			To("mock:out"))
		_ = p.engine.Send(p.Context(), "seda:work", "a")
		p.send(nil)
		p.want("out", "a")
	}},
	{"Event-Driven Consumer", func(p *page) {
		p.run(route.From("seda:work").To("mock:out"))
		_ = p.engine.Send(p.Context(), "seda:work", "a")
		p.want("out", "a")
	}},
	{"Competing Consumers", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:work"),
			route.From("seda:work?concurrentConsumers=5").To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Message Dispatcher", func(p *page) {
		p.run(route.From("direct:in").LoadBalance(route.Sticky(kind),
			route.Do().To("mock:a"),
			route.Do().To("mock:b")))
		p.with("kind", "gold", 1)
		p.with("kind", "gold", 2)
		if a, b := p.Total("a"), p.Total("b"); a*b != 0 || a+b != 2 {
			p.Errorf("%d, %d", a, b)
		}
	}},
	{"Selective Consumer", func(p *page) {
		p.run(route.From("direct:in").Filter(isGold, route.Do().To("mock:gold")).To("mock:all"))
		p.with("kind", "gold", "a")
		p.send("b")
		p.want("gold", "a")
		p.want("all", "a", "b")
	}},
	{"Durable Subscriber", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:news"),
			route.From("seda:news").ID("reader").To("mock:out"))
		ctx := p.Context()
		_ = p.engine.Stop(ctx, "reader")
		p.send("while it was away")
		_ = p.engine.Start("reader")
		p.want("out", "while it was away")
	}},
	{"Idempotent Consumer", func(p *page) {
		p.run(route.From("direct:in").
			IdempotentConsumer(route.Simple("${header.id}"), new(route.IdempotentMemory), route.Do().
				To("mock:out")))
		p.with("id", "1", "a")
		p.with("id", "1", "a again")
		p.with("id", "2", "b")
		p.want("out", "a", "b")
	}},
	{"Messaging Gateway", func(p *page) {
		p.run(route.From("direct:in").Process(route.Map(price)))
		ask := func(ctx context.Context, o order) (int, error) {
			reply, err := p.engine.Request(ctx, "direct:in", o)
			if err != nil {
				return 0, err
			}
			return route.BodyAs[int](reply)
		}
		if n, err := ask(p.Context(), order{"a", 21}); n != 42 || err != nil {
			p.Errorf("%v, %v", n, err)
		}
	}},
	{"Service Activator", func(p *page) {
		p.run(route.From("direct:in").Process(route.Map(price)).To("mock:out"))
		p.send(order{"a", 1})
		p.want("out", "2")
	}},
	{"Control Bus", func(p *page) {
		p.run(route.From("direct:in").ID("orders").To("mock:out"))
		ctx := p.Context()
		err := errors.Join(
			p.engine.Suspend(ctx, "orders"),
			p.engine.Resume("orders"))
		status, _ := p.engine.Status().Route("orders")
		if err != nil || status.State != route.Started {
			p.Errorf("%v, %v", status.State, err)
		}
		p.send("a")
		p.want("out", "a")
	}},
	{"Detour", func(p *page) {
		var checked bool
		p.run(route.From("direct:in").
			Filter(func(*route.Exchange) bool { return checked }, route.Do().To("mock:check")).
			To("mock:out"))
		p.send("a")
		checked = true
		p.send("b")
		p.want("check", "b")
		p.want("out", "a", "b")
	}},
	{"Wire Tap", func(p *page) {
		p.run(route.From("direct:in").WireTap("mock:tap").SetBody("x").To("mock:out"))
		p.send("a")
		p.want("tap", "a")
		p.want("out", "x")
	}},
	{"Message History", func(p *page) {
		var history []string
		p.run(route.From("direct:in").
			Intercept(route.Intercept().Process(func(_ context.Context, ex *route.Exchange) error {
				step, _ := route.InterceptedStep.Get(ex)
				history = append(history, step)
				return nil
			})).
			SetBody("x").To("mock:out"))
		p.send("a")
		if !slices.Equal(history, []string{"set body", `to "mock:out"`}) {
			p.Errorf("%q", history)
		}
	}},
	{"Message Store", func(p *page) {
		p.run(route.From("direct:in").
			OnCompletion(route.OnCompletion().UseOriginalMessage().To("mock:store")).
			SetBody("x").To("mock:out"))
		p.send("a")
		p.want("store", "a")
	}},
	{"Smart Proxy", func(p *page) {
		p.run(route.From("direct:in").
			SetVariable("asker", route.Simple("${header.replyTo}")).
			SetHeader("replyTo", "direct:me").To("mock:service").
			ToD("${variable.asker}", route.DynamicOptions{AllowedSchemes: []string{"mock"}}))
		p.with("replyTo", "mock:ada", "a")
		p.want("ada", "a")
	}},
	{"Test Message", func(p *page) {
		p.run(
			route.From("timer:probe?period=1m&repeatCount=1").SetBody(order{"probe", 1}).
				Enrich("direct:price").Validate(route.Simple("${body} == 2")).To("mock:healthy"),
			route.From("direct:price").Process(route.Map(price)))
		p.want("healthy", "2")
	}},
	{"Channel Purger", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:work"),
			route.From("seda:work?purgeWhenStopping=true").ID("worker").Delay(time.Minute, route.DelayOptions{Blocking: true}).To("mock:out"))
		p.send("a", "b")
		synctest.Wait() // until a is taken
		if err := p.engine.Stop(p.Context(), "worker"); err == nil {
			p.Error("a is given up after the drain time, b thrown away")
		}
		_ = p.engine.Start("worker")
		p.want("out")
	}},
	{"Log", func(p *page) {
		p.run(route.From("direct:in").
			Log("got ${body}").
			To("log:orders?showHeaders=true"))
		p.send("a")
	}},
	{"Step", func(p *page) {
		p.run(route.From("direct:in").
			Named("prepare", route.Do().SetHeader("a", 1).SetHeader("b", 2)).
			To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Threads", func(p *page) {
		p.run(route.From("direct:in").
			Threads(route.Do().To("mock:out"), route.ThreadsOptions{Size: 5}))
		p.send("a")
		p.want("out", "a")
	}},
	{"Transactional Client", func(p *page) {
		var done []string
		db := ledger{&done}
		p.run(route.From("direct:in").
			Transacted(db, route.Do().To("mock:insert").Validate(route.Simple("${body} == 'a'"))))
		p.send("a")
		if err := p.engine.Send(p.Context(), "direct:in", "b"); err == nil {
			p.Error("no error")
		}
		if !slices.Equal(done, []string{"commit", "rollback"}) {
			p.Errorf("%q", done)
		}
	}},
	{"Redelivery", func(p *page) {
		p.run(route.From("direct:in").
			OnError(route.OnErrorIs(errBusy).Redeliver(route.Redelivery{Maximum: 5, DelayPattern: "1:100;3:5s"})).
			Process(failsTwice()).To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Error Clauses", func(p *page) {
		p.run(route.From("direct:in").
			OnError(
				route.OnErrorIs(errBusy).Handled().SetBody(route.Simple("sorry: ${exception.message}")),
				route.OnError[error]().To("mock:failed")).
			Process(busy))
		p.ask("a", "sorry: busy")
	}},
	{"Try, Catch, Finally", func(p *page) {
		p.run(route.From("direct:in").Try(
			route.Do().Process(busy),
			route.Catch[error]().SetBody("caught"),
			route.Finally().To("mock:always")).
			To("mock:out"))
		p.send("a")
		p.want("always", "caught")
		p.want("out", "caught")
	}},
	{"On Completion", func(p *page) {
		p.run(route.From("direct:in").
			OnCompletion(route.OnCompletion().OnFailure().To("mock:failed")).
			Process(busy))
		_ = p.engine.Send(p.Context(), "direct:in", "a")
		p.want("failed", "a")
	}},
	{"Intercept", func(p *page) {
		p.config.Routes.Intercept = []*route.Interceptor{
			route.InterceptFrom("direct:*").SetHeader("traced", true),
			route.InterceptSendTo("mock:real").Skip().After("mock:instead"),
		}
		p.run(route.From("direct:in").To("mock:real"))
		p.send("a")
		p.want("real")
		p.want("instead", "a")
	}},
	{"Route Configuration", func(p *page) {
		shared := &route.Configuration{
			ErrorHandler: &route.ErrorHandler{DeadLetter: "mock:dead"},
			OnError:      []*route.ErrorClause{route.OnErrorIs(context.Canceled).Handled()},
		}
		p.run(route.From("direct:in").Use(shared).Process(busy))
		p.send("a")
		p.want("dead", "a")
	}},
	{"Route Policy", func(p *page) {
		var done int
		p.run(route.From("direct:in").Policy(route.Policy{
			Done: func(context.Context, *route.Exchange, error) { done++ },
		}))
		p.send("a", "b")
		if done != 2 {
			p.Error(done)
		}
	}},
	{"Route Template", func(p *page) {
		greet := route.From("direct:{{from}}").Transform(route.Simple("{{greeting:Hello}} ${body}"))
		p.run(
			greet.Instance("english", map[string]string{"from": "in"}),
			greet.Instance("german", map[string]string{"from": "de", "greeting": "Hallo"}))
		p.ask("Ada", "Hello Ada")
	}},
	{"Variables", func(p *page) {
		p.run(route.From("direct:in").
			SetVariable("whole", route.Simple("${body}")).
			SetBody("x").To("mock:x").
			SetBody(route.NewVariable[string]("whole")).To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
}

// A ledger is a transaction that says what became of it.
type ledger struct{ done *[]string }

func (l ledger) Begin(context.Context) (route.Tx, error) { return l, nil }
func (l ledger) Commit() error                           { *l.done = append(*l.done, "commit"); return nil }

func (l ledger) Rollback() error { *l.done = append(*l.done, "rollback"); return nil }
