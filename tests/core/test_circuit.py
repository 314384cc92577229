"""A vendor that fails is left alone, tried again with one request, and trusted again when that succeeds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.circuit import LONGEST_OPEN_S, OPEN_S, OPENS_AFTER, Circuit, CircuitState


def failed(times: int = OPENS_AFTER, now: float = 0.0) -> Circuit:
    circuit = Circuit()
    for _ in range(times):
        assert circuit.enter(now)
        circuit.fail(now)
    return circuit


def test_a_few_failures_are_borne() -> None:
    assert failed(OPENS_AFTER - 1).enter(0.0)


def test_failures_in_a_row_open_it_for_a_while() -> None:
    circuit = failed()
    assert not circuit.enter(0.0)
    assert not circuit.enter(OPEN_S - 0.1)
    assert circuit.state(OPEN_S) is CircuitState.HALF_OPEN


def test_a_success_between_failures_starts_the_count_anew() -> None:
    circuit = failed(OPENS_AFTER - 1)
    circuit.succeed()
    circuit.fail(0.0)
    assert circuit.state(0.0) is CircuitState.CLOSED


def test_one_probe_finds_out_for_all() -> None:
    circuit = failed()
    assert circuit.enter(OPEN_S)
    assert not circuit.enter(OPEN_S)
    circuit.succeed()
    assert circuit.state(OPEN_S) is CircuitState.CLOSED
    assert circuit.enter(OPEN_S)


def test_a_probe_that_fails_makes_the_next_wait_longer_but_not_endless() -> None:
    circuit, now, waits = failed(), 0.0, []
    for _ in range(6):
        wait = next(s for s in range(1, 1_000) if circuit.state(now + s) is CircuitState.HALF_OPEN)
        waits.append(float(wait))
        now += wait
        assert circuit.enter(now)
        circuit.fail(now)
    assert waits == [OPEN_S, 20.0, 40.0, LONGEST_OPEN_S, LONGEST_OPEN_S, LONGEST_OPEN_S]


def test_a_probe_that_was_given_up_leaves_room_for_another() -> None:
    circuit = failed()
    assert circuit.enter(OPEN_S)
    circuit.leave()
    assert circuit.enter(OPEN_S)


def test_a_wrong_key_opens_it_at_once() -> None:
    circuit = Circuit()
    circuit.fail(5.0, hopeless=True)
    assert not circuit.enter(5.0 + LONGEST_OPEN_S - 0.1)
    assert circuit.enter(5.0 + LONGEST_OPEN_S)


def test_a_vendor_that_asks_for_quiet_gets_it() -> None:
    circuit = Circuit()
    circuit.fail(0.0, retry_after=7.0)
    assert not circuit.enter(6.9)
    assert circuit.enter(7.0)


@pytest.mark.parametrize("asked", [0.0, 86_400.0])
def test_nobody_is_left_alone_for_longer_than_the_longest_time(asked: float) -> None:
    circuit = failed()
    circuit.fail(0.0, retry_after=asked)
    assert circuit.state(LONGEST_OPEN_S) is CircuitState.HALF_OPEN


@given(st.lists(st.sampled_from(["enter", "succeed", "fail", "leave"]), max_size=30), st.floats(0, 1_000))
def test_it_never_stays_shut_for_good(steps: list[str], now: float) -> None:
    circuit = Circuit()
    for step in steps:
        if step in ("enter", "fail"):
            getattr(circuit, step)(now)
        else:
            getattr(circuit, step)()
    circuit.leave()
    assert circuit.enter(now + LONGEST_OPEN_S)
