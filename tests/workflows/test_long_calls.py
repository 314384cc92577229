"""A call that outgrows one history goes on in the next run as if nothing had happened."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from core.contracts import names
from core.outcome import Disposition
from evals.histories import keep_histories
from tests.temporal_server import TemporalServer
from tests.world.world import PATIENCE_S, QUICK, CallWorld, call_world, workers_of

EVENTS_OF_A_TURN = 20


class ShortHistories(TemporalServer):
    """A server that suggests a new run after a few turns."""

    def __init__(self, binary: Path, database: Path) -> None:
        super().__init__(binary, database)
        self._command += ["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=60"]


@pytest.fixture(scope="module")
def short_histories(temporal_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShortHistories]:
    server = ShortHistories(temporal_binary, tmp_path_factory.mktemp("temporal") / "temporal.db")
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def short_world(short_histories: ShortHistories) -> AsyncIterator[CallWorld]:
    """A world on that server."""
    async with call_world(await short_histories.connect()) as world:
        yield world


async def test_long_call_goes_on_in_a_new_run(short_world: CallWorld) -> None:
    call = await short_world.answered_call()
    first_run = (await call.handle.describe()).run_id
    for number in range(8):
        assert await call.asks(f"Where is my order number {number}?") == f"You said: Where is my order number {number}?"
    late = call.words("When does my parcel arrive?")
    await call.send(late)
    await call.hears()
    assert (await call.handle.describe()).run_id != first_run
    assert (await call.send(late)).known
    assert len(await call.transcript()) == 10
    history = short_world.reasoner.prompts[-1].messages
    assert any("number 0" in message.text for message in history)
    await call.hangs_up()
    assert await call.disposition() is Disposition.CALLER_HUNG_UP
    await call.after_call()
    record = short_world.store.records[call.id]
    assert [turn.turn for turn in record.turns] == list(range(10))
    assert all(turn.heard for turn in record.turns)
    assert (await call.search_attributes())[names.OUTCOME_ATTRIBUTE] == "caller_hung_up"


async def test_a_call_begins_a_new_run_long_before_reading_the_old_one_again_would_take_long(world: CallWorld) -> None:
    call = await world.answered_call(timers=replace(QUICK, run_events=60))
    for number in range(8):
        await call.asks(f"Where is my order number {number}?")
    assert len((await call.handle.fetch_history()).events) < 60 + 2 * EVENTS_OF_A_TURN
    assert len(await call.transcript()) == 9
    assert await call.asks("When does my parcel arrive?") == "You said: When does my parcel arrive?"


def runs_in(folder: Path, call_id: str) -> Iterator[WorkflowHistory]:
    """Those that were kept, the last run first."""
    for place in range(len(list(folder.iterdir()))):
        yield WorkflowHistory.from_json(
            names.call_workflow_id(call_id), (folder / f"{call_id}-{place}.json").read_text()
        )


async def test_what_temporal_knows_of_a_call_is_kept_run_by_run(world: CallWorld, tmp_path: Path) -> None:
    call = await world.answered_call(timers=replace(QUICK, run_events=60))
    for number in range(8):
        await call.asks(f"Where is my order number {number}?")
    await call.hangs_up()
    await call.result()
    await keep_histories(world.client, [call.id], tmp_path)
    last, *before = (run.events[-1] for run in runs_in(tmp_path, call.id))
    assert last.HasField("workflow_execution_completed_event_attributes")
    assert before
    assert all(event.HasField("workflow_execution_continued_as_new_event_attributes") for event in before)


async def test_a_run_that_has_grown_long_waits_for_what_its_gateway_has_to_tell(short_world: CallWorld) -> None:
    call = await short_world.answered_call()
    run_id = (await call.handle.describe()).run_id
    first_run = short_world.client.get_workflow_handle(call.handle.id, run_id=run_id)
    call.reports = False
    for number in range(12):
        await call.caller_says(f"Where is my order number {number}?")
        answer = await call.next_reply()
    await call.activity_has_ended(names.RESPOND, times=12)
    call.reports = True
    await call.report(answer)
    async with asyncio.timeout(PATIENCE_S):
        events = [event async for event in first_run.fetch_history_events(wait_new_event=True)]
    assert events[-1].HasField("workflow_execution_continued_as_new_event_attributes")
    assert not any(event.HasField("workflow_task_failed_event_attributes") for event in events)
    assert (await call.transcript())[12].heard == answer.text
    assert await call.asks("When does my parcel arrive?") == "You said: When does my parcel arrive?"


async def test_how_a_caller_wants_to_be_spoken_to_outlives_worker_and_run(short_histories: ShortHistories) -> None:
    world = CallWorld(await short_histories.connect())
    async with workers_of(world):
        call = await world.answered_call()
        first_run = (await call.handle.describe()).run_id
        await call.asks("Please slow down, I am hard of hearing. Where is my order?")
    async with workers_of(world):
        for number in range(8):
            await call.asks(f"Where is my order number {number}?")
        assert (await call.handle.describe()).run_id != first_run
        await call.asks("When does my parcel arrive?")
        await call.is_silent()
        await call.hears()
        await world.close()
    voices = {(round(voice.speed, 2), voice.stability) for voice in world.voice.settings[-7:]}
    assert voices == {(0.88, 0.8)}
    assert {listen.pause_ms for listen in world.playback.listens[-7:]} == {400}
