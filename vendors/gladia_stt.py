"""Gladia: a recogniser for the languages that Deepgram lacks. Silence ends its turns.

A session is asked for over HTTP and answered with the address of its socket, which then needs no key. Over plain HTTP
and a WebSocket of our own: the vendor's SDK reconnects by itself, which is the gateway's matter.

Source: Gladia API reference, "Live", "Initiate a session" and "Live WebSocket".
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec
from picows import WSError

from core.contracts.call import Transcript
from core.ports.errors import VendorError
from core.ports.speech import Recognition
from core.turns import EndOfTurn, Interim, RecogniserEvent, RecogniserLost, SpeechStarted, TurnTaking
from vendors.failures import failure_of_status
from vendors.websocket import SocketLost, VendorSocket

VENDOR = "gladia"
DEFAULT_BASE_URL = "https://api.gladia.io"
MODEL = "solaria-1"
LONGEST_UTTERANCE_SECONDS: Final = 30.0  # then a final piece comes without an end of speech
_CODES = """
    af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is
    it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk
    sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo zh
"""
LANGUAGES: Final = frozenset(_CODES.split())


class GladiaRecogniser:
    """Implements core.ports.speech.Recogniser for live streams; kept audio is others' to transcribe.

    Args:
        base_url: http(s).
        connect_timeout: seconds from asking for a session to an open stream.
    """

    def __init__(self, api_key: str, base_url: str | None = None, *, connect_timeout: float = 2.0) -> None:
        self._http = httpx.AsyncClient(
            base_url=(base_url or DEFAULT_BASE_URL).rstrip("/"), headers={"x-gladia-key": api_key}, timeout=None
        )
        self._connect_timeout = connect_timeout

    async def open(self, turn_taking: TurnTaking, instead_of: Recognition | None = None) -> "GladiaRecognition":
        """Open a live stream, whatever went before. Raises VendorError."""
        try:
            async with asyncio.timeout(self._connect_timeout):
                answer = await self._http.post("/v2/live", json=_session(turn_taking))
                if not answer.is_success:
                    raise failure_of_status(VENDOR, answer.status_code, "a session", answer.headers)
                socket = VendorSocket(_address(answer), {})
                await socket.connect()
        except (TimeoutError, httpx.TimeoutException):
            raise VendorError(VENDOR, "timeout", "no stream was open in time", curable=True) from None
        except (httpx.TransportError, OSError, WSError) as error:
            reason = f"no stream could be opened ({type(error).__name__})"
            raise VendorError(VENDOR, "unavailable", reason, curable=True) from None  # the address holds a token
        return GladiaRecognition(socket)

    async def transcribe(self, audio: bytes, language: str) -> Transcript:
        """Always raises VendorError: the vendor has a job queue for kept audio, too slow for a caller."""
        raise VendorError(VENDOR, "refused", "kept audio is not transcribed here", curable=False)

    async def aclose(self) -> None:
        """Release the HTTP connections."""
        await self._http.aclose()


class GladiaRecognition:
    """Implements core.ports.speech.Recognition over one session's socket."""

    def __init__(self, socket: VendorSocket) -> None:
        self._socket = socket
        self._reader = GladiaReader()
        self._closed = False

    def hear(self, audio: bytes) -> None:
        """Send the next frame. Raises VendorError when the stream is gone."""
        try:
            self._socket.send_audio(audio)
        except SocketLost:
            raise VendorError(VENDOR, "unavailable", "the stream is gone", curable=True) from None

    def retune(self, turn_taking: TurnTaking) -> None:
        """A session's endpointing is settled when it begins."""

    async def events(self) -> AsyncIterator[RecogniserEvent]:
        """What was recognised; a stream that is ended from there, or filled with rubbish, ends with RecogniserLost."""
        reason = "Gladia ended the stream"
        try:
            async for text in self._socket:
                for event in self._reader.read(text):
                    yield event
        except (SocketLost, Unusable) as lost:
            reason = str(lost) or "gone"
        if not self._closed:
            yield RecogniserLost(reason)

    async def close(self) -> None:
        """End the session; a vendor that does not answer is left after a second."""
        if self._closed:
            return
        self._closed = True
        with suppress(SocketLost):
            await self._socket.send('{"type":"stop_recording"}')
        await self._socket.close()


class Unusable(Exception):
    """A message that nobody can use; the stream is given up."""


class GladiaReader:
    """What the vendor's messages mean to a call. Sans-I/O.

    A turn is all final pieces up to the end of speech, whichever of the two comes last.
    """

    def __init__(self) -> None:
        self._open = False
        self._speech_over = False
        self._partial = False  # words that no final piece has brought yet
        self._pieces: list[str] = []
        self._confidences: list[float] = []

    def read(self, text: str | bytes) -> list[RecogniserEvent]:
        """The events that a message brings. Raises Unusable."""
        try:
            message = msgspec.json.decode(text, type=_Message)
        except msgspec.DecodeError:
            raise Unusable("a message nobody can read") from None
        match message.type:
            case "speech_start":
                self._speech_over = False
                return self._start()
            case "speech_end":
                self._speech_over = True
                return [self._end()] if self._pieces and not self._partial else []
            case "transcript" if message.data is not None and message.data.utterance is not None:
                return self._transcript(message.data.utterance, is_final=message.data.is_final)
            case "transcript":
                raise Unusable("a transcript without its text")
            case "error":
                raise Unusable("an error in the stream")
        return []

    def _start(self) -> list[RecogniserEvent]:
        started, self._open = not self._open, True
        return [SpeechStarted()] if started else []

    def _transcript(self, utterance: "_Utterance", *, is_final: bool) -> list[RecogniserEvent]:
        text = utterance.text.strip()
        if not text:
            return []
        events = self._start()
        self._partial = not is_final
        if not is_final:
            return [*events, Interim(" ".join([*self._pieces, text]))]
        self._pieces.append(text)
        self._confidences.append(utterance.confidence)
        return [*events, self._end() if self._speech_over else Interim(" ".join(self._pieces))]

    def _end(self) -> EndOfTurn:
        ended = EndOfTurn(" ".join(self._pieces), min(self._confidences))
        self._open = self._speech_over = self._partial = False
        self._pieces, self._confidences = [], []
        return ended


class _Utterance(msgspec.Struct):
    text: str
    confidence: float = 0.0


class _Data(msgspec.Struct):
    is_final: bool = False
    utterance: _Utterance | None = None


class _Message(msgspec.Struct):
    type: str
    data: _Data | None = None


def _session(rules: TurnTaking) -> dict[str, Any]:
    vocabulary = {"vocabulary": list(rules.keyterms)}
    return {
        "encoding": "wav/ulaw",
        "bit_depth": 8,
        "sample_rate": 8_000,
        "channels": 1,
        "model": MODEL,
        "endpointing": rules.endpointing_ms / 1_000,
        "maximum_duration_without_endpointing": LONGEST_UTTERANCE_SECONDS,
        "language_config": {"languages": [rules.language.partition("-")[0]], "code_switching": False},
        "realtime_processing": {"custom_vocabulary": True, "custom_vocabulary_config": vocabulary}
        if rules.keyterms
        else {},
        "messages_config": {
            "receive_partial_transcripts": True,
            "receive_final_transcripts": True,
            "receive_speech_events": True,
            "receive_acknowledgments": False,
            "receive_lifecycle_events": False,
            "receive_errors": True,
        },
    }


def _address(answer: httpx.Response) -> str:
    """Where the session's socket is. Raises VendorError."""
    try:
        url = msgspec.json.decode(answer.content, type=dict[str, Any])["url"]
    except (msgspec.DecodeError, KeyError):
        url = None
    if not isinstance(url, str) or urlsplit(url).scheme not in ("ws", "wss"):
        raise VendorError(VENDOR, "broken", "a session without an address", curable=True)
    return url
