//go:build unix

package repository

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

func sqlite(t *testing.T) (driver, dsn string) {
	return "sqlite", "file:" + filepath.Join(t.TempDir(), "test.db") + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"
}

// postgres makes a database in a server of its own, if the programs of one are there.
func postgres(t *testing.T) (driver, dsn string) {
	startPostgres.Do(func() { postgresPort = runPostgres() })
	if postgresPort == 0 {
		t.Skip("there is no PostgreSQL: want /usr/lib/postgresql/*/bin/postgres")
	}
	name := "test" + strconv.FormatInt(time.Now().UnixNano(), 36)
	dsn = fmt.Sprintf("host=127.0.0.1 port=%d user=postgres sslmode=disable dbname=", postgresPort)
	makeDatabase(t, "pgx", dsn+"postgres", name)
	return "pgx", dsn + name
}

// mysql makes a database in the server that MEHARI_TEST_MYSQL names, such as
// root@tcp(127.0.0.1:3306)/.
func mysql(t *testing.T) (driver, dsn string) {
	server := os.Getenv("MEHARI_TEST_MYSQL")
	if server == "" {
		t.Skip("there is no MySQL or MariaDB: want MEHARI_TEST_MYSQL, such as root@tcp(127.0.0.1:3306)/")
	}
	name := "test" + strconv.FormatInt(time.Now().UnixNano(), 36)
	makeDatabase(t, "mysql", server, name)
	return "mysql", server + name
}

func makeDatabase(t *testing.T, driver, dsn, name string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = db.ExecContext(context.Background(), "DROP DATABASE "+name)
		db.Close()
	})
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
}

var (
	startPostgres sync.Once
	postgresPort  int // 0 where there is none
	stopPostgres  = func() {}
)

func TestMain(m *testing.M) {
	code := m.Run()
	stopPostgres()
	os.Exit(code)
}

// runPostgres starts a server and returns its port.
func runPostgres() int {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		return 0
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "postgres")
	if err != nil {
		panic(err)
	}
	attr := &syscall.SysProcAttr{}
	if os.Getuid() == 0 { // it does not run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			panic(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			panic(err)
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("initdb: %v\n%s", err, out))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", dir, "-c", "fsync=off")
	server.SysProcAttr, server.Dir, server.Stderr = attr, dir, os.Stderr
	if !testing.Verbose() {
		server.Stderr = nil
	}
	if err := server.Start(); err != nil {
		panic(err)
	}
	stopPostgres = func() {
		_ = server.Process.Signal(syscall.SIGINT)
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	}
	for range 200 {
		db, err := sql.Open("pgx", fmt.Sprintf("host=127.0.0.1 port=%d user=postgres sslmode=disable dbname=postgres", port))
		if err == nil {
			err = db.Ping()
			db.Close()
		}
		if err == nil {
			return port
		}
		time.Sleep(50 * time.Millisecond)
	}
	stopPostgres()
	panic("PostgreSQL does not answer")
}
