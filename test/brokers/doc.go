// Package brokers tests the components for message brokers on real servers, with Watermill's
// suite for publishers and subscribers, and compares them with Watermill's adapters. Servers
// and adapters are needed for that, and so this is a module of its own.
package brokers
