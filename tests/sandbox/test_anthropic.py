"""The emulated model, spoken to by the unmodified SDK and, where the wire itself matters, by plain HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import httpx
import httpx2
import jsonschema_rs
import pydantic
import pytest
from anthropic import AsyncAnthropic

from sandbox.app import SandboxConfig, create_app
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running

MODEL = "claude-haiku-5-5"
FAST = {"model_first_token_ms": 0.0, "model_token_ms": 0.0, "model_structured_ms": 0.0}
LOOK_UP: Any = {
    "name": "get_order_status",
    "description": "Look up one order.",
    "input_schema": {
        "type": "object",
        "properties": {"order_number": {"type": "string", "pattern": "^[0-9]{5}$", "description": "the order number"}},
        "required": ["order_number"],
    },
}
NO_THINKING: Any = {"type": "disabled"}


@asynccontextmanager
async def sandbox(*faults: Fault, **latency: float) -> AsyncIterator[tuple[AsyncAnthropic, SandboxState, str]]:
    state = SandboxState(Latency(**{**FAST, **latency}))
    state.faults += faults
    app = create_app(state, SandboxConfig(api_keys={"anthropic": "right"}))
    async with running(app) as origin, AsyncAnthropic(api_key="right", base_url=origin, max_retries=0) as client:
        yield client, state, origin


def says(text: str) -> Any:
    return [{"role": "user", "content": text}]


async def test_the_sdk_streams_an_answer_about_what_the_caller_said() -> None:
    async with (
        sandbox() as (client, _, _),
        client.messages.stream(
            model=MODEL, max_tokens=300, messages=says("My order number is 48213."), thinking=NO_THINKING
        ) as stream,
    ):
        text = "".join([piece async for piece in stream.text_stream])
        final = await stream.get_final_message()
    assert "48213" in text
    assert final.stop_reason == "end_turn"
    assert [block.type for block in final.content] == ["text"]
    assert final.usage.output_tokens >= len(text) / 8


async def test_the_events_come_in_the_vendors_order() -> None:
    async with sandbox() as (_, _, origin), httpx.AsyncClient() as http:
        answer = await http.post(
            f"{origin}/v1/messages",
            headers={"x-api-key": "right", "anthropic-version": "2023-06-01"},
            json={"model": "claude-haiku-4-5", "max_tokens": 100, "stream": True, "messages": says("Hello there")},
        )
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    data = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert [one["type"] for one in data] == events
    assert events[:3] == ["message_start", "ping", "content_block_start"]
    assert set(events[3:-3]) == {"content_block_delta"}
    assert events[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert data[0]["message"]["content"] == []
    assert data[-2]["delta"]["stop_reason"] == "end_turn"


async def test_a_tool_is_asked_for_once_its_arguments_are_known_and_its_result_told() -> None:
    async with sandbox() as (client, _, _):
        first = await client.messages.create(
            model=MODEL, max_tokens=300, messages=says("It is 4 8 2 1 3"), tools=[LOOK_UP], thinking=NO_THINKING
        )
        call = first.content[0]
        assert call.type == "tool_use"
        assert (call.name, call.input) == ("get_order_status", {"order_number": "48213"})
        assert first.stop_reason == "tool_use"
        result = {
            "type": "tool_result",
            "tool_use_id": call.id,
            "content": '{"order_number":"48213","status":"delayed"}',
        }
        then: Any = [*says("It is 4 8 2 1 3"), {"role": "assistant", "content": first.content}]
        then.append({"role": "user", "content": [result]})
        second = await client.messages.create(
            model=MODEL, max_tokens=300, messages=then, tools=[LOOK_UP], thinking=NO_THINKING
        )
    assert second.content[0].type == "text"
    assert second.content[0].text.startswith("Order 48213 is delayed.")


async def test_tool_arguments_stream_as_fragments_of_json() -> None:
    async with sandbox() as (client, _, _):
        stream = await client.messages.create(
            model=MODEL, max_tokens=300, messages=says("48213"), tools=[LOOK_UP], stream=True, thinking=NO_THINKING
        )
        parts = [
            event.delta.partial_json
            async for event in stream
            if event.type == "content_block_delta" and event.delta.type == "input_json_delta"
        ]
    assert len(parts) > 2
    assert json.loads("".join(parts)) == {"order_number": "48213"}


async def test_a_forced_tool_is_called_with_valid_arguments() -> None:
    async with sandbox() as (client, _, _):
        answer = await client.messages.create(
            model=MODEL,
            max_tokens=300,
            messages=says("Hello"),
            tools=[LOOK_UP],
            tool_choice={"type": "tool", "name": "get_order_status"},
            thinking=NO_THINKING,
        )
    assert answer.content[0].type == "tool_use"
    jsonschema_rs.validate(LOOK_UP["input_schema"], answer.content[0].input)


class Shape(pydantic.BaseModel):
    sides: int
    names: list[str]
    inside: "Shape | None"


async def test_structured_output_fits_any_model() -> None:
    async with sandbox() as (client, _, _):
        answer = await client.messages.parse(
            model=MODEL, max_tokens=300, messages=says("Draw."), output_format=Shape, thinking=NO_THINKING
        )
    assert isinstance(answer.parsed_output, Shape)


async def test_current_models_think_unless_told_not_to() -> None:
    async with sandbox() as (client, _, _):
        thought = await client.messages.create(model=MODEL, max_tokens=300, messages=says("Hello"))
        older = await client.messages.create(model="claude-haiku-4-5", max_tokens=300, messages=says("Hello"))
    assert [block.type for block in thought.content] == ["thinking", "text"]
    assert [block.type for block in older.content] == ["text"]


async def test_the_cache_remembers_a_system_prompt() -> None:
    system: Any = [{"type": "text", "text": "You are Ann. " * 50, "cache_control": {"type": "ephemeral"}}]
    async with sandbox() as (client, _, _):
        usages = [
            (await client.messages.create(model=MODEL, max_tokens=9, messages=says("Hi"), system=system)).usage
            for _ in range(2)
        ]
    assert [bool(usage.cache_read_input_tokens) for usage in usages] == [False, True]
    assert usages[0].input_tokens > usages[1].input_tokens


async def test_an_answer_ends_at_max_tokens() -> None:
    async with sandbox() as (client, _, _):
        answer = await client.messages.create(model="claude-haiku-4-5", max_tokens=2, messages=says("Hello there"))
    assert answer.stop_reason == "max_tokens"
    assert answer.usage.output_tokens == 2


async def test_models_and_token_counts_are_told() -> None:
    async with sandbox() as (client, _, _):
        assert MODEL in [model.id async for model in client.models.list()]
        assert (await client.models.retrieve(MODEL)).id == MODEL
        short = await client.messages.count_tokens(model=MODEL, messages=says("Hi"))
        long = await client.messages.count_tokens(model=MODEL, messages=says("Hi " * 100))
    assert 0 < short.input_tokens < long.input_tokens


PREFILL: Any = [*says("Hi"), {"role": "assistant", "content": "I am"}]
UNPAIRED: Any = [
    *says("Hi"),
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "x", "input": {}}]},
    {"role": "user", "content": "And?"},
]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"model": "claude-unknown"}, 404),
        ({"model": None}, 400),
        ({"max_tokens": None}, 400),
        ({"messages": []}, 400),
        ({"messages": PREFILL}, 400),
        ({"messages": UNPAIRED, "tools": [LOOK_UP]}, 400),
        ({"messages": [{"role": "user", "content": " "}]}, 400),
        ({"messages": [{"role": "system", "content": "Hi"}]}, 400),
        ({"temperature": 1.0}, 400),
        ({"tool_choice": {"type": "tool", "name": "nobody"}}, 400),
        ({"tools": [LOOK_UP, LOOK_UP]}, 400),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"enum": []}}}}, 400),
        ({"model": "claude-opus-5-5", "thinking": NO_THINKING}, 400),
    ],
)
async def test_what_the_vendor_refuses_is_refused(changes: dict[str, Any], status: int) -> None:
    body = {"model": MODEL, "max_tokens": 100, "messages": says("Hi")} | changes
    body = {name: value for name, value in body.items() if value is not None}
    async with sandbox() as (_, _, origin), httpx.AsyncClient() as http:
        headers = {"authorization": "Bearer right", "anthropic-version": "2026-10-21"}
        answer = await http.post(f"{origin}/v1/messages", headers=headers, json=body)
    assert answer.status_code == status
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == {400: "invalid_request_error", 404: "not_found_error"}[status]


async def test_sampling_is_still_taken_under_the_older_version() -> None:
    async with sandbox() as (_, _, origin), httpx.AsyncClient() as http:
        headers = {"x-api-key": "right", "anthropic-version": "2023-06-01"}
        body = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": says("Hi"), "temperature": 0.2}
        assert (await http.post(f"{origin}/v1/messages", headers=headers, json=body)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-api-key": "right", "anthropic-version": "2026-10-21"}, 200),
        ({"authorization": "Bearer right", "anthropic-version": "2023-06-01"}, 200),
        ({"x-api-key": "wrong", "authorization": "Bearer right", "anthropic-version": "2026-10-21"}, 401),
        ({"anthropic-version": "2026-10-21"}, 401),
        ({"x-api-key": "right"}, 400),
        ({"x-api-key": "right", "anthropic-version": "1999-01-01"}, 400),
    ],
)
async def test_key_and_version_are_checked(headers: dict[str, str], status: int) -> None:
    async with sandbox() as (_, _, origin), httpx.AsyncClient() as http:
        assert (await http.get(f"{origin}/v1/models", headers=headers)).status_code == status


async def test_garbage_for_a_request_is_refused() -> None:
    async with sandbox() as (_, _, origin), httpx.AsyncClient() as http:
        headers = {"x-api-key": "right", "anthropic-version": "2026-10-21"}
        for content in (b"{", b"[]", b"\xff"):
            answer = await http.post(f"{origin}/v1/messages", headers=headers, content=content)
            assert answer.status_code == 400


async def test_tokens_come_at_their_pace_and_the_first_sentence_is_stamped_as_it_is_sent() -> None:
    async with (
        sandbox(model_first_token_ms=60, model_token_ms=6) as (client, state, _),
        client.messages.stream(
            model="claude-haiku-4-5", max_tokens=300, messages=says("The number is 77123.")
        ) as stream,
    ):
        text = "".join([piece async for piece in stream.text_stream])
    at = {stamp.what: stamp for stamp in state.stamps}
    assert at["request"].data["text"] == "The number is 77123."
    sentence = at["first_sentence"].data["text"]
    assert sentence == "Thank you, I heard 77123."
    assert at["first_sentence"].data["request"] == "The number is 77123."
    took = at["first_sentence"].at_ms - at["request"].at_ms
    assert took >= 60 + 6 * (len(sentence) / 6 - 1)  # tokens have at most six letters
    assert at["done"].at_ms > at["first_sentence"].at_ms
    assert text.startswith(sentence)


async def test_a_client_that_leaves_is_answered_no_further() -> None:
    async with sandbox(model_token_ms=40) as (client, state, _):
        stream = await client.messages.create(
            model="claude-haiku-4-5", max_tokens=300, messages=says("Hello there"), stream=True
        )
        async for event in stream:
            if event.type == "content_block_delta":
                break
        await stream.close()
        await client.messages.create(model="claude-haiku-4-5", max_tokens=1, messages=says("Next"))
        done = [stamp.data["text"] for stamp in state.stamps if stamp.what == "done"]
    assert done == ["Next"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("anthropic", "status", status=529), anthropic.APIStatusError),
        (Fault("anthropic", "status", status=429, retry_after=3), anthropic.RateLimitError),
        (Fault("anthropic", "status", status=401), anthropic.AuthenticationError),
        (Fault("anthropic", "drop"), httpx2.HTTPError),
        (Fault("anthropic", "connect"), httpx2.HTTPError),
        (Fault("anthropic", "garbage"), ValueError),
        (Fault("anthropic", "error_event", status=529), anthropic.APIStatusError),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
async def test_a_fault_breaks_one_answer_and_no_more(fault: Fault, error: type[Exception]) -> None:
    async def ask(client: AsyncAnthropic) -> str | None:
        async with client.messages.stream(model=MODEL, max_tokens=300, messages=says("Hello")) as stream:
            return (await stream.get_final_message()).stop_reason

    async with sandbox(fault) as (client, state, _):
        with pytest.raises(error):
            await ask(client)
        assert await ask(client) == "end_turn"
    assert [stamp.what for stamp in state.stamps].count("fault") == 1
