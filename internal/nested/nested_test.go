package nested_test

import (
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
