package nested_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mehari-go/mehari/internal/nested"
)

type node struct {
	next *node
	more map[string]any
}

func TestCheck(t *testing.T) {
	cyclic := &node{more: map[string]any{"a": []any{1, nil, "x"}}}
	for _, v := range []any{nil, 1, "x", []byte("x"), cyclic, &cyclic, time.Now(), []*node{cyclic, nil}, [1]any{cyclic}} {
		if err := nested.Check(v); err != nil {
			t.Errorf("%T: %v", v, err)
		}
	}
	cyclic.more["a"].([]any)[1] = cyclic
	for _, v := range []any{cyclic, []any{cyclic}, map[int]*node{1: cyclic}, [1]any{cyclic}} {
		if nested.Check(v) == nil {
			t.Errorf("%T: no error", v)
		}
	}
	err := nested.Check(&node{next: cyclic})
	if want := "values stand more than 1000 deep inside of each other in *nested_test.node"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestAppend(t *testing.T) {
	type list struct {
		Next *list
		All  []any
	}
	l := &list{All: []any{1, map[string]any{"a": []int{2}}}}
	l.Next = l
	for _, v := range []any{nil, (*list)(nil), 1, "x", []byte("x"), l, &l, *l, []any{l, nil}, [1]any{1.5}, errors.New("x")} {
		if have := string(nested.Append([]byte(">"), v)); have != ">"+fmt.Sprint(v) {
			t.Errorf("%T: have %s, want %v", v, have, v)
		}
	}
	m := map[string]any{}
	m["m"] = []any{m}
	l.All[0] = m
	for _, v := range []any{m, &m, l, []any{m}} {
		want := fmt.Sprintf("[%T: values stand more than 1000 deep inside of each other]", v)
		if have := string(nested.Append(nil, v)); have != want {
			t.Errorf("have %.80s, want %s", have, want)
		}
	}
}
