#!/usr/bin/env bash
# Gets what the product needs to run ("run"), and what its tests need on top ("test"): uv, the locked Python packages,
# a Temporal server, and for tests PostgreSQL, Chromium and espeak-ng. Does nothing for what is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-run}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast
mkdir -p "$cache/bin"

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

find_uv() {
  local found
  for found in "$(command -v uv || true)" "$HOME/.local/bin/uv" "$cache/uv/bin/uv"; do
    if [ -x "$found" ]; then echo "$found"; return; fi
  done
}

install_uv() {
  command -v python3 >/dev/null || fail "python3 is missing: install Python 3.11 or later"
  say "installing uv into $cache/uv"
  if python3 -m venv "$cache/uv" >/dev/null 2>&1 && "$cache/uv/bin/pip" install --quiet uv; then return; fi
  rm -rf "$cache/uv"  # Debian without python3-venv, or no package index
  python3 -m pip install --quiet --user uv 2>/dev/null && return
  python3 -m pip install --quiet --user --break-system-packages uv 2>/dev/null && return
  if command -v curl >/dev/null; then
    curl -LsSf https://astral.sh/uv/install.sh | env UV_UNMANAGED_INSTALL="$cache/uv/bin" sh >/dev/null && return
  fi
  fail "uv could not be installed: see https://docs.astral.sh/uv/getting-started/installation"
}

# Builds of Python differ by a third: distributions optimise theirs (PGO, LTO), pyenv's default does not
# (docs/benchmarks.md). Without one of the system's that is new enough uv looks for another.
optimised_python() {
  local python=/usr/bin/python3
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "--python=$python"; fi
}

sync_packages() {
  local uv python= groups=(--no-dev --inexact)
  uv=$(find_uv)
  if [ -z "$uv" ]; then
    install_uv
    uv=$(find_uv)
  fi
  [ -n "$uv" ] || fail "uv was installed, but is nowhere to be found"
  if [ "$purpose" = test ]; then groups=(); fi
  local quiet=--quiet
  if [ ! -d .venv ]; then
    say "installing the locked Python packages"
    quiet=
    python=$(optimised_python)
  fi
  "$uv" sync --locked --compile-bytecode $quiet $python ${groups[@]+"${groups[@]}"} || fail "the locked Python packages could not be installed"
}

get_temporal() {
  [ -n "${HOLDFAST_TEMPORAL_CLI:-}" ] && return
  command -v temporal >/dev/null && return
  [ -x "$cache/bin/temporal" ] && return
  .venv/bin/python -m cli.temporal_server
}

has_postgresql() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
has_chromium() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; }
has_espeak() { command -v espeak-ng >/dev/null; }

get_test_tools() {
  local missing=()
  has_postgresql || missing+=(postgresql)
  has_chromium || missing+=(chromium)
  has_espeak || missing+=(espeak-ng)
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then
    say "installing Debian packages: ${missing[*]}"
    local log=$cache/apt.log
    if apt-get update >"$log" 2>&1 \
      && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
      return
    fi
    say "apt-get failed, see $log"
  fi
  if [ -n "${CI:-}" ]; then fail "${missing[*]} missing: its tests must run in CI"; fi
  say "${missing[*]} missing: tests that need it are skipped"
}

sync_packages
get_temporal
if [ "$purpose" = test ]; then get_test_tools; fi
