# `make rehearse` and `make test` do all their own set-up on a bare machine; nothing else is needed first.
BIN := .venv/bin
SIMULATIONS := tests/core/test_simulated_calls.py tests/core/test_playback.py::test_playback_in_any_order \
	tests/core/test_turns.py::test_no_word_is_lost_or_told_twice_and_no_interruption_comes_unasked \
	tests/storage/test_no_illegal_dials.py

.DEFAULT_GOAL := help
.PHONY: help rehearse dev chaos test simulate lint format setup clean

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

simulate: ## 100,000 random orders of events: turn-taking, playback, the state of a call, who is dialled; over half an hour
	@scripts/setup.sh test
	@$(BIN)/pytest -q -n 2 --timeout 0 --hypothesis-profile simulate $(SIMULATIONS)

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
