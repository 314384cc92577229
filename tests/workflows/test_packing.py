"""Calls of many hours fit what Temporal takes."""

import random
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter

from core.contracts import names
from core.contracts.call import CallInput, CallResult, Direction
from core.contracts.playbook import brief_of
from core.conversation import RECENT_EXCHANGES, Exchange
from core.live_call import LiveCall
from core.outcome import Disposition
from tests.world.long_call import TURN_MS, TURNS_IN_8_HOURS, long_call
from tests.world.playbook import orders
from tests.world.world import CallWorld, ScriptedCall
from workflows.codec import HistoryKey, Unreadable
from workflows.packing import ENCODING, PACKED_FROM, history_codec, house_converter

TEMPORAL_TAKES = 2 * 1024 * 1024  # bytes a payload
KEYS = (HistoryKey("k1", b"k" * 32),)
LONGEST_TOLD = 16_000  # characters of a tool's answer


def call_input() -> CallInput:
    return CallInput("C1", Direction.INBOUND, brief_of(orders()), "+12025550123", "+12025550001", "CA1")


def rows(number: int, characters: int = LONGEST_TOLD) -> str:
    """What a business system may tell: other values each time."""
    chance = random.Random(number)
    told: list[str] = []
    while sum(map(len, told)) < characters - 100:
        told.append(
            f'{{"order_number": {chance.randrange(10**8)}, "status": "shipped", "day": {chance.randrange(99)}}}'
        )
    return f"[{','.join(told)}]"


def an_order(number: int) -> str:
    """What one mostly tells."""
    return rows(number, 500)


async def test_what_is_small_is_left_as_it_is() -> None:
    small = Payload(metadata={"encoding": b"json/plain"}, data=b"x" * (PACKED_FROM - 1))
    assert await history_codec(()).encode([small]) == [small]


@pytest.mark.parametrize("keys", [(), KEYS])
async def test_what_is_large_is_packed_before_it_is_sealed_and_comes_back(keys: tuple[HistoryKey, ...]) -> None:
    large = Payload(metadata={"encoding": b"json/plain"}, data=b"Where is my order? " * 100_000)
    (told,) = await history_codec(keys).encode([large])
    assert len(told.data) < len(large.data) / 10
    assert await history_codec(keys).decode([told]) == [large]


@pytest.mark.parametrize("data", [b"", b"nothing", b"x\x9c+\xc9H"])
async def test_what_was_never_packed_is_said_to_be_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable, match="packed data"):
        await history_codec(()).decode([Payload(metadata={"encoding": ENCODING}, data=data)])


@pytest.mark.parametrize(
    ("turns", "tool_answer"),
    [
        pytest.param(TURNS_IN_8_HOURS, an_order, id="8 hours"),
        pytest.param(900, rows, id="300 of the longest tool answers"),
    ],
)
async def test_a_long_call_goes_whole_to_its_next_run(turns: int, tool_answer: Callable[[int], str]) -> None:
    *_, live = long_call(call_input(), 0.0, turns, tool_answer)
    (plain,) = await pydantic_data_converter.encode([live])
    assert len(plain.data) > TEMPORAL_TAKES, "it is no long call"
    converter = house_converter(pydantic_data_converter, KEYS)
    (told,) = await converter.encode([live])
    assert told.ByteSize() < TEMPORAL_TAKES / 2
    (back,) = await converter.decode([told], [LiveCall])
    assert back == live


def test_prompts_and_all_but_the_turns_stay_as_large_as_they_were_through_8_hours() -> None:
    prompts, states = TypeAdapter(tuple[Exchange, ...]), TypeAdapter(LiveCall)
    sizes: list[tuple[int, int]] = []
    for live in long_call(call_input(), 0.0, tool_answer=an_order):
        number = live.conversation.now.number
        if number in (100, TURNS_IN_8_HOURS):
            prompt = prompts.dump_json(live.conversation.recent())
            assert len(live.conversation.recent()) == RECENT_EXCHANGES
            rest = states.dump_json(live, exclude={"conversation": {"turns"}})
            sizes.append((len(prompt), len(rest)))
    (early_prompt, early_rest), (late_prompt, late_rest) = sizes
    assert late_prompt < 1.5 * early_prompt
    assert late_rest < 1.1 * early_rest


async def test_a_call_of_8_hours_is_answered_ends_and_is_on_record_whole(world: CallWorld) -> None:
    playbook = replace(brief_of(world.playbooks.put(orders())), max_call_s=12 * 3_600)
    call = CallInput("T8hours", Direction.INBOUND, playbook, "+12025550123", "+12025550001", "CAT8hours")
    *_, live = long_call(call, time.time() * 1_000 - TURNS_IN_8_HOURS * TURN_MS, tool_answer=an_order)
    handle = await world.client.start_workflow(
        names.CALL_WORKFLOW,
        live,
        id=names.call_workflow_id(call.call_id),
        task_queue=names.CALLS_QUEUE,
        result_type=CallResult,
    )
    scripted = ScriptedCall(world, call, handle)
    world.playback.listeners[call.call_id] = scripted.told
    world.calls.append(scripted)
    await scripted.attach(2)
    await scripted.hears()
    before = len([event async for event in handle.fetch_history_events()])
    assert await scripted.asks("When does my parcel arrive?") == "You said: When does my parcel arrive?"
    assert len([event async for event in handle.fetch_history_events()]) - before < 20
    assert len(world.reasoner.prompts[-1].messages) < 3 * RECENT_EXCHANGES
    assert len(await scripted.transcript()) == TURNS_IN_8_HOURS + 2
    await scripted.hangs_up()
    assert await scripted.disposition() is Disposition.CALLER_HUNG_UP
    await scripted.after_call()
    record = world.store.records[call.call_id]
    assert [turn.turn for turn in record.turns] == list(range(TURNS_IN_8_HOURS + 2))
    assert all(turn.heard for turn in record.turns)
