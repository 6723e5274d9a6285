// Package bed is a Kubernetes for tests: a real API server, and pods that are
// processes of this machine, each with a token bound to it and a network of its own
// to the API server. It needs neither privileges nor a container runtime.
package bed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/mehari-go/mehari/test/kube/kubecp"
)

// A ControlPlane is an API server with its etcd in one process, which ends with this
// one however that ends.
type ControlPlane struct {
	Config *rest.Config // of an administrator
	Client kubernetes.Interface

	dir    string
	args   []string
	cmd    *exec.Cmd
	exited chan struct{}
}

// Start starts a control plane and waits until it is ready, about 3 s. The flags go
// to kube-apiserver.
func Start(flags ...string) (*ControlPlane, error) {
	path, err := kubecp.Find()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "kcp") // short, for it holds a Unix socket
	if err != nil {
		return nil, err
	}
	cp := &ControlPlane{dir: dir, args: append([]string{path, "-dir", dir, "-exit-with-stdin", "--"}, flags...)}
	if err := cp.start(); err != nil {
		return nil, errors.Join(err, cp.Close())
	}
	cp.Config, err = clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "admin.kubeconfig"))
	if err == nil {
		cp.Config.QPS = -1
		cp.Client, err = kubernetes.NewForConfig(cp.Config)
	}
	if err != nil {
		return nil, errors.Join(err, cp.Close())
	}
	return cp, nil
}

// Close ends the process and removes its files.
func (cp *ControlPlane) Close() error {
	cp.Kill()
	return os.RemoveAll(cp.dir)
}

// Kill ends the process at once. [ControlPlane.Restart] starts it again, on the same
// port and with the same data.
func (cp *ControlPlane) Kill() {
	_ = cp.cmd.Process.Kill() // it may have ended already
	<-cp.exited
}

// Restart starts the process again after Kill.
func (cp *ControlPlane) Restart() error { return cp.start() }

// Pause stops the process with its connections open.
func (cp *ControlPlane) Pause() error { return cp.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume ends Pause.
func (cp *ControlPlane) Resume() error { return cp.cmd.Process.Signal(syscall.SIGCONT) }

// Build builds a command of the module in the working directory and returns its
// path, which is gone after Close.
func (cp *ControlPlane) Build(pkg string) (string, error) {
	path := filepath.Join(cp.dir, filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return path, nil
}

// Token returns the configuration of a client that has the token and nothing else.
func (cp *ControlPlane) Token(token string) *rest.Config {
	return &rest.Config{
		Host:            cp.Config.Host,
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAData: cp.Config.CAData},
		QPS:             -1,
	}
}

// addr is the address of the API server.
func (cp *ControlPlane) addr() (string, error) {
	u, err := url.Parse(cp.Config.Host)
	if err != nil {
		return "", err
	}
	return u.Host, nil
}

func (cp *ControlPlane) start() (err error) {
	ready := filepath.Join(cp.dir, "ready")
	if err := os.Remove(ready); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	log, err := os.OpenFile(filepath.Join(cp.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	cp.exited = make(chan struct{})
	cp.cmd = exec.Command(cp.args[0], cp.args[1:]...)
	cp.cmd.Stdout, cp.cmd.Stderr = log, log
	if _, err := cp.cmd.StdinPipe(); err != nil { // is closed when this process ends
		return err
	}
	if err := cp.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cp.cmd.Wait() // ends by Kill, or the log says why
		close(cp.exited)
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(ready); err == nil {
			return nil
		}
		select {
		case <-cp.exited:
			return fmt.Errorf("kubecp ended: %v\n%s", cp.cmd.ProcessState, tail(log))
		default:
		}
		if time.Now().After(deadline) {
			cp.Kill()
			return fmt.Errorf("kubecp is not ready after a minute\n%s", tail(log))
		}
	}
}

// tail is the end of the log.
func tail(log *os.File) string {
	const most = 4000
	info, err := log.Stat()
	if err != nil {
		return err.Error()
	}
	b, err := io.ReadAll(io.NewSectionReader(log, max(0, info.Size()-most), most))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// retry calls f until it succeeds or ctx is done.
func retry(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
