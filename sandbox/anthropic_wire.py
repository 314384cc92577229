"""Anthropic's wire format: what a request must be, and the bytes of an answer.

Source: the API reference, "Versions", and "Migrating to API version 2026-10-21".
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sandbox.model_rules import Answer

MODELS = (
    "claude-haiku-5-5",
    "claude-sonnet-5-5",
    "claude-opus-5-5",
    "claude-sonnet-4-6",
    "claude-opus-4-6",
    "claude-haiku-4-5",
    "claude-haiku-4-5-20251001",
)
VERSIONS = ("2026-10-21", "2023-06-01")
_NO_SAMPLING = "2026-10-21"  # from this version on sampling cannot be set
_THINK_BY_DEFAULT = ("claude-haiku-5", "claude-sonnet-5", "claude-opus-5")
_ALWAYS_THINK = ("claude-opus-5-5",)
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class BadRequest(Exception):
    """The vendor refuses the request; the message says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Block:
    """One content block: ``tokens`` are what its deltas carry."""

    kind: str  # "text" | "tool_use" | "thinking"
    tokens: tuple[str, ...] = ()
    tool_id: str = ""
    tool_name: str = ""


def check_request(body: Any, version: str, *, need_max_tokens: bool = True) -> None:
    """Refuse what the vendor refuses. Raises BadRequest."""
    if not isinstance(body, dict):
        raise BadRequest(400, "Input should be an object")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequest(400, "model: Field required")
    if model not in MODELS:
        raise BadRequest(404, f"model: {model}")
    limit = body.get("max_tokens")
    if need_max_tokens and (not isinstance(limit, int) or limit < 1):
        raise BadRequest(400, "max_tokens: Field required" if limit is None else "max_tokens: must be at least 1")
    for field in ("temperature", "top_p", "top_k"):
        if field in body and version >= _NO_SAMPLING:
            raise BadRequest(400, f"{field}: Extra inputs are not permitted")
    if (body.get("thinking") or {}).get("type") == "disabled" and model.startswith(_ALWAYS_THINK):
        raise BadRequest(400, "thinking: this model cannot turn thinking off")
    _check_messages(body.get("messages"))
    _check_tools(body)


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise BadRequest(400, "messages: at least one message is required")
    waiting: set[str] = set()
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            raise BadRequest(400, f"messages.{place}.role: Input should be 'user' or 'assistant'")
        content = message.get("content")
        if not content:
            raise BadRequest(400, f"messages.{place}: all messages must have non-empty content")
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        if any(block.get("type") == "text" and not str(block.get("text", "")).strip() for block in blocks):
            raise BadRequest(400, f"messages.{place}: text content blocks must be non-empty")
        answered = {block.get("tool_use_id") for block in blocks if block.get("type") == "tool_result"}
        if answered - waiting:
            raise BadRequest(400, f"messages.{place}: unexpected `tool_use_id` found in `tool_result` blocks")
        if waiting - answered:
            raise BadRequest(400, f"messages.{place}: `tool_use` ids were found without `tool_result` blocks after")
        waiting = {block["id"] for block in blocks if block.get("type") == "tool_use"}
    if messages[0]["role"] != "user":
        raise BadRequest(400, 'messages: first message must use the "user" role')
    if messages[-1]["role"] == "assistant":
        raise BadRequest(
            400, "This model does not support assistant message prefill. The conversation must end with a user message."
        )


def _check_tools(body: Mapping[str, Any]) -> None:
    tools = body.get("tools") or []
    names = [tool.get("name") for tool in tools]
    for place, tool in enumerate(tools):
        if not tool.get("name") or (tool.get("input_schema") or {}).get("type") != "object":
            raise BadRequest(400, f"tools.{place}.custom.input_schema.type: Field required")
    if len(set(names)) != len(names):
        raise BadRequest(400, "tools: Tool names must be unique.")
    if not tools and any(_holds_tools(message) for message in body["messages"]):
        raise BadRequest(400, "tools: must be given where messages hold `tool_use` or `tool_result` blocks")
    choice = body.get("tool_choice") or {}
    if choice.get("type") == "tool" and choice.get("name") not in names:
        raise BadRequest(400, f"tool_choice: no tool is named {choice.get('name')!r}")
    output = (body.get("output_config") or {}).get("format")
    if output and (output.get("type") != "json_schema" or not isinstance(output.get("schema"), dict)):
        raise BadRequest(400, "output_config.format.schema: Field required")


def _holds_tools(message: Mapping[str, Any]) -> bool:
    content = message["content"]
    return isinstance(content, list) and any(block.get("type") in ("tool_use", "tool_result") for block in content)


def thinks(body: Mapping[str, Any]) -> bool:
    """Whether the model thinks before it answers this request."""
    setting = (body.get("thinking") or {}).get("type")
    return setting in ("adaptive", "enabled") or (setting is None and body["model"].startswith(_THINK_BY_DEFAULT))


def blocks_of(
    answer: Answer, max_tokens: int, *, think: bool, tokens: Callable[[str], tuple[str, ...]]
) -> tuple[tuple[Block, ...], str]:
    """The blocks of an answer, cut at ``max_tokens``, and why it stops."""
    blocks = [Block("thinking")] if think else []
    text = tokens(answer.text)
    if len(text) > max_tokens:
        return (*blocks, Block("text", text[:max_tokens])), "max_tokens"
    if text:
        blocks.append(Block("text", text))
    for tool in answer.tools:
        arguments = json.dumps(tool.arguments, ensure_ascii=False)
        fragments = tuple(arguments[at : at + 12] for at in range(0, len(arguments), 12))
        blocks.append(Block("tool_use", ("", *fragments), f"toolu_{uuid4().hex[:24]}", tool.name))
    return tuple(blocks), "tool_use" if answer.tools else "end_turn"


def message_of(model: str, blocks: tuple[Block, ...], stop_reason: str, usage: dict[str, int]) -> dict[str, Any]:
    """A whole answer."""
    return {
        "id": f"msg_{uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [_content(block) for block in blocks],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage,
    }


def _content(block: Block) -> dict[str, Any]:
    match block.kind:
        case "tool_use":
            arguments = json.loads("".join(block.tokens) or "{}")
            return {"type": "tool_use", "id": block.tool_id, "name": block.tool_name, "input": arguments}
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": "c2FuZGJveA=="}
    return {"type": "text", "text": "".join(block.tokens)}


def message_start(model: str, usage: dict[str, int]) -> bytes:
    """The first event."""
    message = message_of(model, (), "", usage) | {"stop_reason": None}
    return _event("message_start", {"type": "message_start", "message": message})


def opening_events(index: int, block: Block) -> bytes:
    """A block begins; one that holds no tokens brings its content at once."""
    content = _content(Block(block.kind, (), block.tool_id, block.tool_name))
    if block.kind == "thinking":
        content["signature"] = ""
    start = _event("content_block_start", {"type": "content_block_start", "index": index, "content_block": content})
    if block.kind != "thinking":
        return start
    delta = {"type": "signature_delta", "signature": "c2FuZGJveA=="}
    return start + _event("content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta})


def token_event(index: int, block: Block, token: str) -> bytes:
    """A token. Written by hand: there is one every few ms for each call."""
    kind, key = ("text_delta", "text") if block.kind == "text" else ("input_json_delta", "partial_json")
    return (
        f'event: content_block_delta\ndata: {{"type":"content_block_delta","index":{index},'
        f'"delta":{{"type":"{kind}","{key}":{json.dumps(token, ensure_ascii=False)}}}}}\n\n'
    ).encode()


def closing_events(index: int) -> bytes:
    """A block ends."""
    return _event("content_block_stop", {"type": "content_block_stop", "index": index})


def message_stop(stop_reason: str, output_tokens: int) -> bytes:
    """The last two events."""
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return _event(
        "message_delta", {"type": "message_delta", "delta": delta, "usage": {"output_tokens": output_tokens}}
    ) + _event("message_stop", {"type": "message_stop"})


def ping() -> bytes:
    """An event that says nothing."""
    return _event("ping", {"type": "ping"})


def error_event(status: int) -> bytes:
    """An error after the answer has begun."""
    return _event("error", error_body(error_type(status), "The sandbox was told to fail."))


def error_type(status: int) -> str:
    """The vendor's name for a status."""
    return _ERROR_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")


def error_body(kind: str, message: str) -> dict[str, Any]:
    """The body of an error."""
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_sandbox"}


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
