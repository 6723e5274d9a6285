package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"

	"github.com/mehari-go/mehari/test/controlplane/internal/pki"
)

// Files are what outlives one run: keys, certificates, kubeconfigs and, written last,
// the server's address.
type files struct {
	dir   string
	bind  string
	port  int
	sans  []string
	nodes int
}

// make makes the files where they are not there yet, and returns the server's address.
func (f files) make() (*url.URL, error) {
	b, err := os.ReadFile(f.path("server"))
	if errors.Is(err, os.ErrNotExist) {
		return f.makeNew()
	}
	if err != nil {
		return nil, err
	}
	return url.Parse(string(b))
}

func (f files) makeNew() (*url.URL, error) {
	port, err := f.freePort()
	if err != nil {
		return nil, err
	}
	ca, err := pki.NewCA("mehari-test")
	if err != nil {
		return nil, err
	}
	host, names, ips := f.names()
	server := &url.URL{Scheme: "https", Host: net.JoinHostPort(host, strconv.Itoa(port))}
	caKey, err := ca.KeyPEM()
	if err != nil {
		return nil, err
	}
	accountKey, err := pki.NewKey()
	if err != nil {
		return nil, err
	}
	cert, key, err := ca.Issue("kube-apiserver", nil, names, ips)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{
		"ca.crt": ca.PEM, "ca.key": caKey, "sa.key": accountKey,
		"apiserver.crt": cert, "apiserver.key": key,
	}
	for _, u := range f.users() {
		cert, key, err := ca.Issue(u.user, u.groups, nil, nil)
		if err != nil {
			return nil, err
		}
		out[u.file+".crt"], out[u.file+".key"] = cert, key
		out[u.file+".kubeconfig"] = pki.Kubeconfig(server.String(), ca.PEM, cert, key)
	}
	for name, b := range out {
		if err := os.WriteFile(f.path(name), b, 0o600); err != nil {
			return nil, err
		}
	}
	return server, os.WriteFile(f.path("server"), []byte(server.String()), 0o600)
}

// freePort chooses a port that nobody uses at the moment.
func (f files) freePort() (int, error) {
	if f.port != 0 {
		return f.port, nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort(f.bind, "0"))
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// names returns the host that kubeconfigs name and all names of the server.
func (f files) names() (host string, names []string, ips []net.IP) {
	const service = "kubernetes.default.svc"
	names = []string{"localhost", "kubernetes", "kubernetes.default", service, service + ".cluster.local"}
	ips = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)}
	host = f.bind
	if ip := net.ParseIP(f.bind); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if len(f.sans) > 0 {
		host = f.sans[0]
	}
	for _, s := range append([]string{f.bind}, f.sans...) {
		if ip := net.ParseIP(s); ip != nil {
			ips = append(ips, ip)
		} else {
			names = append(names, s)
		}
	}
	return host, names, ips
}

// A user is somebody whom the files let in.
type user struct {
	file, user string
	groups     []string
}

func (f files) users() []user {
	us := []user{
		{"admin", "admin", []string{"system:masters"}},
		{"apiserver-kubelet", "kube-apiserver-kubelet-client", []string{"system:masters"}},
		{"kube-controller-manager", "system:kube-controller-manager", nil},
		{"kube-scheduler", "system:kube-scheduler", nil},
		{"kube-proxy", "system:kube-proxy", nil},
	}
	for i := range f.nodes {
		n := fmt.Sprintf("node%d", i+1)
		us = append(us, user{n, "system:node:" + n, []string{"system:nodes"}})
	}
	return us
}
