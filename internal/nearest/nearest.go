// Package nearest finds the known name that a misspelt one was meant to be.
package nearest

import "strings"

// Name returns the name in known that is most like got, or "" where none is near:
// at most a third of got's letters may differ.
func Name(got string, known []string) string {
	best, least := "", len(got)/3+1
	for _, name := range known {
		if d := distance(strings.ToLower(got), strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	return best
}

// Hint returns a text for the end of an error: the nearest known name, and all of them.
// known must be sorted.
func Hint(got string, known []string) string {
	if len(known) == 0 {
		return "(there are none)"
	}
	have := "(have " + strings.Join(known, ", ") + ")"
	if name := Name(got, known); name != "" {
		return "(did you mean " + name + "?) " + have
	}
	return have
}

// distance is the number of letters to insert, delete, replace or swap with a
// neighbour (optimal string alignment) to make b of a.
func distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
