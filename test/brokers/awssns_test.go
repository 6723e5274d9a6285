package brokers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/mehari-go/mehari/components/awssns"
	"github.com/mehari-go/mehari/components/awssqs"
	"github.com/mehari-go/mehari/route"
)

const motoVersion = "5.2.5"

// motoServer starts moto, a server that speaks the protocols of SNS and SQS, which pip
// fetches, and returns its URL.
func motoServer(t testing.TB) string {
	t.Helper()
	venv := cache(t, "moto-"+motoVersion)
	if _, err := os.Stat(venv + "/ready"); err != nil {
		if testing.Short() {
			t.Skip("moto is not in ", venv, ": it is fetched without -short")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		for _, command := range [][]string{{"python3", "-m", "venv", venv}, {venv + "/bin/pip", "install", "-q", "moto[server]==" + motoVersion}} {
			if out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
				t.Skipf("moto cannot be fetched: %v: %.300s", err, out)
			}
		}
		if err := os.WriteFile(venv+"/ready", nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	free, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(free)
	server := exec.Command(filepath.Join(venv, "bin", "moto_server"), "-H", "127.0.0.1", "-p", port)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	eventually(t, func() error {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
	return "http://127.0.0.1:" + port
}

// What is sent to a topic comes out of a queue that is subscribed, raw or in an envelope.
func TestSNS(t *testing.T) {
	url := motoServer(t)
	cfg := amazonConfig()
	cfg.BaseEndpoint = aws.String(url)
	client := sns.NewFromConfig(cfg)
	for _, tt := range []struct{ topic, queue, raw string }{{"raw", "raw", "true"}, {"wrapped", "wrapped", "false"}, {"r.fifo", "r.fifo", "true"}} {
		t.Run(tt.topic, func(t *testing.T) {
			type arrival struct {
				body    string
				headers map[string]any
			}
			got := make(chan arrival, 10)
			from := route.URI("awssqs:" + tt.queue + "?autoCreateQueue=true&waitTimeSeconds=1&snsEnvelope=" + map[string]string{"true": "false", "false": "true"}[tt.raw])
			to := route.URI("awssns:" + tt.topic + "?autoCreateTopic=true")
			e := engine(t, route.Components{"awssqs": awssqs.New(queues(url)), "awssns": awssns.New(awssns.Options{AWS: amazonConfig(), Endpoint: url})},
				route.From(from).Process(func(_ context.Context, ex *route.Exchange) error {
					got <- arrival{string(ex.Body.([]byte)), maps.Collect(ex.Headers())}
					return nil
				}))
			if err := e.Send(t.Context(), to, "before the subscription"); err != nil {
				t.Fatal(err)
			}
			_, err := client.Subscribe(t.Context(), &sns.SubscribeInput{
				TopicArn: aws.String("arn:aws:sns:us-east-1:123456789012:" + tt.topic), Protocol: aws.String("sqs"),
				Endpoint: aws.String("arn:aws:sqs:us-east-1:123456789012:" + tt.queue), Attributes: map[string]string{"RawMessageDelivery": tt.raw},
			})
			if err != nil {
				t.Fatal(err)
			}
			binary := make([]byte, 256)
			for i := range binary {
				binary[i] = byte(i)
			}
			for _, body := range []string{"a text: grüße", string(binary), ""} {
				options := []route.SendOption{route.WithHeader("CamelMessageUUID", "order-7")}
				for name, value := range freeForm {
					options = append(options, route.WithHeader(name, value))
				}
				if err := e.Send(t.Context(), to, body, options...); err != nil {
					t.Fatal(err)
				}
				select {
				case m := <-got:
					if m.body != body || m.headers["CamelMessageUUID"] != "order-7" {
						t.Errorf("have %q with the UUID %v, want %q", m.body, m.headers["CamelMessageUUID"], body)
					}
					for name, want := range freeForm {
						if m.headers[name] != want {
							t.Errorf("header %q is %q, want %q", name, m.headers[name], want)
						}
					}
				case <-time.After(20 * time.Second):
					t.Fatal(errors.New("no message comes"))
				}
			}
		})
	}
}
