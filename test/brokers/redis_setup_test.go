//go:build unix

package brokers

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	redisclient "github.com/redis/go-redis/v9"

	"github.com/mehari-go/mehari/components/redis"
	"github.com/mehari-go/mehari/route"
)

// The ways in which servers of Redis can stand.

// A certificate of the server, a user and a number of the database.
func TestRedisOverTLS(t *testing.T) {
	dir, address := t.TempDir(), fmt.Sprint("127.0.0.1:", anyPort(t))
	pool := certificate(t, dir)
	_, port, _ := net.SplitHostPort(address)
	redisServer(t, dir, address, "--port", "0", "--tls-port", port, "--tls-auth-clients", "no", "--requirepass", "s3cret",
		"--tls-cert-file", dir+"/cert.pem", "--tls-key-file", dir+"/key.pem", "--tls-ca-cert-file", dir+"/cert.pem")
	o := redis.Options{Addresses: []string{address}, TLS: &tls.Config{RootCAs: pool}, Username: "default", Password: "s3cret", Database: 3}
	roundTrip(t, redis.New(o), "b:s?consumerGroup=g", "b:s")
	c := redisclient.NewClient(&redisclient.Options{Addr: address, TLSConfig: o.TLS, Password: "s3cret", DB: 3})
	defer c.Close()
	if n, err := c.XLen(t.Context(), "s").Result(); err != nil || n != 2 {
		t.Errorf("%d messages in database 3, %v", n, err)
	}
}

// certificate writes one for this machine, which signs itself.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	for name, content := range map[string][]byte{"cert.pem": text, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

// Streams on all nodes of a cluster.
func TestRedisCluster(t *testing.T) {
	t.Parallel() // it waits more than it works
	var addresses []string
	var nodes []*redisclient.Client
	for i := range 2 {
		bus := fmt.Sprint("127.0.0.1:", anyPort(t))
		_, port, _ := net.SplitHostPort(bus)
		address, c := newRedis(t, "--cluster-enabled", "yes", "--cluster-port", port)
		if err := c.ClusterAddSlotsRange(t.Context(), 8192*i, 8192*i+8191).Err(); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			host, first, _ := net.SplitHostPort(addresses[0])
			if err := c.Do(t.Context(), "cluster", "meet", host, first, clusterPort(t, nodes[0])).Err(); err != nil {
				t.Fatal(err)
			}
		}
		addresses, nodes = append(addresses, address), append(nodes, c)
	}
	for _, c := range nodes {
		eventually(t, func() error {
			info, err := c.ClusterShards(t.Context()).Result()
			if err == nil && len(info) != 2 {
				err = fmt.Errorf("the cluster has %d shards", len(info))
			}
			return err
		})
	}
	for name, o := range map[string]redis.Options{"all": {Addresses: addresses}, "one": {Addresses: addresses[:1], Cluster: true}} {
		var n atomic.Int64
		var routes []*route.Route
		for i := range 8 {
			routes = append(routes, route.From(route.URI(fmt.Sprintf("redis:%s%d?consumerGroup=g&blockTime=20ms", name, i))).
				Process(func(context.Context, *route.Exchange) error { n.Add(1); return nil }))
		}
		e := engine(t, route.Components{"redis": redis.New(o)}, routes...)
		for i := range 80 {
			if err := e.Send(t.Context(), route.URI(fmt.Sprintf("redis:%s%d", name, i%8)), i); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, func() error {
			if n.Load() != 80 {
				return fmt.Errorf("%d of 80 came", n.Load())
			}
			return nil
		})
	}
	for i, c := range nodes {
		if keys, err := c.DBSize(t.Context()).Result(); err != nil || keys == 0 {
			t.Errorf("node %d has %d streams, %v", i, keys, err)
		}
	}
}

func clusterPort(t *testing.T, c *redisclient.Client) string {
	t.Helper()
	v, err := c.ConfigGet(t.Context(), "cluster-port").Result()
	if err != nil {
		t.Fatal(err)
	}
	return v["cluster-port"]
}

// The master dies, sentinels make another one, and messages go on.
func TestRedisSentinel(t *testing.T) {
	t.Parallel() // it waits more than it works
	first := fmt.Sprint("127.0.0.1:", anyPort(t))
	kill := redisServer(t, t.TempDir(), first)
	host, port, _ := net.SplitHostPort(first)
	_, replica := newRedis(t, "--replicaof", host+" "+port)
	dir, sentinel := t.TempDir(), fmt.Sprint("127.0.0.1:", anyPort(t))
	conf := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf("sentinel monitor main %s %s 1\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 5000\n", host, port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	startRedis(t, sentinel, conf, "--sentinel", "--dir", dir)
	var seen [400]atomic.Bool
	e := engine(t, route.Components{"redis": redis.New(redis.Options{Addresses: []string{sentinel}, Master: "main"})},
		route.From("redis:s?consumerGroup=g&maxIdle=1s&claimInterval=100ms").Process(func(_ context.Context, ex *route.Exchange) error {
			i, err := strconv.Atoi(string(ex.Body.([]byte)))
			seen[i].Store(true)
			return err
		}))
	for i := range seen {
		if i == len(seen)/2 {
			eventually(t, func() error { // a master that dies takes with it what no replica has
				n, err := replica.XLen(t.Context(), "s").Result()
				if err == nil && n < int64(i) {
					err = fmt.Errorf("the replica has %d", n)
				}
				return err
			})
			kill()
		}
		eventually(t, func() error { return e.Send(t.Context(), "redis:s", i) })
	}
	eventually(t, func() error {
		for i := range seen {
			if !seen[i].Load() {
				return fmt.Errorf("%d did not come", i)
			}
		}
		return nil
	})
}

// The server halts for longer than others wait, with messages in hand, and goes on: nothing
// is lost. A route stops in good time meanwhile.
func TestRedisServerHalts(t *testing.T) {
	t.Parallel() // it waits more than it works
	address, c := newRedis(t)
	info, err := c.Info(t.Context(), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	for line := range strings.Lines(info) {
		if id, ok := strings.CutPrefix(line, "process_id:"); ok {
			pid, _ = strconv.Atoi(strings.TrimSpace(id))
		}
	}
	if pid == 0 {
		t.Fatal("the server does not tell its process")
	}
	var seen [300]atomic.Bool
	work := func(_ context.Context, ex *route.Exchange) error {
		i, err := strconv.Atoi(string(ex.Body.([]byte)))
		time.Sleep(time.Millisecond)
		seen[i].Store(true)
		return err
	}
	const from = "redis:s?consumerGroup=g&maxIdle=1s&claimInterval=100ms"
	e := engine(t, route.Components{"redis": redisAt(address)}, route.From(from).ID("a").Process(work), route.From(from).ID("b").Process(work))
	for i := range seen {
		if err := e.Send(t.Context(), "redis:s", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	time.Sleep(1500 * time.Millisecond)
	err = e.Stop(t.Context(), "a")
	took := time.Since(begun)
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err != nil || took > 40*time.Second {
		t.Errorf("the stop took %v, %v", took, err)
	}
	eventually(t, func() error {
		for i := range seen {
			if !seen[i].Load() {
				return fmt.Errorf("%d did not come", i)
			}
		}
		return nil
	})
	t.Logf("stopped in %v", took)
}
