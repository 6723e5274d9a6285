package kafka

import (
	"context"
	"hash/maphash"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A partition gives the messages of one partition to the route, in their order: the next
// one when the one before is acknowledged. Where there is a KeyHeader, it has lanes that
// each do so, and the messages of one key are in one lane.
type partition struct {
	*subscriber
	number  int32
	ctx     context.Context // done when no more is to be given
	stop    context.CancelFunc
	forsake chan struct{} // closed when what is worked on is not waited for any more
	all     sync.WaitGroup

	mu     sync.Mutex
	lanes  []*lane
	first  uint64 // the number of open[0]
	open   []task // in the order of the partition, up to the first that is not done
	paused bool   // no more is fetched
}

// A task is a record that is to be worked on.
type task struct {
	record *kgo.Record
	done   bool
}

// A lane has the numbers of tasks that are worked on one after the other.
type lane struct {
	queue []uint64
	wake  chan struct{}
}

func (s *subscriber) newPartition(number int32) *partition {
	p := &partition{subscriber: s, number: number, forsake: make(chan struct{})}
	p.ctx, p.stop = context.WithCancel(s.live)
	lanes := 1
	if s.config.KeyHeader != "" {
		lanes = max(1, s.config.ConcurrentConsumers)
	}
	for range lanes {
		l := &lane{wake: make(chan struct{}, 1)}
		p.lanes = append(p.lanes, l)
		p.all.Go(func() { p.run(l) })
	}
	return p
}

// add takes records that were fetched.
func (p *partition) add(records []*kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range records {
		l := p.lanes[0]
		if len(p.lanes) > 1 {
			l = p.lanes[maphash.Bytes(p.seed, valueOf(r, p.config.KeyHeader))%uint64(len(p.lanes))]
		}
		l.queue = append(l.queue, p.first+uint64(len(p.open)))
		p.open = append(p.open, task{record: r})
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// run gives the messages of a lane.
func (p *partition) run(l *lane) {
	for {
		number, record := p.next(l)
		if record == nil || !p.give(record) {
			return
		}
		p.done(number)
	}
}

// next waits for the next task of a lane. There is no record when no more is to be given.
func (p *partition) next(l *lane) (uint64, *kgo.Record) {
	for p.ctx.Err() == nil {
		p.mu.Lock()
		if len(l.queue) > 0 {
			number := l.queue[0]
			l.queue = l.queue[1:]
			record := p.open[number-p.first].record
			p.mu.Unlock()
			return number, record
		}
		p.mu.Unlock()
		select {
		case <-l.wake:
		case <-p.ctx.Done():
		}
	}
	return 0, nil
}

// give gives a record until it is acknowledged, which it tells.
func (p *partition) give(record *kgo.Record) bool {
	for {
		m := decode(record)
		select {
		case p.out <- m:
		case <-p.ctx.Done():
			return false
		}
		if !p.acknowledged(m) {
			if p.ctx.Err() != nil {
				return false
			}
			continue
		}
		return true
	}
}

// acknowledged waits for what becomes of a message.
func (p *partition) acknowledged(m *message.Message) bool {
	select {
	case <-m.Acked():
		return true
	case <-m.Nacked():
		return false
	case <-p.forsake:
		return false
	}
}

// done is called when a task is. The group's place is behind the last before which all are.
func (p *partition) done(number uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[number-p.first].done = true
	n := 0
	for n < len(p.open) && p.open[n].done {
		n++
	}
	if n == 0 {
		return
	}
	p.client.MarkCommitRecords(p.open[n-1].record)
	clear(p.open[:n])
	p.open = p.open[n:]
	p.first += uint64(n)
	if len(p.open) > p.limit/2 {
		return
	}
	if p.paused {
		p.paused = false
		p.client.ResumeFetchPartitions(p.itself())
	}
	select {
	case p.room <- struct{}{}:
	default:
	}
}

// pause fetches no more until there are fewer messages.
func (p *partition) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) >= p.limit && p.ctx.Err() == nil {
		p.paused = true
		p.client.PauseFetchPartitions(p.itself())
	}
}

// isFull tells whether there is enough, and more is fetched all the same.
func (p *partition) isFull() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open) >= p.limit && !p.paused
}

func (p *partition) itself() map[string][]int32 {
	return map[string][]int32{p.config.Topic: {p.number}}
}

// end waits until what is worked on is done, or until late is closed. No more is given from
// then on, and nothing is marked any more.
func (p *partition) end(late <-chan struct{}) {
	finished := make(chan struct{})
	go func() {
		p.all.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-late:
		close(p.forsake)
		<-finished
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused { // the client remembers, for when the partition comes back
		p.client.ResumeFetchPartitions(p.itself())
	}
}
