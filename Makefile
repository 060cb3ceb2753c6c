# Everything runs in .venv, which `make install` builds with uv when it is there and with venv and pip when not.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/sh

# Courier's modules are compiled once, and not by each process that the tests start.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help run test check install format lint types layers validate clean

help: ## Show the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: install ## Load the built-in sandbox shop into DuckDB and query it
	$(BIN)/courier run --group shopify --sandbox
	$(BIN)/courier query --sandbox --file docs/first_query.sql

test: install ## Run the tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: install format lint types layers validate test ## What CI runs: format, lint, types, layers, validate, test

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "courier needs Python 3.11 or later: make PYTHON=python3.12"; exit 1; }
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python $(PYTHON) .venv && \
		uv pip install --quiet --python $(BIN)/python -c constraints.txt --group dev -e .; \
	else \
		$(PYTHON) -m venv .venv && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1' && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group dev -e .; \
	fi
	@touch $@

format:
	$(BIN)/ruff format --check --quiet .

lint:
	$(BIN)/ruff check --quiet .

types:
	$(BIN)/mypy

layers:
	$(BIN)/lint-imports --no-cache

validate:
	$(BIN)/courier validate
	$(BIN)/courier schema --check

clean: ## Remove the environment and everything that courier wrote
	rm -rf .venv .courier/sandbox .courier/runs sandbox.duckdb
