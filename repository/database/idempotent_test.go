package database_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/repository/database"
)

// What it does with a database is tested in test/repository, with drivers.
func TestNewIdempotentMistakes(t *testing.T) {
	_, err := database.NewIdempotent(nil, "", database.Options{
		Dialect: "oracle", Table: "a; DROP TABLE b", Expiry: -1, Orphan: -time.Second,
	})
	want := `idempotent repository: want a *sql.DB, have nil
want the name of a processor with 1 to 255 bytes, have ""
want a dialect such as database.PostgreSQL, have "oracle"
want the name of a table, have "a; DROP TABLE b"
want times that are not negative, have Expiry -1ns, Orphan -1s`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
	for _, o := range []database.Options{
		{Dialect: database.MySQL},
		{Dialect: database.SQLite, Table: "seen"},
		{Dialect: database.PostgreSQL, Table: "routes.seen", Expiry: time.Hour, Orphan: time.Minute},
	} {
		if _, err := database.NewIdempotent(new(sql.DB), "orders", o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := database.NewIdempotent(new(sql.DB), strings.Repeat("x", 256), database.Options{Dialect: database.MySQL}); err == nil {
		t.Error("a long name is taken")
	}
}
