package telegramtest

import (
	"net/http"
	"strconv"
	"strings"
)

// maxDownload is how large a file is that a bot can download,
// https://core.telegram.org/bots/api#getfile.
const maxDownload = 20 << 20

// File adds a file that the bot can download, and returns its id.
func (s *Server) File(f File) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep(f)
}

func (s *Server) keep(f File) string {
	s.serial++
	id := "file" + strconv.FormatInt(s.serial, 10)
	s.files[id] = f
	return id
}

func (s *Server) getFile(id string) (any, *failure) {
	f, ok := s.files[id]
	switch {
	case !ok:
		return nil, refuse(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
	case len(f.Content) > maxDownload:
		return nil, refuse(400, "Bad Request: file is too big")
	}
	return map[string]any{"file_id": id, "file_unique_id": "u" + id, "file_size": len(f.Content), "file_path": "documents/" + id}, nil
}

// download answers at /file/bot<token>/<path>.
func (s *Server) download(w http.ResponseWriter, path string) {
	token, path, _ := strings.Cut(path, "/")
	id, ok := strings.CutPrefix(path, "documents/")
	s.mu.Lock()
	f, found := s.files[id]
	s.mu.Unlock()
	switch {
	case token != Token:
		reply(w, nil, refuse(401, "Unauthorized"))
	case !ok || !found:
		reply(w, nil, refuse(404, "Not Found"))
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.Itoa(len(f.Content)))
		_, _ = w.Write(f.Content)
	}
}
