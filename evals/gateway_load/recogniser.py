"""A recogniser that knows what is said from the frames' own words, speaks Deepgram's v2, and times each frame.

    python -m evals.gateway_load.recogniser PORT

It ends with its input, and then prints what it measured: {"frames", "late", "delay_p50_ms", ..., "ended"}.

Source: Deepgram, /v2/listen, "TurnInfo".
"""

import asyncio
import json
import sys
import time
from array import array
from dataclasses import dataclass, field
from typing import Any

import uvloop
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from core.real_time import run_in_real_time
from evals.canned_bench import LINES
from evals.figures import percentile
from evals.gateway_load.frames import FRAME, Sent, micros_now, read, took_ms

EAGER_FRAMES = 11  # of silence: 210 ms and more
END_FRAMES = 19  # 371 ms and more
UPDATE_FRAMES = 12
LATE_MS = 20.0


@dataclass
class Times:
    """What was measured of all streams: the way of each message's newest frame, which had nothing to wait for."""

    frames: int = 0
    packed: int = 0  # frames that came with newer ones
    speech_packed: int = 0  # of them, those in which somebody speaks
    delays: "array[float]" = field(default_factory=lambda: array("f"))
    jitter: "array[float]" = field(default_factory=lambda: array("f"))
    ended: list[tuple[int, float]] = field(default_factory=list)  # call, when its turn's end was sent (monotonic ms)

    def figures(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "frames": self.frames,
            "packed": self.packed,
            "speech_packed": self.speech_packed,
            "late": sum(delay > LATE_MS for delay in self.delays),
            "delay_p50_ms": percentile(self.delays, 0.5),
            "delay_p99_ms": percentile(self.delays, 0.99),
            "delay_max_ms": max(self.delays, default=0.0),
            "jitter_p99_ms": percentile(self.jitter, 0.99),
            "ended": self.ended,
        }


class Turns:
    """The turns of one stream, without a clock: frames in, events out."""

    def __init__(self, *, eager: bool) -> None:
        self._eager = eager
        self._words: list[str] = []  # of the turn that is open
        self._frames = 0  # of speech in it
        self._silence = 0
        self._index = 0

    def hear(self, sent: Sent) -> tuple[str, str] | None:
        """The event that this frame brings, and the turn's text so far."""
        if sent.speaking:
            return self._speech(sent)
        if not self._words:
            return None
        self._silence += 1
        text = " ".join(self._words)
        if self._silence == EAGER_FRAMES and self._eager:
            return "EagerEndOfTurn", text
        if self._silence >= END_FRAMES:
            self._words, self._frames, self._silence = [], 0, 0
            self._index += 1
            return "EndOfTurn", text
        return None

    @property
    def index(self) -> int:
        """The number of the turn that is open, or comes next."""
        return self._index

    def _speech(self, sent: Sent) -> tuple[str, str] | None:
        begins, self._words = not self._words, LINES[sent.question % len(LINES)].split()
        self._frames += 1
        self._silence = 0
        if begins:
            return "StartOfTurn", self._words[0]
        if self._frames % UPDATE_FRAMES:
            return None
        heard = min(len(self._words), 1 + self._frames // UPDATE_FRAMES)
        return "Update", " ".join(self._words[:heard])


class Stream(WSListener):
    """One socket of /v2/listen."""

    def __init__(self, times: Times, *, eager: bool) -> None:
        self._times = times
        self._turns = Turns(eager=eager)
        self._sequence = 0
        self._last_ms = -1.0

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._send(transport, {"type": "Connected", "request_id": "load"})

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Some audio, a text message, or the end."""
        if frame.msg_type is WSMsgType.BINARY:
            now = micros_now()
            audio = frame.get_payload_as_bytes()
            newest = len(audio) - FRAME
            for at in range(0, len(audio), FRAME):
                if sent := read(audio[at : at + FRAME]):
                    if sent.measured:
                        self._measure(sent, took_ms(sent, now), packed=at < newest)
                    self._take(transport, sent)
        elif frame.msg_type in (WSMsgType.CLOSE, WSMsgType.TEXT):  # the only text that comes is CloseStream
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def _measure(self, sent: Sent, delay_ms: float, *, packed: bool) -> None:
        self._times.frames += 1
        if packed:
            self._times.packed += 1
            self._times.speech_packed += sent.speaking
            return
        self._times.delays.append(delay_ms)
        if self._last_ms >= 0:
            self._times.jitter.append(abs(delay_ms - self._last_ms))
        self._last_ms = delay_ms

    def _take(self, transport: WSTransport, sent: Sent) -> None:
        index = self._turns.index
        if (heard := self._turns.hear(sent)) is None:
            return
        event, text = heard
        self._send(transport, self._turn_info(event, text, index))
        if event == "EndOfTurn":
            self._times.ended.append((sent.call, time.monotonic() * 1_000))

    def _turn_info(self, event: str, text: str, index: int) -> dict[str, Any]:
        ended = {"trigger": "model"} if event == "EndOfTurn" else {}
        return {
            "type": "TurnInfo",
            "request_id": "load",
            "event": event,
            "turn_index": index,
            "audio_window_start": 0.0,
            "audio_window_end": 0.0,
            "transcript": text,
            "words": [{"word": word, "confidence": 0.98} for word in text.split()],
            "end_of_turn_confidence": 0.9 if ended else 0.5,
            **ended,
        }

    def _send(self, transport: WSTransport, message: dict[str, Any]) -> None:
        transport.send(WSMsgType.TEXT, json.dumps(message | {"sequence_id": self._sequence}).encode())
        self._sequence += 1


async def serve(port: int) -> None:
    """Serve until the input ends, then print what was measured."""
    times = Times()

    def opened(request: WSUpgradeRequest) -> WSListener | None:
        path, _, query = request.path.partition(b"?")
        return Stream(times, eager=b"eager_eot_threshold=" in query) if path == b"/v2/listen" else None

    server = await ws_create_server(opened, "127.0.0.1", port)
    async with server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
    sys.stdout.write(json.dumps(times.figures()) + "\n")


if __name__ == "__main__":
    run_in_real_time()  # what is late here would be taken for the gateway's
    uvloop.run(serve(int(sys.argv[1])))
