// Package dialect knows how databases differ, for packages that write SQL.
package dialect

import (
	"database/sql"
	"reflect"
	"strconv"
	"strings"
)

// Of returns sqlite, postgres, mysql, oracle or sqlserver, as the driver of db is for one of
// those, or "" where it is an unknown one. MySQL is MariaDB too.
func Of(db *sql.DB) string {
	t := reflect.TypeOf(db.Driver())
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for _, known := range []struct{ path, dialect string }{
		{"jackc/pgx", "postgres"},
		{"lib/pq", "postgres"},
		{"go-sql-driver/mysql", "mysql"},
		{"modernc.org/sqlite", "sqlite"},
		{"go-sqlite3", "sqlite"},
		{"zombiezen.com/go/sqlite", "sqlite"},
		{"godror", "oracle"},
		{"go-ora", "oracle"},
		{"go-mssqldb", "sqlserver"},
	} {
		if strings.Contains(t.PkgPath(), known.path) {
			return known.dialect
		}
	}
	return ""
}

// Numbered writes $1, $2 and so on for each ? of a statement, as PostgreSQL wants it. The
// statement has no ? in quotes.
func Numbered(text string) string {
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(text, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}
