package convert

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"time"
)

// setNumber stores a number, the milliseconds of a time or of a duration, or what text
// says, in dst, whose kind is that of a number.
func setNumber(dst, src reflect.Value) error {
	src = pointed(src)
	switch src.Type() {
	case timeType:
		t := src.Interface().(time.Time)
		if t.Nanosecond()%int(time.Millisecond) != 0 {
			return errMillis
		}
		ms := t.UnixMilli()
		if !time.UnixMilli(ms).Equal(t) {
			return errRange
		}
		return setInt(dst, ms)
	case durationType:
		d := time.Duration(src.Int())
		if d%time.Millisecond != 0 {
			return errMillis
		}
		return setInt(dst, d.Milliseconds())
	}
	switch {
	case src.CanInt():
		return setInt(dst, src.Int())
	case src.CanUint():
		return setUint(dst, src.Uint())
	case src.CanFloat():
		return setFloat(dst, src.Float())
	case isText(src):
		s, err := stringOf(src.Interface())
		if err != nil {
			return err
		}
		return parseNumber(dst, s)
	}
	return errNoWay
}

func setInt(dst reflect.Value, i int64) error {
	switch {
	case dst.CanInt() && !dst.OverflowInt(i):
		dst.SetInt(i)
	case dst.CanUint() && i >= 0 && !dst.OverflowUint(uint64(i)):
		dst.SetUint(uint64(i))
	case dst.CanFloat():
		f := float64(i)
		if f == 1<<63 || int64(f) != i {
			return errInexact
		}
		return setFloat(dst, f)
	default:
		return errRange
	}
	return nil
}

func setUint(dst reflect.Value, u uint64) error {
	if u <= math.MaxInt64 {
		return setInt(dst, int64(u))
	}
	switch {
	case dst.CanUint() && !dst.OverflowUint(u):
		dst.SetUint(u)
	case dst.CanFloat():
		f := float64(u)
		if f == 1<<64 || uint64(f) != u {
			return errInexact
		}
		return setFloat(dst, f)
	default:
		return errRange
	}
	return nil
}

func setFloat(dst reflect.Value, f float64) error {
	if dst.CanFloat() {
		switch dst.SetFloat(f); {
		case math.IsNaN(f) || dst.Float() == f:
			return nil
		case dst.OverflowFloat(f):
			return errRange
		}
		return errInexact
	}
	switch {
	case math.IsNaN(f):
		return errNaN
	case math.IsInf(f, 0):
		return errRange
	case f != math.Trunc(f):
		return errFraction
	case f >= -1<<63 && f < 1<<63:
		return setInt(dst, int64(f))
	case f >= 1<<63 && f < 1<<64:
		return setUint(dst, uint64(f))
	}
	return errRange
}

func parseNumber(dst reflect.Value, s string) (err error) {
	want := errWhole
	switch {
	case dst.CanInt():
		var i int64
		i, err = strconv.ParseInt(s, 10, dst.Type().Bits())
		dst.SetInt(i)
	case dst.CanUint():
		var u uint64
		u, err = strconv.ParseUint(s, 10, dst.Type().Bits())
		dst.SetUint(u)
	default:
		want = errNumber
		var f float64
		f, err = strconv.ParseFloat(s, dst.Type().Bits())
		dst.SetFloat(f)
	}
	switch { // its own error shows the text in full
	case errors.Is(err, strconv.ErrRange):
		return errRange
	case err != nil:
		return want
	}
	return nil
}

// millis returns the number that src is, for times and durations.
func millis(src reflect.Value) (ms int64, ok bool, err error) {
	src = pointed(src)
	if !src.CanInt() && !src.CanUint() && !src.CanFloat() {
		return 0, false, nil
	}
	err = setNumber(reflect.ValueOf(&ms).Elem(), src)
	return ms, true, err
}

func setTime(dst, src reflect.Value) error {
	ms, ok, err := millis(src)
	t := time.UnixMilli(ms).UTC()
	if !ok {
		if !isText(src) {
			return setBySame(dst, src)
		}
		var s string
		if s, err = stringOf(src.Interface()); err != nil {
			return err
		}
		if t, err = time.Parse(time.RFC3339Nano, s); err != nil {
			if ms, err = strconv.ParseInt(s, 10, 64); err != nil {
				return errTime
			}
			t = time.UnixMilli(ms).UTC()
		}
	}
	if err == nil && (t.Year() < 0 || t.Year() > 9999) {
		err = errRange // of what its text can say
	}
	if err == nil {
		dst.Set(reflect.ValueOf(t))
	}
	return err
}

func setDuration(dst, src reflect.Value) error {
	ms, ok, err := millis(src)
	if !ok {
		if !isText(src) {
			return setBySame(dst, src)
		}
		s, err := stringOf(src.Interface())
		if err != nil {
			return err
		}
		if ms, err = strconv.ParseInt(s, 10, 64); err != nil {
			d, err := time.ParseDuration(s)
			if err != nil {
				return errDuration
			}
			dst.SetInt(int64(d))
			return nil
		}
	}
	if err != nil {
		return err
	}
	d := time.Duration(ms) * time.Millisecond
	if d/time.Millisecond != time.Duration(ms) {
		return errRange
	}
	dst.SetInt(int64(d))
	return nil
}

// setBySame stores what src points to, if it is of dst's type.
func setBySame(dst, src reflect.Value) error {
	for src.Kind() == reflect.Pointer && !src.IsNil() {
		src = src.Elem()
	}
	if src.Type().ConvertibleTo(dst.Type()) && src.Kind() == dst.Kind() {
		dst.Set(src.Convert(dst.Type()))
		return nil
	}
	return errNoWay
}
