package sqlqueue_test

import (
	"os"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/sqlqueue"
)

// The page shows the tables as they are made.
func TestPageHasTables(t *testing.T) {
	page, err := os.ReadFile("../../docs/components/sqlqueue.md")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(sqlqueue.New(nowhere(t), sqlqueue.Options{Dialect: sqlqueue.PostgreSQL}).Schema(), ";\n\n") + ";\n"
	if !strings.Contains(string(page), "```sql\n"+want+"```") {
		t.Errorf("the page does not have\n%s", want)
	}
}

// A schema goes where the database wants it.
func TestSchema(t *testing.T) {
	for dialect, want := range map[sqlqueue.Dialect]string{
		sqlqueue.PostgreSQL: "CREATE INDEX IF NOT EXISTS q_next ON app.q (",
		sqlqueue.SQLite:     "CREATE INDEX IF NOT EXISTS app.q_next ON q (",
		sqlqueue.MySQL:      "CREATE TABLE IF NOT EXISTS app.q_groups (",
	} {
		text := strings.Join(sqlqueue.New(nowhere(t), sqlqueue.Options{Dialect: dialect, Table: "app.q"}).Schema(), "\n")
		if !strings.Contains(text, want) || strings.Contains(text, "QUEUE") || !strings.Contains(text, "app.q_turns") {
			t.Errorf("%s: have\n%s\nwant %s", dialect, text, want)
		}
	}
}
