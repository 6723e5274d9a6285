package sqlqueue

import (
	"database/sql"
	"strconv"
	"strings"

	"github.com/mehari-go/mehari/internal/dialect"
)

// A Dialect is the SQL that a database understands.
type Dialect string

// The dialects. MySQL is that of MariaDB too: MySQL 8.0.1 and MariaDB 10.6 are the first that can
// skip locked rows.
const (
	PostgreSQL Dialect = "postgres"
	MySQL      Dialect = "mysql"
	SQLite     Dialect = "sqlite"
)

func (d Dialect) known() bool { return d == PostgreSQL || d == MySQL || d == SQLite }

func dialectOf(db *sql.DB) Dialect { return Dialect(dialect.Of(db)) }

// now is the time in milliseconds since 1970, by the clock of the database: those of the
// processes need not agree.
func (d Dialect) now() string {
	switch d {
	case PostgreSQL:
		return "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT)"
	case MySQL:
		return "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)"
	}
	return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
}

// listed returns numbers as the text that the array of a statement is made of, or as what is put
// into the text of a statement.
func listed(ids []int64) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(id, 10))
	}
	return b.String()
}
