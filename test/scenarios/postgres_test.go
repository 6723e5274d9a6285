//go:build unix

package scenarios

import (
	"bytes"
	"database/sql"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// A database is a PostgreSQL server of a test.
type database struct {
	*sql.DB
	addr string
	dir  string

	mu  sync.Mutex
	log bytes.Buffer
}

// url is that of the database for those who connect to addr.
func (d *database) url(addr string) string {
	return "postgres://postgres@" + addr + "/postgres?sslmode=disable"
}

// Write implements [io.Writer], for the log.
func (d *database) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(p)
}

// says tells whether something stands in the log.
func (d *database) says(text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Contains(d.log.String(), text)
}

// postgres runs a server, if the programs of one are there.
func postgres(t *testing.T) *database {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		t.Skip("there is no PostgreSQL: want /usr/lib/postgresql/*/bin/postgres")
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "postgres") //nolint:usetesting // PostgreSQL, another user, has to get there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	attr := noOrphan()
	if os.Getuid() == 0 { // it does not run as root
		attr = asPostgres(t, attr, dir)
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	d := &database{addr: freeAddress(t), dir: dir}
	_, port, _ := net.SplitHostPort(d.addr)
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-h", "127.0.0.1", "-p", port, "-k", dir, "-c", "fsync=off")
	server.SysProcAttr, server.Dir, server.Stderr = attr, dir, d
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT)
		_ = server.Wait()
	})
	if d.DB, err = sql.Open("pgx", d.url(d.addr)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	eventually(t, "PostgreSQL answers", func() bool { return d.PingContext(t.Context()) == nil })
	return d
}

func asPostgres(t *testing.T, attr *syscall.SysProcAttr, dir string) *syscall.SysProcAttr {
	t.Helper()
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Skipf("PostgreSQL does not run as root: %v", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	if attr == nil {
		attr = &syscall.SysProcAttr{}
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr
}

// freeAddress returns an address at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// value returns the only value of a query.
func value[T any](t *testing.T, d *database, query string, args ...any) (v T) {
	t.Helper()
	if err := d.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// column returns the only column of a query.
func column[T any](t *testing.T, d *database, query string, args ...any) (all []T) {
	t.Helper()
	rows, err := d.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
