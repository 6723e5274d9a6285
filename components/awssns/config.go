package awssns

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/mehari-go/mehari/internal/amazon"
	"github.com/mehari-go/mehari/route"
)

// Config is everything an endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Topic is the ARN of a topic, or its name with AutoCreateTopic. A name that ends with
	// .fifo is that of a FIFO topic.
	Topic string `uri:".,required"`

	// AutoCreateTopic makes the topic of that name if there is none, with the defaults of
	// SNS.
	AutoCreateTopic bool `uri:"autoCreateTopic"`

	// Subject is that of messages, for subscribers by mail: up to 100 characters of ASCII
	// in one line.
	Subject string `uri:"subject"`

	// MessageStructure is json where the body is a JSON object with a text for each
	// protocol: see Amazon SNS API Reference, Publish.
	MessageStructure string `uri:"messageStructure"`

	// KeyHeader names the header with the group of what is sent to a FIFO topic; without
	// one all belongs to one group.
	KeyHeader string `uri:"keyHeader"`

	// MessageDeduplicationIDStrategy says by what SNS knows that two messages for a FIFO topic
	// are the same, of which it drops the second for five minutes; "" means nothing: no two
	// are.
	MessageDeduplicationIDStrategy DeduplicationStrategy `uri:"messageDeduplicationIdStrategy"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("awssns", c) }

// DeduplicationStrategy says by what SNS knows that two messages are the same.
type DeduplicationStrategy string

// The strategies.
const (
	// UseExchangeID tells SNS the ID of the exchange: what the error handling sends again is
	// the same, and so is what a route sends to one topic twice.
	UseExchangeID DeduplicationStrategy = "useExchangeId"

	// UseMessageUUID tells SNS the UUID of the message, which an exchange keeps from where
	// it came from: what comes again after a crash, and is sent again, is the same. All the
	// parts of what is split are too, unless they get UUIDs of their own.
	UseMessageUUID DeduplicationStrategy = "useMessageUuid"

	// UseContentBasedDeduplication leaves it to SNS, which looks at the body. The topic has
	// to be one that does.
	UseContentBasedDeduplication DeduplicationStrategy = "useContentBasedDeduplication"
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *DeduplicationStrategy) UnmarshalText(text []byte) error {
	return (*amazon.DeduplicationStrategy)(s).UnmarshalText(text)
}

func (c Config) isARN() bool { return strings.HasPrefix(c.Topic, "arn:") }

// check returns all that is wrong.
func (c Config) check(region string) error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	name := c.Topic
	if c.isARN() {
		a, err := arn.Parse(c.Topic)
		refuse(err != nil || a.Service != "sns", "path: want an ARN like arn:aws:sns:eu-west-1:123456789012:orders, have %q", c.Topic)
		refuse(err == nil && a.Region != region, "path: the topic is in region %q, and the component in %q", a.Region, region)
		refuse(c.AutoCreateTopic, `option "autoCreateTopic": want the name of a topic, have an ARN`)
		name = a.Resource
	} else {
		refuse(!c.AutoCreateTopic, `path: want the ARN of a topic, or with autoCreateTopic=true the name of one, have %q`, c.Topic)
	}
	// Amazon SNS API Reference, CreateTopic, Name.
	bare := strings.TrimSuffix(name, amazon.FIFO)
	refuse(!amazon.IsName(bare) || len(name) > 256,
		"path: want the name of a topic, up to 256 letters, digits, - and _, and .fifo at the end of that of a FIFO topic; have %q", name)
	refuse(c.MessageStructure != "" && c.MessageStructure != "json", `option "messageStructure": want json, have %q`, c.MessageStructure)
	refuse(!isSubject(c.Subject), `option "subject": want up to 100 characters of ASCII in one line that begins with none of the blanks, have %q`, c.Subject)
	refuse(name == bare && c.KeyHeader != "", `option "keyHeader": only a FIFO topic has groups, and %q is none`, name)
	refuse(name == bare && c.MessageDeduplicationIDStrategy != "", `option "messageDeduplicationIdStrategy": only a FIFO topic drops repeats, and %q is none`, name)
	return errors.Join(errs...)
}

// isSubject tells whether SNS takes a subject: see Amazon SNS API Reference, Publish.
func isSubject(s string) bool {
	for i, c := range s {
		if c < ' ' || c > '~' || i == 0 && c == ' ' {
			return false
		}
	}
	return utf8.RuneCountInString(s) <= 100
}
