# Everything that CI runs has a target here.
SHELL      := /bin/bash
GO         ?= go
BIN        := bin/edrctl
PKGS       := ./...
LDFLAGS    := -s -w -buildid=
LINT       := bin/tools/golangci-lint
LINT_VERSION := v2.15.0
ACTIONLINT_VERSION := v1.7.12
NFPM       := bin/tools/nfpm
NFPM_VERSION := v2.45.0

# How long make fuzz spends on each target.
FUZZTIME   := 60s

export CGO_ENABLED ?= 0

.PHONY: all build demo test race conformance fuzz lint workflows bench cover generate sizes reproducible mock dist dist-test clean

all: build test lint

build: ## build bin/edrctl
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/edrctl

demo: build ## onboard and offboard people against the embedded mock vendors
	@PATH="$(CURDIR)/bin:$$PATH" $(BIN) mock exec --quiet --switch carbonblack:instant-activation=on -- ./examples/onboard.sh

test: ## run all tests, and see that none is missing that the documentation names
	@set -o pipefail; $(GO) test -json $(PKGS) | $(GO) run ./cmd/testreport docs/reliability.md docs/security.md

race: ## run all tests under the race detector
	CGO_ENABLED=1 $(GO) test -race $(PKGS)

conformance: ## run only the contract that all adapters keep
	$(GO) test -run 'TestContract' ./internal/...

fuzz: ## fuzz each target for FUZZTIME, one after the other
	@set -e; for package in $$($(GO) list $(PKGS)); do \
		for target in $$($(GO) test -list '^Fuzz' "$$package" | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5s "$$package"; \
		done; \
	done

lint: $(LINT) ## run the linters
	$(LINT) run

$(LINT):
	GOBIN=$(CURDIR)/bin/tools $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

workflows: ## check the workflows, the scripts and go.mod
	$(GO) mod tidy -diff
	$(GO) run github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run scripts/*.sh examples/*.sh; else echo "shellcheck: skipped: not installed"; fi

bench: build ## print sizes and times
	$(GO) run ./cmd/bench -edrctl $(BIN)

cover: ## print how much of the code the tests reach
	$(GO) test -coverpkg=./cmd/...,./internal/... -coverprofile=coverage.out $(PKGS)
	$(GO) tool cover -func=coverage.out | tail -n 1

generate: ## write the generated parts of the documentation anew
	$(GO) run ./cmd/gendocs docs
	$(GO) test ./cmd/edrctl/cli -run TestGenerated -update

sizes: build ## check the budget of the binary: 15 MiB, 35 modules
	@size=$$(stat -c %s $(BIN)); modules=$$($(GO) version -m $(BIN) | grep -c '^	dep'); \
	echo "$(BIN): $$size bytes, $$modules modules"; \
	test $$size -le 15728640 && test $$modules -le 35

# The copies have no history, so that none is recorded in the binaries. The second
# build has a cache of its own: nothing of the first one is used again.
reproducible: ## build twice, in two folders, and compare the bytes
	@set -e; dir=$$(mktemp -d); trap 'chmod -R u+w "$$dir"; rm -rf "$$dir"' EXIT; \
	for copy in one another/place; do mkdir -p "$$dir/$$copy"; cp -R go.mod go.sum cmd internal "$$dir/$$copy/"; done; \
	build="$(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o edrctl ./cmd/edrctl"; \
	(cd "$$dir/one" && CGO_ENABLED=0 sh -c "$$build"); \
	(cd "$$dir/another/place" && CGO_ENABLED=0 GOCACHE="$$dir/cache" sh -c "$$build"); \
	sha256sum "$$dir/one/edrctl" "$$dir/another/place/edrctl"; \
	cmp "$$dir/one/edrctl" "$$dir/another/place/edrctl"; echo "the two builds are the same"

mock: build ## serve the mock vendors until interrupted
	$(BIN) mock serve --write-config mock.yaml

dist: $(NFPM) ## make the archives, packages and checksums of a release in dist/
	$(GO) run ./cmd/dist -out dist -nfpm $(NFPM)

dist-test: $(NFPM) ## make the package for this machine, install it, try it and remove it
	@if [ "$$($(GO) env GOOS)" != linux ]; then echo "dist-test: skipped: packages are for Linux"; exit 0; fi; \
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(GO) run ./cmd/dist -out "$$dir/dist" -nfpm $(NFPM) -only linux/$$($(GO) env GOARCH) && ./scripts/dist-test.sh "$$dir/dist"

$(NFPM):
	GOBIN=$(CURDIR)/bin/tools $(GO) install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)

clean:
	rm -rf bin dist coverage.out mock.yaml mock-ca.pem
