package routefx_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/log"
	"github.com/mehari-go/mehari/components/seda"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routefx"
)

// program makes the binary of the tests one of some programs.
const program = "MEHARI_TEST_PROGRAM"

func TestMain(m *testing.M) {
	switch os.Getenv(program) {
	case "fifty":
		fmt.Println(fifty())
	case "flaky":
		fx.New(routefx.Module, routefx.Logger, routefx.Component("flaky", flaky(9)),
			fx.Replace(route.Config{Restart: route.Backoff{Delay: time.Millisecond}}),
			routefx.Routes(route.From("flaky:x").ID("x")), routefx.Vital("x", routefx.VitalOptions{ExitCode: 7})).Run()
	default:
		os.Exit(m.Run())
	}
}

// command is one of the programs.
func command(t *testing.T, name string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), program+"="+name)
	return cmd
}

// A program ends with the exit code of a vital route that has died.
func TestExit(t *testing.T) {
	out, err := command(t, "flaky").CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 7 {
		t.Errorf("%v, want exit code 7\n%s", err, out)
	}
}

// fifty runs an application with five modules of ten routes until it is ready, and returns
// how much memory is resident, in kB, as Linux says it.
func fifty() (string, error) {
	var engine *route.Engine
	options := []fx.Option{
		routefx.Module, routefx.Logger, fx.Supply(slog.New(slog.DiscardHandler)),
		routefx.Component("direct", direct.New), routefx.Component("log", log.New),
		routefx.Component("seda", seda.New), routefx.Component("timer", timer.New),
		fx.Populate(&engine),
	}
	for m := range 5 {
		options = append(options, fx.Module(fmt.Sprint("module", m), routefx.Routes(func() (all []*route.Route) {
			for r := range 10 {
				from := route.URI(fmt.Sprintf("%s:m%dr%d", []string{"direct", "seda", "timer"}[r%3], m, r))
				all = append(all, route.From(from).ID(fmt.Sprintf("m%dr%d", m, r)).
					SetHeader("n", route.Constant(r)).
					Filter(route.Simple("${header.n} > 3")).
					Choice(
						route.When(route.Simple("${body} == 'gold'")).To("direct:m0r0"),
						route.Otherwise().SetBody(route.Simple("${body} of ${header.n}")),
					).
					To("log:done?level=DEBUG"))
			}
			return all
		})))
	}
	app := fx.New(options...)
	if err := app.Start(context.Background()); err != nil {
		return "", err
	}
	if err := engine.Ready(); err != nil {
		return "", err
	}
	status, _ := os.ReadFile("/proc/self/status")
	_, resident, _ := strings.Cut(string(status), "VmRSS:")
	resident, _, _ = strings.Cut(resident, "kB")
	return "ready " + strings.TrimSpace(resident), nil
}

// An application with 50 routes is ready soon after its process starts, and small. What is
// aimed at is 100 ms and 40 MB; a busy machine may take longer.
func TestStartup(t *testing.T) {
	best, memory := time.Hour, 0
	for range 3 {
		cmd := command(t, "fifty")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		took := time.Since(begun)
		if err := cmd.Wait(); err != nil || !strings.HasPrefix(line, "ready ") {
			t.Fatalf("%q, %v", line, err)
		}
		best = min(best, took)
		_, _ = fmt.Sscanf(line, "ready %d", &memory)
	}
	t.Logf("50 routes: ready after %v, %.1f MB resident", best, float64(memory)/1000)
	if best > time.Second && !raceEnabled {
		t.Errorf("ready after %v, want 1s at most", best)
	}
	if memory > 40_000 && !raceEnabled || memory == 0 && runtime.GOOS == "linux" {
		t.Errorf("%d kB are resident, want 40000 at most", memory)
	}
}
