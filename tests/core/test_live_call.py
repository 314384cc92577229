"""What messages change in a call, and what they must not."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from core.contracts.call import (
    Attach,
    CallerTurn,
    CallInput,
    CarrierStatus,
    DialEnded,
    Direction,
    Phase,
    PlaybackReport,
    ReplyKey,
    StreamEnded,
    TurnTimings,
    Verb,
)
from core.contracts.playbook import brief_of
from core.live_call import Ending, LiveCall, Opening
from core.outcome import CarrierState, Disposition
from tests.world.playbook import orders


def call(direction: Direction = Direction.INBOUND) -> LiveCall:
    numbers = ("+12025550123", "+12025550001")
    carrier_call_id = "CA1" if direction is Direction.INBOUND else None
    return LiveCall.begin(CallInput("C1", direction, brief_of(orders()), *numbers, carrier_call_id), 1_000.0)


def attach(number: int) -> Attach:
    return Attach(number, f"MZ{number}", "CA1", "ws://gateway", "http://gateway")


def attached() -> LiveCall:
    live = call()
    live.attach(attach(1), 2_000.0)
    return live


def greeted() -> LiveCall:
    live = attached()
    live.opening = None
    live.conversation.speak(1).said = "Hello."
    live.hear_report(PlaybackReport(ReplyKey(1, 0, 0, 1), 1, "Hello.", complete=True, interrupted=False))
    return live


def test_first_stream_begins_with_the_greeting_a_later_one_with_a_welcome_back() -> None:
    live = attached()
    assert live.opening is Opening.GREETING
    live = greeted()
    live.attach(attach(2), 3_000.0)
    assert live.opening is Opening.WELCOME_BACK
    assert not live.answer_again


def test_same_attachment_told_twice_changes_nothing() -> None:
    live = greeted()
    assert live.attach(attach(1), 3_000.0).accepted
    assert live.opening is None


def test_token_that_is_used_again_opens_no_second_stream() -> None:
    live = greeted()
    gateway = live.gateway
    assert not live.attach(Attach(1, "MZ9", "CA1", "ws://gateway", "http://gateway"), 3_000.0).accepted
    assert not live.attach(Attach(1, "MZ1", "CA1", "ws://other", "http://other"), 3_000.0).accepted
    assert live.gateway == gateway


def test_stream_that_has_ended_does_not_come_back_under_its_number() -> None:
    live = greeted()
    live.end_stream(StreamEnded(1, 2, stopped=False))
    assert not live.attach(attach(1), 3_000.0).accepted
    assert live.attach(attach(2), 3_000.0).accepted


def test_end_of_an_older_stream_is_no_news() -> None:
    live = greeted()
    live.attach(attach(2), 3_000.0)
    live.end_stream(StreamEnded(1, 2, stopped=True))
    assert live.gateway is not None


def test_ended_call_takes_no_stream() -> None:
    live = greeted()
    live.end(Ending(Disposition.COMPLETED))
    assert not live.attach(attach(2), 3_000.0).accepted


def test_first_ending_stays() -> None:
    live = greeted()
    live.end(Ending(Disposition.COMPLETED))
    live.hear_carrier(CarrierStatus("CA1", CarrierState.COMPLETED, 1), 3_000.0)
    assert live.ending == Ending(Disposition.COMPLETED)


def test_callback_of_another_leg_is_no_news() -> None:
    live = greeted()
    live.hear_carrier(CarrierStatus("CA2", CarrierState.COMPLETED, 1), 3_000.0)
    assert live.ending is None


@pytest.mark.parametrize("state", [CarrierState.BUSY, CarrierState.NO_ANSWER, CarrierState.FAILED])
def test_final_state_after_an_answer_is_a_hang_up(state: CarrierState) -> None:
    live = call(Direction.OUTBOUND)
    live.hear_carrier(CarrierStatus("CA1", CarrierState.IN_PROGRESS, 1), 2_000.0)
    live.hear_carrier(CarrierStatus("CA1", state, 2), 3_000.0)
    assert live.ending == Ending(Disposition.CALLER_HUNG_UP)


def test_carrier_connects_while_the_call_lives_and_hangs_up_when_it_has_ended() -> None:
    live = greeted()
    assert live.next_verb().verb is Verb.CONNECT
    assert live.gateway is None
    live.end(Ending(Disposition.COMPLETED))
    assert live.next_verb().verb is Verb.HANG_UP


def test_carrier_dials_once() -> None:
    live = greeted()
    live.hand_to("+12025550100", Disposition.TRANSFERRED)
    first = live.next_verb()
    assert (first.verb, first.number) == (Verb.DIAL, "+12025550100")
    assert live.next_verb().verb is Verb.HANG_UP
    assert live.ending == Ending(Disposition.TRANSFERRED)


def test_representative_who_was_reached_ends_the_call() -> None:
    live = greeted()
    live.hand_to("+12025550100", Disposition.TRANSFERRED)
    live.next_verb()
    live.hear_dial_ended(DialEnded("completed", reached=True))
    assert live.next_verb().verb is Verb.HANG_UP


def test_failed_call_whose_representative_is_away_ends() -> None:
    live = greeted()
    live.fail()
    live.next_verb()
    live.hear_dial_ended(DialEnded("busy", reached=False))
    assert live.ending == Ending(Disposition.VENDOR_FAILURE)


def test_call_that_is_handed_over_cannot_be_handed_to_another() -> None:
    live = greeted()
    live.hand_to("+12025550100", Disposition.TRANSFERRED)
    live.hand_to("+12025550177", Disposition.TAKEN_OVER)
    assert live.hand_over is not None
    assert live.hand_over.number == "+12025550100"


def test_voice_that_fails_leaves_the_apology_to_the_carrier() -> None:
    live = greeted()
    live.end(Ending(Disposition.CALLER_SILENT, "Goodbye."))
    live.lose_voice()
    assert live.next_verb().line == "Goodbye."


def test_everything_survives_the_way_to_the_next_run() -> None:
    live = greeted()
    live.hand_to("+12025550100", Disposition.TRANSFERRED)
    live.hear_carrier(CarrierStatus("CA1", CarrierState.IN_PROGRESS, 1), 2_000.0)
    adapter = TypeAdapter(LiveCall)
    assert adapter.validate_json(adapter.dump_json(live)) == live
    union: TypeAdapter[CallInput | LiveCall] = TypeAdapter(CallInput | LiveCall)
    assert union.validate_json(union.dump_json(live)) == live
    assert union.validate_json(union.dump_json(live.call)) == live.call
    assert live.phase is Phase.LIVE


def test_no_filler_is_said_twice_in_a_turn_or_twice_in_a_row() -> None:
    live = greeted()
    live.call = replace(live.call, playbook=replace(live.call.playbook, fillers=("Let me see.", "Well.", "Hm.")))
    offered = [live.fillers]
    live.count_fillers(live.conversation.hear(1, "Where is it?", 0.9, 1.0), 2)
    offered.append(live.fillers)
    live.count_fillers(live.conversation.now, 1)
    offered.append(live.fillers)
    live.conversation.hear(2, "And when?", 0.9, 2.0)
    offered.append(live.fillers)
    assert offered == [("Let me see.", "Well.", "Hm."), ("Hm.",), (), ("Let me see.", "Well.", "Hm.")]


def spoke_at(live: LiveCall, text: str, at_ms: float, turn: int = 1) -> None:
    live.hear_turn(CallerTurn(1, 10 + turn, turn, text, 0.9, TurnTimings(at_ms, at_ms, at_ms)), at_ms)


@pytest.mark.parametrize(
    ("text", "came_ms", "left"),
    [
        ("Hello?", 4_000.0, []),
        ("Hello?", 8_500.0, ["Hello?"]),
        ("Hello, who is this?", 4_000.0, ["Hello, who is this?"]),
    ],
)
def test_a_hello_from_before_the_greeting_was_over_is_answered_by_it(
    text: str, came_ms: float, left: list[str]
) -> None:
    live = greeted()
    spoke_at(live, text, came_ms)
    live.heed_hellos(9_000.0)
    assert [turn.text for turn in live.inbox.take_turns()] == left
    assert [turn.caller for turn in live.conversation.turns] == ["", text][: 1 if left else 2]


def test_a_hello_is_not_answered_by_a_greeting_that_was_cut_off() -> None:
    live = attached()
    live.conversation.speak(1).said = "Hello, I am an AI assistant."
    spoke_at(live, "Hello?", 4_000.0)
    report = PlaybackReport(ReplyKey(1, 0, 0, 1), 1, "Hello, I", complete=False, interrupted=True)
    live.hear_report(report)
    live.heed_hellos(9_000.0)
    assert [turn.text for turn in live.inbox.turns] == ["Hello?"]
