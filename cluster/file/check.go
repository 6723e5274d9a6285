package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// The folders in the folder.
var folders = []string{"records", "values", "new", "locks"}

// Check returns an error that names the path if the folder cannot be made, read
// or written, is a file, is on a network file system, or holds something else
// than the files of this package. Names that begin with a dot, and lost+found,
// do not count.
func (s *Store) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.check()
}

func (s *Store) check() error {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		if errors.Is(err, syscall.ENOTDIR) {
			return fmt.Errorf("cluster/file: %s: want a folder, there is a file: %w", s.dir, err)
		}
		return fmt.Errorf("cluster/file: make folder: %w", err)
	}
	if err := checkLocal(s.dir); err != nil {
		return err
	}
	names, err := readNames(s.dir)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(folders, name) || name == "lost+found" })
	if len(names) != 0 {
		slices.Sort(names)
		return fmt.Errorf("cluster/file: %s holds something else (%q): want an empty folder, or one made by this store",
			s.dir, names[:min(len(names), 3)])
	}
	if err := s.layout(); err != nil {
		return err
	}
	var errs []error
	for _, name := range folders {
		errs = append(errs, tryWrite(filepath.Join(s.dir, name)))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.checkRecords()
}

// checkRecords refuses records that are not folders with a pointer, and broken
// values.
func (s *Store) checkRecords() error {
	names, err := readNames(s.records())
	if err != nil {
		return err
	}
	var errs []error
	for _, key := range names {
		if !validKey(key) && key != counter {
			errs = append(errs, fmt.Errorf("cluster/file: %s: not a file of this store; remove it", s.record(key)))
			continue
		}
		_, _, err := s.read(context.Background(), key, 0)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// layout makes the folders that are missing.
func (s *Store) layout() error {
	for _, name := range folders {
		path := filepath.Join(s.dir, name)
		if err := os.MkdirAll(path, 0o777); err != nil {
			return fmt.Errorf("cluster/file: make folder: %w", err)
		}
	}
	return nil
}

// tryWrite makes and removes a file in a folder.
func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".check-")
	if err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err
		}
		return fmt.Errorf("cluster/file: %s: cannot write there: %w", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// syncDir makes the names in a folder survive a crash of the machine, on systems
// where a folder can be synced.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil // deleted by hand: there is nothing that could survive
	}
	if err != nil {
		return fmt.Errorf("cluster/file: %w", err)
	}
	err = f.Sync()
	if unsyncable(err) {
		err = nil
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cluster/file: sync %s: %w", dir, err)
	}
	return nil
}

// unsyncable reports whether err says that folders cannot be synced here: Windows
// denies it, some file systems do not know it.
func unsyncable(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, os.ErrPermission)
}
