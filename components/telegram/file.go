package telegram

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// A File is one to send: it is at Telegram already, or at an address, or is uploaded.
type File struct {
	ref     string
	name    string
	content []byte
	from    io.Reader
}

// FileID is a file that Telegram has, by the id that it told.
func FileID(id string) File { return File{ref: id} }

// FileURL is a file that Telegram gets from an address.
func FileURL(url string) File { return File{ref: url} }

// Upload is a file with a content. Its name tells the recipient what it is.
func Upload(name string, content []byte) File { return File{name: name, content: content} }

// UploadFrom is a file that is read from r when it is sent, once. If Telegram refuses it
// because there were too many messages it is not sent again, which one by [Upload] is. A
// Read that hangs does not keep the call, but a goroutine until it returns.
func UploadFrom(name string, r io.Reader) File { return File{name: name, from: r} }

func (f File) empty() bool { return f.ref == "" && f.content == nil && f.from == nil }

// open returns what the library uploads.
func (f File) open() *upload {
	r := f.from
	if r == nil {
		r = bytes.NewReader(f.content)
	}
	name := f.name
	if name == "" {
		name = "file"
	}
	return &upload{name: name, from: r, turn: make(chan struct{}, 1)}
}

// An upload is read by a goroutine of the library, which may outlive the call: it is not
// let near the reader any more then.
type upload struct {
	name   string
	from   io.Reader
	turn   chan struct{} // has place for the one that reads
	closed atomic.Bool
}

// NeedsUpload and the two that follow implement the library's RequestFileData.
func (*upload) NeedsUpload() bool { return true }

// UploadData returns the file's name and content.
func (u *upload) UploadData() (string, io.Reader, error) { return u.name, u, nil }

// SendData is for files that need no upload.
func (*upload) SendData() string { return "" }

// Read implements [io.Reader].
func (u *upload) Read(p []byte) (int, error) {
	u.turn <- struct{}{}
	defer func() { <-u.turn }()
	if u.closed.Load() {
		return 0, errors.New("the call is over")
	}
	return u.from.Read(p)
}

// over lets no read follow, and waits for one that goes on, unless that is stuck.
func (u *upload) over() {
	u.closed.Store(true)
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case u.turn <- struct{}{}:
		<-u.turn
	case <-timer.C:
	}
}
