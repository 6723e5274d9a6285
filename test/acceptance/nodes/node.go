//go:build linux

package nodes

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// A node is what the configuration of node N is made of.
type node struct {
	N       int
	Dir     string // of its files
	IP      string
	CP      string // folder of the control plane's files
	CNI     string // folder of the plugins
	Cgroups string // the root of its cgroups
}

// Socket is the address of containerd.
func (n node) Socket() string { return filepath.Join(n.Dir, "containerd.sock") }

// Pods is the network of its pods.
func (n node) Pods() string { return podNetwork(n.N) }

//go:embed containerd.toml
var containerdConfig string

//go:embed kubelet.yaml
var kubeletConfig string

//go:embed cni.conflist
var cniConfig string

func (c *Cluster) node(i int) node {
	return node{
		N: i, Dir: c.path(fmt.Sprintf("n%d", i)), IP: nodeIP(i), CP: c.path("cp"), CNI: cniPlugins,
		Cgroups: fmt.Sprintf("/%s%d", cgroupPrefix, i),
	}
}

// startNode starts containerd and the kubelet of node i.
func (c *Cluster) startNode(ctx context.Context, i int, images []string) error {
	n := c.node(i)
	for name, text := range map[string]string{"containerd.toml": containerdConfig, "kubelet.yaml": kubeletConfig, "cni/10-ptp.conflist": cniConfig} {
		if err := n.write(name, text); err != nil {
			return err
		}
	}
	if err := makeCgroups(n.Cgroups); err != nil {
		return err
	}
	if err := run("ip", "addr", "add", n.IP+"/32", "dev", bridge); err != nil {
		return err
	}
	if err := c.start(fmt.Sprint("containerd", i), "containerd", "--config", filepath.Join(n.Dir, "containerd.toml")); err != nil {
		return err
	}
	err := c.await(ctx, "containerd is ready", func() (bool, error) {
		err := run("ctr", "-a", n.Socket(), "version")
		return err == nil, err
	})
	if err != nil {
		return err
	}
	for _, image := range images {
		if err := run("ctr", "-a", n.Socket(), "-n", "k8s.io", "images", "import", image); err != nil {
			return err
		}
	}
	return c.start(kubelet(i), filepath.Join(c.bin, "kubenode"), "kubelet",
		"--config="+filepath.Join(n.Dir, "kubelet.yaml"),
		"--kubeconfig="+filepath.Join(n.CP, fmt.Sprintf("node%d.kubeconfig", i)),
		fmt.Sprintf("--hostname-override=node%d", i), "--node-ip="+n.IP,
		"--root-dir="+filepath.Join(n.Dir, "kubelet"), "--cert-dir="+filepath.Join(n.Dir, "pki"))
}

func kubelet(i int) string { return fmt.Sprint("kubelet", i) }

func (n node) write(name, text string) error {
	t, err := template.New(name).Parse(text)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := t.Execute(&b, n); err != nil {
		return err
	}
	path := filepath.Join(n.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

// PodLogs is the pattern of the log files of all containers, as the kubelets lay them
// out: namespace_pod_uid/container/restart.log.
func PodLogs() string { return filepath.Join(State, "n*", "podlogs", "*", "*", "*.log") }
