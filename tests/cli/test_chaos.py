"""holdfast chaos, as it is run: workers die in mid-call, and no promise is broken."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(500)


def test_no_promise_is_broken_when_workers_are_killed(tmp_path: Path, temporal_binary: Path) -> None:
    rows = tmp_path / "rows.json"
    arguments = ["--calls", "3", "--kills", "2", "--lines", "4", "--seed", "11", "--no-times", "--json", str(rows)]
    run = subprocess.run(
        [sys.executable, "-m", "cli.main", "chaos", *arguments],
        capture_output=True,
        text=True,
        timeout=450,
        env={**os.environ, "HOLDFAST_TEMPORAL_CLI": str(temporal_binary)},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3_000:] + run.stderr[-3_000:]
    assert "nothing was said or done twice" in " ".join(run.stdout.split())
    assert [row["fault"] for row in json.loads(rows.read_text())["rows"]] == [
        "worker killed while speaking",
        "worker killed while thinking",
        "worker killed between turns",
    ]
