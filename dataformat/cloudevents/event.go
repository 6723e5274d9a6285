package cloudevents

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"mime"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// An Event is a CloudEvent.
type Event struct {
	ID     string // with Source, what tells it from others
	Source string // a URI reference
	Type   string

	DataContentType string    // of Data; "" means application/json
	DataSchema      string    // a URI; "" for none
	Subject         string    // "" for none
	Time            time.Time // zero for none

	// Extensions are further attributes: a string, a bool or an int32, by names of lower
	// case letters and digits.
	Extensions map[string]any

	// Data is what happened, as DataContentType says; nil for nothing. For JSON it is the
	// text of one JSON value.
	Data []byte
}

const specVersion = "1.0"

// Validate tells all that is wrong with the event by the specification.
func (e *Event) Validate() error {
	var errs []error
	for _, a := range []struct{ name, value string }{{"id", e.ID}, {"source", e.Source}, {"type", e.Type}} {
		if a.value == "" {
			errs = append(errs, fmt.Errorf("attribute %q is missing", a.name))
		}
	}
	for _, a := range []struct{ name, value string }{{"id", e.ID}, {"type", e.Type}, {"subject", e.Subject}} {
		errs = append(errs, checkString(a.name, a.value))
	}
	if _, err := url.Parse(e.Source); err != nil {
		errs = append(errs, fmt.Errorf("attribute %q: want a URI reference, have %.60q", "source", e.Source))
	}
	if e.DataSchema != "" {
		if u, err := url.Parse(e.DataSchema); err != nil || !u.IsAbs() {
			errs = append(errs, fmt.Errorf("attribute %q: want a URI, have %.60q", "dataschema", e.DataSchema))
		}
	}
	if e.DataContentType != "" {
		if t, _, err := mime.ParseMediaType(e.DataContentType); err != nil || !strings.Contains(t, "/") {
			errs = append(errs, fmt.Errorf("attribute %q: want a media type, have %.60q", "datacontenttype", e.DataContentType))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Extensions)) {
		errs = append(errs, checkExtension(name, e.Extensions[name]))
	}
	if e.Data != nil && e.isJSON() && !(json.Valid(e.Data) && utf8.Valid(e.Data)) {
		errs = append(errs, errors.New("want JSON for the data, as the content type says"))
	}
	return errors.Join(errs...)
}

// known are the members of the JSON form that are no extensions.
var known = []string{"id", "source", "specversion", "type", "datacontenttype", "dataschema", "subject", "time", "data", "data_base64"}

func checkExtension(name string, value any) error {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || slices.Contains(known, name) {
		return fmt.Errorf("%.60q cannot be the name of an extension", name)
	}
	switch v := value.(type) {
	case string:
		return checkString(name, v)
	case bool, int32:
		return nil
	}
	return fmt.Errorf("attribute %q: want a string, a bool or an int32, have %T", name, value)
}

// checkString refuses what section 3 of the specification does not allow in a String.
func checkString(name, s string) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("attribute %q: there is a control character, or it is not valid UTF-8", name)
	}
	return nil
}

// isJSON tells whether the data is JSON: section 3.1 of the JSON format.
func (e *Event) isJSON() bool {
	t, _, _ := mime.ParseMediaType(e.DataContentType)
	return e.DataContentType == "" || t == "application/json" || t == "text/json" || strings.HasSuffix(t, "+json")
}

// isText tells whether the data is better written as text than in base64.
func (e *Event) isText() bool {
	t, _, _ := mime.ParseMediaType(e.DataContentType)
	return utf8.Valid(e.Data) && (strings.HasPrefix(t, "text/") || t == "application/xml" || strings.HasSuffix(t, "+xml"))
}

// MarshalJSON returns the event in the JSON format.
func (e *Event) MarshalJSON() ([]byte, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	all := maps.Clone(e.Extensions)
	if all == nil {
		all = map[string]any{}
	}
	all["specversion"], all["id"], all["source"], all["type"] = specVersion, e.ID, e.Source, e.Type
	for name, value := range map[string]string{"datacontenttype": e.DataContentType, "dataschema": e.DataSchema, "subject": e.Subject} {
		if value != "" {
			all[name] = value
		}
	}
	if !e.Time.IsZero() {
		all["time"] = e.Time
	}
	switch {
	case e.Data == nil:
	case e.isJSON():
		all["data"] = json.RawMessage(e.Data)
	case e.isText():
		all["data"] = string(e.Data)
	default:
		all["data_base64"] = e.Data
	}
	return encode(all)
}

// encode returns v as JSON without the escapes that HTML needs.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// UnmarshalJSON reads the JSON format.
func (e *Event) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	maps.DeleteFunc(all, func(name string, v json.RawMessage) bool { return name != "data" && string(v) == "null" })
	var fresh Event
	var version string
	var errs []error
	for name, into := range map[string]any{
		"specversion": &version, "id": &fresh.ID, "source": &fresh.Source, "type": &fresh.Type, "datacontenttype": &fresh.DataContentType,
		"dataschema": &fresh.DataSchema, "subject": &fresh.Subject, "time": &fresh.Time, "data_base64": &fresh.Data,
	} {
		if v, ok := all[name]; ok {
			if err := json.Unmarshal(v, into); err != nil {
				errs = append(errs, fmt.Errorf("attribute %q: %w", name, err))
			}
		}
	}
	if version != specVersion {
		errs = append(errs, fmt.Errorf("want specversion %q, have %.20q", specVersion, version))
	}
	errs = append(errs, fresh.readData(all), fresh.readExtensions(all))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := fresh.Validate(); err != nil {
		return err
	}
	*e = fresh
	return nil
}

func (e *Event) readData(all map[string]json.RawMessage) error {
	data, ok := all["data"]
	if !ok {
		return nil
	}
	if _, both := all["data_base64"]; both {
		return errors.New(`there are both "data" and "data_base64"`)
	}
	e.Data = bytes.Clone(data)
	if e.isJSON() {
		return nil
	}
	var text string
	if json.Unmarshal(data, &text) == nil && string(data) != "null" {
		e.Data = []byte(text)
	}
	return nil
}

func (e *Event) readExtensions(all map[string]json.RawMessage) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if slices.Contains(known, name) {
			continue
		}
		var value any
		if err := json.Unmarshal(all[name], &value); err != nil {
			return err
		}
		if n, ok := value.(float64); ok && n == math.Trunc(n) && n >= math.MinInt32 && n <= math.MaxInt32 {
			value = int32(n)
		}
		errs = append(errs, checkExtension(name, value))
		if e.Extensions == nil {
			e.Extensions = map[string]any{}
		}
		e.Extensions[name] = value
	}
	return errors.Join(errs...)
}
