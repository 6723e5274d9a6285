package kubernetes

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// Config says where the records are and how the API server is reached. The zero
// value is right in a pod.
type Config struct {
	// Name is the name of the ConfigMap and the beginning of the names of the
	// Leases; "" means "leaders". Replicas with another name are another cluster.
	Name string

	// Namespace holds the objects; "" means $POD_NAMESPACE, else the namespace of
	// the service account or of the kubeconfig's context.
	Namespace string

	// Pod is the name of this replica's pod; "" means $POD_NAME, else $HOSTNAME,
	// else the name of the host.
	Pod string

	// Selector is the label selector of the pods that are shown as members, such as
	// "app=demo,tier in (a,b)"; "" means all pods of the namespace.
	Selector string

	// Kubeconfig is a file; "" means $KUBECONFIG, else the service account of the
	// pod, else the file in the home directory. Context chooses one of its contexts;
	// "" means its current one.
	Kubeconfig, Context string

	// REST is a ready client configuration, used instead of a kubeconfig and not
	// changed. Its rate limits and its timeout are ignored.
	REST *rest.Config

	// Timeout bounds each request; 0 means 2.5 s, a quarter of the default time
	// within which a leader must prove its leadership. It is also the time after
	// which a silent connection is probed, and given up where no answer comes.
	Timeout time.Duration

	// Logger takes what client-go logs, such as a token that cannot be read. It logs
	// through klog, of which there is one in a program; nil leaves that as it is.
	Logger *slog.Logger
}

const defaultTimeout = 2500 * time.Millisecond

// New returns the store that c describes. It reads the environment and files, but
// speaks to nobody yet: [Store.Check] does.
func New(c Config) (*Store, error) {
	if c.Logger != nil {
		klog.SetSlogLogger(c.Logger)
	}
	conf, err := c.rest()
	if err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	s := &Store{
		name:      cmp.Or(c.Name, "leaders"),
		namespace: cmp.Or(c.Namespace, os.Getenv("POD_NAMESPACE"), conf.namespace),
		pod:       cmp.Or(c.Pod, os.Getenv("POD_NAME"), os.Getenv("HOSTNAME"), hostname()),
		selector:  c.Selector,
		inPod:     conf.inPod,
		seen:      map[string]*object{},
	}
	var wrong []error
	if m := validation.IsDNS1123Label(s.name); len(m) > 0 || len(s.name) > 52 {
		wrong = append(wrong, fmt.Errorf("name %q: want at most 52 lower-case letters, digits and '-'", s.name))
	}
	switch m := validation.IsDNS1123Label(s.namespace); {
	case s.namespace == "":
		wrong = append(wrong, errors.New("no namespace: set Config.Namespace or $POD_NAMESPACE"))
	case len(m) > 0:
		wrong = append(wrong, fmt.Errorf("namespace %q: %s", s.namespace, strings.Join(m, ", ")))
	}
	if s.pod == "" {
		wrong = append(wrong, errors.New("no pod name: set Config.Pod, $POD_NAME or $HOSTNAME"))
	}
	if _, err := labels.Parse(c.Selector); err != nil {
		wrong = append(wrong, fmt.Errorf("selector %q: %w", c.Selector, err))
	}
	if c.Timeout < 0 {
		wrong = append(wrong, fmt.Errorf("timeout %v: want a positive time, or 0 for %v", c.Timeout, defaultTimeout))
	}
	if len(wrong) == 0 {
		s.client, err = newClient(conf.Config, cmp.Or(c.Timeout, defaultTimeout))
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("kubernetes: %w", errors.Join(wrong...))
	}
	return s, nil
}

// A place is where the API server is, and what else its configuration says.
type place struct {
	*rest.Config
	namespace string
	inPod     bool
}

func (c Config) rest() (place, error) {
	if c.REST != nil {
		return place{Config: rest.CopyConfig(c.REST)}, nil
	}
	if c.Kubeconfig == "" && os.Getenv(clientcmd.RecommendedConfigPathEnvVar) == "" {
		conf, err := rest.InClusterConfig()
		if err == nil {
			return place{Config: conf, namespace: accountNamespace(), inPod: true}, nil
		}
		if !errors.Is(err, rest.ErrNotInCluster) {
			return place{}, fmt.Errorf("the pod's service account: %w", err)
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.Kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules,
		&clientcmd.ConfigOverrides{CurrentContext: c.Context})
	conf, err := loader.ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return place{}, errors.New("neither a pod with a service account nor a kubeconfig ($KUBECONFIG, Config.Kubeconfig)")
	}
	if err != nil {
		return place{}, fmt.Errorf("kubeconfig: %w", err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return place{}, fmt.Errorf("kubeconfig: %w", err)
	}
	return place{Config: conf, namespace: namespace}, nil
}

func accountNamespace() string {
	b, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	if err != nil {
		return "" // New then says that there is no namespace
	}
	return strings.TrimSpace(string(b))
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "" // New then says that there is no pod name
	}
	return name
}
