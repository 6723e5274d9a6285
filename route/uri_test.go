package route_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/route"
)

func TestParseURI(t *testing.T) {
	for u, want := range map[route.URI]route.Address{
		"timer:tick":                     {Scheme: "timer", Path: "tick", Raw: "tick"},
		"timer:":                         {Scheme: "timer"},
		"timer://tick":                   {Scheme: "timer", Path: "tick", Raw: "//tick"},
		"timer:////tick":                 {Scheme: "timer", Path: "//tick", Raw: "////tick"},
		"file:/a/b":                      {Scheme: "file", Path: "/a/b", Raw: "/a/b"},
		"x:a%20b%3Fc%25+d?":              {Scheme: "x", Path: "a b?c%+d", Raw: "a%20b%3Fc%25+d?"},
		"x:?a=1&b=%26+%2B":               {Scheme: "x", Raw: "?a=1&b=%26+%2B", Options: url.Values{"a": {"1"}, "b": {"& +"}}},
		"x:y?a=1&&a=2&":                  {Scheme: "x", Path: "y", Raw: "y?a=1&&a=2&", Options: url.Values{"a": {"1", "2"}}},
		"x:y?a=":                         {Scheme: "x", Path: "y", Raw: "y?a=", Options: url.Values{"a": {""}}},
		"x:y?a=b=c?d":                    {Scheme: "x", Path: "y", Raw: "y?a=b=c?d", Options: url.Values{"a": {"b=c?d"}}},
		"x:y?a=RAW(1&b=%+)&c=2":          {Scheme: "x", Path: "y", Raw: "y?a=RAW(1&b=%+)&c=2", Options: url.Values{"a": {"1&b=%+"}, "c": {"2"}}},
		"x:y?a=RAW{(&)}}&c=RAW()":        {Scheme: "x", Path: "y", Raw: "y?a=RAW{(&)}}&c=RAW()", Options: url.Values{"a": {"(&)}"}, "c": {""}}},
		"x:y?a=RAW((a)b)":                {Scheme: "x", Path: "y", Raw: "y?a=RAW((a)b)", Options: url.Values{"a": {"(a)b"}}},
		"x:y?%61=%52AW(b+":               {Scheme: "x", Path: "y", Raw: "y?%61=%52AW(b+", Options: url.Values{"a": {"RAW(b "}}},
		"master:lock1:timer:x?period=1s": {Scheme: "master", Path: "lock1:timer:x", Raw: "lock1:timer:x?period=1s", Options: url.Values{"period": {"1s"}}},
		"dummy://path?foo=hello}+world&bar=RAW(hello}+world)": {
			Scheme: "dummy", Path: "path", Raw: "//path?foo=hello}+world&bar=RAW(hello}+world)",
			Options: url.Values{"foo": {"hello} world"}, "bar": {"hello}+world"}},
		}, // as in Camel's tests
	} {
		if want.Options == nil {
			want.Options = url.Values{}
		}
		if got, err := u.Parse(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%s) = %+v, %v; want %+v", string(u), got, err, want)
		}
	}
}

func TestParseURIMistakes(t *testing.T) {
	for u, want := range map[route.URI]string{
		"":                         `want a URI like scheme:path?option=value, have ""`,
		"timer":                    `want a URI like scheme:path?option=value, have "timer"`,
		":tick":                    `want a URI like scheme:path?option=value, have ":tick"`,
		"1x:tick":                  `want a URI like scheme:path?option=value, have "1x:tick"`,
		"ti mer:tick":              `want a URI like scheme:path?option=value, have "ti mer:tick"`,
		"nocolon?password=hunter2": `want a URI like scheme:path?option=value, have "nocolon?password=xxxxx"`,
		"x:100%":                   `path: not %-encoded as it should be; a literal % is written %25`,
		"x:a%zzb":                  `path: not %-encoded as it should be; a literal % is written %25`,
		"x:y?a=100%":               `option "a": not %-encoded as it should be; a literal % is written %25, or the value as RAW(value)`,
		"x:y?password=%hunter2":    `option "password": not %-encoded as it should be; a literal % is written %25, or the value as RAW(value)`,
		"x:y?a":                    `option "a": want name=value`,
		"x:y?b=1&password:hunter2": `option "xxxxx": want name=value`,
		"x:y?%=1":                  `name of an option: invalid URL escape "%"`,
		"x:y?=1":                   `an option without a name: want name=value`,
		"x:y?a=RAW(b&c=d":          `option "a": RAW( is not closed`,
		"x:y?a=RAW{b)":             `option "a": RAW{ is not closed`,
	} {
		_, err := u.Parse()
		wantError(t, err, want)
	}
}

func TestURIHidesSecrets(t *testing.T) {
	for u, want := range map[route.URI]string{
		"timer:tick?period=1s":                                   "timer:tick?period=1s",
		"ftp://bob:hunter2@host/dir?passiveMode=true":            "ftp://bob:xxxxx@host/dir?passiveMode=true",
		"ftp://bob@host/dir":                                     "ftp://bob@host/dir",
		"ftp://host:21/me@home":                                  "ftp://host:21/me@home",
		"http://h/x?query=RAW(key=hunter2&a=1)&queryHeaders=a":   "http://h/x?query=xxxxx&queryHeaders=a",
		"http://h/x?authPasword=hunter2&pwd=hunter2":             "http://h/x?authPasword=xxxxx&pwd=xxxxx",
		"ftp://bob:hunter2@host":                                 "ftp://bob:xxxxx@host",
		"master:lock1:ftp://bob:hunter2@host/":                   "master:lock1:ftp://bob:xxxxx@host/",
		"x:y?password=hunter2&a=b":                               "x:y?password=xxxxx&a=b",
		"x:y?a=b&authorizationToken=RAW(hunter&2)&c=d":           "x:y?a=b&authorizationToken=xxxxx&c=d",
		"x:y?sasl_Pass-Word=hunter2":                             "x:y?sasl_Pass-Word=xxxxx",
		"x:y?pass%77ord=hunter2":                                 "x:y?pass%77ord=xxxxx",
		"x:y?p%zz=hunter2":                                       "x:y?p%zz=xxxxx",
		"x:y?passwordhunter2":                                    "x:y?xxxxx",
		"x:y?a=RAW(b&password=c)&secretKey=hunter2":              "x:y?a=RAW(b&password=c)&secretKey=xxxxx",
		"x:y?accessKey=hunter2&apiKey=hunter2&signature=hunter2": "x:y?accessKey=xxxxx&apiKey=xxxxx&signature=xxxxx",
	} {
		if got := u.String(); got != want {
			t.Errorf("String of %s = %s, want %s", string(u), got, want)
		}
	}
}

func FuzzURI(f *testing.F) {
	for _, seed := range []string{
		"timer:tick?period=1s", "dummy://path?foo=hello}+world&bar=RAW(hello}+world)", "x:?a=RAW{}}&b=%41",
		"ftp://bob:hunter2@host/dir?password=x&tok%65n=RAW(a&b)", "x:y?a=RAW(b", ":", "a:%", "a:?=", "x:?password", "x:?&&=&",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := route.URI(text).String()
		a, err := route.URI(text).Parse()
		if err != nil {
			return
		}
		// What is shown has the same parts, except for secrets.
		b, err := route.URI(shown).Parse()
		if err != nil {
			t.Fatalf("%q is shown as %q: %v", text, shown, err)
		}
		if len(a.Options) != len(b.Options) || a.Scheme != b.Scheme {
			t.Fatalf("%q is shown as %q", text, shown)
		}
		for name, values := range a.Options {
			if lower := strings.ToLower(name); strings.Contains(lower, "password") || strings.Contains(lower, "token") {
				for i := range values {
					values[i] = "xxxxx"
				}
			} else if strings.ContainsAny(lower, "-_") || strings.Contains(strings.Join(b.Options[name], ""), "xxxxx") {
				continue // may be another name that looks secret
			}
			if !reflect.DeepEqual(b.Options[name], values) {
				t.Errorf("%q is shown as %q: option %q is %q, want %q", text, shown, name, b.Options[name], values)
			}
		}
	})
}
