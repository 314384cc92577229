"""Which workflow code a worker runs: its build id at Temporal."""

import hashlib
from pathlib import Path
from typing import Final

_HOUSE: Final = Path(__file__).parent.parent
_DECIDES: Final = ("core", "workflows")  # the packages whose code decides what a workflow does


def build_id() -> str:
    """12 hex digits of the SHA-256 of the code that workflows run.

    The SDK's own default hashes every module that is loaded, vendors' SDKs included: seconds of CPU at each start.
    """
    digest = hashlib.sha256()
    for package in _DECIDES:
        for path in sorted((_HOUSE / package).rglob("*.py")):
            digest.update(path.relative_to(_HOUSE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
