package route_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/mehari-go/mehari/route"
)

const line = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456\n"

// lineReader reads so many bytes of lines that are made while they are read.
func lineReader(size int) io.Reader {
	block := bytes.Repeat([]byte(line), 1000)
	var blocks []io.Reader
	for ; size > 0; size -= len(block) {
		blocks = append(blocks, bytes.NewReader(block[:min(len(block), size)]))
	}
	return io.MultiReader(blocks...)
}

// splitLines splits what a reader reads; look is called with each part.
func splitLines(tb testing.TB, o route.SplitOptions, r io.Reader, look func(n int)) int {
	n := 0
	o.Merge = func(_ context.Context, _, next *route.Exchange) error {
		if len(next.Body.(string)) != len(line)-1 {
			return fmt.Errorf("line %d is %.20q", n, next.Body)
		}
		if n++; n%10_000 == 0 {
			look(n)
		}
		return nil
	}
	ctx, next := consumerOf(tb, route.Config{Components: route.Components{}, Logger: slog.New(slog.DiscardHandler)},
		route.From("in:x").Split(route.Lines(), route.Do().Process(nop), o))
	ex := route.NewExchange(r)
	defer ex.Release()
	if err := next.Process(ctx, ex); err != nil {
		tb.Fatal(err)
	}
	return n
}

func TestSplitHoldsNoMoreThanItNeeds(t *testing.T) {
	for _, parallel := range []int{0, 4} {
		var m runtime.MemStats
		heap := func() int64 {
			runtime.GC()
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		before, most := heap(), int64(0)
		n := splitLines(t, route.SplitOptions{FanOut: route.FanOut{Parallel: parallel}}, lineReader(128*50_000), func(int) {
			most = max(most, heap()-before)
		})
		if n != 50_000 || most > 1<<20 || most == 0 {
			t.Errorf("%d lines, %d bytes more of the heap than before; want 50000 and less than 1 MiB", n, most)
		}
	}
}

// rss is how many bytes of memory the process has, 0 where nobody can tell.
func rss() int64 {
	var size, resident int64
	text, _ := os.ReadFile("/proc/self/statm")
	_, _ = fmt.Sscan(string(text), &size, &resident)
	return resident * int64(os.Getpagesize())
}

func BenchmarkSplit100MB(b *testing.B) {
	const size = 100_000_000 / len(line) * len(line)
	path := filepath.Join(b.TempDir(), "lines")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(file, lineReader(size)); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	for _, from := range []string{"reader", "file"} {
		for _, parallel := range []int{0, 4} {
			b.Run(fmt.Sprintf("%s/parallel=%d", from, parallel), func(b *testing.B) {
				debug.FreeOSMemory()
				before, most := rss(), int64(0)
				b.SetBytes(int64(size))
				for b.Loop() {
					var r io.Reader = lineReader(size)
					if from == "file" {
						file, err := os.Open(path)
						if err != nil {
							b.Fatal(err)
						}
						defer file.Close()
						r = file
					}
					o := route.SplitOptions{FanOut: route.FanOut{Parallel: parallel}}
					if n := splitLines(b, o, r, func(int) { most = max(most, rss()) }); n != size/len(line) {
						b.Fatalf("%d lines", n)
					}
				}
				b.ReportMetric(float64(max(0, most-before))/1e6, "MB-RSS-growth")
			})
		}
	}
}
