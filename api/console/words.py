"""Values as people read them. Pure; the templates' filters."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import phonenumbers

from core.agenda import NO_STEP
from core.contracts.after_call import StepStatus
from core.contracts.call import Phase
from core.outcome import Disposition
from core.timings import (
    END_OF_TURN,
    GATEWAY,
    HELD,
    HOP,
    MODEL,
    RETRIED,
    SENTENCE,
    STEP,
    TOOLS,
    TRANSCRIPT,
    VOICE,
    WAITED,
)

OUTCOMES: Final = {
    Disposition.COMPLETED: ("Completed", "good"),
    Disposition.CALLER_HUNG_UP: ("Caller hung up", "plain"),
    Disposition.TRANSFERRED: ("Transferred", "plain"),
    Disposition.TAKEN_OVER: ("Taken over", "plain"),
    Disposition.ENDED_BY_OPERATOR: ("Ended by operator", "plain"),
    Disposition.CALLER_SILENT: ("Caller silent", "warn"),
    Disposition.VENDOR_FAILURE: ("Vendor failure", "bad"),
    Disposition.CONNECTION_LOST: ("Connection lost", "bad"),
    Disposition.NO_ANSWER: ("No answer", "warn"),
    Disposition.BUSY: ("Busy", "warn"),
    Disposition.FAILED: ("Failed", "bad"),
    Disposition.CANCELED: ("Canceled", "plain"),
    Disposition.VOICEMAIL: ("Voicemail", "warn"),
    Disposition.NOT_ALLOWED: ("Not allowed", "warn"),
}
PHASES: Final = {
    Phase.DIALLING: ("Dialling", "wait"),
    Phase.RINGING: ("Ringing", "wait"),
    Phase.CONNECTING: ("Connecting", "wait"),
    Phase.LIVE: ("Live", "live"),
    Phase.TRANSFERRING: ("Transferring", "warn"),
    Phase.ENDED: ("Ended", "plain"),
}
STEPS: Final = {
    StepStatus.WAITING: ("Waits", "plain"),
    StepStatus.RUNNING: ("Under way", "wait"),
    StepStatus.RETRYING: ("Failed, tried again", "warn"),
    StepStatus.DONE: ("Done", "good"),
    StepStatus.SKIPPED: ("Not done", "plain"),
    StepStatus.GAVE_UP: ("Given up", "bad"),
}
LAYER_NAMES: Final = {
    END_OF_TURN: "End of turn",
    WAITED: "Waited",
    TRANSCRIPT: "Transcript",
    HOP: "Workflow",
    STEP: "Step",
    RETRIED: "Retried",
    TOOLS: "Tools",
    MODEL: "Model",
    SENTENCE: "Sentence",
    VOICE: "Voice",
    GATEWAY: "Gateway",
    HELD: "Held",
}


def phone(number: str) -> str:
    """A number in its country's groups; anything else as it is."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number or "unknown"
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def readable(name: str) -> str:
    """A name out of a playbook or a program, as words."""
    if name == NO_STEP:
        return "No step"
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def outcome(disposition: Disposition | None) -> tuple[str, str]:
    """A disposition in words, and its tone."""
    return OUTCOMES[disposition] if disposition else ("Not known", "plain")


def phase(name: str) -> tuple[str, str]:
    """A phase in words, and its tone."""
    return PHASES[Phase(name)] if name in set(Phase) else (readable(name), "plain")


def step(status: str) -> tuple[str, str]:
    """Where a step after the call stands, in words, and its tone."""
    return STEPS[StepStatus(status)]


def span(ms: float) -> str:
    """A length of time as a clock shows it: 0:07, 12:40, 1:02:03."""
    minutes, seconds = divmod(max(0, int(ms)) // 1_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def iso(at_ms: float) -> str:
    """A moment as <time datetime> has it."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc(at_ms: float) -> str:
    """A moment for those whose browser runs no script; the others see it in their own time zone."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def milliseconds(value: float | None) -> str:
    """820 ms, 1,240 ms; a dash for what is not known."""
    return f"{value:,.0f}\u202fms" if isinstance(value, int | float) else "–"


def percent(share: float) -> str:
    """0.92 as 92 %."""
    return f"{share * 100:.0f}\u202f%"


def usd(amount: float) -> str:
    """Cents matter, and so do their parts."""
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.4f}"


def pretty(value: Any) -> str:
    """JSON with its structure to be seen; text that is no JSON as it is."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)


def unheard(said: str, heard: str) -> str:
    """What was sent and not heard any more; nothing where the two do not begin alike."""
    return said[len(heard) :].rstrip() if said.startswith(heard) else ""
