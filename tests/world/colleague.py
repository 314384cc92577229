"""Representatives who are called, and a playbook with queues of them."""

import asyncio

from core.contracts import names
from core.contracts.transfer import NextForRepresentative, RepresentativeAsks, RepresentativeLeg
from core.playbook import Playbook, parse_playbook
from tests.world.playbook import ORDERS
from tests.world.world import PATIENCE_S, ScriptedCall

LINE = "I am calling a colleague for you. Please stay on the line."
QUEUES = """
queues:
  - {name: billing, numbers: ["+12025550171", "+12025550172"]}
  - {name: returns, numbers: ["+12025550181"], fallback: assistant}
"""


def staffed(queues: str = QUEUES, more: str = "") -> Playbook:
    return parse_playbook(ORDERS + queues + more)


class Colleague:
    """A representative who is called."""

    def __init__(self, call: ScriptedCall, transfer: int, leg: int, number: str) -> None:
        self.call, self.transfer, self.leg, self.number = call, transfer, leg, number
        self.sid = f"CAR{transfer}{leg}"

    async def asks(self, keys: str | None = None) -> NextForRepresentative:
        asks = RepresentativeAsks(self.transfer, self.leg, self.sid, keys)
        update = names.REPRESENTATIVE_ASKS
        return await self.call.handle.execute_update(update, asks, result_type=NextForRepresentative)  # type: ignore[no-any-return]

    async def is_told_of(self, state: str = "", answered_by: str = "") -> None:
        told = RepresentativeLeg(self.transfer, self.leg, self.sid, state, answered_by)
        await self.call.handle.signal(names.REPRESENTATIVE_LEG, told)


async def called(call: ScriptedCall) -> Colleague:
    """The next representative who is called."""
    async with asyncio.timeout(PATIENCE_S):
        leg, number = await call.world.telephony.representatives.get()
    return Colleague(call, leg.transfer, leg.leg, number)
