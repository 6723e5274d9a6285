package file

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

func (s *Store) values() string { return filepath.Join(s.dir, "values") }

func (s *Store) value(key string, p pointer) string {
	return filepath.Join(s.values(), key+"@"+p.String())
}

// read returns the record's pointer and its value, the value only if its version
// is not known.
func (s *Store) read(ctx context.Context, key string, known cluster.Version) (pointer, []byte, error) {
	var broken pointer
	for {
		p, err := s.current(ctx, key)
		if err != nil || p.version == 0 || p.version == known {
			return p, nil, err
		}
		value, err := os.ReadFile(s.value(key, p))
		switch {
		case err == nil && crc32.ChecksumIEEE(value) == p.sum:
			return p, value, nil
		case err != nil && !errors.Is(err, os.ErrNotExist):
			return pointer{}, nil, fmt.Errorf("cluster/file: read record %q: %w", key, err)
		case p != broken:
			broken = p // look again: a writer may just have replaced it
		case durable(key):
			return pointer{}, nil, fmt.Errorf("cluster/file: %s: not the value that was stored as version %d of record %q; "+
				"with all members stopped, remove %s", s.value(key, p), p.version, key, s.record(key))
		default:
			return pointer{}, nil, nil
		}
		if err := ctx.Err(); err != nil {
			return pointer{}, nil, err
		}
	}
}

// writeValue writes the value that next will point to. Nobody reads it before.
func (s *Store) writeValue(key string, next pointer, value []byte) error {
	f, err := os.OpenFile(s.value(key, next), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrNotExist) { // the folder was deleted by hand
		if err = s.layout(); err == nil {
			f, err = os.OpenFile(s.value(key, next), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		}
	}
	if err != nil {
		return fmt.Errorf("cluster/file: write record %q: %w", key, err)
	}
	_, err = f.Write(value)
	if err == nil && durable(key) {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil && durable(key) {
		err = syncDir(s.values())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("cluster/file: write record %q: %w", key, err), s.removeValue(key, next))
	}
	return nil
}

func (s *Store) removeValue(key string, p pointer) error {
	err := os.Remove(s.value(key, p))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cluster/file: %w", err)
	}
	return nil
}

// sweep removes what killed processes left. A value may go if the record is at
// its version or beyond and it is not the record's own: a writer that still meant
// to point to it, however long it was paused, has lost its source by now.
func (s *Store) sweep() error {
	names, err := readNames(s.values())
	if err != nil {
		return err
	}
	for _, name := range names {
		key, rest, _ := strings.Cut(name, "@")
		p, ok := parsePointer(rest)
		if !ok {
			return fmt.Errorf("cluster/file: %s: not a file of this store; remove it", filepath.Join(s.values(), name))
		}
		cur, err := s.current(context.Background(), key)
		if err != nil {
			return err
		}
		if cur != p && cur.version >= p.version {
			if err := s.removeValue(key, p); err != nil {
				return err
			}
		}
	}
	// A folder taken away from a paused process makes it try once more.
	made, err := readNames(filepath.Join(s.dir, "new"))
	for _, name := range made {
		path := filepath.Join(s.dir, "new", name)
		if info, statErr := os.Lstat(path); statErr == nil && time.Since(info.ModTime()) > time.Minute {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	return err
}
