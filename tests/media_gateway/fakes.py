"""What stands around a gateway in its tests: a carrier, a recogniser and a feed that do as they are told."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from core.contracts.call import Transcript
from core.g711 import SILENT_FRAME
from core.ports.call_log import CallEvent
from core.ports.errors import VendorError
from core.ports.speech import Recognition
from core.stream_token import make_token
from core.turns import RecogniserEvent, RecogniserLost, TurnTaking

AUTH_TOKEN = "carrier secret"
STREAM_SECRET = "stream secret"

Hoped = TypeVar("Hoped")


class FakeRecognition:
    """One open stream."""

    def __init__(self, rules: TurnTaking) -> None:
        self.rules = rules
        self.heard = bytearray()
        self.packets: list[int] = []  # their sizes
        self.closed = False
        self.broken = False
        self._events: asyncio.Queue[RecogniserEvent | None] = asyncio.Queue()
        self._hearing = asyncio.Event()

    def hear(self, audio: bytes) -> None:
        """core.ports.speech.Recognition."""
        if self.broken:
            raise VendorError("recogniser", "unavailable", "gone", curable=True)
        self.heard += audio
        self.packets.append(len(audio))
        self._hearing.set()

    async def has_heard(self, size: int) -> bytes:
        """All it has heard, once that is as much."""
        async with asyncio.timeout(10):
            while len(self.heard) < size:
                self._hearing.clear()
                await self._hearing.wait()
        return bytes(self.heard)

    async def events(self) -> AsyncIterator[RecogniserEvent]:
        """core.ports.speech.Recognition."""
        while (event := await self._events.get()) is not None:
            yield event

    def retune(self, turn_taking: TurnTaking) -> None:
        """core.ports.speech.Recognition."""
        self.rules = turn_taking

    async def close(self) -> None:
        """core.ports.speech.Recognition."""
        self.closed = True
        self._events.put_nowait(None)

    def say(self, *events: RecogniserEvent) -> None:
        """Have it recognise this."""
        for event in events:
            self._events.put_nowait(event)

    def break_down(self) -> None:
        """Lose the stream."""
        self.broken = True
        self.say(RecogniserLost("broken"))
        self._events.put_nowait(None)


class FakeRecogniser:
    """Opens streams; ``errors`` are raised first, one for each try."""

    def __init__(self) -> None:
        self.streams: list[FakeRecognition] = []
        self.errors: list[VendorError] = []
        self.relieved: list[Recognition | None] = []  # for each try, the stream it was to replace
        self.transcripts: list[Transcript] = []
        self.asked: list[bytes] = []  # kept audio to be transcribed
        self._opened = asyncio.Condition()

    async def open(self, turn_taking: TurnTaking, instead_of: Recognition | None = None) -> FakeRecognition:
        """core.ports.speech.Recogniser."""
        self.relieved.append(instead_of)
        if self.errors:
            raise self.errors.pop(0)
        async with self._opened:
            self.streams.append(FakeRecognition(turn_taking))
            self._opened.notify_all()
            return self.streams[-1]

    async def transcribe(self, audio: bytes, language: str) -> Transcript:
        """core.ports.speech.Recogniser."""
        self.asked.append(audio)
        if not self.transcripts:
            raise VendorError("recogniser", "unavailable", "nothing to be transcribed", curable=False)
        return self.transcripts.pop(0)

    async def stream(self, number: int = 1) -> FakeRecognition:
        """The nth stream, once it is open."""
        async with self._opened:
            await self._opened.wait_for(lambda: len(self.streams) >= number)
            return self.streams[number - 1]


class FakeFeed:
    """A feed that only remembers."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []
        self._noted = asyncio.Event()

    def note(self, event: CallEvent) -> None:
        """core.ports.call_log.CallFeed."""
        self.events.append(event)
        self._noted.set()

    async def first(self, kind: str) -> dict[str, Any]:
        """The first that is noted of one kind, once there is one."""
        async with asyncio.timeout(10):
            while not (found := self.of_kind(kind)):
                self._noted.clear()
                await self._noted.wait()
        return found[0]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """What was noted of one kind."""
        return [dict(event.data) for event in self.events if event.kind == kind]


class Carrier:
    """The carrier's end of one media stream; what the gateway sends is kept in ``received``."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.received: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, url: str, signature: str | None = None, signed_url: str | None = None) -> "Carrier":
        """With the right signature, unless another is given. Raises InvalidStatus when refused."""
        if signature is None:
            signature = RequestValidator(AUTH_TOKEN).compute_signature(signed_url or url, {})
        headers = {"X-Twilio-Signature": signature} if signature else {}
        return cls(await connect(url, additional_headers=headers, compression=None, proxy=None))

    async def start(self, call_id: str, token: str | None = None, stream_sid: str = "MZ1") -> None:
        """The first messages of a stream."""
        token = token if token is not None else make_token(STREAM_SECRET, call_id, round(time.time() * 1_000))
        await self.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        parameters = {"call_id": call_id, "token": token}
        start = {"streamSid": stream_sid, "callSid": f"CA-{call_id}", "customParameters": parameters}
        await self.send({"event": "start", "streamSid": stream_sid, "start": start})

    async def speak(self, audio: bytes = SILENT_FRAME) -> None:
        """Audio in frames of 20 ms, as fast as they go."""
        for start in range(0, len(audio), 160):
            payload = base64.b64encode(audio[start : start + 160]).decode()
            await self.send({"event": "media", "media": {"track": "inbound", "payload": payload}})

    async def send(self, message: dict[str, Any] | str | bytes) -> None:
        """Anything."""
        await self._connection.send(json.dumps(message) if isinstance(message, dict) else message)

    async def return_marks(self) -> None:
        """Say that everything so far was played."""
        for name in self.marks():
            await self.send({"event": "mark", "mark": {"name": name}})

    def marks(self) -> list[str]:
        """Names of the marks set since the last clear."""
        names: list[str] = []
        for message in self.received:
            if message["event"] == "clear":
                names.clear()
            elif message["event"] == "mark":
                names.append(message["mark"]["name"])
        return names

    def audio(self) -> bytes:
        """All audio the gateway has sent."""
        payloads = (message["media"]["payload"] for message in self.received if message["event"] == "media")
        return b"".join(map(base64.b64decode, payloads))

    async def has_audio(self, size: int) -> bytes:
        """All audio, once it is as much as that."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.audio()) >= size)
        return self.audio()

    async def quiet_until(self, hoped: Awaitable[Hoped]) -> Hoped:
        """The caller says nothing, in real time, until this has come."""
        waiting = asyncio.ensure_future(hoped)
        while not waiting.done():
            await self.speak()
            await asyncio.wait([waiting], timeout=0.02)
        return waiting.result()

    async def speaks_until(self, audio: bytes, hoped: Awaitable[Hoped]) -> Hoped:
        """Says it until this has come: a stall in the middle of its frames is a pause to the detector."""
        waiting = asyncio.ensure_future(hoped)
        while not waiting.done():
            await self.speak(audio)
            await asyncio.wait([waiting], timeout=1.0)
        return waiting.result()

    async def plays_until(self, hoped: Awaitable[Hoped]) -> Hoped:
        """Everything is played as it comes, in no time, until this has come."""
        waiting = asyncio.ensure_future(hoped)
        returned: set[str] = set()
        while not waiting.done():
            for name in [mark for mark in self.marks() if mark not in returned]:
                returned.add(name)
                await self.send({"event": "mark", "mark": {"name": name}})
            await asyncio.wait([waiting], timeout=0.02)
        return waiting.result()

    async def has(self, event: str, count: int = 1) -> None:
        """Wait until so many messages of a kind have come."""
        async with self._changed:
            await self._changed.wait_for(lambda: sum(m["event"] == event for m in self.received) >= count)

    async def closed(self) -> int | None:
        """The close code, once the gateway has closed."""
        await self._reading
        return self.close_code

    async def hang_up(self) -> None:
        """End the stream as a caller who hangs up does."""
        await self.send({"event": "stop", "stop": {"callSid": "CA"}})
        await self.drop()

    async def drop(self) -> None:
        """Close the socket without a word."""
        await self._connection.close()
        await self._reading

    async def _read(self) -> None:
        try:
            async for text in self._connection:
                async with self._changed:
                    self.received.append(json.loads(text))
                    self._changed.notify_all()
        except ConnectionClosed:
            pass
        self.close_code = self._connection.close_code
