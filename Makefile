# tieout: two commands on a fresh machine: `make demo` and `make test`.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup demo up down test check fmt lock clean

help:  ## what each command does
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make the environment in .venv from the hashed lock

$(STAMP): requirements.lock pyproject.toml
	@echo "[setup] Python environment in $(VENV), from requirements.lock (hashes checked); about two minutes the first time"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "tieout needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "[setup] 1/2 installing $$(grep -c '==' requirements.lock) locked packages"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements.lock \
		| awk '/^Collecting/ {n++; if (n % 25 == 0) {print "[setup]     " n " packages resolved"; fflush()}} /^Installing/ {print "[setup]     installing"; fflush()}'
	@echo "[setup] 2/2 installing tieout itself"
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $(STAMP)
	@echo "[setup] done"
