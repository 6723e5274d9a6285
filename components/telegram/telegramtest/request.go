package telegramtest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Request is a call that has come, whatever became of it.
type Request struct {
	Method string
	Params map[string]string
	Files  map[string]File // what was uploaded, by the parameter's name
	Time   time.Time
}

// A File is one that was uploaded, or that the bot can download.
type File struct {
	Name    string
	Content []byte
}

// Requests returns the calls of the methods, or, if there are none, all but those of
// getUpdates, in the order in which they came.
func (s *Server) Requests(methods ...string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Request
	for _, r := range s.requests {
		if slices.Contains(methods, r.Method) || len(methods) == 0 && r.Method != "getUpdates" {
			found = append(found, r)
		}
	}
	return found
}

const maxUpload = 50 << 20

// parameters reads what a call is told: in its URL, as a form, with files or in JSON.
func parameters(r *http.Request) (map[string]string, map[string]File, *failure) {
	p, files := map[string]string{}, map[string]File{}
	for name, values := range r.URL.Query() {
		p[name] = values[0]
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body := http.MaxBytesReader(nil, r.Body, maxUpload+1<<20)
	r.Body = body
	switch kind {
	case "application/json":
		var fields map[string]json.RawMessage
		if err := json.NewDecoder(body).Decode(&fields); err != nil && err != io.EOF {
			return nil, nil, refuse(400, "Bad Request: object expected as JSON body")
		}
		for name, value := range fields {
			var text string
			if json.Unmarshal(value, &text) != nil {
				text = string(value)
			}
			p[name] = text
		}
	case "multipart/form-data":
		form, err := r.MultipartReader()
		if err != nil {
			return nil, nil, refuse(400, "Bad Request: wrong form")
		}
		for {
			part, err := form.NextPart()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, nil, refuse(413, "Request Entity Too Large")
			}
			content, err := io.ReadAll(part)
			if err != nil {
				return nil, nil, refuse(413, "Request Entity Too Large")
			}
			if part.FileName() == "" {
				p[part.FormName()] = string(content)
			} else {
				files[part.FormName()] = File{part.FileName(), content}
			}
		}
	default:
		if err := r.ParseForm(); err != nil {
			return nil, nil, refuse(400, "Bad Request: wrong form")
		}
		for name, values := range r.PostForm {
			p[name] = values[0]
		}
	}
	return p, files, nil
}

func canonical(method string) string {
	for _, name := range methods {
		if strings.EqualFold(name, method) {
			return name
		}
	}
	return method
}
