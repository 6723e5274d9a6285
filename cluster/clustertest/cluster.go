package clustertest

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

// A Cluster is n members in one process, in the fake time of a synctest bubble. The
// real [cluster.Service] runs in each; what is simulated is the store, the network
// to it, and the clock by which a member wakes up.
type Cluster struct {
	t       *testing.T
	opts    cluster.Options
	records records
	hop     time.Duration
	members []*Member
}

// New returns a cluster of n members with the names member-0, member-1 and so on. It
// is called in a synctest bubble, which the members leave when the test ends.
//
//	synctest.Test(t, func(t *testing.T) {
//		c := clustertest.New(t, 3, cluster.Options{})
//		…
//	})
//
// The options are those of each member, but for the name. Where no logger is given,
// the members log nothing. A message takes 1 ms each way; see [Cluster.SetHop].
// As on Kubernetes, the records can be deleted by hand, so that a new cluster has
// no leader before Options.Wait is over.
func New(t *testing.T, n int, o cluster.Options) *Cluster {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Cluster{t: t, opts: o, hop: time.Millisecond}
	for range n {
		c.Add()
	}
	return c
}

// Add starts one more member.
func (c *Cluster) Add() *Member {
	c.t.Helper()
	o := c.opts
	o.Name = fmt.Sprintf("member-%d", len(c.members))
	return c.AddWith(o)
}

// AddWith starts one more member, with options of its own.
func (c *Cluster) AddWith(o cluster.Options) *Member {
	c.t.Helper()
	if o.Logger == nil {
		o.Logger = c.opts.Logger
	}
	m := &Member{Name: o.Name, link: newLink(&c.records, c.hop)}
	var err error
	if m.Service, err = cluster.New(m.link, o); err != nil {
		c.t.Fatal(err)
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	c.t.Cleanup(m.end)
	c.members = append(c.members, m)
	return m
}

// Member returns member i, in the order in which they were added.
func (c *Cluster) Member(i int) *Member { return c.members[i] }

// Members returns all members, the crashed ones too.
func (c *Cluster) Members() []*Member { return c.members }

// Leader returns the member whose service leads the lock now, or nil. It fails the
// test where there are two; a paused member does not know that its time is over,
// and does not count.
func (c *Cluster) Leader(lock string) *Member {
	c.t.Helper()
	var leader *Member
	for _, m := range c.members {
		if m.crashed || m.link.isPaused() || !m.Service.View(lock).Leading() {
			continue
		}
		if leader != nil {
			c.t.Errorf("%s and %s both lead %q", leader.Name, m.Name, lock)
		}
		leader = m
	}
	return leader
}

// Advance lets d pass, and all that happens in it.
func (c *Cluster) Advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// SetHop sets how long a message takes each way, to and from the store, for the
// members added before and after.
func (c *Cluster) SetHop(d time.Duration) {
	c.hop = d
	for _, m := range c.members {
		m.link.setHop(d)
	}
}

// Heal ends all pauses and partitions.
func (c *Cluster) Heal() {
	for _, m := range c.members {
		m.Heal()
		m.Resume()
	}
}

// Delete removes a record as an administrator would: [cluster.TableKey], or a slot.
func (c *Cluster) Delete(key string) { c.records.delete(key) }

// Overwrite changes a record by hand. The function is given the value there is.
func (c *Cluster) Overwrite(key string, change func(value []byte) []byte) {
	c.t.Helper()
	if err := c.records.overwrite(key, change); err != nil {
		c.t.Fatal(err)
	}
}

// Value returns what a record holds, or nil where there is none.
func (c *Cluster) Value(key string) []byte { return c.records.value(key) }

// A Member is one replica.
type Member struct {
	Name    string
	Service *cluster.Service

	link    *link
	ctx     context.Context
	cancel  context.CancelFunc
	crashed bool
}

// Context ends when the member crashes, and with the test. Give it to
// [cluster.Service.Run], so that a crash ends the functions as it would in a
// process.
func (m *Member) Context() context.Context { return m.ctx }

// Pause freezes the member, as SIGSTOP or a long collection of garbage would: until
// Resume, no timer of its service fires, and nothing from the store reaches it;
// what it has sent arrives. It is not told, and believes that it leads.
//
// A goroutine of the test cannot be frozen. So the functions given to Run go on, as
// they would in a process for as long as it takes to run one instruction: use
// [Member.Frozen] where yours should stand still, or see what [cluster.Term.Valid]
// is for.
func (m *Member) Pause() { m.link.pause() }

// Resume ends a pause. What was due in the meantime happens at once.
func (m *Member) Resume() { m.link.resume() }

// Frozen returns when the member is not paused, or with ctx.
func (m *Member) Frozen(ctx context.Context) { m.link.frozen(ctx) }

// Partition cuts the member off from the store, in both directions.
func (m *Member) Partition() { m.link.cut() }

// Heal ends a partition.
func (m *Member) Heal() { m.link.heal() }

// Lose has the answers to the member's requests lost from now on, or no longer: the
// store does what is asked, and the member does not learn of it.
func (m *Member) Lose(answers bool) { m.link.lose(answers) }

// Sleep has the machine of the member sleep, as a suspended computer does: afterwards
// a clock that counts time asleep is ahead by d.
func (m *Member) Sleep(d time.Duration) { m.link.sleep(d) }

// Crash ends the member without a word, as SIGKILL would. Its Context ends.
func (m *Member) Crash() {
	m.crashed = true
	m.link.cut()
	m.cancel()
}

// end closes the member when the test ends.
func (m *Member) end() {
	m.cancel()
	m.link.resume()
	if !m.crashed {
		m.link.heal()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if m.crashed {
		cancel()
	}
	_ = m.Service.Close(ctx) // the cluster may be in any state here
}
