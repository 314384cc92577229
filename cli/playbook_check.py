"""holdfast playbook check: every fault of a playbook, one line each."""

import sys
from pathlib import Path

from cli.process import complaints
from cli.settings import Settings
from core.playbook import Fault, Playbook, PlaybookFaults, fault_at, parse_playbook


def run(files: list[Path]) -> None:
    """Check the files; prints faults to standard error and exits with 1 if there are any.

    What only this installation lacks, such as a secret, is a warning.
    """
    with complaints():
        hosts = Settings.read().tool_hosts
    faults: list[Fault] = []
    for file in files:
        try:
            playbook = read_playbook(file)
            found, warnings = _of_tools(playbook, file, hosts)
        except PlaybookFaults as error:
            faults += error.faults
            continue
        found += _of_documents(playbook, file)
        faults += found
        for warning in warnings:
            print(f"warning: {warning}", file=sys.stderr)
        if not found:
            print(f"{file}: {playbook.ref}: {len(playbook.steps)} steps, {len(playbook.tools)} tools, no fault")
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(1)


def _of_tools(playbook: Playbook, file: Path, hosts: tuple[str, ...]) -> tuple[list[Fault], list[Fault]]:
    """Faults and warnings."""
    if not playbook.tools:
        return [], []
    from cli.tool_check import environment_secrets, tool_faults

    text = file.read_text(encoding="utf-8")
    found: tuple[list[Fault], list[Fault]] = ([], [])
    for fault in tool_faults(playbook, environment_secrets(), hosts):
        told = fault_at(text, str(file), fault.at, fault.message, fault.wrote, fault.known)
        found[0 if fault.fatal else 1].append(told)
    return found


def _of_documents(playbook: Playbook, file: Path) -> list[Fault]:
    if not playbook.knowledge:
        return []
    from cli.knowledge_files import documents_of

    text = file.read_text(encoding="utf-8")
    return [fault_at(text, str(file), fault.at, str(fault)) for fault in documents_of(playbook, file).faults]


def read_playbook(file: Path) -> Playbook:
    """Read one file. Raises PlaybookFaults, also for a file that cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise PlaybookFaults([Fault(str(file), 1, "(file)", str(reason))]) from error
    return parse_playbook(text, str(file))
