"""Whether a follow-up may be sent, to whom, and what it says."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import phonenumbers
from phonenumbers import timezone

from core.contracts.after_call import Means, Outcome, SendFollowUp
from core.playbook_after import RECORDED, AfterCallChoice, FollowUp, filled
from core.quiet_hours import not_before

_ADDRESS: Final = re.compile(r"[^@\s<>,;:\"\\()\[\]]+@[^@\s<>,;:\"\\()\[\]]+\.[^@\s<>,;:\"\\()\[\]]+")
_NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True)
class Ready:
    """A message that may go out now."""

    means: Means
    to: str
    subject: str
    text: str


def prepared(choice: AfterCallChoice, request: SendFollowUp, now_ms: float) -> Ready | Outcome:
    """The message, or why there is none, or none yet."""
    follow_up = choice.follow_up(request.name)
    if follow_up is None:
        return Outcome("the playbook has no such message", skipped=True)
    if why := _not_wanted(follow_up, request):
        return Outcome(why, skipped=True)
    values = request.fields | {f"variables.{name}": value for name, value in request.variables.items()}
    values |= {"caller_number": request.caller_number, "our_number": request.our_number}
    try:
        text = filled(follow_up.text, values)
        subject = filled(follow_up.subject or "", values)
        to = filled(follow_up.to or "{caller_number}", values)
    except KeyError as error:
        return Outcome(f"the call did not tell {error.args[0]!r}", skipped=True)
    means = Means(follow_up.by)
    if not (_NUMBER if means is Means.SMS else _ADDRESS).fullmatch(to):
        return Outcome("there is no address to send it to", skipped=True)
    early = not_before(now_ms, choice.quiet_hours.hours, _zones(choice, request.caller_number))
    if early is not None:
        moment = datetime.fromtimestamp(early / 1_000, UTC)
        return Outcome(f"quiet hours until {moment:%Y-%m-%d %H:%M} UTC", not_before_ms=early)
    return Ready(means, to, " ".join(subject.split()), text)


def _not_wanted(follow_up: FollowUp, request: SendFollowUp) -> str:
    """Why it is not to be sent; "" if it is. A refusal by key counts more than anything said."""
    if follow_up.when and (request.disposition is None or request.disposition.value not in follow_up.when):
        return f"not after a call that ended as {request.disposition.value if request.disposition else 'unknown'}"
    if request.consent is False:
        return "the caller has refused"
    asked = request.consent if follow_up.consent == RECORDED else request.fields.get(follow_up.consent)
    if asked is not True:
        return "no consent"
    if follow_up.only_if is not None and request.fields.get(follow_up.only_if) in (None, False, ""):
        return f"{follow_up.only_if!r} does not hold"
    return ""


def _zones(choice: AfterCallChoice, number: str) -> list[str]:
    """Where the person may be: as the playbook says, else all time zones of the number's place."""
    if choice.quiet_hours.timezone:
        return [choice.quiet_hours.timezone]
    try:
        return list(timezone.time_zones_for_number(phonenumbers.parse(number)))
    except phonenumbers.NumberParseException:
        return []
