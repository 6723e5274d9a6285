package routetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func silent(t *testing.T) *recorder { return &recorder{TB: t} }

func TestMoreExpectations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		routetest.Run(t, route.Config{Components: route.Components{"mock": mock}}, route.From("mock:in").To("mock:out").To("mock:some?retainFirst=2&retainLast=1"))
		for i, body := range []int{1, 2, 2, 5} {
			if err := mock.Send("in", body, route.WithHeader("i", i)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(i) * time.Second)
		}
		body := func(ex *route.Exchange) int { return ex.Body.(int) }
		is := func(n int) func(*route.Exchange) bool {
			return func(ex *route.Exchange) bool { return ex.Body == n }
		}
		mock.Check(t, "out", routetest.Ascending(body), routetest.Matches(is(1), is(2)), routetest.At(-1, routetest.Bodies(5), routetest.Header("i", 3)),
			routetest.ArrivesWithin(2*time.Second), routetest.NoDuplicates(func(ex *route.Exchange) any { return ex.Header("i") }))
		mock.Check(t, "some", routetest.Count(4), routetest.Bodies(1, 2, 5))
		if n := mock.Total("some"); n != 4 {
			t.Errorf("total %d", n)
		}
		for want, e := range map[string]routetest.Expectation{
			"exchange 1: want a value that is not more than int(1), have int(2)":     routetest.Descending(body),
			"exchange 2: want no duplicates, have int(2) of exchange 1 again":        routetest.NoDuplicates(body),
			"exchange 1 does not match":                                              routetest.Matches(is(1), is(1)),
			"want 5 exchanges that match, have 4":                                    routetest.Matches(is(1), is(2), is(2), is(5), is(6)),
			"of exchange 0 alone: exchange 0: want body int(2), have int(1)":         routetest.At(0, routetest.Bodies(2)),
			"want an exchange 4, have 4 of them":                                     routetest.At(4),
			"exchange 3: want it from 0s to 1s after the one before, have 2s":        routetest.ArrivesWithin(time.Second),
			"exchange 1: want it from 500ms to 1h0m0s after the one before, have 0s": routetest.ArrivesBetween(time.Second/2, time.Hour),
		} {
			r := silent(t)
			mock.Check(r, "out", e)
			if have := strings.Join(r.failures, "\n"); !strings.Contains(have, want) {
				t.Errorf("have %q, want %q", have, want)
			}
		}
	})
}

func TestRepliesInOrder(t *testing.T) {
	mock := new(routetest.Mock)
	routetest.Run(t, route.Config{Components: route.Components{"mock": mock}}, route.From("mock:in").To("mock:shop"))
	closed := errors.New("closed")
	mock.Reply("shop", routetest.ReplyBody("always"))
	mock.ReplyNext("shop", routetest.ReplyBody("first"), nil, routetest.ReplyError(closed), routetest.ReplyHeader("h", 1))
	var got []string
	for range 5 {
		ex, err := mock.Request("in", "b")
		got = append(got, fmt.Sprint(ex.Body, ex.Header("h"), errors.Is(err, closed)))
	}
	if want := "[first<nil> false b<nil> false b<nil> true b1 false always<nil> false]"; fmt.Sprint(got) != want {
		t.Errorf("have %v, want %v", got, want)
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var watch routetest.Watch
		mock := new(routetest.Mock)
		boom := errors.New("boom")
		routetest.Run(t, watch.Config(route.Config{Components: route.Components{"mock": mock}}),
			route.From("mock:in").ID("orders").Choice(
				route.When(func(ex *route.Exchange) bool { return ex.Body == "bad" }).Throw(boom),
				route.Otherwise().Delay(time.Second).To("mock:out?retainLast=1")))
		for _, body := range []string{"a", "bad", "b"} {
			go func() { _ = mock.Send("in", body) }()
		}
		begun := time.Now()
		watch.Until(t, time.Minute, routetest.Done(3).Exactly(), routetest.Completed(2).Route("orders"), routetest.Failed(1).From("orders").With(boom),
			routetest.SentTo("mock:o*", 2), routetest.Received(1).Body(func(body any) bool { return body == "bad" }))
		if took := time.Since(begun); took != time.Second {
			t.Errorf("took %v", took)
		}
		r := silent(t)
		watch.Until(r, time.Minute, routetest.Done(4), routetest.Done(2).Exactly(), routetest.SentTo("kafka:*", 1))
		want := "after 1m0s: done: want 4, have 3\ndone: want exactly 2, have 3\nsent to kafka:*: want 1, have 0"
		if have := strings.Join(r.failures, "\n"); have != want {
			t.Errorf("have %q, want %q", have, want)
		}
	})
}

func TestMockEndpointsAndStub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock, stub := new(routetest.Mock), new(routetest.Stub)
		mock.Reply("kafka:audit", routetest.ReplyBody("audited"))
		engine := routetest.Run(t, route.Config{
			Components: route.Components{"mock": mock, "kafka": stub},
			Routes:     route.Configuration{Intercept: []*route.Interceptor{mock.Endpoints("kafka:audit").Skip(), mock.Endpoints("kafka:o*")}},
		},
			route.From("mock:in").To("kafka:orders?brokers=nowhere:9092&password=secret").To("kafka:audit").To("mock:out"),
			route.From("kafka:orders?groupId=x").To("mock:taken"))
		if err := mock.Send("in", "a"); err != nil {
			t.Fatal(err)
		}
		mock.Eventually(t, time.Second, "taken", routetest.Bodies("a"))
		mock.Check(t, "out", routetest.Bodies("audited"))
		mock.Check(t, "kafka:audit", routetest.Bodies("a"))
		mock.Check(t, "kafka:orders", routetest.Bodies("a"))
		if n := len(stub.Got("orders")); n != 1 || len(stub.Got("audit")) != 0 {
			t.Errorf("stub got %d", n)
		}
		for i := range 1001 {
			err := engine.Send(t.Context(), "kafka:nobody", i)
			if (err != nil) != (i == 1000) {
				t.Fatalf("%d: %v", i, err)
			}
		}
		if _, err := route.New(route.Config{Components: route.Components{"stub": stub}}, route.From("stub:")); err == nil {
			t.Error("no error for a stub without a name")
		}
	})
}

func TestDataSets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sets := routetest.NewDataSets(map[string]routetest.DataSet{
			"orders": {Size: 100, Body: func(i int) any { return fmt.Sprint("order ", i) }, Headers: func(i int) map[string]any { return map[string]any{"h": i} }},
			"ten":    {}, "late": {}, "never": {}, "strict": {Size: 2},
		})
		mock := new(routetest.Mock)
		begun := time.Now()
		engine := routetest.Run(t, route.Config{Components: route.Components{"dataset": sets, "mock": mock}},
			route.From("dataset:orders?produceDelay=10").To("dataset:orders?dataSetIndex=strict").To("mock:orders"),
			route.From(routetest.DataSetConfig{Name: "ten", InitialDelay: time.Minute, ProduceDelay: new(time.Duration)}.URI()).To("dataset:ten?consumeDelay=1s"),
			route.From("dataset:late").SetBody("wrong").To("dataset:late"))
		sets.Complete(t, time.Minute, "orders")
		if took := time.Since(begun); took != 990*time.Millisecond {
			t.Errorf("took %v", took)
		}
		mock.Check(t, "orders", routetest.Count(100), routetest.At(99, routetest.Header("h", 99), routetest.Bodies("order 99")))
		sets.Complete(t, time.Hour, "ten")
		if took := time.Since(begun); took != 70*time.Second {
			t.Errorf("took %v", took)
		}
		r := silent(t)
		sets.Complete(r, time.Second, "late")
		sets.Complete(r, time.Second, "never")
		sets.Complete(r, time.Second, "none")
		have := strings.Join(r.failures, "\n")
		for _, want := range []string{`message 0: want body int(0), have "wrong"`, "dataset:never: after 1s: want 10 messages, have 0", `there is no data set "none"`} {
			if !strings.Contains(have, want) {
				t.Errorf("have %q, want %q", have, want)
			}
		}
		for _, body := range []int{1, 0, 5} {
			_ = engine.Send(context.Background(), "dataset:strict?dataSetIndex=strict", body, route.WithHeader("CamelDataSetIndex", body))
		}
		if err := engine.Send(context.Background(), "dataset:strict?dataSetIndex=strict", 1); err == nil {
			t.Error("no error without an index")
		}
		r = silent(t)
		sets.Complete(r, time.Second, "strict")
		if have := strings.Join(r.failures, "\n"); !strings.Contains(have, "want 2 messages, have 4") || !strings.Contains(have, "want index 0, have 1") {
			t.Errorf("have %q", have)
		}
		for _, u := range []route.URI{"dataset:none", "dataset:ten?dataSetIndex=some", "dataset:ten?consumeDelay=-1s", "dataset:"} {
			if _, err := route.New(route.Config{Components: route.Components{"dataset": sets}}, route.From(u)); err == nil {
				t.Errorf("%s: no error", u)
			}
		}
	})
}
