"""Calls in which a vendor breaks: how long the caller hears nothing, and whether every line is answered."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from evals.callers import Callers, Script
from evals.figures import Row
from evals.sandbox_control import SandboxControl
from evals.stamps import count

FIRST_NUMBER = 20_001
STRUCK = "It is order {number} that I mean, how do I return something from it?"  # its number comes early
AFTER = "Where do I find the return label of order {number}?"
LINES_A_CALL = 2


@dataclass(frozen=True, slots=True)
class VendorFault:
    """One kind of fault: fields of sandbox.state.Fault; whether it strikes a line's words, or whatever comes next."""

    name: str
    fields: Mapping[str, Any]
    by_words: bool = True


FAULTS = (
    VendorFault("none", {}),
    VendorFault("recogniser_dropped", {"vendor": "deepgram", "kind": "drop"}),
    VendorFault("recogniser_mute", {"vendor": "deepgram", "kind": "mute"}),
    VendorFault(
        "recogniser_503", {"vendor": "deepgram", "kind": "status", "status": 503, "match": "/v2/listen"}, False
    ),
    VendorFault("recogniser_endless", {"vendor": "deepgram", "kind": "endless"}),
    VendorFault("model_529_four_times", {"vendor": "anthropic", "kind": "status", "status": 529, "times": 4}),
    VendorFault("model_no_byte", {"vendor": "anthropic", "kind": "stall"}),
    VendorFault("model_cut", {"vendor": "anthropic", "kind": "drop", "after": 8}),
    VendorFault("voice_dropped", {"vendor": "elevenlabs", "kind": "drop"}, False),
    VendorFault("voice_mute", {"vendor": "elevenlabs", "kind": "mute"}, False),
)


@dataclass(frozen=True, slots=True)
class FaultBench:
    """One measurement of one fault. ``fillers``: lines that are no answer (fixed ones of the playbook)."""

    sandbox: SandboxControl
    number: str
    fault: VendorFault
    calls: int
    latency: Mapping[str, float]
    fillers: Collection[str]

    async def run(self) -> Row:
        """Hold the calls with the fault switched on, and measure."""
        await self.sandbox.set_latency(**self.latency)
        await self.sandbox.lines_are_made()
        _, mark = await self.sandbox.timeline()
        numbers = range(FIRST_NUMBER, FIRST_NUMBER + self.calls)
        for number in numbers if self.fault.fields else ():
            matching = {"match": str(number)} if self.fault.by_words else {}
            await self.sandbox.add_fault({**self.fault.fields, **matching})
        try:
            calls = await Callers(self.sandbox, self.number, spread_s=4.0).hold([script_of(each) for each in numbers])
        finally:
            await self.sandbox.clear_faults()
        stamps, _ = await self.sandbox.timeline(mark)
        silences = [silence for call in calls for silence in silences_of(call)]
        unsaid = LINES_A_CALL * self.calls - len(silences)  # the call had ended before
        return {
            "fault": self.fault.name,
            "calls": self.calls,
            "struck": count(stamps, self.fault.fields.get("vendor", ""), "fault"),
            "lines": len(silences),
            "unanswered": unsaid + sum(unanswered_of(call, self.fillers) for call in calls),
            "silence_max_ms": max(silences, default=0.0),
            "silences_over_3_s": sum(silence > 3_000 for silence in silences),
            "transcribed_again": count(stamps, "deepgram", "prerecorded"),
        }


def script_of(number: int) -> Script:
    """Two lines: the first is struck, the second shows whether all is well again."""
    lines = (STRUCK.format(number=number), AFTER.format(number=number + 60_000))
    return [*({"say": line} for line in lines), {"wait": 0, "after": "reply"}, {"hang_up": True, "after": 4.0}]


def silences_of(call: Mapping[str, Any]) -> list[float]:
    """The longest silence after each line, ms of line time, up to the last of what was heard before the next line.

    After a line that brought nothing at all it lasts until the next, or until the call's end.
    """
    silences = []
    for line, until in _with_ends(call):
        heard = [one for one in call["heard"] if one["end_ms"] > line["end_ms"] and one["at_ms"] < until]
        quiet_since, longest = line["end_ms"], 0.0
        for one in heard:
            longest = max(longest, one["at_ms"] - quiet_since)
            quiet_since = one["end_ms"]
        silences.append(longest if heard else until - line["end_ms"])
    return silences


def unanswered_of(call: Mapping[str, Any], fillers: Collection[str]) -> int:
    """How many lines brought nothing but fillers and the like."""
    unanswered = 0
    for line, until in _with_ends(call):
        heard = " ".join(
            one["text"] for one in call["heard"] if one["end_ms"] > line["end_ms"] and one["at_ms"] < until
        )
        for filler in fillers:
            heard = heard.replace(filler, "")
        unanswered += not re.search(r"\w", heard)
    return unanswered


def _with_ends(call: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], float]]:
    """Each line, and where the next begins or the call ends, in ms of line time."""
    said = [line for line in call["said"] if line["speech_end_ms"] is not None]
    return [
        (line, following["at_ms"] if following else call["at_ms"])
        for line, following in zip(said, [*said[1:], None], strict=True)
    ]
