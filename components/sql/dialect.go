package sql

import (
	"cmp"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/mehari-go/mehari/internal/dialect"
)

// A Dialect is how a database is told where the parameters of a statement are, and what it
// takes for a quoted text.
type Dialect string

// The dialects. MySQL is that of MariaDB too.
const (
	SQLite     Dialect = "sqlite"    // ?
	PostgreSQL Dialect = "postgres"  // $1
	MySQL      Dialect = "mysql"     // ?
	Oracle     Dialect = "oracle"    // :1
	SQLServer  Dialect = "sqlserver" // @p1
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Dialect) UnmarshalText(text []byte) error {
	switch v := Dialect(text); v {
	case SQLite, PostgreSQL, MySQL, Oracle, SQLServer:
		*d = v
		return nil
	}
	return fmt.Errorf("want %s, %s, %s, %s or %s, have %q", SQLite, PostgreSQL, MySQL, Oracle, SQLServer, text)
}

// dialectOf returns the dialect of the driver of db, SQLite's where it is unknown: most others
// write ? too.
func dialectOf(db *sql.DB) Dialect {
	return cmp.Or(Dialect(dialect.Of(db)), SQLite)
}

// appendPlaceholder writes where the n-th parameter is, from 1.
func (d Dialect) appendPlaceholder(dst []byte, n int) []byte {
	switch d {
	case PostgreSQL:
		dst = append(dst, '$')
	case Oracle:
		dst = append(dst, ':')
	case SQLServer:
		dst = append(dst, "@p"...)
	default:
		return append(dst, '?')
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// quoted returns the length of the quoted text or comment that text[i:] begins with, 0 if it
// does with none, and -1 if it has no end.
func (d Dialect) quoted(text string, i int) int {
	rest := text[i:]
	after := func(begin int, end string) int {
		if n := strings.Index(rest[begin:], end); n >= 0 {
			return begin + n + len(end)
		}
		return -1
	}
	switch {
	case strings.HasPrefix(rest, "--"):
		if n := strings.IndexByte(rest, '\n'); n >= 0 {
			return n
		}
		return len(rest)
	case strings.HasPrefix(rest, "/*"):
		return after(2, "*/")
	case rest[0] == '\'' && (d == MySQL || d == PostgreSQL && i > 0 && text[i-1]|0x20 == 'e'), rest[0] == '"' && d == MySQL:
		for n := 1; n < len(rest); n++ {
			switch rest[n] {
			case '\\':
				n++
			case rest[0]:
				return n + 1
			}
		}
		return -1
	case rest[0] == '\'' || rest[0] == '"' || rest[0] == '`': // a doubled quote begins another one
		return after(1, rest[:1])
	case rest[0] == '[' && d == SQLServer:
		return after(1, "]")
	case rest[0] == '$' && d == PostgreSQL:
		n := 1
		for n < len(rest) && isWord(rest[n]) {
			n++
		}
		if n < len(rest) && rest[n] == '$' && (n == 1 || !isDigit(rest[1])) {
			return after(n+1, rest[:n+1])
		}
	}
	return 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }
