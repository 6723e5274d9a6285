package file_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

func BenchmarkBeat(b *testing.B) { benchmarkSet(b, "slot-0") }

func BenchmarkTable(b *testing.B) { benchmarkSet(b, cluster.TableKey) }

func benchmarkSet(b *testing.B, key string) {
	s := open(b, b.TempDir())
	var v cluster.Version
	for b.Loop() {
		next, err := s.Set(b.Context(), key, []byte(`{"holder":"a"}`), v)
		if err != nil {
			b.Fatal(err)
		}
		v = next
	}
}

// BenchmarkConfirm asks whether the table is still as known, as every member does
// at each beat.
func BenchmarkConfirm(b *testing.B) {
	s := open(b, b.TempDir())
	v, err := s.Set(b.Context(), cluster.TableKey, make([]byte, 100<<10), 0)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if rec, err := s.Get(b.Context(), cluster.TableKey, v); err != nil || rec.Version != v {
			b.Fatal(rec.Version, err)
		}
	}
}

// BenchmarkContended counts the writes of the table that eight writers get through
// at once.
func BenchmarkContended(b *testing.B) {
	dir := b.TempDir()
	var wins atomic.Int64
	b.SetParallelism(4)
	start := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		s := open(b, dir)
		for pb.Next() {
			for {
				rec, err := s.Get(b.Context(), cluster.TableKey, 0)
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := s.Set(b.Context(), cluster.TableKey, []byte("{}"), rec.Version); err == nil {
					wins.Add(1)
					break
				}
			}
		}
	})
	b.ReportMetric(float64(wins.Load())/time.Since(start).Seconds(), "writes/s")
}

// BenchmarkWatch measures from a write of one client to the word of it at another.
func BenchmarkWatch(b *testing.B) {
	dir := b.TempDir()
	writer := open(b, dir)
	heard := make(chan cluster.Version, 1)
	go func() {
		for rec, err := range open(b, dir).Watch(b.Context(), "slot-") {
			if err != nil {
				b.Error(err)
				return
			}
			heard <- rec.Version
		}
	}()
	var v cluster.Version
	for b.Loop() {
		next, err := writer.Set(b.Context(), "slot-0", []byte(`{"holder":"a"}`), v)
		if err != nil {
			b.Fatal(err)
		}
		for v = next; v > <-heard; {
		}
	}
}
