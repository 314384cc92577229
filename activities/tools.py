"""Tools: whatever kind carries them out, checked, bound to the caller, done once."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Final

import structlog
from structlog.contextvars import bound_contextvars
from temporalio import activity

from activities.feed import tool_called, tool_returned
from activities.kept_digits import FilledIn, fill_in
from activities.playbook_shelf import PlaybookShelf, ReadyPlaybook
from activities.prompts import confirmation_prompt
from activities.retries import vendor_failures
from core.confirming import Verdict
from core.contracts import names
from core.contracts.tools import JudgeConfirmation, Judged, RunTool, ToolOutcome, UndoTool
from core.conversation import ToolCall
from core.playbook_tools import Tool
from core.ports.call_log import CallFeed
from core.ports.errors import VendorError
from core.ports.playback import PlaybackLine
from core.ports.reasoner import Reasoner
from core.ports.tools import Caller, ToolKind, ToolOrder
from core.tools import Effect, Move, bind, bindings, fill, may_run_once_more, opening_move, read_back

log = structlog.get_logger()

NO_ANSWER: Final = "the system did not answer"
NOT_KNOWN: Final = (
    "the system did not answer as it should, and nobody knows whether it was done. Tell the caller so; do not call "
    "this again"
)
LONGEST_ANSWER: Final = 16_000  # characters; histories keep it, and the model reads the beginning
SURE_YES: Final = 0.8  # of a model that hears a yes: it moves things
SURE_NO: Final = 0.5


@dataclass(frozen=True)
class _Came:
    """What came of an attempt."""

    ok: bool
    content: str
    tried: bool = True
    whole: bool = True  # False: ``content`` was cut


class ToolActivities:
    """Runs what the model may ask for, and nothing else."""

    def __init__(
        self,
        kinds: Mapping[str, ToolKind],
        playback: PlaybackLine,
        shelf: PlaybookShelf,
        feed: CallFeed,
        reasoner: Reasoner,
    ) -> None:
        self._kinds = kinds
        self._playback = playback
        self._shelf = shelf
        self._feed = feed
        self._reasoner = reasoner

    @activity.defn(name=names.RUN_TOOL)
    async def run_tool(self, request: RunTool) -> ToolOutcome:
        """Carry out one tool call, once per idempotency key.

        A call the model should not have made, arguments that fail the schema, what the caller has to confirm first,
        and a refusal or silence of the system are results that the model reads. Fails only where a retry may help.
        Sensitive digits that arguments name are filled in here, and masked in what comes back.
        """
        with (
            bound_contextvars(call_id=request.call_id, turn=request.turn),
            vendor_failures(),
        ):
            ready = await self._shelf.get(request.playbook)
            started = monotonic()
            name = request.call.name
            if name not in ready.playbook.step(request.step).tools or name not in ready.arguments:
                return self._told(request, ToolOutcome(request.call, False, _not_here(name)), started)
            tool = ready.playbook.tool(name)
            filled, arguments = await self._filled(ready, tool, request)
            outcome = _checked(ready, tool, request, filled, arguments)
            if outcome is None:
                if activity.info().attempt == 1:
                    self._feed.note(tool_called(request.call_id, request.turn, request.call))
                came = await self._attempt(tool, arguments, _order(request), filled)
                outcome = self._outcome(tool, request.call, came)
            return outcome if outcome.ask else self._told(request, outcome, started)

    @activity.defn(name=names.UNDO_TOOL)
    async def undo_tool(self, request: UndoTool) -> ToolOutcome:
        """Take a write back: by the tool that the playbook names for it, else by the tool's own means."""
        done = request.done
        with bound_contextvars(call_id=done.call_id, turn=done.turn), vendor_failures():
            ready = await self._shelf.get(done.playbook)
            started = monotonic()
            tool = ready.playbook.tool(done.call.name)
            filled, arguments = await self._filled(ready, tool, done)
            answer = json.loads(request.answer)
            if tool.undo is not None:
                call, came = await self._undo_by_tool(ready, tool, arguments | {"answer": answer}, done, filled)
            else:
                call = done.call
                kind = self._kinds[tool.kind]
                came = await self._guarded(tool, kind.compensate(tool, arguments, answer, _order(done)), filled)
            return self._told(done, replace(self._outcome(tool, call, came), undoable=False), started)

    @activity.defn(name=names.JUDGE_CONFIRMATION)
    async def judge_confirmation(self, request: JudgeConfirmation) -> Judged:
        """Ask the model what the caller's words mean for what was read back. In doubt they are no yes."""
        with bound_contextvars(call_id=request.call_id, turn=request.turn), vendor_failures():
            found = await self._reasoner.find_step(confirmation_prompt(request))
        sure = {Verdict.YES.value: SURE_YES, Verdict.NO.value: SURE_NO}.get(found.name or "", 2.0)
        verdict = Verdict(found.name) if found.name and found.confidence >= sure else Verdict.UNCLEAR
        log.info("confirmation_judged", verdict=verdict.value, confidence=found.confidence)
        return Judged(verdict.value, *([found.usage] if found.usage else []))

    async def _filled(self, ready: ReadyPlaybook, tool: Tool, request: RunTool) -> tuple[FilledIn, dict[str, Any]]:
        sensitive = ready.playbook.sensitive_fields
        filled = await fill_in(self._playback, request.digits_url, request.call.arguments, sensitive)
        if filled.missing and activity.info().attempt > 1:  # the effect may have happened: no second entry
            raise VendorError("gateway", "unavailable", "the digits are gone", curable=False)
        return filled, bind(tool.arguments, filled.arguments, _order(request).known, request.variables)

    async def _attempt(self, tool: Tool, arguments: Mapping[str, Any], order: ToolOrder, filled: FilledIn) -> _Came:
        kind, effect = self._kinds[tool.kind], tool.does
        traits = kind.traits(tool)
        match opening_move(activity.info().attempt, effect, idempotent=traits.idempotent, looks_up=traits.looks_up):
            case Move.STOP:
                return _Came(False, NOT_KNOWN)
            case Move.LOOK_UP:
                found = await self._guarded(tool, kind.look_up(tool, arguments, order), filled)
                if found.content != "null" or not found.ok:
                    return found
                if not may_run_once_more(effect, idempotent=traits.idempotent):
                    return _Came(False, NOT_KNOWN)
        return await self._guarded(tool, kind.run(tool, arguments, order), filled)

    async def _undo_by_tool(
        self, ready: ReadyPlaybook, tool: Tool, values: Mapping[str, Any], done: RunTool, filled: FilledIn
    ) -> tuple[ToolCall, _Came]:
        undo = tool.undo
        assert undo is not None
        other = ready.playbook.tool(undo.tool)
        order = replace(_order(done), idempotency_key=f"{done.idempotency_key}:undo")
        call = ToolCall(f"undo-{done.call.id}", other.name, fill(undo.arguments, {**order.known, **values}))
        arguments = bind(other.arguments, call.arguments, order.known, done.variables)
        faults = [error.message for error in ready.arguments[other.name].iter_errors(arguments)]
        if faults:
            return call, _Came(False, f"could not be undone: wrong arguments: {'; '.join(faults)}", tried=False)
        return call, await self._attempt(other, arguments, order, filled)

    async def _guarded(self, tool: Tool, work: Any, filled: FilledIn) -> _Came:
        """Do it within the tool's time. A failure that another attempt may mend is raised as long as there is one."""
        try:
            async with asyncio.timeout(tool.timeout_seconds):
                answer = await work
        except TimeoutError as error:
            failure = VendorError(tool.kind, "timeout", f"{tool.name} took too long", curable=True)
            failure.__cause__ = error
        except VendorError as error:
            failure = filled.masked_error(error)
        else:
            text = filled.masked(json.dumps(answer, ensure_ascii=False))
            whole = len(text) <= LONGEST_ANSWER
            return _Came(True, text if whole else f"{text[:LONGEST_ANSWER]} ... (cut)", whole=whole)
        log.warning("tool_failed", tool=tool.name, kind=failure.kind)
        if not failure.curable:
            told = str(failure).removeprefix(f"{failure.vendor}: ")
            unsure = failure.kind == "broken" and tool.does is not Effect.READ  # sent, and answered with nonsense
            return _Came(False, f"{told}: {NOT_KNOWN}" if unsure else told)
        traits = self._kinds[tool.kind].traits(tool)
        again = tool.does is Effect.READ or traits.idempotent or traits.looks_up
        if again and activity.info().attempt < tool.attempts:
            raise failure
        return _Came(False, NO_ANSWER if tool.does is Effect.READ else NOT_KNOWN)

    def _outcome(self, tool: Tool, call: ToolCall, came: _Came) -> ToolOutcome:
        undoable = tool.undo is not None or self._kinds[tool.kind].traits(tool).compensates
        return ToolOutcome(
            call,
            came.ok,
            came.content,
            effect=tool.does.value,
            tried=came.tried,
            keep_s=tool.cache_seconds,
            undoable=came.ok and came.whole and undoable and tool.does is Effect.WRITE,
        )

    def _told(self, request: RunTool, outcome: ToolOutcome, started: float) -> ToolOutcome:
        outcome = replace(outcome, took_ms=round((monotonic() - started) * 1_000))
        self._feed.note(tool_returned(request.call_id, request.turn, outcome.result))
        log.info("tool_returned", tool=outcome.call.name, ok=outcome.ok, took_ms=outcome.took_ms)
        return outcome


def _order(request: RunTool) -> ToolOrder:
    caller = Caller(request.caller_number, request.our_number, request.direction, request.variables)
    return ToolOrder(request.call_id, request.turn, request.idempotency_key, caller)


def _not_here(name: str) -> str:
    return f"the tool {name!r} cannot be used in this step"


def _checked(
    ready: ReadyPlaybook, tool: Tool, request: RunTool, filled: FilledIn, arguments: Mapping[str, Any]
) -> ToolOutcome | None:
    """Why it is not run now; None if it may be."""
    call = request.call
    if filled.missing:
        text = f"not at hand any more: ask the caller to key in again: {', '.join(filled.missing)}"
        return ToolOutcome(call, False, text)
    if unknown := sorted(name for name in bindings(tool.arguments) if name not in arguments):
        required = set(tool.arguments.get("required", ()))
        if required & set(unknown):
            return ToolOutcome(call, False, f"cannot be used in this call: not known here: {', '.join(unknown)}")
    if faults := [filled.masked(error.message) for error in ready.arguments[tool.name].iter_errors(arguments)]:
        again = " (again: do not call it once more, ask the caller instead)" if request.wrong_before else ""
        return ToolOutcome(call, False, f"wrong arguments{again}: {'; '.join(faults)}", wrong=True)
    if not tool.asks_first or request.confirmed:
        return None
    line = _read_back_of(ready, tool, request.language)
    if not line:
        return ToolOutcome(call, False, "cannot be used: the playbook does not say how it is read back to the caller")
    return ToolOutcome(
        call, False, "the caller has not confirmed it", ask=read_back(line, call.arguments, request.language)
    )


def _read_back_of(ready: ReadyPlaybook, tool: Tool, language: str) -> str:
    translation = ready.playbook.translations.get(language)
    return (translation.read_backs.get(tool.name) if translation else tool.read_back) or ""
