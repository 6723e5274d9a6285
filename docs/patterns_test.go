// Package docs_test runs what the documents show.
package docs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/log"
	"github.com/mehari-go/mehari/components/seda"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// A page is where one pattern of patterns.md is tried.
type page struct {
	*testing.T
	*routetest.Mock
	config route.Config
	engine *route.Engine
}

func (p *page) run(routes ...*route.Route) {
	p.config.Components = route.Components{
		"direct": direct.New(), "log": log.New(), "mock": p.Mock, "seda": seda.New(), "timer": timer.New(),
	}
	p.engine = routetest.Run(p.T, p.config, routes...)
	synctest.Wait() // until all consumers take messages
}

// send sends bodies to direct:in; all of them have to succeed.
func (p *page) send(bodies ...any) {
	for _, body := range bodies {
		if err := p.engine.Send(context.Background(), "direct:in", body); err != nil {
			p.Errorf("%v: %v", body, err)
		}
	}
}

// with sends a body with a header.
func (p *page) with(header, value string, body any) {
	if err := p.engine.Send(context.Background(), "direct:in", body, route.WithHeader(header, value)); err != nil {
		p.Errorf("%v: %v", body, err)
	}
}

// ask sends a body and wants a reply.
func (p *page) ask(body, want any) {
	ex, err := p.engine.Request(context.Background(), "direct:in", body)
	if err != nil || fmt.Sprint(ex.Body) != fmt.Sprint(want) {
		p.Errorf("asked %v: %v, %v; want %v", body, ex, err, want)
	}
}

// want waits for bodies at mock:path, as text.
func (p *page) want(path string, want ...any) {
	synctest.Wait()
	p.Eventually(p.T, time.Minute, path, routetest.AtLeast(len(want)))
	var got []any
	for _, body := range p.Bodies(path) {
		got = append(got, fmt.Sprint(body))
	}
	if !slices.Equal(got, want) {
		p.Errorf("mock:%s: %q, want %q", path, got, want)
	}
}

type order struct {
	ID     string
	Amount int
}

var (
	kind    = route.NewKey[string]("kind")
	command = route.NewKey[string]("command")
	format  = route.NewKey[string]("Content-Type")
	errBusy = errors.New("busy")
)

func isGold(ex *route.Exchange) bool { return ex.Header("kind") == "gold" }

func big(o order) bool { return o.Amount > 100 }

func price(_ context.Context, o order) (int, error) { return o.Amount * 2, nil }

// failsTwice is a step that is busy at first.
func failsTwice() route.ProcessorFunc {
	n := 0
	return func(context.Context, *route.Exchange) error {
		if n++; n <= 2 {
			return errBusy
		}
		return nil
	}
}

func busy(context.Context, *route.Exchange) error { return errBusy }

// A pattern has the heading that it has in patterns.md, where its code stands, too.
type pattern struct {
	heading string
	try     func(*page)
}

func TestPatterns(t *testing.T) {
	for _, p := range patterns {
		t.Run(p.heading, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { p.try(&page{T: t, Mock: new(routetest.Mock)}) })
		})
	}
}

// What patterns.md shows is what the tests run, in the same order.
func TestPatternsAreThoseOfTheDocument(t *testing.T) {
	document, source := read(t, "patterns.md"), sources(t)
	intro, _, _ := strings.Cut(document, "\n## ")
	for declaration := range strings.SplitSeq(strings.Split(intro, "```")[1], "\n\n") {
		if code := strings.TrimPrefix(declaration, "go\n"); !strings.Contains(flat(source), flat(code)) {
			t.Errorf("what is declared is not what is used:\n%s", code)
		}
	}
	var headings []string
	for _, h := range regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(document, -1) {
		headings = append(headings, h[1])
	}
	var tried []string
	for _, p := range patterns {
		tried = append(tried, p.heading)
	}
	if !slices.Equal(headings, tried) {
		t.Fatalf("headings of patterns.md:\n%q\nwhat is tried:\n%q", headings, tried)
	}
	for i, section := range strings.Split(document, "\n### ")[1:] {
		parts := strings.Split(section, "```")
		if len(parts) < 3 {
			t.Errorf("%s shows no code", headings[i])
			continue
		}
		begin := strings.Index(source, fmt.Sprintf("{%q,", headings[i]))
		if begin < 0 {
			t.Fatalf("%s is not tried", headings[i])
		}
		try := source[begin:]
		if end := strings.Index(try, "\n\t}},"); end >= 0 {
			try = try[:end]
		}
		code, ok := strings.CutPrefix(parts[1], "go\n")
		if !ok || !strings.Contains(flat(try), flat(code)) {
			t.Errorf("%s: what is shown is not what is tried:\n%s", headings[i], code)
		}
		if lines := strings.Count(code, "\n"); lines > 10 {
			t.Errorf("%s: %d lines of code, want 10 at most", headings[i], lines)
		}
	}
}

// flat is code without regard to its layout.
func flat(code string) string {
	code = regexp.MustCompile(`\bp\.`).ReplaceAllString(code, "") // of the page
	return strings.Join(strings.Fields(strings.ReplaceAll(code, ",\n", "\n")), "")
}

// sources are this file and those of the chapters.
func sources(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("patterns*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		all.WriteString(read(t, file))
	}
	return all.String()
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var patterns = slices.Concat(systems, channels, construction, routing, transformation, endpoints, management, handling, around)
