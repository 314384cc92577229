"""The carrier, as the call's activities see it."""

from dataclasses import dataclass
from typing import Protocol

from core.outcome import CarrierState


@dataclass(frozen=True, slots=True)
class CarrierLeg:
    """A leg as the carrier lists it."""

    carrier_call_id: str
    state: CarrierState


@dataclass(frozen=True, slots=True)
class LegOfTransfer:
    """Which leg of which transfer of a call."""

    call_id: str
    transfer: int
    leg: int


class Telephony(Protocol):
    """Places and ends legs. None of these is retried inside."""

    async def dial(
        self, call_id: str, to: str, from_: str, ring_seconds: int, *, detect_machine: bool = False
    ) -> CarrierLeg:
        """Place a call that asks our voice webhook (with ``call_id``) what to do.

        ``detect_machine``: the carrier finds out beside the talk whether a machine has answered, and tells it at the
        end of the machine's greeting.

        Raises VendorError; kind "timeout" or "unavailable" means it may have dialled all the same: look it up.
        """
        ...

    async def dial_representative(self, leg: LegOfTransfer, to: str, from_: str, ring_seconds: int) -> CarrierLeg:
        """Call a representative; the leg asks our representative webhook what to do, and tells if a machine answers.

        Raises VendorError, as ``dial`` does.
        """
        ...

    async def find_dialled(self, call_id: str, to: str, from_: str, since_ms: float) -> CarrierLeg | None:
        """The leg that ``dial`` for this call made, if the carrier has one. Raises VendorError."""
        ...

    async def hang_up(self, carrier_call_id: str) -> None:
        """End a leg; one that has ended already is fine. Raises VendorError."""
        ...

    async def ask_again(self, call_id: str, carrier_call_id: str) -> None:
        """Have a live leg leave what it does and ask our resume webhook. Raises VendorError."""
        ...
