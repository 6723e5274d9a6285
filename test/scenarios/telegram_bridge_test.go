//go:build unix

package scenarios

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
)

// Three replicas of examples/telegram-bridge, whose leader is killed, stopped and told to
// end while users of many chats write. Every update comes to the broker once and in order,
// and is answered, in order too, and twice only where one died or was stopped that had it.
func TestTelegramBridge(t *testing.T) {
	t.Parallel()
	const chats, each = 50, 20
	url := natsServer(t)
	b := newBridge(t, "-nats", url)
	stream := streamOf(t, url)
	b.stored = func() int64 { return int64(stream().CachedInfo().State.LastSeq) }
	late := b.begin(chats, each)
	killed := b.killInABatch()
	b.atLeast(250) // which takes another leader
	killed.again()
	stopped := b.hit("stopped", b.leader(), (*replica).stop)
	b.atLeast(400)
	stopped.resume()
	ended := b.hit("ended", b.leader(), (*replica).end)
	b.atLeast(550)
	ended.again()
	late()
	killed = b.killInABatch()
	b.atLeast(900)
	killed.again()
	b.settle(chats * each)
	b.checkStream(stream(), chats, each)
	b.checkAnswers(chats, each)
	b.checkPolls()
}

// The same with Kafka, where an update is stored once more if the leader dies before it has
// told Telegram.
func TestTelegramBridgeKafka(t *testing.T) {
	t.Parallel()
	const chats, each = 20, 20
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	b := newBridge(t, "-kafka", cluster.ListenAddrs()[0])
	b.stored = storedIn(t, cluster.ListenAddrs(), "telegram")
	late := b.begin(chats, each)
	killed := b.killInABatch()
	b.atLeast(150)
	killed.again()
	ended := b.hit("ended", b.leader(), (*replica).end)
	b.atLeast(250)
	ended.again()
	late()
	b.settle(chats * each)
	b.checkAnswers(chats, each)
	b.checkPolls()
}

// A bridge is the replicas with Telegram and the broker.
type bridge struct {
	t        *testing.T
	api      *telegramtest.Server
	stored   func() int64 // updates that the broker has got, also those that came again
	args     []string     // of the replicas
	replicas []*replica
	faults   []fault
	struck   map[string]bool // replicas that were killed or stopped
	said     atomic.Int64    // updates

	mu    sync.Mutex
	calls []call
}

// A fault is what was done to a replica that led.
type fault struct {
	at      time.Time
	replica string
	what    string
}

// A call is one of the Bot API, when it came there.
type call struct {
	at      time.Time
	replica string
	method  string
	chat    string
	text    string // of an answer
	reply   string // what it replies to
}

func newBridge(t *testing.T, args ...string) *bridge {
	t.Helper()
	b := &bridge{t: t, api: telegramtest.New(), struck: map[string]bool{}, args: append(args, "-cluster", t.TempDir())}
	t.Cleanup(b.api.Close)
	program := build(t, "telegram-bridge")
	for i := range 3 {
		b.start(fmt.Sprint("replica ", i+1), program)
	}
	return b
}

// start starts a replica, with an address of the Bot API of its own, so that it is
// known who calls.
func (b *bridge) start(name, program string) {
	b.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := call{at: time.Now(), replica: name, method: r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]}
		if err := r.ParseForm(); err != nil {
			b.t.Error(err)
		}
		c.chat, c.text, c.reply = r.PostForm.Get("chat_id"), r.PostForm.Get("text"), r.PostForm.Get("reply_parameters")
		b.mu.Lock()
		b.calls = append(b.calls, c)
		b.mu.Unlock()
		b.api.ServeHTTP(w, r)
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	b.t.Cleanup(func() {
		server.Close()
		<-served
	})
	b.replicas = append(b.replicas, start(b.t, name, program, []string{"TELEGRAM_TOKEN=" + telegramtest.Token},
		append(b.args, "-api", "http://"+listener.Addr().String(), "-name", name)...))
}

// begin has users write when somebody leads. The last quarter is written when late is
// called.
func (b *bridge) begin(chats, each int) (late func()) {
	b.t.Helper()
	b.leader()
	wait, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		for n := range each {
			if n == each*3/4 {
				select {
				case <-wait:
				case <-b.t.Context().Done():
					return
				}
			}
			for chat := range chats {
				b.api.Text(int64(chat+1), fmt.Sprint(n))
				b.said.Add(1)
			}
			time.Sleep(time.Second)
		}
	}()
	b.t.Cleanup(func() { <-written })
	return func() { close(wait) }
}

// settle waits until all is done.
func (b *bridge) settle(n int) {
	b.t.Helper()
	b.atLeast(n)
	eventually(b.t, "Telegram knows that all was taken", func() bool { return b.api.Stats().Unconfirmed == 0 })
	b.t.Logf("stored: %d; polls: %+v", b.stored(), b.api.Stats())
	for _, f := range b.faults {
		for _, c := range b.called() {
			if c.method == "getUpdates" && c.replica != f.replica && c.at.After(f.at) {
				b.t.Logf("%s was %s; %s polled %v later", f.replica, f.what, c.replica, c.at.Sub(f.at).Round(time.Millisecond))
				break
			}
		}
	}
}

func (b *bridge) leader() *replica {
	b.t.Helper()
	who, _ := leader(b.t, b.replicas, "bot")
	return who
}

// hit does something to a replica.
func (b *bridge) hit(what string, r *replica, do func(*replica)) *replica {
	b.t.Helper()
	b.faults = append(b.faults, fault{time.Now(), r.name, what})
	if what != "ended" {
		b.struck[r.name] = true
	}
	do(r)
	return r
}

// killInABatch kills the leader when it has taken some updates of which Telegram does not
// know that, and more are there.
func (b *bridge) killInABatch() *replica {
	b.t.Helper()
	r := b.leader()
	untold := func() int64 { return b.stored() - b.said.Load() + int64(b.api.Stats().Unconfirmed) }
	for begun := time.Now(); untold() < 5; {
		if time.Since(begun) > patience {
			b.t.Fatalf("%s takes no batches", r.name)
		}
	}
	b.hit("killed", r, (*replica).kill)
	b.faults[len(b.faults)-1].what += fmt.Sprintf(" with %d updates stored and not told", untold())
	return r
}

// called returns the calls so far.
func (b *bridge) called() []call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

// answered returns who has answered which updates, in order.
func (b *bridge) answered() map[string][]string {
	by := map[string][]string{}
	for _, c := range b.called() {
		if c.method == "sendMessage" {
			by[c.chat+" "+c.text] = append(by[c.chat+" "+c.text], c.replica)
		}
	}
	return by
}

// atLeast waits until some updates are answered.
func (b *bridge) atLeast(n int) {
	b.t.Helper()
	eventually(b.t, fmt.Sprint(n, " updates are answered"), func() bool { return len(b.answered()) >= n })
}

// streamOf returns what asks for the stream of the updates, which there is when the first
// has come.
func streamOf(t *testing.T, url string) func() jetstream.Stream {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return func() jetstream.Stream {
		stream, err := js.Stream(t.Context(), "TELEGRAM")
		if err != nil {
			t.Fatal(err)
		}
		return stream
	}
}

// storedIn returns what counts the records of a topic.
func storedIn(t *testing.T, brokers []string, topic string) func() int64 {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return func() (n int64) {
		ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		ends.Each(func(o kadm.ListedOffset) { n += max(0, o.Offset) })
		return n
	}
}

// checkStream looks at what JetStream has got: every update once, those of a chat in order.
func (b *bridge) checkStream(stream jetstream.Stream, chats, each int) {
	b.t.Helper()
	last := stream.CachedInfo().State.LastSeq
	if want := uint64(chats * each); last != want {
		b.t.Errorf("the broker has got %d updates, want %d", last, want)
	}
	next := map[int64]int{}
	for seq := range last {
		m, err := stream.GetMsg(b.t.Context(), seq+1)
		if err != nil {
			b.t.Fatal(err)
		}
		var u telegram.Update
		if err := json.Unmarshal(m.Data, &u); err != nil {
			b.t.Fatal(err)
		}
		if u.Text != fmt.Sprint(next[u.ChatID]) {
			b.t.Errorf("chat %d: the broker has got %s, want %d", u.ChatID, u.Text, next[u.ChatID])
		}
		next[u.ChatID]++
		if id := m.Header.Get("Nats-Msg-Id"); id != fmt.Sprint(u.ID) {
			b.t.Errorf("update %d has the message id %q", u.ID, id)
		}
	}
}

// checkAnswers looks at what Telegram has got.
func (b *bridge) checkAnswers(chats, each int) {
	b.t.Helper()
	next := map[string]int{}
	reply := map[string]string{} // what was replied to, by the answer
	of := map[string]string{}    // and the other way round
	by := map[string]int{}
	again := 0
	for _, c := range b.called() {
		if c.method != "sendMessage" {
			continue
		}
		by[c.replica]++
		what := "answer " + c.text + " in chat " + c.chat
		first, known := reply[what]
		switch {
		case known && c.reply != first:
			b.t.Errorf("%s replies to %s, and did to %s", what, c.reply, first)
		case known:
			again++
			continue
		case of[c.chat+c.reply] != "" || c.reply == "":
			b.t.Errorf("%s replies to %q, as does %s", what, c.reply, of[c.chat+c.reply])
		}
		reply[what], of[c.chat+c.reply] = c.reply, what
		if want := fmt.Sprint("You said: ", next[c.chat]); c.text != want {
			b.t.Errorf("%s: want %q", what, want)
		}
		next[c.chat]++
	}
	excused := b.stored() - int64(chats*each) // by those that were stored twice
	for what, who := range b.answered() {
		if len(who) == 1 || b.anyStruck(who) {
			continue
		}
		if excused--; excused < 0 {
			b.t.Errorf("%s was answered by %q, none of which was killed or stopped", what, who)
		}
	}
	if len(reply) != chats*each || len(by) < 2 {
		b.t.Errorf("%d answers, want %d, by %v", len(reply), chats*each, by)
	}
	b.t.Logf("answers: %v, of them twice: %d", by, again)
}

// anyStruck tells whether one of the replicas was killed or stopped, or ended itself because
// the machine was too busy.
func (b *bridge) anyStruck(names []string) bool {
	return slices.ContainsFunc(b.replicas, func(r *replica) bool {
		return slices.Contains(names, r.name) && (b.struck[r.name] || slices.ContainsFunc(r.entries(), func(e entry) bool {
			return strings.Contains(e.Msg, "exiting, so that it does not run twice")
		}))
	})
}

// checkPolls looks at who has polled, as Telegram saw it: those who did not lead did not
// poll, and one came after the other.
func (b *bridge) checkPolls() {
	b.t.Helper()
	turns, last := map[string]int{}, ""
	var order []string
	for _, c := range b.called() {
		if c.method == "getUpdates" && c.replica != last {
			last = c.replica
			turns[last]++
			order = append(order, last)
		}
	}
	terms := 0
	for _, r := range b.replicas {
		own := 0
		for _, e := range r.entries() {
			if e.Msg == "leading" && e.Lock == "bot" {
				own++
			}
		}
		if turns[r.name] > own {
			b.t.Errorf("%s has polled in %d turns, and led %d times: %q", r.name, turns[r.name], own, order)
		}
		terms += own
	}
	if n := b.api.Stats().Conflicts; n >= terms { // each leader may find the poll of the one before it open
		b.t.Errorf("%d conflicts in %d terms", n, terms)
	}
	b.t.Logf("%d terms; polls by %q", terms, order)
}
