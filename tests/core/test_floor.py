"""Who speaks to the caller on a stream: the assistant, or one supervisor."""

from hypothesis import given
from hypothesis import strategies as st

from core.floor import MOST_AHEAD_MS, Asked, Floor
from core.g711 import FRAME_BYTES

GRACE = 4_000.0
PAGE, OTHER = "page-one", "page-two"
FRAME = b"\x7f" * FRAME_BYTES


def taken_floor() -> Floor:
    floor = Floor(GRACE)
    assert floor.take(PAGE, "Grace", 0.0) is Asked.TAKEN
    return floor


def test_floor_is_the_assistants_until_a_supervisor_takes_it() -> None:
    floor = Floor(GRACE)
    assert not floor.speak(PAGE, FRAME, 0.0)
    assert not floor.speak("", FRAME, 0.0)
    assert floor.take(PAGE, "Grace", 0.0) is Asked.TAKEN
    assert floor.speak(PAGE, FRAME, 20.0)
    assert not floor.speak(OTHER, FRAME, 20.0)
    assert (floor.holder, floor.by) == (PAGE, "Grace")


def test_second_supervisor_is_refused_while_one_speaks() -> None:
    floor = taken_floor()
    assert floor.take(OTHER, "Ada", 10.0) is Asked.REFUSED
    assert floor.by == "Grace"
    assert not floor.give_back(OTHER)
    assert floor.give_back(PAGE)
    assert not floor.give_back(PAGE)
    assert floor.take(OTHER, "Ada", 20.0) is Asked.TAKEN


def test_supervisor_who_was_cut_off_comes_back_in_time_or_not_at_all() -> None:
    floor = taken_floor()
    assert floor.take(PAGE, "Grace", 3_000.0, again=True) is Asked.RESUMED
    assert floor.gone_in_ms(3_500.0) == 3_500.0
    floor.give_back(PAGE)
    assert floor.take(PAGE, "Grace", 9_000.0, again=True) is Asked.TOO_LATE
    assert floor.holder == ""


def test_supervisor_is_gone_once_no_frame_has_come_for_the_grace() -> None:
    floor = taken_floor()
    floor.speak(PAGE, FRAME, 1_000.0)
    assert floor.gone_in_ms(1_000.0) == GRACE
    assert floor.gone_in_ms(4_999.0) == 1.0
    assert floor.gone_in_ms(5_000.0) == 0.0
    floor.speak(OTHER, FRAME, 4_999.0)  # somebody else's keeps nobody's floor
    assert floor.gone_in_ms(5_000.0) == 0.0


@given(st.lists(st.floats(0.0, 2_000.0), max_size=200))
def test_carrier_never_has_much_more_of_a_voice_than_it_may(pauses: list[float]) -> None:
    floor, now_ms, queued_until = taken_floor(), 0.0, 0.0
    for pause in pauses:
        now_ms += pause
        if floor.speak(PAGE, FRAME, now_ms):
            queued_until = max(queued_until, now_ms) + 20.0
        assert queued_until - now_ms <= MOST_AHEAD_MS + 20.0


def test_frames_in_real_time_are_all_played_and_a_burst_only_in_part() -> None:
    floor = taken_floor()
    assert all(floor.speak(PAGE, FRAME, 20.0 * place) for place in range(500))
    played = sum(floor.speak(PAGE, FRAME, 10_000.0) for _ in range(100))
    assert 20 <= played <= 22
