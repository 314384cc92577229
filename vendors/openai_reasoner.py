"""Any model behind OpenAI's chat completions, at any address that speaks them, behind the reasoner's port.

Over plain HTTP: the servers that call themselves compatible agree on the wire format, not on an SDK's types.

Source: OpenAI API reference, "Chat completions" and "Structured outputs".
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import httpx
import msgspec

from core.contracts.call import CallSummary
from core.conversation import Step, ToolCall, Usage
from core.ports.errors import VendorError
from core.ports.reasoner import FindStep, Message, Prompt, ReplyPiece, SummedUp, TextPiece
from vendors.failures import failure_of_status
from vendors.model_answers import SUMMARY_SCHEMA, Deadlines, FoundStep, step_schema

VENDOR = "openai"
DEFAULT_BASE_URL = "https://api.openai.com/v1"
BYTES_A_TOKEN = 4
"""Of a request, about: what an answer took is told with its end only, and one that is cut off is paid for, too."""
TELL_EVERY = 8
"""Tokens written: so many at most are on no bill when an answer is cut off."""

_Result = TypeVar("_Result")


class OpenAIReasoner:
    """Implements core.ports.reasoner.Reasoner. One client for the life of a process, so that connections stay warm.

    Args:
        model: writes replies, finds steps and sums up.
        base_url: with its version, as these addresses are usually given: ``https://host/v1``.
    """

    def __init__(
        self, api_key: str, model: str, base_url: str | None = None, *, deadlines: Deadlines | None = None
    ) -> None:
        self._deadlines = deadlines or Deadlines()
        self._model = model
        self._http = httpx.AsyncClient(
            base_url=(base_url or DEFAULT_BASE_URL).rstrip("/"),
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx.Timeout(None, connect=self._deadlines.connect),  # each wait has a deadline of its own
            limits=httpx.Limits(max_connections=1_000, max_keepalive_connections=100, keepalive_expiry=120),
        )

    @asynccontextmanager
    async def reply(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[ReplyPiece]]:
        """Stream a reply; leaving the block drops the request. Entering and iterating raise VendorError."""
        deadline = asyncio.get_running_loop().time() + self._deadlines.first_token
        body = _request(prompt, self._model) | {"stream": True, "stream_options": {"include_usage": True}}
        request = self._http.build_request("POST", "/chat/completions", json=body)
        with _failures():
            async with asyncio.timeout_at(deadline):
                response = await self._http.send(request, stream=True)
        try:
            if response.status_code != httpx.codes.OK:
                raise failure_of_status(VENDOR, response.status_code, "a reply", response.headers)
            yield self._pieces(response, deadline, len(request.content))
        finally:
            await response.aclose()

    async def _pieces(self, response: httpx.Response, deadline: float, asked_bytes: int) -> AsyncIterator[ReplyPiece]:
        clock = asyncio.get_running_loop().time
        reader = _Reader(self._model, asked_bytes // BYTES_A_TOKEN)
        lines = response.aiter_lines()
        while not reader.done:
            with _failures():
                async with asyncio.timeout_at(deadline):
                    line = await anext(lines, None)
            if line is None:
                raise _broken("the answer ended in its middle")
            for piece in reader.read(line):
                yield piece
                deadline = clock() + self._deadlines.next_token
            if reader.untold >= TELL_EVERY:
                yield reader.tell_usage()
        yield reader.tell_usage()

    async def find_step(self, request: FindStep) -> Step:
        """Raises VendorError."""
        schema = step_schema(request)
        found, usage = await self._structured(request.prompt, "step", schema, FoundStep, self._deadlines.step)
        step = found.as_step(request, usage)
        if step is None:
            raise _broken("the step is none of the playbook's")
        return step

    async def summarize(self, prompt: Prompt) -> SummedUp:
        """Raises VendorError."""
        schema = dict(SUMMARY_SCHEMA)
        return SummedUp(*await self._structured(prompt, "summary", schema, CallSummary, self._deadlines.summary))

    async def extract(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[dict[str, Any], Usage]:
        """Raises VendorError."""
        return await self._structured(prompt, "fields", dict(schema), dict[str, Any], self._deadlines.summary)

    async def _structured(
        self, prompt: Prompt, name: str, schema: dict[str, Any], kind: type[_Result], seconds: float
    ) -> tuple[_Result, Usage]:
        """The answer, and what it took."""
        shape = {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}
        body = _request(prompt, self._model) | {"response_format": shape}
        with _failures():
            async with asyncio.timeout(seconds):
                response = await self._http.post("/chat/completions", json=body)
        if response.status_code != httpx.codes.OK:
            raise failure_of_status(VENDOR, response.status_code, "a structured answer", response.headers)
        try:
            whole = msgspec.json.decode(response.content, type=_Whole)
            message = whole.choices[0].message
            if message.refusal:
                raise _broken("the model refused", curable=False)
            return msgspec.json.decode(message.content or "", type=kind), _counted(self._model, whole.usage)
        except (msgspec.DecodeError, IndexError) as error:
            raise _broken("a structured answer that is not what was asked for") from error

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolDelta(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function | None = None


class _Words(msgspec.Struct):
    """A delta, or a whole message."""

    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolDelta] | None = None


class _Choice(msgspec.Struct):
    delta: _Words = msgspec.field(default_factory=_Words)
    message: _Words = msgspec.field(default_factory=_Words)
    finish_reason: str | None = None


class _Tokens(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Whole(msgspec.Struct):
    """A whole answer, or a chunk of one."""

    choices: list[_Choice] = []
    usage: _Tokens | None = None
    error: Any = None


_CHUNK = msgspec.json.Decoder(_Whole)


class _Reader:
    """Makes pieces of a stream's lines."""

    def __init__(self, model: str, asked_tokens: int) -> None:
        self.done = False
        self.untold = TELL_EVERY - 1  # tokens written since usage was told; what was asked is told with the first
        self._told = Usage(model=model)
        self._usage = Usage(model=model, input_tokens=asked_tokens)
        self._counted = False  # by the vendor
        self._tools: dict[int, tuple[str, str, list[str]]] = {}  # index -> id, name, fragments of the arguments

    def read(self, line: str) -> list[ReplyPiece]:
        """The pieces that this line completes. Raises VendorError."""
        if not line.startswith("data:"):
            return []  # blank, a comment or a field nobody needs
        data = line[5:].strip()
        if data == "[DONE]":
            self.done = True
            return self._whole_tools()
        try:
            chunk = _CHUNK.decode(data)
        except msgspec.DecodeError as error:
            raise _broken("a chunk that is none") from error
        if chunk.error is not None:
            raise VendorError(VENDOR, "unavailable", "an error in the answer", curable=True)
        if chunk.usage is not None:
            self._usage, self._counted = _counted(self._usage.model, chunk.usage), True
        return [piece for choice in chunk.choices[:1] for piece in self._take(choice)]

    def _take(self, choice: _Choice) -> Iterator[ReplyPiece]:
        if choice.delta.refusal or choice.finish_reason == "content_filter":
            raise _broken("the model refused", curable=False)
        if choice.delta.content:
            self.untold += 1
            if not self._counted:
                self._usage = replace(self._usage, output_tokens=self._usage.output_tokens + 1)
            yield TextPiece(choice.delta.content)
        for delta in choice.delta.tool_calls or ():
            function = delta.function or _Function()
            name, arguments = function.name or "", function.arguments or ""
            self._tools.setdefault(delta.index, (delta.id or "", name, []))[2].append(arguments)
        if choice.finish_reason is not None:
            yield from self._whole_tools()

    def tell_usage(self) -> Usage:
        """What has been used since it was told last: guessed until the vendor tells, which sets it right."""
        usage, told = self._usage, self._told
        self._told, self.untold = usage, 0
        read, written = usage.input_tokens - told.input_tokens, usage.output_tokens - told.output_tokens
        return Usage(usage.model, read, written)

    def _whole_tools(self) -> list[ReplyPiece]:
        tools, self._tools = self._tools, {}
        return [_tool_call(*tool) for tool in tools.values()]


def _tool_call(call_id: str, name: str, fragments: list[str]) -> ToolCall:
    text = "".join(fragments)
    try:
        return ToolCall(call_id, name, msgspec.json.decode(text, type=dict[str, Any]) if text else {})
    except msgspec.DecodeError as error:
        raise _broken("a tool call without its end") from error


def _counted(model: str, tokens: _Tokens | None) -> Usage:
    known = tokens or _Tokens()
    return Usage(model=model, input_tokens=known.prompt_tokens, output_tokens=known.completion_tokens)


def _request(prompt: Prompt, model: str) -> dict[str, Any]:
    system = "\n\n".join(filter(None, (prompt.system, prompt.situation)))
    request: dict[str, Any] = {
        "model": model,
        "max_completion_tokens": prompt.max_tokens,
        "messages": [{"role": "system", "content": system}, *(m for said in prompt.messages for m in _messages(said))],
    }
    if prompt.tools:
        request["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.arguments)},
            }
            for tool in prompt.tools
        ]
    if prompt.conversation:
        request["user"] = prompt.conversation
    return request


def _messages(message: Message) -> Iterator[dict[str, Any]]:
    """In the vendor's form: what was asked for, each result as a message of its own, then the words."""
    if message.tools:
        calls = [
            {
                "id": result.call.id,
                "type": "function",
                "function": {
                    "name": result.call.name,
                    "arguments": msgspec.json.encode(result.call.arguments).decode(),
                },
            }
            for result in message.tools
        ]
        yield {"role": "assistant", "content": None, "tool_calls": calls}
        for result in message.tools:
            content = result.content or "(nothing)"
            words = content if result.ok else f"(This failed.) {content}"
            yield {"role": "tool", "tool_call_id": result.call.id, "content": words}
    if message.text:
        yield {"role": message.role, "content": message.text}


@contextmanager
def _failures() -> Iterator[None]:
    """Turn what the transport raises into VendorError."""
    try:
        yield
    except (TimeoutError, httpx.TimeoutException) as error:
        raise VendorError(VENDOR, "timeout", "no answer in time", curable=True) from error
    except httpx.TransportError as error:
        raise VendorError(VENDOR, "unavailable", f"connection failed ({type(error).__name__})", curable=True) from error


def _broken(message: str, *, curable: bool = True) -> VendorError:
    return VendorError(VENDOR, "broken", message, curable=curable)
