# Needs Python 3.10 or newer, git and make; everything else is installed into .venv.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
BGCE := $(PY) -m bgce_migrate
PYTEST := $(PY) -m pytest
JOBS ?= 2

.DEFAULT_GOAL := help
include bgce.mk
migrate-up migrate-down migrate-create migrate-force migrate-version migrate-status migrate-plan migrate-deploy: $(VENV)/run

deploy: migrate-deploy ## The same as migrate-deploy

.PHONY: deploy help test test-long check lint types bench server-stop clean

help: ## This list
	@grep -h '^[a-z-]*:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

# What running needs: the engine, its embedded server and the platform's domains.
$(VENV)/run: pyproject.toml plugins/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed; give one with PYTHON=...")'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) ..." >&2
	@$(PY) -m pip install --quiet --disable-pip-version-check -e '.[embedded]' -e ./plugins
	@touch $@

# What the tests need beside it.
$(VENV)/dev: $(VENV)/run
	@$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev,embedded,docker,lint]'
	@touch $@

test: $(VENV)/dev lint ## Everything: lint, types, import contracts, all tests on real servers
	@$(PYTEST) -n $(JOBS) --dist loadgroup -m 'not slow' || $(RETRY)

# Fault tests kill, cut and time things, so a busy machine can upset one: what failed is run once more, alone. What
# fails twice has failed (pytest's 1 means failed tests; anything else is not retried).
RETRY = { test $$? -eq 1 && echo "once more, one at a time:" && $(PYTEST) --last-failed --last-failed-no-failures none -m 'not slow'; }

test-long: $(VENV)/dev ## The slow tests too (random histories, kills), and other random examples every time
	@BGCE_TEST_RANDOM=1 $(PYTEST) -n $(JOBS) --dist loadgroup

check: $(VENV)/dev lint ## The fast inner loop: lint, types and the tests without a server
	@$(PYTEST) -q tests/unit tests/shape

lint: $(VENV)/dev types
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/lint-imports --no-cache > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }

types: $(VENV)/dev
	@$(VENV)/bin/mypy --no-error-summary

bench: $(VENV)/dev ## Measure against the psql floor and the peers that are installed
	@$(PY) -m bench

server-stop: $(VENV)/run ## Stop the embedded server
	@$(BGCE) server stop

clean: ## Remove the virtual environment (the embedded server's data in .bgce stays)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
