"""A gateway on real sockets, a real Temporal server with a call that remembers, and the carrier's end of the line."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from core.contracts import names
from core.contracts.call import GatewayAddress
from core.turns import RecogniserEvent, TurnTaking
from media_gateway.clock import wall_ms
from media_gateway.deps import GatewayDeps, GatewaySettings
from media_gateway.playback_client import PlaybackClient
from media_gateway.serving import serve
from sandbox.audio_code import speak
from tests.media_gateway.fakes import AUTH_TOKEN, STREAM_SECRET, Carrier, FakeFeed, FakeRecogniser
from tests.media_gateway.recording_call import Answers, RecordingCall, Wanted

INTERNAL_SECRET = "internal secret"
A_WORD = speak("wait").audio
RULES = TurnTaking(silence_after_ms=60_000)


def listener() -> socket.socket:
    """A socket that takes connections before anybody serves them."""
    made = socket.create_server(("127.0.0.1", 0))
    made.setblocking(False)
    return made


def address(of: socket.socket) -> str:
    """host:port."""
    host, port = of.getsockname()
    return f"{host}:{port}"


@dataclass
class RunningGateway:
    """A gateway and what stands around it."""

    deps: GatewayDeps
    recogniser: FakeRecogniser
    feed: FakeFeed
    media: str
    internal: str
    stop: asyncio.Event
    serving: "asyncio.Task[None]"

    async def carrier(self, **options: str) -> Carrier:
        """A new media socket, not yet started."""
        return await Carrier.connect(self.deps.settings.stream_url, **options)


@dataclass
class Call:
    """One call: its workflow and the carrier's end of its stream."""

    id: str
    workflow: WorkflowHandle[Any, Any]
    carrier: Carrier
    gateway: RunningGateway
    address: GatewayAddress = field(init=False)

    async def told(self, message: str, count: int = 1) -> list[Any]:
        """What the workflow was told under that name, once it is so much."""
        heard: list[Any] = await self.workflow.execute_update("wait_for", Wanted(message, count), result_type=list[Any])
        return heard

    async def utters(self, *events: RecogniserEvent) -> None:
        """The caller makes a sound, and this is recognised."""
        ear = await self.gateway.recogniser.stream(len(self.gateway.recogniser.streams) or 1)
        before = len(ear.heard)
        await self.carrier.speak(A_WORD)
        await ear.has_heard(before + len(A_WORD))
        ear.say(*events)

    async def attached(self) -> "Call":
        """Once the workflow knows the stream."""
        attach = (await self.told(names.ATTACH))[0]
        self.address = GatewayAddress(attach["attachment"], attach["playback_url"], attach["audio_url"])
        return self


StartGateway = Callable[..., Awaitable[RunningGateway]]
StartCall = Callable[..., Awaitable[Call]]
StartWorkflow = Callable[..., Awaitable[tuple[str, "WorkflowHandle[Any, Any]"]]]


@pytest.fixture
async def start_gateway(temporal: Client) -> AsyncIterator[StartGateway]:
    """Starts gateways, ``settings`` changed as told; stops them at the end."""
    running: list[RunningGateway] = []

    async def start(client: Client = temporal, clock: Callable[[], float] = wall_ms, **settings: Any) -> RunningGateway:
        media, internal = listener(), listener()
        chosen = GatewaySettings(
            media_url=f"ws://{address(media)}",
            internal_url=f"http://{address(internal)}",
            twilio_auth_token=AUTH_TOKEN,
            stream_secret=STREAM_SECRET,
            internal_secret=INTERNAL_SECRET,
            attach=10.0,  # patient: tests that need a hurry say so
            turn=10.0,
            drain=0.0,
            rest=0.0,
        )
        deps = GatewayDeps(replace(chosen, **settings), client, FakeRecogniser(), FakeFeed(), clock)
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(deps, media, internal, stop=stop))
        assert isinstance(deps.recogniser, FakeRecogniser)
        assert isinstance(deps.feed, FakeFeed)
        running.append(
            RunningGateway(deps, deps.recogniser, deps.feed, address(media), address(internal), stop, serving)
        )
        return running[-1]

    yield start
    for gateway in running:
        gateway.stop.set()
        await gateway.serving


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> RunningGateway:
    """One with the usual settings."""
    return await start_gateway()


@pytest.fixture
async def start_workflow(temporal: Client) -> AsyncIterator[StartWorkflow]:
    """Starts calls' workflows on a worker of this test."""
    queue = f"calls-{uuid4().hex}"
    started: list[WorkflowHandle[Any, Any]] = []

    async def start(answers: Answers | None = None) -> tuple[str, WorkflowHandle[Any, Any]]:
        call_id = uuid4().hex
        handle = await temporal.start_workflow(
            names.CALL_WORKFLOW,
            answers or Answers(turn_taking=RULES),
            id=names.call_workflow_id(call_id),
            task_queue=queue,
        )
        started.append(handle)
        return call_id, handle

    async with Worker(
        temporal, task_queue=queue, workflows=[RecordingCall], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        yield start
        for handle in started:
            await handle.terminate()


@pytest.fixture
async def start_call(gateway: RunningGateway, start_workflow: StartWorkflow) -> AsyncIterator[StartCall]:
    """Starts calls whose stream has reached the gateway and whose workflow knows it."""
    carriers: list[Carrier] = []

    async def start(answers: Answers | None = None, at: RunningGateway = gateway) -> Call:
        call_id, workflow = await start_workflow(answers)
        carrier = await at.carrier()
        carriers.append(carrier)
        await carrier.start(call_id)
        return await Call(call_id, workflow, carrier, at).attached()

    yield start
    for carrier in carriers:
        await carrier.drop()


@pytest.fixture
async def playback() -> AsyncIterator[PlaybackClient]:
    """A worker's way to gateways."""
    client = PlaybackClient(INTERNAL_SECRET)
    yield client
    await client.close()
