package route_test

import (
	"errors"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
)

// size is a text that is read and written by methods of its pointer.
type size struct{ w, h byte }

func (s *size) MarshalText() ([]byte, error) { return []byte{s.w, 'x', s.h}, nil }
func (s *size) UnmarshalText(text []byte) error {
	if len(text) != 3 || text[1] != 'x' {
		return errors.New("want a size like 1x2")
	}
	*s = size{text[0], text[2]}
	return nil
}

// loud has a String method that is not its text.
type loud string

func (loud) String() string { return "LOUD" }

type color int

func (color) String() string { return "red" }

type options struct {
	Path     string         `uri:"."`
	Text     string         `uri:"text"`
	Loud     loud           `uri:"loud"`
	Color    color          `uri:"color"`
	To       route.URI      `uri:"to"`
	On       bool           `uri:"on"`
	Count    int            `uri:"count"`
	Small    int8           `uri:"small"`
	Natural  uint16         `uri:"natural"`
	Ratio    float64        `uri:"ratio"`
	Single   float32        `uri:"single"`
	Period   time.Duration  `uri:"period"`
	Names    []string       `uri:"names"`
	Level    slog.Level     `uri:"level"`
	Size     size           `uri:"size"`
	Delay    *time.Duration `uri:"delay"`
	Off      *bool          `uri:"off"`
	Note     *string        `uri:"note"`
	Frame    *size          `uri:"frame"`
	Key      string         `uri:"key,secret"`
	Password string         `uri:"password"`
	Pin      int            `uri:"pin,secret"`
	Seal     size           `uri:"seal,secret"`
	hidden   int
}

func decode(u route.URI, cfg any) error {
	a, err := u.Parse()
	if err != nil {
		return err
	}
	return a.Decode(cfg)
}

func TestDecode(t *testing.T) {
	var got options
	zero, off, note := time.Duration(0), false, ""
	if err := decode(`x:a%20b?text=a+b%26&loud=quiet&color=3&to=RAW(ftp://bob:pw@host?a=b&c=d)&on=true&count=-7&small=-128&natural=65535`+
		`&ratio=1.5e3&single=0.1&period=1500&names=a,b\,c,\\d,\e,&level=WARN%2B1&size=2x3&delay=0&off=false&note=&frame=4x5&key=k&pin=1`, &got); err != nil {
		t.Fatal(err)
	}
	want := options{
		Path: "a b", Text: "a b&", Loud: "quiet", Color: 3, To: "ftp://bob:pw@host?a=b&c=d", On: true, Count: -7, Small: -128, Natural: 65535,
		Ratio: 1500, Single: 0.1, Period: 1500 * time.Millisecond, Names: []string{"a", "b,c", `\d`, `\e`, ""}, Level: slog.LevelWarn + 1,
		Size: size{'2', '3'}, Delay: &zero, Off: &off, Note: &note, Frame: &size{'4', '5'}, Key: "k", Pin: 1,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for text, want := range map[string]time.Duration{
		"1s": time.Second, "1m30s": 90 * time.Second, "0": 0, "250": 250 * time.Millisecond, "-1": -time.Millisecond, "1.5h": 90 * time.Minute,
	} {
		var c options
		if err := decode(route.URI("x:?period="+text), &c); err != nil || c.Period != want {
			t.Errorf("period=%s is %v, %v; want %v", text, c.Period, err, want)
		}
	}
}

func TestDecodeTellsAllMistakes(t *testing.T) {
	err := decode("x:p?txt=1&text=a&text=b&on=yes&count=1.5&small=128&natural=-1&ratio=many&period=9223372036854775807"+
		"&size=big&delay=1+s&key=k&pin=hunter2&seal=hunter2&zzz=1&level=loud", new(options))
	have := " (have color, count, delay, frame, key, level, loud, names, natural, note, off, on, password, period, pin, ratio, seal, single, size, small, text, to)"
	wantError(t, err, strings.Join([]string{
		`option "count": want a whole number, have "1.5"`,
		`option "delay": want a duration like 500ms, 1m30s or a number of milliseconds, have "1 s"`,
		`option "level": slog: level string "loud": unknown name`,
		`option "natural": want a whole number that is not negative, have "-1"`,
		`option "on": want true or false, have "yes"`,
		`option "period": want a duration like 500ms, 1m30s or a number of milliseconds, have "9223372036854775807"`,
		`option "pin": want a whole number`,
		`option "ratio": want a number, have "many"`,
		`option "seal": not as it should be`,
		`option "size": want a size like 1x2`,
		`option "small": want a whole number from -128 to 127, have "128"`,
		`option "text" is given 2 times`,
		`unknown option "txt" (did you mean text?)` + have,
		`unknown option "zzz"` + have,
	}, "\n"))
}

func TestDecodeWhatMustOrMustNotBeThere(t *testing.T) {
	type named struct {
		Name string `uri:".,required"`
		Host string `uri:"host,required"`
	}
	wantError(t, decode("x:", new(named)), "nothing after \"x:\": want x:name\noption \"host\" is missing")
	wantError(t, decode("x:?host=", new(named)), `nothing after "x:": want x:name`)
	var nothing struct{}
	wantError(t, decode("x:path?a=b", &nothing), "path: want nothing after \"x:\", have \"path\"\nunknown option \"a\" (there are none)")
	if err := decode("x:", &nothing); err != nil {
		t.Error(err)
	}
}

func TestEncode(t *testing.T) {
	second, text := time.Second, ""
	c := options{
		Path: "//a b?c%", Text: "ü&=+", Loud: "quiet", Color: 2, To: "ftp://bob:pw@host", Names: []string{"a,b"}, Delay: &second, Note: &text,
		Frame: &size{'1', '2'}, Key: "hunter2", Password: "hunter2", Pin: 1234, Seal: size{'8', '9'}, hidden: 1,
	}
	if got, want := string(route.Encode("x", c)), "x:////a b%3Fc%25?color=2&delay=1s&frame=1x2&key=hunter2&loud=quiet&names=a%5C%2Cb&note=&password=hunter2&pin=1234"+
		"&seal=8x9&text=%C3%BC%26%3D%2B&to=ftp%3A%2F%2Fbob%3Apw%40host"; got != want {
		t.Errorf("Encode = %s\n   want %s", got, want)
	}
	if got, want := route.Redact("x", c), "x:////a b%3Fc%25?color=2&delay=1s&frame=1x2&key=xxxxx&loud=quiet&names=a%5C%2Cb&note=&password=xxxxx&pin=xxxxx"+
		"&seal=xxxxx&text=%C3%BC%26%3D%2B&to=ftp%3A%2F%2Fbob%3Axxxxx%40host"; got != want {
		t.Errorf("Redact = %s\n   want %s", got, want)
	}
	if got := route.Encode("x", options{}); got != "x:" {
		t.Errorf("Encode of zero options = %s, want x:", string(got))
	}
	type bot struct {
		Token string `uri:".,secret"`
	}
	if got := route.Redact("x", bot{"hunter2"}); got != "x:xxxxx" {
		t.Errorf("Redact of a path = %s, want x:xxxxx", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("p", "t", "l", "to:x?y=z", true, -1, int8(-8), uint16(9), 1.5, float32(0.1), int64(1e9), "a,b", `c\`, int64(0), "note", byte('1'))
	f.Add("//p?%", "RAW(x)", "&=", "", false, 0, int8(0), uint16(0), math.Inf(1), float32(0), int64(-1), "", "", int64(-5), "", byte(0))
	f.Add("///", "a+b", "%41", "::", false, 0, int8(0), uint16(0), 1e300, float32(1e-40), int64(math.MaxInt64), `\,`, `,`, int64(1), "\x00\xff", byte('&'))
	f.Fuzz(func(t *testing.T, path, text, l, to string, on bool, count int, small int8, natural uint16, ratio float64, single float32, period int64, name1, name2 string, delay int64, note string, b byte) {
		if ratio != ratio || single != single {
			return // NaN is not equal to itself
		}
		d := time.Duration(delay)
		want := options{
			Path: path, Text: text, Loud: loud(l), Color: color(count), To: route.URI(to), On: on, Count: count, Small: small, Natural: natural, Ratio: ratio,
			Single: single, Period: time.Duration(period), Names: []string{name1, name2}, Level: slog.Level(small), Size: size{b, b + 1}, Delay: &d, Off: &on,
			Note: &note, Frame: &size{1, b}, Key: text, Password: name1, Pin: count, Seal: size{b, b},
		}
		u := route.Encode("x", want)
		var got options
		if err := decode(u, &got); err != nil {
			t.Fatalf("%s: %v", string(u), err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n got %+v\nwant %+v", string(u), got, want)
		}
	})
}
