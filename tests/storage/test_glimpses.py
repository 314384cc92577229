"""What a list tells of a live call beyond its row."""

from storage.live import Glimpse, glimpse_of


def test_the_newest_line_of_each_kind_counts_and_who_spoke_last() -> None:
    glimpse = glimpse_of(
        [
            ("caller_turn", {"turn": 3, "text": "Where is it?"}),
            ("step_found", {"turn": 3, "step": "order_status"}),
            ("reply_started", {"turn": 3, "latency_ms": 812.0}),
            ("assistant_said", {"turn": 3, "heard": "It has shipped."}),
        ]
    )
    assert glimpse == Glimpse("order_status", 3, "assistant", "It has shipped.", 812.0)


def test_a_reply_of_which_nothing_was_heard_is_not_what_was_said_last() -> None:
    glimpse = glimpse_of([("caller_turn", {"turn": 1, "text": "Hello?"}), ("assistant_said", {"turn": 1, "heard": ""})])
    assert (glimpse.last_speaker, glimpse.last_line) == ("caller", "Hello?")


def test_a_call_that_has_just_begun_has_nothing_to_tell() -> None:
    assert glimpse_of([]) == Glimpse()
