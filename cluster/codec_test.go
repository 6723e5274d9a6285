package cluster

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func someTable() *table {
	return &table{
		ID: "k3f9q2abcd", Base: 812, Coordinator: "pod-a#1",
		Members: map[string]seat{"pod-a#1": {0, "x", 3}, `pod "b"#2`: {1, "y", 7}},
		Sets:    map[string][]string{"h": {"a", "b"}},
		Locks:   map[string]entry{"a": {"pod-a#1", 800, false}, "<b>&": {`pod "b"#2`, 812, true}},
	}
}

func TestTableRoundTrip(t *testing.T) {
	for _, want := range []*table{
		someTable(),
		{ID: "x", Fresh: true, Members: map[string]seat{}, Sets: map[string][]string{}, Locks: map[string]entry{}},
	} {
		have, err := decodeTable(encodeTable(want))
		if err != nil || !reflect.DeepEqual(have, want) {
			t.Errorf("%v\nhave %+v\nwant %+v", err, have, want)
		}
	}
}

// A table that was edited is told from one that is not ours.
func TestTableRefused(t *testing.T) {
	ours := string(encodeTable(someTable()))
	for name, test := range map[string]struct {
		value  string
		edited bool
	}{
		"holder":      {strings.Replace(ours, `"holder":"pod-a#1"`, `"holder":"pod-c#1"`, 1), true},
		"token":       {strings.Replace(ours, `"token":800`, `"token":900`, 1), true},
		"seal":        {strings.Replace(ours, `"seal": "`, `"seal": "0`, 1), true},
		"lock gone":   {strings.Replace(ours, `"a": {"holder"`, `"c": {"holder"`, 1), true},
		"newer":       {strings.Replace(ours, `leaders/1`, `leaders/2`, 1), false},
		"new field":   {strings.Replace(ours, `"id"`, `"weight": 3, "id"`, 1), false},
		"not JSON":    {ours[:50], false},
		"other JSON":  {`{"lock1":"pod-a"}`, false},
		"empty":       {``, false},
		"wrong type":  {`[1,2]`, false},
		"long and no": {strings.Repeat("x", 1000), false},
	} {
		_, err := decodeTable([]byte(test.value))
		if err == nil || errors.Is(err, errEdited) != test.edited || len(err.Error()) > 300 {
			t.Errorf("%s: have %v, edited %v", name, err, test.edited)
		}
	}
	reformatted := strings.ReplaceAll(ours, "\n", "\n\t ")
	if _, err := decodeTable([]byte(reformatted)); err != nil {
		t.Errorf("white space is no edit: %v", err)
	}
	granting := someTable()
	granting.Fresh = true
	stranger := someTable()
	stranger.Locks["a"] = entry{"nobody#1", 800, false}
	early := someTable()
	early.Locks["a"] = entry{"pod-a#1", 813, false}
	for _, bad := range []*table{granting, stranger, early} {
		if _, err := decodeTable(encodeTable(bad)); err == nil {
			t.Errorf("accepted %+v", bad)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add(encodeTable(someTable()))
	f.Add([]byte(`{"format": "mehari.leaders/1"}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		table, err := decodeTable(value)
		if err != nil {
			return
		}
		again, err := decodeTable(encodeTable(table))
		if err != nil || !again.equal(table) || !again.same(table) {
			t.Errorf("%v\nhave %+v\nwant %+v", err, again, table)
		}
	})
}

func FuzzSlot(f *testing.F) {
	f.Add(encodeSlot(&slot{Holder: "a#1", Session: "a#1", Line: "x", Beat: 3, Done: map[string]Version{"l": 4}}))
	f.Add([]byte(`{"holder":"","line":"x"}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		s, err := decodeSlot(value)
		if err != nil {
			return
		}
		again, err := decodeSlot(encodeSlot(s))
		if err != nil || again.news(s) {
			t.Errorf("%v\nhave %+v\nwant %+v", err, again, s)
		}
	})
}

// What a watch tells late, of a time before the session began, is no proof that it
// is over.
func TestOldNewsProvesNothing(t *testing.T) {
	c := newCore("me", timing{x: 3, y: 2, r: 1}, 1)
	c.table = &table{Members: map[string]seat{"a#1": {0, "line", 5}}}
	for _, test := range []struct {
		version Version
		slot    *slot
		gone    bool
	}{
		{4, &slot{Line: "line"}, false}, // free, before a#1 took it
		{5, &slot{Line: "line", Holder: "a#1", Session: "a#1"}, false},
		{6, &slot{Line: "line"}, true},
		{6, &slot{Line: "line", Holder: "b#1", Session: "b#1"}, true},
		{6, &slot{Line: "line", Holder: "hand", Session: "a#1"}, false}, // edited: to be fenced
		{6, &slot{Line: "line", Holder: "", Session: "a#1"}, false},
		{4, &slot{Line: "other"}, false},
		{6, &slot{Line: "other"}, false}, // deleted, but only just seen
	} {
		clear(c.strayed)
		c.views[0] = &view{version: test.version, slot: test.slot, beats: 1}
		if gone := c.gone("a#1"); gone != test.gone {
			t.Errorf("version %d, %+v: gone is %v", test.version, test.slot, gone)
		}
	}
	c.now += 3
	if !c.gone("a#1") {
		t.Error("x after its deletion was seen it is gone")
	}
}
