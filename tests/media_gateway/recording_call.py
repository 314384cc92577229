"""A call's workflow that does nothing but remember what the gateway told it."""

from dataclasses import dataclass
from typing import Any

from temporalio import workflow

from core.contracts import names
from core.contracts.call import (
    AnswerOverdue,
    Attach,
    Attached,
    CallerSilent,
    CallerTurn,
    PlaybackReport,
    RecogniserFailed,
    ReplyLost,
    StreamEnded,
    TurnAccepted,
    TurnWithdrawn,
)
from core.contracts.gateway import GatewayLost
from core.contracts.take_over import FloorGivenBack, FloorTaken, SupervisorSaid
from core.turns import TurnTaking


@dataclass(frozen=True)
class Answers:
    """What the workflow says to the gateway."""

    accepted: bool = True
    next_turn: int = 1
    turn_taking: TurnTaking = TurnTaking()
    turns: bool = True  # False: it never says that it has heard one


@dataclass(frozen=True)
class Wanted:
    """Wait until ``count`` messages named ``message`` have come."""

    message: str
    count: int = 1


@workflow.defn(name=names.CALL_WORKFLOW)
class RecordingCall:
    """Speaks the contract's side of the call, and gives up what it has heard."""

    def __init__(self) -> None:
        self._heard: list[tuple[str, Any]] = []
        self._over = False

    @workflow.run
    async def run(self, answers: Answers) -> None:
        """Until told that it is over."""
        self._answers = answers
        await workflow.wait_condition(lambda: self._over)
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update(name=names.ATTACH)
    async def attach(self, attach: Attach) -> Attached:
        """As the answers say."""
        self._heard.append((names.ATTACH, attach))
        await workflow.wait_condition(lambda: hasattr(self, "_answers"))
        answers = self._answers
        return Attached(answers.accepted, answers.next_turn, answers.turn_taking)

    @workflow.update(name=names.CALLER_TURN)
    async def caller_turn(self, turn: CallerTurn) -> TurnAccepted:
        """Take it."""
        self._heard.append((names.CALLER_TURN, turn))
        await workflow.wait_condition(lambda: self._answers.turns or self._over)
        return TurnAccepted(turn.turn)

    @workflow.signal(name=names.CALLER_TURN_AGAIN)
    def caller_turn_again(self, turn: CallerTurn) -> None:
        """Take it."""
        self._heard.append((names.CALLER_TURN_AGAIN, turn))

    @workflow.signal(name=names.PLAYBACK_REPORT)
    def playback_report(self, report: PlaybackReport) -> None:
        """Take it."""
        self._heard.append((names.PLAYBACK_REPORT, report))

    @workflow.signal(name=names.TURN_WITHDRAWN)
    def turn_withdrawn(self, withdrawn: TurnWithdrawn) -> None:
        """Remember it."""
        self._heard.append((names.TURN_WITHDRAWN, withdrawn))

    @workflow.signal(name=names.GATEWAY_LOST)
    def gateway_lost(self, lost: GatewayLost) -> None:
        """Take it."""
        self._heard.append((names.GATEWAY_LOST, lost))

    @workflow.signal(name=names.REPLY_LOST)
    def reply_lost(self, lost: ReplyLost) -> None:
        """Take it."""
        self._heard.append((names.REPLY_LOST, lost))

    @workflow.signal(name=names.STREAM_ENDED)
    def stream_ended(self, ended: StreamEnded) -> None:
        """Take it."""
        self._heard.append((names.STREAM_ENDED, ended))

    @workflow.signal(name=names.CALLER_SILENT)
    def caller_silent(self, silent: CallerSilent) -> None:
        """Take it."""
        self._heard.append((names.CALLER_SILENT, silent))

    @workflow.signal(name=names.ANSWER_OVERDUE)
    def answer_overdue(self, overdue: AnswerOverdue) -> None:
        """Take it."""
        self._heard.append((names.ANSWER_OVERDUE, overdue))

    @workflow.signal(name=names.RECOGNISER_FAILED)
    def recogniser_failed(self, failed: RecogniserFailed) -> None:
        """Take it."""
        self._heard.append((names.RECOGNISER_FAILED, failed))

    @workflow.signal(name=names.FLOOR_TAKEN)
    def floor_taken(self, taken: FloorTaken) -> None:
        """Take it."""
        self._heard.append((names.FLOOR_TAKEN, taken))

    @workflow.signal(name=names.SUPERVISOR_SAID)
    def supervisor_said(self, said: SupervisorSaid) -> None:
        """Take it."""
        self._heard.append((names.SUPERVISOR_SAID, said))

    @workflow.signal(name=names.FLOOR_GIVEN_BACK)
    def floor_given_back(self, back: FloorGivenBack) -> None:
        """Take it."""
        self._heard.append((names.FLOOR_GIVEN_BACK, back))

    @workflow.update
    async def wait_for(self, wanted: Wanted) -> list[Any]:
        """The messages of one name, once there are enough."""

        def found() -> list[Any]:
            return [body for message, body in self._heard if message == wanted.message]

        await workflow.wait_condition(lambda: len(found()) >= wanted.count)
        return found()

    @workflow.query
    def order(self) -> list[str]:
        """The names of all messages, as they came."""
        return [message for message, _ in self._heard]

    @workflow.signal
    def hang_up(self) -> None:
        """The call is over."""
        self._over = True
