import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response

from core.agenda import Matter
from core.conversation import ToolCall, ToolResult, Usage
from core.mood import MOODS
from core.ports.errors import VendorError
from core.ports.reasoner import FindStep, Message, Prompt, Reasoner, ReplyPiece, TextPiece, ToolSpec
from sandbox.app import SandboxConfig, create_app
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from tests.vendors.deadlines import IMPATIENT, PATIENT
from tests.vendors.reasoners import expect_no_step_where_that_may_be
from vendors.anthropic_reasoner import AnthropicReasoner
from vendors.model_answers import Deadlines

LOOK_UP = ToolSpec(
    "get_order_status",
    "Look up one order.",
    {
        "type": "object",
        "properties": {"order_number": {"type": "string", "pattern": "^[0-9]{5}$"}},
        "required": ["order_number"],
    },
)
FAST = {"model_first_token_ms": 0.0, "model_token_ms": 0.0, "model_structured_ms": 0.0}
STEPS = FindStep(
    Prompt(
        '- orders: Find an order. Callers say: "Where is my order?"\n- returns: Explain returns.',
        (Message("user", "Where is my order please?"),),
    ),
    {"orders": "Find an order.", "returns": "Explain returns."},
)


def prompt(*messages: Message, tools: tuple[ToolSpec, ...] = (LOOK_UP,)) -> Prompt:
    return Prompt("You are Ann.", messages or (Message("user", "Hello there"),), tools, conversation="CA1")


@asynccontextmanager
async def reasoner(
    *faults: Fault, key: str = "right", deadlines: Deadlines = PATIENT, **latency: float
) -> AsyncIterator[tuple[AnthropicReasoner, SandboxState]]:
    state = SandboxState(Latency(**{**FAST, **latency}))
    state.faults += faults
    async with running(create_app(state, SandboxConfig(api_keys={"anthropic": "right"}))) as origin:
        adapter = AnthropicReasoner(key, origin, deadlines=deadlines)
        try:
            if key == "right":
                await adapter.check()
            yield adapter, state
        finally:
            await adapter.close()


async def pieces_of(adapter: AnthropicReasoner, asked: Prompt) -> list[ReplyPiece]:
    async with adapter.reply(asked) as pieces:
        return [piece async for piece in pieces]


async def error_of(adapter: AnthropicReasoner, asked: Prompt | None = None) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await pieces_of(adapter, asked or prompt())
    return caught.value


async def test_the_adapter_is_a_reasoner() -> None:
    adapter: Reasoner = AnthropicReasoner("key")
    assert adapter


async def test_text_comes_piece_by_piece_and_what_it_took_at_both_ends() -> None:
    async with reasoner() as (adapter, _):
        begun, *texts, usage = await pieces_of(adapter, prompt(Message("user", "Call me back at 5550100 please")))
    assert len(texts) > 5
    assert all(isinstance(piece, TextPiece) for piece in texts)
    assert "5550100" in "".join(piece.text for piece in texts if isinstance(piece, TextPiece))
    assert isinstance(usage, Usage)
    assert isinstance(begun, Usage)
    assert (begun.model, usage.model) == ("claude-haiku-5-5", "claude-haiku-5-5")
    assert begun.input_tokens > 0
    assert usage.input_tokens == 0
    assert begun.output_tokens + usage.output_tokens == len(texts)


async def test_a_tool_call_comes_whole_and_its_result_is_told() -> None:
    async with reasoner() as (adapter, _):
        asked = Message("user", "Where is order 48213?")
        _, call, _ = await pieces_of(adapter, prompt(asked))
        assert isinstance(call, ToolCall)
        assert (call.name, call.arguments) == ("get_order_status", {"order_number": "48213"})
        found = ToolResult(call, True, '{"order_number": "48213", "status": "delayed"}')
        *texts, _ = await pieces_of(adapter, prompt(asked, Message("assistant", "", (found,))))
    assert "".join(piece.text for piece in texts if isinstance(piece, TextPiece)).startswith("Order 48213 is delayed.")


async def test_a_failed_tool_is_told_as_failed() -> None:
    failed = ToolResult(ToolCall("t1", "get_order_status", {"order_number": "48213"}), False, "the line is down")
    messages = (Message("user", "48213"), Message("assistant", "Let me look."), Message("assistant", "", (failed,)))
    async with reasoner() as (adapter, _):
        *texts, _ = await pieces_of(adapter, prompt(*messages, Message("user", "(Go on.)")))
    assert "The line is down." in "".join(piece.text for piece in texts if isinstance(piece, TextPiece))


async def test_the_step_is_found_among_those_asked_for() -> None:
    async with reasoner() as (adapter, _):
        step = await adapter.find_step(STEPS)
    assert (step.name, step.method) == ("orders", "model")
    assert 0.5 < step.confidence <= 1
    assert step.usage is not None
    assert step.usage.model == "claude-haiku-5-5"
    assert step.usage.input_tokens > 0
    assert step.usage.output_tokens > 0


async def test_the_mood_comes_with_the_step_where_it_is_asked_for() -> None:
    angry = replace(STEPS.prompt, messages=(Message("user", "Where is my order? This is outrageous."),))
    async with reasoner() as (adapter, _):
        assert (await adapter.find_step(replace(STEPS, prompt=angry))).mood == ""
        step = await adapter.find_step(replace(STEPS, prompt=angry, moods=MOODS))
    assert (step.name, step.mood) == ("orders", "angry")
    assert 0.5 < step.confidence <= 1


async def test_a_turn_may_belong_to_no_step_where_that_is_asked() -> None:
    async with reasoner() as (adapter, _):
        await expect_no_step_where_that_may_be(adapter, STEPS)


async def test_what_else_a_turn_asks_for_is_found_in_its_words_where_that_is_asked() -> None:
    words = (Message("user", "Where is my order, and how do I return it?"),)
    both = replace(STEPS, prompt=replace(STEPS.prompt, messages=words))
    async with reasoner() as (adapter, _):
        assert (await adapter.find_step(both)).matters == ()
        step = await adapter.find_step(replace(both, matters=True))
        unsure = replace(both.prompt, messages=(Message("user", "It is about that thing."),))
        choices = (await adapter.find_step(replace(both, prompt=unsure, matters=True))).choices
    assert (step.name, step.matters) == ("orders", (Matter("returns", "how do I return it"),))
    assert choices == ("orders", "returns")


async def test_a_call_is_summed_up() -> None:
    transcript = "The transcript:\n\nCaller: Where is order 48213?\nAssistant: Order 48213 has shipped."
    async with reasoner() as (adapter, _):
        summed_up = await adapter.summarize(prompt(Message("user", transcript), tools=()))
    assert "48213" in summed_up.summary.summary
    assert summed_up.summary.topic
    assert summed_up.summary.resolved
    assert summed_up.usage.model == "claude-haiku-5-5"
    assert summed_up.usage.input_tokens > 0
    assert summed_up.usage.output_tokens > 0


async def test_a_good_key_is_told_from_a_bad_one() -> None:
    async with reasoner() as (adapter, _):
        await adapter.check()
    async with reasoner(key="wrong") as (adapter, _):
        with pytest.raises(VendorError) as caught:
            await adapter.check()
        assert (caught.value.kind, caught.value.curable) == ("unauthorized", False)
        assert (await error_of(adapter)).kind == "unauthorized"


async def test_leaving_the_block_drops_the_request() -> None:
    async with reasoner(model_token_ms=40) as (adapter, state):
        async with adapter.reply(prompt()) as pieces:
            await anext(pieces)
        assert await adapter.find_step(STEPS)
        assert [stamp.data["text"] for stamp in state.stamps if stamp.what == "done"] == ["Where is my order please?"]


async def test_a_cancelled_reply_drops_the_request() -> None:
    async with reasoner(model_token_ms=40) as (adapter, state):
        begun = asyncio.Event()

        async def speak() -> None:
            async with adapter.reply(prompt()) as pieces:
                async for _ in pieces:
                    begun.set()

        task = asyncio.create_task(speak())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await adapter.find_step(STEPS)
        assert [stamp.what for stamp in state.stamps].count("done") == 1


@pytest.mark.parametrize(
    ("fault", "kind", "curable"),
    [
        (Fault("anthropic", "status", status=400), "refused", False),
        (Fault("anthropic", "status", status=403), "unauthorized", False),
        (Fault("anthropic", "status", status=404), "refused", False),
        (Fault("anthropic", "status", status=429), "rate_limited", True),
        (Fault("anthropic", "status", status=500), "unavailable", True),
        (Fault("anthropic", "status", status=503), "unavailable", True),
        (Fault("anthropic", "status", status=529), "overloaded", True),
        (Fault("anthropic", "error_event", status=529), "overloaded", True),
        (Fault("anthropic", "error_event", status=500), "unavailable", True),
        (Fault("anthropic", "connect"), "unavailable", True),
        (Fault("anthropic", "drop"), "unavailable", True),
        (Fault("anthropic", "stall"), "timeout", True),
        (Fault("anthropic", "stall_after"), "timeout", True),
        (Fault("anthropic", "mute"), "timeout", True),
        (Fault("anthropic", "drip", delay_ms=2_000), "timeout", True),
        (Fault("anthropic", "garbage"), "broken", True),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else None,
)
async def test_every_failure_has_its_kind_and_the_next_reply_works(fault: Fault, kind: str, curable: bool) -> None:
    async with reasoner(fault, deadlines=IMPATIENT if kind == "timeout" else PATIENT) as (adapter, state):
        error = await error_of(adapter, prompt(Message("user", "My secret is sesame")))
        assert (error.vendor, error.kind, error.curable) == ("anthropic", kind, curable)
        assert "sesame" not in str(error)
        assert len(await pieces_of(adapter, prompt())) > 3
    assert [stamp.what for stamp in state.stamps].count("request") == 2  # nothing was tried again inside


async def test_the_wait_the_vendor_asks_for_is_passed_on() -> None:
    async with reasoner(Fault("anthropic", "status", status=429, retry_after=7)) as (adapter, _):
        assert (await error_of(adapter)).retry_after == timedelta(seconds=7)


@pytest.mark.parametrize("kind", ["status", "stall", "garbage", "drop"])
async def test_steps_and_summaries_fail_in_the_same_words(kind: str) -> None:
    deadlines = IMPATIENT if kind == "stall" else PATIENT
    async with reasoner(Fault("anthropic", kind, times=2), deadlines=deadlines) as (adapter, _):
        with pytest.raises(VendorError):
            await adapter.find_step(STEPS)
        with pytest.raises(VendorError):
            await adapter.summarize(prompt(tools=()))


async def test_a_vendor_that_is_not_there_is_unavailable() -> None:
    adapter = AnthropicReasoner("key", "http://127.0.0.1:9")
    error = await error_of(adapter)
    await adapter.close()
    assert (error.kind, error.curable) == ("unavailable", True)


def answering(answer: Response, seen: list[Any]) -> FastAPI:
    app = FastAPI()

    @app.post("/v1/messages")
    async def messages(request: Request) -> Response:
        seen.append(await request.json())
        return answer

    return app


def events(*lines: str) -> Response:
    return Response(
        "".join(f"event: {line.partition(' ')[0]}\ndata: {line.partition(' ')[2]}\n\n" for line in lines),
        media_type="text/event-stream",
    )


@pytest.mark.parametrize(
    ("answer", "kind", "curable"),
    [
        (events('message_delta {"type":"message_delta","delta":{"stop_reason":"refusal"}}'), "broken", False),
        (events('error {"type":"error"}'), "broken", True),
        (events("content_block_delta [1]"), "broken", True),
        (events('content_block_start {"content_block":{"type":"tool_use","id":"t","name":"x"}}',
                'content_block_delta {"delta":{"type":"input_json_delta","partial_json":"{\\"a\\":"}}',
                "content_block_stop {}"), "broken", True),
        (events("message_start {}"), "broken", True),
        (Response("<html>", media_type="text/html"), "broken", True),
        (Response("\xff", media_type="text/event-stream"), "broken", True),
        (Response(""), "broken", True),
    ],
)  # fmt: skip
async def test_an_answer_nobody_can_use_is_broken(answer: Response, kind: str, curable: bool) -> None:
    async with running(answering(answer, [])) as origin:
        adapter = AnthropicReasoner("key", origin)
        error = await error_of(adapter)
        await adapter.close()
    assert (error.kind, error.curable) == (kind, curable)


async def test_the_request_is_what_the_vendor_caches_and_needs() -> None:
    call = ToolCall("t1", "get_order_status", {"order_number": "48213"})
    asked = Prompt(
        system="You are Ann.",
        situation="The step is orders.",
        messages=(
            Message("user", "48213"),
            Message("assistant", "One moment."),
            Message("assistant", "", (ToolResult(call, True, "{}"),)),
            Message("user", "(Go on.)"),
        ),
        tools=(LOOK_UP,),
        max_tokens=77,
        conversation="CA1",
    )
    seen: list[Any] = []
    async with running(answering(events('message_stop {"type":"message_stop"}'), seen)) as origin:
        adapter = AnthropicReasoner("key", origin, reply_model="claude-opus-5-5")
        await pieces_of(adapter, asked)
        await adapter.close()
    body = seen[0]
    assert [block.get("cache_control") for block in body["system"]] == [{"type": "ephemeral"}, None]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert [block["type"] for block in body["messages"][1]["content"]] == ["text", "tool_use"]
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "text"]
    assert body["metadata"] == {"user_id": "CA1"}
    assert body["max_tokens"] == 77
    assert "thinking" not in body  # this model refuses to have it turned off
