"""Percentiles and CPU seconds."""

import json
import math
import os
from pathlib import Path

from evals.figures import CpuMeter, percentile, spread, write_rows


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50.0
    assert percentile(values, 0.95) == 95.0
    assert percentile([7.0], 0.99) == 7.0


def test_no_values_have_no_percentile() -> None:
    assert math.isnan(percentile([], 0.5))
    assert all(isinstance(figure, float) and math.isnan(figure) for figure in spread([]).values())


def test_a_meter_adds_up_what_a_role_has_used_and_takes_a_process_that_is_gone_for_idle() -> None:
    meter = CpuMeter.start({"us": [os.getpid()], "gone": [2**22 + 1]})
    total = sum(number * number for number in range(3_000_000))
    used = meter.used()
    assert total > 0
    assert used["us"] > 0
    assert used["gone"] == 0


def test_rows_are_written_where_asked_and_nowhere_else(tmp_path: Path) -> None:
    write_rows(None, [{"p50_ms": 1.0}])
    write_rows(tmp_path / "rows.json", [{"p50_ms": 1.0}])
    assert json.loads((tmp_path / "rows.json").read_text()) == {"rows": [{"p50_ms": 1.0}]}
