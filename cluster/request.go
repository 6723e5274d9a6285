package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ask sends a request to the store, and tells the core what became of it. A try
// ends soon enough that several fit before the deadline.
func (s *Service) ask(q request) {
	ctx, cancel := context.WithTimeout(s.ctx, s.opts.Limit/4)
	defer cancel()
	a := answered{request: q, record: record{key: q.key}}
	switch {
	case q.purpose == toList:
		var list []Record
		list, a.err = s.store.List(ctx, q.key)
		for _, r := range list {
			a.records = append(a.records, decode(r))
		}
	case q.purpose.writes():
		var value []byte
		if q.purpose == toAssign {
			value = encodeTable(q.table)
		} else {
			value = encodeSlot(q.slot)
		}
		a.record.version, a.err = s.store.Set(ctx, q.key, value, q.version)
	default:
		var r Record
		r, a.err = s.store.Get(ctx, q.key, q.version)
		if a.err == nil && (r.Version != q.version || q.version == 0) {
			a.record = decode(r)
			a.record.key = q.key
		} else {
			a.record.version = r.Version
		}
	}
	s.call(func() {
		switch {
		case errors.Is(a.err, ErrConflict):
			s.loop.stats.Conflicts++
		case a.err != nil:
			s.loop.stats.Failures++
		case q.purpose == toBeat:
			s.loop.stats.Slack = max(q.sent+s.opts.Limit-s.loop.now, 0)
		}
		s.loop.step(a)
	})
}

// watch tells the core of the records at prefix, until ctx ends.
func (s *Service) watch(ctx context.Context, prefix string) {
	for ctx.Err() == nil {
		err := errors.New("the watch ended by itself")
		for r, failed := range s.store.Watch(ctx, prefix) {
			if failed != nil {
				err = failed
				break
			}
			if d := decode(r); !s.call(func() { s.loop.step(saw{d}) }) {
				return
			}
		}
		if ctx.Err() != nil || !s.call(func() { s.loop.step(missed{prefix, err}) }) {
			return
		}
		pause(ctx, s.opts.timing().retry())
	}
}

// follow takes in the names that the store's roster knows.
func (s *Service) follow(roster Roster) {
	for s.ctx.Err() == nil {
		err := errors.New("the roster ended by itself")
		for names, failed := range roster.Members(s.ctx) {
			if failed != nil {
				err = failed
				break
			}
			names = slices.Clone(names)
			if !s.call(func() { s.loop.roster = names; s.loop.show() }) {
				return
			}
		}
		if s.ctx.Err() != nil || !s.call(func() { s.loop.step(missed{"members", err}) }) {
			return
		}
		pause(s.ctx, s.opts.Beat)
	}
}

// check asks the store what it lacks, tells it loudly, and asks again until it
// lacks nothing. The member goes on meanwhile: it stands by where it cannot lead.
func (s *Service) check() {
	c, ok := s.store.(Checker)
	if !ok {
		return
	}
	for s.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(s.ctx, s.opts.Limit)
		err := c.Check(ctx)
		cancel()
		if s.ctx.Err() != nil {
			return
		}
		if err == nil {
			s.sight.setCheck(nil)
			return
		}
		err = fmt.Errorf("cluster: the store is not ready: %w", err)
		s.sight.setCheck(err)
		s.opts.Logger.Error("the store is not ready: standing by", "error", err)
		pause(s.ctx, s.opts.Wait)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// decode reads a record of the store.
func decode(r Record) record {
	d := record{key: r.Key, version: r.Version}
	switch {
	case r.Version == 0:
	case r.Key == TableKey:
		d.table, d.err = decodeTable(r.Value)
	default:
		d.slot, d.err = decodeSlot(r.Value)
	}
	return d
}
