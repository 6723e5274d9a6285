// Package zip is the data format of zip archives, by archive/zip.
//
// An archive with one file is that file: a []byte, a string or an [io.Reader], which
// streams; a *any is given a []byte. An iter.Seq2[any, error] has all files, one by one:
// see [Format.Entries]. Folders are passed over.
//
// An archive has its table at the end. What cannot be read from there, as a []byte, a
// string or a file can, is read into memory first.
package zip

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"

	"github.com/mehari-go/mehari/internal/octets"
)

// Format is the data format.
type Format struct {
	// Name is what a file is called that is written, if it is no [Entry]; "" means
	// "body".
	Name string

	// MaxSize is how many bytes may come out of decompression, of all files together, so
	// that a small message cannot fill the memory or take for ever; an archive may be as
	// long, too. 0 means 256 MB, -1 no limit.
	MaxSize int64

	// MaxEntries is how many files and folders there may be; 0 means 10000, -1 no limit.
	MaxEntries int
}

// An Entry is a file in an archive. It is an [io.Reader] of its content.
type Entry struct {
	Name     string // with slashes; it leads to no other place than below
	Modified time.Time
	Size     uint64 // as the archive has it
	io.Reader
}

// String returns "zip".
func (Format) String() string { return "zip" }

const encrypted = 1 // the bit of a file's flags

// Marshal writes an archive of v: bytes of some kind, an *[Entry], a []*[Entry] or an
// iter.Seq2[any, error] of those.
func (f Format) Marshal(w io.Writer, v any) error {
	out := zip.NewWriter(w)
	var err error
	switch v := v.(type) {
	case []*Entry:
		for _, e := range v {
			if err = write(out, e); err != nil {
				return err
			}
		}
	case iter.Seq2[any, error]:
		if v == nil {
			return errors.New("want a sequence of entries, have nil")
		}
		for e, err := range v {
			if err == nil {
				err = write(out, e)
			}
			if err != nil {
				return err
			}
		}
	case *Entry:
		err = write(out, v)
	default:
		name := f.Name
		if name == "" {
			name = "body"
		}
		var r io.Reader
		if r, err = octets.Reader(v); err == nil {
			err = write(out, &Entry{Name: name, Reader: r})
		}
	}
	if err != nil {
		return err
	}
	return out.Close()
}

func write(out *zip.Writer, v any) error {
	e, ok := v.(*Entry)
	if !ok || e == nil || e.Reader == nil {
		return fmt.Errorf("want a *zip.Entry with a reader, have %T", v)
	}
	if err := checkName(e.Name); err != nil {
		return err
	}
	w, err := out.CreateHeader(&zip.FileHeader{Name: e.Name, Modified: e.Modified, Method: zip.Deflate})
	if err == nil {
		_, err = io.Copy(w, e.Reader)
	}
	return err
}

// checkName refuses names that lead elsewhere, if a route makes a file of them.
func checkName(name string) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00") {
		return fmt.Errorf("the name %q is not that of a file below", name)
	}
	return nil
}

// Unmarshal reads an archive of one file.
func (f Format) Unmarshal(r io.Reader, into any) error {
	if seq, ok := into.(*iter.Seq2[any, error]); ok && seq != nil {
		*seq = f.Entries(r)
		return nil
	}
	if err := octets.Target(into); err != nil {
		return err
	}
	files, err := f.open(r)
	if err != nil {
		return err
	}
	if len(files) != 1 {
		return fmt.Errorf("there are %d files, want one; an iter.Seq2[any, error] takes more", len(files))
	}
	content, err := open(files[0])
	if err != nil {
		return err
	}
	return octets.Store(octets.Limit(content, f.MaxSize), into)
}

// Entries returns the files of an archive, each an *[Entry], which can be read until the
// next is asked for. The sequence can be ranged over once, and ends with the first
// error.
func (f Format) Entries(r io.Reader) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		files, err := f.open(r)
		limit := octets.Renewed(nil, f.MaxSize)
		for _, file := range files {
			var content io.ReadCloser
			if content, err = open(file); err != nil {
				break
			}
			limit.R = content
			more := yield(&Entry{file.Name, file.Modified, file.UncompressedSize64, limit}, nil)
			content.Close()
			if !more {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// open reads the table of an archive.
func (f Format) open(r io.Reader) (files []*zip.File, err error) {
	at, size, err := f.random(r)
	if err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(at, size)
	if err != nil {
		return nil, err
	}
	most := f.MaxEntries
	if most == 0 {
		most = 10_000
	}
	if n := len(archive.File); most > 0 && n > most {
		return nil, fmt.Errorf("there are %d entries, and MaxEntries is %d", n, most)
	}
	for _, file := range archive.File {
		if strings.HasSuffix(file.Name, "/") {
			continue
		}
		if err := checkName(file.Name); err != nil {
			return nil, err
		}
		if file.Flags&encrypted != 0 {
			return nil, fmt.Errorf("the file %q is encrypted", file.Name)
		}
		files = append(files, file)
	}
	return files, nil
}

// random returns r as something that can be read anywhere. It may have been read from
// already.
func (f Format) random(r io.Reader) (io.ReaderAt, int64, error) {
	type random interface {
		io.ReaderAt
		io.Seeker
	}
	if at, ok := r.(random); ok {
		here, err := at.Seek(0, io.SeekCurrent)
		if err == nil {
			end, err := at.Seek(0, io.SeekEnd)
			return io.NewSectionReader(at, here, end-here), end - here, err
		}
	}
	b, err := octets.ReadAll(r, f.MaxSize)
	return bytes.NewReader(b), int64(len(b)), err
}

func open(file *zip.File) (io.ReadCloser, error) {
	r, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("%q: %w", file.Name, err)
	}
	return r, nil
}
