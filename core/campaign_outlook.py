"""Whom a campaign could call, counted contact by contact."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

from core.calling_window import next_opening
from core.may_call import CallingRules, Hindrance, KnownOfNumber, callable_from, hindrances

_LIMITS: Final = {Hindrance.DAY_LIMIT, Hindrance.WEEK_LIMIT}


@dataclass(frozen=True)
class Outlook:
    """Whom a campaign could call, by what is on record now."""

    contacts: int  # in all, of whom
    looked_at: int  # were looked at: the counts below are of these
    now: int = 0
    later: int = 0
    done: int = 0  # called already, or called off
    first_ms: float | None = None  # when the first of those who wait may be called
    never: dict[Hindrance, int] = field(default_factory=dict)  # waiting does not help
    waits: dict[Hindrance, int] = field(default_factory=dict)  # of those who may be called later
    zones: tuple[str, ...] = ()  # where most of those are who may be called


class Looking:
    """Counts. It remembers zones, of which there are some hundreds, and nothing of a contact.

    Args:
        rules: of the campaign.
        contacts: in all, as far as is known before.
        now_ms: the moment that is asked about.
    """

    def __init__(self, rules: CallingRules, contacts: int, now_ms: float) -> None:
        self._rules = rules
        self._contacts = contacts
        self._now_ms = now_ms
        self._looked_at = self._now = self._later = self._done = 0
        self._first_ms: float | None = None
        self._never: Counter[Hindrance] = Counter()
        self._waits: Counter[Hindrance] = Counter()
        self._zones: Counter[tuple[str, ...]] = Counter()
        self._opens: dict[tuple[str, ...], float | None] = {}  # by zones, the next opening of the calling window

    def at_done(self) -> None:
        """Look at one who is called no more."""
        self._looked_at += 1
        self._done += 1

    def at(self, known: KnownOfNumber) -> None:
        """Look at one who waits, or is being called."""
        self._looked_at += 1
        found = hindrances(self._rules, known, self._now_ms)
        lasting = next((hindrance for hindrance in found if not hindrance.passes), None)
        if lasting is not None:
            self._never[lasting] += 1
            return
        from_ms = self._callable_from(known, found) if found else self._now_ms
        if from_ms is None:
            self._never[self._why_never(known, found)] += 1
            return
        self._zones[known.zones] += 1
        self._first_ms = from_ms if self._first_ms is None else min(self._first_ms, from_ms)
        if found:
            self._later += 1
            self._waits.update(found)
        else:
            self._now += 1

    def so_far(self) -> Outlook:
        """What was found. More contacts than there were before have come meanwhile."""
        zones = max(self._zones, key=lambda zones: self._zones[zones], default=())
        contacts = max(self._contacts, self._looked_at)
        counts = (self._now, self._later, self._done, self._first_ms)
        return Outlook(contacts, self._looked_at, *counts, dict(self._never), dict(self._waits), zones)

    def _callable_from(self, known: KnownOfNumber, found: tuple[Hindrance, ...]) -> float | None:
        """As ``callable_from``; where only the hour is wrong, all who share zones share the answer."""
        if not _LIMITS.isdisjoint(found):
            return callable_from(self._rules, known, self._now_ms)
        if known.zones not in self._opens:
            self._opens[known.zones] = next_opening(self._rules.window, known.zones, self._now_ms)
        opens_ms = self._opens[known.zones]
        if opens_ms is None or hindrances(self._rules, known, opens_ms):  # until then a consent may have expired
            return None
        return opens_ms

    def _why_never(self, known: KnownOfNumber, found: tuple[Hindrance, ...]) -> Hindrance:
        """Why waiting does not help against what passes with time."""
        without_consent = replace(self._rules, needs_consent=False)
        if self._rules.needs_consent and callable_from(without_consent, known, self._now_ms) is not None:
            return Hindrance.CONSENT_EXPIRED
        return found[0]
