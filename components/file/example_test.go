package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mehari-go/mehari/components/file"
	"github.com/mehari-go/mehari/route"
)

// Orders are taken from one directory, and written to another under other names. Each is moved when
// that has succeeded.
func Example() {
	dir, err := os.MkdirTemp("", "orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"saddle.txt", "camel.txt", "notes.md"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("one "+name), 0o600); err != nil {
			fmt.Println(err)
			return
		}
	}
	engine, err := route.New(
		route.Config{Components: route.Components{"file": file.New(nil)}},
		route.From(file.Config{Directory: dir, Include: `.*\.txt`, InitialDelay: new(time.Duration(0)), RepeatCount: 1}.URI()).
			SetBody(route.Simple("${body}: ${header.CamelFileLength} bytes")).
			To(file.Config{Directory: dir, FileName: "out/${file:onlyname.noext}.order"}.URI()),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	for engine.Status().Routes[0].State != route.Done {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
	for _, pattern := range []string{"*", ".done/*", "out/*"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, name := range found {
			if b, err := os.ReadFile(name); err == nil {
				name, _ = filepath.Rel(dir, name)
				fmt.Printf("%s: %s\n", filepath.ToSlash(name), b)
			}
		}
	}

	// Output:
	// notes.md: one notes.md
	// .done/camel.txt: one camel.txt
	// .done/saddle.txt: one saddle.txt
	// out/camel.order: one camel.txt: 13 bytes
	// out/saddle.order: one saddle.txt: 14 bytes
}
