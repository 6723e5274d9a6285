// Package cluster lets the replicas of a program agree on which of them does what
// only one may do.
//
//	svc, err := cluster.New(store, cluster.Options{})
//	…
//	err = svc.Run(ctx, "lock2", func(ctx context.Context, t cluster.Term) error {
//		return serve(ctx) // on one replica at a time, until ctx ends
//	})
//
// The function is the leadership: it runs while the member holds the lock, its
// context ends before another member can take the lock over, and the lock is
// given back only after it has returned. Nothing is needed from a [Store] but a
// linearizable compare-and-set; packages memory, file and kubernetes have one.
//
// No lock service can stop a process that is paused in the middle of an effect.
// What must never happen twice carries [Term.Token] to a place that refuses lower
// ones; docs/leadership.md says how, and what the protocol promises.
package cluster
