package amqp

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	client "github.com/rabbitmq/amqp091-go"

	"github.com/mehari-go/mehari/route"
)

// Headers with what the server tells about a message.
var (
	ExchangeName = route.NewKey[string]("CamelRabbitmqExchangeName") // "" is the default exchange
	RoutingKey   = route.NewKey[string]("CamelRabbitmqRoutingKey")
	Redelivered  = route.NewKey[bool]("CamelRabbitmqRedelivered") // it may have been given to someone before
)

// Headers with what the sender tells about a message. They are sent too.
var (
	CorrelationID   = route.NewKey[string]("CamelRabbitmqCorrelationId")
	ReplyTo         = route.NewKey[string]("CamelRabbitmqReplyTo") // the queue where the sender waits for an answer
	Type            = route.NewKey[string]("CamelRabbitmqType")
	AppID           = route.NewKey[string]("CamelRabbitmqAppId")
	Priority        = route.NewKey[int]("CamelRabbitmqPriority")
	ContentType     = route.NewKey[string]("Content-Type")
	ContentEncoding = route.NewKey[string]("Content-Encoding")
)

// RoutingOverrideKey is a header with the routing key of a message that is sent, which comes
// before that of the endpoint. No message that arrives has it.
var RoutingOverrideKey = route.NewKey[string]("CamelRabbitmqRoutingOverrideKey")

const (
	// uuidHeader is that of Watermill's adapter, so that both understand each other.
	uuidHeader = "_watermill_message_uuid"

	reserved = "Camel"
)

// steering are the headers with which a message steers the server, or by which the server
// knows where it has been dead: it drops one that seems to go in circles. They do not go into
// a message.
var steering = []string{"CC", "BCC", "x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count", "x-delay"}

// steers tells whether a header does. It names it as the server does, with its case.
func steers(name string) bool {
	return slices.ContainsFunc(steering, func(s string) bool {
		return name == s || strings.HasSuffix(s, "-") && strings.HasPrefix(name, s)
	})
}

func isReserved(name string) bool {
	return len(name) >= len(reserved) && strings.EqualFold(name[:len(reserved)], reserved)
}

// wire returns a value as one of a table, and false for what only its text can stand for.
func wire(v any) (any, bool) {
	switch v := v.(type) {
	case string, bool, float32, float64, int64:
		return v, true
	case []byte:
		return bytes.Clone(v), true
	case int:
		return int64(v), true // the client writes an int with 32 bits
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint:
		return int64(v), v <= math.MaxInt64
	case uint64:
		return int64(v), v <= math.MaxInt64
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list, true
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			w, ok := wire(e)
			if !ok {
				return nil, false
			}
			list[i] = w
		}
		return list, true
	case map[string]any:
		table := make(client.Table, len(v))
		for name, e := range v {
			w, ok := wire(e)
			if !ok || len(name) > maxName {
				return nil, false
			}
			table[name] = w
		}
		return table, true
	}
	return nil, false
}

// plain returns a value of a table as a header has it.
func plain(v any) any {
	switch v := v.(type) {
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case client.Decimal:
		return decimal(v)
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = plain(e)
		}
		return list
	case client.Table:
		m := make(map[string]any, len(v))
		for name, e := range v {
			m[name] = plain(e)
		}
		return m
	}
	return v
}

// decimal writes a decimal number out: 314 with the scale 2 is 3.14.
func decimal(d client.Decimal) string {
	denominator := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale)), nil)
	return new(big.Rat).SetFrac(big.NewInt(int64(d.Value)), denominator).FloatString(int(d.Scale))
}

// text returns a value of a header as a text, or false for what has none.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool, int64, float32, float64:
		return fmt.Sprint(v), true
	}
	return "", false
}
