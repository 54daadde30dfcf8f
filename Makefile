# What the README's commands call. Only this file and scripts/ know how the parts fit together.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

target = $(or $(CARGO_TARGET_DIR),target)

# `make run EMPTY=1` starts an empty installation that prints its set-up link. It and the demo never share data.
ifdef EMPTY
run: export KILELE_DATA_DIR ?= ./data
run: serve = serve
else
run: export KILELE_DATA_DIR ?= ./data/demo
run: serve = serve --demo
endif

.PHONY: help run pwa test load cluster soak soak-media bench bench-media package fmt lint

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: pwa ## Build everything and serve the demo at http://localhost:8080 (EMPTY=1: an empty installation)
	cargo build --release --locked -p kilele
	exec $(target)/release/kilele $(serve)

pwa: setup pwa/dist/index.html ## Build the web application, which the server carries inside

# Only when something of it changed: the server, which carries it, is compiled anew for each build of it.
pwa/dist/index.html: $(shell find pwa \( -name node_modules -o -name dist -o -name paraglide \) -prune -o -type f -print) | setup
	cd pwa && npm run --silent build

.PHONY: setup
setup:
	@scripts/setup

test: ## Run every check and test; the last line says how many passed and failed
	@scripts/setup test
	@scripts/test

bench: pwa ## Measure the budgets that exist so far and print them as a table
	@scripts/setup test
	cargo build --release --locked -p kilele -p kilele-tests
	KILELE_BINARY=$(target)/release/kilele POSTGRES_DURABLE=1 scripts/with-postgres $(target)/release/kilele-bench
	cd tests/browser && KILELE_BINARY=$(abspath $(target))/release/kilele \
	  KILELE_BENCH_BINARY=$(abspath $(target))/release/kilele-bench npx playwright test -c playwright.bench.config.ts

load: pwa ## A thousand mentors at their work, on both engines, and then more than can be answered
	@scripts/setup test
	cargo build --release --locked -p kilele -p kilele-tests
	KILELE_BINARY=$(target)/release/kilele POSTGRES_DURABLE=1 scripts/with-postgres $(target)/release/kilele-bench mentors

bench-media: ## Measure the picture pipeline against libvips, sharp and Pillow on real photos
	@scripts/setup bench-media
	@scripts/bench-media

soak-media: ## Throw damaged pictures at the decoders for MINUTES (10)
	KILELE_FUZZ_SECONDS=$$(( $${MINUTES:-10} * 60 )) cargo test --release --locked -p kilele-media --test media -- --nocapture fuzz::

soak: pwa ## Run the long random suites (SUITES=model chooses), with a seed that a run can be repeated from
	@scripts/setup test
	@scripts/soak $(SUITES)

package: pwa ## Make the package for Debian and Ubuntu, and check it
	@scripts/setup package
	@scripts/package

cluster: pwa ## Kill copies, PostgreSQL and S3 under a storm for STORM (240) seconds, and measure what a second copy brings
	@scripts/setup test
	cargo build --release --locked -p kilele
	KILELE_CLUSTER_SECONDS=$${STORM:-240} KILELE_CLUSTER_RATE=$${LOAD:-15} \
	  KILELE_CLUSTER_BINARY=$(abspath $(target))/release/kilele RUST_TEST_THREADS=1 \
	  cargo test --workspace --locked --test program cluster:: -- --nocapture

fmt: ## Format
	cargo fmt --all

lint: ## Look for mistakes without running anything
	@scripts/setup
	cargo fmt --all --check
	cargo clippy --all-targets --locked
	cd pwa && npm run --silent check
