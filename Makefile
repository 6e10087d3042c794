# Everything a person or a pipeline does here. Needs Node 20 with npm, git and make; the rest is installed by `make install`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BUN := scripts/bun
# Written by npm itself, as the last thing of an install.
INSTALLED := node_modules/.package-lock.json
# Folders too: removing a file must rebuild as well.
SOURCES := $(shell find src -type f -o -type d)
BUILD_INPUTS := $(SOURCES) $(INSTALLED) package.json tsconfig.json scripts/build.ts $(wildcard scripts/build/*) dist/.revision

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: install
install: $(INSTALLED) ## Install the pinned packages (runs none of their scripts)

$(INSTALLED): package-lock.json .npmrc
	npm ci
	@touch $@

.PHONY: build
build: dist/vsec ## Compile dist/vsec

.PHONY: build-failpoints
build-failpoints: dist/vsec-failpoints ## Compile dist/vsec-failpoints, which crash tests can kill at named places

dist/vsec: $(BUILD_INPUTS)
	$(BUN) scripts/build.ts $@

dist/vsec-failpoints: $(BUILD_INPUTS)
	$(BUN) scripts/build.ts --failpoints $@

# The version line names the commit: written only when it changes, so that nothing is built for nothing.
dist/.revision: $(INSTALLED) FORCE
	@mkdir -p dist
	@$(BUN) scripts/build.ts --revision > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

.PHONY: FORCE
FORCE:

.PHONY: check
check: $(INSTALLED) ## Types, lint, format, generated documents, lockfile
	node_modules/.bin/tsc
	node_modules/.bin/biome ci --error-on-warnings .
	@if [ -f scripts/generate-docs.ts ]; then $(BUN) scripts/generate-docs.ts --check; fi
	@if grep -n '"resolved"' package-lock.json; then \
	  echo "package-lock.json names where packages were downloaded: keep .npmrc as it is and install again" >&2; exit 1; fi

.PHONY: servers
servers: $(INSTALLED) ## Install the servers that tests run against (as root, with apt; else tests skip what is missing)
	scripts/install-test-servers
	@$(BUN) scripts/build-test-servers.ts

.PHONY: test
test: $(INSTALLED) servers build build-failpoints ## Run every test, or some: make test ONLY=test/storage
	$(BUN) scripts/test.ts $(ONLY)

.PHONY: bench
bench: build ## Run the benchmarks
	$(BUN) bench/run.ts $(ONLY)

.PHONY: startup-profile
startup-profile: build ## Record which functions a short command uses, for builds to lay them out by
	$(BUN) scripts/record-startup.ts

.PHONY: demo
demo: build ## Show the whole way of a credential, against a PostgreSQL of its own
	$(BUN) scripts/demo.ts

.PHONY: release
release: $(INSTALLED) ## Build every platform's program and packages into dist/release: make release ONLY=linux-x64
	$(BUN) scripts/release.ts $(ONLY)

.PHONY: clean
clean: ## Remove what was built
	rm -rf dist .cache
