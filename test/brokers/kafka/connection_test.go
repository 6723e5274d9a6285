package kafka_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/route"
)

// failure waits for that of the route r.
func failure(t testing.TB, a application, want string) string {
	t.Helper()
	var text string
	eventually(t, func() error {
		s, _ := a.Status().Route("r")
		if s.LastFailure == nil || s.Subscribed != nil && *s.Subscribed {
			return fmt.Errorf("no failure: %+v", s)
		}
		text = s.LastFailure.Err.Error()
		if !strings.Contains(text, want) {
			return fmt.Errorf("the failure is %s, want %q", text, want)
		}
		return nil
	})
	return text
}

func TestNoBroker(t *testing.T) {
	t.Parallel()
	o := kafka.Options{Brokers: []string{"127.0.0.1:1"}, ConnectTimeout: time.Second}
	for _, from := range []route.URI{"kafka:t", "kafka:t?groupId=g"} {
		a := start(t, o, route.From(from).ID("r").To("kafka:t"))
		failure(t, a, "connect: ")
		if err := a.Send(t.Context(), "kafka:t", "x"); err == nil || !strings.Contains(err.Error(), "publisher: connect: ") {
			t.Errorf("send: have %v", err)
		}
	}
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []kafka.Mechanism{kafka.Plain, kafka.ScramSHA256, kafka.ScramSHA512} {
		t.Run(string(mechanism), func(t *testing.T) {
			_, o := cluster(t, kfake.SeedTopics(1, "t"), kfake.EnableSASL(), kfake.Superuser(string(mechanism), "user", "right"))
			o.Mechanism, o.Username, o.Password = mechanism, "user", "right"
			var k taken
			a := start(t, o, route.From("kafka:t?groupId=g").Process(k.process)).subscribed(t)
			send(t, a, "kafka:t", "x")
			k.wait(t, 1)

			o.Password = "wr0ng"
			refused := start(t, o, route.From("kafka:t?groupId=g").ID("r").To("kafka:t"))
			text := failure(t, refused, "connect: ")
			err := refused.Send(t.Context(), "kafka:t", "x")
			if err == nil || !strings.Contains(err.Error(), "the password") || strings.Contains(text+err.Error(), "wr0ng") {
				t.Errorf("have %v and %s", err, text)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	_, o := cluster(t, kfake.SeedTopics(1, "t"), kfake.TLS(&tls.Config{Certificates: web.TLS.Certificates}))
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	o.TLS = &tls.Config{RootCAs: roots}
	var k taken
	a := start(t, o, route.From("kafka:t").Process(k.process)).subscribed(t)
	send(t, a, "kafka:t", "x")
	k.wait(t, 1)

	o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	failure(t, start(t, o, route.From("kafka:t").ID("r").Process(k.process)), "certificate")
}

// A group that one may not join is a failure of the route.
func TestGroupRefused(t *testing.T) {
	t.Parallel()
	c, o := cluster(t, kfake.SeedTopics(1, "t"))
	c.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.JoinGroupResponse)
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil, true
	})
	var k taken
	text := failure(t, start(t, o, route.From("kafka:t?groupId=g").ID("r").Process(k.process)), "GROUP_AUTHORIZATION_FAILED")
	if strings.Count(text, "GROUP_AUTHORIZATION_FAILED") != 1 {
		t.Errorf("the failure is %s", text)
	}
}

// The brokers go away while messages flow, and come back.
func TestBrokersRestart(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"", "&groupId=g"} {
		t.Run(options, func(t *testing.T) { restart(t, options) })
	}
}

func restart(t *testing.T, options string) {
	t.Parallel()
	dir := t.TempDir()
	c, o := cluster(t, kfake.SeedTopics(2, "t"), kfake.DataDir(dir), kfake.SyncWrites())
	var port int
	if _, err := fmt.Sscanf(c.ListenAddrs()[0], "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	var k taken
	a := start(t, o, route.From(route.URI("kafka:t?concurrentConsumers=2"+options)).Process(k.process)).subscribed(t)
	const n = 300
	var sent atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range n {
			send(t, a, "kafka:t", i)
			sent.Add(1)
		}
	}()
	eventually(t, func() error {
		if sent.Load() < n/3 {
			return fmt.Errorf("%d are sent", sent.Load())
		}
		return nil
	})
	c.Close()
	time.Sleep(50 * time.Millisecond)
	cluster(t, kfake.DataDir(dir), kfake.SyncWrites(), kfake.Ports(port))
	<-done
	k.wait(t, n)
}

// A producer whose brokers are gone for good gives up when its time is over.
func TestBrokersGone(t *testing.T) {
	t.Parallel()
	c, o := cluster(t, kfake.SeedTopics(1, "t"))
	o.DeliveryTimeout = time.Second
	a := sender(t, o)
	send(t, a, "kafka:t", "x")
	c.Close()
	if err := a.Send(t.Context(), "kafka:t", "x"); err == nil {
		t.Error("a message was sent to nobody")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := a.Send(ctx, "kafka:t", "x"); err == nil {
		t.Error("a message was sent to nobody")
	}
}

// A route whose brokers are gone stops all the same.
func TestStopsWithoutBrokers(t *testing.T) {
	t.Parallel()
	c, o := cluster(t, kfake.SeedTopics(1, "t"))
	var k taken
	a := start(t, o, route.From("kafka:t?groupId=g").Process(k.process)).subscribed(t)
	send(t, a, "kafka:t", "x")
	k.wait(t, 1)
	c.Close()
	begun := time.Now()
	if err := a.stop(); err != nil {
		t.Error(err)
	}
	if d := time.Since(begun); d > 30*time.Second {
		t.Errorf("it took %v", d)
	}
}

// A member that the group has forgotten joins again. Meanwhile it is not subscribed.
func TestForgottenMember(t *testing.T) {
	t.Parallel()
	c, o := cluster(t, kfake.SeedTopics(1, "t"))
	var k taken
	a := start(t, o, route.From("kafka:t?groupId=g&sessionTimeout=1s").ID("r").Process(k.process)).subscribed(t)
	send(t, a, "kafka:t", "before")
	k.wait(t, 1)
	var joins atomic.Bool
	c.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if joins.Load() {
			return nil, nil, false
		}
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.JoinGroupResponse)
		resp.ErrorCode = kerr.CoordinatorLoadInProgress.Code
		return resp, nil, true
	})
	c.ControlKey(int16(kmsg.Heartbeat), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.HeartbeatResponse)
		resp.ErrorCode = kerr.UnknownMemberID.Code
		return resp, nil, true
	})
	eventually(t, func() error {
		if s, _ := a.Status().Route("r"); *s.Subscribed {
			return errors.New("it is subscribed")
		}
		return nil
	})
	joins.Store(true)
	a.subscribed(t)
	send(t, a, "kafka:t", "after")
	k.wait(t, 2)
	if s, _ := a.Status().Route("r"); s.Restarts > 0 {
		t.Errorf("the consumer was started again %d times", s.Restarts)
	}
}
