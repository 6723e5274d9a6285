package simple

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// The functions over numbers.

// maxRange is how many numbers a range can have.
const maxRange = 1_000_000

func numberFunctions() []entry {
	limits := signature{usage: "(max) or (min, max)", least: 1, most: 2}
	return []entry{
		{"abs", function(bodyOrOne, abs)},
		{"average", function(anyArguments, average)},
		{"ceil", function(bodyOrOne, rounded(math.Ceil))},
		{"floor", function(bodyOrOne, rounded(math.Floor))},
		{"max", function(anyArguments, greatest(1))},
		{"min", function(anyArguments, greatest(-1))},
		{"random", function(limits, random)},
		{"range", function(limits, numbers)},
		{"sum", function(anyArguments, sum)},
	}
}

func abs(ctx ctx, s scope, args []node) (any, error) {
	n, ok, err := numberArg(ctx, s, args[0])
	switch {
	case err != nil || !ok:
		return nil, err
	case n.kind == isFloat:
		return math.Abs(n.float()), nil
	case n.kind == isInt && n.int() == math.MinInt64:
		return nil, errTooGreat
	case n.kind == isInt && n.int() < 0:
		return -n.int(), nil
	}
	return n.value(), nil
}

var errTooGreat = errors.New("the number does not fit an int64")

// numberArg returns an argument that must be a number, and false where it is nil.
func numberArg(ctx ctx, s scope, n node) (scalar, bool, error) {
	v, err := n.eval(ctx, s)
	if err != nil || v == nil {
		return scalar{}, false, err
	}
	number, ok := scalarOf(v).number()
	if !ok {
		return scalar{}, false, fmt.Errorf("want a number, have %s", about(v))
	}
	return number, true, nil
}

func rounded(round func(float64) float64) run {
	return func(ctx ctx, s scope, args []node) (any, error) {
		n, ok, err := numberArg(ctx, s, args[0])
		if err != nil || !ok || n.kind != isFloat {
			return n.orNil(ok), err
		}
		f := round(n.float())
		if !(math.Abs(f) < 1<<63) {
			return nil, errTooGreat
		}
		return int64(f), nil
	}
}

// orNil returns the value of a number, if there is one.
func (s scalar) orNil(ok bool) any {
	if !ok {
		return nil
	}
	return s.value()
}

// all returns the elements of all arguments, or of the body if there are none.
func all(ctx ctx, s scope, args []node) ([]any, error) {
	if len(args) == 0 {
		args = []node{bodyNode}
	}
	var items []any
	for _, arg := range args {
		v, err := arg.eval(ctx, s)
		if err != nil {
			return nil, err
		}
		items = append(items, elements(v)...)
	}
	return items, nil
}

// allNumbers returns the elements of all arguments as numbers.
func allNumbers(ctx ctx, s scope, args []node) ([]scalar, error) {
	items, err := all(ctx, s, args)
	if err != nil {
		return nil, err
	}
	list := make([]scalar, len(items))
	for i, item := range items {
		n, ok := scalarOf(item).number()
		if !ok {
			return nil, fmt.Errorf("want numbers, element %d is %s", i, about(item))
		}
		list[i] = n
	}
	return list, nil
}

// total adds numbers up. The sum of whole ones is an int64.
func total(list []scalar) (any, error) {
	var whole int64
	var sum float64
	floating := false
	for _, n := range list {
		sum += asFloat(n)
		switch {
		case n.kind == isFloat:
			floating = true
		case floating:
		case n.kind == isUint, n.int() > 0 && whole > math.MaxInt64-n.int(), n.int() < 0 && whole < math.MinInt64-n.int():
			return nil, errTooGreat
		default:
			whole += n.int()
		}
	}
	if floating {
		return sum, nil
	}
	return whole, nil
}

func sum(ctx ctx, s scope, args []node) (any, error) {
	list, err := allNumbers(ctx, s, args)
	if err != nil {
		return nil, err
	}
	return total(list)
}

// average is the mean; that of whole numbers is whole, as in Camel.
func average(ctx ctx, s scope, args []node) (any, error) {
	list, err := allNumbers(ctx, s, args)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	t, err := total(list)
	switch t := t.(type) {
	case int64:
		return t / int64(len(list)), nil
	case float64:
		return t / float64(len(list)), nil
	}
	return nil, err
}

func greatest(sign int) run {
	return func(ctx ctx, s scope, args []node) (any, error) {
		list, err := allNumbers(ctx, s, args)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		best := list[0]
		for _, n := range list[1:] {
			if c := compareNumbers(n, best); c != unordered && c*sign > 0 {
				best = n
			}
		}
		return best.value(), nil
	}
}

// limitsOf returns the arguments of random and range.
func limitsOf(ctx ctx, s scope, args []node) (lowest, highest int, err error) {
	if highest, err = intArg(ctx, s, args[len(args)-1]); err == nil && len(args) == 2 {
		lowest, err = intArg(ctx, s, args[0])
	}
	return lowest, highest, err
}

func random(ctx ctx, s scope, args []node) (any, error) {
	lowest, highest, err := limitsOf(ctx, s, args)
	if err != nil {
		return nil, err
	}
	if lowest >= highest {
		return nil, fmt.Errorf("want a number below %d to begin with, have %d", highest, lowest)
	}
	return lowest + rand.IntN(highest-lowest), nil
}

func numbers(ctx ctx, s scope, args []node) (any, error) {
	lowest, highest, err := limitsOf(ctx, s, args)
	if err != nil {
		return nil, err
	}
	if highest-lowest > maxRange {
		return nil, fmt.Errorf("want at most %d numbers, have %d", maxRange, highest-lowest)
	}
	list := make([]any, 0, max(highest-lowest, 0))
	for i := lowest; i < highest; i++ {
		list = append(list, i)
	}
	return list, nil
}
