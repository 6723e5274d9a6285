package route

import (
	"context"
	"time"
)

// A Status is what an engine is doing at a moment.
type Status struct {
	Routes []RouteStatus // in the order in which they start
}

// Route returns the status of the route with an id.
func (s Status) Route(id string) (RouteStatus, bool) {
	for _, r := range s.Routes {
		if r.ID == id {
			return r, true
		}
	}
	return RouteStatus{}, false
}

// A RouteStatus is how a route is at a moment.
type RouteStatus struct {
	ID         string
	From       string // the endpoint, without secrets
	Place      Position
	State      State
	Since      time.Time // when it came into that state
	AutoStart  bool
	StartOrder int

	Total       int64 // exchanges that have come so far
	Failed      int64 // of which so many have failed
	Handled     int64 // and so many were handled, or are with the dead letter endpoint
	Redelivered int64 // times that a step was run again
	InFlight    []Flight
	LastFailure *Failure    // nil if there was none
	Restarts    int64       // of the consumer, because it had ended early
	NextStart   time.Time   // of the consumer, in state Restarting
	Leadership  *Leadership // nil where the route does not depend on one
	Subscribed  *bool       // whether it gets what is sent now; nil where its consumer does not tell
	Steps       []StepStatus
}

// A StepStatus is a step of a route and the steps in it.
type StepStatus struct {
	ID    string // as StepID named it; "" if it has no name
	Step  string
	Place Position
	Steps []StepStatus
}

// A Failure is what went wrong with an exchange or a consumer.
type Failure struct {
	Time     time.Time
	Exchange string // its id; "" if it was the consumer that failed
	Step     string
	Place    Position
	Err      error
}

// A Leadership tells whether a route consumes, where only one of the replicas of a
// program does.
type Leadership struct {
	Lock    string // its name
	Leading bool   // false for standby
	Token   uint64 // the fencing token of the term, 0 on standby
	Err     error  // why it leads but does not consume; nil if it does
}

func (l Leadership) String() string {
	if l.Leading {
		return "leading"
	}
	return "standby"
}

// ReportLeadership tells the engine's status about a route. A consumer calls it with
// the context that it was given.
func ReportLeadership(ctx context.Context, l Leadership) {
	if in := originOf(ctx).in; in != nil {
		in.run.mu.Lock()
		in.run.leadership = &l
		in.run.mu.Unlock()
	}
}

// RouteOf returns the id of the route whose consumer was given ctx, and where it was
// written; "" for code outside of routes.
func RouteOf(ctx context.Context) (id string, place Position) {
	if in := originOf(ctx).in; in != nil {
		return in.run.id, in.run.def.place
	}
	return "", Position{}
}

// Status returns what the engine is doing.
func (e *Engine) Status() Status {
	var s Status
	for _, r := range e.list() {
		s.Routes = append(s.Routes, r.status())
	}
	return s
}

func (r *running) status() RouteStatus {
	total, _ := r.flights.count()
	s := RouteStatus{
		ID: r.id, From: r.consumer.String(), Place: r.def.place, AutoStart: !r.def.manual, StartOrder: r.def.order,
		Total: total, Failed: r.failed.Load(), Handled: r.handled.Load(), Redelivered: r.redelivered.Load(), InFlight: r.inFlight(), Steps: stepStatus(r.top),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.State, s.Since, s.LastFailure, s.Restarts, s.NextStart = r.state, r.since, r.lastFailure, r.restarts, r.nextStart
	if r.subscribed != nil {
		s.Subscribed = new(*r.subscribed)
	}
	if r.leadership != nil {
		l := *r.leadership
		s.Leadership = &l
	}
	return s
}

func stepStatus(nodes []*node) []StepStatus {
	var steps []StepStatus
	for _, n := range nodes {
		steps = append(steps, StepStatus{n.id, n.step, n.place, stepStatus(n.nested)})
	}
	return steps
}
