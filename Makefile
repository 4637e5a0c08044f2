# Every target makes its own environment in .venv from nothing but python3 and make.
PYTHON ?= python3
BIN := .venv/bin
PACKAGE := pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help demo test check fault soak fuzz bench scaling figures lint docs lock audit sbom clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: .venv/run.stamp ## the main job: real engines, real input, a report
	$(BIN)/ingest demo

# What the audit finds is told and no failure: whoever runs the tests may not be able to mend it.
test: lint ## lint, then every test but the longest fault tests, real engines included
	-$(BIN)/python -m scripts.audit
	$(BIN)/python -m pytest -m "not slow_fault"

check: lint ## lint, then the tests without engines: under a minute
	$(BIN)/python -m pytest -q -n 3 --dist worksteal tests/unit tests/property tests/architecture

fault: .venv/dev.stamp ## all faults injected into real engines, every event accounted for; prints a table
	$(BIN)/python -m pytest tests/fault

soak: .venv/dev.stamp ## load for MINUTES (30) with faults mixed in: memory, open files and work in flight stay flat
	$(BIN)/python -m pytest -rP tests/fault/test_soak.py --minutes $(or $(MINUTES),30)

bench: .venv/dev.stamp ## CPU per event against other programs (ROUNDS=3 EVENTS=400000), and latency under load
	$(BIN)/python -m tests.bench.compare --rounds $(or $(ROUNDS),3) --events $(or $(EVENTS),400000) $(if $(SAVE),--save)
	$(BIN)/python -m tests.bench.latency $(if $(SAVE),--save)
	$(BIN)/python -m tests.bench.gateway
	$(BIN)/python -m tests.bench.gateway_streams

scaling: .venv/dev.stamp ## CPU per event as partitions, events, their size and replicas grow (ROUNDS=3)
	$(BIN)/python -m tests.bench.scaling --rounds $(or $(ROUNDS),3) $(if $(SAVE),--save)

figures: .venv/dev.stamp ## put the figures of `make bench` and `make scaling` with SAVE=yes into their pages
	$(BIN)/python -m tests.bench.page

fuzz: .venv/dev.stamp ## look for bytes that break the decoders or part the two paths: 13 minutes
	for target in two_paths batch; do $(BIN)/python -m tests.fuzz $$target --seconds 240 || exit 1; done
	for target in one_event raw_value bulk_entry dead_letter beats json_lines; do $(BIN)/python -m tests.fuzz $$target --seconds 50 || exit 1; done

lint: .venv/dev.stamp ## format, lint rules, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: .venv/dev.stamp ## regenerate the reference pages, JSON Schemas and example from the code
	$(BIN)/python -m scripts.reference

lock: .venv/dev.stamp ## refresh the pinned requirements
	$(BIN)/python -m scripts.lock

audit: .venv/dev.stamp ## known vulnerabilities of the pinned requirements, as far as one can ask
	$(BIN)/python -m scripts.audit

sbom: .venv/dev.stamp ## print the bill of materials (CycloneDX) of the container image's requirements
	@$(BIN)/python -m scripts.sbom

clean: ## remove the environment
	rm -rf .venv

.venv/pip.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is `$(PYTHON) --version 2>&1`. Try: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/run.stamp: .venv/pip.stamp requirements/run.txt $(PACKAGE)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/build.txt -r requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
