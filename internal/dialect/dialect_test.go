package dialect_test

import (
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/mehari-go/mehari/internal/dialect"
)

func TestNumbered(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"SELECT 1":                         "SELECT 1",
		"?":                                "$1",
		"INSERT INTO t VALUES (?, ?, 'a')": "INSERT INTO t VALUES ($1, $2, 'a')",
		"?,?,?,?,?,?,?,?,?,?,? AND x = ?":  "$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11 AND x = $12",
	} {
		if got := dialect.Numbered(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

type unknown struct{}

func (*unknown) Open(string) (driver.Conn, error) { return nil, driver.ErrBadConn }

func TestUnknown(t *testing.T) {
	sql.Register("unknown", &unknown{})
	db, err := sql.Open("unknown", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := dialect.Of(db); got != "" {
		t.Errorf("the driver of a test is for %q", got)
	}
}
