# The entry point for developers. Continuous integration runs the same targets.
#
# CARGO, PYTHON and ARGS may be set: `make demo ARGS=--help`, `make test PYTHON=python3.13`.

CARGO ?= cargo
ARGS ?=
# Tests cause panics and catch them; valgrind would report the memory of their backtraces.
export RUST_BACKTRACE = 0
# Properties get the same inputs in each run, so that a change is judged by what it changed; `make properties` makes up others.
export PROPTEST_RNG_SEED ?= 0
export PYTHON

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo demo-real test verify lint bench peers instructions error-rates recorded backtest presets validity bless \
	docs model properties packages simulated stub trees tools tools-real tools-trees format-check clippy unit doctest shipping simulations release shipped module python

# The shipped library and the measured program are built together; separately, the core would be compiled twice.
RELEASE = $(CARGO) build --locked --release -p hotfix-ffi --lib -p hotfix-benches --bin instructions

# What the tests are built from. Always the whole workspace: with fewer packages, dependencies would have other features, and
# the core would be compiled again.
TESTS = --locked --workspace --tests

# Programs that only run here use a profile that builds fast: see Cargo.toml.
LOCAL = --locked --profile local

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

demo: ## the canary lab: real processes, real traffic, a report (a minute and a half after the build)
	$(CARGO) run $(LOCAL) -p hotfix-examples --bin canary_lab -- demo $(ARGS)

demo-real: tools-real ## the canary lab with HAProxy as the splitter and Prometheus as the source
	$(CARGO) run $(LOCAL) -p hotfix-examples --bin canary_lab -- demo --real $(ARGS)

test: tools ## the checks for every change: format, lints, Rust, C and C++ under valgrind, documentation, Python
	@scripts/parts.sh test format-check clippy unit doctest+module docs+python

verify: tools ## more checks, on the build machine: model, shipped library, drawings, error rates, validity, packages, instructions
	@scripts/parts.sh verify shipping+simulations

lint: format-check clippy ## format check and clippy

bench: tools ## criterion, then instruction counts
	$(CARGO) bench --locked -p hotfix-benches $(ARGS)
	$(CARGO) bench --locked -p hotfix-ffi --bench observe
	@$(MAKE) --no-print-directory instructions

instructions: tools ## instruction counts against benches/baseline.json
	$(RELEASE)
	target/release/instructions check

peers: ## side by side with SciPy and others, from Python; ARGS=--write updates docs/peers.md
	scripts/peers-env.sh
	target/peers-env/bin/python benches/peers/peers.py $(ARGS)

bless: tools ## rewrite generated files and committed figures; read the difference afterwards
	HOTFIX_MODEL_DEPTH=3,2 HOTFIX_BLESS=1 INSTA_UPDATE=always $(CARGO) test $(TESTS) --no-fail-fast
	$(RELEASE)
	target/release/instructions bless
	@$(MAKE) --no-print-directory stub
	@git diff --stat

stub: module ## the Python stub, from the doc comments and types in hotfix-py
	scripts/python-package.sh
	.venv/bin/python hotfix-py/tests/stub.py

docs: ## the API documentation and the manual (target/site), without a warning or a broken link
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps
	scripts/site.sh

error-rates: ## simulated error rates against their limits and the README's table
	$(CARGO) run $(LOCAL) -p hotfix-benches --bin error_rates -- --check README.md

recorded: ## recorded incidents: detected faults, time to detection and false alarms (writes docs/recorded.md)
	$(CARGO) run $(LOCAL) -p hotfix-benches --bin recorded -- --write docs/recorded.md

backtest: ## `phased-canary` and `standard` on recorded incidents: when each acts (writes docs/backtest.md)
	$(CARGO) run $(LOCAL) -p hotfix-benches --bin backtest -- --write docs/backtest.md

presets: ## the presets with good and bad fixes, simulated: how each ends, and who is told (writes docs/presets.md)
	$(CARGO) run $(LOCAL) -p hotfix-benches --bin presets -- --write docs/presets.md

validity: ## writes docs/validity.md and docs/validity-real-feeds.md: simulated error rates, delays and noise, and other methods (half an hour)
	$(CARGO) run --locked --release -p hotfix-benches --bin validity -- $(ARGS)

PROPERTIES = $(patsubst %.rs,%::,$(notdir $(shell grep -l 'proptest! {' hotfix-core/tests/it/*.rs)))
properties: ## the tests of properties with other random inputs, ten times
	$(CARGO) build $(TESTS)
	for run in $$(seq 10); do \
		env -u PROPTEST_RNG_SEED $(CARGO) test $(TESTS) --test it -- -q $(PROPERTIES) || exit 1; \
	done

model: ## the model check of the rollout, deeper than in the tests (some minutes)
	HOTFIX_MODEL_DEPTH=$${HOTFIX_MODEL_DEPTH:-3,2} $(CARGO) test --locked --workspace --test it -- --nocapture model_check::

# ---- parts of the above ----

# Simulations of `make verify`, in programs that are built from what the tests were: with fewer runs and wider tolerances, and
# the pages that programs write. Where there are no recordings only that of the presets is compared.
simulated:
	$(CARGO) build $(TESTS) --bin error_rates --bin validity --bin presets --bin backtest --bin recorded
	for page in presets backtest recorded; do target/debug/$$page --check docs/$$page.md >/dev/null || exit 1; done
	target/debug/error_rates --check README.md & beside=$$!; \
		target/debug/validity --quick; simulated=$$?; \
		wait $$beside && exit $$simulated

tools:
	@scripts/install-debian.sh gcc g++ git valgrind

tools-real:
	@scripts/install-debian.sh haproxy prometheus

tools-trees:
	@scripts/install-debian.sh graphviz chromium nodejs npm

# Draws the committed trees and plans, which `unit` compares with the policies, and reads the drawings back.
trees: tools-trees
	scripts/trees.sh

format-check:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

# Uses nextest if it is installed, because it is faster. Neither nextest nor this `cargo test` runs doc tests.
unit:
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		echo "$(CARGO) nextest run $(TESTS) --no-fail-fast"; \
		$(CARGO) nextest run $(TESTS) --no-fail-fast; \
	else \
		echo "$(CARGO) test $(TESTS) --no-fail-fast"; \
		$(CARGO) test $(TESTS) --no-fail-fast; \
	fi

doctest:
	$(CARGO) test --locked --workspace --doc

# The two halves of `make verify` run at the same time: the release build uses one core for minutes.
shipping:
	@scripts/parts.sh "verify: what ships" release shipped instructions

simulations: tools-trees
	@scripts/parts.sh "verify: the rest" packages simulated model trees

release:
	$(RELEASE)

# Runs the C and C++ programs with the shipped library.
shipped:
	HOTFIX_LIBRARY=target/release $(CARGO) test --locked --workspace --test it -- compile_run::

# Makes the packages for the registries and builds from them, also without the parts that can be left out; nothing is uploaded.
packages:
	scripts/packages.sh

# The module, with what the stub is written from. `python` does not build it, because Cargo would wait for `docs` beside it.
module:
	@scripts/python-env.sh
	$(CARGO) build $(TESTS) --lib --features hotfix-py/stub

python:
	scripts/python-test.sh
