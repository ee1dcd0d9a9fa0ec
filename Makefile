# Everything runs in .venv, installed through constraints.txt; a target makes what it needs.
# Any Python 3.11 will do: the first of these that is one.
PYTHON ?= $(shell for found in python3.11 python3 python; do $$found -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$found && break; done)
BIN := .venv/bin
STAMP := .venv/.installed
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1

.PHONY: demo demo-all test test-whole test-long parity check bench chaos clean install

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed: make ... PYTHON=/path/to/python3.11"; exit 2; }
	@echo "installing into .venv (about three minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $(STAMP)

# make demo EMULATOR=1: the same with Snowflake as the engine, emulated (docs/engines.md).
EMULATED := $(BIN)/python tests/parity/serve.py
demo: $(STAMP)
	@$(if $(EMULATOR),$(EMULATED) demo --called "$(EMULATED)",$(BIN)/regulars demo)

# The same, the weekly refresh of a shop with a year and a half of orders, and client engagement from a shared sheet.
demo-all: $(STAMP)
	@$(if $(EMULATOR),$(EMULATED) demo --all --called "$(EMULATED)",$(BIN)/regulars demo --all)

test: $(STAMP)
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# Whole pipelines again and again: stopped, disturbed, out of order.
test-whole: $(STAMP)
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "whole and not long and not parity"

# What takes minutes: a month of real data, where ../shared/datasets is there.
test-long: $(STAMP)
	@$(BIN)/python -m pytest -m long

# The same tests on DuckDB and on Snowflake, over the wire of an emulator: docs/engines.md.
parity: $(STAMP)
	@$(BIN)/python -m pytest -m parity

check: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python tests/check_sql.py

# Faults into whole pipelines, and the one oracle: docs/reliability.md. One fault alone: python -m chaos --replay "..."
SEED ?= 7
COUNT ?= 200
WEEKLY_KINDS := kill-stages kill-flow commit-points postgres-source s3-storage disk-full failing-calls at-once
chaos: $(STAMP)
	@$(BIN)/python -m chaos --seed $(SEED) --count $(COUNT)
	@$(BIN)/python -m chaos --pipeline weekly-customer-analytics --seed $(SEED) --count $$(( ($(COUNT) + 4) / 5 )) \
		$(WEEKLY_KINDS:%=--only %) --out build/chaos-weekly.json

# Figures beside their targets, as a table and in .regulars/benchmarks; docs/performance.md explains them.
# make bench SIZE=small takes minutes; ROWS="2_000_000 20_000_000", MEMBERS=, USERS= and RUNS= say it one by one.
SIZE ?= whole
is_small := $(filter small,$(SIZE))
ROWS ?= $(if $(is_small),200_000,2_000_000 20_000_000)
MEMBERS ?= $(if $(is_small),100_000,1_000_000)
USERS ?= $(if $(is_small),20_000,1_000_000)
RUNS ?= $(if $(is_small),3,5)
DAYS ?= $(if $(is_small),10,90)
SIZES ?= $(if $(is_small),10000 20000,100000 500000 1000000 2000000 5000000)
HISTORY ?= $(if $(is_small),20_000 --days 10 --changes 0.1)

bench: $(STAMP)
	@$(BIN)/python benchmarks/sample.py $(subst _,,$(USERS))
	@$(BIN)/python benchmarks/landing.py $(ROWS) --runs $(RUNS)
	@$(BIN)/python benchmarks/intake.py $(if $(is_small),100000,2000000 20000000) --runs $(RUNS)
	@$(BIN)/python benchmarks/gates.py $(USERS) --runs $(RUNS)
	@$(BIN)/python benchmarks/mapping.py $(if $(is_small),--values 10000 --words 500)
	@$(BIN)/python benchmarks/delivery.py $(MEMBERS) --runs $(RUNS)
	@$(BIN)/python benchmarks/overhead.py --warm $(RUNS)
	@$(BIN)/python benchmarks/sales.py $(if $(is_small),200000 --weeks 26,10000000) --runs $(RUNS)
	@$(BIN)/python benchmarks/science.py $(subst _,,$(MEMBERS)) --runs $(RUNS) $(if $(is_small),--series 3 --days 200)
	@$(BIN)/python benchmarks/growth.py $(SIZES) --days 3 --runs 1
	@$(BIN)/python benchmarks/day.py $(subst _,,$(USERS)) $(DAYS) --runs $(RUNS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev,bench]" && $(BIN)/python benchmarks/history.py $(HISTORY) --runs $(RUNS) && $(BIN)/python benchmarks/transfer.py $(if $(is_small),300000,2000000) --runs $(RUNS)

clean:
	@if test -x $(BIN)/regulars; then $(BIN)/regulars stop; fi
	@if test -x $(BIN)/regulars -a -d .regulars/emulated; then REGULARS_HOME=.regulars/emulated $(BIN)/regulars stop; fi
	@rm -rf .regulars .pytest_cache .mypy_cache .ruff_cache .hypothesis dbt/*/target dbt/*/logs build *.egg-info
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	@rm -rf .venv
