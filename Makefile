# What there is to do with the sources. "make" prints this list.
MODULES := . test/kube test/acceptance test/repository test/brokers test/scenarios
TIME ?= 20s

.DEFAULT_GOAL := help
.PHONY: all test race lint fix tidy bench overhead fuzz quickstart databases brokers throughput scenarios kube handover footprint acceptance ci help

all: lint test ## lint and test

test: ## all tests that need nothing: no network, no containers, no sleeping
	go test ./...

race: ## the same with the race detector, which needs a C compiler
	CGO_ENABLED=1 go test -race ./...

lint: ## vet and the linter; builds the linter the first time
	@set -e; for m in $(MODULES); do (cd $$m && go vet ./...); done
	tools/lint

fix: ## format, and repair what the linter can repair
	tools/lint run --fix

tidy: ## tidy every module
	@set -e; for m in $(MODULES) test/controlplane tools; do (cd $$m && go mod tidy); done

bench: ## benchmarks of the hot paths, with the CPU time of what is compared
	go test -run '^$$' -bench . -benchmem ./route ./components/... ./cluster/file ./language/...

overhead: ## a route against the same work by hand: at most a quarter of the CPU, no allocation
	.ci/overhead

fuzz: ## every fuzz target for TIME, 20s if it is not given
	@set -e; for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep ^Fuzz); do \
		echo "== $$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(TIME) $$p; done; done

quickstart: ## three replicas, and keys to kill, stop, pause and resume them
	go run ./examples/quickstart

databases: ## tests on SQLite, PostgreSQL if it is installed, and what MEHARI_TEST_MYSQL names
	cd test/repository && go test -count=1 ./...

brokers: ## tests on NATS and other brokers, Watermill's suite among them
	cd test/brokers && go test -count=1 -short ./...

throughput: ## endpoints of brokers side by side with the adapters of Watermill
	cd test/brokers && go test -count=1 -v -timeout=60m -run 'Throughput|TestSQLQueue$$' ./... | grep 'RUN.*hroughput\|%'

scenarios: ## the examples that need servers: replicas as processes, leaders killed and stopped
	cd test/scenarios && go test -count=1 ./...

kube: ## tests on a real API server, which is built the first time: 11 minutes of CPU
	$(MAKE) -C test/kube test

handover: ## how long a lock is without a leader, and requests per member, on a real API server
	$(MAKE) -C test/kube handover load

footprint: ## size, CPU until the first tick and memory of small programs
	$(MAKE) -C test/kube kubecp
	cd test/kube && CGO_ENABLED=0 go run ./footprint

acceptance: ## the example on a real cluster of three nodes: Linux, root, ten minutes
	$(MAKE) -C test/acceptance acceptance

ci: ## what is run for every change
	.ci/run

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' Makefile
