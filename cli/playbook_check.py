"""holdfast playbook check: every fault of a playbook, one line each."""

import sys
from pathlib import Path

from core.playbook import Fault, Playbook, PlaybookFaults, parse_playbook


def run(files: list[Path]) -> None:
    """Check the files; prints faults to standard error and exits with 1 if there are any."""
    faults: list[Fault] = []
    for file in files:
        try:
            playbook = read_playbook(file)
        except PlaybookFaults as error:
            faults += error.faults
        else:
            print(f"{file}: {playbook.ref}: {len(playbook.steps)} steps, {len(playbook.tools)} tools, no fault")
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(1)


def read_playbook(file: Path) -> Playbook:
    """Read one file. Raises PlaybookFaults, also for a file that cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise PlaybookFaults([Fault(str(file), 1, "(file)", str(reason))]) from error
    return parse_playbook(text, str(file))
