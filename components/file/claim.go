package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/mehari-go/mehari/route"
)

// A claim is a file that nobody else works on.
type claim struct {
	found
	locked *os.File // nil without a lock
	body   any
	file   *os.File // of the body, nil for bytes
}

// claim makes a file ours, or returns nil: somebody else works on it, or has done so.
func (b *batch) claim(f found) *claim {
	if _, busy := b.inProgress.LoadOrStore(b.path(f.name), true); busy {
		return nil
	}
	c := &claim{found: f}
	ok, err := b.take(c)
	if err != nil {
		b.tell(f.name, "file not taken", err)
	}
	if !ok {
		if c.locked != nil {
			c.locked.Close()
		}
		b.inProgress.Delete(b.path(f.name))
		return nil
	}
	return c
}

func (b *batch) take(c *claim) (ok bool, err error) {
	if b.repository != nil {
		added, err := b.repository.Add(b.ctx, c.key)
		if errors.Is(err, route.ErrInProgress) || err == nil && !added {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("key %q: %w", c.key, err)
		}
		defer func() {
			if !ok {
				err = errors.Join(err, b.forget(c))
			}
		}()
	}
	if b.config.ReadLock == FileLock || b.preMove != "" {
		if ok, err := b.lock(c); !ok {
			return false, err
		}
	}
	if b.preMove == "" || c.orphan {
		return true, nil
	}
	c.at = path.Join(b.preMove, c.name)
	switch err := moveNew(b.root, c.name, c.at); {
	case errors.Is(err, fs.ErrExist): // one that a process has left, which comes first
		return false, nil
	case err != nil:
		return false, fmt.Errorf("preMove: %w", err)
	}
	return true, nil
}

// forget takes the key of a file away that comes again.
func (b *batch) forget(c *claim) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), lateTimeout)
	defer cancel()
	return b.repository.Remove(ctx, c.key)
}

// lock locks a file, and looks whether it is still the one of that name.
func (b *batch) lock(c *claim) (bool, error) {
	f, err := b.root.Open(c.at)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	c.locked = f
	if ok, err := lock(f); !ok {
		return false, err
	}
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := b.root.Stat(c.at)
	return err == nil && os.SameFile(mine, there), nil
}

// read makes the body.
func (b *batch) read(c *claim) error {
	f, err := b.root.Open(c.at)
	if err != nil {
		return err
	}
	if b.config.Stream {
		c.file, c.body = f, route.NewStream(f)
		return nil
	}
	defer f.Close()
	most := b.config.MaxBodySize
	if most == 0 {
		most = defaultMaxBody
	}
	if c.info.Size() > most {
		return tooLong(most)
	}
	body, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(body)) > most {
		err = tooLong(most)
	}
	c.body = body
	return err
}

func tooLong(most int64) error {
	return fmt.Errorf("it has more than %d bytes: want a higher maxBodySize, or stream=true", most)
}

// An outcome is what became of a file's exchange.
type outcome int

const (
	succeeded outcome = iota
	failed
	given // back: it was not led through the route, or not to its end
)

// settle does with a file what the outcome wants, and lets go of it.
func (b *batch) settle(c *claim, o outcome) {
	defer b.inProgress.Delete(b.path(c.name))
	for _, f := range []*os.File{c.locked, c.file} {
		if f != nil {
			defer f.Close()
		}
	}
	if o != succeeded {
		b.broken[path.Dir(c.name)] = true
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), lateTimeout)
	defer cancel()
	gone, err := b.put(ctx, c, o)
	if err != nil {
		b.broken[path.Dir(c.name)] = true
		b.tell(c.name, "file not moved: it may come again", err)
	}
	if gone && b.done != nil && !b.done.fixed {
		if err := remove(b.root, b.done.of(c.name)); err != nil {
			b.tell(b.done.of(c.name), "done file not deleted", err)
		}
	}
	if b.repository == nil {
		return
	}
	if o == succeeded {
		err = b.repository.Confirm(ctx, c.key)
	} else {
		err = b.repository.Remove(ctx, c.key)
	}
	if err != nil {
		b.tell(c.name, "key of the file not kept", err)
	}
}

// put moves or deletes a file, and tells whether it is done with.
func (b *batch) put(ctx context.Context, c *claim, o outcome) (gone bool, err error) {
	to := b.move
	switch {
	case o == succeeded && b.config.Noop:
		return false, nil
	case o == succeeded && b.config.Delete:
		err := b.root.Remove(c.at)
		return err == nil, err
	case o == failed && b.moveFailed != nil:
		to = b.moveFailed
	case o != succeeded && c.at == c.name:
		return false, nil
	case o != succeeded:
		err := moveNew(b.root, c.at, c.name)
		if errors.Is(err, fs.ErrExist) {
			err = nil // another one has come meanwhile: this one waits in preMove
		}
		return false, err
	}
	a := aboutFile(b.ex, c.name)
	a.size, a.modified = c.info.Size(), c.info.ModTime()
	name, err := to.of(ctx, a)
	if err != nil {
		return false, err
	}
	if b.again(name) {
		return false, fmt.Errorf("%q would be taken again: want a name that is not included, or hidden", name)
	}
	if err := move(b.root, c.at, name); err != nil {
		return false, err
	}
	return true, nil
}

// again tells whether a file of that name would be consumed.
func (b *batch) again(name string) bool {
	depth := strings.Count(name, "/") + 1
	return (depth == 1 || b.config.Recursive && (b.config.MaxDepth == 0 || depth <= b.config.MaxDepth)) && depth >= b.config.MinDepth &&
		(b.config.IncludeHiddenFiles || !hidden(name)) && b.wants(name)
}

// whole deletes the done files that are for whole folders.
func (b *batch) whole() {
	if b.done == nil || !b.done.fixed || b.cut || b.config.Noop {
		return
	}
	for _, f := range b.list {
		dir := path.Dir(f.name)
		if b.broken[dir] {
			continue
		}
		b.broken[dir] = true // not twice
		if err := remove(b.root, b.done.of(f.name)); err != nil {
			b.tell(b.done.of(f.name), "done file not deleted", err)
		}
	}
}

// move moves a file in place of one that may be there.
func move(root *os.Root, from, to string) error {
	if err := root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return err
	}
	if err := root.Rename(from, to); err != nil {
		return err
	}
	// Of two names of one file, which a process has left that died in moveNew, it leaves both.
	left, err := root.Lstat(from)
	if err != nil {
		return nil // as it should be
	}
	if there, err := root.Lstat(to); err == nil && os.SameFile(left, there) {
		return root.Remove(from)
	}
	return nil
}

// moveNew moves a file if there is none of the other name.
func moveNew(root *os.Root, from, to string) error {
	if err := root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return err
	}
	err := root.Link(from, to)
	switch {
	case err == nil:
		return root.Remove(from)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	// A file system without links.
	if _, err := root.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fs.ErrExist, err)
	}
	return root.Rename(from, to)
}

// remove deletes a file that may be there.
func remove(root *os.Root, name string) error {
	if err := root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
