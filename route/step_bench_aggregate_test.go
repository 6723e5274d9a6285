package route_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
)

var aggregateSteps = []benchStep{
	{"Aggregate", 0, func(r *route.Route) {
		r.Aggregate(kind, route.UseLatest, route.Do().Process(nop), route.AggregateOptions{Size: 100})
	}},
	{"AggregateTimeout", 0, func(r *route.Route) {
		r.Aggregate(kind, route.UseOriginal, route.Do().Process(nop), route.AggregateOptions{Timeout: time.Hour})
	}},
	{"Resequence", 0, func(r *route.Route) {
		r.Resequence(func(*route.Exchange) any { return 7 }, route.Do().Process(nop), route.ResequenceOptions{AllowDuplicates: true})
	}},
	{"ResequenceStream", 0, func(r *route.Route) {
		n, numbers := 0, make([]any, 2000) // more than may wait, so that none is there twice
		for i := range numbers {
			numbers[i] = i
		}
		r.ResequenceStream(func(*route.Exchange) any { n++; return numbers[n%len(numbers)] }, route.Do().Process(nop), route.StreamOptions{Timeout: time.Millisecond})
	}},
}

// BenchmarkOpenGroups tells what a million open groups need in memory, beyond their keys'
// and headers' own text, and how long one takes to be added to.
func BenchmarkOpenGroups(b *testing.B) {
	const groups = 1_000_000
	key := route.NewKey[string]("order")
	ctx, next := consumerOf(b, route.Config{Components: route.Components{}},
		route.From("in:x").Aggregate(key, route.UseLatest, route.Do().Process(nop), route.AggregateOptions{Timeout: time.Hour}))
	keys := make([]string, groups)
	for i := range keys {
		keys[i] = fmt.Sprintf("order-%010d", i)
	}
	body := new(string)
	send := func(i int) {
		ex := route.NewExchange(body)
		key.Set(ex, keys[i])
		if err := next.Process(ctx, ex); err != nil {
			b.Fatal(err)
		}
		ex.Release()
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range groups {
		send(i)
	}
	used := heap() - before
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % groups
		send(i)
	}
	b.ReportMetric(float64(used)/groups, "bytes/key")
	runtime.KeepAlive(keys)
}
