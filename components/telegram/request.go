package telegram

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// A request is a call as it is sent: parameters that are all texts, and files.
type request struct {
	method string
	params tgbotapi.Params
	files  map[string]File
}

// newRequest makes one of a message.
func newRequest(m Message) (*request, error) {
	r := &request{method: m.method(), params: tgbotapi.Params{}, files: map[string]File{}}
	if c, ok := m.(Call); ok {
		if c.Method == "" {
			return nil, fmt.Errorf("a Call without a Method")
		}
		return r, r.addAll(c.Params)
	}
	if err := r.fields(reflect.ValueOf(m)); err != nil {
		return nil, err
	}
	if t, ok := m.(interface{ more() map[string]any }); ok {
		return r, r.addAll(t.more())
	}
	return r, nil
}

// fields adds the fields of a struct, and of those that it embeds.
func (r *request) fields(v reflect.Value) error {
	for f, value := range v.Fields() {
		if f.Anonymous {
			if err := r.fields(value); err != nil {
				return err
			}
			continue
		}
		name, flags, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || flags == "omitempty" && value.IsZero() {
			continue
		}
		if err := r.add(name, value.Interface()); err != nil {
			return err
		}
	}
	return nil
}

func (r *request) addAll(params map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if err := r.add(name, params[name]); err != nil {
			return err
		}
	}
	return nil
}

func (r *request) add(name string, v any) error {
	switch v := v.(type) {
	case File:
		return r.file(name, name, v)
	case Media:
		return r.media(name, v)
	case []Media:
		return r.media(name, v...)
	}
	text, err := asText(v)
	if err != nil {
		return fmt.Errorf("%s: parameter %q: %w", r.method, name, err)
	}
	r.params[name] = text
	return nil
}

// file adds a file as the value of a parameter.
func (r *request) file(parameter, name string, f File) error {
	switch {
	case f.empty():
		return fmt.Errorf("%s: parameter %q: want a file, by FileID, FileURL, Upload or UploadFrom", r.method, parameter)
	case f.ref != "":
		r.params[parameter] = f.ref
	default:
		r.files[name] = f
	}
	return nil
}

// media adds media, of which those to be uploaded are attached under names of their own.
func (r *request) media(name string, all ...Media) error {
	items := make([]map[string]any, len(all))
	for i, m := range all {
		item := map[string]any{"type": m.Type, "media": m.Media.ref}
		if m.Media.empty() {
			return fmt.Errorf("%s: medium %d: want a file, by FileID, FileURL, Upload or UploadFrom", r.method, i+1)
		}
		if m.Media.ref == "" {
			part := "file" + strconv.Itoa(i)
			r.files[part] = m.Media
			item["media"] = "attach://" + part
		}
		if m.Caption != "" {
			item["caption"] = m.Caption
		}
		if m.ParseMode != "" {
			item["parse_mode"] = m.ParseMode
		}
		items[i] = item
	}
	var v any = items
	if r.method != "sendMediaGroup" {
		v = items[0]
	}
	text, err := asText(v)
	r.params[name] = text
	return err
}

// asText returns the text of a parameter: what is no text or number is JSON.
func asText(v any) (string, error) {
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.String {
		return rv.String(), nil
	}
	text, err := json.Marshal(v)
	return string(text), err
}

// again tells whether the request can be sent a second time.
func (r *request) again() bool {
	for _, f := range r.files {
		if f.from != nil {
			return false
		}
	}
	return true
}

// opened returns the files for the library, and what to call when it is done with them.
func (r *request) opened() (files []tgbotapi.RequestFile, over func()) {
	var all []*upload
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		u := r.files[name].open()
		all = append(all, u)
		files = append(files, tgbotapi.RequestFile{Name: name, Data: u})
	}
	return files, func() {
		for _, u := range all {
			u.over()
		}
	}
}
