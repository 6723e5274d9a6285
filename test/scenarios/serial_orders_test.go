//go:build unix

package scenarios

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Customers send orders to all replicas in turn, each the next one when the last is
// accepted, and again where no answer comes, while leaders are killed and stopped. In the
// end each order that was accepted is executed once, those of a customer in their order.
func TestSerialOrders(t *testing.T) {
	t.Parallel()
	db, queue := postgres(t), natsServer(t)
	program, folder := build(t, "serial-orders"), t.TempDir()
	var replicas []*replica
	var addresses []string
	links := map[*replica]*link{}
	for i := range 3 {
		name := fmt.Sprint("replica ", i+1)
		l, address := connect(t, db.addr), freeAddress(t)
		r := start(t, name, program, []string{"DATABASE_URL=" + db.url(l.addr), "NATS_URL=" + queue},
			"-name", name, "-cluster", folder, "-address", address)
		replicas, links[r], addresses = append(replicas, r), l, append(addresses, address)
	}
	for _, address := range addresses {
		answers(t, "http://"+address+"/livez")
		answers(t, "http://"+address+"/readyz")
	}
	// leads waits until the leader has executed some orders.
	leads := func() (*replica, uint64) {
		t.Helper()
		r, token := leader(t, replicas, "orders")
		eventually(t, fmt.Sprintf("%s executes orders", r.name), func() bool {
			r, token = leader(t, replicas, "orders") // it may lose touch on a busy machine
			return value[int](t, db, "select count(*) from orders where token = $1", token) >= 20
		})
		return r, token
	}

	refuses(t, addresses[0])
	shop := shopping{t: t, addresses: addresses, accepted: map[string]int{}}
	for i := range 6 {
		shop.clients.Go(func() { shop.order(fmt.Sprint("customer", i)) })
	}
	t.Cleanup(func() { shop.close() })

	killed, first := leads()
	killed.kill()
	stopped, token := leads()
	killed.again()

	held := links[stopped].hold('B') // a statement: Bind in PostgreSQL's protocol
	select {
	case <-held:
	case <-time.After(patience):
		t.Fatal("no statement to hold up")
	}
	stopped.stop()
	_, next := leads()
	if first >= token || token >= next {
		t.Errorf("the tokens are %d, %d, %d: want them to grow", first, token, next)
	}
	links[stopped].release()
	refused := fmt.Sprintf("token %d of lock orders is stale", token)
	eventually(t, "the late statement is refused", func() bool { return db.says(refused) })
	stopped.resume()

	r, _ := leads() // now wherever it happens to be
	r.stop()
	leads()
	r.resume()
	r, _ = leads()
	for _, l := range links { // the database is away
		l.cut()
	}
	time.Sleep(2 * time.Second)
	for _, l := range links {
		l.mend()
	}
	r.end()
	leads()

	accepted := shop.close()
	total := 0
	for _, n := range accepted {
		total += n
	}
	eventually(t, "all orders are executed", func() bool { return value[int](t, db, "select count(*) from orders") >= total })
	for _, other := range replicas {
		if other != r {
			other.end()
		}
	}
	for customer, n := range accepted {
		executed := column[int](t, db, "select amount from orders where customer = $1 order by place", customer)
		if len(executed) != n {
			t.Errorf("%s: %d orders were executed, want %d", customer, len(executed), n)
		}
		for i, number := range executed {
			if number != i+1 {
				t.Errorf("%s: the %d. order to be executed was the %d. to be accepted", customer, i+1, number)
				break
			}
		}
		if have := value[int](t, db, "select orders from customers where customer = $1", customer); have != n {
			t.Errorf("%s: %d orders were booked, want %d", customer, have, n)
		}
		if have := value[int](t, db, "select total from customers where customer = $1", customer); have != n*(n+1)/2 {
			t.Errorf("%s: %d was booked, want %d", customer, have, n*(n+1)/2)
		}
	}
	if back := column[string](t, db, `
		select id from (select id, token, max(token) over (order by place) greatest from orders) all_orders
		where token < greatest`); len(back) > 0 {
		t.Errorf("an earlier leader has executed after a later one: %v", back)
	}
	terms := value[int](t, db, "select count(distinct token) from orders")
	t.Logf("%d orders in %d terms, %d of them sent more than once", total, terms, shop.again.Load())
	if terms < 5 {
		t.Errorf("%d terms only", terms)
	}
}

// refuses wants a clear answer to what is no order.
func refuses(t *testing.T, address string) {
	t.Helper()
	status, answer := put(t.Context(), address, "x", `{"customer": "ada", "amount": -1}`)
	if status != 400 || !strings.Contains(answer, "want an amount of 1 to 1000000, have -1") {
		t.Errorf("to a wrong amount the answer is %d %s", status, answer)
	}
	if status, answer = put(t.Context(), address, "x", "five"); status != 400 || !strings.Contains(answer, "want an order like") {
		t.Errorf("to what is not JSON the answer is %d %s", status, answer)
	}
}

// shopping is what the customers do.
type shopping struct {
	t         *testing.T
	addresses []string
	clients   sync.WaitGroup
	closed    atomic.Bool
	turn      atomic.Uint64
	again     atomic.Uint64 // orders that were sent more than once

	mu       sync.Mutex
	accepted map[string]int // orders, by customer
}

// order sends one order after the other.
func (s *shopping) order(customer string) {
	for n := 1; !s.closed.Load(); n++ {
		id, body := fmt.Sprintf("%s-%d", customer, n), fmt.Sprintf(`{"customer": %q, "amount": %d}`, customer, n)
		begun := time.Now()
		for tries := 1; ; tries++ {
			address := s.addresses[s.turn.Add(1)%uint64(len(s.addresses))]
			status, answer := put(context.Background(), address, id, body)
			if status == http.StatusAccepted {
				break
			}
			if tries == 1 {
				s.again.Add(1)
			}
			if time.Since(begun) > patience {
				s.t.Errorf("%s is not accepted after %v: %d %s", id, patience, status, answer)
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		s.mu.Lock()
		s.accepted[customer] = n
		s.mu.Unlock()
		time.Sleep(30 * time.Millisecond)
	}
}

// close ends it and returns how many orders of each customer were accepted.
func (s *shopping) close() map[string]int {
	s.closed.Store(true)
	s.clients.Wait()
	return s.accepted
}

// put sends an order. The status is 0 where no answer comes in time.
func put(ctx context.Context, address, id, body string) (status int, answer string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+address+"/orders/"+id, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}
