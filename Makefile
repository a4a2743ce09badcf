# Accede. `make` lists what there is; each target installs what it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# What pytest of `make test` ended with, if not well: 1 when tests failed and all others were run.
STATUS := .pytest_cache/status
# Tests on real servers mostly wait, but each brings services of its own: one worker more than cores, eight at most.
# WORKERS=0 runs all in one process.
CORES := $(shell nproc 2>/dev/null || echo 2)
WORKERS ?= $(shell echo $$(( $(CORES) > 7 ? 8 : $(CORES) + 1 )))

# Whatever the shell says: what is compiled is kept, or each of hundreds of processes that tests start compiles it anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-8s %s\n", $$1, $$2}'

$(BIN)/python:
	@bash deploy/local/python.sh "$(PYTHON)" "$(VENV)"

# Two stamps: what running needs, and what developing needs beside it.
$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing Accede into $(VENV) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Installing the development tools into $(VENV) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: demo
demo: $(VENV)/.run ## the Alliance's year on real servers, with pages to look at (ARGS=--exit: check it and end)
	@$(BIN)/python -m deploy.local demo $(ARGS)

.PHONY: up
up: $(VENV)/.run ## the same stack, kept running
	@$(BIN)/python -m deploy.local up $(ARGS)

.PHONY: down
down: $(VENV)/.run ## stop it
	@$(BIN)/python -m deploy.local down $(ARGS)

.PHONY: check
check: $(VENV)/.dev ## format, lint, types, import contracts and unit tests, in under a minute
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q -n $(CORES) tests/unit tests/contracts $(ARGS)

# The tests of pages drive the system's Chromium. As root on Debian a missing one is installed; else they are skipped, loudly.
.PHONY: browser
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing chromium from the system's packages …"; \
	    apt-get -y -qq -o DPkg::Lock::Timeout=180 update >/dev/null && \
	    apt-get -y -qq -o DPkg::Lock::Timeout=180 install --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	  else echo "NO BROWSER: the tests of pages are SKIPPED. Install chromium to run them."; fi

.PHONY: test
test: $(VENV)/.dev browser ## everything that CI runs: the checks, and all tests on real servers, with the coverage gate
	@rm -f .coverage .coverage.* $(STATUS)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/coverage run -m pytest -n $(WORKERS) $(ARGS) || { status=$$?; mkdir -p $(dir $(STATUS)); echo $$status > $(STATUS); exit 1; }
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

.PHONY: again
again: $(VENV)/.dev ## the tests that failed last, once more, by themselves; and the coverage of both runs
	@$(BIN)/coverage run -m pytest -n 0 --last-failed --last-failed-no-failures none $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

.PHONY: bench
bench: $(VENV)/.dev ## the whole way from file to mail accepted, beside a plain peer, in one run
	@$(BIN)/python -m bench $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev ## a million rows through intake, killed half-way: memory and rows a second (ARGS="--rows 100000", ARGS=--simulation, ARGS=--campaign)
	@$(BIN)/python -m bench.soak $(ARGS)

.PHONY: docs
docs: $(VENV)/.dev ## write docs/api/: the AsyncAPI document and the services' OpenAPI documents
	@$(BIN)/python -m deploy.api_documents docs/api

.PHONY: format
format: $(VENV)/.dev ## put the code into the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: lock
lock: $(VENV)/.dev ## compile the lock files anew (hashes, no index addresses)
	@$(BIN)/uv pip compile --quiet pyproject.toml --extra local --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" -o requirements.lock
	@$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" -c requirements.lock -o requirements-dev.lock
	@echo 'setuptools>=77' | $(BIN)/uv pip compile --quiet - --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" -o requirements-build.lock

.PHONY: clean
clean: ## remove the environment, caches and the local stack's data (stop it first)
	@rm -rf $(VENV) .local .mypy_cache .ruff_cache .pytest_cache .coverage .coverage.* *.egg-info build dist
