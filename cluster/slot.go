package cluster

import (
	"encoding/hex"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A slot is the record of one member: its heartbeat, and what it tells the
// assigner. Once made it does not change.
type slot struct {
	// Holder is the incarnation of the member, "name#random", or "" where the slot
	// is free. Session is the same as the member wrote it: where the two differ,
	// someone edited the holder by hand.
	Holder  string `json:"holder"`
	Session string `json:"session"`
	// Line is drawn when the record is created and then stays. Two versions of one
	// line are linked by compare-and-set alone; another line means that the record
	// was deleted in between.
	Line string `json:"line"`
	Beat uint64 `json:"beat"`

	Set     string             `json:"set,omitempty"`    // hash of the locks offered
	Offers  []string           `json:"offers,omitempty"` // those locks, while the table lacks the set
	Off     []string           `json:"off,omitempty"`    // those of the set not wanted now
	Done    map[string]Version `json:"done,omitempty"`   // locks given back, by token: never acted on again
	Leaving bool               `json:"leaving,omitempty"`
}

// edited reports whether someone wrote another holder into the slot.
func (s *slot) edited() bool { return s.Holder != s.Session }

// free reports whether a member may take the slot: its last holder has released
// it or has been fenced.
func (s *slot) free() bool { return s.Holder == "" && s.Session == "" }

// tells reports whether s says something that old, written before, does not. The
// beat is no news, and neither is a list of offers left out.
func (s *slot) tells(old *slot) bool {
	return s.Set != old.Set || len(s.Offers) > 0 && len(old.Offers) == 0 || s.Leaving != old.Leaving ||
		!slices.Equal(s.Off, old.Off) || !maps.Equal(s.Done, old.Done)
}

// news reports whether the assigner has to think again, now that the slot is s
// and no longer old.
func (s *slot) news(old *slot) bool {
	return old == nil || s.Session != old.Session || s.Holder != old.Holder || s.Line != old.Line || s.tells(old)
}

func slotKey(k int) string { return SlotPrefix + strconv.Itoa(k) }

// slotNumber is the number in a slot's key.
func slotNumber(key string) (int, bool) {
	rest, ok := strings.CutPrefix(key, SlotPrefix)
	k, err := strconv.Atoi(rest)
	return k, ok && err == nil && k >= 0 && slotKey(k) == key
}

// nameOf is the member's name in an incarnation.
func nameOf(incarnation string) string {
	if i := strings.LastIndexByte(incarnation, '#'); i >= 0 {
		return incarnation[:i]
	}
	return incarnation
}

// setHash names a sorted set of locks.
func setHash(locks []string) string {
	if len(locks) == 0 {
		return ""
	}
	h := fnv.New128a()
	for _, l := range locks {
		h.Write([]byte(strconv.Itoa(len(l))))
		h.Write([]byte{':'})
		h.Write([]byte(l))
	}
	return hex.EncodeToString(h.Sum(nil))[:20]
}
