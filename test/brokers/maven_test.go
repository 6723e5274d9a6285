package brokers

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// cache is where the servers are kept that are fetched, in a folder of that name.
func cache(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("MEHARI_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Skip("there is no cache folder: ", err)
		}
		dir = filepath.Join(user, "mehari-test")
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Skip("there is no cache folder: ", err)
	}
	return filepath.Join(dir, name)
}

var fetching sync.Mutex

// jarsOf fetches what testdata/server/pom.xml lists with Maven, once for each version. It skips
// the test where that is not to be had.
func jarsOf(t testing.TB, server, version string) string {
	t.Helper()
	for _, program := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(server, " needs ", program, ": ", err)
		}
	}
	fetching.Lock()
	defer fetching.Unlock()
	jars := cache(t, server+"-"+version)
	if _, err := os.Stat(jars); err == nil {
		return jars
	}
	pom, err := filepath.Abs("testdata/" + server + "/pom.xml")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(jars), server+"-") //nolint:usetesting // where it can be renamed from
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+dir+"/lib").CombinedOutput()
	if err != nil {
		t.Skipf("Maven does not get %s: %v: %.300s", server, err, out)
	}
	if err := os.Rename(dir+"/lib", jars); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	return jars
}
