package route

import "context"

// Cursors keep a [Cursor] for each consumer that wants one. What keeps them is of the
// place where the consumer runs: under a lock of a cluster they travel with the lock,
// otherwise [Config.Cursors] keeps them.
type Cursors interface {
	// Open returns the cursor with a name of 1 to 256 bytes, which the consumer chooses so
	// that it is the same after a restart and in every replica. A cursor can be open once
	// at a time, because two consumers with one would lose each other's messages: the
	// second is told so.
	Open(name string) (Cursor, error)
}

// A Cursor is a small value by which a consumer knows after a restart, and on another
// replica, how far it has come: an offset, the time of the last tick. It may be used by
// many goroutines at once.
type Cursor interface {
	// Load returns what was stored last, nil where there is nothing.
	Load(ctx context.Context) ([]byte, error)

	// Store keeps a value of up to 4096 bytes. After nil it survives the process. The
	// context is best that of [Work]: what is in flight when the consumer stops counts too.
	Store(ctx context.Context, value []byte) error

	// Close lets another consumer open the cursor. It keeps the value.
	Close() error
}

type cursorsKey struct{}

// WithCursors returns a context by which a consumer finds its cursors, for components
// that wrap another's consumer. It is made before [WithWork].
func WithCursors(ctx context.Context, c Cursors) context.Context {
	return context.WithValue(ctx, cursorsKey{}, c)
}

// CursorsFrom returns what keeps the cursors of the consumer that was given ctx; false
// where nothing does.
func CursorsFrom(ctx context.Context) (Cursors, bool) {
	c, ok := ctx.Value(cursorsKey{}).(Cursors)
	return c, ok
}
