package cluster_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

// What is not ours is left alone, and said.
func TestForeignTable(t *testing.T) {
	var log journal
	o := cluster.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	onStage(t, 3, o, func(t *testing.T, s *stage) {
		s.playAll(0, "lock1")
		foreign := []byte("lock1: pod-a\n")
		s.Overwrite(cluster.TableKey, func([]byte) []byte { return foreign })
		s.Advance(10 * time.Minute)
		if s.Leader("lock1") != nil {
			t.Error("somebody leads")
		}
		if got := s.Value(cluster.TableKey); !bytes.Equal(got, foreign) {
			t.Errorf("overwritten: %s", got)
		}
		err := s.Member(0).Service.Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), `have "lock1: pod-a\n"`) {
			t.Errorf("have %v", err)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n < 20 || n > 70 {
			t.Errorf("complained %d times in ten minutes, three members", n)
		}
		s.Delete(cluster.TableKey)
		s.Advance(20 * time.Second)
		if s.Leader("lock1") == nil {
			t.Error("nobody leads after it was deleted")
		}
	})
}

func TestForeignSlot(t *testing.T) {
	onStage(t, 3, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(0, "a", "b", "c")
		foreign := []byte(`{"spec": "of something else"}`)
		for _, key := range []string{"slot-0", "slot-1", "slot-2", "slot-3", "slot-4"} {
			if s.Value(key) != nil {
				s.Overwrite(key, func([]byte) []byte { return foreign })
				break
			}
		}
		s.Advance(40 * time.Second)
		for _, lock := range []string{"a", "b", "c"} {
			if s.Leader(lock) == nil {
				t.Errorf("nobody leads %q", lock)
			}
		}
		found := false
		for _, key := range []string{"slot-0", "slot-1", "slot-2", "slot-3", "slot-4"} {
			found = found || bytes.Equal(s.Value(key), foreign)
		}
		if !found {
			t.Error("overwritten")
		}
	})
}

// What people do to the records by hand never makes two leaders, and soon there is
// one again.
func TestByHand(t *testing.T) {
	edit := func(old, new string) func(*stage, string) {
		return func(s *stage, key string) {
			s.Overwrite(key, func(v []byte) []byte { return bytes.Replace(v, []byte(old), []byte(new), 1) })
		}
	}
	for name, test := range map[string]struct {
		table bool // or the leader's slot
		do    func(s *stage, key string)
	}{
		"table deleted":        {true, func(s *stage, key string) { s.Delete(key) }},
		"table edited":         {true, edit(`"holder":"`, `"holder":"x`)},
		"table's token edited": {true, edit(`"token":`, `"token":1`)},
		"table put back": {true, func(s *stage, key string) {
			old := s.Value(key)
			_ = s.Leader("lock1").Service.Resign("lock1")
			s.Advance(time.Second)
			s.Overwrite(key, func([]byte) []byte { return old })
		}},
		"slot deleted": {false, func(s *stage, key string) { s.Delete(key) }},
		"slot edited":  {false, edit(`"holder":"member`, `"holder":"x`)},
		"slot freed": {false, func(s *stage, key string) {
			s.Overwrite(key, func(v []byte) []byte {
				i := bytes.Index(v, []byte(`"session"`))
				return append([]byte(`{"holder":"",`), v[i:]...)
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, 3, cluster.Options{}, func(t *testing.T, s *stage) {
				s.playAll(0, "lock1")
				key := cluster.TableKey
				if !test.table {
					leader, _, _ := s.Member(0).Service.View("lock1").Leader()
					key = cluster.SlotPrefix + string(rune('0'+leader.Slot))
				}
				test.do(s, key)
				before := s.Leader("lock1")
				began := time.Now()
				s.Advance(3500 * time.Millisecond) // a beat
				p := s.over()
				if len(p) == 0 || !errors.Is(p[len(p)-1].cause, cluster.ErrFenced) {
					t.Fatalf("%v was not stopped: %+v", before, p)
				}
				leader, _ := s.waitFor("lock1", nil)
				if took := time.Since(began); took < 12*time.Second || took > 25*time.Second {
					t.Errorf("took %v", took)
				}
				_, token, _ := leader.Service.View("lock1").Leader()
				if token <= p[len(p)-1].token {
					t.Errorf("token %d after %d", token, p[len(p)-1].token)
				}
				s.Advance(time.Minute)
				for _, m := range s.Members() {
					if err := m.Service.Check(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

// Members that have the same name are two members, and a warning says so.
func TestSameName(t *testing.T) {
	var log journal
	onStage(t, 1, cluster.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(t *testing.T, s *stage) {
		s.AddWith(cluster.Options{Name: "member-0"})
		s.AddWith(cluster.Options{Name: "member-0"})
		s.playAll(0, "lock1")
		if s.Leader("lock1") == nil {
			t.Error("nobody leads")
		}
		s.Advance(time.Minute)
	})
	if !strings.Contains(log.String(), `two members have the same name" name=member-0`) {
		t.Errorf("no warning:\n%s", log.String())
	}
}

// A person who reads the table sees the owner of each lock, a lock a line.
func TestTableIsReadable(t *testing.T) {
	onStage(t, 2, cluster.Options{}, func(t *testing.T, s *stage) {
		s.playAll(0, "orders", "invoices")
		table := string(s.Value(cluster.TableKey))
		for _, lock := range []string{"orders", "invoices"} {
			line := `"` + lock + `": {"holder":"` + s.Leader(lock).Name + `#`
			if !strings.Contains(table, "\n  "+line) {
				t.Errorf("want the line %s\n%s", line, table)
			}
		}
	})
}
