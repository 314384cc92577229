#!/usr/bin/env bash
# Every check of the house, one after the other; the last line tells how each went. Arguments go to pytest.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

results=()
failed=0

step() {
  local name=$1 began=$SECONDS
  shift
  printf '== %s: %s\n' "$name" "$*"
  if "$@"; then
    results+=("$name ok ($((SECONDS - began)) s)")
  else
    results+=("$name FAILED ($((SECONDS - began)) s)")
    failed=1
  fi
}

join() { local first=$1; shift; printf '%s' "$first" "${@/#/, }"; }

step format ruff format --check .
step lint ruff check .
step types mypy
step imports lint-imports
# Hypothesis draws the same examples every time here: a change is judged by what it did. Plain pytest looks for new ones.
# Files in the order of their names: those with few tests, which run whole stacks, would come last, one core idle.
step tests pytest -n "${TEST_PROCESSES:-2}" --dist loadfile --no-loadscope-reorder --hypothesis-profile ci "$@"

printf '== %s\n' "$(join "${results[@]}")"
exit $failed
