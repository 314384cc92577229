"""Percentiles, CPU seconds of processes, and rows of figures with their units in the key names."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = dict[str, str | int | float]


class LoadFailed(Exception):
    """The machine is too busy for a bench, or a process of its load has ended: its own words are on standard error."""


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile (``share`` 0 to 1); NaN for no values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def spread(values: Sequence[float], unit: str = "ms") -> Row:
    """p50, p95, p99 and the worst of some times, rounded to 0.1."""
    return {
        f"p50_{unit}": round(percentile(values, 0.50), 1),
        f"p95_{unit}": round(percentile(values, 0.95), 1),
        f"p99_{unit}": round(percentile(values, 0.99), 1),
        f"max_{unit}": round(max(values, default=math.nan), 1),
    }


def cpu_seconds(pid: int) -> float:
    """CPU time a process with all its threads has used, from /proc (Linux). 0 for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class CpuMeter:
    """What each named process has used since the meter was started. Roles with several processes are added up."""

    pids: Mapping[str, Sequence[int]]
    before: Mapping[str, float]

    @classmethod
    def start(cls, pids: Mapping[str, Sequence[int]]) -> "CpuMeter":
        """Begin now."""
        return cls(pids, {role: sum(map(cpu_seconds, group)) for role, group in pids.items()})

    def used(self) -> dict[str, float]:
        """Role -> CPU seconds since the start."""
        return {role: sum(map(cpu_seconds, group)) - self.before[role] for role, group in self.pids.items()}


def write_rows(path: Path | None, rows: Sequence[Row]) -> None:
    """The --json file of a bench: {"rows": [...]}."""
    if path is not None:
        path.write_text(json.dumps({"rows": list(rows)}, indent=2) + "\n")
