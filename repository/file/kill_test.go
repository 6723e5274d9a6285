package file_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/repository/file"
)

const child = "MEHARI_TEST_FILE"

func TestMain(m *testing.M) {
	path := os.Getenv(child)
	if path == "" {
		os.Exit(m.Run())
	}
	// The child confirms keys, and says so after each, until it is killed.
	r, err := file.OpenIdempotent(path, file.Options{Size: 700})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for i := r.Len(); ; i++ {
		key := fmt.Sprintf("%s-%d", os.Getenv(child+"_RUN"), i)
		if ok, err := r.Add(context.Background(), key); err != nil || !ok {
			fmt.Println("add", key, ok, err)
			os.Exit(1)
		}
		if err := r.Confirm(context.Background(), key); err != nil {
			fmt.Println("confirm", key, err)
			os.Exit(1)
		}
		fmt.Println(key)
	}
}

// What a process said it has done survives kill -9, also while the file is shortened; and the
// lock does not outlive the process.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen")
	for run := range 8 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), child+"="+path, fmt.Sprintf("%s_RUN=%d", child, run))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var said []string
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			said = append(said, lines.Text())
			if len(said) == 400*(run+1) {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait()
		if len(said) < 400*(run+1) || strings.Contains(said[len(said)-1], " ") {
			t.Fatalf("the child said %d lines, the last one %q", len(said), said[len(said)-1])
		}
		r := open(t, path, quiet)
		for _, key := range said[max(0, len(said)-699):] { // one more may be there that was not said
			has(t, r, key, true)
		}
		r.Close()
	}
}
