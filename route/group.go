package route

import (
	"iter"
	"time"
)

// The properties of the groups of a [Route.Aggregate].
var (
	AggregatedTimeout     = NewProperty[time.Duration]("CamelAggregatedTimeout") // how long the group waited for one more
	AggregatedCompletedBy = NewProperty[string]("CamelAggregatedCompletedBy")    // one of CompletedBySize and so on
	AggregatedKey         = NewProperty[string]("CamelAggregatedCorrelationKey") // what the exchanges had in common
	BatchIndex            = NewProperty[int]("CamelBatchIndex")                  // of an exchange in its consumer's batch, from 0
	BatchSize             = NewProperty[int]("CamelBatchSize")                   // how many the batch has
	BatchComplete         = NewProperty[bool]("CamelBatchComplete")              // whether it is the last one
)

// The properties by which groups are completed. A strategy sets the first one in the group,
// a step before the aggregate the others in an exchange.
var (
	// CompleteCurrentGroup completes the group that has it.
	CompleteCurrentGroup = NewProperty[bool]("CamelAggregationCompleteCurrentGroup")

	// CompleteAllGroups completes all groups. The exchange that has it is not added to
	// any. In a group, it completes all of them with that group.
	CompleteAllGroups = NewProperty[bool]("CamelAggregationCompleteAllGroups")

	// CompleteAllGroupsInclusive is like CompleteAllGroups, after the exchange that has it
	// was added.
	CompleteAllGroupsInclusive = NewProperty[bool]("CamelAggregationCompleteAllGroupsInclusive")
)

// What completes a group: the values of [AggregatedCompletedBy].
const (
	CompletedBySize      = "size"
	CompletedByTimeout   = "timeout"
	CompletedByInterval  = "interval"
	CompletedByPredicate = "predicate"
	CompletedByConsumer  = "consumer" // the end of its batch
	CompletedByStrategy  = "strategy"
	CompletedByForce     = "force"
)

// A Group is what a [Route.Aggregate] keeps of the exchanges with one key: much smaller
// than an [Exchange]. It belongs to one goroutine at a time.
type Group struct {
	Key          string
	Size         int           // how many exchanges are in it
	Version      uint64        // for its repository: 0 for one that is in none
	Timeout      time.Duration // how long it waits for one more; 0 for ever
	Deadline     time.Time     // until when
	CompletedBy  string        // such as CompletedBySize; "" while it is open
	Redeliveries int           // how often it was recovered
	Body         any

	fields              []field // its headers, its properties, and its variables
	headers, properties int32   // how many of the fields are such
	from                *running
}

// Headers yields the headers in the order in which they were first set.
func (g *Group) Headers() iter.Seq2[string, any] { return yieldAll(g.fields[:g.headers]) }

// Properties yields the properties in the order in which they were first set.
func (g *Group) Properties() iter.Seq2[string, any] {
	return yieldAll(g.fields[g.headers:][:g.properties])
}

// Variables yields the variables in the order in which they were first set.
func (g *Group) Variables() iter.Seq2[string, any] {
	return yieldAll(g.fields[g.headers+g.properties:])
}

func yieldAll(list []field) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for i := range list {
			if !yield(list[i].name, list[i].any()) {
				return
			}
		}
	}
}

// SetFields replaces the headers, properties and variables, for a repository that has read
// them from somewhere. A nil sequence is an empty one.
func (g *Group) SetFields(headers, properties, variables iter.Seq2[string, any]) {
	g.fields = g.fields[:0]
	add := func(seq iter.Seq2[string, any]) int32 {
		before := len(g.fields)
		if seq != nil {
			for key, value := range seq {
				n := named(key)
				g.fields = append(g.fields, field{name: n.text, hash: n.hash, value: value})
			}
		}
		return int32(len(g.fields) - before)
	}
	g.headers, g.properties = add(headers), add(properties)
	add(variables)
}

// take makes g what the exchange is, which had as many exchanges added to it.
func (g *Group) take(ex *Exchange, size int) {
	g.Size, g.Body, g.from = size, ex.Body, ex.from
	ex.properties.drop(&AggregatedSize.key.name)
	n := ex.headers.len() + ex.properties.len() + ex.variables.len()
	if cap(g.fields) < n {
		g.fields = make([]field, 0, n) // not more than needed, because there may be many groups
	} else if len(g.fields) > n {
		clear(g.fields[n:])
	}
	g.fields = ex.headers.pack(g.fields[:0])
	g.headers = int32(len(g.fields))
	g.fields = ex.properties.pack(g.fields)
	g.properties = int32(len(g.fields)) - g.headers
	g.fields = ex.variables.pack(g.fields)
}

// exchange returns what g is as an exchange in the route r, which the caller releases.
func (g *Group) exchange(r *running) *Exchange {
	ex := NewExchange(g.Body)
	ex.headers.unpack(g.fields[:g.headers])
	ex.properties.unpack(g.fields[g.headers:][:g.properties])
	if variables := g.fields[g.headers+g.properties:]; len(variables) > 0 {
		ex.fields(inVariables).unpack(variables)
	}
	ex.at, ex.from, ex.poison = r, g.from, r.poison
	if ex.from == nil {
		ex.from = r
	}
	if g.Size > 0 {
		AggregatedSize.Set(ex, g.Size)
	}
	return ex
}

// clone returns a copy that can be changed without changing g.
func (g *Group) clone() *Group {
	c := *g
	c.fields = append([]field(nil), g.fields...)
	return &c
}

func (fs *fields) len() int {
	if fs == nil {
		return 0
	}
	return fs.n + len(fs.more)
}

// pack appends the fields to a list.
func (fs *fields) pack(list []field) []field {
	if fs == nil {
		return list
	}
	for _, from := range [...][]field{fs.inline[:fs.n], fs.more} {
		for i := range from {
			f := from[i]
			if f.isText {
				f.value = nil // what was there before
			}
			list = append(list, f)
		}
	}
	return list
}

// unpack adds the fields of a list to fs.
func (fs *fields) unpack(list []field) {
	for i := range list {
		f := &list[i]
		n := name{f.name, f.hash}
		if f.isText {
			fs.setText(&n, f.text)
		} else {
			fs.set(&n, f.value)
		}
	}
}

// drop takes the field called n away, which is nearly always the last one.
func (fs *fields) drop(n *name) {
	switch f := fs.find(n); {
	case f == nil:
	case fs.more == nil && f == &fs.inline[fs.n-1]:
		*f = field{}
		fs.n--
		if i := &fs.index[n.hash%32]; int(*i) == fs.n+1 {
			*i = 0
		}
	default:
		fs.remove(func(other string) bool { return equalFold(other, n.text) })
	}
}
