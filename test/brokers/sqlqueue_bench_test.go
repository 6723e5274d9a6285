//go:build unix

package brokers

import (
	"database/sql"
	"testing"
)

func testSQLQueueThroughput(t *testing.T, db *sql.DB) {}
