package place_test

import (
	"strings"
	"testing"

	"github.com/mehari-go/mehari/internal/place"
)

func TestError(t *testing.T) {
	tests := []struct {
		text   string
		offset int
		want   string
	}{
		{"", 0, "column 1: wrong\n\t\n\t^"},
		{"a b", 2, "column 3: wrong\n\ta b\n\t  ^"},
		{"a b", 99, "column 4: wrong\n\ta b\n\t   ^"},
		{"a b", -1, "column 1: wrong\n\ta b\n\t^"},
		{"äö\n\tü x\nz", 9, "line 2, column 4: wrong\n\t\tü x\n\t\t  ^"},
		{"a\n", 1, "column 2: wrong\n\ta\n\t ^"},
		{"a\n", 2, "line 2, column 1: wrong\n\t\n\t^"},
		{
			strings.Repeat("x", 100) + "y" + strings.Repeat("z", 100), 100,
			"column 101: wrong\n\t" + strings.Repeat("x", 60) + "y" + strings.Repeat("z", 59) + "\n\t" + strings.Repeat(" ", 60) + "^",
		},
	}
	for _, test := range tests {
		if err := place.Error(test.text, test.offset, "wrong"); err.Error() != test.want {
			t.Errorf("Error(%q, %d):\n%s\nwant\n%s", test.text, test.offset, err, test.want)
		}
	}
}
