"""Whose playback the caller spoke over."""

from core.contracts.call import ReplyKey
from core.talk_over import TalkOver

GREETING = ReplyKey(1, 0, 0, 1)
ANSWER = ReplyKey(1, 1, 0, 1)
AGAIN = ReplyKey(1, 1, 0, 2)


def test_each_reply_has_what_was_counted_since_the_one_before() -> None:
    talk_over = TalkOver()
    assert talk_over.of(GREETING, 2_000, 120.0) == 120
    assert talk_over.of(ANSWER, 3_000, 120.0) == 0
    assert talk_over.of(ReplyKey(1, 2, 0, 1), 1_000, 200.0) == 80
    assert talk_over.played_ms == 6_000


def test_a_later_report_of_a_part_holds_the_earlier_ones_share() -> None:
    talk_over = TalkOver()
    talk_over.of(GREETING, 2_000, 40.0)
    assert talk_over.of(ANSWER, 500, 140.0) == 100
    assert talk_over.of(AGAIN, 1_500, 160.0) == 120
    assert talk_over.played_ms == 3_500
