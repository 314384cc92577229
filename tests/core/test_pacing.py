"""How fast, how much, and for whom is dialled."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.pacing import (
    Answering,
    BreakerRules,
    Ended,
    Pace,
    Talking,
    Want,
    further_attempts,
    places,
    rests_until,
    share_out,
)

wants = st.lists(
    st.builds(
        Want,
        campaign=st.uuids().map(str),
        tenant=st.sampled_from(["a", "b", "c"]),
        priority=st.integers(0, 2),
        most=st.integers(0, 12),
        in_flight=st.integers(0, 5),
    ),
    max_size=6,
    unique_by=lambda want: want.campaign,
)


@given(st.integers(0, 40), wants)
def test_no_more_is_given_than_is_free_or_wanted_and_nothing_is_left_over(free: int, wanted: list[Want]) -> None:
    given_out = share_out(free, wanted)
    assert all(given_out[want.campaign] <= want.most for want in wanted)
    assert sum(given_out.values()) == min(free, sum(want.most for want in wanted))


def test_the_higher_priority_goes_first() -> None:
    urgent, usual = Want("urgent", "a", 1, most=3), Want("usual", "b", 0, most=5)
    assert share_out(4, [usual, urgent]) == {"urgent": 3, "usual": 1}


def test_a_tenant_gains_nothing_by_many_campaigns() -> None:
    many = [Want(f"a{number}", "a", 0, most=10) for number in range(3)]
    given_out = share_out(6, [*many, Want("b1", "b", 0, most=10)])
    assert given_out["b1"] == 3


def test_who_has_calls_in_flight_waits_for_the_others() -> None:
    given_out = share_out(4, [Want("busy", "a", 0, most=9, in_flight=4), Want("idle", "b", 0, most=9)])
    assert given_out == {"busy": 0, "idle": 4}


@given(st.floats(0.5, 50.0), st.lists(st.integers(0, 3_000), min_size=2, max_size=60))
def test_dials_are_never_closer_than_the_carrier_allows(per_second: float, pauses_ms: list[int]) -> None:
    now_ms, free_ms, dialled = 0.0, 0.0, []
    for pause_ms in pauses_ms:
        now_ms += pause_ms
        for _ in range(places(per_second, free_ms, now_ms, now_ms + 1_000)):
            at_ms = max(now_ms, free_ms)
            assert at_ms < now_ms + 1_000
            dialled.append(at_ms)
            free_ms = at_ms + 1_000 / per_second
    assert all(later - earlier >= 1_000 / per_second - 1e-6 for earlier, later in pairwise(dialled))


def test_one_dial_a_second_has_a_place_in_every_second() -> None:
    assert places(1.0, 0.0, 5_000.0, 6_000.0) == 1
    assert places(1.0, 6_000.0, 5_500.0, 6_500.0) == 1
    assert places(1.0, 7_000.0, 5_500.0, 6_500.0) == 0
    assert places(2.5, 0.0, 5_000.0, 6_000.0) == 3


def test_calls_that_wait_for_a_worker_take_the_places_of_further_ones() -> None:
    at_hand = 5  # a quarter of a second of 20
    assert places(20.0, 0.0, 5_000.0, 6_000.0, at_hand) == 20
    assert places(20.0, 0.0, 5_000.0, 6_000.0, at_hand + 8) == 12
    assert places(20.0, 0.0, 5_000.0, 6_000.0, at_hand + 30) == 0
    assert places(1.0, 0.0, 5_000.0, 6_000.0, 1) == 1
    assert places(1.0, 0.0, 5_000.0, 6_000.0, 2) == 0


def test_more_is_dialled_for_each_representative_the_fewer_answer() -> None:
    pace = Pace(in_flight=50, per_representative=1.0, representatives=4)
    few = Answering(attempts=99, answered=24)
    assert further_attempts(pace, Answering(), 0, Talking()) == 4
    assert further_attempts(pace, few, 0, Talking()) == 16
    assert further_attempts(pace, few, 6, Talking()) == 10
    assert further_attempts(replace(pace, representatives=0), few, 0, Talking()) == 0
    assert further_attempts(replace(pace, in_flight=8), few, 6, Talking()) == 2
    assert further_attempts(Pace(in_flight=7), Answering(), 3, Talking()) == 4


def test_a_representative_who_talks_is_not_free_and_what_they_talk_in_waits_for_none() -> None:
    pace = Pace(in_flight=50, per_representative=1.0, representatives=4)
    few = Answering(attempts=99, answered=24)
    assert further_attempts(pace, few, 3, Talking(own=3, all=3)) == 4
    assert further_attempts(pace, few, 3, Talking(own=1, all=3)) == 2
    assert further_attempts(pace, few, 0, Talking(all=9)) == 0


def test_too_many_abandoned_calls_leave_one_attempt_for_each_representative() -> None:
    pace = Pace(in_flight=50, per_representative=1.0, representatives=4)
    assert further_attempts(pace, Answering(attempts=400, answered=100, abandoned=3), 0, Talking()) > 4
    assert further_attempts(pace, Answering(attempts=400, answered=100, abandoned=4), 0, Talking()) == 4


def test_dialling_rests_when_too_much_fails_and_one_attempt_decides_whether_it_goes_on() -> None:
    rules = BreakerRules(of_last=4, failed_share=0.5, rest_s=10)
    recent = [Ended(True, 4.0), Ended(True, 3.0), Ended(False, 2.0)]
    assert rests_until(rules, recent) is None  # too few to tell
    recent.append(Ended(False, 1.0))
    assert rests_until(rules, recent) == 10_004.0
    again = [Ended(True, 11_000.0), *recent]
    assert rests_until(rules, again) == 21_000.0
    assert rests_until(rules, [Ended(False, 22_000.0), *again]) is None


def test_contacts_who_are_away_do_not_stop_a_campaign() -> None:
    assert rests_until(BreakerRules(), [Ended(False, 0.0)] * 100) is None
