package database

import (
	"strings"

	"github.com/mehari-go/mehari/internal/dialect"
)

// A Dialect is the SQL that a database understands.
type Dialect string

// The dialects. MySQL is that of MariaDB too.
const (
	SQLite     Dialect = "sqlite"
	PostgreSQL Dialect = "postgres"
	MySQL      Dialect = "mysql"
)

func (d Dialect) known() bool { return d == SQLite || d == PostgreSQL || d == MySQL }

// statements are those of one table.
type statements struct {
	create   string
	insert   string // processor, key, time, confirmed; no row is changed, or it fails, where the key is there
	takeOver string // time, processor, key, orphaned before, expired before
	find     string // processor, key, orphaned before, expired before
	confirm  string // time, processor, key
	remove   string // processor, key
	clear    string // processor
	prune    string // processor, expired before
}

func (d Dialect) statements(table string) statements {
	text, when, ignore := "VARCHAR(255)", "TIMESTAMP(3)", " ON CONFLICT DO NOTHING"
	if d == MySQL {
		// Bytes compare as they are, text without case. ON DUPLICATE KEY UPDATE cannot be told
		// from an insertion under every setting of the driver, so that it must fail.
		text, when, ignore = "VARBINARY(255)", "DATETIME(3)", ""
	}
	s := func(text string) string { return d.placeholders(strings.ReplaceAll(text, "TABLE_NAME", table)) }
	return statements{
		create: s("CREATE TABLE IF NOT EXISTS TABLE_NAME (processorName " + text + " NOT NULL, messageId " + text + " NOT NULL, " +
			"createdAt " + when + " NOT NULL, confirmed SMALLINT DEFAULT 1 NOT NULL, PRIMARY KEY (processorName, messageId))"),
		insert: s("INSERT INTO TABLE_NAME (processorName, messageId, createdAt, confirmed) VALUES (?, ?, ?, ?)" + ignore),
		takeOver: s("UPDATE TABLE_NAME SET createdAt = ?, confirmed = 0 WHERE processorName = ? AND messageId = ? " +
			"AND (confirmed = 0 AND createdAt < ? OR createdAt < ?)"),
		find: s("SELECT confirmed FROM TABLE_NAME WHERE processorName = ? AND messageId = ? " +
			"AND (confirmed <> 0 OR createdAt >= ?) AND createdAt >= ?"),
		confirm: s("UPDATE TABLE_NAME SET createdAt = ?, confirmed = 1 WHERE processorName = ? AND messageId = ?"),
		remove:  s("DELETE FROM TABLE_NAME WHERE processorName = ? AND messageId = ?"),
		clear:   s("DELETE FROM TABLE_NAME WHERE processorName = ?"),
		prune:   s("DELETE FROM TABLE_NAME WHERE processorName = ? AND createdAt < ?"),
	}
}

// placeholders writes those of the dialect for ?.
func (d Dialect) placeholders(text string) string {
	if d != PostgreSQL {
		return text
	}
	return dialect.Numbered(text)
}
