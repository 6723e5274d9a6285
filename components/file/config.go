package file

import (
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Config is everything that an endpoint can be told. Zero fields mean defaults.
//
// Names are expressions in the simple language, in which ${file:name} is the name of the file
// below the directory, ${file:onlyname} that without folders, ${file:name.noext},
// ${file:onlyname.noext} and ${file:ext} what these say, ${file:parent} the folder, ${file:size}
// and ${file:modified} (milliseconds since 1970) those of a file that is consumed. A name leads
// nowhere outside of the directory, also not by symbolic links.
type Config struct {
	// Directory is where the files are.
	Directory string `uri:".,required"`

	// FileName is the name of the only file that is consumed, or of the file that is written; ""
	// means every file, and what the header CamelFileName says, or else the id of the exchange.
	FileName string `uri:"fileName"`

	// AutoCreate makes directories that are missing; nil means true.
	AutoCreate *bool `uri:"autoCreate"`

	// DoneFileName is a file, in the folder of the other, that says that the other is whole: it
	// is waited for, and deleted with the file, or written after it. It is a name, with
	// ${file:name}, ${file:onlyname} or ${file:name.noext} for that of the other, all without folders.
	DoneFileName string `uri:"doneFileName"`

	// For those who consume.

	// InitialDelay is the time before the first poll; nil means 1s.
	InitialDelay *time.Duration `uri:"initialDelay"`

	// Delay is the time between polls, at least 1ms; nil means 500ms, or with Watch 10s.
	Delay *time.Duration `uri:"delay"`

	// Watch polls as soon as the operating system tells that there is something new. Delay
	// is for what it does not tell, such as what other machines write to a network's folder.
	Watch bool `uri:"watch"`

	// Greedy polls again at once after a poll that has found files.
	Greedy bool `uri:"greedy"`

	// RepeatCount is how many polls there are; 0 means without end.
	RepeatCount int64 `uri:"repeatCount"`

	// SendEmptyMessageWhenIdle makes a poll without files give an exchange with a nil body.
	SendEmptyMessageWhenIdle bool `uri:"sendEmptyMessageWhenIdle"`

	// Include is a regular expression as of package regexp, which whole names without folders
	// match, in any case; "" means all.
	Include string `uri:"include"`

	// Exclude is the opposite of Include; "" means none.
	Exclude string `uri:"exclude"`

	// IncludeHiddenFiles takes files and folders too whose names begin with a dot.
	IncludeHiddenFiles bool `uri:"includeHiddenFiles"`

	// Recursive takes the files of folders too.
	Recursive bool `uri:"recursive"`

	// MinDepth is how many folders a file is in at least, the directory itself being 1; 0 means 1.
	MinDepth int `uri:"minDepth"`

	// MaxDepth is how many folders a file is in at most; 0 means without limit.
	MaxDepth int `uri:"maxDepth"`

	// SortBy orders the files of a poll: name, onlyname, ext, path, size or modified, as in file:name;
	// with reverse: or ignoreCase: before it, and others after a semicolon. By default they come by name.
	SortBy string `uri:"sortBy"`

	// MaxMessagesPerPoll is how many files a poll takes at most; 0 means all that there are.
	MaxMessagesPerPoll int `uri:"maxMessagesPerPoll"`

	// EagerMaxMessagesPerPoll takes the first ones by name, and sorts those; nil means true. With
	// false all are sorted, and the first of them taken.
	EagerMaxMessagesPerPoll *bool `uri:"eagerMaxMessagesPerPoll"`

	// Noop leaves the files as they are, and takes each of them once: see Idempotent.
	Noop bool `uri:"noop"`

	// Delete deletes a file whose exchange has succeeded. By default it is moved.
	Delete bool `uri:"delete"`

	// Move is where a file goes whose exchange has succeeded; "" means .done. A name without
	// an expression is that of a folder beside the file. A file that is there is replaced.
	Move string `uri:"move"`

	// MoveFailed is where a file goes whose exchange has failed. By default it stays, and
	// comes again.
	MoveFailed string `uri:"moveFailed"`

	// PreMove is a folder of the directory to which files go while they are worked on, so that
	// of several processes one gets a file. One that a process left there when it died comes again.
	PreMove string `uri:"preMove"`

	// Idempotent takes each file once; nil means the same as Noop.
	Idempotent *bool `uri:"idempotent"`

	// IdempotentKey is by what files are told apart; "" means their absolute paths.
	IdempotentKey string `uri:"idempotentKey"`

	// IdempotentRepository is the name of one that [New] was given; "" means a memory of
	// the million files that came last, which ends with the engine.
	IdempotentRepository string `uri:"idempotentRepository"`

	// ReadLock tells when a file is ready; "" means none.
	ReadLock ReadLock `uri:"readLock"`

	// ReadLockCheckInterval is how long a file must stay as it is with ReadLock changed; nil means 1s.
	ReadLockCheckInterval *time.Duration `uri:"readLockCheckInterval"`

	// ReadLockMinLength is how many bytes a file must have with ReadLock changed; nil means 1.
	ReadLockMinLength *int64 `uri:"readLockMinLength"`

	// ReadLockMinAge is how long ago a file must have been written with ReadLock changed.
	ReadLockMinAge time.Duration `uri:"readLockMinAge"`

	// Stream makes the body a [route.Stream] of the file, open until the route has returned. By
	// default it is a []byte.
	Stream bool `uri:"stream"`

	// MaxBodySize is how many bytes a file may have that is not streamed; 0 means 64 MiB. One that has more gives
	// no exchange: the log tells, and it goes where MoveFailed says, or comes again.
	MaxBodySize int64 `uri:"maxBodySize"`

	// For those who send.

	// FileExist says what to do about a file of the same name; "" means Override.
	FileExist FileExist `uri:"fileExist"`

	// MoveExisting is where that file goes with fileExist=Move. A name without an expression is
	// that of a folder beside it. A file that is there is replaced.
	MoveExisting string `uri:"moveExisting"`

	// TempPrefix is what stands before the name of a file while it is written.
	TempPrefix string `uri:"tempPrefix"`

	// TempFileName is what a file is called while it is written; "" means TempPrefix and its
	// name, or a hidden name that no other has.
	TempFileName string `uri:"tempFileName"`

	// ForceWrites makes sure that a file is on the disk before the exchange goes on; nil means true.
	ForceWrites *bool `uri:"forceWrites"`

	// AllowNullBody writes an empty file for a nil body, which is an error otherwise.
	AllowNullBody bool `uri:"allowNullBody"`

	// Chmod are the permissions of files that are made, in octal digits; "" means 644. The
	// process's umask takes some away.
	Chmod Mode `uri:"chmod"`

	// ChmodDirectory are those of directories that are made; "" means 755.
	ChmodDirectory Mode `uri:"chmodDirectory"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("file", c) }

// A ReadLock tells when a file is ready to be consumed.
type ReadLock string

// The kinds of read locks.
const (
	NoLock   ReadLock = "none"
	Changed  ReadLock = "changed"  // it has not changed for a while
	FileLock ReadLock = "fileLock" // it can be locked with flock(2), and then is while it is worked on; not on every system
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *ReadLock) UnmarshalText(text []byte) error {
	switch v := ReadLock(text); v {
	case NoLock, Changed, FileLock:
		*r = v
		return nil
	}
	return fmt.Errorf("want %s, %s or %s, have %q", NoLock, Changed, FileLock, text)
}

// A FileExist says what to do about a file that is there.
type FileExist string

// What can be done.
const (
	Override  FileExist = "Override"  // it is replaced, at one moment
	Append    FileExist = "Append"    // what is written comes after what it has
	Fail      FileExist = "Fail"      // that is an error
	Ignore    FileExist = "Ignore"    // nothing is written
	Move      FileExist = "Move"      // it is moved: see [Config.MoveExisting]
	TryRename FileExist = "TryRename" // Override for those who give TempPrefix or TempFileName
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (f *FileExist) UnmarshalText(text []byte) error {
	switch v := FileExist(text); v {
	case Override, Append, Fail, Ignore, Move, TryRename:
		*f = v
		return nil
	}
	return fmt.Errorf("want %s, %s, %s, %s, %s or %s, have %q", Override, Append, Fail, Ignore, Move, TryRename, text)
}

// A Mode is permissions in octal digits, such as 640. The zero value is "".
type Mode string

// UnmarshalText implements [encoding.TextUnmarshaler].
func (m *Mode) UnmarshalText(text []byte) error {
	if n, err := strconv.ParseUint(string(text), 8, 32); err != nil || n > 0o777 {
		return fmt.Errorf("want permissions from 000 to 777, have %q", text)
	}
	*m = Mode(text)
	return nil
}

// or returns the permissions, or others for "".
func (m Mode) or(other fs.FileMode) fs.FileMode {
	if n, err := strconv.ParseUint(string(m), 8, 32); err == nil {
		return fs.FileMode(n)
	}
	return other
}
