"""What others tell a call. Nothing happens here: each message is only taken down, the story goes on in call.py."""

import re
from collections.abc import Sequence
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from core.contracts import names
from core.contracts.call import (
    AnswerOverdue,
    Attach,
    Attached,
    CallerSilent,
    CallerTurn,
    CallState,
    CarrierStatus,
    DialEnded,
    End,
    NextVerb,
    PlaybackReport,
    RecogniserFailed,
    ReplyLost,
    Say,
    StreamEnded,
    StreamStatus,
    TakeOver,
    Transfer,
    TurnAccepted,
    TurnWithdrawn,
)
from core.contracts.gateway import GatewayLost
from core.contracts.take_over import Desk, FloorGivenBack, FloorTaken, SupervisorSaid
from core.contracts.transfer import (
    Cause,
    NextForRepresentative,
    RepresentativeAsks,
    RepresentativeLeg,
    RepresentativeVerb,
    Wanted,
)
from core.conversation import TurnRecord
from core.live_call import Ending, LiveCall
from core.outcome import Disposition
from core.taking_over import desk_of, give_floor_back, overhear, take_floor
from workflows.call_view import call_details, call_state

LONGEST_LINE: Final = 600
E164: Final = re.compile(r"\+[1-9]\d{6,14}")


class CallMessages:
    """The signals, updates and queries of ``CallWorkflow``."""

    live: LiveCall

    # From the gateway

    @workflow.update(name=names.ATTACH)
    def attach(self, attach: Attach) -> Attached:
        """A media stream has started."""
        return self.live.attach(attach, _now_ms())

    @workflow.update(name=names.CALLER_TURN)
    def caller_turn(self, turn: CallerTurn) -> TurnAccepted:
        """The caller has spoken."""
        return self.live.hear_turn(turn, _now_ms())

    @workflow.signal(name=names.CALLER_TURN_AGAIN)
    def caller_turn_again(self, turn: CallerTurn) -> None:
        """The same, when the update's answer did not come in time."""
        self.live.hear_turn(turn, _now_ms())

    @workflow.signal(name=names.TURN_WITHDRAWN)
    def turn_withdrawn(self, withdrawn: TurnWithdrawn) -> None:
        """The caller goes on after what was probably a turn."""
        self.live.withdraw_turn(withdrawn)

    @workflow.signal(name=names.PLAYBACK_REPORT)
    def playback_report(self, report: PlaybackReport) -> None:
        """What the caller heard: from here on it is the caller's turn."""
        self.live.hear_report(report)
        workflow.set_current_details(call_details(self.live))

    @workflow.signal(name=names.REPLY_LOST)
    def reply_lost(self, lost: ReplyLost) -> None:
        """A worker's way to the gateway broke."""
        self.live.hear_lost(lost)

    @workflow.signal(name=names.STREAM_ENDED)
    def stream_ended(self, ended: StreamEnded) -> None:
        """The media stream is over."""
        self.live.end_stream(ended)

    @workflow.signal(name=names.GATEWAY_LOST)
    def gateway_lost(self, lost: GatewayLost) -> None:
        """A worker's control socket broke, and the gateway behind it is dead."""
        if lost.attachment == self.live.inbox.newest:
            self.live.lose_stream(stopped=False)

    @workflow.signal(name=names.CALLER_SILENT)
    def caller_silent(self, silence: CallerSilent) -> None:
        """Nobody has spoken for a while."""
        self.live.hear_silence(silence)

    @workflow.signal(name=names.ANSWER_OVERDUE)
    def answer_overdue(self, overdue: AnswerOverdue) -> None:
        """The caller has waited for long."""
        self.live.hear_overdue(overdue)

    @workflow.signal(name=names.RECOGNISER_FAILED)
    def recogniser_failed(self, failed: RecogniserFailed) -> None:
        """The caller cannot be understood any more."""
        self.live.hear_deaf(failed)

    @workflow.signal(name=names.FLOOR_TAKEN)
    def floor_taken(self, taken: FloorTaken) -> None:
        """A supervisor speaks to the caller."""
        take_floor(self.live, taken)

    @workflow.signal(name=names.SUPERVISOR_SAID)
    def supervisor_said(self, said: SupervisorSaid) -> None:
        """What a supervisor has said to the caller."""
        overhear(self.live, said)

    @workflow.signal(name=names.FLOOR_GIVEN_BACK)
    def floor_given_back(self, back: FloorGivenBack) -> None:
        """The supervisor speaks no more."""
        give_floor_back(self.live, back)

    # From the carrier, by the API

    @workflow.signal(name=names.CARRIER_STATUS)
    def carrier_status(self, status: CarrierStatus) -> None:
        """A status callback."""
        self.live.hear_carrier(status, _now_ms())

    @workflow.signal(name=names.STREAM_STATUS)
    def stream_status(self, status: StreamStatus) -> None:
        """The carrier's word on a media stream."""
        self.live.hear_stream_status(status)

    @workflow.signal(name=names.DIAL_ENDED)
    def dial_ended(self, dial: DialEnded) -> None:
        """The representative's leg is over."""
        self.live.hear_dial_ended(dial)

    @workflow.update(name=names.NEXT_VERB)
    def next_verb(self) -> NextVerb:
        """The carrier asks what to do now."""
        return self.live.next_verb(_now_ms())

    # From the representative's carrier, by the API

    @workflow.signal(name=names.REPRESENTATIVE_LEG)
    def representative_leg(self, told: RepresentativeLeg) -> None:
        """The carrier's word on a representative's leg."""
        if self.live.transfer is not None:
            self.live.transfer.hear_leg(told)

    @workflow.update(name=names.REPRESENTATIVE_ASKS)
    def representative_asks(self, asks: RepresentativeAsks) -> NextForRepresentative:
        """A representative has answered, or decided."""
        if self.live.transfer is None or self.live.ending is not None:
            return NextForRepresentative(RepresentativeVerb.HANG_UP)
        return self.live.transfer.answer(asks, _now_ms())

    # From operators

    @workflow.update(name=names.SAY)
    def say(self, say: Say) -> None:
        """Have the assistant say a line, after what it is saying."""
        self.live.lines.append(say.text.strip())

    @say.validator
    def _can_say(self, say: Say) -> None:
        self._refuse_if_over(called=False)
        if self.live.supervisor is not None:
            raise _refusal("call_taken_over", f"{self.live.supervisor.name} talks with the caller")
        _check_line(say.text)

    @workflow.update(name=names.TRANSFER)
    def transfer(self, transfer: Transfer) -> None:
        """Hand the call to a number."""
        if transfer.warm:
            wanted = Wanted(Cause.OPERATOR, number=transfer.to, reason=transfer.reason)
            self.live.call_for(wanted, _now_ms(), self.live.script.holding_line)
            return
        self.live.hand_to(transfer.to, Disposition.TRANSFERRED)

    @transfer.validator
    def _can_transfer(self, transfer: Transfer) -> None:
        self._refuse_if_over()
        _check_number(transfer.to)

    @workflow.update(name=names.TAKE_OVER)
    def take_over(self, take_over: TakeOver) -> None:
        """Put a supervisor in the assistant's place."""
        if take_over.warm:
            wanted = Wanted(Cause.SUPERVISOR, number=take_over.to, by=take_over.by, hands_back=take_over.hands_back)
            self.live.call_for(wanted, _now_ms())
            return
        self.live.hand_to(take_over.to, Disposition.TAKEN_OVER)

    @take_over.validator
    def _can_take_over(self, take_over: TakeOver) -> None:
        self._refuse_if_over()
        _check_number(take_over.to)

    @workflow.update(name=names.END)
    def end(self, end: End) -> None:
        """End the call, also one that is being transferred."""
        self.live.end(Ending(Disposition.ENDED_BY_OPERATOR, end.line.strip() if end.line else None))

    @end.validator
    def _can_end(self, end: End) -> None:
        if self.live.ending is not None:
            raise _refusal("call_ended", "the call has ended or is ending")
        if end.line is not None:
            _check_line(end.line)

    @workflow.query(name=names.STATE)
    def state(self) -> CallState:
        """Where the call stands, in words people use."""
        return call_state(self.live)

    @workflow.query(name=names.DESK)
    def desk(self) -> Desk:
        """Where a supervisor listens, and whether they may speak."""
        return desk_of(self.live)

    @workflow.query(name=names.TRANSCRIPT)
    def transcript(self) -> Sequence[TurnRecord]:
        """All turns so far."""
        return self.live.conversation.records()

    def _refuse_if_over(self, *, called: bool = True) -> None:
        """``called``: also while somebody is being called, who may take the call."""
        if self.live.ending is not None:
            raise _refusal("call_ended", "the call has ended or is ending")
        if self.live.hand_over is not None or self.live.has_left or (called and self.live.transfer is not None):
            raise _refusal("call_transferring", "the call is being connected to somebody already")


def _check_line(text: str) -> None:
    if not text.strip():
        raise _refusal("bad_input", "the text is empty")
    if len(text) > LONGEST_LINE:
        raise _refusal("bad_input", f"the text is longer than {LONGEST_LINE} characters")


def _check_number(number: str) -> None:
    if not E164.fullmatch(number):
        raise _refusal("bad_input", "that is no phone number like +12025550100")


def _refusal(kind: str, message: str) -> ApplicationError:
    return ApplicationError(message, type=kind, non_retryable=True)


def _now_ms() -> float:
    return workflow.time() * 1_000
