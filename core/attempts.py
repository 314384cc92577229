"""What an attempt to reach a contact came to, and whether and when to try again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from core.outcome import Disposition

MINUTE_S: Final = 60.0
HOUR_S: Final = 3_600.0


class AttemptOutcome(StrEnum):
    """The one outcome of an attempt."""

    REACHED = "reached"  # a person was spoken with
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    DROPPED = "dropped"  # answered, then lost before its end
    FAILED = "failed"  # the carrier could not, this time
    CALLBACK = "callback"  # they named a time
    BAD_NUMBER = "bad_number"
    DO_NOT_CALL = "do_not_call"  # asked for in the call, or told by their carrier
    NOT_ALLOWED = "not_allowed"  # refused at the moment of dialling; nothing rang
    CANCELED = "canceled"  # the campaign was, before it rang

    @property
    def rang(self) -> bool:
        """Whether the contact may have noticed: such attempts count for the limits per day and week."""
        return self not in {AttemptOutcome.NOT_ALLOWED, AttemptOutcome.CANCELED, AttemptOutcome.BAD_NUMBER}

    @property
    def answered(self) -> bool:
        """Whether a person had answered."""
        return self in {
            AttemptOutcome.REACHED,
            AttemptOutcome.DROPPED,
            AttemptOutcome.CALLBACK,
            AttemptOutcome.DO_NOT_CALL,
        }


class WhyNow(StrEnum):
    """What made an attempt due when it was."""

    FIRST = "first"  # their turn in the list
    RETRY = "retry"  # the pause after the last outcome is over
    CALLBACK = "callback"  # they named the time
    GOOD_HOUR = "good_hour"  # the number has answered about this hour before: others wait


def why_now(outcomes: Sequence[AttemptOutcome], *, good_hour: bool) -> WhyNow:
    """Of the next attempt, after these outcomes."""
    if outcomes and outcomes[-1] is AttemptOutcome.CALLBACK:
        return WhyNow.CALLBACK
    if good_hour:
        return WhyNow.GOOD_HOUR
    return WhyNow.RETRY if outcomes else WhyNow.FIRST


@dataclass(frozen=True)
class Retry:
    """After one kind of outcome: the pause, which doubles from one such outcome to the next, and how often in all."""

    pause_s: float
    most: int  # attempts again after this outcome
    doubles: bool = False


def _usual_retries() -> dict[AttemptOutcome, Retry]:
    return {
        AttemptOutcome.BUSY: Retry(15 * MINUTE_S, 3),
        AttemptOutcome.NO_ANSWER: Retry(3 * HOUR_S, 3, doubles=True),
        AttemptOutcome.VOICEMAIL: Retry(24 * HOUR_S, 1),
        AttemptOutcome.DROPPED: Retry(2 * MINUTE_S, 1),
        AttemptOutcome.FAILED: Retry(10 * MINUTE_S, 2, doubles=True),
        AttemptOutcome.CALLBACK: Retry(0.0, 2),
    }


@dataclass(frozen=True)
class RetryRules:
    """An outcome that is not named is final."""

    after: dict[AttemptOutcome, Retry] = field(default_factory=_usual_retries)
    most_attempts: int = 5  # of one contact, whatever came of them


def next_attempt(
    rules: RetryRules, outcomes: Sequence[AttemptOutcome], ended_ms: float, callback_ms: float | None = None
) -> float | None:
    """The earliest moment of the next attempt; the calling window may put it off. None: the last outcome stays.

    Args:
        rules: of the campaign.
        outcomes: of the contact's attempts so far, the newest last; never empty.
        ended_ms: when the newest ended.
        callback_ms: when they asked to be called, for ``CALLBACK``.
    """
    newest = outcomes[-1]
    retry = rules.after.get(newest)
    so_far = sum(outcome is newest for outcome in outcomes)
    if retry is None or so_far > retry.most or len(outcomes) >= rules.most_attempts:
        return None
    if newest is AttemptOutcome.CALLBACK and callback_ms is not None:
        return max(ended_ms, callback_ms)
    pause_s = retry.pause_s * 2.0 ** (so_far - 1) if retry.doubles else retry.pause_s
    return ended_ms + pause_s * 1_000


def outcome_of_call(
    disposition: Disposition, carrier_error: str = "", *, no_more_calls: bool = False, callback: bool = False
) -> AttemptOutcome:
    """What a call that has ended means to its campaign.

    Args:
        disposition: of the call.
        carrier_error: what the carrier told of a call that failed: the far carrier's SIP answer, or a code of its own.
        no_more_calls: they asked not to be called again.
        callback: they named a time that is still to come.
    """
    if no_more_calls:
        return AttemptOutcome.DO_NOT_CALL
    if disposition is Disposition.FAILED and _SIP_FAILURE.fullmatch(carrier_error):
        return outcome_of_sip(int(carrier_error))
    outcome = _OF_DISPOSITION.get(disposition, AttemptOutcome.REACHED)
    spoken_with = disposition in {
        Disposition.TRANSFERRED,
        Disposition.TAKEN_OVER,
    }  # by a person, who knows what follows
    return AttemptOutcome.CALLBACK if callback and outcome.answered and not spoken_with else outcome


_SIP_FAILURE: Final = re.compile(r"[3-6]\d\d")


_OF_DISPOSITION: Final = {
    Disposition.NO_ANSWER: AttemptOutcome.NO_ANSWER,
    Disposition.BUSY: AttemptOutcome.BUSY,
    Disposition.FAILED: AttemptOutcome.FAILED,
    Disposition.CANCELED: AttemptOutcome.NO_ANSWER,  # by the carrier, while it rang
    Disposition.VENDOR_FAILURE: AttemptOutcome.DROPPED,
    Disposition.CONNECTION_LOST: AttemptOutcome.DROPPED,
    Disposition.CALLER_SILENT: AttemptOutcome.DROPPED,
    Disposition.VOICEMAIL: AttemptOutcome.VOICEMAIL,
    Disposition.NOT_ALLOWED: AttemptOutcome.NOT_ALLOWED,
}


def outcome_of_sip(code: int) -> AttemptOutcome:
    """What the far carrier's final SIP answer to our call means.

    Source: RFC 3261, 21; RFC 8197 (607); RFC 8688 (608).
    """
    known = _OF_SIP.get(code)
    if known is None:
        return AttemptOutcome.REACHED if 200 <= code < 300 else AttemptOutcome.FAILED
    return known


_OF_SIP: Final = {
    404: AttemptOutcome.BAD_NUMBER,
    410: AttemptOutcome.BAD_NUMBER,
    484: AttemptOutcome.BAD_NUMBER,  # address incomplete
    604: AttemptOutcome.BAD_NUMBER,  # exists nowhere
    408: AttemptOutcome.NO_ANSWER,
    480: AttemptOutcome.NO_ANSWER,
    487: AttemptOutcome.NO_ANSWER,  # we stopped ringing
    486: AttemptOutcome.BUSY,
    600: AttemptOutcome.BUSY,
    603: AttemptOutcome.BUSY,  # declined, this time
    607: AttemptOutcome.DO_NOT_CALL,  # unwanted
}
