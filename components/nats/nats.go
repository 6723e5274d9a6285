// Package nats consumes from and sends to NATS. It has two components:
//
//	components["nats"] = nats.New(nats.Options{URL: "nats://one:4222,nats://two:4222"})
//	components["jetstream"] = nats.NewJetStream(nats.Options{URL: "nats://one:4222"})
//
//	route.From("jetstream:orders.new?durable=billing").To("nats:audit")
//
// What core NATS does not deliver, nobody delivers again: use it for what may be lost.
// JetStream keeps messages until they are acknowledged. Both stand on components/watermill,
// where it is told what happens to a message; they speak to the client of NATS directly, and
// the messages have the form of Watermill's own adapter.
package nats

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/nats-io/nats.go"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// Options say how to connect. Each route that consumes has a connection, and all that send
// share one.
type Options struct {
	// URL names the servers, with commas between them; "" means nats://127.0.0.1:4222.
	URL string

	// Name is shown in the monitoring of the servers; "" means mehari.
	Name string

	// Username and Password, Token, CredentialsFile (a JWT with its seed) or NKeyFile (a
	// seed): at most one of these ways to authenticate.
	Username, Password string
	Token              string
	CredentialsFile    string
	NKeyFile           string

	// TLS is for connections over TLS, which a URL that begins with tls:// has too.
	TLS *tls.Config

	// ConnectTimeout is how long it may take to connect to a server; 0 means 2s.
	ConnectTimeout time.Duration

	// Client are more options of the client. They have the last word.
	Client []client.Option
}

// check returns all that is wrong. The URL may have a password and is not shown.
func (o Options) check() error {
	var errs []error
	for part := range strings.SplitSeq(o.URL, ",") {
		if _, err := url.Parse(strings.TrimSpace(part)); err != nil {
			errs = append(errs, errors.New("nats.Options.URL: want URLs like nats://host:4222, with commas between them"))
			break
		}
	}
	ways := 0
	for _, way := range []string{o.Username, o.Token, o.CredentialsFile, o.NKeyFile} {
		if way != "" {
			ways++
		}
	}
	if ways > 1 {
		errs = append(errs, errors.New("nats.Options: want one of Username, Token, CredentialsFile and NKeyFile at most"))
	}
	if o.Password != "" && o.Username == "" {
		errs = append(errs, errors.New("nats.Options: Password without Username"))
	}
	if o.ConnectTimeout < 0 {
		errs = append(errs, fmt.Errorf("nats.Options.ConnectTimeout: want a duration that is not negative, have %v", o.ConnectTimeout))
	}
	return errors.Join(errs...)
}

// connect opens a connection, which tries for ever to come back once it is lost.
func (o Options) connect(ctx context.Context) (*client.Conn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	u := o.URL
	if u == "" {
		u = client.DefaultURL
	}
	options := []client.Option{client.Name("mehari"), client.MaxReconnects(-1)}
	if o.Name != "" {
		options = append(options, client.Name(o.Name))
	}
	switch {
	case o.Username != "":
		options = append(options, client.UserInfo(o.Username, o.Password))
	case o.Token != "":
		options = append(options, client.Token(o.Token))
	case o.CredentialsFile != "":
		options = append(options, client.UserCredentials(o.CredentialsFile))
	case o.NKeyFile != "":
		key, err := client.NkeyOptionFromSeed(o.NKeyFile)
		if err != nil {
			return nil, fmt.Errorf("seed in %q: %w", o.NKeyFile, err)
		}
		options = append(options, key)
	}
	if o.TLS != nil {
		options = append(options, client.Secure(o.TLS))
	}
	if o.ConnectTimeout > 0 {
		options = append(options, client.Timeout(o.ConnectTimeout))
	}
	return client.Connect(u, append(options, o.Client...)...)
}

// A component makes endpoints of subjects.
type component struct {
	*watermill.Publisher // shared, and closed with the last engine
	options              Options
	endpoint             func(c *component, a route.Address) (route.Endpoint, error)
}

var _ route.Lifecycle = (*component)(nil)

// Endpoint implements [route.Component].
func (c *component) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	ep, err := c.endpoint(c, a)
	return ep, errors.Join(c.options.check(), err)
}

// checkSubject refuses what cannot be a subject.
func checkSubject(subject string) error {
	for token := range strings.SplitSeq(subject, ".") {
		if token == "" || strings.ContainsAny(token, " \t\r\n") {
			return fmt.Errorf("path: want a subject like orders.new, have %q", subject)
		}
	}
	return nil
}

// isWild tells whether a subject stands for many: one cannot send to it.
func isWild(subject string) bool {
	for token := range strings.SplitSeq(subject, ".") {
		if token == "*" || token == ">" {
			return true
		}
	}
	return false
}

// sender is a publisher on a connection of its own.
type sender struct {
	conn *client.Conn
	send func(m *message.Message, msg *client.Msg) error
}

// Publish implements [message.Publisher].
func (s *sender) Publish(subject string, ms ...*message.Message) error {
	for _, m := range ms {
		if err := s.send(m, encode(subject, m)); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [message.Publisher].
func (s *sender) Close() error {
	err := s.conn.FlushTimeout(5 * time.Second)
	s.conn.Close()
	return err
}
