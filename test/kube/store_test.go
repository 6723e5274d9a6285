package kube

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/clustertest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	clustertest.TestStore(t, func(t *testing.T) clustertest.Records {
		ns := namespace(t, plane, role())
		return clustertest.Records{
			Open: func() cluster.Store { return open(t, plane, ns, nil) },
			Delete: func(ctx context.Context, key string) error {
				if key == cluster.TableKey {
					return plane.Client.CoreV1().ConfigMaps(ns.Name).Delete(ctx, "leaders", metav1.DeleteOptions{})
				}
				if strings.HasPrefix(key, cluster.CursorPrefix) {
					return plane.Client.CoreV1().ConfigMaps(ns.Name).Delete(ctx, "leaders-"+key, metav1.DeleteOptions{})
				}
				name := "leaders-" + strings.TrimPrefix(key, cluster.SlotPrefix)
				return plane.Client.CoordinationV1().Leases(ns.Name).Delete(ctx, name, metav1.DeleteOptions{})
			},
		}
	})
}
