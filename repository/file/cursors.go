package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"unicode/utf8"

	"github.com/mehari-go/mehari/route"
)

// Cursors are [route.Cursors] in a folder, for a program of which there is one replica:
//
//	cursors, err := file.OpenCursors("/var/lib/orders/cursors")
//	…
//	defer cursors.Close()
//	route.New(route.Config{Cursors: cursors, …
//
// Each cursor is a file, which is replaced as a whole, and has reached the disk when a
// store returns. The folder is one process's at a time; on Linux, macOS and the BSDs
// this is kept by a lock. All methods may be called from many goroutines at once.
type Cursors struct {
	folder string
	lock   *os.File

	mu     sync.Mutex
	closed bool
	open   map[string]bool
}

var _ route.Cursors = (*Cursors)(nil)

const (
	maxCursor     = 4 << 10
	maxCursorName = 256
)

// OpenCursors opens the cursors in a folder, which is made if it is not there.
func OpenCursors(folder string) (*Cursors, error) {
	if folder == "" {
		return nil, errors.New("cursors: no folder given")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("cursors: %w", err)
	}
	lock, err := acquire(filepath.Join(folder, ".lock"))
	if err != nil {
		return nil, fmt.Errorf("cursors in %q: %w", folder, err)
	}
	return &Cursors{folder: folder, lock: lock, open: map[string]bool{}}, nil
}

// Open implements [route.Cursors].
func (c *Cursors) Open(name string) (route.Cursor, error) {
	if name == "" || len(name) > maxCursorName {
		return nil, fmt.Errorf("cursor: want a name of 1 to %d bytes, have %d", maxCursorName, len(name))
	}
	if !utf8.ValidString(name) {
		return nil, fmt.Errorf("cursor: the name %q is not UTF-8", name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, fmt.Errorf("cursor %q: the folder %q is closed", name, c.folder)
	case c.open[name]:
		return nil, fmt.Errorf("the cursor %q is in use by another consumer: the names of both must differ", name)
	}
	c.open[name] = true
	sum := sha256.Sum256([]byte(name))
	return &cursor{all: c, name: name, path: filepath.Join(c.folder, hex.EncodeToString(sum[:16])+".json")}, nil
}

// Close gives the folder back. Cursors that are open fail from then on. It returns nil
// if that was done before.
func (c *Cursors) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	return c.lock.Close()
}

// A cursor is one file.
type cursor struct {
	all  *Cursors
	name string
	path string
}

// A cursorText is a cursor as JSON.
type cursorText struct {
	Name  string `json:"name"`
	Value []byte `json:"value"`
}

// Load implements [route.Cursor].
func (c *cursor) Load(context.Context) ([]byte, error) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	if err := c.usable(); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(c.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cursor %q: %w", c.name, err)
	}
	var text cursorText
	if err := json.Unmarshal(data, &text); err != nil {
		return nil, fmt.Errorf("cursor %q: %s: %w", c.name, c.path, err)
	}
	if text.Name != c.name {
		return nil, fmt.Errorf("cursor %q: %s is that of %q", c.name, c.path, text.Name)
	}
	return text.Value, nil
}

// Store implements [route.Cursor].
func (c *cursor) Store(_ context.Context, value []byte) error {
	if len(value) > maxCursor {
		return fmt.Errorf("cursor %q: want at most %d bytes, have %d", c.name, maxCursor, len(value))
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	if err := c.usable(); err != nil {
		return err
	}
	data, err := json.Marshal(cursorText{c.name, value})
	if err != nil {
		return fmt.Errorf("cursor %q: %w", c.name, err)
	}
	if err := replace(c.path, data); err != nil {
		return fmt.Errorf("cursor %q: %w", c.name, err)
	}
	return nil
}

// Close implements [route.Cursor].
func (c *cursor) Close() error {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	delete(c.all.open, c.name)
	return nil
}

func (c *cursor) usable() error {
	if c.all.closed {
		return fmt.Errorf("cursor %q: the folder %q is closed", c.name, c.all.folder)
	}
	return nil
}

// replace puts a file with data in the place of the one at path, or leaves that as it was.
func replace(path string, data []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}
