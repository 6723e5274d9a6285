package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
	mehari "github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
	"github.com/mehari-go/mehari/examples/modules/billing"
	"github.com/mehari-go/mehari/examples/modules/intake"
	"github.com/mehari-go/mehari/examples/modules/orders"
	"github.com/mehari-go/mehari/examples/modules/web"
	"github.com/mehari-go/mehari/route"
)

// A town is what replicas of the shop share: a folder, a store and a bot.
type town struct {
	folder orders.Folder
	store  cluster.Store
	bot    *telegramtest.Server
}

func newTown(t *testing.T) town {
	bot := telegramtest.New()
	t.Cleanup(bot.Close)
	return town{orders.Folder(t.TempDir()), memory.New(), bot}
}

// A replica is the shop, with the server of tests for Telegram, a store in memory and a free
// port, until it or the test stops.
type replica struct {
	*route.Engine
	url  string
	stop func()
}

func (w town) open(t *testing.T, options ...fx.Option) replica {
	var engine *route.Engine
	var server *mehari.Server
	app := fxtest.New(t, append(options,
		shop,
		fx.Replace(fx.Annotate(w.store, fx.As(new(cluster.Store)))),
		fx.Supply(
			slog.New(slog.NewTextHandler(t.Output(), nil)),
			w.folder,
			web.Address("127.0.0.1:0"),
			intake.Token(telegramtest.Token),
			intake.Options{telegram.WithClient(w.bot.Client())},
		),
		fx.Populate(&engine, &server))...)
	app.RequireStart()
	stop := sync.OnceFunc(app.RequireStop)
	t.Cleanup(stop)
	eventually(t, "ready", func() bool { return engine.Ready() == nil && server.Addr("") != nil })
	return replica{engine, "http://" + server.Addr("").String(), stop}
}

// leads tells whether the replica writes invoices.
func (r replica) leads() bool {
	s, _ := r.Status().Route("billing")
	return s.Leadership != nil && s.Leadership.Leading
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 3000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("not %s after 30s", what)
}

// ask sends a request and returns status and answer.
func ask(t *testing.T, method, url, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", res.StatusCode, strings.TrimSpace(string(b)))
}

// Orders come in by Telegram and HTTP, and are billed.
func TestShop(t *testing.T) {
	w := newTown(t)
	bot, shop := w.bot, w.open(t, fx.Decorate(func(p billing.Prices) billing.Prices {
		p["reins"] = 40
		return p
	}))

	if have := ask(t, "GET", shop.url+"/readyz", ""); have != "200 ready" {
		t.Errorf("ready: %s", have)
	}
	accepted := ask(t, "POST", shop.url+"/orders", "2 saddles")
	var status int
	var id string
	if _, err := fmt.Sscanf(accepted, "%d order %s is accepted", &status, &id); err != nil || status != 202 {
		t.Fatalf("an order by HTTP: %s", accepted)
	}
	for order, want := range map[string]string{
		"3 camels": `422 "camels" is not sold here`,
		"saddles":  "422 please order like this: 2 saddles",
	} {
		if have := ask(t, "POST", shop.url+"/orders", order); have != want {
			t.Errorf("%q: %s, want %s", order, have, want)
		}
	}
	for _, strange := range []string{"none", "..%2Fopen%2F" + id} {
		if have := ask(t, "GET", shop.url+"/invoices/"+strange, ""); have != "404 no such invoice" {
			t.Errorf("invoice %s: %s", strange, have)
		}
	}

	update := bot.Text(42, "3 reins")
	bot.Text(42, "a camel")
	eventually(t, "answered by the bot", func() bool { return len(bot.Requests("sendMessage")) == 2 })
	for i, want := range []string{fmt.Sprintf("order telegram-%d is accepted", update), "please order like this: 2 saddles"} {
		if have := bot.Requests("sendMessage")[i].Params; have["text"] != want || have["chat_id"] != "42" {
			t.Errorf("answer %d: %v, want %q", i, have, want)
		}
	}

	for invoice, want := range map[string]string{
		id:                                 `200 {"order":"` + id + `","amount":240}`,
		fmt.Sprintf("telegram-%d", update): fmt.Sprintf(`200 {"order":"telegram-%d","amount":120}`, update),
	} {
		var have string
		eventually(t, "billed", func() bool {
			have = ask(t, "GET", shop.url+"/invoices/"+invoice, "")
			return !strings.HasPrefix(have, "404")
		})
		if have != want {
			t.Errorf("invoice %s: %s, want %s", invoice, have, want)
		}
	}
}

// Of two replicas both take orders, and one writes the invoices, the other when that stops.
func TestTwoReplicas(t *testing.T) {
	w := newTown(t)
	one, two := w.open(t), w.open(t)
	order := func(r replica) (id string) {
		answer := ask(t, "POST", r.url+"/orders", "1 saddles")
		if _, err := fmt.Sscanf(answer, "202 order %s is accepted", &id); err != nil {
			t.Fatal(answer)
		}
		return id
	}
	billed := func(by replica, id string) {
		t.Helper()
		eventually(t, "billed", func() bool {
			return ask(t, "GET", by.url+"/invoices/"+id, "") == `200 {"order":"`+id+`","amount":120}`
		})
	}
	eventually(t, "led", func() bool { return one.leads() || two.leads() })
	leader, other := one, two
	if two.leads() {
		leader, other = two, one
	}
	billed(leader, order(other))
	if other.leads() {
		t.Error("both write invoices")
	}
	leader.stop()
	billed(other, order(other))
	if !other.leads() {
		t.Error("nobody leads")
	}
}

// Without a token there is no bot, and the rest works.
func TestWithoutToken(t *testing.T) {
	shop := newTown(t).open(t, fx.Replace(intake.Token("")))
	if _, ok := shop.Status().Route("intake"); ok {
		t.Error("there is a bot")
	}
	if have := ask(t, "POST", shop.url+"/orders", "1 blankets"); !strings.HasPrefix(have, "202 ") {
		t.Error(have)
	}
}

// What the program provides is what the modules need; nothing of it runs here.
func TestProgram(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "shop")
	if err := fx.ValidateApp(shop, fx.NopLogger,
		fx.Supply(slog.Default(), orders.Folder(folder), web.Address(""), intake.Token(""))); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("the folder is there")
	}
}
