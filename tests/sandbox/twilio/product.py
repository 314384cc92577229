"""A stand-in for the product: answers the carrier's webhooks with what a test says, and holds its media streams."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from twilio.request_validator import RequestValidator

from sandbox.app import SandboxConfig, create_app
from sandbox.audio_code import Reader, speak
from sandbox.state import SandboxState
from tests.sandbox.server import running

SID = "AC" + "5" * 32
TOKEN = "a secret of ours"
OUR_NUMBER = "+15550100000"
CALLER = "+15550111111"

CONNECT = (
    '<Connect><Stream url="{media}" statusCallback="{origin}/twilio/stream?call_id=c1">'
    '<Parameter name="call_id" value="c1"/><Parameter name="token" value="t"/></Stream></Connect>'
)


@dataclass
class Webhook:
    """A request the carrier made."""

    path: str
    query: dict[str, str]
    form: dict[str, str]
    signed: bool


@dataclass
class Stream:
    """The product's end of one media stream."""

    socket: WebSocket
    changed: Callable[[], Awaitable[None]]
    signed: bool
    messages: list[dict[str, Any]] = field(default_factory=list)  # all but media
    media: list[dict[str, Any]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    closed: bool = False
    reader: Reader = field(default_factory=Reader)

    @property
    def marks(self) -> list[str]:
        """Names of the marks that came back, in order."""
        return [message["mark"]["name"] for message in self.messages if message["event"] == "mark"]

    @property
    def sid(self) -> str:
        return str(self.messages[1]["streamSid"])

    async def say(self, text: str, mark: str | None = None) -> None:
        """Send speech, all at once."""
        await self.send_audio(speak(text, "assistant").audio)
        if mark:
            await self.mark(mark)

    async def send_audio(self, audio: bytes) -> None:
        await self.send({"event": "media", "media": {"payload": base64.b64encode(audio).decode()}})

    async def mark(self, name: str) -> None:
        await self.send({"event": "mark", "mark": {"name": name}})

    async def clear(self) -> None:
        await self.send({"event": "clear"})

    async def send(self, message: dict[str, Any]) -> None:
        await self.socket.send_json({"streamSid": self.sid, **message})

    async def close(self) -> None:
        await self.socket.close()

    async def hold(self) -> None:
        """Take all the carrier sends, until the end."""
        try:
            while True:
                message = json.loads(await self.socket.receive_text())
                if message["event"] == "media":
                    self.media.append(message)
                    audio = base64.b64decode(message["media"]["payload"])
                    self.words += [word.text for word in self.reader.feed(audio)]
                else:
                    self.messages.append(message)
                await self.changed()
        except WebSocketDisconnect:
            self.closed = True
            await self.changed()


class Product:
    """Answers ``/twilio/<name>`` with ``twiml[name]``; "{media}" and "{origin}" in it are this product's."""

    def __init__(self) -> None:
        self.origin = ""
        self.twiml: dict[str, str | list[str]] = {}
        self.status: dict[str, int] = {}
        self.webhooks: list[Webhook] = []
        self.streams: list[Stream] = []
        self._changed = asyncio.Condition()
        self._validator = RequestValidator(TOKEN)
        self.app = FastAPI()
        self.app.add_api_route("/twilio/{name:path}", self._answer, methods=["POST", "GET"])
        self.app.add_api_websocket_route("/twilio/media", self._media)

    async def until(self, condition: Callable[[], Any], seconds: float = 15.0) -> None:
        """Return once something that the carrier sent has made it so."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: bool(condition()))

    def asked(self, name: str) -> list[Webhook]:
        """The requests to one webhook."""
        return [webhook for webhook in self.webhooks if webhook.path == f"/twilio/{name}"]

    def statuses(self) -> list[str]:
        """The call's states, as they were called back."""
        return [webhook.form["CallStatus"] for webhook in self.asked("status")]

    async def until_completed(self) -> None:
        await self.until(lambda: self.statuses()[-1:] == ["completed"])

    async def stream(self, number: int = 1) -> Stream:
        """The nth stream, once it has started."""
        await self.until(lambda: len(self.streams) >= number and len(self.streams[number - 1].messages) >= 2)
        return self.streams[number - 1]

    async def changed(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _answer(self, name: str, request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        url = f"{self.origin}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
        signed = self._validator.validate(url, form, request.headers.get("x-twilio-signature", ""))
        self.webhooks.append(Webhook(request.url.path, dict(request.query_params), form, signed))
        await self.changed()
        twiml = self.twiml.get(name, "<Response/>")
        if isinstance(twiml, list):
            twiml = twiml.pop(0) if len(twiml) > 1 else twiml[0]
        body = twiml.replace("{media}", self.media_url).replace("{origin}", self.origin)
        return Response(body, status_code=self.status.get(name, 200), media_type="text/xml")

    @property
    def media_url(self) -> str:
        return self.origin.replace("http", "ws", 1) + "/twilio/media"

    async def _media(self, socket: WebSocket) -> None:
        signed = self._validator.validate(self.media_url, {}, socket.headers.get("x-twilio-signature", ""))
        await socket.accept()
        stream = Stream(socket, self.changed, signed)
        self.streams.append(stream)
        await stream.hold()


@dataclass
class World:
    """A product and a sandbox on real sockets."""

    product: Product
    state: SandboxState
    origin: str
    control: httpx.AsyncClient

    async def call_in(self, script: list[dict[str, Any]] | None = None, **options: Any) -> str:
        """A person calls; returns the call's sid."""
        call = {"from": CALLER, "to": OUR_NUMBER, "script": script or [], **options}
        answer = await self.control.post("/sandbox/calls", json=call)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["sid"])

    async def told(self, sid: str) -> dict[str, Any]:
        """What the sandbox knows of a call."""
        told: dict[str, Any] = (await self.control.get(f"/sandbox/calls/{sid}")).json()
        return told

    async def told_once(self, sid: str, true_of: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The same, once something is true of it: the product is not told of all that the sandbox does."""
        async with asyncio.timeout(15):
            while not true_of(told := await self.told(sid)):
                pass
        return told

    async def hang_up(self, sid: str) -> None:
        await self.control.post(f"/sandbox/calls/{sid}/hang-up")

    async def put_person(self, number: str, **plan: Any) -> None:
        answer = await self.control.put(f"/sandbox/people/{number}", json=plan)
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def a_world() -> AsyncIterator[World]:
    """Start both; the carrier is quick and rings only a moment."""
    product, state = Product(), SandboxState()
    state.latency.carrier_rest_ms = 0
    state.latency.ring_ms = 20
    async with running(product.app) as product.origin:
        config = SandboxConfig(public_url=product.origin, account_sid=SID, auth_token=TOKEN)
        async with running(create_app(state, config)) as origin, httpx.AsyncClient(base_url=origin) as control:
            yield World(product, state, origin, control)
