import asyncio
import time

from sandbox.twilio.pacing import Pacer


class Member:
    """Counts its ticks; ``reached`` is set with the last that is waited for."""

    def __init__(self, wanted: int) -> None:
        self.late: list[float] = []
        self.reached = asyncio.Event()
        self._wanted = wanted

    def tick(self, late_ms: float) -> None:
        self.late.append(late_ms)
        if len(self.late) == self._wanted:
            self.reached.set()


class Broken(Member):
    def tick(self, late_ms: float) -> None:
        super().tick(late_ms)
        raise RuntimeError("a fault in one line")


async def test_every_member_is_ticked_every_20_ms() -> None:
    pacer, members = Pacer(), [Member(16) for _ in range(25)]
    began = time.monotonic()
    for member in members:
        pacer.add(member)
    for member in members:
        await member.reached.wait()
        pacer.remove(member)
    elapsed = time.monotonic() - began
    assert elapsed >= 15 * 0.020
    assert all(16 <= len(member.late) <= elapsed / 0.020 + 1 for member in members)


async def test_ticks_that_a_stall_made_late_follow_at_once() -> None:
    pacer, member = Pacer(), Member(8)
    began = time.monotonic()
    pacer.add(member)
    while time.monotonic() - began < 0.130:
        pass
    await member.reached.wait()
    pacer.remove(member)
    assert max(member.late) >= 100
    assert [late > 20 for late in member.late[:5]] == [True] * 5


async def test_a_member_that_breaks_stops_no_other() -> None:
    pacer, good, bad = Pacer(), Member(5), Broken(1)
    pacer.add(bad)
    pacer.add(good)
    await good.reached.wait()
    pacer.remove(good)
    pacer.remove(bad)
    assert len(bad.late) == 1
