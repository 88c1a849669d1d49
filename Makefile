# tieout: two commands on a fresh machine: `make demo` and `make test`.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH := .venv-bench

.PHONY: help setup demo up down test corpus check crash crash-tryton fmt fuzz lock clean bench-match bench-post bench-parse bench-suites model sim

help:  ## what each command does
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make the environment in .venv from the hashed lock

$(STAMP): requirements.lock pyproject.toml
	@echo "[setup] Python environment in $(VENV), from requirements.lock with its hashes; about two minutes the first time"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "tieout needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "[setup] 1/2 installing $$(grep -c '==' requirements.lock) locked packages"
	@set -e; $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements.lock >$(VENV)/install.log 2>&1 & \
	pid=$$!; while kill -0 $$pid 2>/dev/null; do sleep 5; \
		echo "[setup]     $$(grep -c '^Collecting' $(VENV)/install.log) packages found$$(grep -q '^Installing' $(VENV)/install.log && echo ', installing' || true)"; done; \
	wait $$pid || { tail -20 $(VENV)/install.log; exit 1; }
	@echo "[setup] 2/2 installing tieout itself"
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $(STAMP)
	@echo "[setup] done"

test: $(STAMP)  ## run all tests; starts SFTP, SMTP, Tryton and PostgreSQL itself
	@echo "[test] all tests on two processes; the first run builds a template of Tryton's books (about a minute)"
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

check: $(STAMP)  ## format, lint, types, import law, style
	@echo "[check] format and lint"
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet --output-format concise .
	@echo "[check] types (mypy --strict)"
	@$(BIN)/mypy
	@echo "[check] import law"
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	@echo "[check] style"
	@$(BIN)/python -m pytest tests/style

model: $(STAMP)  ## search every order of events around the posting protocol; about three minutes
	@$(BIN)/python -m tests.posting.model_check --write

sim: $(STAMP)  ## simulate postings on a seeded clock, network and store: RUNS=1000 (ten postings each) SEED=1 PROCESSES=1 RECORD=1
	@$(BIN)/python -m tests.posting.sim --runs $(or $(RUNS),1000) --seed $(or $(SEED),1) --processes $(or $(PROCESSES),1) $(if $(RECORD),--record)

fmt: $(STAMP)  ## format the code and mend what the linter can
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

fuzz: $(STAMP)  ## fuzz a reader: FORMAT=mt940 (default all) TIME=seconds (default 1200)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || { echo "[fuzz] installing atheris from tests/fuzz/requirements.lock"; \
		$(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes -r tests/fuzz/requirements.lock; }
	@$(BIN)/python -m tests.fuzz $(or $(FORMAT),all) $(or $(TIME),1200)

lock: $(STAMP)  ## resolve requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --upgrade --output-file requirements.lock
	@echo atheris | $(BIN)/uv pip compile - --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --upgrade --output-file tests/fuzz/requirements.lock
	@$(BIN)/uv pip compile benchmarks/requirements.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --upgrade --output-file benchmarks/requirements.lock

$(BENCH)/.installed: benchmarks/requirements.lock
	@echo "[bench] the peers in $(BENCH), from benchmarks/requirements.lock with its hashes"
	@test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --disable-pip-version-check -q --require-hashes -r benchmarks/requirements.lock
	@touch $@

bench-parse: $(STAMP) $(BENCH)/.installed  ## measure reading beside the peers (FAMILIES="camt mt940 bai2 two", RUNS=3; MB=5 for a first look); about ten minutes
	@$(BIN)/python -m benchmarks.parsing $(FAMILIES) $(if $(RUNS),--runs $(RUNS)) $(if $(MB),--megabytes $(MB))

bench-match: $(STAMP) $(BENCH)/.installed  ## measure matching beside the peers (SIZE=1000000, RUNS=3, PEERS=all|none, TEN=1 also ten times the size); about half an hour
	@$(BIN)/python -m benchmarks.matching $(if $(SIZE),--size $(SIZE)) $(if $(RUNS),--runs $(RUNS)) $(if $(PEERS),--peers $(PEERS)) $(if $(TEN),--ten)

bench-post: $(STAMP)  ## postings a second through each connector, a backlog of 18,000 through all at once, budgets kept (COUNT=300 alone, BACKLOG=18000); about ten minutes
	@$(BIN)/python -m benchmarks.posting --write $(if $(COUNT),--count $(COUNT)) $(if $(BACKLOG),--backlog $(BACKLOG))

crash: $(STAMP)  ## kill workers at every boundary of every connector (SCHEDULES=2000 a vendor, VENDORS=sap,oracle); minutes to hours
	@$(BIN)/python -m tests.posting.crash $(if $(SCHEDULES),--schedules $(SCHEDULES)) $(if $(VENDORS),--vendors $(VENDORS)) $(if $(SEED),--seed $(SEED))

crash-tryton: $(STAMP)  ## thousands of postings to the real Tryton while workers are killed (COUNT=10000); about an hour
	@$(BIN)/python -m tests.posting.crash.many $(if $(COUNT),--count $(COUNT))

clean:  ## forget the environment; the data folder (.tieout) stays
	@rm -rf $(VENV) $(BENCH) .mypy_cache .ruff_cache .import_linter_cache .hypothesis

demo: $(STAMP)  ## a business day end to end on real servers (RESET=1 starts over, MISSING=1 sends the missing statement)
	@$(BIN)/python -m sandbox.demo $(if $(RESET),--reset) $(if $(MISSING),--missing)

up: $(STAMP)  ## the same day under a real Airflow; prints address and login
	@$(BIN)/python -m sandbox.up start

down: $(STAMP)  ## stop all that `make up` started
	@$(BIN)/python -m sandbox.up stop

corpus: $(STAMP)  ## judge every reader by the real bank files in ../shared/corpus
	@$(BIN)/python -m tests.parsers.corpus

bench-suites: $(STAMP)  ## what validating a million rows costs, beside reading them
	@$(BIN)/python -m benchmarks.suites
