"""A warm transfer under way, and what each message changes in it. No clock: times are arguments, ms since the epoch."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from core.contracts.transfer import (
    Briefing,
    Cause,
    NextForRepresentative,
    QueueOpened,
    RepresentativeAsks,
    RepresentativeLeg,
    RepresentativeVerb,
    TransferOutcome,
    TransferRecord,
    Wanted,
)
from core.conversation import Exchange, ToolResult
from core.outcome import CarrierState, Disposition

ACCEPT: Final = "1"

_OF_STATES: Final = {
    CarrierState.BUSY: TransferOutcome.BUSY,
    CarrierState.NO_ANSWER: TransferOutcome.NO_ANSWER,
    CarrierState.FAILED: TransferOutcome.FAILED,
    CarrierState.CANCELED: TransferOutcome.FAILED,
    CarrierState.COMPLETED: TransferOutcome.REPRESENTATIVE_HUNG_UP,
}
_MACHINES: Final = ("machine", "fax")


class Stage(StrEnum):
    """How far a transfer has come."""

    WANTED = "wanted"
    RINGING = "ringing"
    BRIEFING = "briefing"  # they have answered
    ACCEPTED = "accepted"  # the caller is on the way to them
    BRIDGED = "bridged"
    OVER = "over"


@dataclass
class Transfer:
    """One transfer of a call. Only the leg that rings now, ``leg``, is listened to: an older one is put down."""

    number: int  # of the call, from 1
    conference: str
    wanted: Wanted
    started_ms: float
    stage: Stage = Stage.WANTED
    queue: QueueOpened | None = None
    briefing: Briefing | None = None
    leg: int = 0
    to: str = ""
    carrier_call_id: str = ""  # the representative's leg
    leg_is_over: bool = False
    outcome: TransferOutcome | None = None  # of the leg that rings now, then of the whole
    tried: list[TransferOutcome] = field(default_factory=list)
    accepted_ms: float | None = None
    bridged_ms: float | None = None
    caller_is_back: bool = False

    @property
    def has_caller(self) -> bool:
        """Whether the caller is with the representative, or on the way there: not ours to talk to."""
        return self.stage in (Stage.ACCEPTED, Stage.BRIDGED)

    @property
    def decided(self) -> bool:
        """Whether the representative called now will take the call, or will not."""
        return self.outcome is not None or (self.stage is not Stage.RINGING and self.stage is not Stage.BRIEFING)

    @property
    def next_words(self) -> str:
        """One line: what it waits for."""
        whom = self.wanted.queue or self.wanted.by or self.to or self.wanted.number
        match self.stage:
            case Stage.BRIEFING:
                return f"brief {whom}, who decides whether to take the call"
            case Stage.ACCEPTED:
                return f"put the caller through to {whom}"
            case Stage.BRIDGED:
                return f"nothing: the caller talks with {whom}"
        return f"reach {whom} for the caller"

    @property
    def disposition(self) -> Disposition:
        """How a call ends that is with the representative."""
        return Disposition.TAKEN_OVER if self.wanted.cause is Cause.SUPERVISOR else Disposition.TRANSFERRED

    def ring(self, to: str) -> None:
        """The next representative is called."""
        if self.outcome is not None:
            self.tried.append(self.outcome)
        self.leg += 1
        self.to, self.carrier_call_id = to, ""
        self.stage, self.outcome, self.leg_is_over = Stage.RINGING, None, False

    def fail(self, outcome: TransferOutcome) -> None:
        """It comes to nothing; the first reason stays."""
        self.outcome = self.outcome or outcome

    def hear_leg(self, told: RepresentativeLeg) -> None:
        """The carrier's word, perhaps late or repeated."""
        if (told.transfer, told.leg) != (self.number, self.leg) or self.stage is Stage.OVER:
            return
        self.carrier_call_id = self.carrier_call_id or told.carrier_call_id
        if told.answered_by.startswith(_MACHINES) and not self.has_caller:
            self.fail(TransferOutcome.VOICEMAIL)
        if told.state in set(CarrierState) and CarrierState(told.state).final:
            self.leg_is_over = True
            self.fail(_OF_STATES[CarrierState(told.state)])

    def answer(self, asks: RepresentativeAsks, now_ms: float) -> NextForRepresentative:
        """What a representative's leg does next. A machine presses no key, so none is ever connected."""
        late = (asks.transfer, asks.leg) != (self.number, self.leg) or self.leg_is_over or self.outcome is not None
        if late or self.stage is Stage.OVER:
            return NextForRepresentative(RepresentativeVerb.HANG_UP)
        self.carrier_call_id = self.carrier_call_id or asks.carrier_call_id
        if asks.keys is None and not self.has_caller:
            self.stage = Stage.BRIEFING
            queue = self.queue or QueueOpened(())
            said = f"{self.briefing.whisper if self.briefing else ''} {queue.keys_line}".strip()
            return NextForRepresentative(RepresentativeVerb.BRIEF, said, queue.language)
        if asks.keys != ACCEPT and not self.has_caller:
            self.fail(TransferOutcome.DECLINED if asks.keys else TransferOutcome.NO_ANSWER)
            return NextForRepresentative(RepresentativeVerb.HANG_UP)
        if not self.has_caller:
            self.stage, self.accepted_ms = Stage.ACCEPTED, now_ms
        return NextForRepresentative(RepresentativeVerb.JOIN, conference=self.conference)

    def bridge(self, now_ms: float) -> str:
        """The caller's leg has asked: the conference it is to join."""
        self.stage, self.bridged_ms = Stage.BRIDGED, self.bridged_ms or now_ms
        return self.conference

    def caller_left(self) -> None:
        """The caller's leg has left the conference and is ours again."""
        if self.has_caller:
            self.fail(TransferOutcome.REPRESENTATIVE_HUNG_UP)
            self.stage, self.caller_is_back = Stage.OVER, True

    def record(self, *, ended_ms: float | None = None, callback: bool = False) -> TransferRecord:
        """The whole transfer."""
        return TransferRecord(
            transfer=self.number,
            queue=self.wanted.queue,
            cause=self.wanted.cause,
            reason=self.wanted.reason,
            number=self.to,
            summary=self.briefing.summary if self.briefing else "",
            whisper=self.briefing.whisper if self.briefing else "",
            started_ms=self.started_ms,
            outcome=self.outcome,
            accepted_ms=self.accepted_ms,
            bridged_ms=self.bridged_ms,
            ended_ms=ended_ms,
            callback=callback,
            by=self.wanted.by,
            tried=tuple(outcome.value for outcome in self.tried),
        )


def plain_briefing(
    wanted: Wanted,
    caller_number: str,
    variables: dict[str, str],
    recent: Iterable[Exchange],
    done: Iterable[ToolResult],
) -> Briefing:
    """A briefing without a model: what is known, in the caller's last words."""
    said = [exchange.caller for exchange in recent if exchange.caller]
    why = wanted.reason or _WHY[wanted.cause]
    about = wanted.context or (f"They said last: {said[-1]}" if said else "Nothing was said yet.")
    worked = [tool.call.name for tool in done if tool.ok]
    lines = [f"Caller {caller_number}. {why}", about]
    lines += [f"{name.replace('_', ' ')}: {value}" for name, value in sorted(variables.items())]
    if worked:
        lines.append(f"Done so far: {', '.join(worked)}.")
    lines += [f"Caller: {text}" for text in said[-4:]]
    return Briefing(whisper=f"A caller needs you. {why} {about}", summary="\n".join(lines))


_WHY: Final = {
    Cause.REQUEST: "They asked for a person.",
    Cause.POLICY: "The playbook wants a person for this.",
    Cause.LOW_CONFIDENCE: "The assistant could not tell what they want.",
    Cause.MOOD: "They are upset.",
    Cause.TOOL_FAILURE: "Our systems failed.",
    Cause.KEY: "They pressed the key for a person.",
    Cause.FAILURE: "The assistant cannot go on.",
    Cause.OPERATOR: "An operator is putting them through.",
    Cause.SUPERVISOR: "You are taking this call over.",
}


def unreached_words(outcome: TransferOutcome, *, callback: bool) -> str:
    """What the model is told when the caller is its own again."""
    words = _WORDS.get(outcome, "nobody took the call")
    if callback:
        return f"{words}; a callback is noted: tell the caller that a colleague will call back"
    return f"{words}; tell the caller, and offer what else you can do"


_WORDS: Final = {
    TransferOutcome.CLOSED: "no colleague is there at this hour",
    TransferOutcome.BUSY: "all colleagues are on other calls",
    TransferOutcome.REPRESENTATIVE_HUNG_UP: "the colleague has left the call",
}
