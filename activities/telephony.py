"""The carrier's side of a call: dialling, looking up, hanging up, turning a live leg elsewhere."""

from collections.abc import Callable
from typing import Final

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.clocks import agreed_ms
from activities.feed import call_started, now_ms, phase
from activities.retries import vendor_failures
from core.contracts import names
from core.contracts.call import CarrierCall, Dial, Dialled, ForbidCalls, LookUpDial, Machine, Phase
from core.contracts.transfer import DialRepresentative
from core.may_call import DncScope
from core.ports.call_log import CallFeed
from core.ports.campaign import DialGate, DncEntry
from core.ports.errors import ClockInDoubt
from core.ports.telephony import LegOfTransfer, Telephony

NOT_ALLOWED: Final = "NotAllowed"

log = structlog.get_logger()


class TelephonyActivities:
    """Acts on legs. Nothing here dials twice: a dial is tried once, and looked up when its answer was lost."""

    def __init__(
        self, telephony: Telephony, feed: CallFeed, gate: DialGate, clock: Callable[[], float] = now_ms
    ) -> None:
        """``clock``: ms since the epoch."""
        self._clock = clock
        self._telephony = telephony
        self._feed = feed
        self._gate = gate

    @activity.defn(name=names.DIAL)
    async def dial(self, request: Dial) -> Dialled:
        """Place the call. Fails with the kind "timeout" or "unavailable" when it may have dialled all the same."""
        if request.opening is not None:
            self._feed.note(call_started(request.call_id, request.opening))
        self._feed.note(phase(request.call_id, Phase.DIALLING))
        with vendor_failures():
            await self._check(request)
            leg = await self._telephony.dial(
                request.call_id,
                request.to,
                request.from_,
                request.ring_seconds,
                detect_machine=request.machine is Machine.DETECT,
            )
        return Dialled(leg.carrier_call_id)

    async def _check(self, request: Dial) -> None:
        """Raises ApplicationError if the number must not be called now, StorageUnavailable if that can't be known.

        Campaigns call within hours; any other call is placed by somebody who is there.
        """
        try:
            at_ms = agreed_ms(self._clock) if request.campaign is not None else self._clock()
        except ClockInDoubt as error:
            log.error("dial_clock_in_doubt", call_id=request.call_id, reason=str(error))
            raise ApplicationError(str(error), type=NOT_ALLOWED, non_retryable=True) from None
        found = await self._gate.hindrances(request.call_id, request.to, request.tenant, request.campaign, at_ms)
        if found:
            log.warning("dial_not_allowed", call_id=request.call_id, hindrances=[one.value for one in found])
            raise ApplicationError(", ".join(one.value for one in found), type=NOT_ALLOWED, non_retryable=True)

    @activity.defn(name=names.FORBID_CALLS)
    async def forbid_calls(self, request: ForbidCalls) -> None:
        """Keep everybody of the tenant from calling the number, from now on."""
        reason = f"asked for in call {request.call_id}"
        with vendor_failures():
            await self._gate.forbid(DncEntry(request.number, DncScope.TENANT, request.tenant, reason))
        log.info("calls_forbidden", call_id=request.call_id, pii_number=request.number)

    @activity.defn(name=names.LOOK_UP_DIAL)
    async def look_up_dial(self, request: LookUpDial) -> Dialled:
        """Ask the carrier whether it has dialled."""
        with vendor_failures():
            leg = await self._telephony.find_dialled(request.call_id, request.to, request.from_, request.since_ms)
        return Dialled(leg.carrier_call_id if leg else None)

    @activity.defn(name=names.DIAL_REPRESENTATIVE)
    async def dial_representative(self, request: DialRepresentative) -> Dialled:
        """Call somebody who may take the call. Fails as ``dial`` does."""
        with vendor_failures():
            leg = await self._telephony.dial_representative(
                LegOfTransfer(request.call_id, request.transfer, request.leg),
                request.to,
                request.from_,
                request.ring_seconds,
            )
        return Dialled(leg.carrier_call_id)

    @activity.defn(name=names.HANG_UP)
    async def hang_up(self, request: CarrierCall) -> None:
        """End the leg; one that has ended is fine."""
        with vendor_failures():
            await self._telephony.hang_up(request.carrier_call_id)

    @activity.defn(name=names.REDIRECT_CALL)
    async def redirect_call(self, request: CarrierCall) -> None:
        """Have the leg leave its stream and ask what to do next."""
        with vendor_failures():
            await self._telephony.ask_again(request.call_id, request.carrier_call_id)
        if request.phase is not None:
            self._feed.note(phase(request.call_id, request.phase))
