"""The customer's systems: tools in the call, the note after it."""

import asyncio
import json
from time import monotonic

import structlog
from structlog.contextvars import bound_contextvars
from temporalio import activity

from activities.delivery import TOOL_HEARTBEAT_S, heartbeats
from activities.feed import now_ms, tool_called, tool_returned
from activities.kept_digits import FilledIn, fill_in
from activities.playbook_shelf import PlaybookShelf, ReadyPlaybook
from activities.retries import vendor_failures
from core.contracts import names
from core.contracts.call import RunTool, SyncCrm
from core.conversation import ToolResult
from core.playbook import Tool
from core.ports.call_log import CallEvent, CallFeed, CallStore
from core.ports.crm import Crm, ToolContext
from core.ports.errors import VendorError
from core.ports.playback import PlaybackLine

log = structlog.get_logger()


class CrmActivities:
    """Runs what the model may ask for, and nothing else."""

    def __init__(
        self, crm: Crm, playback: PlaybackLine, shelf: PlaybookShelf, store: CallStore, feed: CallFeed
    ) -> None:
        self._crm = crm
        self._playback = playback
        self._shelf = shelf
        self._store = store
        self._feed = feed

    @activity.defn(name=names.RUN_TOOL)
    async def run_tool(self, request: RunTool) -> ToolResult:
        """Carry out one tool call, once per idempotency key.

        A call the model should not have made, and a refusal of the CRM, are results that the model reads. Fails only
        where a retry may help. Sensitive digits that arguments name are filled in here, and masked in what comes back.
        """
        with (
            bound_contextvars(call_id=request.call_id, turn=request.turn),
            vendor_failures(),
            heartbeats(TOOL_HEARTBEAT_S),
        ):
            ready = await self._shelf.get(request.playbook)
            started = monotonic()
            if activity.info().attempt == 1:
                self._feed.note(tool_called(request.call_id, request.turn, request.call))
            sensitive = ready.playbook.sensitive_fields
            filled = await fill_in(self._playback, request.digits_url, request.call.arguments, sensitive)
            if filled.missing and activity.info().attempt > 1:  # the effect may have happened: no second entry
                raise VendorError("gateway", "unavailable", "the digits are gone", curable=False)
            fault = _fault(ready, request, filled)
            tool = None if fault else ready.playbook.tool(request.call.name)
            ok, content = await self._run(tool, request, filled) if tool else (False, fault)
            result = ToolResult(
                request.call, ok, filled.masked(content), took_ms=round((monotonic() - started) * 1_000)
            )
            self._feed.note(tool_returned(request.call_id, request.turn, result))
            log.info("tool_returned", tool=request.call.name, ok=ok, took_ms=result.took_ms)
        return result

    async def _run(self, tool: Tool, request: RunTool, filled: FilledIn) -> tuple[bool, str]:
        context = ToolContext(request.call_id, request.caller_number, request.idempotency_key)
        try:
            async with asyncio.timeout(tool.timeout_seconds):
                answer = await self._crm.run(tool.operation, filled.arguments, context)
        except TimeoutError as error:
            raise VendorError("crm", "timeout", f"{tool.name} took too long", curable=True) from error
        except VendorError as error:
            if error.curable:
                raise filled.masked_error(error) from None
            return False, str(error).removeprefix(f"{error.vendor}: ")
        return True, json.dumps(answer, ensure_ascii=False)

    @activity.defn(name=names.SYNC_CRM)
    async def sync_crm(self, request: SyncCrm) -> str:
        """Put the call into the CRM, once; returns the note's id."""
        with vendor_failures():
            note_id = await self._crm.log_call(request)
            await self._store.save_crm_note(request.call_id, note_id)
        self._feed.note(CallEvent(request.call_id, "crm_synced", now_ms(), {"note_id": note_id}))
        return note_id


def _fault(ready: ReadyPlaybook, request: RunTool, filled: FilledIn) -> str:
    """Why this tool call must not run; "" if it may."""
    name = request.call.name
    if name not in ready.playbook.step(request.step).tools or name not in ready.arguments:
        return f"the tool {name!r} cannot be used in this step"
    if filled.missing:
        return f"not at hand any more: ask the caller to key in again: {', '.join(filled.missing)}"
    faults = [error.message for error in ready.arguments[name].iter_errors(filled.arguments)]
    return "wrong arguments: " + "; ".join(faults) if faults else ""
