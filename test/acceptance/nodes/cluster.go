//go:build linux

// Package nodes is a Kubernetes cluster on one Linux machine: etcd, API server,
// controller-manager and scheduler, and nodes that have a kubelet, a containerd, a
// network of pods and a root of cgroups each. It needs root, and leaves nothing behind.
package nodes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// Number is how many nodes there are: node1 to node3.
const Number = 3

// State is the folder of all files of the cluster, with their logs. Processes, mounts
// and what else is named after it are the cluster's.
const State = "/var/lib/mehari-acceptance"

// A Cluster is a cluster that runs.
type Cluster struct {
	Client kubernetes.Interface // of an administrator

	bin     string // folder of kubecp, kubenode, mkimage and pause
	daemons map[string]*daemon
	running sync.WaitGroup
}

// Up starts a cluster, in which every node has the images, and waits until its nodes
// are ready, about 10 s. The commands of the module test/controlplane are in the folder
// bin. Call Down in the end.
func Up(ctx context.Context, bin string, images ...Image) (*Cluster, error) {
	c := &Cluster{bin: bin, daemons: map[string]*daemon{}}
	if err := c.up(ctx, images); err != nil {
		return nil, errors.Join(err, c.Down())
	}
	return c, nil
}

// Down ends the cluster and removes all that is left of it.
func (c *Cluster) Down() error {
	for _, d := range c.daemons {
		_ = d.cmd.Process.Kill() // it may have ended already
	}
	c.running.Wait()
	return Clean()
}

// Kubeconfig is the path of an administrator's.
func (c *Cluster) Kubeconfig() string { return c.path("cp", "admin.kubeconfig") }

func (c *Cluster) path(elem ...string) string {
	return filepath.Join(append([]string{State}, elem...)...)
}

func (c *Cluster) up(ctx context.Context, images []Image) error {
	if err := os.MkdirAll(State, 0o711); err != nil {
		return err
	}
	if err := buildNetwork(); err != nil {
		return err
	}
	if err := c.startControlPlane(ctx); err != nil {
		return err
	}
	archives, err := c.pack(append(images, Image{"mehari.test/pause:1", "/pause", filepath.Join(c.bin, "pause")}))
	if err != nil {
		return err
	}
	for i := range Number {
		if err := c.startNode(ctx, i+1, archives); err != nil {
			return fmt.Errorf("node%d: %w", i+1, err)
		}
	}
	return c.await(ctx, "the nodes are ready", func() (bool, error) {
		list, err := c.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		ready := 0
		for _, n := range list.Items {
			for _, condition := range n.Status.Conditions {
				if condition.Type == v1.NodeReady && condition.Status == v1.ConditionTrue {
					ready++
				}
			}
		}
		return ready == Number, nil
	})
}

func (c *Cluster) startControlPlane(ctx context.Context) error {
	dir := c.path("cp")
	err := c.start("kubecp", filepath.Join(c.bin, "kubecp"), "-dir", dir, "-bind", "0.0.0.0", "-port", apiPort,
		"-san", apiHost, "-nodes", fmt.Sprint(Number), "--", "--advertise-address="+apiHost,
		"--kubelet-preferred-address-types=InternalIP", "--enable-admission-plugins=NodeRestriction")
	if err != nil {
		return err
	}
	err = c.await(ctx, "the API server is ready", func() (bool, error) {
		_, err := os.Stat(filepath.Join(dir, "ready"))
		return err == nil, nil
	})
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return err
	}
	config.QPS, config.Timeout = -1, 10*time.Second
	if c.Client, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	kubenode := filepath.Join(c.bin, "kubenode")
	return errors.Join(
		c.start("controller-manager", kubenode, "kube-controller-manager",
			"--kubeconfig="+filepath.Join(dir, "kube-controller-manager.kubeconfig"), "--leader-elect=false",
			"--use-service-account-credentials=true", "--service-account-private-key-file="+filepath.Join(dir, "sa.key"),
			"--root-ca-file="+filepath.Join(dir, "ca.crt"), "--secure-port=0",
			"--node-monitor-grace-period=20s", "--node-monitor-period=2s"),
		c.start("scheduler", kubenode, "kube-scheduler",
			"--kubeconfig="+filepath.Join(dir, "kube-scheduler.kubeconfig"), "--leader-elect=false", "--secure-port=0"))
}

// PauseAPI stops the API server with its connections open, until [Cluster.ResumeAPI].
func (c *Cluster) PauseAPI() error { return c.daemons["kubecp"].cmd.Process.Signal(syscall.SIGSTOP) }

// ResumeAPI ends PauseAPI.
func (c *Cluster) ResumeAPI() error { return c.daemons["kubecp"].cmd.Process.Signal(syscall.SIGCONT) }

// await asks until the answer is yes, or ctx, a minute or a daemon ends.
func (c *Cluster) await(ctx context.Context, what string, ok func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		yes, err := ok()
		if yes {
			return nil
		}
		for name, d := range c.daemons {
			select {
			case <-d.ended:
				return fmt.Errorf("%s has ended: %v\n%s", name, d.cmd.ProcessState, d.tail())
			default:
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("waiting until %s: %w", what, context.Cause(ctx)), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
