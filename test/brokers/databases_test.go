//go:build unix

package brokers

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"
)

// A database is one that a test may do what it wants with.
type database struct {
	driver string
	dsn    func(user, password string) string // "" for one who may do everything
	server *program                           // nil if there is none
}

// open returns a pool that is closed with the test.
func (d *database) open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.dsn("", ""))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	t.Cleanup(func() { db.Close() })
	return db
}

// others returns pools of other drivers and with other settings.
func (d *database) others(t testing.TB) map[string]*sql.DB {
	pools := map[string]*sql.DB{}
	add := func(name, driver, dsn string) *sql.DB {
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		pools[name] = db
		return db
	}
	switch d.driver {
	case "pgx":
		add("lib pq", "postgres", d.dsn("", ""))
		add("simple protocol", "pgx", d.dsn("", "")+" default_query_exec_mode=simple_protocol")
	case "mysql":
		add("interpolated", "mysql", d.dsn("", "")+"?interpolateParams=true&clientFoundRows=true&loc=Local&time_zone=%27%2B03%3A00%27&sql_mode=ANSI")
	case "sqlite":
		add("one connection", "sqlite", d.dsn("", "")).SetMaxOpenConns(1)
	}
	return pools
}

func sqliteDatabase(t testing.TB) *database {
	dsn := "file:" + filepath.Join(t.TempDir(), "test.db") + "?_pragma=busy_timeout(30000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_txlock=immediate"
	return &database{driver: "sqlite", dsn: func(string, string) string { return dsn }}
}

// postgresDatabase runs a server of its own, if its programs are there.
func postgresDatabase(t testing.TB) *database {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		t.Skip("there is no PostgreSQL: want /usr/lib/postgresql/*/bin/postgres")
	}
	bin := filepath.Dir(found[len(found)-1])
	p := newProgram(t, "postgres", syscall.SIGINT)
	data := filepath.Join(p.dir, "data")
	p.once(t, filepath.Join(bin, "initdb"), "-D", data, "-A", "scram-sha-256", "-U", "postgres", "--no-sync", "--pwfile", p.file(t, "password", "s3cret"))
	p.command = []string{filepath.Join(bin, "postgres"), "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-k", p.dir, "-c", "fsync=off", "-c", "max_connections=300"}
	d := &database{driver: "pgx", server: p, dsn: func(user, password string) string {
		if user == "" {
			user, password = "postgres", "s3cret"
		}
		return fmt.Sprintf("host=127.0.0.1 port=%d user=%s password=%s sslmode=disable dbname=postgres", p.port, user, password)
	}}
	p.ready = func() error { return d.ping() }
	p.start(t)
	return d
}

// mariadbDatabase runs a server of its own, if its programs are there.
func mariadbDatabase(t testing.TB) *database {
	if _, err := os.Stat("/usr/sbin/mariadbd"); err != nil {
		t.Skip("there is no MariaDB: ", err)
	}
	p := newProgram(t, "mysql", syscall.SIGTERM)
	data := filepath.Join(p.dir, "data")
	install := []string{"--no-defaults", "--datadir=" + data, "--auth-root-authentication-method=normal", "--skip-test-db"}
	run := []string{
		"--no-defaults", "--datadir=" + data, "--port=" + strconv.Itoa(p.port), "--bind-address=127.0.0.1",
		"--socket=" + filepath.Join(p.dir, "s"), "--innodb-flush-log-at-trx-commit=2", "--max-connections=300",
	}
	p.once(t, "/usr/bin/mariadb-install-db", install...)
	p.command = append([]string{"/usr/sbin/mariadbd"}, run...)
	d := &database{driver: "mysql", server: p, dsn: func(user, password string) string {
		if user == "" {
			user = "root"
		}
		return fmt.Sprintf("%s:%s@tcp(127.0.0.1:%d)/test", user, password, p.port)
	}}
	p.ready = func() error {
		db, err := sql.Open("mysql", fmt.Sprintf("root@tcp(127.0.0.1:%d)/", p.port))
		if err != nil {
			return err
		}
		defer db.Close()
		_, err = db.Exec("CREATE DATABASE IF NOT EXISTS test")
		return err
	}
	p.start(t)
	return d
}

func (d *database) ping() error {
	db, err := sql.Open(d.driver, d.dsn("", ""))
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Ping()
}

// A program is a server that the test starts, kills and starts again.
type program struct {
	dir     string
	port    int
	command []string
	ready   func() error
	attr    *syscall.SysProcAttr
	end     syscall.Signal
	running *exec.Cmd
}

// newProgram makes a directory and finds a port. A server that does not run as root runs as its user.
func newProgram(t testing.TB, account string, end syscall.Signal) *program {
	t.Helper()
	dir, err := os.MkdirTemp("", account) //nolint:usetesting // that of the test is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	p := &program{dir: dir, port: anyPort(t), end: end, attr: &syscall.SysProcAttr{}}
	t.Cleanup(func() {
		p.stop(t, p.end)
		os.RemoveAll(dir)
	})
	if os.Getuid() == 0 {
		u, err := user.Lookup(account)
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		p.attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *program) file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func (p *program) cmd(name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(context.Background(), name, args...)
	c.SysProcAttr, c.Dir = p.attr, p.dir
	return c
}

func (p *program) once(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := p.cmd(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// start returns when the server answers.
func (p *program) start(t testing.TB) {
	t.Helper()
	p.running = p.cmd(p.command[0], p.command[1:]...)
	if err := p.running.Start(); err != nil {
		t.Fatal(err)
	}
	var err error
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = p.ready(); err == nil {
			return
		}
	}
	t.Fatalf("%s does not answer: %v", p.command[0], err)
}

func (p *program) stop(t testing.TB, with syscall.Signal) {
	t.Helper()
	if p.running == nil {
		return
	}
	if err := p.running.Process.Signal(with); err != nil {
		t.Error(err)
	}
	_ = p.running.Wait() // what it was told by the signal
	p.running = nil
}
