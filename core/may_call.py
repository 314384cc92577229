"""Who may be called now, and if not, why not and from when. Read at the moment of dialling."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.calling_window import CallingWindow, is_open, next_opening

DAY_MS: Final = 86_400_000.0
WEEK_MS: Final = 7 * DAY_MS
NEVER: Final = float("inf")
_TRIES: Final = 64  # of finding a moment that suits window and limits both


class DncScope(StrEnum):
    """Who must not call the number."""

    GLOBAL = "global"
    TENANT = "tenant"
    CAMPAIGN = "campaign"


class Hindrance(StrEnum):
    """Why somebody is not called now."""

    DNC = "dnc"
    NO_CONSENT = "no_consent"
    CONSENT_REVOKED = "consent_revoked"
    CONSENT_EXPIRED = "consent_expired"
    UNKNOWN_ZONE = "unknown_zone"
    OUTSIDE_WINDOW = "outside_window"
    DAY_LIMIT = "day_limit"
    WEEK_LIMIT = "week_limit"
    CALLED_OFF = "called_off"  # the attempt was closed before it rang

    @property
    def passes(self) -> bool:
        """Whether waiting helps."""
        return self in _PASSING


_PASSING: Final = {Hindrance.OUTSIDE_WINDOW, Hindrance.DAY_LIMIT, Hindrance.WEEK_LIMIT}


@dataclass(frozen=True)
class ConsentOnRecord:
    """What the number's holder agreed to. Times in ms since the epoch."""

    given_ms: float
    revoked_ms: float | None = None
    expires_ms: float | None = None
    source: str = ""  # "web form 2026-03-01", for whoever audits the call


@dataclass(frozen=True)
class CallingRules:
    """What must hold for a call. The limits count attempts of all campaigns, in any 24 hours and any seven days."""

    window: CallingWindow = CallingWindow()
    needs_consent: bool = True
    most_a_day: int = 2
    most_a_week: int = 4


@dataclass(frozen=True)
class KnownOfNumber:
    """What is on record of a number."""

    zones: tuple[str, ...]  # each that its holder may be in
    dnc: frozenset[DncScope] = frozenset()
    consent: ConsentOnRecord | None = None
    attempts_ms: tuple[float, ...] = ()  # when it was dialled, by any campaign


def hindrances(rules: CallingRules, known: KnownOfNumber, now_ms: float) -> tuple[Hindrance, ...]:
    """All that stands against calling now; () if nothing does."""
    found = [Hindrance.DNC] if known.dnc else []
    if rules.needs_consent and (lack := lack_of_consent(known.consent, now_ms)):
        found.append(lack)
    if not known.zones:
        found.append(Hindrance.UNKNOWN_ZONE)
    elif not is_open(rules.window, known.zones, now_ms):
        found.append(Hindrance.OUTSIDE_WINDOW)
    if _within(known.attempts_ms, now_ms, DAY_MS) >= rules.most_a_day:
        found.append(Hindrance.DAY_LIMIT)
    if _within(known.attempts_ms, now_ms, WEEK_MS) >= rules.most_a_week:
        found.append(Hindrance.WEEK_LIMIT)
    return tuple(found)


def callable_from(rules: CallingRules, known: KnownOfNumber, now_ms: float) -> float | None:
    """The first moment at which nothing stands against it, as things are on record now. None: waiting does not help."""
    at: float | None = now_ms
    for _ in range(_TRIES):
        if at is None:
            return None
        found = hindrances(rules, known, at)
        if not found:
            return at
        if not all(hindrance.passes for hindrance in found):
            return None
        free = max(
            _free_from(known.attempts_ms, at, DAY_MS, rules.most_a_day),
            _free_from(known.attempts_ms, at, WEEK_MS, rules.most_a_week),
        )
        at = next_opening(rules.window, known.zones, free) if free < NEVER else None
    return None


def lack_of_consent(consent: ConsentOnRecord | None, now_ms: float) -> Hindrance | None:
    """Why there is no consent to a call now; None if there is one."""
    if consent is None or consent.given_ms > now_ms:
        return Hindrance.NO_CONSENT
    if consent.revoked_ms is not None and consent.revoked_ms >= consent.given_ms:
        return Hindrance.CONSENT_REVOKED
    if consent.expires_ms is not None and consent.expires_ms <= now_ms:
        return Hindrance.CONSENT_EXPIRED
    return None


def _within(attempts_ms: tuple[float, ...], now_ms: float, span_ms: float) -> int:
    return sum(at_ms > now_ms - span_ms for at_ms in attempts_ms)


def _free_from(attempts_ms: tuple[float, ...], now_ms: float, span_ms: float, most: int) -> float:
    """When fewer than ``most`` are left within the span; infinite if none is allowed at all."""
    if most <= 0:
        return NEVER
    kept = sorted(at_ms for at_ms in attempts_ms if at_ms > now_ms - span_ms)
    return now_ms if len(kept) < most else kept[len(kept) - most] + span_ms
