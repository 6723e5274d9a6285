package file

import (
	"context"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

// counter is the record from which a record made anew takes its first version.
// It is no valid key: nobody else sees it.
const counter = "+versions"

// block is how many versions a record takes from the counter at a time, about a
// millisecond of microseconds. Its later versions count up inside the block, so
// that an update rarely needs a second record.
const block = 1 << 10

// block takes the next block of versions and returns its first: beyond every one
// taken before, beyond prev, and beyond all this Store has seen. The counter never
// falls behind the wall clock, so versions are not repeated either where the
// counter itself was deleted.
func (s *Store) block(ctx context.Context, prev cluster.Version) (cluster.Version, error) {
	for {
		cur, err := s.find(ctx, counter)
		if err != nil {
			return 0, err
		}
		floor := max(cur.version, prev, s.highest(), cluster.Version(time.Now().UnixMicro()))
		next := newPointer((floor/block+1)*block, nil)
		if taken, err := s.swap(counter, cur, next, nil); taken || err != nil {
			return next.version, err
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
}
