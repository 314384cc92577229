"""How fast and how much is dialled: the carrier account's rate, calls in flight, fairness, and when to stop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

AT_HAND_S: Final = 0.25  # a worker that keeps up has dialled by then
ABANDONED_MOST: Final = 0.03  # of answered calls over 30 days: 47 CFR 64.1200(a)(7)


@dataclass(frozen=True)
class Pace:
    """How much a campaign dials at once."""

    in_flight: int = 5  # attempts, at most
    per_representative: float = 0.0  # dialled for each free one at an answer rate of 1; 0: ``in_flight`` alone counts
    representatives: int = 0  # on duty, as whoever knows tells us, for ``per_representative``
    abandoned_most: float = ABANDONED_MOST


@dataclass(frozen=True)
class Answering:
    """How a campaign's attempts went over the last 30 days."""

    attempts: int = 0
    answered: int = 0
    abandoned: int = 0  # answered, and nobody was there in time


@dataclass(frozen=True)
class Talking:
    """Attempts whose contacts talk with a representative now."""

    own: int = 0  # of the campaign
    all: int = 0  # of every campaign whose contacts the same representatives are for


def further_attempts(pace: Pace, seen: Answering, in_flight: int, talking: Talking) -> int:
    """How many more may be in flight now. One free representative, one attempt, once too many calls were abandoned.

    Args:
        in_flight: the campaign's attempts that are not over, ``talking.own`` among them.
    """
    left = pace.in_flight - in_flight
    if pace.per_representative <= 0:
        return left
    free = max(0, pace.representatives - talking.all)
    may_want_one = in_flight - talking.own
    if seen.abandoned > pace.abandoned_most * seen.answered:
        return min(left, free - may_want_one)
    rate = max((seen.answered + 1) / (seen.attempts + 1), 0.05)  # nothing is known at first: as if all answered
    return min(left, int(free * max(1.0, pace.per_representative / min(rate, 1.0))) - may_want_one)


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


def places(per_second: float, free_ms: float, now_ms: float, until_ms: float, undialled: int = 0) -> int:
    """How often the carrier's account may dial before ``until_ms``: evenly spaced, and never made up for.

    Args:
        per_second: of the account, all its campaigns together.
        free_ms: the first moment that nobody has taken; a pause before now earns no burst.
        undialled: calls begun that no worker has come to dialling yet. Those of more than ``AT_HAND_S`` are a queue
            before the workers, in which callers on the line stand, too: so many fewer are begun.
    """
    queued = max(0.0, undialled - per_second * AT_HAND_S)
    return max(0, math.ceil((until_ms - max(now_ms, free_ms)) * per_second / 1_000 - queued))


@dataclass(frozen=True)
class BreakerRules:
    """When so many of the last attempts failed, something other than the contacts is wrong."""

    of_last: int = 20
    failed_share: float = 0.5
    rest_s: float = 120.0


@dataclass(frozen=True)
class Ended:
    """An attempt that is over; ``failed`` by the carrier or by us, not by a contact who is away."""

    failed: bool
    at_ms: float


def rests_until(rules: BreakerRules, recent: Sequence[Ended]) -> float | None:
    """Until when nobody is dialled because too much fails; then one attempt goes first, and decides. None: go on.

    Args:
        rules: of the campaign.
        recent: its last attempts, the newest first; at most ``of_last`` of them count.
    """
    looked_at = recent[: rules.of_last]
    if len(looked_at) < rules.of_last or not looked_at[0].failed:
        return None  # the newest went well: whatever was wrong is over
    if sum(ended.failed for ended in looked_at) < rules.failed_share * rules.of_last:
        return None
    return looked_at[0].at_ms + rules.rest_s * 1_000
