package kubernetes

import (
	"context"
	"iter"
	"maps"
	"slices"
)

// Members yields the names of the pods that the selector chooses, apart from those
// that have ended or are being deleted.
func (s *Store) Members(ctx context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		alive := map[string]bool{}
		for ch, err := range s.client.follow(ctx, pods.path(s.namespace, ""), s.query(pods), true) {
			if err != nil {
				if ctx.Err() == nil {
					yield(nil, s.failed("watch", pods, "", err))
				}
				return
			}
			was := len(alive)
			changed := len(ch.objects) != 1
			for _, o := range ch.objects {
				if ch.deleted || o.DeletionTimestamp != nil {
					delete(alive, o.Name)
				} else {
					alive[o.Name] = true
				}
			}
			if changed = changed || len(alive) != was; changed && !yield(slices.Sorted(maps.Keys(alive)), nil) {
				return
			}
		}
	}
}
