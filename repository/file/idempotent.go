package file

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/mehari-go/mehari/route"
)

// Options are those of [OpenIdempotent]. The zero value is ready.
type Options struct {
	// Size is how many keys are kept; 0 means 100000. Those that were confirmed first are
	// forgotten first. They are in memory as well as in the file, which has at most about
	// twice as many lines.
	Size int

	// Sync makes every key that is confirmed wait for the disk, so that it also survives
	// the death of the machine. Without it, what was confirmed within the last seconds may
	// be forgotten then, and those messages are processed twice.
	Sync bool

	// Logger is for damage in the file and for failures to shorten it; nil means
	// slog.Default().
	Logger *slog.Logger
}

// Idempotent is a [route.IdempotentRepository] in a file. The file is one process's at a time;
// on Linux, macOS and the BSDs
// this is kept by a lock, on a file beside it whose name ends in ".lock". A key is
// in the file when it is confirmed: a message that was in flight when the process died
// passes again.
type Idempotent struct {
	path    string
	options Options
	lock    *os.File

	mu     sync.Mutex
	file   *os.File // nil once closed
	size   int64
	lines  int
	limit  int // how many lines there may be before it is shortened
	keys   map[string]uint64
	order  []ordered // of what was confirmed; some may be gone or have come again
	stood  int       // how many of those stand
	number uint64    // of the latest confirmation
}

var _ route.IdempotentRepository = (*Idempotent)(nil)

// An ordered key was confirmed by the confirmation with a number. In keys, 0 stands for one that
// is not.
type ordered struct {
	key    string
	number uint64
}

const defaultSize = 100_000

// maxKey is the length of a key in bytes.
const maxKey = 1 << 16

var errClosed = errors.New("the repository is closed")

// OpenIdempotent opens the repository in a file, which is made if it is not there. Its folder
// must be. What is damaged in the file, such as the end that was being written when the
// machine died, is left out and logged.
func OpenIdempotent(path string, options Options) (_ *Idempotent, err error) {
	if options.Size < 0 {
		return nil, fmt.Errorf("idempotent repository %q: want a size that is not negative, have %d", path, options.Size)
	}
	if options.Size == 0 {
		options.Size = defaultSize
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	r := &Idempotent{path: path, options: options, keys: map[string]uint64{}}
	if r.lock, err = acquire(path + ".lock"); err != nil {
		return nil, fmt.Errorf("idempotent repository %q: %w", path, err)
	}
	if err = r.open(); err != nil {
		if r.file != nil {
			r.file.Close()
		}
		r.lock.Close()
		return nil, fmt.Errorf("idempotent repository %q: %w", path, err)
	}
	return r, nil
}

func (r *Idempotent) open() (err error) {
	if r.file, err = os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	damaged, err := r.load()
	if err != nil {
		return err
	}
	if damaged > 0 {
		r.options.Logger.Warn("idempotent repository: damaged lines are left out", "file", r.path, "lines", damaged)
	}
	if damaged > 0 || r.lines > r.limit {
		return r.shorten()
	}
	return nil
}

// Add implements [route.IdempotentRepository]. The key is not in the file before it is
// confirmed.
func (r *Idempotent) Add(_ context.Context, key string) (bool, error) {
	if len(key) > maxKey {
		return false, fmt.Errorf("the key has %d bytes, want at most %d", len(key), maxKey)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return false, errClosed
	}
	if _, ok := r.keys[key]; ok {
		return false, nil
	}
	r.keys[key] = 0
	return true, nil
}

// Contains implements [route.IdempotentRepository].
func (r *Idempotent) Contains(_ context.Context, key string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return false, errClosed
	}
	_, ok := r.keys[key]
	return ok, nil
}

// Confirm implements [route.IdempotentRepository]. When it returns nil the key survives the
// process.
func (r *Idempotent) Confirm(_ context.Context, key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("the key has %d bytes, want at most %d", len(key), maxKey)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys[key] > 0 {
		return nil
	}
	if err := r.write(added, key); err != nil {
		return err
	}
	r.confirmed(key)
	return nil
}

// Remove implements [route.IdempotentRepository].
func (r *Idempotent) Remove(_ context.Context, key string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return errClosed
	}
	if r.keys[key] > 0 {
		if err := r.write(removed, key); err != nil {
			return err
		}
	}
	r.forget(key)
	return nil
}

// Clear forgets all keys.
func (r *Idempotent) Clear() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return errClosed
	}
	r.keys, r.order, r.stood = map[string]uint64{}, nil, 0
	return r.shorten()
}

// Len is how many keys there are, also those that are not confirmed.
func (r *Idempotent) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.keys)
}

// Close closes the file. It returns nil if that was done before.
func (r *Idempotent) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	err := errors.Join(r.file.Sync(), r.file.Close(), r.lock.Close())
	r.file = nil
	return err
}

// confirmed puts a key at the end of the order, and forgets the first one if there are too many.
func (r *Idempotent) confirmed(key string) {
	r.forget(key)
	r.number++
	r.stood++
	r.keys[key] = r.number
	r.order = append(r.order, ordered{key, r.number})
	for first := r.order[0]; r.stood > r.options.Size || !r.stands(first); first = r.order[0] {
		if r.stands(first) {
			r.forget(first.key)
		}
		r.order[0] = ordered{}
		r.order = r.order[1:]
	}
}

func (r *Idempotent) forget(key string) {
	if r.keys[key] > 0 {
		r.stood--
	}
	delete(r.keys, key)
}

// stands tells whether a key was neither removed nor confirmed again.
func (r *Idempotent) stands(o ordered) bool { return r.keys[o.key] == o.number }
