package file

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path"
	"path/filepath"
	"time"

	"github.com/mehari-go/mehari/route"
)

// lateTimeout is how long what follows on an exchange may take where the time of that is over.
const lateTimeout = 10 * time.Second

// A state is what one call of Consume knows.
type state struct {
	polls int64
	seen  map[string]sight // for ReadLock changed

	watcher *watcher // nil: polls only
}

// Consume implements [route.Consumer].
//
// A poll that fails, because the directory is away, ends Consume with its error, so that the
// engine calls it again later, and shows meanwhile that it does not work. A file whose exchange was
// given up with the route stays where it is and comes again.
func (c consumer) Consume(ctx context.Context, next route.Processor) error {
	st := &state{seen: map[string]sight{}}
	if c.config.Watch {
		st.watcher = c.watch(ctx)
		defer st.watcher.close()
	}
	return c.schedule.Consume(ctx, st.watcher.wakes(), func() (int, error) { return c.poll(ctx, next, st) })
}

// path returns the absolute path of a file.
func (e *endpoint) path(name string) string { return filepath.Join(e.dir, filepath.FromSlash(name)) }

// poll returns how many files were led through the route.
func (c consumer) poll(ctx context.Context, next route.Processor, st *state) (int, error) {
	root, err := c.open()
	if err != nil {
		return 0, err
	}
	defer root.Close()
	st.polls++
	s := &scan{consumer: c, state: st, ctx: ctx, root: root}
	if err := s.find(); err != nil {
		return 0, err
	}
	b := &batch{scan: s, next: next, ex: route.NewExchange(nil), broken: map[string]bool{}}
	defer func() { b.ex.Release() }()
	b.lead()
	if b.led == 0 && c.config.SendEmptyMessageWhenIdle && ctx.Err() == nil {
		b.ex = b.ex.Renew(nil)
		_ = next.Process(ctx, b.ex) // the engine tells
	}
	return b.led, nil
}

// find makes the list of files.
func (s *scan) find() error {
	if s.fileName != nil {
		ex := route.NewExchange(nil)
		defer ex.Release()
		var err error
		if s.only, err = s.fileName.of(s.ctx, aboutFile(ex, "")); err != nil {
			return fmt.Errorf("fileName: %w", err)
		}
	}
	if err := s.orphans(); err != nil {
		return err
	}
	if err := s.folder(".", 1); err != nil {
		return err
	}
	if !s.full() {
		maps.DeleteFunc(s.state.seen, func(_ string, seen sight) bool { return seen.poll != s.state.polls })
	}
	s.order.sort(s.list)
	if most := s.config.MaxMessagesPerPoll; most > 0 && len(s.list) > most {
		s.list, s.cut = s.list[:most], true
	}
	return nil
}

// A batch is the files of one poll.
type batch struct {
	*scan
	next   route.Processor
	ex     *route.Exchange
	led    int
	broken map[string]bool // folders with files that were not done
}

// lead leads the files through the route. It claims and reads one ahead, to know which is the last.
func (b *batch) lead() {
	size, current := len(b.list), (*claim)(nil)
	for _, f := range b.list {
		if b.ctx.Err() != nil {
			break
		}
		next := b.claim(f)
		if next != nil {
			if err := b.read(next); err != nil {
				b.tell(f.name, "file not read", err)
				b.settle(next, failed)
				next = nil
			}
		}
		if next == nil {
			size--
			b.broken[path.Dir(f.name)] = true
			continue
		}
		if current != nil {
			b.process(current, size, false)
		}
		current = next
	}
	if current == nil {
		return
	}
	b.process(current, size, true)
	b.whole()
}

// process leads a file through the route.
func (b *batch) process(c *claim, size int, last bool) {
	if b.ctx.Err() != nil {
		b.settle(c, given)
		return
	}
	b.ex = b.ex.Renew(c.body)
	route.BatchIndex.Set(b.ex, b.led)
	route.BatchSize.Set(b.ex, size)
	route.BatchComplete.Set(b.ex, last)
	b.describe(c.found)
	b.led++
	switch err := b.next.Process(b.ctx, b.ex); {
	case err == nil:
		b.settle(c, succeeded)
	case route.Work(b.ctx).Err() != nil:
		b.settle(c, given)
	default: // the engine tells
		b.settle(c, failed)
	}
}

func (b *batch) describe(f found) {
	full := filepath.Join(filepath.FromSlash(b.config.Directory), filepath.FromSlash(f.name))
	FileName.Set(b.ex, f.name)
	FileNameOnly.Set(b.ex, path.Base(f.name))
	FileNameConsumed.Set(b.ex, f.name)
	FilePath.Set(b.ex, full)
	FileAbsolutePath.Set(b.ex, b.path(f.name))
	FileParent.Set(b.ex, filepath.Dir(full))
	FileLength.Set(b.ex, f.info.Size())
	FileLastModified.Set(b.ex, f.info.ModTime().UnixMilli())
}

func (b *batch) tell(name, what string, err error) {
	b.logger.LogAttrs(b.ctx, slog.LevelError, what, slog.String("endpoint", b.String()), slog.String("file", name), slog.Any("error", err))
}
