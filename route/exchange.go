package route

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"iter"
	"strconv"
	"sync"
	"sync/atomic"
)

// An Exchange is one message on its way through a route: a body, headers that travel
// with it, properties, which are facts about its way that never leave the process, and
// variables, in which routes keep what they need again later.
//
// An exchange belongs to one goroutine at a time. The consumer that made it releases
// it when the route has returned; whoever keeps it longer, or works on it in another
// goroutine, takes a [Exchange.Clone].
type Exchange struct {
	_ noCopy

	// Body is the content. It may be any value; nil is an empty body.
	Body any

	at      *running // where it is now, nil outside of routes
	from    *running // where it began
	flight  *flight
	worker  Worker
	cares   *care
	hint    *flight // the one it had last, which is likely free
	id      exchangeID
	stopped bool
	reply   bool
	quiet   bool // who sent it tells its failure
	poison  bool
	free    bool
	inside  bool // of the call that its onDone waits for
	onDone  []doneCall
	claims  claims

	headers    fields // the last ones, because they take the most room
	properties fields
	variables  *fields   // nil until there is one
	original   *Exchange // the message as it came, where someone may want it
}

// fields returns the named values that are kept in a store.
func (ex *Exchange) fields(in store) *fields {
	ex.guard()
	switch in {
	case inHeaders:
		return &ex.headers
	case inProperties:
		return &ex.properties
	}
	if ex.variables == nil {
		ex.variables = new(fields)
	}
	return ex.variables
}

var exchanges = sync.Pool{New: func() any { return new(Exchange) }}

// NewExchange returns an exchange that carries body. It comes from a pool: a consumer
// gives it back with [Exchange.Release] once the route has returned.
func NewExchange(body any) *Exchange {
	ex := exchanges.Get().(*Exchange)
	ex.free = false
	ex.Body = body
	return ex
}

// NewRequest returns an exchange like [NewExchange], for a consumer that will answer
// its client with what the route leaves in the exchange.
func NewRequest(body any) *Exchange {
	ex := NewExchange(body)
	ex.reply = true
	return ex
}

// Release gives the exchange back for reuse. Only the owner may call it, once, and
// nobody may touch the exchange afterwards.
func (ex *Exchange) Release() {
	if ex.free {
		panic("route: exchange released twice")
	}
	ex.free = true
	if ex.poison {
		ex.Body = Released{}
		return // never reused, so that a late look at it is seen
	}
	ex.forget()
	exchanges.Put(ex)
}

// Renew is [Exchange.Release] and [NewExchange] in one, for a consumer that takes one
// message after the other: it spares the way through the pool.
func (ex *Exchange) Renew(body any) *Exchange {
	if ex.poison || ex.free {
		ex.Release()
		return NewExchange(body)
	}
	ex.forget()
	ex.Body = body
	return ex
}

// forget empties the exchange.
func (ex *Exchange) forget() {
	ex.Body = nil
	ex.headers.reset()
	ex.properties.reset()
	if ex.variables != nil {
		ex.variables.reset()
	}
	if ex.original != nil {
		ex.original.Release()
		ex.original = nil
	}
	ex.cares = nil
	ex.id = exchangeID{}
	ex.at, ex.from, ex.flight, ex.worker = nil, nil, nil, nil
	ex.stopped, ex.reply, ex.quiet, ex.inside = false, false, false, false
	if ex.onDone != nil {
		clear(ex.onDone)
		ex.onDone = ex.onDone[:0]
	}
	if len(ex.claims) > 0 {
		clear(ex.claims)
		ex.claims = ex.claims[:0]
		if cap(ex.claims) > 16 {
			ex.claims = nil
		}
	}
}

// Released is the body of an exchange that was used after its release, where
// [Config.Poison] is on.
type Released struct{}

func (Released) String() string { return "released exchange: keep a Clone instead" }

func (ex *Exchange) guard() {
	if ex.free {
		panic("route: use of a released exchange: keep a Clone instead")
	}
}

// Clone returns a copy with an id of its own that can be changed without changing ex.
// The body itself is shared; one that is an [io.Reader] becomes a [Stream]. The one who
// clones releases.
func (ex *Exchange) Clone() *Exchange {
	ex.guard()
	ex.shareBody()
	c := NewExchange(ex.Body)
	c.headers.copyFrom(&ex.headers)
	c.properties.copyFrom(&ex.properties)
	if ex.variables != nil && ex.variables.n > 0 {
		c.fields(inVariables).copyFrom(ex.variables)
	}
	if len(ex.claims) > 0 {
		c.claims = append(c.claims, ex.claims...)
	}
	c.at, c.from = ex.at, ex.from
	c.cares = ex.cares
	c.reply, c.poison = ex.reply, ex.poison
	return c
}

// Handover returns a clone for another goroutine. If the one who hands over waits for
// the outcome, that one tells a failure; if not, nobody expects a reply any more.
func (ex *Exchange) Handover(waits bool) *Exchange {
	c := ex.Clone()
	c.reply, c.quiet = c.reply && waits, waits
	return c
}

// ID names the exchange in logs and errors. It is made when it is first asked for.
func (ex *Exchange) ID() string {
	ex.guard()
	return ex.identify().String()
}

// identify returns the id, made if there is none: that which others see of its flight.
func (ex *Exchange) identify() exchangeID {
	if ex.id == (exchangeID{}) {
		if f := ex.flight; f != nil {
			ex.id = f.id(f.state.Load())
		} else {
			ex.id = exchangeID{0, serial.Add(1)}
		}
	}
	return ex.id
}

// RouteID is the id of the route that the exchange is in, "" outside of routes.
func (ex *Exchange) RouteID() string { return ex.at.name() }

// FromRouteID is the id of the route that the exchange began in.
func (ex *Exchange) FromRouteID() string { return ex.from.name() }

// ReplyExpected tells whether someone waits for what the route makes of the exchange.
func (ex *Exchange) ReplyExpected() bool { return ex.reply }

// Header returns the header called name, or nil. Names compare without case.
func (ex *Exchange) Header(name string) any { ex.guard(); return ex.headers.get(named(name)) }

// SetHeader stores value under name. A nil value is stored as such; see [Exchange.RemoveHeader].
func (ex *Exchange) SetHeader(name string, value any) {
	ex.guard()
	n := named(name)
	ex.headers.set(&n, value)
}

// RemoveHeader takes the header called name away and tells whether it was there.
func (ex *Exchange) RemoveHeader(name string) bool {
	ex.guard()
	return ex.headers.remove(func(n string) bool { return equalFold(n, name) }) > 0
}

// Headers yields the headers in the order in which they were first set.
func (ex *Exchange) Headers() iter.Seq2[string, any] { ex.guard(); return ex.headers.all() }

// Property returns the property called name, or nil. Names compare without case.
func (ex *Exchange) Property(name string) any { ex.guard(); return ex.properties.get(named(name)) }

// SetProperty stores value under name.
func (ex *Exchange) SetProperty(name string, value any) {
	ex.guard()
	n := named(name)
	ex.properties.set(&n, value)
}

// RemoveProperty takes the property called name away and tells whether it was there.
func (ex *Exchange) RemoveProperty(name string) bool {
	ex.guard()
	return ex.properties.remove(func(n string) bool { return equalFold(n, name) }) > 0
}

// Properties yields the properties in the order in which they were first set.
func (ex *Exchange) Properties() iter.Seq2[string, any] { ex.guard(); return ex.properties.all() }

// BodyAs returns the body as a T, or an error that names both types.
func BodyAs[T any](ex *Exchange) (T, error) {
	v, ok := ex.Body.(T)
	if !ok {
		return v, fmt.Errorf("body is %T, want %s", ex.Body, typeName[T]())
	}
	return v, nil
}

// An exchangeID tells exchanges of one process apart: the n-th of a flight, or, for
// those that are in none, of flight 0.
type exchangeID struct{ flight, n uint64 }

func (id exchangeID) String() string {
	b := make([]byte, 0, 32)
	b = append(b, process...)
	b = strconv.AppendUint(append(b, '-'), id.flight, 10)
	return string(strconv.AppendUint(append(b, '-'), id.n, 10))
}

var (
	serial  atomic.Uint64 // the exchanges of flight 0
	process = func() string {
		var b [4]byte
		rand.Read(b[:]) // never fails, see crypto/rand
		return hex.EncodeToString(b[:])
	}()
)

// noCopy makes go vet report copies.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}
