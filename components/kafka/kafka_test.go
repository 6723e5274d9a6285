package kafka_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// There is no broker here: test/brokers has what needs one.
func TestComponent(t *testing.T) {
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return kafka.New(kafka.Options{Brokers: []string{"127.0.0.1:1"}}) },
		Configs: []routetest.Config{
			kafka.Config{Topic: "orders.new"},
			kafka.Config{
				Topic: "Orders_7", GroupID: "g", AutoOffsetReset: kafka.Earliest, CommitInterval: time.Minute, SessionTimeout: time.Hour,
				RebalanceTimeout: 2 * time.Minute, Prefetch: 7, FetchMaxBytes: 1 << 20, MaxPartitionFetchBytes: 1 << 19, MetadataMaxAge: time.Minute,
				CreateTopic: true, Partitions: 3, Replication: 2, KeyHeader: "id", ConcurrentConsumers: 4, MaximumRedeliveries: 5, RedeliveryDelay: time.Second,
			},
		},
	})
}

func TestRefuses(t *testing.T) {
	components := route.Components{
		"kafka": kafka.New(kafka.Options{}),
		"bad": kafka.New(kafka.Options{
			Brokers: []string{"one:9092", "kafka://u:s3cret@two", "three:x"}, Password: "s3cret", Acks: "some", Compression: "rar", ConnectTimeout: -1,
			Linger: -1, MaxMessageBytes: 3, DeliveryTimeout: 7,
		}),
		"half": kafka.New(kafka.Options{Mechanism: kafka.ScramSHA256, Username: "u"}),
		"gss":  kafka.New(kafka.Options{Mechanism: "GSSAPI"}),
	}
	for u, wants := range map[route.URI][]string{
		"kafka:":                         {`nothing after "kafka:"`},
		"kafka:a b":                      {`want a topic of at most 249 letters, digits, dots, underscores and hyphens, have "a b"`},
		"kafka:..":                       {`want a topic`},
		"kafka:a?durable=x":              {`unknown option "durable"`},
		"kafka:a?maxInFlight=2":          {`unknown option "maxInFlight"`},
		"kafka:a?autoOffsetReset=middle": {`want earliest or latest, have "middle"`},
		"kafka:a?concurrentConsumers=0&prefetch=-1":              {`option "concurrentConsumers": want 1 to 10000, have 0`, `option "prefetch": want 1 to`},
		"kafka:a?sessionTimeout=10s&partitions=3":                {`option "sessionTimeout": is for members of a group`, `option "partitions": is for a topic that is made`},
		"kafka:a?groupId=g&commitInterval=1ms":                   {`option "commitInterval": want at least 100ms, have 1ms`},
		"kafka:a?createTopic=true&replication=0":                 {`option "replication": want 1 to 1000, have 0`},
		"kafka:a?fetchMaxBytes=2000&maxPartitionFetchBytes=3000": {`option "maxPartitionFetchBytes": want at most fetchMaxBytes, 2000, have 3000`},
		"kafka:a?maximumRedeliveries=-1":                         {`option "maximumRedeliveries"`},
		"bad:a": {
			"Brokers[1]: want host:port", "Brokers[2]", "Mechanism: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, since there is",
			`Acks: want all, leader or none, have "some"`, `Compression: want none, gzip, snappy, lz4 or zstd, have "rar"`, "ConnectTimeout", "Linger",
			"MaxMessageBytes: want 1024", "DeliveryTimeout: want at least 1s",
		},
		"half:a": {"SCRAM-SHA-256 needs a Username and a Password"},
		"gss:a":  {`want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, have "GSSAPI"`},
	} {
		_, err := route.New(route.Config{Components: components}, route.From(u))
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: have %v, want %q", u, err, want)
			}
		}
	}
}
