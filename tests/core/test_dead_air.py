"""How long a caller who waits hears nothing."""

import itertools

from core.dead_air import (
    FIRST_AUDIO,
    GREETING,
    REPLY_OPENED,
    TOOLS,
    TURN_ACCEPTED,
    TURN_SENT,
    TURN_SIGNALLED,
    DeadAir,
    DeadAirFound,
)

LIMIT_MS, OVERDUE_MS = 2_500, 12_000


def found(watch: DeadAir, until_ms: int, quiet_since_ms: float | None = 0) -> list[tuple[int, DeadAirFound]]:
    out: list[tuple[int, DeadAirFound]] = []
    for now_ms in range(0, until_ms, 20):
        if now_ms >= watch.due_ms and (dead := watch.look(quiet_since_ms, now_ms)) is not None:
            out.append((now_ms, dead))
            if quiet_since_ms is not None:
                quiet_since_ms = now_ms + 1_000  # a holding line of a second
    return out


def test_silence_is_filled_again_and_again_and_never_lasts_three_seconds() -> None:
    watch = DeadAir(LIMIT_MS, OVERDUE_MS, 0)
    watch.owe(0)
    times = [now_ms for now_ms, _ in found(watch, 60_000)]
    assert times[0] == 2_500
    gaps = [later - earlier - 1_000 for earlier, later in itertools.pairwise(times)]
    assert all(2_500 < gap < 3_000 for gap in gaps)
    assert gaps == sorted(gaps)


def test_the_workflow_is_told_every_so_often_and_where_the_answer_stays() -> None:
    watch = DeadAir(LIMIT_MS, OVERDUE_MS, 0)
    watch.owe(0)
    assert {dead.stage for _, dead in found(watch, 5_000)} == {TURN_SENT}
    watch.reach(REPLY_OPENED)
    overdue = [dead for _, dead in found(watch, 40_000) if dead.overdue]
    assert len(overdue) == 2
    assert all(dead.stage == REPLY_OPENED and dead.waited_ms >= OVERDUE_MS for dead in overdue)


def test_nothing_is_said_while_somebody_speaks() -> None:
    watch = DeadAir(LIMIT_MS, OVERDUE_MS, 0)
    watch.owe(0)
    assert found(watch, 30_000, quiet_since_ms=None) == []
    assert watch.look(30_000, 30_100) is None
    assert watch.look(30_000, 32_500) is not None


def test_an_answer_that_was_heard_ends_the_watch() -> None:
    watch = DeadAir(LIMIT_MS, OVERDUE_MS, 0)
    watch.owe(0)
    watch.settle()
    assert not watch.owed
    assert found(watch, 60_000) == []


def test_a_stream_on_which_nothing_is_said_is_watched_from_its_beginning() -> None:
    assert found(DeadAir(LIMIT_MS, OVERDUE_MS, 0), 3_000)[0][1].stage == "greeting"


def test_an_answer_is_unbegun_once_the_workflow_has_to_make_it_and_until_it_comes() -> None:
    watch = DeadAir(LIMIT_MS, OVERDUE_MS, 0)
    assert watch.unbegun(700) == DeadAirFound(GREETING, 700, overdue=False)
    watch.settle()
    assert watch.unbegun(1_000) is None
    watch.owe(2_000)
    assert watch.unbegun(2_050) is None  # the turn is still on its way
    watch.reach(TURN_ACCEPTED)
    assert watch.unbegun(2_100) == DeadAirFound(TURN_ACCEPTED, 100, overdue=False)
    watch.reach(REPLY_OPENED)
    watch.reach(FIRST_AUDIO)
    assert watch.unbegun(2_200) is None
    watch.reach(TOOLS)
    assert watch.unbegun(2_300) == DeadAirFound(TOOLS, 300, overdue=False)  # what comes after them


def test_that_its_turn_is_known_is_no_news_once_an_answer_has_begun() -> None:
    watch = DeadAir(LIMIT_MS, OVERDUE_MS, 0)
    watch.owe(0)
    watch.reach(TURN_SIGNALLED)
    assert watch.unbegun(100) == DeadAirFound(TURN_SIGNALLED, 100, overdue=False)
    watch.reach(FIRST_AUDIO)
    watch.reach(TURN_ACCEPTED)
    assert watch.unbegun(200) is None


def test_an_answer_whose_worker_may_be_dead_is_overdue_at_the_first_silence_and_not_at_the_next() -> None:
    watch = DeadAir(LIMIT_MS, OVERDUE_MS, 0)
    watch.doubt()
    watch.owe(0)
    watch.reach(TURN_SIGNALLED)
    assert [dead.overdue for _, dead in found(watch, 10_000)] == [True, False, False]


def test_an_answer_that_another_worker_has_begun_is_not_doubted_any_more() -> None:
    watch = DeadAir(LIMIT_MS, OVERDUE_MS, 0)
    watch.owe(0)
    watch.doubt()
    watch.reach(REPLY_OPENED)
    assert not any(dead.overdue for _, dead in found(watch, 10_000))
