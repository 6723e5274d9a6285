package routetest

import (
	"testing"
	"time"
)

// SetPatience makes d how long tests wait, until this one ends.
func SetPatience(t *testing.T, d time.Duration) {
	before := patience
	patience = d
	t.Cleanup(func() { patience = before })
}

// Check runs one check of TestComponent.
func Check(name string, h Harness) error {
	for _, c := range checks {
		if c.name == name {
			return c.run(&h)
		}
	}
	panic("no check " + name)
}

// Checks are the names of all checks.
func Checks() (names []string) {
	for _, c := range checks {
		names = append(names, c.name)
	}
	return names
}
