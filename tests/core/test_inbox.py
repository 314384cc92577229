"""Each event counts once, in the order of the talk."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.contracts.call import CallerTurn, TurnTimings
from core.inbox import REMEMBERED, Inbox, Seen

TURN = CallerTurn(1, 1, 1, "Hello", 0.9, TurnTimings(1, 2, 3))


def turn(attachment: int, seq: int) -> CallerTurn:
    return replace(TURN, attachment=attachment, seq=seq, turn=seq)


@given(st.permutations(range(1, 20)), st.lists(st.integers(1, 19)))
def test_events_count_once_whatever_their_order(order: list[int], repeats: list[int]) -> None:
    seen = Seen()
    assert all(seen.take(seq) for seq in order)
    assert not any(seen.take(seq) for seq in repeats)


def test_memory_is_bounded_and_forgets_towards_known() -> None:
    seen = Seen()
    assert all(seen.take(seq) for seq in range(1, 10 * REMEMBERED))
    assert len(seen.numbers) == REMEMBERED
    assert not seen.take(1)


@given(st.permutations([(1, 4), (1, 7), (2, 1), (2, 2)]))
def test_turns_wait_in_the_order_of_the_talk(arrival: list[tuple[int, int]]) -> None:
    inbox = Inbox()
    assert all(inbox.put(turn(attachment, seq)) for attachment, seq in arrival)
    assert [(waiting.attachment, waiting.seq) for waiting in inbox.take_turns()] == [(1, 4), (1, 7), (2, 1), (2, 2)]
    assert inbox.take_turns() == []


def test_turn_that_was_taken_does_not_come_back() -> None:
    inbox = Inbox()
    assert inbox.put(turn(1, 1))
    inbox.take_turns()
    assert not inbox.put(turn(1, 1))


def test_newest_attachment_wins() -> None:
    inbox = Inbox()
    assert inbox.attach(5)
    assert not inbox.attach(4)
    assert inbox.attach(5)
    assert inbox.attach(6)


def test_next_turn_counts_those_that_wait() -> None:
    inbox = Inbox()
    assert inbox.last_turn(answered=3) == 3
    inbox.put(turn(1, 4))
    assert inbox.last_turn(answered=3) == 4
