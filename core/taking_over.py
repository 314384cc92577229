"""What a supervisor in the browser changes in a live call. Times are ms since the epoch."""

from core.contracts.take_over import Desk, FloorGivenBack, FloorTaken, SupervisorSaid
from core.contracts.transfer import TransferOutcome, TransferRecord
from core.conversation import ToolResult
from core.live_call import LiveCall
from core.outcome import Disposition
from core.supervisor import Supervisor


def desk_of(live: LiveCall) -> Desk:
    """Where they hear it, and whether they may speak. A representative who is being called is no hindrance."""
    refusal = ""
    if live.ending is not None:
        refusal = "the call has ended or is ending"
    elif live.hand_over is not None or live.has_left:
        refusal = "the call is being connected to somebody already"
    return Desk(live.gateway.desk_url if live.gateway is not None else "", refusal)


def take_floor(live: LiveCall, taken: FloorTaken) -> None:
    """The gateway has given a supervisor the floor: the assistant has nothing to say until it is given back."""
    new = live.inbox.is_new(taken.attachment, taken.seq)
    if not new or taken.attachment != live.inbox.newest or live.over:
        return
    if live.supervisor is not None:
        close_take_over(live, taken.at_ms)
    live.supervisor = Supervisor(live.next_transfer, taken.by, taken.attachment, taken.at_ms)
    live.escalated = True
    live.silent = live.answer_again = False
    live.silences = 0
    if (pending := live.tools.take_pending()) is not None:  # a yes to the supervisor is none to that
        words = "a supervisor took the call over before the caller had said yes: it was not done"
        live.conversation.settled.tools.append(ToolResult(pending.call, False, words))


def overhear(live: LiveCall, said: SupervisorSaid) -> None:
    """What they have said; also what a gateway tells that has lost the call since."""
    if live.inbox.is_new(said.attachment, said.seq):
        live.overheard.append(said)
        live.overheard.sort(key=lambda one: (one.attachment, one.seq))


def give_floor_back(live: LiveCall, back: FloorGivenBack) -> None:
    """The assistant has the floor again."""
    new = live.inbox.is_new(back.attachment, back.seq)
    if new and live.supervisor is not None and live.supervisor.attachment == back.attachment:
        live.supervisor.back = back


def supervisor_is_done(live: LiveCall) -> bool:
    """Whether they speak no more: handed back, the call ends or goes elsewhere, or their stream is gone."""
    supervisor = live.supervisor
    if supervisor is None or supervisor.back is not None or live.over or live.has_left:
        return True
    return live.gateway is None or live.gateway.attachment != supervisor.attachment


def can_take_down(live: LiveCall) -> bool:
    """Whether something was said that has its place in the conversation."""
    return bool(live.inbox.turns) or any(said.turn <= live.conversation.now.number for said in live.overheard)


def take_down_overheard(live: LiveCall, *, all_of_it: bool = False) -> None:
    """Put what supervisors have said behind the turns it followed; what overtook its turn waits for it."""
    reached = live.conversation.now.number
    waiting = []
    for said in live.overheard:
        if all_of_it or said.turn <= reached:
            live.conversation.overhear(said.turn, said.text)
        else:
            waiting.append(said)
    live.overheard = waiting


def close_take_over(live: LiveCall, now_ms: float) -> TransferRecord | None:
    """It is over; what became of it."""
    supervisor, live.supervisor = live.supervisor, None
    if supervisor is None:
        return None
    outcome = _outcome(live, supervisor)
    if outcome in (TransferOutcome.TALKED, TransferOutcome.CONNECTION_LOST):
        live.returning = live.ending is None  # should the stream not come back, the caller left while they talked
    record = supervisor.record(outcome, now_ms)
    live.transfers.append(record)
    return record


def was_greeted(live: LiveCall) -> bool:
    """Whether the caller has heard anything of the assistant to its end."""
    said = (utterance for turn in live.conversation.turns for utterance in turn.utterances)
    return any(utterance.heard and not utterance.interrupted for utterance in said)


def is_unanswered(live: LiveCall) -> bool:
    """Whether the caller has had the last word."""
    now = live.conversation.now
    return bool(now.number and now.caller) and not now.supervisor and not now.said


def _outcome(live: LiveCall, supervisor: Supervisor) -> TransferOutcome:
    if supervisor.back is not None:
        return TransferOutcome.SUPERVISOR_LOST if supervisor.back.lost else TransferOutcome.HANDED_BACK
    if live.ending is not None:
        ended = live.ending.disposition
        return TransferOutcome.TALKED if ended is Disposition.TAKEN_OVER else TransferOutcome.WITHDRAWN
    if live.hand_over is not None or live.has_left:
        return TransferOutcome.WITHDRAWN
    return TransferOutcome.TALKED if live.stream_stopped else TransferOutcome.CONNECTION_LOST
