package route

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mehari-go/mehari/internal/nearest"
)

// A component's options are the fields of a struct with `uri` tags:
//
//	type Config struct {
//		Name     string         `uri:".,required"`       // the path
//		Period   *time.Duration `uri:"period"`           // nil means 1s
//		Password string         `uri:"password,secret"`  // never shown
//	}
//
// A field may be a string, URI, bool, number, [time.Duration], slice of strings ("a,b",
// in which a comma in a value is written \,), [encoding.TextUnmarshaler] that is also a
// TextMarshaler, or a pointer to one of these where the zero value is not the default.
// One whose name looks secret, such as authToken, is; choose such a name for a secret,
// because [URI.String], which errors and logs show, knows no more of an option than that.

// Decode stores the address in cfg, a pointer to a struct with `uri` tags, whose zero
// fields mean defaults. It reports every option that is unknown, malformed or missing.
// Durations are written as in Go, "1m30s", or as a number of milliseconds.
func (a Address) Decode(cfg any) error {
	known := map[string]option{}
	var errs []error
	hasPath := false
	for o := range options(reflect.ValueOf(cfg).Elem()) {
		if o.name != pathName {
			known[o.name] = o
			continue
		}
		hasPath = true
		if a.Path != "" {
			errs = append(errs, o.parse("path", a.Path))
		} else if o.required {
			errs = append(errs, fmt.Errorf("nothing after %q: want %s:%s", a.Scheme+":", a.Scheme, strings.ToLower(o.field)))
		}
	}
	if a.Path != "" && !hasPath {
		errs = append(errs, fmt.Errorf("path: want nothing after %q, have %q", a.Scheme+":", a.Path))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Options)) {
		o, ok := known[name]
		switch values := a.Options[name]; {
		case !ok:
			errs = append(errs, fmt.Errorf("unknown option %q %s", name, nearest.Hint(name, slices.Sorted(maps.Keys(known)))))
		case len(values) > 1:
			errs = append(errs, fmt.Errorf("option %q is given %d times", name, len(values)))
		default:
			errs = append(errs, o.parse(fmt.Sprintf("option %q", name), values[0]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if known[name].required && !a.Options.Has(name) {
			errs = append(errs, fmt.Errorf("option %q is missing", name))
		}
	}
	return errors.Join(errs...)
}

// Encode is the inverse of [Address.Decode]: it returns the URI of a struct with `uri`
// tags, with zero fields and empty slices left out.
func Encode(scheme string, cfg any) URI { return encode(scheme, cfg, false) }

// Redact is like [Encode] with secrets replaced by "xxxxx". It is what an endpoint's
// String returns.
func Redact(scheme string, cfg any) string { return string(encode(scheme, cfg, true)) }

func encode(scheme string, cfg any, redact bool) URI {
	var path string
	query := url.Values{}
	v := reflect.ValueOf(cfg)
	for o := range options(v) {
		switch {
		case o.value.IsZero() || o.value.Kind() == reflect.Slice && o.value.Len() == 0:
		case o.name == pathName:
			path = escapePath(o.format(redact))
		default:
			query.Set(o.name, o.format(redact))
		}
	}
	u := scheme + ":" + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	return URI(u)
}

// escapePath escapes what Parse gives a meaning to.
func escapePath(path string) string {
	path = strings.NewReplacer("%", "%25", "?", "%3F").Replace(path)
	if strings.HasPrefix(path, "//") {
		path = "//" + path
	}
	return path
}

const pathName = "."

// An option is one tagged field of a config.
type option struct {
	name     string // pathName for the path
	field    string
	required bool
	secret   bool
	value    reflect.Value
}

func options(v reflect.Value) func(yield func(option) bool) {
	return func(yield func(option) bool) {
		for f, value := range v.Fields() {
			tag, ok := f.Tag.Lookup("uri")
			if !ok {
				continue
			}
			name, flags, _ := strings.Cut(tag, ",")
			o := option{name: name, field: f.Name, value: value, secret: isSecret(name)}
			for flag := range strings.SplitSeq(flags, ",") {
				switch flag {
				case "":
				case "required":
					o.required = true
				case "secret":
					o.secret = true
				default:
					panic(fmt.Sprintf("route: field %s: unknown flag %q in its uri tag (have required, secret)", f.Name, flag))
				}
			}
			if !yield(o) {
				return
			}
		}
	}
}

// format returns the text of the option's value.
func (o option) format(redact bool) string {
	if redact && o.secret {
		return redacted
	}
	p := reflect.New(o.value.Type())
	p.Elem().Set(o.value)
	if p.Elem().Kind() == reflect.Pointer {
		p = p.Elem()
	}
	switch x := p.Interface().(type) {
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			panic(fmt.Sprintf("route: field %s: %v", o.field, err)) // a Config that its own type refuses
		}
		return string(text)
	case *[]string:
		return joinList(*x)
	case *time.Duration:
		return x.String()
	case *URI:
		if redact {
			return x.String()
		}
	}
	switch v := p.Elem(); v.Kind() {
	case reflect.String:
		return v.String() // not that of a method
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	default:
		if v.CanInt() {
			return strconv.FormatInt(v.Int(), 10)
		}
		return strconv.FormatUint(v.Uint(), 10)
	}
}

// parse stores text in the option's field.
func (o option) parse(what, text string) error {
	v := o.value
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	want, err := parseInto(v, text)
	switch {
	case err == nil:
		return nil
	case want == "" && o.secret:
		return fmt.Errorf("%s: not as it should be", what)
	case want == "":
		return fmt.Errorf("%s: %w", what, err)
	case o.secret:
		return fmt.Errorf("%s: want %s", what, want)
	default:
		return fmt.Errorf("%s: want %s, have %q", what, want, text)
	}
}

// parseInto stores text in v. Where it cannot, it says what it wants, if it knows.
func parseInto(v reflect.Value, text string) (want string, err error) {
	switch p := v.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return "", p.UnmarshalText([]byte(text))
	case *time.Duration:
		*p, err = parseDuration(text)
		return "a duration like 500ms, 1m30s or a number of milliseconds", err
	case *[]string:
		*p = splitList(text)
		return "", nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		switch text {
		case "true", "false":
			v.SetBool(text == "true")
		default:
			return "true or false", strconv.ErrSyntax
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if errors.Is(err, strconv.ErrRange) {
			most := int64(math.MaxInt64) >> (64 - v.Type().Bits())
			return fmt.Sprintf("a whole number from %d to %d", -most-1, most), err
		}
		v.SetInt(n)
		return "a whole number", err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if errors.Is(err, strconv.ErrRange) {
			return fmt.Sprintf("a whole number from 0 to %d", uint64(math.MaxUint64)>>(64-v.Type().Bits())), err
		}
		v.SetUint(n)
		return "a whole number that is not negative", err
	case reflect.Float32, reflect.Float64:
		n, err := strconv.ParseFloat(text, v.Type().Bits())
		v.SetFloat(n)
		return "a number", err
	default:
		panic(fmt.Sprintf("route: an option cannot be a %s", v.Type()))
	}
	return "", nil
}

// joinList joins values with commas; a comma in one is written \,.
func joinList(values []string) string {
	escaped := make([]string, len(values))
	for i, v := range values {
		escaped[i] = strings.NewReplacer(`\`, `\\`, ",", `\,`).Replace(v)
	}
	return strings.Join(escaped, ",")
}

func splitList(text string) []string {
	values := []string{""}
	for i := 0; i < len(text); i++ {
		c, last := text[i], &values[len(values)-1]
		switch {
		case c == ',':
			values = append(values, "")
		case c == '\\' && i+1 < len(text) && (text[i+1] == ',' || text[i+1] == '\\'):
			i++
			*last += text[i : i+1]
		default:
			*last += text[i : i+1]
		}
	}
	return values
}

func parseDuration(text string) (time.Duration, error) {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.ParseDuration(text)
	}
	if d := time.Duration(ms) * time.Millisecond; d/time.Millisecond == time.Duration(ms) {
		return d, nil
	}
	return 0, strconv.ErrRange
}
