// Package bolt keeps the groups of a route.Aggregate in a file, where they survive the death
// of the process: a database of go.etcd.io/bbolt, written through to the disk with each
// change.
//
//	db, err := bolt.Open("/var/lib/shop/groups.db", bolt.Options{Types: []bolt.Type{bolt.JSON[Order]("order")}})
//	…
//	defer db.Close()
//	orders, err := db.Groups("orders")
//	…
//	route.From("seda:lines").
//		Aggregate(order, merge, body, route.AggregateOptions{Size: 10, Repository: orders})
package bolt

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.etcd.io/bbolt"

	"github.com/mehari-go/mehari/route"
)

// Options are how a file is opened and what can be stored in it.
type Options struct {
	// NoSync leaves it to the operating system when changes come to the disk. That is much
	// faster, and a file that was not closed may be damaged after a failure of power.
	NoSync bool

	// Wait is how long to wait for another process that has the file open; 0 means 10s.
	Wait time.Duration

	// Types are the types of values that can be stored besides strings, []byte, numbers,
	// bools, times, durations, nil, and []any and map[string]any of those. Anything else is
	// an error that names the type. Of a time, the instant and the offset of its zone are
	// stored, not the zone's name.
	Types []Type
}

// A DB is an open file. Its methods may be called from many goroutines at once.
type DB struct {
	db    *bbolt.DB
	codec *codec
}

// Open opens a file, which is made if it is not there. One process at a time can have it
// open.
func Open(path string, o Options) (*DB, error) {
	c, err := newCodec(o.Types)
	if err != nil {
		return nil, err
	}
	if o.Wait < 0 {
		return nil, fmt.Errorf("bolt: want a Wait that is not negative, have %v", o.Wait)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: o.NoSync, Timeout: cmp.Or(o.Wait, 10*time.Second)})
	if err != nil {
		return nil, fmt.Errorf("bolt: open %q: %w", path, err)
	}
	return &DB{db, c}, nil
}

// Close closes the file, after the last change that is being written. No engine may use it
// any more.
func (d *DB) Close() error { return d.db.Close() }

// Groups returns the repository with a name, which is made if it is not there. Each aggregate
// needs one of its own.
func (d *DB) Groups(name string) (*Groups, error) {
	g := &Groups{d, []byte(name)}
	err := d.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(g.name)
		for _, inner := range [][]byte{open, done} {
			if err == nil {
				_, err = b.CreateBucketIfNotExists(inner)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bolt: groups %q: %w", name, err)
	}
	return g, nil
}

// Groups is a repository in a [DB].
type Groups struct {
	db   *DB
	name []byte
}

var _ route.RecoverableRepository = (*Groups)(nil)

// The buckets of a repository: groups by key, and completed groups by id.
var open, done = []byte("open"), []byte("done")

func (g *Groups) bucket(tx *bbolt.Tx, name []byte) *bbolt.Bucket {
	return tx.Bucket(g.name).Bucket(name)
}

func (g *Groups) update(ctx context.Context, f func(open, done *bbolt.Bucket) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return g.wrap(g.db.db.Update(func(tx *bbolt.Tx) error { return f(g.bucket(tx, open), g.bucket(tx, done)) }))
}

func (g *Groups) wrap(err error) error {
	if err != nil && !errors.Is(err, route.ErrConflict) {
		err = fmt.Errorf("bolt: groups %q: %w", g.name, err)
	}
	return err
}

// read returns the group with a key in a bucket, or nil.
func (g *Groups) read(b *bbolt.Bucket, key string) (*route.Group, error) {
	v := b.Get([]byte(key))
	if v == nil {
		return nil, nil
	}
	return g.db.codec.decode(v)
}

// check tells whether the open group with the key of group has its version.
func (g *Groups) check(open *bbolt.Bucket, group *route.Group) error {
	have, err := version(open.Get([]byte(group.Key)))
	if err == nil && have != group.Version {
		err = route.ErrConflict
	}
	return err
}

// Get implements [route.GroupRepository].
func (g *Groups) Get(ctx context.Context, key string) (group *route.Group, err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	err = g.db.db.View(func(tx *bbolt.Tx) (err error) {
		group, err = g.read(g.bucket(tx, open), key)
		return err
	})
	return group, g.wrap(err)
}

// Put implements [route.GroupRepository].
func (g *Groups) Put(ctx context.Context, group *route.Group) error {
	group.Version++
	record, err := g.db.codec.encode(group)
	group.Version--
	if err != nil {
		return g.wrap(err)
	}
	err = g.update(ctx, func(open, _ *bbolt.Bucket) error {
		if err := g.check(open, group); err != nil {
			return err
		}
		return open.Put([]byte(group.Key), record)
	})
	if err == nil {
		group.Version++
	}
	return err
}

// Remove implements [route.GroupRepository].
func (g *Groups) Remove(ctx context.Context, group *route.Group) error {
	return g.update(ctx, func(open, _ *bbolt.Bucket) error {
		if err := g.check(open, group); err != nil {
			return err
		}
		return open.Delete([]byte(group.Key))
	})
}

// Open implements [route.GroupRepository].
func (g *Groups) Open(ctx context.Context) iter.Seq2[*route.Group, error] {
	return func(yield func(*route.Group, error) bool) {
		for v, err := range g.all(ctx, open) {
			var group *route.Group
			if err == nil {
				if group, err = g.db.codec.decode(v.value); err != nil {
					err = g.wrap(fmt.Errorf("key %q: %w", v.key, err))
				}
			}
			if !yield(group, err) || err != nil {
				return
			}
		}
	}
}

// Complete implements [route.RecoverableRepository].
func (g *Groups) Complete(ctx context.Context, id string, group *route.Group) error {
	record, err := g.db.codec.encode(group)
	if err != nil {
		return g.wrap(err)
	}
	return g.update(ctx, func(open, done *bbolt.Bucket) error {
		if err := g.check(open, group); err != nil {
			return err
		}
		if err := open.Delete([]byte(group.Key)); err != nil {
			return err
		}
		return done.Put([]byte(id), record)
	})
}

// Confirm implements [route.RecoverableRepository].
func (g *Groups) Confirm(ctx context.Context, id string) error {
	return g.update(ctx, func(_, done *bbolt.Bucket) error { return done.Delete([]byte(id)) })
}

// Unconfirmed implements [route.RecoverableRepository].
func (g *Groups) Unconfirmed(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for v, err := range g.all(ctx, done) {
			if !yield(string(v.key), err) || err != nil {
				return
			}
		}
	}
}

// Recover implements [route.RecoverableRepository].
func (g *Groups) Recover(ctx context.Context, id string) (group *route.Group, err error) {
	err = g.update(ctx, func(_, done *bbolt.Bucket) error {
		if group, err = g.read(done, id); group == nil || err != nil {
			return err
		}
		group.Redeliveries++
		record, err := g.db.codec.encode(group)
		if err != nil {
			return err
		}
		return done.Put([]byte(id), record)
	})
	if err != nil {
		return nil, err
	}
	return group, nil
}

// A pair is what is stored under a key.
type pair struct{ key, value []byte }

// all yields copies of all pairs of a bucket, some at a time, so that nobody who works with
// them keeps the database from being written to.
func (g *Groups) all(ctx context.Context, name []byte) iter.Seq2[pair, error] {
	return func(yield func(pair, error) bool) {
		var last []byte
		for {
			var some []pair
			err := context.Cause(ctx)
			if err == nil {
				err = g.db.db.View(func(tx *bbolt.Tx) error {
					c := g.bucket(tx, name).Cursor()
					for k, v := c.Seek(last); k != nil && len(some) < 256; k, v = c.Next() {
						if last == nil || !bytes.Equal(k, last) {
							some = append(some, pair{bytes.Clone(k), bytes.Clone(v)})
						}
					}
					return nil
				})
			}
			if err != nil {
				yield(pair{}, g.wrap(err))
				return
			}
			for _, p := range some {
				if !yield(p, nil) {
					return
				}
				last = p.key
			}
			if len(some) == 0 {
				return
			}
		}
	}
}
