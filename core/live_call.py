"""The state of a live call, and what each message changes in it. Continue-as-new carries it on as it is."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.backchannels import only_greets
from core.contracts.call import (
    AnswerOverdue,
    Attach,
    Attached,
    CallerSilent,
    CallerTurn,
    CallInput,
    CarrierStatus,
    Consent,
    DialEnded,
    Direction,
    GatewayAddress,
    NextVerb,
    Phase,
    PlaybackReport,
    RecogniserFailed,
    ReplyKey,
    ReplyLost,
    StreamEnded,
    StreamStatus,
    TurnAccepted,
    TurnWithdrawn,
    Verb,
)
from core.contracts.playbook import PlaybookBrief
from core.contracts.take_over import SupervisorSaid
from core.contracts.transfer import Cause, TransferRecord, Wanted
from core.conversation import Conversation, Step, ToolCall, ToolResult, Turn, Utterance
from core.fillers import in_rotation, without_fillers
from core.inbox import Inbox
from core.languages import Leaning, asked_for, lean
from core.manner import Manner
from core.memory import Memory, Source
from core.mood import heated_turns, manner_for
from core.outcome import NOT_REACHED, CarrierState, Disposition, LegState
from core.playbook import TRANSFER_TOOL
from core.read_back import has_read_back, hear_answer
from core.screening import BEEP, Screening
from core.serving import follow_up
from core.speculation import words_key
from core.supervisor import Supervisor
from core.tool_memory import ToolMemory
from core.transfer import Transfer
from core.turns import ANSWER_OVERLAP_MS
from core.wish_phrases import Wish
from core.wishes import heed, wishes_in
from core.words import words_of


class Opening(StrEnum):
    """What a new media stream begins with."""

    GREETING = "greeting"
    WELCOME_BACK = "welcome_back"


@dataclass(frozen=True)
class Ending:
    """How the call ends. ``line`` is spoken first; ``by_carrier``: in the carrier's voice, as ours has failed."""

    disposition: Disposition
    line: str | None = None
    by_carrier: bool = False


@dataclass(frozen=True)
class HandOver:
    """The caller is to be connected to somebody; ``line`` is spoken first, as in ``Ending``."""

    number: str
    disposition: Disposition
    line: str | None = None
    by_carrier: bool = False
    dialled: bool = False  # the carrier was told to


@dataclass
class LiveCall:
    """Messages change it, scenes of the workflow read it. No clock: times are arguments, ms since the epoch."""

    call: CallInput
    started_ms: float
    phase: Phase
    carrier_call_id: str | None
    conversation: Conversation
    inbox: Inbox = field(default_factory=Inbox)
    leg: LegState = field(default_factory=LegState)
    answered_ms: float | None = None
    ended_ms: float | None = None
    gateway: GatewayAddress | None = None  # None: no media stream now
    stream_id: str = ""
    stream_stopped: bool = False  # how the last stream ended: by the carrier's stop, or lost
    carrier_asked: bool = False  # since the stream ended: the carrier asked what to do next
    handed_over: bool = False  # the last stream was closed by our own gateway, and nothing was lost with it
    opening: Opening | None = None  # due on the present stream
    answer_again: bool = False  # the last turn has to be answered, perhaps once more
    unfinished: Step | None = None  # where the last answer leads, whose stream was lost before it had led there
    unheard: bool = False  # speech went down with the last stream; calls of older versions answer again then
    lines: list[str] = field(default_factory=list)  # of operators, to be spoken
    silences: int = 0  # prompts in a row
    silent: bool = False  # the gateway has just said so
    lost: ReplyLost | None = None
    overdue: bool = False  # the reply that is being made takes too long
    idle: bool = False  # there was nothing left to do
    hand_over: HandOver | None = None
    escalated: bool = False  # a representative was needed
    consents: list[Consent] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    leaning: Leaning = Leaning()
    manner: Manner = Manner()
    screening: Screening = Screening()
    fillers_said: int = 0
    withdrawn: bool = False  # the running eager turn was none
    turn_came_ms: float = 0.0  # the newest one, for good or eager
    transfer: Transfer | None = None  # a representative is being called, or has the caller
    transfers: list[TransferRecord] = field(default_factory=list)  # that are over
    supervisor: Supervisor | None = None  # who talks with the caller from the browser
    overheard: list[SupervisorSaid] = field(default_factory=list)  # of supervisors, to be taken down
    returning: bool = False  # a representative has left the caller, whom we do not have back yet
    ending: Ending | None = None
    carrier_error: str = ""
    no_more_calls: bool = False  # they do not want to be called again
    calls_forbidden: bool = False  # which is on record
    tools: ToolMemory = field(default_factory=ToolMemory)

    @classmethod
    def begin(cls, call: CallInput, now_ms: float) -> "LiveCall":
        """Before anything has happened."""
        outbound = call.direction is Direction.OUTBOUND
        return cls(
            call=call,
            started_ms=now_ms,
            phase=Phase.DIALLING if outbound else Phase.CONNECTING,
            carrier_call_id=call.carrier_call_id,
            conversation=Conversation.begin(call.playbook.start_step, now_ms),
            answered_ms=None if outbound else now_ms,
        )

    @property
    def script(self) -> PlaybookBrief:
        """The playbook's fixed lines in the language that is spoken now."""
        return self.call.playbook.spoken_in(self.language)

    @property
    def over(self) -> bool:
        """Whether the talk is over: the call ends or is handed to somebody."""
        return self.ending is not None or self.hand_over is not None

    @property
    def leg_is_over(self) -> bool:
        """Whether the carrier has told that nobody is on the line any more."""
        return self.leg.state is not None and self.leg.state.final

    @property
    def interrupted(self) -> bool:
        """Whether something has come that a reply must not hold up."""
        gone = self.over or self.gateway is None or self.has_left or self.supervisor is not None
        return gone or bool(self.inbox.turns) or self.withdrawn

    @property
    def next_transfer(self) -> int:
        """The number of the next representative's talk with the caller."""
        return len(self.transfers) + (self.transfer is not None) + (self.supervisor is not None) + 1

    @property
    def has_left(self) -> bool:
        """Whether the caller is with a representative, or on the way there."""
        return self.transfer is not None and self.transfer.has_caller

    def stands(self, line: str) -> bool:
        """Whether the line is said to its end, as far as it is protected: what the caller says is answered after it."""
        return self.conversation.now.eager is None and self.call.playbook.protected.sentences_in(line) > 0

    @property
    def cut_off(self) -> bool:
        """Whether something has come that stops even such a line."""
        return self.over or self.gateway is None

    @property
    def hold(self) -> str:
        """The words whose end a reply to the running turn has to wait for; "" if they have ended."""
        now = self.conversation.now
        return "" if now.eager is None else words_key(now.caller)

    @property
    def moods(self) -> tuple[str, ...]:
        """The caller's in each turn so far, "" where nobody has told."""
        return tuple(turn.mood for turn in self.conversation.turns if turn.number > 0 and turn.eager is None)

    @property
    def mood(self) -> str:
        """The newest that is known."""
        return next(filter(None, reversed(self.moods)), "")

    @property
    def vexed(self) -> bool:
        """Whether the caller has been upset for so long that a person should go on."""
        playbook = self.call.playbook
        after = playbook.mood.escalate_after
        return bool(after and playbook.has_people) and heated_turns(self.moods) >= after

    @property
    def fillers(self) -> tuple[str, ...]:
        """Those to be said next, in their order: none twice in a turn, and none twice in a row."""
        fillers = self.script.fillers
        return in_rotation(fillers, self.fillers_said)[: max(0, len(fillers) - self.conversation.now.fillers)]

    def count_fillers(self, turn: Turn, said: int) -> None:
        """So many more were said in this turn."""
        self.fillers_said += said
        turn.fillers += said

    @property
    def answered(self) -> bool:
        """Whether something was said in the running turn, beyond fillers."""
        return bool(without_fillers(self.conversation.now.said, self.script.fillers))

    @property
    def owes_answer(self) -> bool:
        """Whether nothing was said to the caller's last turn: a gateway went while its step was found or a tool ran."""
        now = self.conversation.now
        return now.number > 0 and now.eager is None and not self.answered

    @property
    def has_work(self) -> bool:
        """Whether it is our turn to do something."""
        waiting = self.opening or self.answer_again or self.lines or self.silent or self.inbox.eager
        return self.interrupted or bool(waiting)

    def settle(self, step: Step) -> None:
        """The step of a turn that is no mere guess: what the turn plainly tells is known from now on."""
        number = self.conversation.now.number
        for name, value in step.slots.items():
            self.memory.learn(name, value, Source.CALLER, number)
        if not step.detour:
            self.memory.go_to(self.conversation.now.step, number)
        follow_up(self.memory, self.call.playbook, step, self.conversation.now.step, number)

    def hear_answer_to_slots(self, said: str) -> None:
        """What the caller says may be the yes or no to values that were just read back to them."""
        heard = self._last_heard()
        if hear_answer(self.memory, self.call.playbook.confirms, heard, said, self.language) is not None:
            self.memory.answered = self.conversation.now.number

    @property
    def awaits_yes(self) -> bool:
        """Whether values were just read back."""
        return has_read_back(self.memory, self.call.playbook.confirms, self._last_heard(), self.language)

    def _last_heard(self) -> str:
        turns = reversed(self.conversation.turns)
        return next((said for turn in turns if (said := turn.exchange().assistant)), "")

    def remember_tool(self, turn: int, result: ToolResult) -> None:
        """What a tool was given and has told."""
        playbook = self.call.playbook
        slots = {name for names in playbook.collects.values() for name in names}
        self.memory.did(turn, result, slots, playbook.told, playbook.confirms.keys())

    @property
    def missing(self) -> list[str]:
        """Slots that the present step has still to find out."""
        playbook = self.call.playbook
        slots = playbook.collects.get(self.conversation.settled.step, ())
        return [name for name in slots if name not in self.memory.slots and name not in playbook.optional]

    @property
    def unconfirmed(self) -> list[str]:
        """Slots whose value has still to be read back."""
        slots, confirms = self.memory.slots, self.call.playbook.confirms
        return [name for name, known in slots.items() if name in confirms and not known.confirmed]

    @property
    def unsaid(self) -> tuple[str, ...]:
        """What the playbook wants said before the call ends, and was not."""
        heard = " ".join(word for turn in self.conversation.turns for word in words_of(turn.heard or turn.said))
        return tuple(line for line in self.script.must_say if " ".join(words_of(line)) not in heard)

    def feel(self, turn: Turn, mood: str) -> None:
        """The caller's mood in a turn has become known, perhaps late; from now on they are spoken to accordingly."""
        if mood:
            turn.mood = mood
            self.manner = manner_for(self.manner, self.mood, self.call.playbook.mood)

    @property
    def language(self) -> str:
        """The language of the talk."""
        return self.manner.language or self.call.playbook.turn_taking.language

    def end(self, ending: Ending) -> None:
        """The first ending stays."""
        self.ending = self.ending or ending

    def hand_to(self, number: str, disposition: Disposition, line: str | None = None) -> None:
        """Connect the caller to somebody; what has begun before goes on."""
        if not self.over:
            self.hand_over = HandOver(number, disposition, line)
            self.escalated = True

    def call_for(self, wanted: Wanted, now_ms: float, line: str | None = None) -> None:
        """A representative is to be called while we keep the caller company; what has begun before goes on."""
        if self.over or self.transfer is not None:
            return
        number = self.next_transfer
        self.transfer = Transfer(number, f"{self.call.call_id}-{number}", wanted, now_ms)
        self.escalated = True
        if line:
            self.lines.append(line)

    def escalate(
        self,
        cause: Cause,
        now_ms: float,
        *,
        queue: str = "",
        line: str | None = None,
        reason: str = "",
        context: str = "",
    ) -> None:
        """A person is needed: the queue's, who are briefed first, or where there are none, whom the playbook names."""
        playbook = self.call.playbook
        if (chosen := playbook.queue(queue)) is not None:
            self.call_for(Wanted(cause, queue=chosen.name, reason=reason, context=context), now_ms, line)
        elif playbook.transfer_to:
            self.hand_to(playbook.transfer_to, Disposition.TRANSFERRED, line)

    def fail(self) -> None:
        """We cannot go on by ourselves: apologise, then hand over where the playbook says to whom, else end."""
        playbook = self.call.playbook
        if self.transfer is not None:
            return  # somebody is being called: the caller is not put off before that has come to nothing
        if playbook.queues and not self.over and all(past.cause is not Cause.FAILURE for past in self.transfers):
            line = self.script.apology
            self.call_for(Wanted(Cause.FAILURE, queue=playbook.queues[0].name), self.conversation.now.started_ms, line)
        elif playbook.transfer_to:
            self.hand_to(playbook.transfer_to, Disposition.VENDOR_FAILURE, self.script.apology)
        elif not self.over:
            self.end(Ending(Disposition.VENDOR_FAILURE, self.script.apology))

    def lose_voice(self) -> None:
        """We cannot even speak: what is still to be said is the carrier's to say, an apology if nothing else."""
        self.fail()
        if self.ending is not None:
            self.ending = replace(self.ending, line=self.ending.line or self.script.apology, by_carrier=True)
        elif self.hand_over is not None:
            self.hand_over = replace(self.hand_over, by_carrier=True)

    def key(self, utterance: Utterance) -> ReplyKey:
        """How the gateway knows this piece of the running turn."""
        return ReplyKey(utterance.attachment, self.conversation.now.number, utterance.part, utterance.attempt)

    # The gateway

    def attach(self, attach: Attach, now_ms: float) -> Attached:
        """A media stream has started. The newest wins; told twice is told once; its token is good for one stream."""
        repeated = attach.attachment == self.inbox.newest
        another = repeated and (self.gateway != _address(attach) or self.stream_id != attach.stream_id)
        if self.over or not self.inbox.attach(attach.attachment) or another:
            return Attached(accepted=False)
        if not repeated:
            self._take_stream(attach, now_ms)
        next_turn = self.inbox.last_turn(self.conversation.settled.number) + 1
        rules = replace(self.call.playbook.turn_taking, language=self.language)
        return Attached(accepted=True, next_turn=next_turn, turn_taking=rules)

    def _take_stream(self, attach: Attach, now_ms: float) -> None:
        self.gateway = _address(attach)
        self.stream_id = attach.stream_id
        self.carrier_call_id = self.carrier_call_id or attach.carrier_call_id
        self.carrier_asked = self.silent = False
        self.answered_ms = self.answered_ms or now_ms
        self.phase = Phase.LIVE
        self.withdrawn = self.conversation.now.eager is not None  # only a gateway that is gone knew the turn's end
        unheard = self.conversation.lose_unheard()
        greeted = any(said.heard for said in self.conversation.turns[0].utterances)
        talked = self.conversation.settled.number > 0
        if greeted or talked:
            self.opening = Opening.WELCOME_BACK
            self.unheard = unheard and talked
        else:
            self.opening = Opening.GREETING

    def hear_turn(self, turn: CallerTurn, now_ms: float) -> TurnAccepted:
        """The caller has spoken, or probably has, told by update or signal or both."""
        if turn.withdrawn_seq is not None:
            self.withdraw_turn(TurnWithdrawn(turn.attachment, turn.withdrawn_seq))
        new = self.inbox.put_eager(turn, self.conversation.settled.number) if turn.eager else self.inbox.put(turn)
        if new:
            self.turn_came_ms = now_ms
        if turn.eager or not new:
            return TurnAccepted(turn.turn, known=not new)
        self.silences, self.silent = 0, False
        wishes = wishes_in(turn.text, self.language)
        self.manner = heed(self.manner, wishes)
        self.no_more_calls = self.no_more_calls or Wish.NO_CALLS in wishes
        if self._was_foreseen(turn):
            self.inbox.turns.remove(turn)
            self.conversation.commit(self.conversation.now, turn.confidence, turn.timings.decided_ms)
            self.heed_language(turn)
        return TurnAccepted(turn.turn)

    def heed_hellos(self, now_ms: float) -> None:
        """The greeting was said to its end, now: it has answered those who said no more than "hello?" before that.

        What comes as it ends ("yes") answers its question.
        """
        waiting, said = self.inbox.turns, self.conversation.now.utterances
        heard = bool(said) and bool(said[-1].heard) and not said[-1].interrupted
        if not heard or now_ms - self.turn_came_ms <= ANSWER_OVERLAP_MS:
            return
        if not all(turn.keyed is None and only_greets(turn.text, self.language) for turn in waiting):
            return
        for turn in self.inbox.take_turns():
            self.conversation.hear(turn.turn, turn.text, turn.confidence, turn.timings.decided_ms)

    def _was_foreseen(self, turn: CallerTurn) -> bool:
        now = self.conversation.now
        same = now.eager is not None and now.number == turn.turn and turn.attachment == self.inbox.newest
        return same and not self.withdrawn and words_key(now.caller) == words_key(turn.text)

    def language_after(self, turn: CallerTurn) -> str:
        """What the call would be spoken in after this turn."""
        return self._lean(turn)[1] or self.language

    def heed_language(self, turn: CallerTurn) -> None:
        """Go over to another language if the turn says so: prompt, voice, fixed lines and recogniser follow."""
        self.leaning, wanted = self._lean(turn)
        if wanted and wanted != self.language:
            self.leaning, self.manner = Leaning(), replace(self.manner, language=wanted)

    def _lean(self, turn: CallerTurn) -> tuple[Leaning, str]:
        known = self.call.playbook.languages
        if len(known) < 2:
            return self.leaning, ""
        if turn.keyed is not None:
            return self.leaning, turn.keyed.language
        if asked := asked_for(turn.text, known):
            return self.leaning, asked
        return lean(self.leaning, turn.languages, turn.words, self.language, known)

    def withdraw_turn(self, withdrawn: TurnWithdrawn) -> None:
        """The caller goes on after what was probably a turn."""
        if not self.inbox.withdraw(withdrawn.attachment, withdrawn.seq):
            return
        eager = self.conversation.now.eager
        self.withdrawn = eager is not None and eager < withdrawn.seq

    def drop_eager_turn(self) -> None:
        """The running turn was none: nothing of it has happened."""
        self.withdrawn = False
        self.conversation.drop()

    def hear_report(self, report: PlaybackReport) -> None:
        """What the caller heard of a reply; also from a gateway that has lost the call since."""
        key = report.key
        if not self.inbox.is_new(key.attachment, report.seq):
            return
        spoken = (key.attachment, key.part, key.attempt)
        turn = self.conversation.heard(
            key.turn,
            spoken,
            report.heard,
            interrupted=report.interrupted,
            played_ms=report.played_ms,
            talk_over_ms=report.talk_over_ms,
            last=report.last,
            lost=not report.complete and not report.interrupted,
        )
        if turn and report.layers:
            turn.layers = dict(report.layers)

    def hear_lost(self, lost: ReplyLost) -> None:
        """A worker's way to the gateway broke."""
        if self.inbox.is_new(lost.key.attachment, lost.seq):
            self.lost = lost

    def hear_silence(self, silence: CallerSilent) -> None:
        """Nobody has spoken for a while. No news while we are about to."""
        new = self.inbox.is_new(silence.attachment, silence.seq)
        if new and silence.attachment == self.inbox.newest:
            self.silent = not self.interrupted and not self.conversation.now.making

    def hear_overdue(self, overdue: AnswerOverdue) -> None:
        """The caller waits for us. Try again what we are at, or answer if we thought that we had."""
        if not self.inbox.is_new(overdue.attachment, overdue.seq) or overdue.attachment != self.inbox.newest:
            return
        if self.supervisor is not None:
            return
        if self.idle:
            self.answer_again = self.conversation.settled.number > 0
            self.opening = None if self.answer_again else Opening.GREETING
        elif self.conversation.now.making:
            self.overdue = True

    def hear_deaf(self, failed: RecogniserFailed) -> None:
        """The gateway cannot understand the caller any more."""
        if not self.inbox.is_new(failed.attachment, failed.seq) or failed.attachment != self.inbox.newest:
            return
        if self.supervisor is not None:
            self.supervisor.deaf = True  # they hear the caller; we fail once the call is ours again
        else:
            self.fail()

    def end_stream(self, ended: StreamEnded) -> None:
        """The gateway says its stream is over."""
        if self.inbox.is_new(ended.attachment, ended.seq) and ended.attachment == self.inbox.newest:
            self.lose_stream(stopped=ended.stopped)
            self.handed_over = ended.handed_over

    def lose_stream(self, *, stopped: bool) -> None:
        """There is no media stream any more."""
        if self.gateway is not None:
            self.gateway, self.stream_stopped, self.handed_over = None, stopped, False

    # The carrier

    def hear_stream_status(self, status: StreamStatus) -> None:
        """The carrier says what became of a stream; of older ones it is no news."""
        if status.stream_id == self.stream_id and status.event != "stream-started":
            self.lose_stream(stopped=status.event == "stream-stopped")

    def hear_carrier(self, status: CarrierStatus, now_ms: float) -> None:
        """A status callback, perhaps late, repeated or out of order."""
        if self.carrier_call_id not in (None, status.carrier_call_id):
            return
        self.carrier_call_id = status.carrier_call_id
        self.carrier_error = status.error or self.carrier_error
        self.hear_leg(status.state, status.sequence, now_ms)
        machine = (status.answered_by or "").startswith("machine") and self.call.direction is Direction.OUTBOUND
        if machine and (status.answered_by == BEEP or not self.screening.turn):  # what screens a call is one, too
            self.end(Ending(Disposition.VOICEMAIL, self.call.voicemail_line or None))

    def hear_leg(self, state: CarrierState, sequence: int, now_ms: float) -> None:
        """What is known of our leg to the person, from a callback or a look-up."""
        if not self.leg.hear(state, sequence):
            return
        if state is CarrierState.RINGING and self.phase is Phase.DIALLING:
            self.phase = Phase.RINGING
        elif state is CarrierState.IN_PROGRESS:
            self.answered_ms = self.answered_ms or now_ms
            if self.phase in (Phase.DIALLING, Phase.RINGING):
                self.phase = Phase.CONNECTING
        elif state.final:
            self._close_leg(state)

    def _close_leg(self, state: CarrierState) -> None:
        self.gateway = None
        if self.transfer is not None and self.transfer.bridged_ms is not None:
            self.end(Ending(self.transfer.disposition))
        elif self.hand_over is not None and self.hand_over.dialled:
            self.end(Ending(self.hand_over.disposition))
        elif self.answered_ms is None and state in NOT_REACHED:
            self.end(Ending(NOT_REACHED[state]))
        else:
            self.end(Ending(self.parting))

    @property
    def parting(self) -> Disposition:
        """How a call has ended whose caller is gone."""
        if self.supervisor is not None:
            return Disposition.TAKEN_OVER
        if not self.returning:
            return Disposition.CALLER_HUNG_UP
        taken_over = self.left_by.cause is Cause.SUPERVISOR
        return Disposition.TAKEN_OVER if taken_over else Disposition.TRANSFERRED

    @property
    def left_by(self) -> TransferRecord:
        """The newest transfer; only once there was one."""
        return self.transfer.record() if self.transfer is not None else self.transfers[-1]

    def hear_dial_ended(self, dial: DialEnded) -> None:
        """The representative's leg is over. Nobody there: the caller is ours again."""
        if self.transfer is not None:
            self.transfer.caller_left()
        if self.hand_over is None or not self.hand_over.dialled:
            return
        if dial.reached or self.hand_over.disposition is Disposition.VENDOR_FAILURE:
            self.end(Ending(self.hand_over.disposition))
            return
        self.hand_over = None
        self.phase = Phase.CONNECTING
        self.conversation.now.tools.append(ToolResult(ToolCall("transfer", TRANSFER_TOOL), False, "nobody answered"))
        self.answer_again = True

    def next_verb(self, now_ms: float = 0.0) -> NextVerb:
        """The carrier's last instruction is done; what shall it do now? Asking means that no stream runs."""
        self.carrier_asked = True
        self.lose_stream(stopped=True)
        if self.ending is not None:
            return NextVerb(Verb.HANG_UP, line=self.ending.line if self.ending.by_carrier else None)
        if self.transfer is not None and self.transfer.has_caller:
            return NextVerb(Verb.CONFERENCE, conference=self.transfer.bridge(now_ms))
        if self.hand_over is None:
            return NextVerb(Verb.CONNECT, after=self.inbox.newest)
        if self.hand_over.dialled:  # and that dial is over
            self.end(Ending(self.hand_over.disposition))
            return NextVerb(Verb.HANG_UP)
        self.hand_over = replace(self.hand_over, dialled=True)
        line = self.hand_over.line if self.hand_over.by_carrier else None
        return NextVerb(Verb.DIAL, self.hand_over.number, line)


def _address(attach: Attach) -> GatewayAddress:
    return GatewayAddress(attach.attachment, attach.playback_url, attach.audio_url, attach.digits_url, attach.desk_url)
