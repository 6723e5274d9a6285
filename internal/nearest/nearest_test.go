package nearest_test

import (
	"testing"

	"github.com/mehari-go/mehari/internal/nearest"
)

func TestName(t *testing.T) {
	known := []string{"delay", "fixedRate", "period", "repeatCount"}
	for got, want := range map[string]string{
		"perod": "period", "preiod": "period", "PERIOD": "period", "repeatcount": "repeatCount", "dleay": "delay",
		"xyz": "", "": "", "p": "", "completely": "",
	} {
		if name := nearest.Name(got, known); name != want {
			t.Errorf("Name(%q) = %q, want %q", got, name, want)
		}
	}
}

func TestHint(t *testing.T) {
	if got, want := nearest.Hint("perod", []string{"delay", "period"}), "(did you mean period?) (have delay, period)"; got != want {
		t.Errorf("Hint = %q, want %q", got, want)
	}
	if got, want := nearest.Hint("perod", nil), "(there are none)"; got != want {
		t.Errorf("Hint = %q, want %q", got, want)
	}
}
