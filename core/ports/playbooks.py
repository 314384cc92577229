"""Where playbooks are kept, by name and by content."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.playbook import Playbook


class Playbooks(Protocol):
    """Versions are kept: a live call stays on the one it began with."""

    async def load(self, ref: str) -> Playbook:
        """The playbook with exactly this reference "name@hash". Raises UnknownPlaybook."""
        ...

    async def latest(self, name: str) -> Playbook:
        """The newest version. Raises UnknownPlaybook."""
        ...

    async def for_number(self, number: str) -> Playbook:
        """The newest playbook that answers this number of ours, else the default one. Raises UnknownPlaybook."""
        ...

    async def names(self) -> list[str]:
        """All names, sorted."""
        ...


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version that was published. Times are ms since the epoch."""

    ref: str
    created_ms: float
    published_ms: float  # for the last time


class PlaybookVersions(Protocol):
    """Where versions come from and are looked at; beside calls, never in one."""

    async def put(self, name: str, text: str) -> Playbook:
        """Make the text the newest version. Raises PlaybookFaults, also if the text has another name."""
        ...

    async def versions(self, name: str) -> Sequence[KeptVersion]:
        """All, the newest first. Raises UnknownPlaybook."""
        ...

    async def text(self, ref: str) -> str:
        """The text as it was written. Raises UnknownPlaybook."""
        ...
