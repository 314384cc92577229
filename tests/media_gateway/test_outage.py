"""The line is kept while Temporal is away, and nothing that was said meanwhile is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from core.contracts import names
from core.contracts.call import ReplyKey
from core.turns import EndOfTurn, Listen, TurnTaking
from media_gateway.playback_client import PlaybackClient
from tests.media_gateway.conftest import RULES, Call, RunningGateway, StartGateway
from tests.media_gateway.recording_call import Answers, RecordingCall
from tests.temporal_server import TemporalServer

HOLDING = b"\x11" * 800
QUEUE = "calls"


async def begin(client: Client, gateway: RunningGateway, answers: Answers | None = None) -> Call:
    """A call whose workflow waits, and a stream that has started."""
    call_id = uuid4().hex
    workflow = await client.start_workflow(
        names.CALL_WORKFLOW,
        answers or Answers(turn_taking=RULES),
        id=names.call_workflow_id(call_id),
        task_queue=QUEUE,
    )
    carrier = await gateway.carrier()
    await carrier.start(call_id)
    return Call(call_id, workflow, carrier, gateway)


@asynccontextmanager
async def worker(client: Client) -> AsyncIterator[None]:
    async with Worker(client, task_queue=QUEUE, workflows=[RecordingCall], workflow_runner=UnsandboxedWorkflowRunner()):
        yield


async def test_a_turn_that_temporal_does_not_take_is_held_with_a_line_and_told_when_it_is_back(
    own_temporal_server: TemporalServer, start_gateway: StartGateway, playback: PlaybackClient
) -> None:
    client = await own_temporal_server.connect()
    gateway = await start_gateway(client, turn=0.2)
    async with worker(client):
        call = await (await begin(client, gateway)).attached()
        await playback.keep_holding_lines(call.id, call.address, [("One moment, please.", HOLDING)], "en")
        async with playback.open(call.id, call.address, ReplyKey(call.address.attachment, 0, 0, 1), Listen()) as reply:
            await reply.kept()  # the holding line went before it
            reply.finish(hear=False)
        await call.told(names.PLAYBACK_REPORT)
        own_temporal_server.stop()
        ear = await gateway.recogniser.stream()
        ear.say(EndOfTurn("are you there", 0.9))
        assert await call.carrier.has_audio(len(HOLDING)) == HOLDING
        await call.carrier.has("mark")
        await call.carrier.return_marks()
        ear.say(EndOfTurn("hello", 0.9))
        await call.carrier.has_audio(2 * len(HOLDING))
        await call.carrier.hang_up()
        own_temporal_server.start()
        ended = await call.told(names.STREAM_ENDED)
        assert ended[0]["stopped"]
        # A signal whose answer was lost is sent again: the numbers tell.
        again = await call.told(names.CALLER_TURN_AGAIN, 2)
        told = {turn["seq"]: (turn["turn"], turn["text"]) for turn in again}
        assert list(told.values()) == [(1, "are you there"), (2, "hello")]
        assert sorted(told) == list(told)
        assert max(told) < ended[0]["seq"]


async def test_a_stream_that_starts_while_temporal_is_away_is_kept_and_joins_the_call_later(
    own_temporal_server: TemporalServer, start_gateway: StartGateway
) -> None:
    client = await own_temporal_server.connect()
    gateway = await start_gateway(client, attach=0.2)
    call_id = uuid4().hex
    workflow = await client.start_workflow(
        names.CALL_WORKFLOW,
        Answers(next_turn=4, turn_taking=TurnTaking(language="de")),
        id=names.call_workflow_id(call_id),
        task_queue=QUEUE,
    )
    own_temporal_server.stop()
    carrier = await gateway.carrier()
    await carrier.start(call_id)
    ear = await gateway.recogniser.stream()  # opened with the usual rules
    assert ear.rules == TurnTaking()
    ear.say(EndOfTurn("is anybody there", 0.9))
    own_temporal_server.start()
    async with worker(client):
        call = await Call(call_id, workflow, carrier, gateway).attached()
        (turn,) = await call.told(names.CALLER_TURN)
        assert (turn["turn"], turn["text"]) == (4, "is anybody there")
        assert (await gateway.recogniser.stream(2)).rules.language == "de"
        assert ear.closed
        assert len(await call.told(names.ATTACH)) == 1
        await carrier.drop()
        await call.told(names.STREAM_ENDED)
    assert gateway.feed.of_kind("problem")


async def test_a_call_without_a_worker_is_held_until_there_is_one(
    own_temporal_server: TemporalServer, start_gateway: StartGateway
) -> None:
    client = await own_temporal_server.connect()
    gateway = await start_gateway(client, attach=0.1)
    call = await begin(client, gateway)
    (await gateway.recogniser.stream()).say(EndOfTurn("hello", 0.9))
    await call.carrier.drop()
    async with worker(client):
        (turn,) = await call.told(names.CALLER_TURN)
        assert turn["text"] == "hello"
        await call.told(names.STREAM_ENDED)


async def test_a_call_that_ends_while_its_stream_is_open_closes_the_stream(
    own_temporal_server: TemporalServer, start_gateway: StartGateway
) -> None:
    client = await own_temporal_server.connect()
    gateway = await start_gateway(client)
    async with worker(client):
        call = await (await begin(client, gateway)).attached()
        await call.workflow.signal("hang_up")
        await call.workflow.result()
    (await gateway.recogniser.stream()).say(EndOfTurn("hello", 0.9))
    assert await call.carrier.closed() == 1000
