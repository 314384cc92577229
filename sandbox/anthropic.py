"""Anthropic's Messages API, answered by the rule-based model.

Beside the faults that every vendor has: "error_event" sends an ``error`` event after the first token, under HTTP 200,
of the kind that belongs to the fault's ``status``.
"""

import asyncio
import hashlib
import json
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from core.sentences import SentenceCutter
from sandbox.answers import Dropped, PiecewiseResponse, nothing, retry_after, until_gone
from sandbox.anthropic_wire import (
    MODELS,
    VERSIONS,
    BadRequest,
    Block,
    blocks_of,
    check_request,
    closing_events,
    error_body,
    error_event,
    error_type,
    message_of,
    message_start,
    message_stop,
    opening_events,
    ping,
    thinks,
    token_event,
)
from sandbox.config import config_of
from sandbox.json_values import NoValue
from sandbox.model_prompt import read_request
from sandbox.model_rules import Answer, answer
from sandbox.model_structured import structured_answer
from sandbox.model_words import tokens_of
from sandbox.state import Fault, SandboxState, now_ms, pause

_PING_EVERY_S = 1.0
_HANGING = ("stall", "mute")
_BREAKS_AFTER = {"stall_after": 1, "error_event": 1, "drop": 3}  # tokens


@dataclass(frozen=True, slots=True)
class _Work:
    """One request, understood."""

    body: Mapping[str, Any]
    blocks: tuple[Block, ...]
    stop_reason: str
    caller_text: str
    tokens_in: int
    cached_tokens: int


def router(state: SandboxState) -> APIRouter:
    """The routes of the vendor."""
    routes = APIRouter(tags=["anthropic"])
    cached: set[str] = set()

    @routes.post("/v1/messages")
    async def messages(request: Request) -> Response:
        """Answer, streamed or whole."""
        body = await _checked(request)
        if isinstance(body, Response):
            return body
        caller_text = read_request(body).caller_text
        state.stamp("anthropic", "request", text=caller_text, stream=bool(body.get("stream")))
        fault = state.take_fault("anthropic", f"{body['model']}: {caller_text}")
        if fault is not None and fault.kind == "status":
            return _error(fault.status, "The sandbox was told to fail.", retry_after(fault))
        if fault is not None and fault.kind == "connect":
            return PiecewiseResponse(nothing(), "application/json")
        try:
            work = _understood(body, caller_text, cached)
        except NoValue as error:
            return _error(400, f"output_config.format.schema: {error}")
        if body.get("stream"):
            pieces = _streamed(state, work, fault, request)
            return PiecewiseResponse(pieces, "text/event-stream; charset=utf-8", {"cache-control": "no-cache"})
        return await _whole(state, work, fault, request)

    @routes.post("/v1/messages/count_tokens")
    async def count_tokens(request: Request) -> Response:
        """How many tokens a request has."""
        body = await _checked(request, need_max_tokens=False)
        if isinstance(body, Response):
            return body
        return JSONResponse({"input_tokens": _count(body)})

    @routes.get("/v1/models")
    async def models(request: Request) -> Response:
        """The models there are."""
        if refused := _refusal(request):
            return refused
        listed = [_model(name) for name in MODELS]
        return JSONResponse({"data": listed, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]})

    @routes.get("/v1/models/{name}")
    async def model(name: str, request: Request) -> Response:
        """One model."""
        if refused := _refusal(request):
            return refused
        return JSONResponse(_model(name)) if name in MODELS else _error(404, f"model: {name}")

    return routes


def _refusal(request: Request) -> Response | None:
    if not config_of(request).takes_key("anthropic", _key(request)):
        return _error(401, "invalid x-api-key")
    version = request.headers.get("anthropic-version")
    if version not in VERSIONS:
        return _error(400, "anthropic-version: header is required" if not version else f"{version!r} is no version")
    return None


def _key(request: Request) -> str | None:
    """SDKs since 2.0 send a bearer key, older ones ``x-api-key``, which wins where both are sent."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return request.headers.get("x-api-key") or bearer or None


async def _checked(request: Request, *, need_max_tokens: bool = True) -> Mapping[str, Any] | Response:
    if refused := _refusal(request):
        return refused
    try:
        body = json.loads(await request.body())
        check_request(body, request.headers["anthropic-version"], need_max_tokens=need_max_tokens)
    except ValueError:
        return _error(400, "The request body is not valid JSON.")
    except BadRequest as error:
        return _error(error.status, str(error))
    return body  # type: ignore[no-any-return]  # checked to be an object


def _understood(body: Mapping[str, Any], caller_text: str, cached: set[str]) -> _Work:
    output = (body.get("output_config") or {}).get("format")
    if output:
        found = Answer(json.dumps(structured_answer(body, output["schema"]), ensure_ascii=False))
    else:
        found = answer(body)
    blocks, stop_reason = blocks_of(found, int(body["max_tokens"]), think=thinks(body), tokens=tokens_of)
    return _Work(body, blocks, stop_reason, caller_text, _count(body), _from_cache(body, cached))


async def _whole(state: SandboxState, work: _Work, fault: Fault | None, request: Request) -> Response:
    kind = fault.kind if fault else ""
    if kind in ("drop", "stall_after", "drip", "error_event", *_HANGING):
        if kind != "drop":
            await until_gone(request)
        return PiecewiseResponse(nothing(), "application/json")
    structured = bool((work.body.get("output_config") or {}).get("format"))
    tokens = sum(len(block.tokens) for block in work.blocks)
    latency = state.latency
    spoken_ms = latency.model_first_token_ms + latency.model_token_ms * tokens
    await pause(latency.model_structured_ms if structured else spoken_ms)
    state.stamp("anthropic", "done", text=work.caller_text)
    if kind == "garbage":
        return Response("<html><body>Bad gateway</body></html>", media_type="text/html")
    return JSONResponse(
        message_of(work.body["model"], work.blocks, work.stop_reason, _usage(work, tokens)),
        headers={"request-id": f"req_{uuid4().hex[:24]}"},
    )


async def _streamed(state: SandboxState, work: _Work, fault: Fault | None, request: Request) -> AsyncIterator[bytes]:
    """The answer's events, each token at its time. Stops when the client has gone."""
    kind = fault.kind if fault else ""
    breaks_after = _BREAKS_AFTER.get(kind, math.inf)
    if fault is not None and fault.after:
        breaks_after = fault.after
    begun = message_start(work.body["model"], _usage(work, 1)) + ping()
    due_ms = now_ms() + state.latency.model_first_token_ms
    async with _watching(request) as gone:
        if kind == "stall":
            await gone
            raise Dropped
        await pause(state.latency.model_first_token_ms)
        if kind in ("garbage", "mute"):
            async for piece in _senseless(kind, begun, gone):
                yield piece
            return
        first, sent = _FirstSentence(state, work.caller_text), 0
        for events, text in _tokens_of(work.blocks, begun):
            if sent:
                due_ms += fault.delay_ms if fault and kind == "drip" else state.latency.model_token_ms
                await pause(due_ms - now_ms())
            if gone.done():
                return
            yield events
            sent += 1
            first.hear(text)
            if fault is not None and kind in _BREAKS_AFTER and sent >= breaks_after:
                if kind == "stall_after":
                    await gone
                if kind != "error_event":
                    raise Dropped
                yield error_event(fault.status)
                return
        first.end()
        state.stamp("anthropic", "done", text=work.caller_text)
        yield closing_events(len(work.blocks) - 1) + message_stop(work.stop_reason, sent)


async def _senseless(kind: str, begun: bytes, gone: asyncio.Task[None]) -> AsyncIterator[bytes]:
    """An answer that says nothing, or nothing anybody can read."""
    if kind == "garbage":
        yield begun + b"event: content_block_delta\ndata: {this is no JSON\n\n"
        return
    yield begun
    while not gone.done():
        await asyncio.wait([gone], timeout=_PING_EVERY_S)
        yield ping()


def _tokens_of(blocks: tuple[Block, ...], begun: bytes) -> Iterator[tuple[bytes, str]]:
    """What to send for each token, and its text: a write each, with what comes at the same moment in front."""
    due = begun
    for index, block in enumerate(blocks):
        due += opening_events(index, block)
        for token in block.tokens:
            yield due + token_event(index, block, token), token if block.kind == "text" else ""
            due = b""
        if index < len(blocks) - 1:
            due += closing_events(index)


class _FirstSentence:
    """Stamps the moment the token that ends the first sentence has been sent."""

    def __init__(self, state: SandboxState, caller_text: str) -> None:
        self._state = state
        self._caller_text = caller_text
        self._cutter: SentenceCutter | None = SentenceCutter()

    def hear(self, token: str) -> None:
        if self._cutter is not None and (sentences := self._cutter.feed(token)):
            self._stamp(sentences[0])

    def end(self) -> None:
        if self._cutter is not None and (sentences := self._cutter.finish()):
            self._stamp(sentences[0])

    def _stamp(self, sentence: str) -> None:
        self._cutter = None
        self._state.stamp("anthropic", "first_sentence", text=sentence, request=self._caller_text)


@asynccontextmanager
async def _watching(request: Request) -> AsyncIterator[asyncio.Task[None]]:
    """A task that ends when the client goes."""
    gone = asyncio.create_task(until_gone(request))
    try:
        yield gone
    finally:
        gone.cancel()


def _count(body: Mapping[str, Any]) -> int:
    return max(1, len(json.dumps([body.get("system"), body.get("messages"), body.get("tools")])) // 4)


def _from_cache(body: Mapping[str, Any], cached: set[str]) -> int:
    """Tokens up to the last ``cache_control`` of the system prompt, if they were sent before."""
    system = body.get("system")
    if not isinstance(system, list):
        return 0
    last = max((place for place, block in enumerate(system) if block.get("cache_control")), default=-1)
    if last < 0:
        return 0
    prefix = json.dumps([body["model"], body.get("tools"), system[: last + 1]], sort_keys=True)
    key = hashlib.sha256(prefix.encode()).hexdigest()
    if key in cached:
        return len(prefix) // 4
    cached.add(key)
    return 0


def _usage(work: _Work, output_tokens: int) -> dict[str, int]:
    return {
        "input_tokens": max(1, work.tokens_in - work.cached_tokens),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": work.cached_tokens,
        "output_tokens": output_tokens,
    }


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(error_body(error_type(status), message), status_code=status, headers=headers)


def _model(name: str) -> dict[str, Any]:
    words = name.removeprefix("claude-").split("-")
    title = f"Claude {words[0].capitalize()} {'.'.join(words[1:3])}"
    return {"type": "model", "id": name, "display_name": title, "created_at": "2026-10-07T00:00:00Z"}
