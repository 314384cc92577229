"""REST: place calls, look at them, and act on the live ones."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Path, Query, Response

from api.deps import ApiDeps
from api.observe import Figures
from api.openapi import problems
from api.problems import Refusal, wrong_field
from api.schemas import Call, CallDetail, CallPage, EndCall, NewCall, SayLine, StartedCall, TakeOverCall, TransferCall
from api.temporal import CallMemo, CallNotRunning, CallRefused, KnownCall, TemporalUnavailable
from core.contracts import names
from core.contracts.call import CallInput, CallState, Direction, End, Phase, Say, TakeOver, Transfer
from core.contracts.playbook import PlaybookBrief, brief_of
from core.conversation import TurnRecord
from core.outcome import Disposition
from core.ports.call_log import CallRow
from core.ports.errors import UnknownPlaybook

log = structlog.get_logger()

CallId = Annotated[
    str,
    Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The call's id", examples=["out-5f0c7d2a9b6e4c1f8a3d"]),
]
OnceKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Asked again with the same key, the same thing is done once",
    ),
]


_UNREADABLE = problems(400, 413)
_UNSURE = _UNREADABLE | problems(404, 409)


def router(deps: ApiDeps, figures: Figures) -> APIRouter:
    """/v1/calls."""
    routes = APIRouter(prefix="/v1/calls", tags=["calls"])
    _add_collection(routes, deps, Placing(deps, figures))
    _add_actions(routes, Acting(deps))
    return routes


def _add_collection(routes: APIRouter, deps: ApiDeps, placing: "Placing") -> None:
    looking = Looking(deps)

    @routes.post("", status_code=201, summary="Place a call", responses=_UNREADABLE)
    async def create_call(body: NewCall, response: Response, once: OnceKey = None) -> StartedCall:
        """Starts the call and answers before it rings. Follow it at `events_url`."""
        started = await placing.place(body, once)
        response.headers["Location"] = started.url
        return started

    @routes.get("", summary="List calls")
    async def list_calls(
        live: Annotated[bool | None, Query(description="Only live ones, or only finished ones")] = None,
        cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> CallPage:
        """Newest first."""
        return await looking.page(live, cursor, limit)

    @routes.get("/{call_id}", summary="Get a call with its turns", responses=problems(404))
    async def get_call(call_id: CallId) -> CallDetail:
        """What is on record, and while the call is live also its state in its own words."""
        return await looking.whole(call_id)


def _add_actions(routes: APIRouter, acting: "Acting") -> None:
    @routes.post("/{call_id}/say", status_code=204, summary="Have the assistant say a line", responses=_UNSURE)
    async def say_line(call_id: CallId, body: SayLine, once: OnceKey = None) -> None:
        """Said as soon as the assistant has finished what it is saying."""
        await acting.ask(call_id, names.SAY, Say(body.text), once)

    @routes.post("/{call_id}/transfer", status_code=204, summary="Hand the call to a number", responses=_UNSURE)
    async def transfer_call(call_id: CallId, body: TransferCall, once: OnceKey = None) -> None:
        """The caller is put through; the assistant leaves the call."""
        await acting.ask(call_id, names.TRANSFER, Transfer(body.to, body.reason, body.warm), once)

    @routes.post("/{call_id}/take-over", status_code=204, summary="Take the call on a phone", responses=_UNSURE)
    async def take_over_call(call_id: CallId, body: TakeOverCall, once: OnceKey = None) -> None:
        """The supervisor's phone takes the call from the assistant."""
        await acting.ask(call_id, names.TAKE_OVER, TakeOver(body.to, body.by, body.warm, body.hands_back), once)

    @routes.post("/{call_id}/end", status_code=204, summary="End the call", responses=_UNSURE)
    async def end_call(call_id: CallId, body: EndCall, once: OnceKey = None) -> None:
        """After a closing line, if one is given."""
        await acting.ask(call_id, names.END, End(body.reason, body.line), once)


class Placing:
    """Starts outbound calls."""

    def __init__(self, deps: ApiDeps, figures: Figures) -> None:
        self._deps = deps
        self._figures = figures

    async def place(self, wanted: NewCall, once: str | None) -> StartedCall:
        """Start the call, or find the one that this key started. Raises Refusal."""
        settings = self._deps.settings
        from_ = wanted.from_ or settings.our_number
        if from_ is None:
            raise wrong_field("from", "is missing, and this installation has no number of its own to call from")
        call = CallInput(
            call_id=_call_id(once),
            direction=Direction.OUTBOUND,
            playbook=await self._playbook(wanted.playbook),
            caller_number=wanted.to,
            our_number=from_,
            tenant=settings.tenant,
            variables=dict(wanted.variables),
            timers=settings.timers,
            discreet=settings.discreet,
        )
        memo = await self._start_once(call) if once else await self._start(call)
        log.info("call_placed", call_id=call.call_id, playbook=memo.playbook, pii_to=wanted.to)
        url = f"{settings.public_url}/v1/calls/{call.call_id}"
        return StartedCall(
            id=call.call_id,
            to=memo.caller_number,
            from_=memo.our_number,
            playbook=memo.playbook,
            url=url,
            events_url=f"{url}/events",
            temporal_url=settings.temporal_url(call.call_id),
        )

    async def _playbook(self, name: str) -> PlaybookBrief:
        try:
            return brief_of(await self._deps.playbooks.latest(name))
        except UnknownPlaybook as error:
            raise wrong_field("playbook", f"names no playbook we have: {name}") from error

    async def _start(self, call: CallInput) -> CallMemo:
        await self._deps.temporal.start_call(call)
        self._figures.calls_started.labels(call.direction.value).inc()
        return CallMemo.of(call)

    async def _start_once(self, call: CallInput) -> CallMemo:
        """Start it unless the key has done so before; then say what was started. A changed request is refused."""
        known = await self._deps.temporal.known_call(call.call_id)
        if known is None:
            return await self._start(call)
        first = known.memo
        if first is None or _what_was_asked(first) != _what_was_asked(CallMemo.of(call)):
            raise Refusal(422, "idempotency-key-reused", "This Idempotency-Key came with another request before.")
        return first


class Looking:
    """Reads calls."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps

    async def page(self, live: bool | None, cursor: str | None, limit: int) -> CallPage:
        """One page of calls. Raises Refusal."""
        try:
            rows, following = await self._deps.reader.calls(live=live, before=cursor, limit=limit)
        except ValueError as error:
            raise Refusal(422, "bad-cursor", "cursor is not one that a page gave as next") from error
        return CallPage(calls=[Call.of(row, self._url(row.call_id)) for row in rows], next=following)

    async def whole(self, call_id: str) -> CallDetail:
        """One call. Raises Refusal."""
        row, turns = await self.on_record(call_id)
        state = await self.state(call_id) if row.ended_ms is None else None
        return CallDetail.whole(row, turns, self._url(call_id), state)

    async def on_record(self, call_id: str) -> tuple[CallRow, Sequence[TurnRecord]]:
        """What is kept of the call; no worker is asked. Raises Refusal."""
        found = await self._deps.reader.call(call_id)
        if found is None:  # the record is written in the background: Temporal knows of a call first
            return _row_of(await known_call(self._deps, call_id)), ()
        return found

    async def state(self, call_id: str) -> CallState | None:
        """The live call in its own words, None if its worker does not answer at once."""
        try:
            return await self._deps.temporal.state(call_id)
        except (TemporalUnavailable, CallNotRunning):
            return None

    def _url(self, call_id: str) -> str:
        return self._deps.settings.temporal_url(call_id)


class Acting:
    """Has live calls do something."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps

    async def ask(self, call_id: str, update: str, message: object, once: str | None) -> None:
        """Ask the call's workflow. Raises Refusal, CallNotRunning, CallRefused, TemporalUnavailable."""
        try:
            await self._deps.temporal.update(call_id, update, message, once=once)
        except CallNotRunning:
            await known_call(self._deps, call_id)
            raise
        except CallRefused as refusal:
            log.info("call_refused", call_id=call_id, update=update, reason=str(refusal))
            raise


async def known_call(deps: ApiDeps, call_id: str) -> KnownCall:
    """The call as Temporal knows it. Raises Refusal 404 for one that never was, or was too long ago for Temporal."""
    known = await deps.temporal.known_call(call_id)
    if known is None or known.memo is None:
        raise Refusal(404, "unknown-call", "No call has this id.")
    return known


def _call_id(once: str | None) -> str:
    if once is None:
        return f"out-{secrets.token_hex(10)}"
    return f"out-{hashlib.sha256(once.encode()).hexdigest()[:32]}"


def _what_was_asked(memo: CallMemo) -> CallMemo:
    """The memo without the playbook's version, which may have changed between two equal requests."""
    return replace(memo, playbook=memo.playbook.partition("@")[0])


def _row_of(known: KnownCall) -> CallRow:
    memo = known.memo
    assert memo is not None
    outcome = known.attributes.get(names.OUTCOME_ATTRIBUTE, "")
    return CallRow(
        call_id=known.call_id,
        direction=memo.direction,
        playbook=memo.playbook,
        caller_number=memo.caller_number,
        our_number=memo.our_number,
        phase=known.attributes.get(names.PHASE_ATTRIBUTE, Phase.DIALLING) if known.running else Phase.ENDED,
        step=known.attributes.get(names.STEP_ATTRIBUTE, ""),
        disposition=Disposition(outcome) if outcome in set(Disposition) else None,
        started_ms=known.started_ms,
        answered_ms=None,
        ended_ms=known.ended_ms,
        turns=0,
    )
