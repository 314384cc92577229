"""Which version of the workflows a worker runs: its build id at Temporal.

Most edits change nothing of what workflows tell Temporal to do. Workers with such an edit are of the same version and
take over the calls of those they replace. A changed command makes a new version, which runs beside the old one.
"""

import hashlib
from pathlib import Path
from typing import Final

KEPT: Final = Path(__file__).with_name("commands.txt")
"""The commands of every workflow, kept with the code; tests hold it equal to what the code says."""


def build_id() -> str:
    """The version of the workflows that this package holds."""
    return version_of(KEPT.read_text())


def version_of(commands: str) -> str:
    """12 hex digits of the SHA-256 of these commands."""
    return hashlib.sha256(commands.encode()).hexdigest()[:12]
