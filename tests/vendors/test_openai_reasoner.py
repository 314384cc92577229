import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from core.agenda import Matter
from core.conversation import ToolCall, ToolResult, Usage, sum_usage
from core.ports.errors import VendorError
from core.ports.reasoner import FindStep, Message, Prompt, Reasoner, ReplyPiece, TextPiece, ToolSpec
from sandbox.app import SandboxConfig, create_app
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from tests.vendors.deadlines import IMPATIENT, PATIENT
from tests.vendors.reasoners import expect_no_step_where_that_may_be
from vendors.model_answers import Deadlines
from vendors.openai_reasoner import OpenAIReasoner

MODEL = "gpt-4.1-mini"
LOOK_UP = ToolSpec(
    "get_order_status",
    "Look up one order.",
    {
        "type": "object",
        "properties": {"order_number": {"type": "string", "pattern": "^[0-9]{5}$"}},
        "required": ["order_number"],
    },
)
STEPS = FindStep(
    Prompt(
        '- orders: Find an order. Callers say: "Where is my order?"\n- returns: Explain returns.',
        (Message("user", "Where is my order please?"),),
    ),
    {"orders": "Find an order.", "returns": "Explain returns."},
)


def prompt(*messages: Message) -> Prompt:
    said = messages or (Message("user", "Hello there"),)
    return Prompt("You are Ann.", said, (LOOK_UP,), conversation="CA1", situation="The step is orders.")


@asynccontextmanager
async def reasoner(
    *faults: Fault, key: str = "right", deadlines: Deadlines = PATIENT, **latency: float
) -> AsyncIterator[tuple[OpenAIReasoner, SandboxState]]:
    fast = {"model_first_token_ms": 0.0, "model_token_ms": 0.0, "model_structured_ms": 0.0}
    state = SandboxState(Latency(**(fast | latency)))
    state.faults += faults
    async with running(create_app(state, SandboxConfig(api_keys={"openai": "right"}))) as origin:
        adapter = OpenAIReasoner(key, MODEL, f"{origin}/openai/v1", deadlines=deadlines)
        yield adapter, state
        await adapter.close()


async def pieces_of(adapter: OpenAIReasoner, asked: Prompt) -> list[ReplyPiece]:
    async with adapter.reply(asked) as pieces:
        return [piece async for piece in pieces]


async def error_of(adapter: OpenAIReasoner, asked: Prompt | None = None) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await pieces_of(adapter, asked or prompt())
    return caught.value


def usage_of(pieces: list[ReplyPiece]) -> Usage:
    return sum_usage(piece for piece in pieces if isinstance(piece, Usage))


def text_of(pieces: list[ReplyPiece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, TextPiece))


async def test_the_adapter_is_a_reasoner() -> None:
    adapter: Reasoner = OpenAIReasoner("key", MODEL)
    assert adapter


async def test_text_comes_piece_by_piece_and_usage_last() -> None:
    async with reasoner() as (adapter, _):
        pieces = await pieces_of(adapter, prompt(Message("user", "Call me back at 5550100 please")))
    texts = [piece for piece in pieces if isinstance(piece, TextPiece)]
    assert len(texts) > 5
    assert "5550100" in text_of(pieces)
    assert isinstance(pieces[-1], Usage)
    usage = usage_of(pieces)
    assert (usage.model, usage.output_tokens) == (MODEL, len(texts))
    assert usage.input_tokens > 0


async def test_an_answer_that_is_cut_off_has_told_about_what_it_took() -> None:
    asked = prompt(Message("user", "Call me back at 5550100 please"))
    async with reasoner() as (adapter, _):
        whole = usage_of(await pieces_of(adapter, asked))
        cut: list[ReplyPiece] = []
        async with adapter.reply(asked) as pieces:
            async for piece in pieces:
                cut.append(piece)
                if len(cut) == 4:
                    break
    known = usage_of(cut)
    assert known.model == MODEL
    assert whole.input_tokens / 4 < known.input_tokens < whole.input_tokens * 4
    assert known.output_tokens == 1


async def test_a_tool_call_comes_whole_and_its_result_is_told() -> None:
    async with reasoner() as (adapter, _):
        asked = Message("user", "Where is order 48213?")
        call, _ = await pieces_of(adapter, prompt(asked))
        assert isinstance(call, ToolCall)
        assert (call.name, call.arguments) == ("get_order_status", {"order_number": "48213"})
        found = ToolResult(call, True, '{"order_number": "48213", "status": "delayed"}')
        pieces = await pieces_of(adapter, prompt(asked, Message("assistant", "", (found,))))
    assert text_of(pieces).startswith("Order 48213 is delayed.")


async def test_a_failed_tool_is_told_as_failed() -> None:
    failed = ToolResult(ToolCall("t1", "get_order_status", {"order_number": "48213"}), False, "the line is down")
    messages = (Message("user", "48213"), Message("assistant", "Let me look."), Message("assistant", "", (failed,)))
    async with reasoner() as (adapter, _):
        pieces = await pieces_of(adapter, prompt(*messages, Message("user", "(Go on.)")))
    assert "The line is down." in text_of(pieces)


async def test_the_step_is_found_among_those_asked_for() -> None:
    async with reasoner() as (adapter, _):
        step = await adapter.find_step(STEPS)
    assert (step.name, step.method) == ("orders", "model")
    assert step.usage is not None
    assert step.usage.model == MODEL
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
        summed_up = await adapter.summarize(Prompt("", (Message("user", transcript),)))
    assert "48213" in summed_up.summary.summary
    assert summed_up.usage.output_tokens > 0


async def test_a_wrong_key_is_no_matter_of_trying_again() -> None:
    async with reasoner(key="sesame") as (adapter, _):
        error = await error_of(adapter)
    assert (error.kind, error.curable) == ("unauthorized", False)
    assert "sesame" not in str(error)


async def test_leaving_the_block_drops_the_request() -> None:
    async with reasoner(model_token_ms=40) as (adapter, state):
        async with adapter.reply(prompt()) as pieces:
            await anext(pieces)
        assert await adapter.find_step(STEPS)
        assert not [stamp for stamp in state.stamps if stamp.what == "done"]


@pytest.mark.parametrize(
    ("fault", "kind", "curable"),
    [
        (Fault("openai", "status", status=400), "refused", False),
        (Fault("openai", "status", status=429), "rate_limited", True),
        (Fault("openai", "status", status=500), "unavailable", True),
        (Fault("openai", "error_event"), "unavailable", True),
        (Fault("openai", "connect"), "unavailable", True),
        (Fault("openai", "drop"), "unavailable", True),
        (Fault("openai", "stall"), "timeout", True),
        (Fault("openai", "stall_after"), "timeout", True),
        (Fault("openai", "drip", delay_ms=2_000), "timeout", True),
        (Fault("openai", "garbage"), "broken", True),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else None,
)
async def test_every_failure_has_its_kind_and_the_next_reply_works(fault: Fault, kind: str, curable: bool) -> None:
    async with reasoner(fault, deadlines=IMPATIENT if kind == "timeout" else PATIENT) as (adapter, state):
        error = await error_of(adapter, prompt(Message("user", "My secret is sesame")))
        assert (error.vendor, error.kind, error.curable) == ("openai", kind, curable)
        assert "sesame" not in str(error)
        assert len(await pieces_of(adapter, prompt())) > 3
    assert [stamp.what for stamp in state.stamps].count("request") == 2


async def test_the_wait_the_vendor_asks_for_is_passed_on() -> None:
    async with reasoner(Fault("openai", "status", status=429, retry_after=7)) as (adapter, _):
        assert (await error_of(adapter)).retry_after == timedelta(seconds=7)


@pytest.mark.parametrize("kind", ["status", "stall", "garbage", "drop"])
async def test_steps_and_summaries_fail_in_the_same_words(kind: str) -> None:
    deadlines = IMPATIENT if kind == "stall" else PATIENT
    async with reasoner(Fault("openai", kind, times=2), deadlines=deadlines) as (adapter, _):
        with pytest.raises(VendorError):
            await adapter.find_step(STEPS)
        with pytest.raises(VendorError):
            await adapter.summarize(prompt())


async def test_a_vendor_that_is_not_there_is_unavailable() -> None:
    adapter = OpenAIReasoner("key", MODEL, "http://127.0.0.1:9")
    error = await error_of(adapter)
    await adapter.close()
    assert (error.kind, error.curable) == ("unavailable", True)


def answering(answer: Response, seen: list[Any]) -> FastAPI:
    app = FastAPI()

    @app.post("/chat/completions")
    async def complete(request: Request) -> Response:
        seen.append(await request.json())
        return answer

    return app


def lines(*data: str) -> Response:
    return Response("".join(f"data: {line}\n\n" for line in data), media_type="text/event-stream")


@pytest.mark.parametrize(
    ("answer", "kind", "curable"),
    [
        (lines('{"choices":[{"delta":{"refusal":"No."}}]}'), "broken", False),
        (lines('{"choices":[{"delta":{},"finish_reason":"content_filter"}]}'), "broken", False),
        (lines('{"error":{"message":"busy"}}'), "unavailable", True),
        (lines("[1]"), "broken", True),
        (lines('{"choices":[{"delta":{"tool_calls":[{"id":"t","function":{"name":"x","arguments":"{\\"a\\":"}}]}}]}',
               "[DONE]"), "broken", True),
        (Response(""), "broken", True),
    ],
)  # fmt: skip
async def test_an_answer_nobody_can_use_is_broken(answer: Response, kind: str, curable: bool) -> None:
    async with running(answering(answer, [])) as origin:
        adapter = OpenAIReasoner("key", MODEL, origin)
        error = await error_of(adapter)
        await adapter.close()
    assert (error.kind, error.curable) == (kind, curable)


async def test_a_refused_structured_answer_is_not_asked_for_again() -> None:
    refused = {"choices": [{"message": {"content": None, "refusal": "No."}}]}
    async with running(answering(JSONResponse(refused), [])) as origin:
        adapter = OpenAIReasoner("key", MODEL, origin)
        with pytest.raises(VendorError) as caught:
            await adapter.find_step(STEPS)
        await adapter.close()
    assert (caught.value.kind, caught.value.curable) == ("broken", False)


async def test_the_request_is_what_compatible_servers_read() -> None:
    call = ToolCall("t1", "get_order_status", {"order_number": "48213"})
    asked = prompt(
        Message("user", "48213"), Message("assistant", "", (ToolResult(call, True, ""),)), Message("user", "(Go on.)")
    )
    seen: list[Any] = []
    async with running(answering(lines("[DONE]"), seen)) as origin:
        adapter = OpenAIReasoner("key", "any-model", f"{origin}/")
        (usage,) = await pieces_of(adapter, asked)
        assert isinstance(usage, Usage)
        assert usage.model == "any-model"
        await adapter.close()
    body = seen[0]
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "tool", "user"]
    assert body["messages"][0]["content"] == "You are Ann.\n\nThe step is orders."
    assert body["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{"order_number":"48213"}'
    assert body["messages"][3] == {"role": "tool", "tool_call_id": "t1", "content": "(nothing)"}
    assert (body["model"], body["stream"], body["user"]) == ("any-model", True, "CA1")
    assert body["tools"][0]["function"]["name"] == "get_order_status"


async def test_a_cancelled_reply_drops_the_request() -> None:
    async with reasoner(Fault("openai", "stall")) as (adapter, state):
        waiting = asyncio.create_task(pieces_of(adapter, prompt()))
        while not any(stamp.what == "fault" for stamp in state.stamps):  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert text_of(await pieces_of(adapter, prompt()))
