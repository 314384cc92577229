"""Tells calls that the gateway they were at has died."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from core.contracts import names
from core.contracts.gateway import GatewayLost
from core.ports.playback import LostCall, LostCalls

TELLERS = 16  # calls that are told at once
DEADLINE_S = 2.0  # for one try; the SDK's own retries grow too far apart for a caller who hears nothing
PAUSE_S = 0.2
TRIES = 150  # half a minute at least: longer than Temporal's restart, shorter than the call waits for its stream

log = structlog.get_logger()


@contextlib.asynccontextmanager
async def telling_lost_calls(lost: LostCalls | None, temporal: Client) -> AsyncIterator[None]:
    """As long as the block runs, each call that a gateway takes with it learns of it, and comes back on another."""
    tellers = [asyncio.create_task(_tell_on(lost, temporal)) for _ in range(TELLERS)] if lost is not None else []
    try:
        yield
    finally:
        for teller in tellers:
            teller.cancel()
        await asyncio.gather(*tellers, return_exceptions=True)


async def _tell_on(lost: LostCalls, temporal: Client) -> None:
    while True:
        await _tell(temporal, await lost.lost_call())


async def _tell(temporal: Client, call: LostCall) -> None:
    """Several workers may tell the same: the first counts, the attachment says which stream is meant."""
    workflow = temporal.get_workflow_handle(names.call_workflow_id(call.call_id))
    for _ in range(TRIES):
        try:
            async with asyncio.timeout(DEADLINE_S):
                await workflow.signal(names.GATEWAY_LOST, GatewayLost(call.attachment))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return
            log.warning("lost_call_not_told", call_id=call.call_id, reason=error.status.name)
        except TimeoutError:
            log.warning("lost_call_not_told", call_id=call.call_id, reason="no answer in time")
        else:
            log.info("lost_call_told", call_id=call.call_id)
            return
        await asyncio.sleep(PAUSE_S)
