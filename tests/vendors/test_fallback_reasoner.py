"""Whatever one model does, the caller gets an answer in time, whole, and from one model."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from core.circuit import CircuitState
from core.conversation import Usage
from core.ports.errors import VendorError
from core.ports.reasoner import Beside, FindStep, Message, Prompt, Reasoner, ReplyPiece, TextPiece
from sandbox.app import SandboxConfig, create_app
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from vendors.anthropic_reasoner import AnthropicReasoner
from vendors.fallback_reasoner import BEGUN, FallbackReasoner
from vendors.hedging import Member

FIRST, SECOND = "claude-haiku-5-5", "claude-haiku-4-5"
ASKED = Prompt("You are Ann.", (Message("user", "What is your number? Mine is 5550100."),))
STEPS = FindStep(
    Prompt('- orders: Find an order. Callers say: "Where is my order?"', (Message("user", "Where is my order?"),)),
    {"orders": "Find an order.", "returns": "Explain returns."},
)
NEVER = 60.0


class Models:
    """Two Claude models, one behind the other."""

    def __init__(
        self, state: SandboxState, origin: str, keys: Sequence[str], hedge_after: float, within: float
    ) -> None:
        self.state = state
        self.adapters = [
            AnthropicReasoner(key, origin, reply_model=model, step_model=model, summary_model=model)
            for key, model in zip(keys, (FIRST, SECOND), strict=True)
        ]
        self.members: list[Member[Reasoner]] = [
            Member(name, port) for name, port in zip((FIRST, SECOND), self.adapters, strict=True)
        ]
        self.reasoner = FallbackReasoner(self.members, hedge_after=hedge_after, within=within)

    async def reply(self, heard: list[ReplyPiece] | None = None) -> list[ReplyPiece]:
        heard = [] if heard is None else heard
        async with self.reasoner.reply(ASKED) as pieces:
            async for piece in pieces:
                heard.append(piece)
        return heard

    def asked(self) -> int:
        return [stamp.what for stamp in self.state.stamps].count("request")


@asynccontextmanager
async def models(
    *faults: Fault,
    keys: Sequence[str] = ("right", "right"),
    hedge_after: float = NEVER,
    within: float = NEVER,
    **latency: float,
) -> AsyncIterator[Models]:
    fast = {"model_first_token_ms": 0.0, "model_token_ms": 0.0, "model_structured_ms": 0.0}
    state = SandboxState(Latency(**(fast | latency)))
    state.faults += faults
    async with running(create_app(state, SandboxConfig(api_keys={"anthropic": "right"}))) as origin:
        made = Models(state, origin, keys, hedge_after, within)
        yield made
        for adapter in made.adapters:
            await adapter.close()


def waiting_for_events(besides: set[asyncio.Task[object]]) -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() - besides if "Event.wait" in repr(task.get_coro())}


def text_of(pieces: Sequence[ReplyPiece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, TextPiece))


def model_of(pieces: Sequence[ReplyPiece]) -> str:
    usage = pieces[-1]
    assert isinstance(usage, Usage)
    return usage.model


async def test_many_models_are_one_reasoner() -> None:
    reasoner: Reasoner = FallbackReasoner([])
    assert reasoner


async def test_the_first_model_answers_and_no_other_is_asked() -> None:
    async with models() as world:
        pieces = await world.reply()
        assert pieces[0] == BEGUN
        assert "5550100" in text_of(pieces)
        assert model_of(pieces) == FIRST
        assert world.asked() == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("anthropic", "status", status=529, match=FIRST),
        Fault("anthropic", "status", status=401, match=FIRST),
        Fault("anthropic", "connect", match=FIRST),
        Fault("anthropic", "garbage", match=FIRST),
        Fault("anthropic", "drop", match=FIRST),
        Fault("anthropic", "error_event", match=FIRST),
    ],
    ids=lambda fault: f"{fault.kind}{fault.status}",
)
async def test_a_model_that_fails_before_its_first_sentence_is_relieved_at_once_and_unnoticed(fault: Fault) -> None:
    async with models() as sound, models(fault) as world:
        pieces = await world.reply()
        assert text_of(pieces) == text_of(await sound.reply())
        assert model_of(pieces) == SECOND


@pytest.mark.parametrize("kind", ["stall", "stall_after", "mute", "drip"])
async def test_a_model_that_is_silent_gets_company_and_the_first_to_a_sentence_answers(kind: str) -> None:
    async with models(Fault("anthropic", kind, delay_ms=60_000, match=FIRST), hedge_after=0.1) as world:
        pieces = await world.reply()
        assert model_of(pieces) == SECOND
        assert world.asked() == 2


async def test_what_the_loser_took_is_told_apart_from_what_the_answer_took() -> None:
    async with models(Fault("anthropic", "stall_after", delay_ms=60_000, match=FIRST), hedge_after=0.1) as world:
        pieces = await world.reply()
    (lost,) = [piece.usage for piece in pieces if isinstance(piece, Beside)]
    assert lost.model == FIRST
    assert lost.input_tokens > 0
    assert {piece.model for piece in pieces if isinstance(piece, Usage)} == {SECOND}


async def test_a_model_that_drips_word_by_word_gets_company_too() -> None:
    async with models(Fault("anthropic", "drip", delay_ms=5_000, match=FIRST), hedge_after=0.1) as world:
        assert model_of(await world.reply()) == SECOND


async def test_the_loser_is_dropped_at_once() -> None:
    async with models(hedge_after=0.05, model_first_token_ms=400) as world:
        world.state.faults.append(Fault("anthropic", "drip", delay_ms=300, match=FIRST))
        assert model_of(await world.reply()) == SECOND
        assert await world.adapters[0].find_step(STEPS)  # the same sandbox still serves, and has seen it go
        assert [stamp.what for stamp in world.state.stamps].count("first_sentence") == 1


async def test_a_slow_model_that_wins_all_the_same_answers_alone() -> None:
    slow = Fault("anthropic", "stall", match=SECOND)
    async with models(slow, hedge_after=0.1, model_first_token_ms=400) as world:
        assert model_of(await world.reply()) == FIRST
        assert world.members[1].circuit.state(0) is CircuitState.CLOSED  # nobody knows about the other


@pytest.mark.parametrize("kind", ["drop", "error_event", "stall_after"])
async def test_a_model_that_breaks_after_its_first_sentence_says_so_and_nobody_says_anything_else(kind: str) -> None:
    async with models() as sound:
        whole = text_of(await sound.reply())
    async with models(Fault("anthropic", kind, match=FIRST, after=18)) as world:
        heard: list[ReplyPiece] = []
        with pytest.raises(VendorError):
            await world.reply(heard)
        assert whole.startswith(text_of(heard))
        assert "." in text_of(heard)
        assert world.asked() == 1


async def test_when_all_fail_the_most_hopeful_failure_is_told() -> None:
    busy = Fault("anthropic", "status", status=429, retry_after=30, match=FIRST)
    async with models(busy, Fault("anthropic", "status", status=529, match=SECOND)) as world:
        with pytest.raises(VendorError) as failed:
            await world.reply()
        assert (failed.value.kind, failed.value.retry_after) == ("overloaded", None)
    async with models(busy, keys=("right", "wrong")) as world:
        with pytest.raises(VendorError) as failed:
            await world.reply()
        assert (failed.value.kind, failed.value.retry_after) == ("rate_limited", timedelta(seconds=30))


async def test_all_together_have_so_much_time_and_no_more() -> None:
    async with models(Fault("anthropic", "stall", times=2), hedge_after=0.05, within=0.2) as world:
        with pytest.raises(VendorError) as failed:
            await world.reply()
        assert (failed.value.kind, failed.value.curable) == ("timeout", True)
        assert world.asked() == 2


async def test_a_model_that_goes_on_failing_is_skipped_until_nobody_else_is_left() -> None:
    async with models(Fault("anthropic", "status", status=529, times=3, match=FIRST)) as world:
        for _ in range(3):
            assert model_of(await world.reply()) == SECOND
        before = world.asked()
        assert model_of(await world.reply()) == SECOND
        assert world.asked() == before + 1
        world.state.faults.append(Fault("anthropic", "status", status=529, match=SECOND))
        assert model_of(await world.reply()) == FIRST


async def test_a_wrong_key_is_not_tried_again() -> None:
    async with models(keys=("wrong", "right")) as world:
        assert model_of(await world.reply()) == SECOND
        assert not world.members[0].circuit.enter(0.0)


@pytest.mark.parametrize("kind", ["status", "stall", "garbage", "drop"])
async def test_a_step_is_found_by_the_next_model(kind: str) -> None:
    async with models(Fault("anthropic", kind, match=FIRST), hedge_after=0.1) as world:
        assert (await world.reasoner.find_step(STEPS)).name == "orders"


async def test_a_call_is_summed_up_by_the_next_model() -> None:
    async with models(Fault("anthropic", "status", status=529, match=FIRST)) as world:
        assert (await world.reasoner.summarize(ASKED)).summary.topic


async def test_a_caller_who_cuts_in_drops_all_requests() -> None:
    async with models(Fault("anthropic", "stall", times=2), hedge_after=0.05) as world:
        before = asyncio.all_tasks()
        listening = asyncio.create_task(world.reply())
        while world.asked() < 2:  # noqa: ASYNC110 (the sandbox tells nobody)
            await asyncio.sleep(0)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        await asyncio.sleep(0)
        assert not waiting_for_events(besides=before)
        assert all(member.circuit.enter(0.0) for member in world.members)
        assert text_of(await world.reply())
