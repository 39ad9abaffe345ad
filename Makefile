# Demarc: `make help` explains itself. `make demo` and `make test` do all the set-up they need.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=
# As many at a time as there are cores; PARALLEL= for one after the other.
PARALLEL ?= -n auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-pg15 lint format bench fuzz peers lock clean

help: ## show what can be made
	@echo "Demarc. The two commands to begin with: make demo, make test"
	@echo
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  \1\t\2/' | expand -t 14
	@echo
	@echo "Pass options through ARGS: make demo ARGS='--subscribers 200 --http-port 9090'"

# What runs Demarc, and what its tests need besides; both from hashed lists for plain pip.
$(VENV)/.platform: requirements/platform.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Demarc needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing (Debian: apt-get install python3-venv)"; exit 1; }
	@echo "Installing what Demarc stands on (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/platform.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/build.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.platform requirements/dev.txt
	@echo "Installing what the tests need (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(VENV)/.platform ## a whole ISP on this machine: server, network, subscribers, live
	@$(BIN)/demarc demo $(ARGS)

serve: $(VENV)/.platform ## Demarc alone, on ./data or DEMARC_DATABASE_URL
	@$(BIN)/demarc serve $(ARGS)

peers: ## the real peers the tests speak with (as root on Debian; elsewhere those tests are skipped)
	@sh tests/peers/install.sh

test: $(VENV)/.dev peers ## all tests, on PostgreSQL 18
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-pg15: $(VENV)/.dev peers ## the tests that touch the database, on Debian's PostgreSQL 15
	@if [ -x /usr/lib/postgresql/15/bin/postgres ]; then \
	    DEMARC_TEST_PG_BIN=/usr/lib/postgresql/15/bin $(BIN)/python -m pytest tests/unit tests/contract $(PARALLEL) $(ARGS); \
	else echo "PostgreSQL 15 is not installed here: skipped"; fi

lint: $(VENV)/.dev ## ruff, mypy strict, and who may import whom
	@$(BIN)/ruff format --check src tests benchmarks
	@$(BIN)/ruff check src tests benchmarks
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev ## put the code in its one form
	@$(BIN)/ruff format src tests benchmarks
	@$(BIN)/ruff check --fix-only src tests benchmarks

bench: $(VENV)/.dev ## measure; figures go to benchmarks/results
	@$(BIN)/python benchmarks/run.py $(ARGS)

fuzz: $(VENV)/.dev ## the property tests, with far more examples
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -q -m hypothesis tests/unit --timeout 3600 $(ARGS)

lock: ## renew the hashed lists from pyproject.toml (needs uv)
	@sh requirements/lock.sh

clean: ## remove what was installed and measured here, not ./data
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
