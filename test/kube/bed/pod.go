package bed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Pod is a real Pod object whose container is a process of this machine, with the
// package as its kubelet: the pod's deletion ends the process, with TERM and later
// KILL, and the process's end is shown in the pod's status.
type Pod struct {
	Name  string
	Proxy *Proxy // between the process and the API server

	ns   *Namespace
	pod  *corev1.Pod
	cmd  *exec.Cmd
	dir  string
	done chan struct{} // closed when the process has ended and the status says so

	mu  sync.Mutex
	out bytes.Buffer
}

// StartPod creates a pod and starts the command as its container, with a kubeconfig
// in $KUBECONFIG that holds a token bound to the pod, $POD_NAME, $POD_NAMESPACE, and
// env besides.
func (ns *Namespace) StartPod(ctx context.Context, name string, labels map[string]string, env []string, command ...string) (*Pod, error) {
	p := &Pod{Name: name, ns: ns, done: make(chan struct{})}
	var err error
	p.pod, err = ns.cp.Client.CoreV1().Pods(ns.Name).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: corev1.PodSpec{
			NodeName:           "here",
			ServiceAccountName: Account,
			Containers:         []corev1.Container{{Name: "app", Image: "app"}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	addr, err := ns.cp.addr()
	if err != nil {
		return nil, err
	}
	if p.Proxy, err = NewProxy(addr); err != nil {
		return nil, err
	}
	if err := p.start(ctx, env, command); err != nil {
		p.Proxy.Close()
		return nil, err
	}
	return p, nil
}

func (p *Pod) start(ctx context.Context, env, command []string) error {
	kubeconfig, err := p.files(ctx)
	if err != nil {
		return err
	}
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "POD_NAME="+p.Name, "POD_NAMESPACE="+p.ns.Name)
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.SysProcAttr = endWithParent()
	if err := p.cmd.Start(); err != nil {
		return err
	}
	statusErr := p.status(ctx, corev1.PodRunning)
	go func() {
		defer close(p.done)
		phase := corev1.PodSucceeded
		if err := p.cmd.Wait(); err != nil {
			phase = corev1.PodFailed
		}
		// The API server may be down, or the pod gone: then nobody asks either.
		_ = p.status(context.Background(), phase)
	}()
	return statusErr
}

// files writes what a kubelet mounts into a container.
func (p *Pod) files(ctx context.Context) (kubeconfig string, err error) {
	token, err := p.ns.Token(ctx, p.pod)
	if err != nil {
		return "", err
	}
	p.dir = filepath.Join(p.ns.cp.dir, "pods", string(p.pod.UID))
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return "", err
	}
	kubeconfig = filepath.Join(p.dir, "kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://%s", certificate-authority: %s/ca.crt}}]
users: [{name: test, user: {tokenFile: %s/token}}]
contexts: [{name: test, context: {cluster: test, user: test, namespace: %s}}]
current-context: test
`, p.Proxy.Addr(), p.dir, p.dir, p.ns.Name)
	return kubeconfig, errors.Join(
		os.WriteFile(filepath.Join(p.dir, "token"), []byte(token), 0o600),
		os.WriteFile(filepath.Join(p.dir, "ca.crt"), p.ns.cp.Config.CAData, 0o600),
		os.WriteFile(kubeconfig, []byte(text), 0o600))
}

func (p *Pod) status(ctx context.Context, phase corev1.PodPhase) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ready := corev1.ConditionFalse
	if phase == corev1.PodRunning {
		ready = corev1.ConditionTrue
	}
	pods := p.ns.cp.Client.CoreV1().Pods(p.ns.Name)
	now, err := pods.Get(ctx, p.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	now.Status.Phase = phase
	now.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: ready, LastTransitionTime: metav1.Now()}}
	_, err = pods.UpdateStatus(ctx, now, metav1.UpdateOptions{})
	return err
}

// Signal sends a signal to the process.
func (p *Pod) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// Done is closed when the process has ended.
func (p *Pod) Done() <-chan struct{} { return p.done }

// Delete is "kubectl delete pod": TERM, then KILL after the grace time, then the
// object is removed.
func (p *Pod) Delete(ctx context.Context, grace time.Duration) error {
	pods := p.ns.cp.Client.CoreV1().Pods(p.ns.Name)
	seconds := int64(grace / time.Second)
	if err := pods.Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: &seconds}); err != nil {
		return err
	}
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(grace):
		p.Kill()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if seconds == 0 {
		return nil
	}
	return pods.Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)})
}

// Kill ends the process at once, also one that is stopped, and its network.
func (p *Pod) Kill() {
	_ = p.Signal(syscall.SIGKILL) // it may have ended
	<-p.done
	p.Proxy.Close()
}

// Write takes the output of the process.
func (p *Pod) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

// Output is what the process has printed so far.
func (p *Pod) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}
