"""Claude behind the reasoner's port.

Replies read the SDK's raw events over the aiohttp transport that the SDK brings. CPU of a 70-token reply, 20 at a time
on two shared cores: the accumulating helper 32 ms, the typed stream 25 ms, raw events 14 ms; over aiohttp 20, 14, 11.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, TypeVar

import httpx2
import msgspec
from anthropic import AsyncAnthropic, AsyncStream, DefaultAioHttpClient

from core.contracts.call import CallSummary
from core.conversation import Step, ToolCall, Usage
from core.ports.reasoner import (
    FindStep,
    Message,
    Prompt,
    ReplyPiece,
    SummedUp,
    TextPiece,
)
from vendors.anthropic_errors import broken, error_of_event, failures
from vendors.model_answers import SUMMARY_SCHEMA, Deadlines, FoundStep, step_schema

_Result = TypeVar("_Result")

DEFAULT_MODEL = "claude-haiku-5-5"
_THINK_ALWAYS = ("claude-opus-5-5", "claude-fable", "claude-mythos")  # refuse to have it turned off
_CONNECTIONS = httpx2.Limits(max_connections=1_000, max_keepalive_connections=200, keepalive_expiry=120)


class AnthropicReasoner:
    """A language model. One client for the life of a process, so that connections stay warm."""

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        *,
        reply_model: str = DEFAULT_MODEL,
        step_model: str = DEFAULT_MODEL,
        summary_model: str = DEFAULT_MODEL,
        deadlines: Deadlines | None = None,
    ) -> None:
        self._deadlines = deadlines or Deadlines()
        longest = max(asdict(self._deadlines).values())
        timeout = httpx2.Timeout(longest, connect=self._deadlines.connect)
        self._client = AsyncAnthropic(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            timeout=timeout,
            http_client=DefaultAioHttpClient(timeout=timeout, limits=_CONNECTIONS),
        )
        self._reply_model = reply_model
        self._step_model = step_model
        self._summary_model = summary_model

    @asynccontextmanager
    async def reply(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[ReplyPiece]]:
        """Stream a reply; leaving the block drops the request. Entering and iterating raise VendorError."""
        deadline = asyncio.get_running_loop().time() + self._deadlines.first_token
        request = self._client.messages.with_streaming_response.create(
            stream=True, **_request(prompt, self._reply_model)
        )
        response = await _within(request.__aenter__(), deadline)
        try:
            yield self._pieces(AsyncStream.raw_events(response.http_response), deadline)
        finally:
            await request.__aexit__(None, None, None)

    async def _pieces(self, events: AsyncIterator[Any], deadline: float) -> AsyncIterator[ReplyPiece]:
        clock = asyncio.get_running_loop().time
        reader = _Reader(self._reply_model)
        while not reader.done:
            event = await _within(anext(events, None), deadline)
            if event is None:
                raise broken("the answer ended in its middle")
            if event.event in (None, "ping"):
                continue
            piece = reader.read(event.event, event.data)
            if piece is not None:
                yield piece
                deadline = clock() + self._deadlines.next_token
            elif event.event == "message_start":
                yield reader.tell_usage()
        yield reader.tell_usage()

    async def find_step(self, request: FindStep) -> Step:
        """Raises VendorError."""
        asked = _request(request.prompt, self._step_model)
        found, usage = await self._structured(asked, step_schema(request), FoundStep, self._deadlines.step)
        step = found.as_step(request, usage)
        if step is None:
            raise broken("the step is none of the playbook's")
        return step

    async def summarize(self, prompt: Prompt) -> SummedUp:
        """Raises VendorError."""
        asked = _request(prompt, self._summary_model)
        return SummedUp(*await self._structured(asked, SUMMARY_SCHEMA, CallSummary, self._deadlines.summary))

    async def extract(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[dict[str, Any], Usage]:
        """Raises VendorError."""
        asked = _request(prompt, self._summary_model)
        return await self._structured(asked, schema, dict[str, Any], self._deadlines.summary)

    async def _structured(
        self, asked: dict[str, Any], schema: Mapping[str, Any], kind: type[_Result], seconds: float
    ) -> tuple[_Result, Usage]:
        """The answer, and what it took.

        The body is read here: the SDK hands on whatever came, HTML included, as if it were a message.
        """
        output: Any = {"format": {"type": "json_schema", "schema": schema}}
        with failures():
            async with asyncio.timeout(seconds):
                raw = await self._client.messages.with_raw_response.create(output_config=output, **asked)
                body = await raw.read()
        try:
            message = msgspec.json.decode(body, type=_Whole)
            if message.stop_reason == "refusal":
                raise broken("the model refused", curable=False)
            text = next((block.text for block in message.content if block.type == "text"), "")
            return msgspec.json.decode(text, type=kind), _counted(Usage(model=asked["model"]), message.usage)
        except msgspec.DecodeError as error:
            raise broken("a structured answer that is not what was asked for") from error

    async def check(self) -> None:
        """Raise VendorError unless the vendor takes our key; costs nothing and warms a connection."""
        with failures():
            async with asyncio.timeout(self._deadlines.check):
                await self._client.models.list(limit=1)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


class _Part(msgspec.Struct):
    """A delta or a content block: the fields of all kinds that matter here."""

    type: str = ""
    text: str = ""
    partial_json: str = ""
    stop_reason: str | None = None
    id: str = ""
    name: str = ""
    input: dict[str, Any] = {}


class _Tokens(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Whole(msgspec.Struct):
    content: list[_Part]
    stop_reason: str | None = None
    usage: _Tokens | None = None


class _Begun(msgspec.Struct):
    usage: _Tokens


class _Event(msgspec.Struct):
    delta: _Part | None = None
    content_block: _Part | None = None
    message: _Begun | None = None
    usage: _Tokens | None = None


_EVENT = msgspec.json.Decoder(_Event)


class _Reader:
    """Makes pieces of events."""

    def __init__(self, model: str) -> None:
        self.done = False
        self._usage = self._told = Usage(model=model)
        self._tool: _Part | None = None
        self._arguments: list[str] = []

    def read(self, kind: str, data: str) -> ReplyPiece | None:
        """The piece that this event completes, if any. Raises VendorError."""
        if kind == "error":
            raise error_of_event(data)
        try:
            event = _EVENT.decode(data)
        except msgspec.DecodeError as error:
            raise broken("an event that is none") from error
        match kind:
            case "content_block_delta" if event.delta is not None:
                if event.delta.type == "text_delta":
                    return TextPiece(event.delta.text) if event.delta.text else None
                self._arguments.append(event.delta.partial_json)
            case "content_block_start" if event.content_block is not None:
                self._tool = event.content_block if event.content_block.type == "tool_use" else None
                self._arguments = []
            case "content_block_stop" if self._tool is not None:
                return self._finish_tool(self._tool)
            case "message_start" if event.message is not None:
                self._count(event.message.usage)
            case "message_delta":
                self._count(event.usage)
                if event.delta is not None and event.delta.stop_reason == "refusal":
                    raise broken("the model refused", curable=False)
            case "message_stop":
                self.done = True
        return None

    def _finish_tool(self, tool: _Part) -> ToolCall:
        self._tool = None
        text = "".join(self._arguments)
        try:
            arguments = msgspec.json.decode(text, type=dict[str, Any]) if text else tool.input
        except msgspec.DecodeError as error:
            raise broken("a tool call without its end") from error
        return ToolCall(tool.id, tool.name, arguments)

    def tell_usage(self) -> Usage:
        """What has been used since it was told last; the prompt at once, as it is paid for whoever reads to the end."""
        usage, told = self._usage, self._told
        self._told = usage
        read, written = usage.input_tokens - told.input_tokens, usage.output_tokens - told.output_tokens
        return Usage(usage.model, read, written)

    def _count(self, tokens: _Tokens | None) -> None:
        self._usage = _counted(self._usage, tokens)


def _counted(usage: Usage, tokens: _Tokens | None) -> Usage:
    """What is known now: each count that is told takes the place of the one before."""
    if tokens is None:
        return usage
    read = (tokens.input_tokens, tokens.cache_read_input_tokens, tokens.cache_creation_input_tokens)
    known = tokens.input_tokens is not None
    return Usage(
        model=usage.model,
        input_tokens=sum(count or 0 for count in read) if known else usage.input_tokens,
        output_tokens=tokens.output_tokens if tokens.output_tokens is not None else usage.output_tokens,
    )


async def _within(work: Awaitable[_Result], deadline: float) -> _Result:
    with failures():
        async with asyncio.timeout_at(deadline):
            return await work


def _request(prompt: Prompt, model: str) -> dict[str, Any]:
    request: dict[str, Any] = {
        "model": model,
        "max_tokens": prompt.max_tokens,
        "messages": _messages(prompt.messages),
        "system": _system(prompt),
    }
    if prompt.tools:
        request["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": dict(tool.arguments)}
            for tool in prompt.tools
        ]
    if prompt.conversation:
        request["metadata"] = {"user_id": prompt.conversation}
    if not model.startswith(_THINK_ALWAYS):
        request["thinking"] = {"type": "disabled"}  # current models think by default: seconds of silence
    return request


def _system(prompt: Prompt) -> list[dict[str, Any]]:
    """The part that all calls of a playbook share is marked for the vendor's cache."""
    blocks: list[dict[str, Any]] = [{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}]
    if prompt.situation:
        blocks.append({"type": "text", "text": prompt.situation})
    return blocks


def _messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Messages in the vendor's form: tool calls paired with their results, one message for each change of role."""
    merged: list[dict[str, Any]] = []
    for role, blocks in (part for message in messages for part in _parts(message)):
        if merged and merged[-1]["role"] == role:
            merged[-1]["content"].extend(blocks)
        else:
            merged.append({"role": role, "content": blocks})
    return merged


def _parts(message: Message) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    if message.tools:
        calls = [result.call for result in message.tools]
        yield (
            "assistant",
            [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in calls],
        )
        yield (
            "user",
            [
                {
                    "type": "tool_result",
                    "tool_use_id": result.call.id,
                    "content": result.content or "(nothing)",
                    "is_error": not result.ok,
                }
                for result in message.tools
            ],
        )
    if message.text:
        yield message.role, [{"type": "text", "text": message.text}]
