# `make rehearse` and `make test` do all their own set-up on a bare machine; nothing else is needed first.
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help rehearse dev test lint format setup clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | expand -t 12

rehearse: ## Play scripted calls on this machine, or those of a PLAYBOOK=; KEEP=1 leaves everything running
	@scripts/setup.sh run
	@$(BIN)/holdfast rehearse $(PLAYBOOK) $(if $(KEEP),--keep)

dev: ## Run everything on this machine until Ctrl-C
	@scripts/setup.sh run
	@$(BIN)/holdfast dev

chaos: ## Kill workers in mid-call, a hundred times, and check every promise; ARGS go to holdfast chaos
	@scripts/setup.sh run
	@$(BIN)/holdfast chaos --kills 100 $(ARGS)

test: ## Format, lint, types, import rules and all tests; ARGS go to pytest
	@scripts/setup.sh test
	@scripts/check.sh $(ARGS)

lint: ## Format check, lint, types, import rules
	@scripts/setup.sh test
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

format: ## Put all code into form
	@scripts/setup.sh test
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

setup: ## Only get what is needed
	@scripts/setup.sh test

clean: ## Remove local data and caches, not the environment
	@rm -rf .holdfast .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
