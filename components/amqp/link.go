package amqp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	client "github.com/rabbitmq/amqp091-go"
)

// A link is a connection that can be cut.
type link struct {
	*client.Connection
	socket net.Conn
}

// connect tries one server after the other.
func (o Options) connect(ctx context.Context) (*link, error) {
	var errs []error
	for _, u := range o.servers() {
		l, err := o.dial(ctx, u)
		if err == nil {
			return l, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (o Options) dial(ctx context.Context, u string) (*link, error) {
	server, err := client.ParseURI(u)
	if err != nil {
		return nil, o.check() // err has the password
	}
	timeout := cmp.Or(o.ConnectTimeout, defaultConnectTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %v", timeout))
	defer cancel()
	heartbeat := cmp.Or(o.Heartbeat, defaultHeartbeat)
	var socket net.Conn
	unwatch := func() bool { return true }
	config := client.Config{
		Vhost: o.VirtualHost, Heartbeat: heartbeat, Properties: client.NewConnectionProperties(),
		Dial: func(network, address string) (_ net.Conn, err error) {
			if socket, err = new(net.Dialer).DialContext(ctx, network, address); err != nil {
				return nil, err
			}
			unwatch = context.AfterFunc(ctx, func() { _ = socket.Close() })
			return impatient{socket, 3 * heartbeat}, nil
		},
	}
	config.Properties.SetClientConnectionName(cmp.Or(o.Name, "mehari"))
	if o.TLS != nil {
		config.TLSClientConfig = o.TLS.Clone() // the client writes the name of the server into it
	}
	switch {
	case o.External:
		config.SASL = []client.Authentication{new(client.ExternalAuth)}
	case o.Username != "":
		config.SASL = []client.Authentication{&client.PlainAuth{Username: o.Username, Password: o.Password}}
	}
	conn, err := client.DialConfig(u, config)
	if !unwatch() {
		err = context.Cause(ctx)
	}
	if err != nil {
		if socket != nil {
			_ = socket.Close()
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("server %s:%d: %w", server.Host, server.Port, err)
	}
	return &link{conn, socket}, nil
}

// cut ends a connection at once.
func (l *link) cut() { _ = l.socket.Close() }

// closeTime is how long the server may take to answer that a connection ends.
const closeTime = 5 * time.Second

// end closes a connection, and cuts it if the server does not answer: one that is low on
// memory reads nothing.
func (l *link) end() {
	defer time.AfterFunc(closeTime, l.cut).Stop()
	_ = l.Close() // it is closed in any case
}

// An impatient connection does not write for ever to who does not read. The client holds a
// lock meanwhile that it needs to give a connection up.
type impatient struct {
	net.Conn
	limit time.Duration
}

func (c impatient) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
