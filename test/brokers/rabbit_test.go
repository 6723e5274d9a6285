//go:build linux

package brokers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	client "github.com/rabbitmq/amqp091-go"
)

const rabbitPrograms = "/usr/lib/rabbitmq/bin/"

// A rabbit is a server of RabbitMQ, which takes long to start: all tests share one.
type rabbit struct {
	dir              string
	port, tls        int
	distribution     int
	mapper           int // the port of epmd
	server, registry *exec.Cmd
	environment      []string
	output           *bytes.Buffer
}

var shared struct {
	sync.Mutex
	rabbit *rabbit
	err    error
}

// rabbitServer returns the server that all tests share, which it starts if need be.
func rabbitServer(t testing.TB) *rabbit {
	t.Helper()
	if _, err := os.Stat(rabbitPrograms + "rabbitmq-server"); err != nil {
		t.Skip("there is no RabbitMQ:", err)
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.rabbit == nil && shared.err == nil {
		shared.rabbit, shared.err = startRabbit()
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.rabbit
}

func startRabbit() (*rabbit, error) {
	dir, err := os.MkdirTemp("", "rabbit")
	if err != nil {
		return nil, err
	}
	r := &rabbit{dir: dir}
	for _, port := range []*int{&r.port, &r.tls, &r.distribution, &r.mapper} {
		if *port, err = freePort(); err != nil {
			return nil, err
		}
	}
	atEnd = append(atEnd, func() {
		r.stop()
		_ = os.RemoveAll(dir)
	})
	if err := r.certificates(); err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`listeners.tcp.default = 127.0.0.1:%d
listeners.ssl.default = 127.0.0.1:%d
ssl_options.cacertfile = %s
ssl_options.certfile = %s
ssl_options.keyfile = %s
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = EXTERNAL
ssl_cert_login_from = common_name
loopback_users = none
log.console = true
log.file = false
disk_free_limit.absolute = 1MB
`, r.port, r.tls, r.file("ca.pem"), r.file("server.pem"), r.file("server.key"))
	for name, content := range map[string]string{
		"rabbit.conf": config,
		"plugins":     "[rabbitmq_auth_mechanism_ssl].\n",
	} {
		if err := os.WriteFile(r.file(name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	r.environment = append(os.Environ(), "RUNNING_UNDER_SYSTEMD=true", // no shell around the server
		"HOME="+dir, "RABBITMQ_CONF_ENV_FILE=/dev/null", fmt.Sprintf("RABBITMQ_NODENAME=r%d@localhost", r.port),
		"RABBITMQ_MNESIA_BASE="+r.file("data"), "RABBITMQ_LOG_BASE="+r.file("log"), "RABBITMQ_CONFIG_FILE="+r.file("rabbit.conf"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+r.file("plugins"), fmt.Sprintf("RABBITMQ_DIST_PORT=%d", r.distribution),
		"ERL_EPMD_ADDRESS=127.0.0.1", fmt.Sprintf("ERL_EPMD_PORT=%d", r.mapper),
	)
	// The registry of Erlang outlives the server that starts it. So it is not started by that.
	r.registry = exec.Command("epmd")
	r.registry.Env = r.environment
	r.registry.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.registry.Start(); err != nil {
		return nil, err
	}
	return r, r.start()
}

// start starts the server and waits until it answers.
func (r *rabbit) start() error {
	r.output = new(bytes.Buffer)
	r.server = exec.Command(rabbitPrograms + "rabbitmq-server")
	r.server.Env = r.environment
	r.server.Stdout, r.server.Stderr = r.output, r.output
	r.server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	r.server.WaitDelay = time.Second
	if err := r.server.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- r.server.Wait() }()
	for end := time.After(3 * time.Minute); ; {
		if conn, err := client.Dial(r.url()); err == nil {
			return conn.Close()
		}
		select {
		case err := <-ended:
			return fmt.Errorf("RabbitMQ does not start: %w\n%s", err, r.output)
		case <-end:
			return errors.New("RabbitMQ does not answer after 3m")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (r *rabbit) file(name string) string { return filepath.Join(r.dir, name) }

func (r *rabbit) url() string { return fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/", r.port) }

// kill ends the server with kill -9.
func (r *rabbit) kill() {
	_ = syscall.Kill(-r.server.Process.Pid, syscall.SIGKILL)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if syscall.Kill(-r.server.Process.Pid, 0) != nil {
			return
		}
	}
}

// stop ends the server and its registry.
func (r *rabbit) stop() {
	if r.server != nil && r.server.Process != nil {
		r.kill() // nobody needs its data any more
	}
	if r.registry != nil && r.registry.Process != nil {
		_ = r.registry.Process.Kill()
		_ = r.registry.Wait()
	}
}

// control has the server evaluate an expression of Erlang.
func (r *rabbit) control(t testing.TB, expression string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, rabbitPrograms+"rabbitmqctl", "eval", expression)
	cmd.Env = r.environment
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "rror") {
		t.Fatalf("rabbitmqctl: %v\n%s", err, out)
	}
}

// channel returns a channel of the bare client.
func (r *rabbit) channel(t testing.TB) *client.Channel {
	t.Helper()
	conn, err := client.Dial(r.url())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}
