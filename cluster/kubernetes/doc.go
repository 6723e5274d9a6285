// Package kubernetes keeps the records of a cluster in Kubernetes objects of one
// namespace, without custom resources:
//
//   - the ConfigMap "leaders" is the table of locks and their owners;
//   - the Leases "leaders-0", "leaders-1", … are the slots, one for each replica;
//   - the ConfigMaps "leaders-cursor-…" are the cursors of locks, if any are used;
//   - the Pods that a label selector chooses are the replicas shown by a view.
//
// In a pod nothing needs to be configured:
//
//	store, err := kubernetes.New(kubernetes.Config{Selector: "app=demo"})
//	service, err := cluster.New(store, cluster.Options{Name: store.PodName()})
//
// The service account of the pod needs exactly this Role; [Store.Check] names
// what is missing:
//
//	rules:
//	- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, list, watch, create, update]}
//	- {apiGroups: [""], resources: [configmaps], verbs: [get, list, watch, create, update]}
//	- {apiGroups: [""], resources: [pods], verbs: [get, list, watch]}
//
// A record's version is the resourceVersion of its object. It orders the states of
// all objects of one resource, also where an object was deleted and made again:
// https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
// (officially since Kubernetes 1.35, KEP-5504). A backup of etcd that is restored
// takes it back, and fencing tokens with it.
//
// Labels, annotations and owners that others put on the objects are kept. The
// holder of a slot is its Lease's spec.holderIdentity: who edits it, or deletes an
// object, takes the leadership away from that replica.
//
// The package speaks to the API server through client-go's configuration,
// credentials and TLS, with its own connections: without client-go's rate limit,
// with a short timeout for each request, and pings that notice a dead connection.
// It has neither caches nor informers.
package kubernetes
