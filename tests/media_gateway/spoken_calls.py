"""Calls in real time: the sandbox's callers and recogniser, our gateway, and an assistant who says what it is told."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI, Request, Response
from temporalio.client import Client, WorkflowHandle

from core.contracts import names
from core.contracts.call import GatewayAddress, Heard, ReplyKey
from core.ports.speech import SpokenWord
from core.stream_token import make_token
from core.turns import Listen
from media_gateway.deps import STREAM_PATH, GatewayDeps, GatewaySettings
from media_gateway.playback_client import PlaybackClient
from media_gateway.serving import serve
from sandbox.app import SandboxConfig, create_app
from sandbox.audio_code import speak
from sandbox.state import Latency, SandboxState
from tests.media_gateway.conftest import INTERNAL_SECRET, address, listener
from tests.media_gateway.fakes import AUTH_TOKEN, STREAM_SECRET, FakeFeed
from tests.media_gateway.recording_call import Answers, Wanted
from tests.sandbox.server import running
from vendors.deepgram_stt import DeepgramRecogniser

TWIML = (
    '<Response><Connect><Stream url="{url}"><Parameter name="call_id" value="{sid}"/>'
    '<Parameter name="token" value="{token}"/></Stream></Connect></Response>'
)


@dataclass
class SpokenCall:
    """One of these calls."""

    sid: str
    workflow: WorkflowHandle[Any, Any]
    sandbox: httpx.AsyncClient
    worker: PlaybackClient
    gateway: GatewayAddress
    parts: int = 0

    async def told(self, message: str, count: int = 1) -> list[Any]:
        """What the workflow was told under that name, once it is so much."""
        heard: list[Any] = await self.workflow.execute_update("wait_for", Wanted(message, count), result_type=list[Any])
        return heard

    async def says(self, text: str, turn: int = 0, listen: Listen = Listen()) -> Heard | None:  # noqa: B008
        """Have the assistant say this; what the caller heard of it."""
        key = ReplyKey(self.gateway.attachment, turn, self.parts, 1)
        self.parts += 1
        spoken = speak(text, "assistant")
        words = [SpokenWord(word.text, word.start_ms, word.end_ms) for word in spoken.words]
        async with self.worker.open(self.sid, self.gateway, key, listen) as reply:
            reply.push(0, spoken.audio, words, last=True, text=text)
            reply.finish(hear=True)
            return await reply.heard()

    async def audio_of_turn(self, turn: int) -> bytes:
        """What the gateway has kept of it."""
        return await self.worker.fetch_turn_audio(self.gateway.audio_url, turn)

    async def order(self) -> list[str]:
        """The names of all that the workflow was told."""
        told: list[str] = await self.workflow.query("order")
        return told

    async def seen(self) -> dict[str, Any]:
        """The call as the sandbox saw it."""
        seen: dict[str, Any] = (await self.sandbox.get(f"/sandbox/calls/{self.sid}")).json()
        return seen

    async def heard_words(self) -> list[str]:
        """All words the caller heard, in order."""
        return [word["text"] for line in (await self.seen())["heard"] for word in line["words"]]


class Stage:
    """Where these calls take place."""

    def __init__(self, temporal: Client, queue: str, sandbox: httpx.AsyncClient, worker: PlaybackClient) -> None:
        self._temporal = temporal
        self._queue = queue
        self._sandbox = sandbox
        self._worker = worker
        self._answers = Answers()
        self._started: list[WorkflowHandle[Any, Any]] = []
        self._begun: asyncio.Queue[WorkflowHandle[Any, Any]] = asyncio.Queue()
        self.media_url = ""
        self.webhooks = FastAPI()
        self.webhooks.add_api_route("/twilio/voice", self._voice, methods=["POST"])

    async def call(self, answers: Answers, *script: dict[str, Any]) -> SpokenCall:
        """Somebody calls; the gateway has joined."""
        self._answers = answers
        call = {"from": "+12025550117", "to": "+12025550142", "script": list(script)}
        sid = str((await self._sandbox.post("/sandbox/calls", json=call)).json()["sid"])
        async with asyncio.timeout(10):
            workflow = await self._begun.get()
        spoken = SpokenCall(sid, workflow, self._sandbox, self._worker, GatewayAddress(0, "", ""))
        attach = (await spoken.told(names.ATTACH))[0]
        spoken.gateway = GatewayAddress(attach["attachment"], attach["playback_url"], attach["audio_url"])
        return spoken

    async def close(self) -> None:
        """Leave no workflow behind."""
        for workflow in self._started:
            await workflow.terminate()

    async def _voice(self, request: Request) -> Response:
        sid = str((await request.form())["CallSid"])
        self._started.append(
            await self._temporal.start_workflow(
                names.CALL_WORKFLOW, self._answers, id=names.call_workflow_id(sid), task_queue=self._queue
            )
        )
        self._begun.put_nowait(self._started[-1])
        token = make_token(STREAM_SECRET, sid, round(time.time() * 1_000))
        return Response(TWIML.format(url=self.media_url, sid=sid, token=token), media_type="text/xml")


@asynccontextmanager
async def a_stage(temporal: Client, queue: str, latency: Latency | None = None) -> AsyncIterator[Stage]:
    """Sandbox and gateway on real sockets."""
    media, internal = listener(), listener()
    state = SandboxState(latency or Latency(ring_ms=20))
    worker = PlaybackClient(INTERNAL_SECRET)
    async with httpx.AsyncClient() as control:
        stage = Stage(temporal, queue, control, worker)
        async with running(stage.webhooks) as public_url:
            config = SandboxConfig(public_url=public_url, auth_token=AUTH_TOKEN)
            async with running(create_app(state, config)) as origin:
                control.base_url = httpx.URL(origin)
                settings = GatewaySettings(
                    media_url=f"ws://{address(media)}",
                    internal_url=f"http://{address(internal)}",
                    twilio_auth_token=AUTH_TOKEN,
                    stream_secret=STREAM_SECRET,
                    internal_secret=INTERNAL_SECRET,
                    attach=10.0,
                    turn=10.0,
                    dead_air=60.0,
                    drain=0.0,
                )
                stage.media_url = f"ws://{address(media)}{STREAM_PATH}"
                stop = asyncio.Event()
                deps = GatewayDeps(settings, temporal, DeepgramRecogniser("key", origin), FakeFeed())
                serving = asyncio.create_task(serve(deps, media, internal, stop=stop))
                try:
                    yield stage
                finally:
                    await stage.close()
                    await worker.close()
                    stop.set()
                    await serving
