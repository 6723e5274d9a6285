package brokers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// An elasticMQ is a server that speaks the protocol of SQS, and can be stopped and started again.
type elasticMQ struct {
	port    int
	dir     string
	jars    string
	keeps   bool
	process *exec.Cmd
}

// newElasticMQ starts a server, which ends with the test. One that keeps what it has is slower.
func newElasticMQ(t testing.TB, keeps bool) *elasticMQ {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &elasticMQ{jars: jarsOf(t, "elasticmq", "1.6.14"), dir: t.TempDir(), port: port, keeps: keeps}
	s.start(t)
	t.Cleanup(s.stop)
	return s
}

func (s *elasticMQ) url() string { return fmt.Sprintf("http://127.0.0.1:%d", s.port) }

func (s *elasticMQ) start(t testing.TB) {
	t.Helper()
	conf := fmt.Sprintf(`include classpath("application.conf")
node-address { protocol = http, host = 127.0.0.1, port = %[1]d, context-path = "" }
rest-sqs { enabled = true, bind-port = %[1]d, bind-hostname = "127.0.0.1", sqs-limits = strict }
rest-stats { enabled = false }
queues-storage { enabled = %[3]t, path = "%[2]s/queues.conf" }
messages-storage { enabled = %[3]t, driver-class = "org.h2.Driver", uri = "jdbc:h2:%[2]s/messages", username = "", password = "", prune-data-on-init = false }
`, s.port, s.dir, s.keeps)
	if err := os.WriteFile(s.dir+"/server.conf", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(s.dir+"/log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s.process = exec.Command("java", "-Xmx256m", "-Dconfig.file="+s.dir+"/server.conf", "-cp", s.jars+"/*", "org.elasticmq.server.Main")
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url(), "http://"), time.Second); err == nil {
			_ = conn.Close()
			return
		}
	}
	text, _ := os.ReadFile(s.dir + "/log")
	s.stop()
	t.Fatalf("ElasticMQ does not start: %s", text)
}

// stop ends the server as a machine that fails does.
func (s *elasticMQ) stop() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}
