// Mkimage writes an image of one layer from static binaries, as a docker-archive,
// which "ctr images import" reads. The first file is the entrypoint.
//
//	mkimage -o app.tar -t name:tag [-user 65534:65534] /bin/app=./app ...
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"
)

func main() {
	out := flag.String("o", "image.tar", "`file` to write")
	tag := flag.String("t", "", "`name:tag` of the image")
	user := flag.String("user", "65534:65534", "`user` that it runs as")
	flag.Parse()
	if err := write(*out, *tag, *user, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mkimage:", err)
		os.Exit(1)
	}
}

func write(out, tag, user string, args []string) error {
	if tag == "" || len(args) == 0 {
		return errors.New("want -t name:tag and at least one /path=file")
	}
	layer, entry, err := pack(args)
	if err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{entry}, "User": user, "Env": []string{"PATH=/bin"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + sum(layer)}},
	})
	if err != nil {
		return err
	}
	layerName, configName := sum(layer)+"/layer.tar", sum(config)+".json"
	manifest, err := json.Marshal([]any{map[string]any{
		"Config": configName, "RepoTags": []string{tag}, "Layers": []string{layerName},
	}})
	if err != nil {
		return err
	}
	b, err := archive(
		file{tar.Header{Name: configName, Mode: 0o644}, config},
		file{tar.Header{Name: layerName, Mode: 0o644}, layer},
		file{tar.Header{Name: "manifest.json", Mode: 0o644}, manifest})
	if err != nil {
		return err
	}
	return os.WriteFile(out, b, 0o644)
}

type file struct {
	tar.Header
	content []byte
}

// pack returns the layer with the binaries, and the path of the first.
func pack(args []string) (layer []byte, entry string, err error) {
	users := []byte("root:x:0:0::/:/\nnobody:x:65534:65534::/:/\n")
	files := []file{
		{tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, nil},
		{tar.Header{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o755}, nil},
		{tar.Header{Name: "etc/passwd", Mode: 0o644}, users},
	}
	made := map[string]bool{"/": true, "/tmp": true, "/etc": true}
	for _, a := range args {
		dst, src, ok := strings.Cut(a, "=")
		if !ok || !path.IsAbs(dst) {
			return nil, "", fmt.Errorf("%q: want /path=file", a)
		}
		if entry == "" {
			entry = dst
		}
		b, err := os.ReadFile(src)
		if err != nil {
			return nil, "", err
		}
		if dir := path.Dir(dst); !made[dir] {
			made[dir] = true
			files = append(files, file{tar.Header{Name: dir[1:] + "/", Typeflag: tar.TypeDir, Mode: 0o755}, nil})
		}
		files = append(files, file{tar.Header{Name: dst[1:], Mode: 0o755}, b})
	}
	layer, err = archive(files...)
	return layer, entry, err
}

func archive(files ...file) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		f.Size = int64(len(f.content))
		if err := w.WriteHeader(&f.Header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

func sum(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
