//go:build unix

package brokers

import (
	"database/sql"
	"fmt"
	"testing"

	library "github.com/ThreeDotsLabs/watermill"
	adapter "github.com/ThreeDotsLabs/watermill-sql/v4/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/route"
)

// The adapter's subscribers of one group take turns for a topic, so that there is one of each; and
// eight that send. Its batches have 100 messages. For SQLite there is none.
func testSQLQueueThroughput(t *testing.T, driver string, db *sql.DB) {
	binary := func(string) string { return map[string]string{"pgx": "BYTEA", "mysql": "LONGBLOB"}[driver] }
	var schema adapter.SchemaAdapter
	var offsets adapter.OffsetsAdapter
	switch driver {
	case "pgx":
		schema, offsets = adapter.DefaultPostgreSQLSchema{GeneratePayloadType: binary}, adapter.DefaultPostgreSQLOffsetsAdapter{}
	case "mysql":
		schema, offsets = adapter.DefaultMySQLSchema{GeneratePayloadType: binary}, adapter.DefaultMySQLOffsetsAdapter{}
	default:
		n := count(1000)
		c := contest{bridge: sqlQueue(db, "&batchSize=100"), consumers: 8}
		sent, taken := c.measureOurs(t, "bench", n)
		t.Logf("ours sends %.0f, takes %.0f messages/s of 1 KB; there is no adapter", float64(n)/sent.Seconds(), float64(n)/taken.Seconds())
		return
	}
	for _, options := range []string{"batchSize=100", "batchSize=100&ordered=true", ""} {
		t.Run("with "+options, func(t *testing.T) {
			if testing.Short() && options != "batchSize=100" {
				t.Skip("long")
			}
			c := contest{bridge: sqlQueue(db, ""), consumers: 8, subscribers: 1}
			c.from = func(topic string) route.URI { return route.URI(fmt.Sprintf("b:%s?%s", topic, options)) }
			c.bare = func(t *testing.T) (message.Publisher, message.Subscriber) {
				p, err := adapter.NewPublisher(adapter.BeginnerFromStdSQL(db), adapter.PublisherConfig{SchemaAdapter: schema, AutoInitializeSchema: true}, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				s, err := adapter.NewSubscriber(adapter.BeginnerFromStdSQL(db), adapter.SubscriberConfig{SchemaAdapter: schema, OffsetsAdapter: offsets, InitializeSchema: true, ConsumerGroup: "bench"}, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				return p, s
			}
			c.run(t, 1000, 2)
		})
	}
}
