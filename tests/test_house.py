"""The house's import rules, which no type checker sees."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IO_LIBRARIES = {
    "anthropic",
    "asyncpg",
    "deepgram",
    "elevenlabs",
    "fastapi",
    "httpx",
    "httpx2",
    "sqlalchemy",
    "twilio",
    "websockets",
}


def loaded_by(statement: str) -> set[str]:
    """The top-level modules in memory after ``statement`` in a fresh interpreter."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT).split())


def test_importing_workflows_loads_no_io_library() -> None:
    assert loaded_by("import workflows.call, workflows.after_call, workflows.worker").isdisjoint(IO_LIBRARIES)


def test_importing_core_loads_no_io_library_and_no_other_part() -> None:
    modules = [".".join(path.with_suffix("").parts) for path in _sources("core")]
    loaded = loaded_by(f"import {', '.join(modules)}")
    assert loaded.isdisjoint(IO_LIBRARIES | {"temporalio", "activities", "storage", "vendors"})


@pytest.mark.parametrize("vendor", ["anthropic", "deepgram", "elevenlabs"])
def test_a_vendors_sdk_is_named_in_its_own_files_only(vendor: str) -> None:
    named = {
        str(path)
        for part in ("activities", "api", "cli", "core", "media_gateway", "storage", "vendors", "workflows")
        for path in _sources(part)
        if f"import {vendor}\n" in (text := (ROOT / path).read_text()) or f"from {vendor}" in text
    }
    assert named
    assert all(name.startswith(f"vendors/{vendor}") for name in named)


def test_import_rules_are_kept() -> None:
    command = shutil.which("lint-imports") or str(Path(sys.executable).with_name("lint-imports"))
    run = subprocess.run(
        [command, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert run.returncode == 0, run.stdout


def test_help_loads_no_part_of_the_product() -> None:
    loaded = loaded_by("import cli.main")
    assert loaded.isdisjoint(IO_LIBRARIES | {"temporalio", "api", "media_gateway", "workflows", "sandbox", "storage"})


def _sources(part: str) -> list[Path]:
    return [path.relative_to(ROOT) for path in sorted((ROOT / part).rglob("*.py")) if path.name != "__init__.py"]
