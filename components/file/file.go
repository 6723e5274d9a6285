// Package file starts routes from files, and writes files:
//
//	route.From("file:inbox?include=.*[.]xml&moveFailed=.failed").
//		To("file:outbox?fileName=${file:name}")
//
// The files of an endpoint are those of its directory: no name, whoever gives it, and no symbolic
// link leads outside of it.
//
// A file is led through the route before it is moved or deleted. If the process dies in between it
// comes again: at least once, never less.
package file

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mehari-go/mehari/internal/nearest"
	"github.com/mehari-go/mehari/internal/poll"
	"github.com/mehari-go/mehari/internal/shared"
	"github.com/mehari-go/mehari/route"
)

// The headers of messages that come from files. Times are in milliseconds since 1970, as in Camel.
var (
	FileName         = route.NewKey[string]("CamelFileName")         // below the directory, with slashes; also what a file to write is to be called
	FileNameOnly     = route.NewKey[string]("CamelFileNameOnly")     // without folders
	FileNameConsumed = route.NewKey[string]("CamelFileNameConsumed") // the same as FileName, which routes may change
	FilePath         = route.NewKey[string]("CamelFilePath")         // with the directory
	FileAbsolutePath = route.NewKey[string]("CamelFileAbsolutePath")
	FileParent       = route.NewKey[string]("CamelFileParent") // the folder of FilePath
	FileLength       = route.NewKey[int64]("CamelFileLength")  // in bytes
	FileLastModified = route.NewKey[int64]("CamelFileLastModified")

	// FileNameProduced is the path of the file that was written.
	FileNameProduced = route.NewKey[string]("CamelFileNameProduced")
)

// New returns the component, for repositories by their names, which may be nil: see
// [Config.IdempotentRepository].
func New(repositories map[string]route.IdempotentRepository) route.Component {
	return &component{repositories: maps.Clone(repositories)}
}

type component struct {
	repositories map[string]route.IdempotentRepository
	writing      shared.Map[sync.Mutex] // by the path of a file
	inProgress   sync.Map               // paths of files that are consumed
}

// Endpoint implements [route.Component].
func (c *component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	e := &endpoint{component: c, scheme: a.Scheme, logger: env.Logger}
	if err := a.Decode(&e.config); err != nil {
		return nil, err
	}
	if err := e.check(a); err != nil {
		return nil, err
	}
	switch {
	case e.consumes != "":
		return consumer{e}, nil
	case e.sends != "":
		return producer{e}, nil
	}
	return both{producer{e}, consumer{e}}, nil
}

type endpoint struct {
	*component
	config   Config
	scheme   string
	logger   *slog.Logger
	dir      string // absolute
	schedule poll.Schedule

	fileName, move, moveFailed, moveExisting, tempFileName, key *name // nil for none
	done                                                        *doneName
	preMove                                                     string
	include, exclude                                            *regexp.Regexp
	order                                                       order
	repository                                                  route.IdempotentRepository
	sends, consumes                                             string // an option that is for those who do, or ""
}

func (e *endpoint) String() string { return route.Redact(e.scheme, e.config) }

// An endpoint can be sent to, or start a route, or both, as its options want it.
type (
	producer struct{ *endpoint }
	consumer struct{ *endpoint }
	both     struct {
		producer
		consumer
	}
)

var (
	_ route.Producer = producer{}
	_ route.Consumer = consumer{}
)

// String implements [route.Endpoint].
func (b both) String() string { return b.producer.String() }

// What the options of an endpoint are for.
var (
	sending   = []string{"fileExist", "moveExisting", "tempPrefix", "tempFileName", "forceWrites", "allowNullBody", "chmod"}
	consuming = []string{
		"initialDelay", "delay", "watch", "greedy", "repeatCount", "sendEmptyMessageWhenIdle", "include", "exclude", "includeHiddenFiles",
		"recursive", "minDepth", "maxDepth", "sortBy", "maxMessagesPerPoll", "eagerMaxMessagesPerPoll", "noop", "delete", "move", "moveFailed", "preMove",
		"idempotent", "idempotentKey", "idempotentRepository", "readLock", "readLockCheckInterval", "readLockMinLength", "readLockMinAge", "stream", "maxBodySize",
	}
)

const (
	defaultMaxBody  = 64 << 20
	remembered      = 1 << 20
	defaultInterval = time.Second
	watchDelay      = 10 * time.Second
)

// check fills the endpoint from its config.
func (e *endpoint) check(a route.Address) error {
	c := &e.config
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	given := func(names ...string) (all []string) {
		for _, name := range names {
			if a.Options.Has(name) {
				all = append(all, name)
			}
		}
		return append(all, "")
	}
	read := func(option, text string, folder bool) *name {
		if text == "" {
			return nil
		}
		n, err := parseName(text, folder)
		refuse(err != nil, "option %q: %w", option, err)
		return n
	}
	match := func(option, text string) *regexp.Regexp {
		if text == "" {
			return nil
		}
		r, err := regexp.Compile("^(?i:" + text + ")$")
		refuse(err != nil, "option %q: %w", option, err)
		return r
	}
	var err error
	e.dir, err = filepath.Abs(filepath.FromSlash(c.Directory))
	refuse(err != nil, "directory: %w", err)
	refuse(strings.ContainsRune(c.Directory, 0), "directory: want no zero byte in it")
	e.sends, e.consumes = given(sending...)[0], given(consuming...)[0]
	refuse(e.sends != "" && e.consumes != "", "option %q is for those who send, and %q for those who consume", e.sends, e.consumes)
	e.fileName = read("fileName", c.FileName, false)
	e.move = read("move", c.Move, true)
	e.moveFailed = read("moveFailed", c.MoveFailed, true)
	e.moveExisting = read("moveExisting", c.MoveExisting, true)
	e.tempFileName = read("tempFileName", c.TempFileName, false)
	e.key = read("idempotentKey", c.IdempotentKey, false)
	e.include, e.exclude = match("include", c.Include), match("exclude", c.Exclude)
	e.done, err = parseDoneName(c.DoneFileName)
	refuse(err != nil, `option "doneFileName": %w`, err)
	e.order, err = parseOrder(c.SortBy)
	refuse(err != nil, `option "sortBy": %w`, err)
	delay := c.Delay
	if delay == nil && c.Watch {
		delay = new(watchDelay)
	}
	e.schedule, err = poll.New(c.InitialDelay, delay, c.Greedy, c.RepeatCount)
	refuse(err != nil, "%w", err)

	after := given("noop", "delete", "move")
	refuse(len(after) > 2, "options %q and %q exclude each other", after[0], after[min(1, len(after)-1)])
	refuse(c.Noop && (c.PreMove != "" || c.MoveFailed != ""), `option "noop" leaves files as they are: want no preMove and no moveFailed`)
	if e.move == nil && !c.Noop && !c.Delete {
		e.move = read("move", ".done", true)
	}
	if c.PreMove != "" {
		e.preMove, err = clean(c.PreMove)
		refuse(err != nil, `option "preMove": %w`, err)
		refuse(strings.Contains(c.PreMove, "${"), `option "preMove": want the name of a folder, have %q`, c.PreMove)
	}
	moveTo := c.Move
	if e.move != nil && moveTo == "" {
		moveTo = ".done"
	}
	for option, folder := range map[string]string{"move": moveTo, "moveFailed": c.MoveFailed, "preMove": c.PreMove} {
		refuse(c.Recursive && folder != "" && !strings.Contains(folder, "${") && (c.IncludeHiddenFiles || !hidden(folder)),
			"option %q: with recursive=true the files in %q would be taken again: want a folder whose name begins with a dot, and no includeHiddenFiles", option, folder)
	}
	deep := given("minDepth", "maxDepth")
	refuse(!c.Recursive && len(deep) > 1, "option %q has a meaning with recursive=true only", deep[0])
	refuse(c.MinDepth < 0 || c.MaxDepth < 0, `options "minDepth" and "maxDepth": want 0 or more, have %d and %d`, c.MinDepth, c.MaxDepth)
	refuse(c.MaxMessagesPerPoll < 0, `option "maxMessagesPerPoll": want 0 (all) or more, have %d`, c.MaxMessagesPerPoll)
	refuse(c.MaxBodySize < 0, `option "maxBodySize": want 0 (64 MiB) or more, have %d`, c.MaxBodySize)
	refuse(c.Stream && c.MaxBodySize > 0, `options "stream" and "maxBodySize" exclude each other`)
	locks := given("readLockCheckInterval", "readLockMinLength", "readLockMinAge")
	refuse(c.ReadLock != Changed && len(locks) > 1, "option %q has a meaning with readLock=changed only", locks[0])
	refuse(c.ReadLockMinAge < 0 || c.ReadLockCheckInterval != nil && *c.ReadLockCheckInterval < 0 || c.ReadLockMinLength != nil && *c.ReadLockMinLength < 0,
		`option %q: want 0 or more`, locks[0])
	refuse(c.ReadLock == FileLock && !canLock, `option "readLock": there is no fileLock on this system`)

	fixed := given("tempPrefix", "tempFileName")
	refuse(len(fixed) > 2, `options "tempPrefix" and "tempFileName" exclude each other`)
	refuse(strings.ContainsAny(c.TempPrefix, "/\\\x00"), `option "tempPrefix": want no folders, have %q`, c.TempPrefix)
	refuse(c.FileExist == Append && len(fixed) > 1, "option %q has no meaning with fileExist=Append", fixed[0])
	refuse(c.FileExist == TryRename && len(fixed) == 1, `fileExist=TryRename needs tempPrefix or tempFileName`)
	refuse((c.FileExist == Move) != (c.MoveExisting != ""), `fileExist=Move and option "moveExisting" need each other`)
	return errors.Join(append(errs, e.remember(given("idempotentKey", "idempotentRepository")))...)
}

// remember finds the repository.
func (e *endpoint) remember(given []string) error {
	c := &e.config
	switch {
	case c.Idempotent != nil && !*c.Idempotent && c.Noop:
		return errors.New(`option "idempotent": with noop=true each file would come with every poll`)
	case c.Idempotent == nil && !c.Noop || c.Idempotent != nil && !*c.Idempotent:
		if len(given) > 1 {
			return fmt.Errorf("option %q has a meaning with idempotent=true or noop=true only", given[0])
		}
		return nil
	case c.IdempotentRepository == "":
		e.repository = &route.IdempotentMemory{Size: remembered}
		return nil
	}
	r := e.repositories[c.IdempotentRepository]
	if r == nil {
		return fmt.Errorf(`option "idempotentRepository": there is no %q %s`, c.IdempotentRepository,
			nearest.Hint(c.IdempotentRepository, slices.Sorted(maps.Keys(e.repositories))))
	}
	e.repository = r
	return nil
}

// hidden tells whether a part of a name begins with a dot.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(filepath.ToSlash(name), "/.")
}

// open opens the directory, which is made if it is missing.
func (e *endpoint) open() (*os.Root, error) {
	root, err := os.OpenRoot(e.dir)
	if !errors.Is(err, fs.ErrNotExist) || e.config.AutoCreate != nil && !*e.config.AutoCreate {
		return root, err
	}
	if err := os.MkdirAll(e.dir, e.config.ChmodDirectory.or(0o755)); err != nil {
		return nil, err
	}
	return os.OpenRoot(e.dir)
}
