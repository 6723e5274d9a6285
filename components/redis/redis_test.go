package redis_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/redis"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// There is no server here: test/brokers has what needs one.

func TestComponent(t *testing.T) {
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return redis.New(redis.Options{Addresses: []string{"127.0.0.1:1"}}) },
		Configs: []routetest.Config{
			redis.Config{Stream: "orders"},
			redis.Config{
				Stream: "a/b:c", ConsumerGroup: "g", Start: redis.StartNew, MaxIdle: time.Minute, ClaimInterval: 2 * time.Second, Prefetch: 7,
				BlockTime: time.Second, MaxLength: 9, ConcurrentConsumers: 2, MaxInFlight: 3, KeyHeader: "k", MaximumRedeliveries: 4, RedeliveryDelay: time.Minute,
			},
		},
	})
}

func TestRefuses(t *testing.T) {
	components := route.Components{
		"redis": redis.New(redis.Options{}),
		"bad": redis.New(redis.Options{
			Addresses: []string{"nowhere"}, Cluster: true, Master: "m", Database: -1, Username: "u", ConnectTimeout: -1,
		}),
		"more": redis.New(redis.Options{Addresses: []string{"a:1", "b:1"}, Database: 3, SentinelPassword: "s3cret"}),
	}
	for u, wants := range map[route.URI][]string{
		"redis:": {`nothing after "redis:"`},
		"redis:a?consumerGroup=g&maxIdle=1&claimInterval=1&blockTime=1h&prefetch=0&maxLength=0": {
			`option "maxIdle": want at least 100ms, have 1ms`, `option "claimInterval": want at least 10ms`, `option "blockTime": want 10ms to 5s, have 1h0m0s`,
			`option "prefetch": want 1 to 10000, have 0`, `option "maxLength": want at least 1, have 0`,
		},
		"redis:a?maxIdle=1m&claimInterval=1m": {`option "maxIdle": it has a meaning with a consumerGroup only`, `option "claimInterval": it has`},
		"redis:a?start=some":                  {`want begin or new, have "some"`},
		"redis:a?group=x":                     {`unknown option "group"`},
		"redis:a?concurrentConsumers=0":       {`option "concurrentConsumers"`},
		"bad:a": {
			`redis.Options.Addresses: want host:port, have "nowhere"`, "Options.Cluster: a Master", "Database: want 0 or more, have -1", "Username without Password",
			"ConnectTimeout: want",
		},
		"more:a": {"Database: a cluster has only 0, have 3", "there are sentinels with a Master only"},
	} {
		_, err := route.New(route.Config{Components: components}, route.From(u))
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: have %v, want %q", u, err, want)
			}
		}
	}
}

// What others than Watermill have written is a message too, whatever it is.
func TestForeignEntries(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fields  map[string]any
		uuid    string
		body    string
		headers map[string]string
	}{
		{
			"fields",
			map[string]any{"id": "7", "html": "<a&b>", "": "x"},
			"1-1",
			`{"":"x","html":"<a&b>","id":"7"}`,
			map[string]string{"id": "7", "html": "<a&b>", "": "x"},
		},
		{"bytes", map[string]any{"raw": "\xff\x00"}, "1-1", `{"raw":"\ufffd\u0000"}`, map[string]string{"raw": "\xff\x00"}},
		{"nothing", nil, "1-1", "{}", nil},
		{"without metadata", map[string]any{"_watermill_message_uuid": "u", "payload": "\xff"}, "u", "\xff", nil},
		{"without payload", map[string]any{"_watermill_message_uuid": "u", "metadata": "\x81\xa1a\xa1b"}, "u", "", map[string]string{"a": "b"}},
		{
			"metadata that nobody can read",
			map[string]any{"_watermill_message_uuid": "u", "metadata": "?"},
			"1-1",
			`{"_watermill_message_uuid":"u","metadata":"?"}`,
			map[string]string{"_watermill_message_uuid": "u", "metadata": "?"},
		},
	} {
		m := redis.Decode("1-1", tt.fields)
		if m.UUID != tt.uuid || string(m.Payload) != tt.body || !maps.Equal(m.Metadata, tt.headers) {
			t.Errorf("%s: have %q %q %q", tt.name, m.UUID, m.Payload, m.Metadata)
		}
	}
}
