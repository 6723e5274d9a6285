package redis

import (
	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/redis/go-redis/v9"
)

// For tests.
var (
	PackMap   = packMap
	UnpackMap = unpackMap
)

func Decode(id string, fields map[string]any) *message.Message {
	return decode(entry{XMessage: client.XMessage{ID: id, Values: fields}})
}
