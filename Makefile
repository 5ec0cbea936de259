# Everything runs in .venv with the exact versions of requirements.lock; no other environment need be active.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
PEOPLE ?= 2000
EVENTS ?= 200000
SEED ?= 7
UNTIL ?=

.PHONY: help run compiled test promises check perf lock clean

help:
	@echo "make run    the demo shop, from nothing to a report (PEOPLE=$(PEOPLE) EVENTS=$(EVENTS) SEED=$(SEED); UNTIL=2026-07-01 for dates that end there)"
	@echo "make compiled  what an event comes through as machine code, by a C compiler; a minute, once for the same sources"
	@echo "make promises  the tests of the promises in that form, if it was made, else interpreted"
	@echo "make test   all tests, of a promise every other seed, on two idle cores in about a quarter of an hour"
	@echo "make check  ruff and mypy"
	@echo "make perf   the measurements behind the numbers in the documentation"
	@echo "make lock   write requirements.lock from what .venv holds"
	@echo "make clean  remove .venv and the caches (data/ stays)"

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "expected Python 3.11 or 3.12 with venv, found neither: install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY)
	$(if $(filter 0,$(SKEP_COMPILED)),,@$(BIN)/python hatch_build.py --if-possible)
	$(BIN)/skep demo --people $(PEOPLE) --events $(EVENTS) --seed $(SEED) $(if $(UNTIL),--until $(UNTIL)) --out data/demo
	$(BIN)/skep run --once --fresh

compiled: $(READY)
	$(BIN)/python hatch_build.py

promises: $(READY)
	SKEP_COMPILED=1 $(BIN)/python -m pytest -n 2 --dist worksteal -p tests.progress -rfE $$($(BIN)/python -c "from tests.progress import PROMISES; print(*sum(PROMISES.values(), ()))") tests/test_compiled.py

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -p tests.progress -rfE

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

perf: $(READY)
	$(BIN)/python -m perf.throughput --events 1000000
	$(BIN)/python -m perf.latency --rate 10000 --seconds 30
	$(BIN)/python -m perf.segments --counts 10,100,1000,10000
	$(BIN)/python -m perf.scale --profiles 100000,1000000
	$(BIN)/python -m perf.identity
	$(BIN)/python -m perf.sql --events 200000

lock: $(READY)
	$(BIN)/python -m pip freeze --all --exclude-editable --exclude pip | sort --ignore-case > requirements.lock
	@touch $(READY)

clean:
	rm -rf .venv skep/built skep/built-* .mypy_cache .pytest_cache .ruff_cache .hypothesis
