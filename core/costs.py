"""What a call cost its vendors, by their public list prices."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.contracts.call import CallRecord, Direction
from core.contracts.transfer import Cause
from core.conversation import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """One line of a price list. ``item`` stands for all names that begin with it; the longest that fits counts."""

    vendor: str
    item: str
    unit: str  # what is counted: "input_tokens" | "output_tokens" | "characters" | "seconds" | "minutes"
    usd: float  # for ``per`` units
    per: float = 1.0
    date: str = "2026-06-01"  # when the list was read, ISO


@dataclass(frozen=True, slots=True)
class CostLine:
    """So much of one thing. Without a known price ``unit_usd`` is None and ``usd`` 0: shown, not counted."""

    vendor: str
    item: str
    unit: str
    quantity: float
    unit_usd: float | None
    usd: float
    priced_on: str = ""  # the price's date, ISO


LIST_PRICES: Final = (
    Price("anthropic", "claude-haiku", "input_tokens", 1.00, per=1e6),
    Price("anthropic", "claude-haiku", "output_tokens", 5.00, per=1e6),
    Price("anthropic", "claude-sonnet", "input_tokens", 3.00, per=1e6),
    Price("anthropic", "claude-sonnet", "output_tokens", 15.00, per=1e6),
    Price("anthropic", "claude-opus", "input_tokens", 5.00, per=1e6),
    Price("anthropic", "claude-opus", "output_tokens", 25.00, per=1e6),
    Price("elevenlabs", "eleven_", "characters", 0.10, per=1e3),
    Price("elevenlabs", "eleven_flash", "characters", 0.05, per=1e3),
    Price("elevenlabs", "eleven_turbo", "characters", 0.05, per=1e3),
    Price("deepgram", "aura-2", "characters", 0.03, per=1e3),
    Price("deepgram", "flux", "seconds", 0.0077, per=60),
    Price("deepgram", "nova-3", "seconds", 0.0077, per=60),
    Price("deepgram", "nova-3 (again)", "seconds", 0.0043, per=60),  # kept audio, not a stream
    Price("carrier", "voice_inbound", "minutes", 0.0085),  # the carrier, for local numbers in the US
    Price("carrier", "voice_outbound", "minutes", 0.0140),
    Price("carrier", "media_stream", "minutes", 0.0040),
)
"""US list prices without volume discounts. A model family's price stands for its newer models, too."""


def costs_of(record: CallRecord, prices: Sequence[Price] = LIST_PRICES) -> tuple[CostLine, ...]:
    """The lines of a call's bill at its end: model tokens, voice characters, recogniser seconds, carrier minutes.

    Talk is from answer to end, so a call that is not answered, or not over, has no recogniser or carrier lines.
    """
    counted = (
        *_model_use(record),
        *_voice_use(record),
        *_withdrawn_use(record),
        *_beside_use(record),
        *_line_use(record),
        *_heard_again_use(record),
        *_supervisors_use(record),
    )
    return tuple(_priced(*line, prices) for line in counted if line[-1] > 0)


def costs_of_model(usage: Usage, prices: Sequence[Price] = LIST_PRICES) -> tuple[CostLine, ...]:
    """The lines for tokens that a model took beside the talk, as for the summary after it."""
    return tuple(_priced(*line, prices) for line in _tokens([usage]) if line[-1] > 0)


WITHDRAWN: Final = " (withdrawn)"
AGAIN: Final = " (again)"
SUPERVISOR: Final = " (supervisor)"
BESIDE: Final = " (hedge)"

_Use = tuple[str, str, str, float]  # vendor, item, unit, quantity


def _model_use(record: CallRecord) -> Iterator[_Use]:
    return _tokens([usage for turn in record.turns for usage in (turn.usage, turn.step_usage)])


def _tokens(usages: Sequence[Usage]) -> Iterator[_Use]:
    for model in sorted({usage.model for usage in usages if usage.model}):
        used = [usage for usage in usages if usage.model == model]
        vendor = "anthropic" if model.startswith("claude") else "openai"
        yield vendor, model, "input_tokens", sum(usage.input_tokens for usage in used)
        yield vendor, model, "output_tokens", sum(usage.output_tokens for usage in used)


def _voice_use(record: CallRecord) -> Iterator[_Use]:
    own = f"elevenlabs {record.call.playbook.voice_model}"
    for voice in sorted({turn.usage.voice for turn in record.turns} | {""}):
        vendor, _, model = (voice or own).partition(" ")
        used = (turn.usage.characters for turn in record.turns if turn.usage.voice == voice)
        yield vendor, model, "characters", sum(used)


def _withdrawn_use(record: CallRecord) -> Iterator[_Use]:
    """What answers took that were made ahead of a turn's end and never let go: lines of their own."""
    for vendor, item, unit, quantity in _tokens(record.withdrawn):
        yield vendor, f"{item}{WITHDRAWN}", unit, quantity
    characters = sum(usage.characters for usage in record.withdrawn)
    yield "elevenlabs", f"{record.call.playbook.voice_model}{WITHDRAWN}", "characters", characters


def _beside_use(record: CallRecord) -> Iterator[_Use]:
    """What models took that were asked beside those that answered: lines of their own."""
    for vendor, item, unit, quantity in _tokens(record.beside):
        yield vendor, f"{item}{BESIDE}", unit, quantity


def _line_use(record: CallRecord) -> Iterator[_Use]:
    if record.answered_ms is None or record.ended_ms is None:
        return
    seconds = max(0.0, record.ended_ms - record.answered_ms) / 1_000
    minutes = math.ceil(seconds / 60)  # the carrier rounds up
    inbound = record.call.direction is Direction.INBOUND
    vendor, recogniser = _recogniser(record)
    yield vendor, recogniser, "seconds", round(seconds, 3)
    yield "carrier", "voice_inbound" if inbound else "voice_outbound", "minutes", minutes
    yield "carrier", "media_stream", "minutes", minutes


def _heard_again_use(record: CallRecord) -> Iterator[_Use]:
    """What the second transcription of unsure turns took: lines of their own, as the live stream is paid too."""
    for by in sorted({again.by for again in record.heard_again}):
        vendor, _, model = by.partition(" ")
        seconds = sum(again.seconds for again in record.heard_again if again.by == by)
        yield vendor, f"{model}{AGAIN}", "seconds", round(seconds, 3)


def _supervisors_use(record: CallRecord) -> Iterator[_Use]:
    """What recognising supervisors took who spoke from the browser: a second live stream while they had the floor."""
    vendor, recogniser = _recogniser(record)
    spoken = (take_over for take_over in record.transfers if take_over.cause is Cause.SUPERVISOR)
    seconds = sum(
        max(0.0, take_over.ended_ms - take_over.bridged_ms) / 1_000
        for take_over in spoken
        if not take_over.number and take_over.bridged_ms is not None and take_over.ended_ms is not None
    )
    yield vendor, f"{recogniser}{SUPERVISOR}", "seconds", round(seconds, 3)


def _recogniser(record: CallRecord) -> tuple[str, str]:
    """Vendor and model of the live stream."""
    model = record.call.playbook.turn_taking.recogniser
    return "gladia" if model == "gladia" else "deepgram", model


def _priced(vendor: str, item: str, unit: str, quantity: float, prices: Sequence[Price]) -> CostLine:
    fitting = [p for p in prices if (p.vendor, p.unit) == (vendor, unit) and item.startswith(p.item)]
    if not fitting:
        return CostLine(vendor, item, unit, quantity, None, 0.0)
    price = max(fitting, key=lambda p: len(p.item))
    unit_usd = price.usd / price.per
    return CostLine(vendor, item, unit, quantity, unit_usd, quantity * unit_usd, price.date)
