package route

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/mehari-go/mehari/internal/sleep"
)

// A SagaService coordinates sagas: it knows who takes part in each, and tells them how it has
// ended. All methods may be called by many goroutines at once.
type SagaService interface {
	// Begin begins a saga and returns its id.
	Begin(ctx context.Context) (id string, err error)

	// Join adds a participant. The error is [ErrNoSaga] where the saga has ended.
	Join(ctx context.Context, id string, p SagaParticipant) error

	// Complete ends a saga as a success, and Compensate as a failure. They return when all
	// participants have been told, what joined last first, with a [SagaError] if one could
	// not be. The error is [ErrNoSaga] where the saga has ended before.
	Complete(ctx context.Context, id string) error
	Compensate(ctx context.Context, id string) error
}

// A SagaRunner is a [SagaService] that has something to do by itself, such as to look at the
// time. It is run by each route with a [Route.Saga] of it, while that is started: until stop is
// done, and not longer than work.
type SagaRunner interface {
	SagaService

	// Run returns when it has nothing more to do, or may not.
	Run(stop, work context.Context, logger *slog.Logger)
}

// A SagaParticipant is a step of a saga.
type SagaParticipant struct {
	Compensation URI            // where to send if the saga fails; "" for nowhere
	Completion   URI            // where to send if it succeeds; "" for nowhere
	Options      map[string]any // headers of both messages

	// Timeout is how long the saga may last from now; 0 means that this does not matter.
	// The least one of all participants counts.
	Timeout time.Duration

	// Send sends to one of the URIs, from this process.
	Send func(ctx context.Context, to URI) error
}

var (
	// ErrNoSaga is the error for a saga that is not known, because it has ended.
	ErrNoSaga = errors.New("route: no such saga, or it has ended")

	// ErrSagaTimeout is the cause of the context of a saga whose time is over.
	ErrSagaTimeout = errors.New("route: the time of the saga is over")
)

// A SagaError tells which participants could not be told how a saga has ended.
type SagaError struct {
	Saga string // its id
	Errs []error
}

func (e *SagaError) Error() string {
	return fmt.Sprintf("saga %s: %v", e.Saga, errors.Join(e.Errs...))
}

// Unwrap returns the error of each participant.
func (e *SagaError) Unwrap() []error { return e.Errs }

// SagaMemory is a [SagaService] in memory: with the process end the sagas that have not. The zero
// value is ready. The fields may not be changed once it is used.
type SagaMemory struct {
	Max        int           // how many sagas may be open; 0 means 10000
	Retries    int           // how often a participant that fails is told again; 0 means 5, less none
	RetryDelay time.Duration // how long to wait before that; 0 means 5s

	mu      sync.Mutex
	open    map[string]*openSaga
	runners int
	next    time.Time     // when a runner looks at the time again
	changed chan struct{} // has something when it is to look before
}

const (
	maxSagas        = 10_000
	maxParticipants = 1000
	maxExpiring     = 16 // sagas that a runner compensates at the same time
)

type openSaga struct {
	participants []SagaParticipant
	deadline     time.Time     // zero for none
	ending       string        // "" while it is open
	ended        chan struct{} // closed when all are told
	err          error         // of those that could not be
}

// How a saga ends.
const (
	asSuccess = "completion"
	asFailure = "compensation"
)

// Begin implements [SagaService].
func (m *SagaMemory) Begin(context.Context) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	limit := m.Max
	if limit <= 0 {
		limit = maxSagas
	}
	if len(m.open) >= limit {
		return "", fmt.Errorf("%d sagas are open already", limit)
	}
	if m.open == nil {
		m.open = map[string]*openSaga{}
	}
	id := rand.Text()
	m.open[id] = &openSaga{ended: make(chan struct{})}
	return id, nil
}

// Join implements [SagaService].
func (m *SagaMemory) Join(_ context.Context, id string, p SagaParticipant) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.open[id]
	switch {
	case s == nil || s.ending != "":
		return fmt.Errorf("saga %q: %w", id, ErrNoSaga)
	case len(s.participants) == maxParticipants:
		return fmt.Errorf("saga %q has %d participants already", id, maxParticipants)
	}
	if p.Compensation != "" || p.Completion != "" {
		s.participants = append(s.participants, p)
	}
	if p.Timeout > 0 {
		if d := time.Now().Add(p.Timeout); s.deadline.IsZero() || d.Before(s.deadline) {
			s.deadline = d
			if d.Before(m.next) {
				m.wake()
			}
		}
	}
	return nil
}

// Complete implements [SagaService].
func (m *SagaMemory) Complete(ctx context.Context, id string) error {
	return m.end(ctx, id, asSuccess)
}

// Compensate implements [SagaService].
func (m *SagaMemory) Compensate(ctx context.Context, id string) error {
	return m.end(ctx, id, asFailure)
}

func (m *SagaMemory) end(ctx context.Context, id, as string) error {
	m.mu.Lock()
	s := m.open[id]
	switch {
	case s == nil || s.ending != "" && s.ending != as:
		m.mu.Unlock()
		return fmt.Errorf("saga %q: %w", id, ErrNoSaga)
	case s.ending == as:
		m.mu.Unlock()
		select {
		case <-s.ended:
			return s.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.ending = as
	m.mu.Unlock()
	var errs []error
	for _, p := range slices.Backward(s.participants) {
		to := p.Compensation
		if as == asSuccess {
			to = p.Completion
		}
		if to == "" {
			continue
		}
		if err := m.tell(ctx, p, to); err != nil {
			errs = append(errs, fmt.Errorf("%s by %q: %w", as, to, err))
		}
	}
	if errs != nil {
		s.err = &SagaError{id, errs}
	}
	m.mu.Lock()
	delete(m.open, id)
	m.mu.Unlock()
	close(s.ended)
	return s.err
}

// tell sends to a participant, again where that fails.
func (m *SagaMemory) tell(ctx context.Context, p SagaParticipant, to URI) (err error) {
	retries, delay := m.Retries, m.RetryDelay
	if retries == 0 {
		retries = 5
	}
	if delay <= 0 {
		delay = 5 * time.Second
	}
	for attempt := 1; ; attempt++ {
		if err = safely(func() error { return p.Send(ctx, to) }); err == nil {
			return nil
		}
		if attempt > retries || !sleep.For(ctx, delay) {
			return fmt.Errorf("attempt %d: %w", attempt, err)
		}
	}
}

func (m *SagaMemory) wake() {
	if m.changed == nil {
		m.changed = make(chan struct{}, 1)
	}
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Run implements [SagaRunner]: it compensates sagas whose time is over.
func (m *SagaMemory) Run(stop, work context.Context, logger *slog.Logger) {
	m.mu.Lock()
	m.wake()
	changed := m.changed
	m.runners++
	m.mu.Unlock()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var expiring sync.WaitGroup
	places := make(chan struct{}, maxExpiring)
	for stop.Err() == nil {
		ids, wait := m.due()
		for _, id := range ids {
			places <- struct{}{}
			expiring.Go(func() {
				m.expire(work, id, logger)
				<-places
			})
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-stop.Done():
		}
	}
	expiring.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runners--
	m.wake() // one who goes on must look at the time
	if m.runners == 0 && len(m.open) > 0 {
		var ids []string
		for id := range m.open {
			if ids = append(ids, id); len(ids) == 10 {
				break
			}
		}
		logger.Warn("sagas are open: nothing is told to their participants unless the routes start again",
			"open", len(m.open), "sagas", ids)
	}
}

func (m *SagaMemory) expire(ctx context.Context, id string, logger *slog.Logger) {
	switch err := m.Compensate(ctx, id); {
	case err == nil:
		logger.Warn("saga compensated: its time is over", "saga", id)
	case !errors.Is(err, ErrNoSaga):
		logger.Error("saga not compensated, and its time is over", "saga", id, "error", err)
	}
}

// due returns the sagas whose time is over, and how long to wait for more.
func (m *SagaMemory) due() (ids []string, wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.next = now.Add(time.Hour)
	for id, s := range m.open {
		switch {
		case s.deadline.IsZero() || s.ending != "":
		case !s.deadline.After(now):
			ids = append(ids, id)
			s.deadline = time.Time{} // it is for this runner
		case s.deadline.Before(m.next):
			m.next = s.deadline
		}
	}
	return ids, m.next.Sub(now)
}
