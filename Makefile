# Every target sets up what it needs; a second run repeats no set-up. `make help` lists the targets.
VENV := .venv
PYTHON := python3
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
TOOLS := $(VENV)/.tools
JOBS := 2

.PHONY: help demo test check lint types format unit kernels target e2e bench docs package clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(READY) $(TOOLS)  ## build the digits network for nucleo-f746 and run it on an emulated Cortex-M4
	$(BIN)/mcubnn build --board nucleo-f746
	$(BIN)/mcubnn build --board qemu-mps2-an386
	$(BIN)/mcubnn validate build/digits-qemu-mps2-an386 --board qemu-mps2-an386 --min-accuracy 0.96

test: $(READY_DEV) $(TOOLS) check  ## everything: checks, unit tests, kernels, firmware on QEMU
	$(BIN)/pytest -q -n $(JOBS) --dist worksteal

check: $(READY_DEV) $(TOOLS) lint types  ## what CI requires before the tests
	$(BIN)/pytest -q tests/architecture

lint: $(READY_DEV)  ## import contract, Python and C style
	$(BIN)/lint-imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	find runtime_c -name '*.[ch]' | xargs $(BIN)/clang-format --dry-run -Werror

types: $(READY_DEV)  ## static types
	$(BIN)/mypy

format: $(READY_DEV)  ## bring all sources into format
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format -q .
	find runtime_c -name '*.[ch]' | xargs $(BIN)/clang-format -i

unit: $(READY_DEV)  ## fast tests that need no cross compiler
	$(BIN)/pytest -q -n $(JOBS) tests/unit tests/architecture -m "not target"

kernels: $(READY_DEV) $(TOOLS)  ## C kernels against the numpy reference, sanitizers on
	$(BIN)/pytest -q -n $(JOBS) tests/kernels

target: $(READY_DEV) $(TOOLS)  ## firmware on emulated boards
	$(BIN)/pytest -q -n $(JOBS) -m target

bench: $(READY_DEV) $(TOOLS)  ## executed instructions of fixed layers and networks on four cores
	$(BIN)/python -m tests.bench --jobs $(JOBS)

docs: $(READY_DEV) $(TOOLS)  ## generated pages, links, every command of README and tutorial
	$(BIN)/pytest -q tests/docs

package: $(READY_DEV)  ## wheel and source distribution, tried from an empty folder
	$(BIN)/pytest -q tests/package

clean:  ## remove builds and caches, keep the virtual environment
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(READY): $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(READY_DEV): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

$(TOOLS): $(READY)
	$(BIN)/mcubnn setup
	touch $@
