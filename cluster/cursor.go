package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"
)

// CursorLimit is how many bytes the value of a [Cursor] may have.
const CursorLimit = 4 << 10

// longestCursor is how many bytes the name of a cursor may have.
const longestCursor = 256

// A Cursor is a small value that outlives a term: how far the work has come, such as
// an offset. The next term finds it as the last one left it, on whichever member.
//
// It is a record of its own beside those of the lock, written by compare-and-set, with
// the token of the term in it. The first Load or Store of a term makes the record that
// term's: from then on no earlier one can write it, however late its request comes. So
// what Load returns is what nobody but this term changes any more.
//
// A Cursor may be used by many goroutines at once.
type Cursor struct {
	term *term
	key  string
	name string

	mu      sync.Mutex
	claimed bool    // the record at version bears the token of the term
	version Version // as last seen, or 0
	value   []byte  // of the record at version
}

// Cursor returns the cursor called name that belongs to the lock of the term: any text
// of 1 to 256 bytes, so that the functions that share a lock can have one each. It does
// no I/O. All that ask under one name share the record.
func (t Term) Cursor(name string) *Cursor {
	c := &Cursor{term: t.t, name: name}
	if t.t != nil {
		c.key = cursorKey(t.t.lock, name)
	}
	return c
}

// cursorKey is a hash, because names may be longer than a store's keys.
func cursorKey(lock, name string) string {
	sum := sha256.Sum256([]byte(lock + "\x00" + name))
	return CursorPrefix + hex.EncodeToString(sum[:16])
}

// A cursorText is the record as JSON: the value as text, where it is text, so that
// people can read it.
type cursorText struct {
	Lock  string  `json:"lock"`
	Name  string  `json:"name"`
	Token Version `json:"token"`
	Text  string  `json:"text,omitempty"`
	Bytes []byte  `json:"bytes,omitempty"`
}

// Load returns the value that was stored last, in this term or in an earlier one; nil
// where there is none, or an empty one. It asks the store once in each term. The error is [ErrFenced]
// where a later term has been at the cursor.
func (c *Cursor) Load(ctx context.Context) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.claimed {
		if err := c.claim(ctx, nil); err != nil {
			return nil, c.failed("load", err)
		}
	}
	return slices.Clone(c.value), nil
}

// Store stores a value of up to [CursorLimit] bytes for the next term. When it returns
// nil, every later Load returns that value or one that was stored after it. The error is
// [ErrFenced] where a later term has been at the cursor: then nothing was stored. After
// any other error the value may have been stored or not. It works as long as no later
// term has begun, so that what ends with its term can still tell how far it came.
func (c *Cursor) Store(ctx context.Context, value []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(value) > CursorLimit {
		return c.failed("store", fmt.Errorf("want at most %d bytes, have %d", CursorLimit, len(value)))
	}
	if c.claimed {
		err := c.write(ctx, value)
		if !errors.Is(err, ErrConflict) {
			return c.failed("store", err)
		}
	}
	// Not read yet, or an answer was lost, or another has been here.
	return c.failed("store", c.claim(ctx, &value))
}

// claim reads the record and writes it anew with the token of the term: as it was, or
// with another value.
func (c *Cursor) claim(ctx context.Context, another *[]byte) error {
	if c.term == nil {
		return ErrStopped
	}
	if err := validName(c.name, longestCursor); err != nil {
		return fmt.Errorf("want a name: %w", err)
	}
	for {
		if err := c.read(ctx); err != nil {
			return err
		}
		value := c.value
		if another != nil {
			value = *another
		}
		// Also over a record that bears the token: a write of which the answer was lost
		// must not come after this.
		if err := c.write(ctx, value); !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

// read takes in the record as it is, and whether it bears the token of the term.
func (c *Cursor) read(ctx context.Context) error {
	c.claimed = false
	ctx, cancel := context.WithTimeout(ctx, c.term.patience)
	defer cancel()
	r, err := c.term.store.Get(ctx, c.key, 0)
	if err != nil {
		return err
	}
	c.version, c.value = r.Version, nil
	if r.Version == 0 {
		return nil
	}
	var text cursorText
	if err := json.Unmarshal(r.Value, &text); err != nil {
		return fmt.Errorf("record %q: %w", c.key, err)
	}
	if text.Lock != c.term.lock || text.Name != c.name {
		return fmt.Errorf("record %q is that of cursor %q of lock %q", c.key, text.Name, text.Lock)
	}
	if text.Token > c.term.token {
		return fmt.Errorf("record %q is of the later term %d, this one is %d: %w", c.key, text.Token, c.term.token, ErrFenced)
	}
	c.claimed = text.Token == c.term.token
	if c.value = text.Bytes; text.Text != "" {
		c.value = []byte(text.Text)
	}
	return nil
}

// write writes the record over the version seen last. What became of it is unknown
// after an error: then it is read before it is written again.
func (c *Cursor) write(ctx context.Context, value []byte) error {
	text := cursorText{Lock: c.term.lock, Name: c.name, Token: c.term.token}
	if utf8.Valid(value) {
		text.Text = string(value)
	} else {
		text.Bytes = value
	}
	ctx, cancel := context.WithTimeout(ctx, c.term.patience)
	defer cancel()
	version, err := c.term.store.Set(ctx, c.key, []byte(marshal(text)), c.version)
	if c.claimed = err == nil; c.claimed {
		c.version, c.value = version, slices.Clone(value)
	}
	return err
}

func (c *Cursor) failed(verb string, err error) error {
	if err == nil {
		return nil
	}
	lock := Term{c.term}.Lock()
	return fmt.Errorf("cluster: %s cursor %q of lock %q: %w", verb, c.name, lock, err)
}

// cursors is what a term needs for its cursors.
type cursors struct {
	store    Store
	patience time.Duration // with one request
}
