"""The carrier's ends of many calls: placed through the API's own webhook, 20 ms frames at a steady cadence.

    python -m evals.gateway_load.carriers < JSON

Its first line of input is a ``Load``; it prints "measuring" and "measured" as these moments come, then what it saw.
"""

import asyncio
import contextlib
import json
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from xml.etree import ElementTree

import httpx
import msgspec
import pybase64
import uvloop
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from twilio.request_validator import RequestValidator

from core.real_time import run_in_real_time
from evals.canned_bench import LINES
from evals.gateway_load.caller import Caller
from evals.gateway_load.frames import FRAME, Sent, micros_now, without_bits, write

FRAME_S = 0.020
SLOTS = 10  # calls are spread over the 20 ms
PACKET_S = 0.1  # by then frames that go together have gone
CALLS_PER_S = 8.0
SETTLE_S = 8.0  # the last greeting is over
LATE_MS = 20.0
CHARS_PER_FRAME = 0.3  # of speech


@dataclass(frozen=True)
class Load:
    """What to do. ``speech`` is a file of mu-law that sounds like speech."""

    url: str  # the API, as the carrier knows it
    number: str
    account_sid: str
    auth_token: str
    speech: str
    calls: int
    seconds: float


class _Payload(msgspec.Struct):
    payload: str


class _Name(msgspec.Struct):
    name: str


class _Media(msgspec.Struct, tag_field="event", tag="media"):
    media: _Payload


class _Mark(msgspec.Struct, tag_field="event", tag="mark"):
    mark: _Name


class _Clear(msgspec.Struct, tag_field="event", tag="clear"):
    pass


_MEDIA = b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d","payload":"'
_decoder = msgspec.json.Decoder(_Media | _Mark | _Clear)


class Leg(WSListener):
    """One call's media stream."""

    def __init__(self, sid: str, call: int, caller: Caller) -> None:
        self.sid = sid
        self.caller = caller
        self.open = False
        self._call = call
        self._stream = f"MZ{uuid.uuid4().hex}"
        self._tail = f'"}},"streamSid":"{self._stream}"}}'.encode()
        self._transport: WSTransport
        self._sequence = 0

    async def connect(self, url: str, parameters: dict[str, str], signature: str, account_sid: str) -> None:
        """Do as the TwiML says. Raises OSError or picows.WSError."""
        await ws_connect(lambda: self, url, extra_headers={"X-Twilio-Signature": signature})
        start = {
            "accountSid": account_sid,
            "streamSid": self._stream,
            "callSid": self.sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": parameters,
        }
        self._send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        self._send({"event": "start", "sequenceNumber": "1", "start": start, "streamSid": self._stream})
        self.open = True

    def tick(self, *, measured: bool) -> None:
        """Send a frame, and the marks that are due."""
        now_ms = time.monotonic() * 1_000
        for name in self.caller.marks_due(now_ms):
            self._send({"event": "mark", "mark": {"name": name}, "streamSid": self._stream})
        audio = self.caller.frame(now_ms)
        self._sequence += 1
        sent = Sent(micros_now(), self._call, self.caller.question, self.caller.speaking, measured)
        head = _MEDIA % (self._sequence, self._sequence, self._sequence * 20)
        self._transport.send(WSMsgType.TEXT, head + pybase64.b64encode(write(audio, sent)) + self._tail)

    def stop(self) -> None:
        """The person has hung up."""
        if self.open:
            self._send({"event": "stop", "streamSid": self._stream, "stop": {"callSid": self.sid}})
            self._transport.send_close(WSCloseCode.OK)
            self._transport.disconnect()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Something from the gateway."""
        if frame.msg_type is not WSMsgType.TEXT:
            return
        now_ms = time.monotonic() * 1_000
        match _decoder.decode(frame.get_payload_as_memoryview()):
            case _Media(media):
                self.caller.play(len(media.payload) * 3 // 4, now_ms)
            case _Mark(mark):
                self.caller.mark(mark.name)
            case _Clear():
                self.caller.clear(now_ms)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone."""
        self.open = False

    def _send(self, message: dict[str, object]) -> None:
        self._transport.send(WSMsgType.TEXT, json.dumps(message).encode())


class Carriers:
    """All legs and their clock."""

    def __init__(self, load: Load, http: httpx.AsyncClient) -> None:
        self._load = load
        self._http = http
        self._validator = RequestValidator(load.auth_token)
        self._slots: list[list[Leg]] = [[] for _ in range(SLOTS)]
        self._measured = False
        self.late_frames = 0
        self.frames = 0
        self.lost = 0  # streams, before we hung up

    @property
    def legs(self) -> list[Leg]:
        """All that were placed."""
        return [leg for slot in self._slots for leg in slot]

    async def run(self, say: Callable[[str], None]) -> None:
        """Place the calls, measure, hang up."""
        questions = questions_of(self._load.speech)
        ticking = asyncio.create_task(self._tick())
        try:
            for call in range(self._load.calls):
                await self._place(call, questions)
                await asyncio.sleep(1 / CALLS_PER_S)
            await asyncio.sleep(SETTLE_S)
            self._measured = True
            say("measuring")
            await asyncio.sleep(self._load.seconds)
            self._measured = False
            say("measured")
            await asyncio.sleep(PACKET_S)
            self.lost = sum(not leg.open for leg in self.legs)
        finally:
            ticking.cancel()
            await self._hang_up()

    async def _place(self, call: int, questions: list[bytes]) -> None:
        leg = Leg(f"CA{uuid.uuid4().hex}", call, Caller(call, questions, first=call))
        stream = ElementTree.fromstring(await self._webhook("voice", leg.sid, "ringing")).find("./Connect/Stream")
        if stream is None:
            raise RuntimeError("the API has not answered with a stream")
        url = stream.attrib["url"]
        parameters = {one.attrib["name"]: one.attrib["value"] for one in stream.iter("Parameter")}
        await leg.connect(url, parameters, self._validator.compute_signature(url, {}), self._load.account_sid)
        self._slots[call % SLOTS].append(leg)

    async def _webhook(self, route: str, sid: str, status: str) -> str:
        load = self._load
        url = f"{load.url}/twilio/{route}"
        form = {
            "AccountSid": load.account_sid,
            "CallSid": sid,
            "From": "+12025551000",
            "To": load.number,
            "Direction": "inbound",
            "CallStatus": status,
        }
        signature = self._validator.compute_signature(url, form)
        answer = await self._http.post(url, data=form, headers={"X-Twilio-Signature": signature})
        return answer.raise_for_status().text

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        began, step = loop.time(), 0
        while True:
            due = began + step * FRAME_S / SLOTS
            if (ahead := due - loop.time()) > 0:
                await asyncio.sleep(ahead)
            late = (loop.time() - due) * 1_000 > LATE_MS
            for leg in self._slots[step % SLOTS]:
                if leg.open:
                    leg.tick(measured=self._measured)
                    self.frames += self._measured
                    self.late_frames += late and self._measured
            step += 1

    async def _hang_up(self) -> None:
        for leg in self.legs:
            leg.stop()
            with contextlib.suppress(httpx.HTTPError):
                await self._webhook("status", leg.sid, "completed")


def questions_of(speech: str) -> list[bytes]:
    """The sound of each canned question, in whole frames."""
    with open(speech, "rb") as file:
        sound = without_bits(file.read())
    return [(sound * 2)[: round(len(line) / CHARS_PER_FRAME) * FRAME] for line in LINES]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def main(load: Load) -> None:
    """Be the carriers."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        carriers = Carriers(load, http)
        await carriers.run(_say)
    asked = [asdict(asked) for leg in carriers.legs for asked in leg.caller.asked]
    seen = {"frames": carriers.frames, "late_frames": carriers.late_frames, "lost": carriers.lost}
    _say(json.dumps({"asked": asked, **seen}))


if __name__ == "__main__":
    run_in_real_time()  # what is late here would be taken for the gateway's
    uvloop.run(main(Load(**json.loads(sys.stdin.readline()))))
