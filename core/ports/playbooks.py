"""Where playbooks are kept, by name and by content."""

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
