"""What was told to a workflow arrives, once numbered, in order, whatever way it takes."""

from hypothesis import given
from hypothesis import strategies as st

from core.outbox import Letter, Outbox


def letter(seq: int) -> str:
    return f"body {seq}"


def test_signals_are_sent_in_order_and_again_until_delivered() -> None:
    outbox = Outbox()
    first, second = outbox.post("playback_report", letter), outbox.post("stream_ended", letter)
    assert (first, second) == (Letter(1, "playback_report", "body 1"), Letter(2, "stream_ended", "body 2"))
    assert outbox.next() == outbox.next() == first
    outbox.delivered(1)
    assert outbox.next() == second
    outbox.delivered(2)
    assert outbox.next() is None
    assert outbox.undelivered == ()


def test_an_update_goes_beside_the_signals_and_joins_them_in_its_place_if_refused() -> None:
    outbox = Outbox()
    turn = outbox.post_update("caller_turn_again", letter)
    report = outbox.post("playback_report", letter)
    assert outbox.next() == report
    outbox.fall_back(turn.seq)
    assert outbox.next() == turn
    assert outbox.undelivered == (turn, report)


def test_an_update_delivered_late_all_the_same_is_not_sent_again() -> None:
    outbox = Outbox()
    turn = outbox.post_update("caller_turn_again", letter)
    outbox.fall_back(turn.seq)
    outbox.delivered(turn.seq)
    outbox.fall_back(turn.seq)
    assert outbox.next() is None


STEPS = st.sampled_from(["signal", "update", "fall back", "deliver signal", "deliver update"])


@given(st.lists(STEPS, max_size=60))
def test_everything_is_delivered_or_still_held_and_signals_never_overtake(steps: list[str]) -> None:
    outbox, delivered, open_updates, posted = Outbox(), set[int](), list[int](), 0
    for step in steps:
        waiting = outbox.next()
        if step == "signal":
            posted = outbox.post("s", letter).seq
        elif step == "update":
            posted = outbox.post_update("u", letter).seq
            open_updates.append(posted)
        elif step == "fall back" and open_updates:
            outbox.fall_back(open_updates.pop(0))
        elif step == "deliver signal" and waiting is not None:
            assert waiting.seq == min(set(range(1, posted + 1)) - delivered - set(open_updates))
            outbox.delivered(waiting.seq)
            delivered.add(waiting.seq)
        elif step == "deliver update" and open_updates:
            outbox.delivered(open_updates[0])
            delivered.add(open_updates.pop(0))
        assert {held.seq for held in outbox.undelivered} == set(range(1, posted + 1)) - delivered
