//go:build unix

package scenarios

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Interest is booked each second, whoever leads: leaders are killed and stopped, a statement
// of one that is stopped arrives late, and in the end no tick is missing and none has paid
// twice.
func TestScheduledDB(t *testing.T) {
	t.Parallel()
	db := postgres(t)
	program, folder := build(t, "scheduled-db"), t.TempDir()
	var replicas []*replica
	links := map[*replica]*link{}
	var probes []string
	for i := range 3 {
		name := fmt.Sprint("replica ", i+1)
		l, address := connect(t, db.addr), freeAddress(t)
		r := start(t, name, program, []string{"DATABASE_URL=" + db.url(l.addr)}, "-name", name, "-cluster", folder, "-probes", address[strings.LastIndex(address, ":"):]) // as in the manifests
		replicas, links[r], probes = append(replicas, r), l, append(probes, address)
	}
	for _, address := range probes {
		answers(t, "http://"+address+"/livez")
		answers(t, "http://"+address+"/readyz") // also where it does not lead
	}
	// leads waits until the leader has booked some ticks.
	leads := func() (*replica, uint64) {
		t.Helper()
		r, token := leader(t, replicas, "interest")
		eventually(t, fmt.Sprintf("%s books interest", r.name), func() bool {
			r, token = leader(t, replicas, "interest") // it may lose touch on a busy machine
			return value[int](t, db, "select count(*) from ticks where token = $1", token) >= 2
		})
		return r, token
	}

	killed, first := leads()
	killed.kill()
	stopped, token := leads()
	killed.again()

	held := links[stopped].hold('B') // a statement: Bind in PostgreSQL's protocol
	select {
	case <-held:
	case <-time.After(patience):
		t.Fatal("no statement to hold up")
	}
	stopped.stop()
	_, next := leads()
	if first >= token || token >= next {
		t.Errorf("the tokens are %d, %d, %d: want them to grow", first, token, next)
	}
	links[stopped].release()
	refused := fmt.Sprintf("token %d of lock interest is stale", token)
	eventually(t, "the late statement is refused", func() bool { return db.says(refused) })
	stopped.resume()

	for range 2 { // now wherever it happens to be
		r, _ := leads()
		r.stop()
		leads()
		r.resume()
	}
	r, _ := leads()
	for _, l := range links { // the database is away
		l.cut()
	}
	time.Sleep(2 * time.Second)
	for _, l := range links {
		l.mend()
	}
	r.end()
	leads()
	for _, other := range replicas {
		if other != r {
			other.end()
		}
	}

	n := value[int](t, db, "select count(*) from ticks")
	if missing := column[time.Time](t, db, `
		select due from (select generate_series(min(due), max(due), '1 second') due from ticks) wanted
		except select due from ticks order by 1`); len(missing) > 0 {
		t.Errorf("%d ticks are missing: %v", len(missing), missing)
	}
	if wrong := column[int64](t, db, "select balance from accounts where balance <> $1", n); len(wrong) > 0 {
		t.Errorf("after %d ticks there are accounts with %v", n, wrong)
	}
	if back := column[time.Time](t, db, `
		select due from (select due, token, max(token) over (order by due) greatest from ticks) all_ticks
		where token < greatest`); len(back) > 0 {
		t.Errorf("an earlier leader has booked after a later one: %v", back)
	}
	terms := value[int](t, db, "select count(distinct token) from ticks")
	t.Logf("%d ticks in %d terms", n, terms)
	if terms < 6 {
		t.Errorf("%d terms only", terms)
	}
}
