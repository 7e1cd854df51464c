# The few commands to remember. Everything is made inside .venv; nothing else of the machine is changed.
# Needs Python 3.11 or newer with venv, and make. Neither git nor node.

UV_VERSION := 0.13.9
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
UV_STAMP := .venv/.uv-$(UV_VERSION)
DECLARED := uv.lock pyproject.toml setup.py setup.cfg $(wildcard plugins/*/pyproject.toml)
# Inexact: plugins that were installed into .venv stay.
SYNC := $(BIN)/uv sync --quiet --frozen --inexact --all-packages --compile-bytecode

# The environment is .venv whatever else is active, and uv uses the Python that made it.
unexport VIRTUAL_ENV
# Some machines forbid it; each process would compile the whole desk, and pytest each test, anew.
unexport PYTHONDONTWRITEBYTECODE
export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON := $(BIN)/python
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE ?= copy
# The certificates that the machine trusts, as Debian's pip does: a company's own authority is among them.
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),true,false)
ifdef PORT
export HELPDESK_PORT := $(PORT)
endif

# Many tests wait for processes, browsers and mail servers of their own: one worker more than there are
# processors works meanwhile. Who is done takes over from who is not, and the tests of a file mostly stay together.
WORKERS = -n $(shell expr 1 + $$(getconf _NPROCESSORS_ONLN)) --dist worksteal
# Those of faults wait for more than half of their time.
FAULT_WORKERS = -n $(shell expr 2 + $$(getconf _NPROCESSORS_ONLN))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-dev run demo test test-postgresql lint format faults bench docs translations lock sbom

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

setup: .venv/.runtime ## make .venv with the help desk and its plugins
	@echo "Ready: 'make run' starts the desk."

setup-dev: .venv/.dev ## the same, with what tests and checks need
	@echo "Ready: 'make test' runs the tests."

run: .venv/.runtime ## start the desk (home: HELPDESK_HOME or ./instance; PORT=... chooses the port)
	@$(BIN)/helpdesk serve

demo: .venv/.runtime ## start a desk full of sample data in ./instance-demo
	@HELPDESK_HOME=instance-demo $(BIN)/helpdesk demo --serve

test: .venv/.dev ## run all tests but those of faults (ARGS="tests/core -k word" chooses)
	@$(BIN)/python -m pytest -q $(WORKERS) -m "not faults" $(ARGS)

# Those with the mark db run on both databases wherever they run: they are among `make test`.
test-postgresql: .venv/.dev ## run on PostgreSQL what else runs on SQLite
	@HELPDESK_TEST_DATABASE=postgresql $(BIN)/python -m pytest -q $(WORKERS) -m "not faults and not db" $(ARGS)

lint: .venv/.dev ## check style, types, who imports whom, and what is known to be unsafe
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/bandit --quiet --configfile pyproject.toml --severity-level medium --recursive helpdesk plugins scripts
	$(BIN)/uv lock --check --quiet

format: .venv/.dev ## put the code into the agreed form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

faults: .venv/.dev ## kill processes, fill disks, turn clocks, and show figures (HELPDESK_FAULTS=short|medium|long)
	@HELPDESK_FAULTS=$${HELPDESK_FAULTS:-long} $(BIN)/python -m pytest -q $(if $(filter short,$(HELPDESK_FAULTS)),$(FAULT_WORKERS)) -m faults $(ARGS); \
		ended=$$?; $(BIN)/python -m tests.faults.figures; exit $$ended

bench: .venv/.dev ## measure speed and size
	@$(BIN)/python -m benchmarks $(ARGS)

docs: .venv/.dev ## check that the documentation says what the code does
	@$(BIN)/python -m pytest -q tests/docs $(ARGS)

translations: .venv/.dev ## collect new strings into the catalogs
	@$(BIN)/python scripts/catalogs.py

lock: .venv/.runtime ## write uv.lock anew after a pyproject.toml has changed
	@$(BIN)/uv lock

sbom: .venv/.dev ## write what the desk is made of (CycloneDX) into sbom.cdx.json
	@$(BIN)/python scripts/sbom.py sbom.cdx.json

$(UV_STAMP):
	@sh scripts/check_python.sh "$(PYTHON)"
	@echo "Making .venv (once; later starts skip this) ..."
	@"$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@touch $@

.venv/.runtime: $(UV_STAMP) $(DECLARED)
	@echo "Installing what uv.lock lists ..."
	@$(SYNC) --no-dev
	@touch $@

.venv/.dev: $(UV_STAMP) $(DECLARED)
	@echo "Installing what uv.lock lists, with the tools for tests ..."
	@$(SYNC)
	@touch .venv/.runtime $@
