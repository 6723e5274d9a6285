//go:build linux

package nodes

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// The addresses of the cluster. All of them are this machine's.
const (
	bridge    = "mehari0" // has the addresses of the API server and of the nodes
	apiHost   = "10.250.0.1"
	apiPort   = "6443"
	serviceIP = "10.96.0.1" // as pods know the API server
	comment   = "mehari-acceptance"
)

func nodeIP(i int) string     { return fmt.Sprintf("10.250.0.1%d", i) }
func podNetwork(i int) string { return fmt.Sprintf("10.244.%d.0/24", i) }

const forwarding = "/proc/sys/net/ipv4/ip_forward"

// buildNetwork makes the bridge, and what kube-proxy would do for the only Service.
func buildNetwork() error {
	before, err := os.ReadFile(forwarding)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(forwardingBefore, before, 0o600),
		os.WriteFile(forwarding, []byte("1"), 0o600),
		run("ip", "link", "add", bridge, "type", "bridge"),
		run("ip", "addr", "add", apiHost+"/32", "dev", bridge),
		run("ip", "link", "set", bridge, "up"),
		rule{"nat", "PREROUTING", []string{"-d", serviceIP + "/32", "-p", "tcp", "--dport", "443", "-j", "DNAT", "--to-destination", apiHost + ":" + apiPort}}.add())
}

const forwardingBefore = State + "/ip_forward"

func cleanNetwork() error {
	var errs []error
	for _, table := range []string{"raw", "nat"} {
		errs = append(errs, removeRules(table))
	}
	if _, err := os.Stat("/sys/class/net/" + bridge); err == nil {
		errs = append(errs, run("ip", "link", "del", bridge))
	}
	if before, err := os.ReadFile(forwardingBefore); err == nil {
		errs = append(errs, os.WriteFile(forwarding, before, 0o600))
	}
	return errors.Join(errs...)
}

// A rule is a rule of iptables, with a comment that says whose it is.
type rule struct {
	table, chain string
	what         []string
}

func (r rule) args(verb string) []string {
	return append([]string{"-w", "-t", r.table, verb, r.chain, "-m", "comment", "--comment", comment}, r.what...)
}

func (r rule) add() error    { return run("iptables", r.args("-I")...) }
func (r rule) remove() error { return run("iptables", r.args("-D")...) }

// removeRules removes the rules that are the cluster's.
func removeRules(table string) error {
	out, err := exec.Command("iptables", "-w", "-t", table, "-S").Output()
	if err != nil {
		return fmt.Errorf("iptables -t %s -S: %w", table, err)
	}
	var errs []error
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[0] == "-A" && strings.Contains(line, "--comment "+comment+" ") {
			fields[0] = "-D"
			errs = append(errs, run("iptables", append([]string{"-w", "-t", table}, fields...)...))
		}
	}
	return errors.Join(errs...)
}
