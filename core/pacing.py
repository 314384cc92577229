"""How fast and how much is dialled: the carrier account's rate, calls in flight, fairness, and when to stop."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

ABANDONED_MOST: Final = 0.03  # of answered calls over 30 days: 47 CFR 64.1200(a)(7)


@dataclass(frozen=True)
class Pace:
    """How much a campaign dials at once."""

    in_flight: int = 5  # attempts, at most
    per_representative: float = 0.0  # dialled for each free one at an answer rate of 1; 0: ``in_flight`` alone counts
    abandoned_most: float = ABANDONED_MOST


@dataclass(frozen=True)
class Answering:
    """How a campaign's attempts went over the last 30 days."""

    attempts: int = 0
    answered: int = 0
    abandoned: int = 0  # answered, and nobody was there in time


def attempts_allowed(pace: Pace, seen: Answering, free_representatives: int) -> int:
    """How many may be in flight now. One representative, one attempt, once too many calls were abandoned."""
    if pace.per_representative <= 0:
        return pace.in_flight
    if seen.abandoned > pace.abandoned_most * seen.answered:
        return min(pace.in_flight, free_representatives)
    rate = max((seen.answered + 1) / (seen.attempts + 1), 0.05)  # nothing is known at first: as if all answered
    return min(pace.in_flight, int(free_representatives * max(1.0, pace.per_representative / min(rate, 1.0))))


@dataclass(frozen=True)
class Want:
    """A campaign that would dial."""

    campaign: str
    tenant: str
    priority: int  # the higher goes first
    most: int  # further attempts it may and can make now
    in_flight: int = 0


def share_out(free: int, wants: Sequence[Want]) -> dict[str, int]:
    """Divide ``free`` dials among campaigns, each named once.

    The higher priority is served whole before the next. Among equals each dial goes to the tenant with the fewest
    in flight, and within it to the campaign with the fewest: a tenant gains nothing by many campaigns.
    """
    given = dict.fromkeys((want.campaign for want in wants), 0)
    busy: dict[str, int] = {}
    for want in wants:
        busy[want.tenant] = busy.get(want.tenant, 0) + want.in_flight
    for _ in range(free):
        open_wants = [want for want in wants if given[want.campaign] < want.most]
        if not open_wants:
            break
        chosen = min(
            open_wants,
            key=lambda want: (-want.priority, busy[want.tenant], want.in_flight + given[want.campaign], want.campaign),
        )
        given[chosen.campaign] += 1
        busy[chosen.tenant] += 1
    return given


@dataclass
class Metronome:
    """The carrier account's calls per second, evenly spaced and never made up for: a pause earns no burst."""

    per_second: float
    _free_ms: float = 0.0

    def reserve(self, now_ms: float) -> float:
        """Take the next dial's place; returns its moment."""
        at_ms = max(now_ms, self._free_ms)
        self._free_ms = at_ms + 1_000 / self.per_second
        return at_ms


@dataclass(frozen=True)
class BreakerRules:
    """When so many of the last attempts failed, something other than the contacts is wrong."""

    of_last: int = 20
    failed_share: float = 0.5
    rest_s: float = 120.0


@dataclass
class CampaignBreaker:
    """Stops dialling when too much fails. After its rest one attempt goes first: it decides."""

    rules: BreakerRules = BreakerRules()
    recent: list[bool] = field(default_factory=list)  # True: it failed
    rests_until_ms: float | None = None
    trying: bool = False

    def may_dial(self, now_ms: float) -> bool:
        """Whether an attempt may begin; once it does, tell by ``began``."""
        if self.rests_until_ms is None:
            return True
        return now_ms >= self.rests_until_ms and not self.trying

    def began(self) -> None:
        """An attempt has begun."""
        self.trying = self.rests_until_ms is not None

    def ended(self, failed: bool, now_ms: float) -> None:
        """An attempt is over; ``failed`` by the carrier or by us, not by a contact who is away."""
        if self.rests_until_ms is not None:
            if not self.trying:
                return  # it began before the rest
            self.trying = False
            self.rests_until_ms = now_ms + self.rules.rest_s * 1_000 if failed else None
            self.recent.clear()
            return
        self.recent = [*self.recent, failed][-self.rules.of_last :]
        if len(self.recent) == self.rules.of_last and sum(self.recent) >= self.rules.failed_share * len(self.recent):
            self.rests_until_ms = now_ms + self.rules.rest_s * 1_000
            self.recent.clear()
