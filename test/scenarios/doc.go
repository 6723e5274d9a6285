// Package scenarios tests the examples that need servers: three replicas of each as
// processes, on real servers, whose leaders are killed and stopped while they work.
package scenarios
