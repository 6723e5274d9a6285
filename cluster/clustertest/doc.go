// Package clustertest helps to test what runs on one replica at a time, and stores.
//
// [New] makes a cluster of several members in one process, in the fake time of
// testing/synctest, whose members can be paused, cut off, crashed and healed. [TestStore]
// is the suite that every [cluster.Store] must pass.
package clustertest
