"""Clocks that are set while a gateway or an API runs."""

from media_gateway.clock import EarlierClock, LaterClock

HOUR_MS = 3_600_000.0


class SetClock:
    """A machine's clock that somebody sets, beside time that goes on."""

    def __init__(self) -> None:
        self.steady_ms = 1_000.0
        self.set_by_ms = 0.0

    def steady(self) -> float:
        return self.steady_ms

    def wall(self) -> float:
        return self.steady_ms + self.set_by_ms


def test_nothing_grows_old_because_a_clock_was_set() -> None:
    machine = SetClock()
    earlier = EarlierClock(machine.wall, machine.steady)
    began = earlier()
    machine.steady_ms += 500
    machine.set_by_ms = HOUR_MS
    assert earlier() - began == 500
    machine.set_by_ms = -HOUR_MS
    assert earlier() < began  # younger than it is, which does no harm


def test_what_is_stamped_is_not_old_because_a_clock_was_set_back() -> None:
    machine = SetClock()
    later = LaterClock(machine.wall, machine.steady)
    machine.set_by_ms = -HOUR_MS
    assert later() == machine.steady_ms
    machine.set_by_ms = HOUR_MS
    assert later() == machine.steady_ms + HOUR_MS
