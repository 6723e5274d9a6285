package sqlqueue

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/mehari-go/mehari/internal/dialect"
)

// statements are those of one table.
type statements struct {
	dialect Dialect
	names   *strings.Replacer

	create   []string
	alone    string // makes others wait that create too; "" where they need not
	send     string // topic, uuid, headers, body, delay, topic, topic; with MySQL see insert
	grouped  string // topic, group; tells whether the group is known
	register string // topic, group
	candid   string // topic, group; makes the group known to those that take turns
}

func (d Dialect) statements(table string) statements {
	s := statements{dialect: d, create: d.schema(table)}
	s.names = strings.NewReplacer("QUEUE", table, "NOW", d.now())
	ignore, conflict := "", " ON CONFLICT DO NOTHING"
	text, bytes, number := "?", "?", "?"
	switch d {
	case MySQL:
		ignore, conflict = " IGNORE", ""
	case PostgreSQL: // a parameter that is selected has no type of its own
		text, bytes, number = "CAST(? AS TEXT)", "CAST(? AS BYTEA)", "CAST(? AS BIGINT)"
	}
	if d == PostgreSQL {
		s.alone = s.text("SELECT pg_advisory_xact_lock(hashtext('QUEUE'))")
	}
	s.send = s.text("INSERT INTO QUEUE (topic, group_name, uuid, headers, body, sent, due) SELECT " +
		text + ", g.group_name, " + text + ", " + text + ", " + bytes + ", NOW, NOW + " + number + " FROM " +
		"(SELECT group_name FROM QUEUE_groups WHERE topic = ? UNION ALL " +
		"SELECT '' WHERE NOT EXISTS (SELECT 1 FROM QUEUE_groups WHERE topic = ?)) AS g")
	s.grouped = s.text("SELECT COUNT(*) FROM QUEUE_groups WHERE topic = ? AND group_name = ?")
	s.register = s.text("INSERT" + ignore + " INTO QUEUE_groups (topic, group_name) VALUES (?, ?)" + conflict)
	s.candid = s.text("INSERT" + ignore + " INTO QUEUE_turns (topic, group_name) VALUES (?, ?)" + conflict)
	return s
}

// groups returns the statement for the groups of a topic, which has no parameters.
func (s *statements) groups(topic string) string {
	return s.text("SELECT group_name FROM QUEUE_groups WHERE topic = ") + "X'" + hex.EncodeToString([]byte(topic)) + "'"
}

// insert returns the statement that sends to so many groups, where a statement that sends to those
// that it selects would make others wait until it has ended, and a new group until its
// transaction has. Its parameters are, for each: topic, group, uuid, headers, body, delay.
func (s *statements) insert(groups int) string {
	const row = "(?, ?, ?, ?, ?, NOW, NOW + ?)"
	return s.text("INSERT INTO QUEUE (topic, group_name, uuid, headers, body, sent, due) VALUES " + row + strings.Repeat(", "+row, groups-1))
}

// text writes the names of the tables and the placeholders of the dialect into a statement.
func (s *statements) text(t string) string {
	t = s.names.Replace(t)
	if s.dialect == PostgreSQL {
		t = dialect.Numbered(t)
	}
	return t
}

// takings are the statements of one subscriber. Its name and the numbers are part of the text: they
// are ours, and a statement without parameters is one way to the server and back with each driver.
type takings struct {
	*statements

	peek  string // topic, group; tells whether claim may find something
	claim string // topic, group; returns what has been claimed, or with MySQL what is locked
	mark  string // ids; MySQL only: claims what is locked

	lead   string // topic, group; nothing is changed where another one leads
	retire string // topic, group

	// Of rows that are still the subscriber's.
	renew  string // ids
	settle string // ids
	back   string // ids; as it was before it was claimed
	free   string // ids; as one that has been given
	bury   string // topic, ids

	sweep string // topic, group
}

const (
	columns = "id, due, uuid, headers, body, sent, deliveries"

	// sweepLimit is how many rows are deleted at a time.
	sweepLimit = 1000
)

func (s *statements) takings(holder string, c Config) *takings {
	number := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	lock := " FOR UPDATE SKIP LOCKED"
	if c.Ordered {
		lock = " FOR UPDATE" // to skip is to overtake
	}
	held := "held_until = NOW + " + number(c.ackWait()) + ", holder = '" + holder + "'"
	mine := " WHERE holder = '" + holder + "' AND id " + s.among()
	ready := " FROM QUEUE WHERE topic = ? AND group_name = ? AND done = 0 AND due <= NOW"
	if !c.Ordered { // who leads may take what the leader before has left
		ready += " AND held_until <= NOW"
	}
	next := ready + " ORDER BY due, id LIMIT " + strconv.Itoa(c.batchSize())
	t := &takings{
		statements: s,
		peek:       s.text("SELECT 1" + ready + " LIMIT 1"),
		lead:       s.text("UPDATE QUEUE_turns SET " + held + " WHERE topic = ? AND group_name = ? AND (holder = '" + holder + "' OR held_until <= NOW)"),
		retire:     s.text("UPDATE QUEUE_turns SET held_until = 0 WHERE topic = ? AND group_name = ? AND holder = '" + holder + "'"),
		renew:      s.text("UPDATE QUEUE SET " + held + mine),
		settle:     s.text("DELETE FROM QUEUE" + mine),
		back:       s.text("UPDATE QUEUE SET held_until = 0, holder = '', deliveries = deliveries - 1" + mine),
		free:       s.text("UPDATE QUEUE SET held_until = 0, holder = ''" + mine),
		bury:       s.text("UPDATE QUEUE SET topic = ?, group_name = '', held_until = 0, holder = '', deliveries = 0" + mine),
	}
	if c.Retain > 0 {
		t.settle = s.text("UPDATE QUEUE SET done = NOW, held_until = 0, holder = ''" + mine)
	}
	old := " WHERE topic = ? AND group_name = ? AND done > 0 AND done < NOW - " + number(c.Retain)
	claim := held + ", deliveries = deliveries + 1"
	switch s.dialect {
	case PostgreSQL:
		t.claim = s.text("WITH next AS MATERIALIZED (SELECT id" + next + lock + ") " +
			"UPDATE QUEUE AS m SET " + claim + " FROM next WHERE m.id = next.id RETURNING m." + strings.ReplaceAll(columns, ", ", ", m."))
	case MySQL:
		t.claim = s.text("SELECT id, due, uuid, headers, body, sent, deliveries + 1" + next + lock)
		t.mark = s.text("UPDATE QUEUE SET " + claim + " WHERE id " + s.among())
		t.sweep = s.text("DELETE FROM QUEUE" + old + " LIMIT " + strconv.Itoa(sweepLimit))
		return t
	default:
		t.claim = s.text("UPDATE QUEUE SET " + claim + " WHERE id IN (SELECT id" + next + ") RETURNING " + columns)
	}
	t.sweep = s.text("DELETE FROM QUEUE WHERE id IN (SELECT id FROM QUEUE" + old + " LIMIT " + strconv.Itoa(sweepLimit) + ")")
	return t
}

// among is the condition for ids. With PostgreSQL they are one parameter, so that there is one
// text for any number of them; see with.
func (s *statements) among() string {
	if s.dialect == PostgreSQL {
		return "= ANY(CAST(CAST(? AS TEXT) AS BIGINT[]))"
	}
	return "IN (IDS)"
}

// with returns a statement and its parameters for ids.
func (s *statements) with(text string, ids []int64, args ...any) (string, []any) {
	if s.dialect == PostgreSQL {
		return text, append(args, "{"+listed(ids)+"}")
	}
	return strings.Replace(text, "IDS", listed(ids), 1), args
}
