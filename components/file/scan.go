package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/mehari-go/mehari/route"
)

// A found is a file that a poll has found.
type found struct {
	name   string // below the directory
	at     string // where it is: elsewhere for one that a process has left in preMove
	info   fs.FileInfo
	key    string // in the repository
	orphan bool
}

// A scan looks for files.
type scan struct {
	consumer
	state *state
	ctx   context.Context
	root  *os.Root
	only  string // the name of the only file, or ""
	list  []found
	cut   bool // there are more than the list has
}

// full tells whether no more files are needed.
func (s *scan) full() bool {
	eager := s.config.EagerMaxMessagesPerPoll == nil || *s.config.EagerMaxMessagesPerPoll
	return s.config.MaxMessagesPerPoll > 0 && eager && len(s.list) >= s.config.MaxMessagesPerPoll
}

// folder looks at the files of a folder, which stands at a depth. What disappears meanwhile is
// none.
func (s *scan) folder(dir string, depth int) error {
	s.state.watcher.follow(s.path(dir))
	entries, err := fs.ReadDir(s.root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) && dir != "." {
		return nil
	}
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, entry := range entries {
		names[entry.Name()] = true
	}
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		switch {
		case s.full() || s.ctx.Err() != nil:
			s.cut = true
			return nil
		case !s.config.IncludeHiddenFiles && strings.HasPrefix(entry.Name(), ".") || name == s.preMove:
		case entry.IsDir():
			if s.config.Recursive && (s.config.MaxDepth == 0 || depth < s.config.MaxDepth) {
				if err := s.folder(name, depth+1); err != nil {
					return err
				}
			}
		case depth >= s.config.MinDepth && s.wants(name) && (s.done == nil || names[path.Base(s.done.of(name))]):
			if err := s.add(found{name: name, at: name}); err != nil {
				return err
			}
		}
	}
	return nil
}

// wants tells whether a file of that name is to be consumed.
func (s *scan) wants(name string) bool {
	base := path.Base(name)
	return (s.only == "" || s.only == name) &&
		(s.include == nil || s.include.MatchString(base)) &&
		(s.exclude == nil || !s.exclude.MatchString(base)) &&
		(s.done == nil || !s.done.any.MatchString(base))
}

// orphans looks at what is in preMove.
func (s *scan) orphans() error {
	if s.preMove == "" || !canLock && s.state.polls > 1 { // then nobody can tell those that are worked on
		return nil
	}
	err := fs.WalkDir(s.root.FS(), s.preMove, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || s.full() {
			return err
		}
		return s.add(found{name: strings.TrimPrefix(at, s.preMove+"/"), at: at, orphan: true})
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// add adds a file that is ready and new. Links that lead outside, and what is no file, are left alone.
func (s *scan) add(f found) error {
	var err error
	f.info, err = s.root.Stat(f.at)
	if err != nil || !f.info.Mode().IsRegular() || !f.orphan && !s.ready(f) {
		return nil
	}
	if s.config.MaxMessagesPerPoll > 0 && s.busy(f) {
		s.cut = true
		return nil
	}
	if s.repository != nil {
		ex := route.NewExchange(nil)
		defer ex.Release()
		if f.key, err = s.keyOf(s.ctx, ex, f); err != nil {
			return err
		}
		switch known, err := s.repository.Contains(s.ctx, f.key); {
		case errors.Is(err, route.ErrInProgress) || known:
			return nil
		case err != nil:
			return fmt.Errorf("key %q: %w", f.key, err)
		}
	}
	s.list = append(s.list, f)
	return nil
}

// busy tells whether somebody else works on a file, which then takes nobody's place in a poll.
func (s *scan) busy(f found) bool {
	if _, busy := s.inProgress.Load(s.path(f.name)); busy {
		return true
	}
	if s.config.ReadLock != FileLock && s.preMove == "" {
		return false
	}
	there, err := s.root.Open(f.at)
	if err != nil {
		return false // the claim tells
	}
	defer there.Close()
	free, err := lock(there)
	return err == nil && !free
}

// keyOf returns what the repository knows a file by.
func (c consumer) keyOf(ctx context.Context, ex *route.Exchange, f found) (string, error) {
	if c.key == nil {
		return c.path(f.name), nil
	}
	a := aboutFile(ex, f.name)
	a.size, a.modified = f.info.Size(), f.info.ModTime()
	key, err := c.key.Append(ctx, nil, a)
	if err != nil {
		return "", fmt.Errorf("idempotentKey: %w", err)
	}
	return string(key), nil
}

// A sight is how a file was when it was seen, since when it has not changed.
type sight struct {
	size     int64
	modified time.Time
	since    time.Time
	poll     int64 // in which it was seen last
}

// ready tells whether a file has stayed as it is for long enough.
func (s *scan) ready(f found) bool {
	if s.config.ReadLock != Changed {
		return true
	}
	interval, least := defaultInterval, int64(1)
	if s.config.ReadLockCheckInterval != nil {
		interval = *s.config.ReadLockCheckInterval
	}
	if s.config.ReadLockMinLength != nil {
		least = *s.config.ReadLockMinLength
	}
	now, size, modified := time.Now(), f.info.Size(), f.info.ModTime()
	seen, ok := s.state.seen[f.name]
	if !ok || seen.size != size || !seen.modified.Equal(modified) {
		seen = sight{size: size, modified: modified, since: now}
	}
	seen.poll = s.state.polls
	s.state.seen[f.name] = seen
	if now.Sub(seen.since) < interval {
		s.state.watcher.wakeAfter(interval)
	}
	return now.Sub(seen.since) >= interval && size >= least && now.Sub(modified) >= s.config.ReadLockMinAge
}

// An order sorts files.
type order []func(a, b found) int

func parseOrder(text string) (o order, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ";") {
		rest, reverse := strings.CutPrefix(strings.TrimSpace(part), "reverse:")
		rest, fold := strings.CutPrefix(rest, "ignoreCase:")
		by := func(text func(f found) string) func(a, b found) int {
			return func(a, b found) int {
				if fold {
					return cmp.Compare(strings.ToLower(text(a)), strings.ToLower(text(b)))
				}
				return cmp.Compare(text(a), text(b))
			}
		}
		var compare func(a, b found) int
		switch strings.TrimPrefix(rest, "file:") {
		case "name", "path":
			compare = by(func(f found) string { return f.name })
		case "onlyname":
			compare = by(func(f found) string { return path.Base(f.name) })
		case "ext":
			compare = by(func(f found) string { return path.Ext(f.name) })
		case "size", "length":
			compare = func(a, b found) int { return cmp.Compare(a.info.Size(), b.info.Size()) }
		case "modified":
			compare = func(a, b found) int { return a.info.ModTime().Compare(b.info.ModTime()) }
		default:
			return nil, fmt.Errorf("want file:name, file:onlyname, file:ext, file:path, file:size or file:modified, with reverse: or ignoreCase: before it, have %q", part)
		}
		if reverse {
			forward := compare
			compare = func(a, b found) int { return forward(b, a) }
		}
		o = append(o, compare)
	}
	return o, nil
}

func (o order) sort(list []found) {
	slices.SortStableFunc(list, func(a, b found) int {
		for _, compare := range o {
			if c := compare(a, b); c != 0 {
				return c
			}
		}
		return 0
	})
}
