package kubernetes

import (
	"context"
	"iter"
	"strings"
	"sync"

	"github.com/mehari-go/mehari/cluster"
)

// Watch lists the objects and watches them from there on. What it yields is as
// fresh as the API server's watch cache. For the key of a slot, such as "slot-1", it
// yields that slot alone and not "slot-10": the API server can select one object, or
// all, and whoever watches one does not want the heartbeats of all.
func (s *Store) Watch(ctx context.Context, prefix string) iter.Seq2[cluster.Record, error] {
	held := holding(prefix)
	if len(held) == 1 {
		return s.watch(ctx, held[0], prefix)
	}
	return func(yield func(cluster.Record, error) bool) {
		type item struct {
			rec cluster.Record
			err error
		}
		ctx, cancel := context.WithCancel(ctx)
		items := make(chan item)
		var watches sync.WaitGroup
		for _, r := range held {
			watches.Go(func() {
				for rec, err := range s.watch(ctx, r, prefix) {
					select {
					case items <- item{rec, err}:
					case <-ctx.Done():
						return
					}
				}
			})
		}
		defer watches.Wait()
		defer cancel()
		for {
			select {
			case <-ctx.Done():
				return
			case it := <-items:
				if !yield(it.rec, it.err) || it.err != nil {
					return
				}
			}
		}
	}
}

// watch yields the records in objects of the resource r.
func (s *Store) watch(ctx context.Context, r resource, prefix string) iter.Seq2[cluster.Record, error] {
	query := s.query(r)
	if number, ok := strings.CutPrefix(prefix, cluster.SlotPrefix); ok && number != "" && strings.Trim(number, "0123456789") == "" {
		query = named(s.name + "-" + number)
	}
	return func(yield func(cluster.Record, error) bool) {
		for ch, err := range s.client.follow(ctx, r.path(s.namespace, ""), query, false) {
			if err != nil {
				if ctx.Err() == nil {
					yield(cluster.Record{}, s.failed("watch", r, "", err))
				}
				return
			}
			for _, o := range ch.objects {
				key := s.key(r, &o)
				if !strings.HasPrefix(key, prefix) {
					continue
				}
				rec := cluster.Record{Key: key}
				if !ch.deleted {
					if rec, err = s.record(r, &o); err != nil {
						yield(cluster.Record{}, s.failed("watch", r, o.Name, err))
						return
					}
					s.remember(key, &o)
				}
				if !yield(rec, nil) {
					return
				}
			}
		}
	}
}
