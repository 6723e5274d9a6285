// Kubecp is the control plane API of Kubernetes in one process: an embedded etcd on
// a Unix socket and the real kube-apiserver. It needs no privilege and no network.
//
//	kubecp -dir DIR [-bind IP] [-port N] [-san NAME,IP] [-nodes N] [-exit-with-stdin] [-- KUBE-APISERVER-FLAGS]
//
// It makes its own CA, certificates, service-account key and kubeconfigs in DIR, and
// the file DIR/ready once /readyz answers 200. Started again on the same DIR it goes
// on with the same port, keys and data.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	f := files{}
	flag.StringVar(&f.dir, "dir", "", "`folder` of all files; short, for a Unix socket's path has at most 108 bytes")
	flag.StringVar(&f.bind, "bind", "127.0.0.1", "`address` to serve on")
	flag.IntVar(&f.port, "port", 0, "`port` to serve on; 0: a free one")
	flag.IntVar(&f.nodes, "nodes", 0, "`number` of nodes to make kubeconfigs for")
	sans := flag.String("san", "", "further `names` or addresses of the server, with commas; kubeconfigs use the first")
	stdin := flag.Bool("exit-with-stdin", false, "end when stdin is closed, so that a dead parent leaves nothing behind")
	flag.Parse()
	if *sans != "" {
		f.sans = strings.Split(*sans, ",")
	}
	if *stdin {
		go func() {
			io.Copy(io.Discard, os.Stdin) // until it is closed, in whatever way
			os.Exit(0)
		}()
	}
	code, err := run(f, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubecp:", err)
		code = 1
	}
	os.Exit(code)
}

func run(f files, extra []string) (int, error) {
	if f.dir == "" {
		return 0, errors.New("-dir is missing")
	}
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return 0, err
	}
	if err := os.Remove(f.path("ready")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	server, err := f.make()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	etcd, err := startEtcd(f)
	if err != nil {
		return 0, fmt.Errorf("etcd: %w", err)
	}
	defer etcd.Close()
	go func() {
		if err := announce(f, server); err != nil {
			fmt.Fprintln(os.Stderr, "kubecp:", err)
			os.Exit(1)
		}
		fmt.Fprintf(os.Stderr, "kubecp: ready at %s after %v\n", server, time.Since(began).Round(time.Millisecond))
	}()
	cmd := app.NewAPIServerCommand() // handles signals from now on: one for each process
	cmd.SetArgs(append(apiserverFlags(f, server), extra...))
	return cli.Run(cmd), nil
}

func startEtcd(f files) (*embed.Etcd, error) {
	socket := f.path("etcd.sock")
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	none := url.URL{Scheme: "http", Host: "127.0.0.1:0"} // no peers
	c := embed.NewConfig()
	c.Dir = f.path("etcd")
	c.LogLevel = "error"
	c.LogOutputs = []string{f.path("etcd.log")}
	c.UnsafeNoFsync = true // survives the end of the process, not of the machine
	c.ListenClientUrls = []url.URL{{Scheme: "unix", Path: socket}}
	c.AdvertiseClientUrls = []url.URL{none}
	c.ListenPeerUrls = []url.URL{none}
	c.AdvertisePeerUrls = []url.URL{none}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	e, err := embed.StartEtcd(c)
	if err != nil {
		return nil, err
	}
	select {
	case <-e.Server.ReadyNotify():
		return e, nil
	case err := <-e.Err():
		return nil, err
	}
}

func apiserverFlags(f files, server *url.URL) []string {
	const issuer = "https://kubernetes.default.svc.cluster.local"
	return []string{
		"--etcd-servers=unix://" + f.path("etcd.sock"),
		"--bind-address=" + f.bind,
		"--secure-port=" + server.Port(),
		"--tls-cert-file=" + f.path("apiserver.crt"),
		"--tls-private-key-file=" + f.path("apiserver.key"),
		"--client-ca-file=" + f.path("ca.crt"),
		"--cert-dir=" + f.path("certs"),
		"--kubelet-client-certificate=" + f.path("apiserver-kubelet.crt"),
		"--kubelet-client-key=" + f.path("apiserver-kubelet.key"),
		"--service-account-key-file=" + f.path("sa.key"),
		"--service-account-signing-key-file=" + f.path("sa.key"),
		"--service-account-issuer=" + issuer,
		"--api-audiences=" + issuer,
		"--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=Node,RBAC",
		"--anonymous-auth=false",
		"--allow-privileged=true",
		"--endpoint-reconciler-type=none", // a loopback address is no endpoint
		"--enable-priority-and-fairness=false",
		"--profiling=false",
	}
}

// announce waits until the API server is ready and then writes the file ready.
func announce(f files, server *url.URL) error {
	ca, err := os.ReadFile(f.path("ca.crt"))
	if err != nil {
		return err
	}
	admin, err := tls.LoadX509KeyPair(f.path("admin.crt"), f.path("admin.key"))
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	c := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{admin}},
	}}
	for ; ; time.Sleep(50 * time.Millisecond) {
		resp, err := c.Get(server.String() + "/readyz")
		if err != nil {
			continue // not yet; who waits for the file has a time limit
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return os.WriteFile(f.path("ready"), []byte(server.String()), 0o600)
		}
	}
}

func (f files) path(name string) string { return filepath.Join(f.dir, name) }
