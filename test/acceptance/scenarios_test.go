//go:build linux

package acceptance

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mehari-go/mehari/test/acceptance/witness"
)

// permission takes the permissions away, and gives them back.
func (r *run) permission(t *testing.T, row *row) {
	r.settled(t)
	from := time.Now()
	if err := r.cluster.Client.RbacV1().RoleBindings(namespace).Delete(r.ctx, app, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	r.sleep(t, y+4*time.Second)
	back := time.Now()
	if err := r.kubectl("apply", "-k", "overlay"); err != nil {
		t.Fatal(err)
	}
	r.allStop(t, row, from, back)
}

// apiServer stops the API server for longer than y.
func (r *run) apiServer(t *testing.T, row *row) {
	r.settled(t)
	from := time.Now()
	if err := r.cluster.PauseAPI(); err != nil {
		t.Fatal(err)
	}
	r.sleep(t, y+4*time.Second)
	back := time.Now()
	if err := r.cluster.ResumeAPI(); err != nil {
		t.Fatal(err)
	}
	r.allStop(t, row, from, back)
}

// allStop sees that the leaders have stopped some time after from, and that every lock
// is led again some time after back: by anybody, for nobody could take over.
func (r *run) allStop(t *testing.T, row *row, from, back time.Time) {
	t.Helper()
	for _, lock := range locks {
		var last time.Time
		for _, a := range r.witness.Acts(lock) {
			if !a.Stop && a.At.Before(back) {
				last = a.At
			}
		}
		row.old = max(row.old, last.Sub(from))
		row.again[lock] = r.acted(t, lock, func(a witness.Act) bool { return a.At.After(back) }).Sub(back)
		within(t, lock+" again after", row.again[lock], span{0, x + time.Second + firstTick + slack})
	}
	within(t, "the old leader acts for", row.old, span{0, y + slack/2})
	row.note = "all stop; \"again\" counts from when it was back"
	r.settled(t)
}

// node cuts off the node of the leader, until its pod is replaced while the process
// still runs.
func (r *run) node(t *testing.T, row *row) {
	p := r.leader(t, hello)[0]
	from := time.Now()
	heal, err := r.cluster.CutNode(p.Spec.NodeName)
	defer func() {
		if heal != nil {
			if err := heal(); err != nil {
				t.Error(err)
			}
		}
	}()
	if err != nil {
		t.Fatal(err)
	}
	for lock, last := range p.leads {
		row.again[lock] = r.taken(t, lock, last.Token).Sub(from)
		row.old = max(row.old, r.ended(lock, last.Token).Sub(from))
		within(t, lock+" again after", row.again[lock], span{silent.from - slack/2, silent.to + firstTick + slack})
	}
	within(t, "the old leader acts for", row.old, span{0, y + slack/2})
	r.await(t, 2*time.Minute, "the pod is replaced", func() (bool, error) {
		pods, err := r.pods()
		ready, terminating := 0, false
		for i := range pods {
			if pods[i].Name == p.Name {
				terminating = pods[i].DeletionTimestamp != nil
			} else if isReady(&pods[i]) {
				ready++
			}
		}
		return terminating && ready == 3, err
	})
	row.note = fmt.Sprintf("replaced after %s", seconds(time.Since(from)))
	r.sleep(t, 3*time.Second)
	if !p.Runs() {
		t.Error("the old process has ended: nothing was shown")
	}
	row.note += ", when the old process still ran"
	err = heal()
	heal = nil
	if err != nil {
		t.Fatal(err)
	}
	r.settled(t)
}

// rollout replaces all pods, one after the other.
func (r *run) rollout(t *testing.T, row *row) {
	r.settled(t)
	from := time.Now()
	tokens := map[string]bool{}
	patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{"restarted":%q}}}}}`, from)
	d, err := r.cluster.Client.AppsV1().Deployments(namespace).Patch(r.ctx, app, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r.await(t, 2*time.Minute, "the rollout is complete", func() (bool, error) {
		now, err := r.deployment()
		if err != nil {
			return false, err
		}
		s := now.Status
		return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == 3 && s.ReadyReplicas == 3 && s.Replicas == 3, nil
	})
	r.settled(t)
	to := time.Now()
	for _, lock := range locks {
		for _, a := range r.witness.Acts(lock) {
			if a.At.After(from) {
				tokens[fmt.Sprint(lock, a.Token)] = true
			}
		}
		row.again[lock] = r.silence(lock, from, to)
		within(t, "the longest silence of "+lock, row.again[lock], span{0, atOnce.to + firstTick})
	}
	row.note = fmt.Sprintf("the longest silence; %d hand-overs in all", len(tokens)-len(locks))
}

// scale takes all pods away and starts new ones.
func (r *run) scale(t *testing.T, row *row) {
	r.settled(t)
	if err := r.scaleTo(0); err != nil {
		t.Fatal(err)
	}
	r.await(t, time.Minute, "all pods are gone", func() (bool, error) {
		pods, err := r.pods()
		return len(pods) == 0, err
	})
	from := time.Now()
	if err := r.scaleTo(3); err != nil {
		t.Fatal(err)
	}
	for _, lock := range locks {
		row.again[lock] = r.acted(t, lock, func(a witness.Act) bool { return a.At.After(from) }).Sub(from)
		within(t, lock+" again after", row.again[lock], span{0, 10 * time.Second})
	}
	row.note = "from the scaling to 3"
	r.settled(t)
}

func (r *run) deployment() (*appsv1.Deployment, error) {
	return r.cluster.Client.AppsV1().Deployments(namespace).Get(r.ctx, app, metav1.GetOptions{})
}

func (r *run) scaleTo(n int32) error {
	s, err := r.cluster.Client.AppsV1().Deployments(namespace).GetScale(r.ctx, app, metav1.GetOptions{})
	if err != nil {
		return err
	}
	s.Spec.Replicas = n
	_, err = r.cluster.Client.AppsV1().Deployments(namespace).UpdateScale(r.ctx, app, s, metav1.UpdateOptions{})
	return err
}
