package file

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/mehari-go/mehari/internal/convert"
	"github.com/mehari-go/mehari/route"
)

// Process implements [route.Producer].
//
// A file is written under another name and then renamed, so that nobody sees a part of it, but
// with Append. What a process leaves when it dies meanwhile is such a file with a hidden name.
func (p producer) Process(ctx context.Context, ex *route.Exchange) error {
	name, err := p.nameOf(ctx, ex)
	if err != nil {
		return err
	}
	if ex.Body == nil && !p.config.AllowNullBody {
		return errors.New("there is no body to write: allowNullBody=true writes an empty file")
	}
	root, err := p.open()
	if err != nil {
		return err
	}
	defer root.Close()
	w := &write{producer: p, root: root, ex: ex, name: name}
	if w.temp, err = w.tempName(ctx); err != nil {
		return err
	}
	if p.config.AutoCreate == nil || *p.config.AutoCreate {
		for _, dir := range []string{path.Dir(name), path.Dir(w.temp)} {
			if err := root.MkdirAll(dir, p.config.ChmodDirectory.or(0o755)); err != nil {
				return err
			}
		}
	}
	key := p.path(name)
	if p.tempFileName != nil {
		key = p.dir // several names may share the other one
	}
	mine := p.writing.Get(key, func() *sync.Mutex { return new(sync.Mutex) })
	mine.Lock()
	defer mine.Unlock()
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	written, err := w.write(ctx)
	if err != nil {
		return err
	}
	if written && p.done != nil {
		f, err := root.OpenFile(p.done.of(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, p.config.Chmod.or(0o644))
		if err != nil {
			return fmt.Errorf("doneFileName: %w", err)
		}
		if err := f.Close(); err != nil {
			return fmt.Errorf("doneFileName: %w", err)
		}
	}
	FileNameProduced.Set(ex, filepath.Join(filepath.FromSlash(p.config.Directory), filepath.FromSlash(name)))
	return nil
}

// nameOf returns the name of the file: a text in a header is never taken for an expression.
func (p producer) nameOf(ctx context.Context, ex *route.Exchange) (string, error) {
	header, ok := ex.Header(FileName.Name()).(string)
	switch {
	case p.fileName != nil:
		return p.fileName.of(ctx, aboutFile(ex, header))
	case ok:
		return clean(header)
	case ex.Header(FileName.Name()) != nil:
		return "", fmt.Errorf("header %s: want a string, have %T", FileName.Name(), ex.Header(FileName.Name()))
	}
	return ex.ID(), nil
}

// A write is one file that is written.
type write struct {
	producer
	root       *os.Root
	ex         *route.Exchange
	name, temp string
}

// tempName returns the name of the file while it is written.
func (w *write) tempName(ctx context.Context) (string, error) {
	dir, base := path.Split(w.name)
	switch {
	case w.config.TempPrefix != "":
		return dir + w.config.TempPrefix + base, nil
	case w.tempFileName == nil:
		return dir + "." + rand.Text() + ".tmp", nil
	}
	name, err := w.tempFileName.of(ctx, aboutFile(w.ex, w.name))
	if err == nil && name == w.name {
		err = fmt.Errorf("tempFileName: %q is the name of the file itself", name)
	}
	return name, err
}

func (w *write) exists() bool {
	_, err := w.root.Lstat(w.name)
	return !errors.Is(err, fs.ErrNotExist)
}

// write tells whether the file was written.
func (w *write) write(ctx context.Context) (bool, error) {
	body, err := w.open()
	if err != nil {
		return false, err
	}
	body = &cancellable{body, ctx}
	switch w.config.FileExist {
	case Append:
		return true, w.append(body)
	case Fail:
		if w.exists() {
			return false, w.there()
		}
	case Ignore:
		if w.exists() {
			return false, nil
		}
	}
	if err := w.fill(body); err != nil {
		return false, errors.Join(err, remove(w.root, w.temp))
	}
	written, err := w.publish(ctx)
	if err != nil || !written {
		err = errors.Join(err, remove(w.root, w.temp))
	} else if w.forces() {
		err = w.syncFolder()
	}
	return written, err
}

func (w *write) there() error { return fmt.Errorf("%q exists already", w.name) }

// publish gives the file its name.
func (w *write) publish(ctx context.Context) (bool, error) {
	switch w.config.FileExist {
	case Fail, Ignore:
		err := moveNew(w.root, w.temp, w.name)
		if !errors.Is(err, fs.ErrExist) {
			return err == nil, err
		}
		if w.config.FileExist == Fail {
			return false, w.there()
		}
		return false, nil
	case Move:
		if w.exists() {
			to, err := w.moveExisting.of(ctx, aboutFile(w.ex, w.name))
			if err == nil {
				err = move(w.root, w.name, to)
			}
			if err != nil {
				return false, fmt.Errorf("moveExisting: %w", err)
			}
		}
	}
	err := w.root.Rename(w.temp, w.name)
	return err == nil, err
}

// open returns the body to be read. A stream can be read once.
func (w *write) open() (io.Reader, error) {
	switch body := w.ex.Body.(type) {
	case nil:
		return bytes.NewReader(nil), nil
	case string:
		return strings.NewReader(body), nil
	case []byte:
		return bytes.NewReader(body), nil
	case io.Reader:
		s := route.NewStream(body)
		w.ex.Body = s
		return s.Open()
	}
	b, err := convert.As[[]byte](w.ex.Body)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return bytes.NewReader(b), nil
}

// fill writes the file under its other name.
func (w *write) fill(body io.Reader) (err error) {
	if err := remove(w.root, w.temp); err != nil { // it may be another name of a file that is whole
		return err
	}
	f, err := w.root.OpenFile(w.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, w.config.Chmod.or(0o644))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return w.copy(f, body)
}

func (w *write) copy(f *os.File, body io.Reader) error {
	if _, err := io.Copy(f, body); err != nil {
		return err
	}
	if w.config.Chmod != "" {
		if err := f.Chmod(w.config.Chmod.or(0)); err != nil {
			return err
		}
	}
	if w.forces() {
		return f.Sync()
	}
	return nil
}

func (w *write) forces() bool { return w.config.ForceWrites == nil || *w.config.ForceWrites }

// append adds to the file. What could not be added to its end is taken away again.
func (w *write) append(body io.Reader) (err error) {
	f, err := w.root.OpenFile(w.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, w.config.Chmod.or(0o644))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	before, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.copy(f, body); err != nil {
		return errors.Join(err, f.Truncate(before.Size()))
	}
	return nil
}

// syncFolder makes the new name survive the death of the machine.
func (w *write) syncFolder() error {
	d, err := w.root.Open(path.Dir(w.name))
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || !canLock { // there are systems where folders cannot be
		err = nil
	}
	return errors.Join(err, d.Close())
}

// cancellable ends with its context.
type cancellable struct {
	io.Reader
	ctx context.Context
}

func (c *cancellable) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.Reader.Read(p)
}
