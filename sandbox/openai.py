"""OpenAI's chat completions on this machine, under /openai/v1, answered by the rule-based model.

Requests are read as the Messages requests they amount to. Faults are those of Anthropic's, under the vendor "openai".
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.answers import Dropped, PiecewiseResponse, nothing, retry_after, until_gone
from sandbox.config import config_of
from sandbox.json_values import NoValue
from sandbox.model_prompt import read_request
from sandbox.model_rules import Answer, answer
from sandbox.model_structured import structured_answer
from sandbox.model_words import tokens_of
from sandbox.state import Fault, SandboxState, pause

MODELS = ("gpt-4.1-mini", "gpt-5-mini", "sandbox-model")
_HANGING = ("stall", "mute")
_BREAKS_AFTER = {"stall_after": 1, "error_event": 1, "drop": 3}  # tokens
_ROLES = ("system", "developer", "user", "assistant", "tool")


def router(state: SandboxState) -> APIRouter:
    """The routes of the vendor."""
    routes = APIRouter(prefix="/openai/v1", tags=["openai"])

    @routes.get("/models")
    async def models(request: Request) -> Response:
        """The models there are."""
        if not _known(request):
            return _error(401, "Incorrect API key provided.")
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]})

    @routes.post("/chat/completions")
    async def complete(request: Request) -> Response:
        """Answer, streamed or whole."""
        if not _known(request):
            return _error(401, "Incorrect API key provided.")
        try:
            body = json.loads(await request.body())
        except ValueError:
            return _error(400, "The body is no JSON.")
        if problem := _problem(body):
            return _error(404 if problem == "model" else 400, f"Invalid value: {problem}")
        asked = _as_messages(body)
        caller_text = read_request(asked).caller_text
        state.stamp("openai", "request", text=caller_text, stream=bool(body.get("stream")))
        fault = state.take_fault("openai", caller_text)
        kind = fault.kind if fault else ""
        if fault is not None and kind == "status":
            return _error(fault.status, "The sandbox was told to fail.", retry_after(fault))
        if kind in _HANGING:
            await until_gone(request)
        if kind in ("connect", *_HANGING):
            return PiecewiseResponse(nothing(), "application/json")
        if kind == "garbage":
            return Response("<html>", media_type="text/html")
        if body.get("stream"):
            return PiecewiseResponse(_streamed(state, body, answer(asked), fault), "text/event-stream")
        return await _whole(state, body, asked, fault)

    return routes


def _known(request: Request) -> bool:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and config_of(request).takes_key("openai", key)


def _problem(body: Any) -> str:
    """The first thing that the vendor refuses."""
    if not isinstance(body, dict) or body.get("model") not in MODELS:
        return "model"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages"
    waiting: set[str] = set()
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            return "messages.role"
        if message["role"] == "tool":
            if message.get("tool_call_id") not in waiting:
                return "messages: a tool's message must follow the call it answers"
            waiting.discard(message["tool_call_id"])
        elif waiting:
            return "messages: each tool call must be followed by its message"
        waiting |= {call["id"] for call in message.get("tool_calls") or ()}
    shape = body.get("response_format")
    if shape is not None and not isinstance(shape.get("json_schema", {}).get("schema"), dict):
        return "response_format"
    return "messages: each tool call must be followed by its message" if waiting else ""


def _as_messages(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same as a Messages request."""
    system, messages = [], []
    for message in body["messages"]:
        match message["role"]:
            case "system" | "developer":
                system.append(message["content"])
            case "tool":
                failed = message["content"].startswith("(This failed.) ")
                content = message["content"].removeprefix("(This failed.) ")
                result = {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": content}
                messages.append({"role": "user", "content": [result | {"is_error": failed}]})
            case role:
                blocks = [{"type": "text", "text": message["content"]}] if message.get("content") else []
                for call in message.get("tool_calls") or ():
                    made = call["function"]
                    arguments = json.loads(made["arguments"] or "{}")
                    blocks.append({"type": "tool_use", "id": call["id"], "name": made["name"], "input": arguments})
                messages.append({"role": role, "content": blocks})
    tools = [
        {
            "name": tool["function"]["name"],
            "description": tool["function"].get("description", ""),
            "input_schema": tool["function"].get("parameters") or {"type": "object"},
        }
        for tool in body.get("tools") or ()
    ]
    return {"model": body["model"], "system": "\n\n".join(system), "messages": messages, "tools": tools}


async def _whole(state: SandboxState, body: Mapping[str, Any], asked: dict[str, Any], fault: Fault | None) -> Response:
    if fault is not None and fault.kind in _BREAKS_AFTER:
        return PiecewiseResponse(nothing(), "application/json")
    shape = body.get("response_format")
    try:
        schema = shape and shape["json_schema"]["schema"]
        text = json.dumps(structured_answer(asked, schema), ensure_ascii=False) if schema else answer(asked).text
    except NoValue as error:
        return _error(400, f"response_format: {error}")
    await pause(state.latency.model_structured_ms)
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, "refusal": None}}
    return JSONResponse(_envelope(body, "chat.completion") | {"choices": [choice], "usage": _usage(body, text)})


async def _streamed(
    state: SandboxState, body: Mapping[str, Any], found: Answer, fault: Fault | None
) -> AsyncIterator[bytes]:
    """The answer's chunks, each token at its time."""
    kind = fault.kind if fault else ""
    breaks_after = (fault.after if fault and fault.after else _BREAKS_AFTER.get(kind, math.inf)) if kind else math.inf
    envelope = _envelope(body, "chat.completion.chunk")
    await pause(state.latency.model_first_token_ms)
    yield _chunk(envelope, {"role": "assistant", "content": ""})
    for sent, delta in enumerate(_deltas(found)):
        if sent:
            await pause(fault.delay_ms if fault and kind == "drip" else state.latency.model_token_ms)
        if sent >= breaks_after and kind == "stall_after":
            await asyncio.Event().wait()
        if sent >= breaks_after and kind == "error_event":
            yield b'data: {"error": {"message": "The sandbox was told to fail.", "type": "server_error"}}\n\n'
            return
        if sent >= breaks_after and kind == "drop":
            raise Dropped
        yield _chunk(envelope, delta)
    yield _chunk(envelope, {}, "tool_calls" if found.tools else "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield _event(envelope | {"choices": [], "usage": _usage(body, found.text)})
    yield b"data: [DONE]\n\n"
    state.stamp("openai", "done")


def _deltas(found: Answer) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"content": token} for token in tokens_of(found.text)]
    for index, tool in enumerate(found.tools):
        call = {"index": index, "id": f"call_{uuid4().hex[:24]}", "type": "function"}
        deltas.append({"tool_calls": [call | {"function": {"name": tool.name, "arguments": ""}}]})
        arguments = json.dumps(tool.arguments, ensure_ascii=False)
        for at in range(0, len(arguments), 12):
            piece = {"index": index, "function": {"arguments": arguments[at : at + 12]}}
            deltas.append({"tool_calls": [piece]})
    return deltas


def _envelope(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid4().hex[:24]}", "object": kind, "created": 0, "model": body["model"]}


def _chunk(envelope: Mapping[str, Any], delta: Mapping[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return _event({**envelope, "choices": [choice], "usage": None})


def _event(data: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def _usage(body: Mapping[str, Any], text: str) -> dict[str, int]:
    prompt, completion = max(1, len(json.dumps(body["messages"])) // 4), len(tokens_of(text))
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
    return JSONResponse(body, status, headers=headers)
