"""Which playbook answers a call: known at once, because a caller hears the line ring meanwhile."""

import asyncio
import time
from dataclasses import dataclass, field

import structlog

from core.contracts.playbook import PlaybookBrief, brief_of
from core.ports.errors import StorageUnavailable
from core.ports.playbooks import Playbooks

log = structlog.get_logger()

FRESH_SECONDS = 5.0  # how soon a changed playbook or route is noticed
WAIT_SECONDS = 0.5  # for the database


@dataclass
class AnsweringPlaybooks:
    """Remembers what was found for each number of ours; an old finding beats none while the database is away."""

    playbooks: Playbooks
    fresh_seconds: float = FRESH_SECONDS
    wait_seconds: float = WAIT_SECONDS
    _found: dict[str, tuple[float, PlaybookBrief]] = field(default_factory=dict)

    async def for_number(self, number: str) -> PlaybookBrief:
        """The playbook that answers this number of ours. Raises UnknownPlaybook, StorageUnavailable."""
        found = self._found.get(number)
        if found is not None and time.monotonic() - found[0] < self.fresh_seconds:
            return found[1]
        try:
            async with asyncio.timeout(self.wait_seconds):
                brief = brief_of(await self.playbooks.for_number(number))
        except (TimeoutError, StorageUnavailable) as error:
            log.warning("playbook_lookup_failed", error=str(error) or "no answer in time", have_older=found is not None)
            if found is None:
                raise StorageUnavailable("no playbook in time") from error
            brief = found[1]
        self._found[number] = (time.monotonic(), brief)
        return brief
