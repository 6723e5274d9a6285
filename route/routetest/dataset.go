package routetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
)

// A DataSet is a load for tests: so many messages, each known by its index.
type DataSet struct {
	// Size is how many messages there are; 0 means 10.
	Size int

	// Body returns the body of the message with an index, from 0; nil means that the body is
	// the index. It may be called from many goroutines at once.
	Body func(index int) any

	// Headers returns more headers; nil means none.
	Headers func(index int) map[string]any
}

func (d *DataSet) size() int {
	if d.Size == 0 {
		return 10
	}
	return d.Size
}

func (d *DataSet) body(i int) any {
	if d.Body == nil {
		return i
	}
	return d.Body(i)
}

// DataSetIndex is the header that tells the index of a message.
var DataSetIndex = route.NewKey[int]("CamelDataSetIndex")

// DataSets is a component that sends the messages of a [DataSet] into the routes that are
// from "dataset:name", and compares what is sent to "dataset:name" with them:
//
//	sets := routetest.NewDataSets(map[string]routetest.DataSet{"orders": {Size: 1000}})
//	routetest.Run(t, route.Config{Components: route.Components{"dataset": sets, …}},
//		route.From("dataset:orders").To("seda:work"),
//		route.From("seda:work").To("dataset:orders"))
//	sets.Complete(t, time.Minute, "orders")
type DataSets struct {
	sets map[string]*dataSet
}

type dataSet struct {
	DataSet
	mu      sync.Mutex
	got     int
	wrong   []error
	changed chan struct{}
}

// NewDataSets returns a component with data sets.
func NewDataSets(sets map[string]DataSet) *DataSets {
	d := &DataSets{map[string]*dataSet{}}
	for name, set := range sets {
		d.sets[name] = &dataSet{DataSet: set, changed: make(chan struct{})}
	}
	return d
}

// DataSetConfig is everything a data set endpoint can be told.
type DataSetConfig struct {
	// Name is that of the data set.
	Name string `uri:".,required"`

	// ProduceDelay is how long the route that is from it waits between two messages; nil
	// means 3ms.
	ProduceDelay *time.Duration `uri:"produceDelay"`

	// InitialDelay is how long it waits before the first.
	InitialDelay time.Duration `uri:"initialDelay"`

	// ConsumeDelay is how long sending to it takes.
	ConsumeDelay time.Duration `uri:"consumeDelay"`

	// Index says what is made of the header [DataSetIndex] of what is sent to it: "" or
	// lenient compare what has one in any order, strict wants it, in the order of the set, off
	// compares in the order of arrival without it.
	Index string `uri:"dataSetIndex"`
}

// URI returns the address of the endpoint that c describes.
func (c DataSetConfig) URI() route.URI { return route.Encode("dataset", c) }

// Endpoint implements [route.Component].
func (d *DataSets) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	var c DataSetConfig
	if err := a.Decode(&c); err != nil {
		return nil, err
	}
	set := d.sets[c.Name]
	switch {
	case set == nil:
		return nil, fmt.Errorf("there is no data set %q", c.Name)
	case c.Index != "" && c.Index != "lenient" && c.Index != "strict" && c.Index != "off":
		return nil, fmt.Errorf(`option "dataSetIndex": want lenient, strict or off, have %q`, c.Index)
	case c.InitialDelay < 0 || c.ConsumeDelay < 0 || c.ProduceDelay != nil && *c.ProduceDelay < 0:
		return nil, errors.New("want delays that are not negative")
	}
	return dataSetEndpoint{a.Scheme, c, set}, nil
}

type dataSetEndpoint struct {
	scheme string
	config DataSetConfig
	set    *dataSet
}

func (e dataSetEndpoint) String() string { return route.Redact(e.scheme, e.config) }

// Consume implements [route.Consumer].
func (e dataSetEndpoint) Consume(ctx context.Context, next route.Processor) error {
	delay := 3 * time.Millisecond
	if e.config.ProduceDelay != nil {
		delay = *e.config.ProduceDelay
	}
	wait := e.config.InitialDelay
	for i := range e.set.size() {
		if !pause(ctx, wait) {
			return nil
		}
		wait = delay
		ex := route.NewExchange(e.set.body(i))
		DataSetIndex.Set(ex, i)
		if e.set.Headers != nil {
			for name, v := range e.set.Headers(i) {
				ex.SetHeader(name, v)
			}
		}
		_ = next.Process(ctx, ex) // the route has told it
		ex.Release()
	}
	return route.ErrDone
}

func pause(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Process implements [route.Producer].
func (e dataSetEndpoint) Process(ctx context.Context, ex *route.Exchange) error {
	if !pause(ctx, e.config.ConsumeDelay) {
		return context.Cause(ctx)
	}
	return e.set.compare(e.config.Index, ex)
}

// compare tells what is wrong with what arrived, and remembers it.
func (d *dataSet) compare(index string, ex *route.Exchange) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	arrived := d.got
	d.got++
	at, ok := DataSetIndex.Get(ex)
	switch {
	case index == "off" || !ok && index != "strict":
		at = arrived
	case !ok:
		err = fmt.Errorf("message %d: there is no header %q", arrived, DataSetIndex.Name())
	case index == "strict" && at != arrived:
		err = fmt.Errorf("message %d: want index %d, have %d", arrived, arrived, at)
	}
	if err == nil && (at < 0 || at >= d.size()) {
		err = fmt.Errorf("message %d: the data set has %d messages", at, d.size())
	}
	if err == nil {
		if want := d.body(at); !reflect.DeepEqual(ex.Body, want) {
			err = fmt.Errorf("message %d: want body %s, have %s", at, show(want), show(ex.Body))
		}
	}
	if err != nil && len(d.wrong) < maxShown {
		d.wrong = append(d.wrong, err)
	}
	close(d.changed)
	d.changed = make(chan struct{})
	return err
}

// Complete waits until all messages of a data set were sent to "dataset:" + name. It fails
// the test if they were not within a time, which is virtual in a synctest bubble, if there
// were more, or if one was not as it should be.
func (d *DataSets) Complete(t testing.TB, within time.Duration, name string) {
	t.Helper()
	set := d.sets[name]
	if set == nil {
		t.Errorf("there is no data set %q", name)
		return
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		set.mu.Lock()
		got, wrong, changed := set.got, errors.Join(set.wrong...), set.changed
		set.mu.Unlock()
		if got >= set.size() {
			if wrong != nil || got > set.size() {
				t.Errorf("dataset:%s: want %d messages, have %d: %v", name, set.size(), got, wrong)
			}
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			t.Errorf("dataset:%s: after %v: want %d messages, have %d: %v", name, within, set.size(), got, wrong)
			return
		}
	}
}
