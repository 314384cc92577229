"""A call's state, whatever comes in whatever order: late, doubled, of gateways long gone; many of them."""

from collections import Counter
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import TypeAdapter

from core.contracts.call import (
    AnswerOverdue,
    Attach,
    CallerSilent,
    CallerTurn,
    CallInput,
    CarrierStatus,
    DialEnded,
    Direction,
    PlaybackReport,
    RecogniserFailed,
    ReplyKey,
    StreamEnded,
    TurnTimings,
    TurnWithdrawn,
    Verb,
)
from core.contracts.playbook import brief_of
from core.conversation import Turn, Utterance
from core.live_call import Ending, LiveCall
from core.outcome import CarrierState, Disposition
from tests.core.simulation import orders_in
from tests.world.playbook import orders

LIVE_CALL = TypeAdapter(LiveCall)
Event = CallerTurn | TurnWithdrawn | PlaybackReport | StreamEnded | CallerSilent | AnswerOverdue | RecogniserFailed


class CallMachine(RuleBasedStateMachine):
    """Gateways whose events arrive in any order, a carrier, an operator, and a workflow that does its work."""

    def __init__(self) -> None:
        super().__init__()
        call = CallInput("C1", Direction.INBOUND, brief_of(orders()), "+12025550123", "+12025550001", "CA1")
        self.live = LiveCall.begin(call, 0.0)
        self.now = 0.0
        self.streams = 0  # attachments so far
        self.attached = 0  # whose events come now
        self.seqs: Counter[int] = Counter()
        self.turn = 0  # the last that the gateway has numbered
        self.words = 0
        self.probable: CallerTurn | None = None  # what the gateway has told as eager and not settled
        self.coming: list[Event] = []  # on their way to the workflow
        self.arrived: list[CallerTurn] = []  # for good
        self.said: list[str] = []  # their words
        self.heard: dict[tuple[int, int, int], str] = {}  # what has come of (turn, attachment, part)
        self.reported: set[tuple[int, int, int]] = set()
        self.ending: Ending | None = None

    def seq(self) -> int:
        self.seqs[self.attached] += 1
        return self.seqs[self.attached]

    # The gateway

    @rule()
    def stream_starts(self) -> None:
        self.streams += 1
        over = self.live.over
        answer = self.live.attach(Attach(self.streams, f"MZ{self.streams}", "CA1", "ws://g", "http://g"), self.now)
        assert answer.accepted is not over
        if answer.accepted:
            self.attached, self.turn, self.probable = self.streams, answer.next_turn - 1, None

    @precondition(lambda self: self.attached > 1)
    @rule(data=st.data())
    def older_stream_asks_again(self, data: st.DataObject) -> None:
        older, before = data.draw(st.integers(1, self.attached - 1)), LIVE_CALL.dump_json(self.live)
        assert not self.live.attach(Attach(older, f"MZ{older}", "CA1", "ws://g", "http://g"), self.now).accepted
        assert LIVE_CALL.dump_json(self.live) == before

    @precondition(lambda self: self.attached and self.probable is None)
    @rule(eager=st.booleans())
    def caller_speaks(self, eager: bool) -> None:
        self.words += 1
        self.turn += 1
        timings = TurnTimings(self.now, self.now, self.now)
        turn = CallerTurn(self.attached, self.seq(), self.turn, f"word{self.words}", 0.9, timings, 1, eager=eager)
        self.probable = turn if eager else None
        self.coming.append(turn)

    @precondition(lambda self: self.probable is not None)
    @rule(other_words=st.booleans())
    def it_was_a_turn(self, other_words: bool) -> None:
        assert self.probable is not None
        text = f"{self.probable.text} other" if other_words else self.probable.text
        self.coming.append(replace(self.probable, seq=self.seq(), text=text, eager=False))
        self.probable = None

    @precondition(lambda self: self.probable is not None)
    @rule()
    def caller_goes_on(self) -> None:
        self.coming.append(TurnWithdrawn(self.attached, self.seq()))
        self.turn -= 1
        self.probable = None

    @precondition(lambda self: self.unheard())
    @rule(data=st.data(), share=st.integers(0, 3))
    def reply_is_over(self, data: st.DataObject, share: int) -> None:
        turn, spoken = data.draw(st.sampled_from(self.unheard()))
        self.reported.add((turn.number, spoken.attachment, spoken.part))
        heard = " ".join(spoken.said.split()[:share])
        key, whole = ReplyKey(spoken.attachment, turn.number, spoken.part, spoken.attempt), heard == spoken.said
        self.coming.append(PlaybackReport(key, self.seq(), heard, complete=whole, interrupted=not whole))

    def unheard(self) -> list[tuple[Turn, Utterance]]:
        """What this gateway has still to report; never what it keeps back for an eager turn."""
        return [
            (turn, spoken)
            for turn in self.live.conversation.turns
            for spoken in turn.utterances
            if turn.eager is None
            and spoken.attachment == self.attached
            and (turn.number, spoken.attachment, spoken.part) not in self.reported
        ]

    @precondition(lambda self: self.attached)
    @rule(kind=st.sampled_from([CallerSilent, AnswerOverdue, RecogniserFailed, StreamEnded]), stopped=st.booleans())
    def gateway_tells(self, kind: type[Event], stopped: bool) -> None:
        told: Event = CallerSilent(self.attached, self.seq())
        if kind is AnswerOverdue:
            told = AnswerOverdue(self.attached, self.seq(), "model", 3_000)
        elif kind is RecogniserFailed:
            told = RecogniserFailed(self.attached, self.seq(), "gone")
        elif kind is StreamEnded:
            told = StreamEnded(self.attached, self.seq(), stopped)
        self.coming.append(told)

    @precondition(lambda self: self.coming)
    @rule(data=st.data(), again=st.booleans(), works=st.booleans())
    def event_arrives(self, data: st.DataObject, again: bool, works: bool) -> None:
        event = self.coming[data.draw(st.integers(0, len(self.coming) - 1))]
        self.hear(event)
        if not again:
            self.coming.remove(event)
        if works:
            self.workflow_works(20)

    @precondition(lambda self: self.coming)
    @rule()
    def all_events_arrive(self) -> None:
        while self.coming:
            self.hear(self.coming.pop(0))
        self.workflow_works(20)

    def hear(self, event: Event) -> None:
        match event:
            case CallerTurn():
                self.live.hear_turn(event, self.now)
                if not event.eager and event not in self.arrived:
                    self.said += event.text.split()
                    self.arrived.append(event)
            case TurnWithdrawn():
                self.live.withdraw_turn(event)
            case PlaybackReport(key=key):
                self.live.hear_report(event)
                self.heard.setdefault((key.turn, key.attachment, key.part), event.heard)
            case StreamEnded():
                self.live.end_stream(event)
            case CallerSilent():
                self.live.hear_silence(event)
            case AnswerOverdue():
                self.live.hear_overdue(event)
            case RecogniserFailed():
                self.live.hear_deaf(event)

    # The carrier and the operator

    @rule(state=st.sampled_from([CarrierState.RINGING, CarrierState.IN_PROGRESS]), sequence=st.integers(0, 5))
    def carrier_tells(self, state: CarrierState, sequence: int) -> None:
        self.live.hear_carrier(CarrierStatus("CA1", state, sequence), self.now)

    @precondition(lambda self: self.live.over or len(self.said) > 3)
    @rule(data=st.data())
    def somebody_ends_it(self, data: st.DataObject) -> None:
        live = self.live
        match data.draw(st.sampled_from(["carrier", "operator", "hand over", "asks", "dialled", "failure"])):
            case "carrier":
                live.hear_carrier(CarrierStatus("CA1", CarrierState.COMPLETED, 6), self.now)
            case "operator":
                live.end(Ending(Disposition.ENDED_BY_OPERATOR))
            case "hand over":
                live.hand_to("+12025550177", Disposition.TRANSFERRED)
            case "asks":
                assert live.next_verb(self.now).verb is Verb.HANG_UP or live.ending is None
            case "dialled":
                live.hear_dial_ended(DialEnded("completed", reached=data.draw(st.booleans())))
            case "failure":
                live.fail()

    # The workflow

    @rule(ms=st.integers(1, 2_000))
    def workflow_works(self, ms: int) -> None:
        """One scene of workflows/call.py."""
        live = self.live
        self.now += ms
        if live.conversation.now.eager is not None:
            if live.interrupted:
                live.drop_eager_turn()
        elif live.over or live.gateway is None:
            return
        elif live.opening is not None:
            live.opening = None
            self.speak("Hello, who is there?")
        elif live.inbox.turns:
            for turn in live.inbox.take_turns():
                live.conversation.hear(turn.turn, turn.text, turn.confidence, self.now)
            self.speak("Let me see.")
        elif (eager := live.inbox.take_eager()) is not None:
            live.conversation.foresee(eager.turn, eager.text, eager.confidence, self.now, eager.seq)
            self.speak("That may be so.")
        elif live.answer_again:
            live.answer_again = False
            self.speak("As I said.")

    def speak(self, text: str) -> None:
        self.live.conversation.speak(self.live.inbox.newest).said = text

    @rule()
    def it_goes_on_in_a_new_run(self) -> None:
        carried = LIVE_CALL.validate_json(LIVE_CALL.dump_json(self.live))
        assert carried == self.live
        self.live = carried

    # What always holds

    @invariant()
    def what_was_said_counts_once(self) -> None:
        settled = [turn.caller for turn in self.live.conversation.turns if turn.eager is None]
        waiting = [turn.text for turn in self.live.inbox.turns]
        assert Counter(" ".join(settled + waiting).split()) == Counter(self.said)

    @invariant()
    def only_what_was_reported_was_heard(self) -> None:
        for turn in self.live.conversation.turns:
            for spoken in turn.utterances:
                told = self.heard.get((turn.number, spoken.attachment, spoken.part))
                assert spoken.heard in (None, "") if told is None else spoken.heard == told
                assert spoken.said.startswith(spoken.heard or "")

    @invariant()
    def turns_are_numbered_in_order(self) -> None:
        numbers = [turn.number for turn in self.live.conversation.turns]
        assert numbers == sorted(set(numbers))
        assert all(turn.eager is None for turn in self.live.conversation.turns[:-1])

    @invariant()
    def there_is_one_outcome(self) -> None:
        self.ending = self.ending or self.live.ending
        assert self.live.ending is self.ending or self.live.ending == self.ending


CallMachine.TestCase.settings = orders_in(short=100, steps=40)
test_call_in_any_order = CallMachine.TestCase
