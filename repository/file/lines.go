package file

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// A file has one line for each change: + or - for a key that was confirmed or removed, the key
// as a Go string in quotes, and the checksum (CRC-32, IEEE) of both in eight hexadecimal
// digits:
//
//	+"order 17" 5d1b0e1c
const (
	added   = '+'
	removed = '-'
)

// maxLine is how long a line may be: in quotes a byte takes four at most, "\xff".
const maxLine = 4*maxKey + 16

func appendLine(b []byte, change byte, key string) []byte {
	begin := len(b)
	b = strconv.AppendQuote(append(b, change), key)
	return fmt.Appendf(b, " %08x\n", crc32.ChecksumIEEE(b[begin:]))
}

// parseLine returns what a line without its end says, and whether it is whole.
func parseLine(line []byte) (change byte, key string, ok bool) {
	end := len(line) - len(" 00000000")
	if end < 1 || line[0] != added && line[0] != removed || line[end] != ' ' {
		return 0, "", false
	}
	sum, err := strconv.ParseUint(string(line[end+1:]), 16, 32)
	if err != nil || uint32(sum) != crc32.ChecksumIEEE(line[:end]) {
		return 0, "", false
	}
	key, err = strconv.Unquote(string(line[1:end]))
	return line[0], key, err == nil && len(key) <= maxKey
}

// load reads the file. It returns how many lines are damaged.
func (r *Idempotent) load() (damaged int, err error) {
	in := bufio.NewReaderSize(r.file, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		tooLong := err == bufio.ErrBufferFull
		for err == bufio.ErrBufferFull {
			_, err = in.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return damaged, err
		}
		if len(line) == 0 {
			r.limit = maxLines(len(r.keys))
			return damaged, nil
		}
		line, whole := bytes.CutSuffix(line, []byte("\n"))
		change, key, ok := parseLine(line)
		switch {
		case !ok || !whole || tooLong:
			damaged++
			continue
		case change == removed:
			r.forget(key)
		default:
			r.confirmed(key)
		}
		r.lines++
		r.size += int64(len(line)) + 1
	}
}

// maxLines is how many lines a file with so many keys may have.
func maxLines(keys int) int { return 2*keys + 1000 }

// write adds a line. If that fails nothing has changed: the next one takes its place.
func (r *Idempotent) write(change byte, key string) error {
	if r.file == nil {
		return errClosed
	}
	if r.lines >= r.limit {
		if err := r.shorten(); err != nil {
			r.options.Logger.Warn("idempotent repository: the file is not shortened", "file", r.path, "error", err)
			r.limit = r.lines + r.options.Size
		}
	}
	line := appendLine(nil, change, key)
	_, err := r.file.WriteAt(line, r.size)
	if err == nil && r.options.Sync {
		err = r.file.Sync()
	}
	if err != nil {
		return errors.Join(err, r.file.Truncate(r.size))
	}
	r.size += int64(len(line))
	r.lines++
	return nil
}

// shorten writes a new file with what stands, and puts it in the place of the old one. If that
// fails the old one is good.
func (r *Idempotent) shorten() error {
	name := r.path + ".new"
	order, size, err := r.writeAll(name)
	if err != nil {
		_ = os.Remove(name)
		return err
	}
	r.file.Close() // some systems rename no open files
	if err = os.Rename(name, r.path); err == nil {
		r.size, r.lines, r.order, r.limit = size, len(order), order, maxLines(len(order))
	} else {
		_ = os.Remove(name)
	}
	var failed error
	if r.file, failed = os.OpenFile(r.path, os.O_RDWR, 0o600); failed != nil {
		r.file = nil
		return errors.Join(err, failed)
	}
	return errors.Join(err, syncFolder(filepath.Dir(r.path)))
}

// writeAll writes what stands to a file.
func (r *Idempotent) writeAll(name string) (order []ordered, size int64, err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, 0, err
	}
	out := bufio.NewWriter(f)
	order = make([]ordered, 0, r.stood)
	var line []byte
	for _, o := range r.order {
		if r.stands(o) {
			line = appendLine(line[:0], added, o.key)
			_, _ = out.Write(line) // an error is that of Flush
			size += int64(len(line))
			order = append(order, o)
		}
	}
	return order, size, errors.Join(out.Flush(), f.Sync(), f.Close())
}
