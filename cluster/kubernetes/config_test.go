package kubernetes_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/mehari-go/mehari/cluster/kubernetes"
)

// clean is an environment without any configuration.
func clean(t *testing.T) {
	t.Helper()
	for _, name := range []string{"KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "POD_NAME", "POD_NAMESPACE", "HOSTNAME"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
}

func TestNewRefuses(t *testing.T) {
	clean(t)
	api := &rest.Config{Host: "https://127.0.0.1:1"}
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("clusters: [{name: x}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		config kubernetes.Config
		want   []string
	}{
		"nothing configured": {kubernetes.Config{}, []string{"neither a pod with a service account nor a kubeconfig"}},
		"no such kubeconfig": {kubernetes.Config{Kubeconfig: "no/such/file"}, []string{"kubeconfig", "no/such/file"}},
		"broken kubeconfig":  {kubernetes.Config{Kubeconfig: broken}, []string{"kubeconfig", broken}},
		"no namespace":       {kubernetes.Config{REST: api, Pod: "p"}, []string{"no namespace", "POD_NAMESPACE"}},
		"everything at once": {
			kubernetes.Config{REST: api, Name: "My_Leaders", Namespace: "a/b", Pod: "p", Selector: "app in", Timeout: -time.Second},
			[]string{`name "My_Leaders"`, `namespace "a/b"`, `selector "app in"`, "timeout -1s"},
		},
		"long name":  {kubernetes.Config{REST: api, Name: strings.Repeat("x", 53), Namespace: "a", Pod: "p"}, []string{"at most 52"}},
		"no such CA": {kubernetes.Config{REST: &rest.Config{Host: "https://x", TLSClientConfig: rest.TLSClientConfig{CAFile: "no/ca"}}, Namespace: "a", Pod: "p"}, []string{"no/ca"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := kubernetes.New(tt.config)
			if err == nil {
				t.Fatalf("New = %v, want an error", s)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %q, want %q in it", err, want)
				}
			}
		})
	}
}

func TestPodName(t *testing.T) {
	clean(t)
	config := kubernetes.Config{REST: &rest.Config{Host: "https://127.0.0.1:1"}, Namespace: "demo"}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	want := func(name string) {
		t.Helper()
		s, err := kubernetes.New(config)
		if err != nil {
			t.Fatal(err)
		}
		if s.PodName() != name {
			t.Errorf("PodName() = %q, want %q", s.PodName(), name)
		}
	}
	want(host)
	t.Setenv("HOSTNAME", "by-hostname")
	want("by-hostname")
	t.Setenv("POD_NAME", "by-downward-api")
	want("by-downward-api")
	config.Pod = "by-config"
	want("by-config")
}

// The namespace and the server come from the kubeconfig's context that is asked for.
func TestKubeconfig(t *testing.T) {
	clean(t)
	api := newAPI(t)
	file := filepath.Join(t.TempDir(), "config")
	text := `apiVersion: v1
kind: Config
clusters: [{name: one, cluster: {server: "` + api.URL + `"}}]
users: [{name: me, user: {token: s3cr3t}}]
contexts:
- {name: a, context: {cluster: one, user: me, namespace: from-a}}
- {name: b, context: {cluster: one, user: me, namespace: from-b}}
current-context: a
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", file)
	for context, want := range map[string]string{"": "from-a", "b": "from-b"} {
		s, err := kubernetes.New(kubernetes.Config{Context: context})
		if err != nil {
			t.Fatal(err)
		}
		api.answer(404, notFound("configmaps", "leaders"))
		if rec, err := s.Get(t.Context(), "table", 0); err != nil || rec.Version != 0 {
			t.Errorf("Get = %v, %v; want no record", rec, err)
		}
		r := api.last()
		if path := "/api/v1/namespaces/" + want + "/configmaps/leaders"; r.URL.Path != path || r.URL.RawQuery != "" {
			t.Errorf("asked for %s, want %s", r.URL, path)
		}
		if got := r.UserAgent(); !strings.HasPrefix(got, "mehari-cluster ") {
			t.Errorf("User-Agent: %q", got)
		}
	}
}
