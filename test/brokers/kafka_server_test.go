//go:build linux

package brokers

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/kafka"
)

// A kafkaBroker is a server of Apache Kafka, broker and controller in one. It takes long to
// start: all tests share one.
type kafkaBroker struct {
	dir, jars              string
	port, sasl, controller int
	process                *exec.Cmd
}

var sharedKafka struct {
	sync.Mutex
	broker *kafkaBroker
	err    error
}

// kafkaServer returns the server that all tests share, which it fetches and starts if need be.
func kafkaServer(t testing.TB) *kafkaBroker {
	t.Helper()
	jars := jarsOf(t, "kafka", "4.1.1")
	sharedKafka.Lock()
	defer sharedKafka.Unlock()
	if sharedKafka.broker == nil && sharedKafka.err == nil {
		sharedKafka.broker, sharedKafka.err = startKafka(jars)
	}
	if sharedKafka.err != nil {
		t.Fatal(sharedKafka.err)
	}
	return sharedKafka.broker
}

func startKafka(jars string) (*kafkaBroker, error) {
	dir, err := os.MkdirTemp("", "kafka")
	if err != nil {
		return nil, err
	}
	k := &kafkaBroker{dir: dir, jars: jars}
	atEnd = append(atEnd, func() {
		k.kill()
		_ = os.RemoveAll(dir)
	})
	for _, port := range []*int{&k.port, &k.sasl, &k.controller} {
		if *port, err = freePort(); err != nil {
			return nil, err
		}
	}
	login := "org.apache.kafka.common.security.scram.ScramLoginModule required;"
	config := fmt.Sprintf(`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:%[3]d
listeners=OPEN://127.0.0.1:%[1]d,SASL://127.0.0.1:%[2]d,CONTROLLER://127.0.0.1:%[3]d
advertised.listeners=OPEN://127.0.0.1:%[1]d,SASL://127.0.0.1:%[2]d
listener.security.protocol.map=OPEN:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=OPEN
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_user="right";
listener.name.sasl.scram-sha-256.sasl.jaas.config=%[5]s
listener.name.sasl.scram-sha-512.sasl.jaas.config=%[5]s
log.dirs=%[4]s/data
num.network.threads=2
num.io.threads=4
offsets.topic.num.partitions=2
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=4194304
`, k.port, k.sasl, k.controller, dir, login)
	if err := os.WriteFile(k.file("server.properties"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	out, err := k.java("kafka.tools.StorageTool", "format", "--cluster-id="+base64.RawURLEncoding.EncodeToString(id), "--config", k.file("server.properties"),
		"--add-scram", "SCRAM-SHA-256=[name=user,password=right]", "--add-scram", "SCRAM-SHA-512=[name=user,password=right]").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("the storage of Kafka is not made: %w\n%s", err, out)
	}
	return k, k.start()
}

func (k *kafkaBroker) file(name string) string { return filepath.Join(k.dir, name) }

func (k *kafkaBroker) java(args ...string) *exec.Cmd {
	args = append([]string{"-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", k.jars + "/*"}, args...)
	cmd := exec.Command("java", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// start starts the server and waits until it takes connections.
func (k *kafkaBroker) start() error {
	log, err := os.OpenFile(k.file("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	k.process = k.java("kafka.Kafka", k.file("server.properties"))
	k.process.Stdout, k.process.Stderr = log, log
	if err := k.process.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if conn, err := net.DialTimeout("tcp", k.options().Brokers[0], time.Second); err == nil {
			return conn.Close()
		}
	}
	text, _ := os.ReadFile(k.file("log"))
	return fmt.Errorf("Kafka does not answer after 3m: %s", strings.TrimSpace(string(text)))
}

// stop ends the server and waits until it has.
func (k *kafkaBroker) stop() {
	_ = k.process.Process.Signal(syscall.SIGTERM)
	_ = k.process.Wait()
}

// kill ends the server with kill -9.
func (k *kafkaBroker) kill() {
	if k.process != nil && k.process.Process != nil {
		_ = k.process.Process.Kill()
		_ = k.process.Wait()
	}
}

func (k *kafkaBroker) options() kafka.Options {
	return kafka.Options{Brokers: []string{fmt.Sprintf("127.0.0.1:%d", k.port)}}
}
