"""Deepgram: Flux, which knows when a turn is over, and nova-3, which knows silence only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Any, Protocol

import httpx
import msgspec
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.socket_client import AsyncV1SocketClient
from deepgram.listen.v2.socket_client import AsyncV2SocketClient
from picows import WSError, WSInvalidStatusError

from core.contracts.call import Transcript
from core.conversation import Transcribed
from core.ports.errors import VendorError
from core.ports.speech import Recognition
from core.turns import (
    EagerEndOfTurn,
    EndOfTurn,
    Interim,
    RecogniserEvent,
    RecogniserLost,
    SpeechStarted,
    TurnResumed,
    TurnTaking,
)
from vendors.failures import failure_of_status
from vendors.websocket import SocketLost, VendorSocket, made_socket, make_socket

VENDOR = "deepgram"
DEFAULT_BASE_URL = "https://api.deepgram.com"
CLOSE_SECONDS = 1.0
KEPT_MODEL = "nova-3"
SAMPLES_A_SECOND = 8_000
UTTERANCE_END_MS = 1_000  # the least that nova-3 takes
FLUX_LANGUAGES = frozenset(("en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl"))
NOVA_LANGUAGES = FLUX_LANGUAGES.union(
    ("bg", "ca", "cs", "da", "el", "et", "fi", "hu", "id", "ko", "lt", "lv", "ms", "no", "pl", "ro", "sk", "sv"),
    ("tr", "uk", "vi", "zh"),
)
"""Source: Deepgram, "Models & Languages Overview", and its changelog up to March 2026."""
_SILENCE = b"\xff" * 640  # 80 ms, what Flux likes best


class DeepgramRecogniser:
    """Implements core.ports.speech.Recogniser with the vendor's SDK; one client for all calls of a process.

    Args:
        base_url: http(s); the sockets' address follows from it.
        connect_timeout: seconds from dialling to an open stream.
        transcribe_timeout: seconds for the whole of ``transcribe``.
        keep_alive: seconds without audio after which the stream is kept open; Deepgram closes it after 10.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        *,
        connect_timeout: float = 2.0,
        transcribe_timeout: float = 6.0,
        keep_alive: float = 4.0,
    ) -> None:
        rest = (base_url or DEFAULT_BASE_URL).rstrip("/")
        sockets = "ws" + rest.removeprefix("http")
        self._http = httpx.AsyncClient(timeout=transcribe_timeout)
        client = AsyncDeepgramClient(
            api_key=api_key,
            environment=DeepgramClientEnvironment(base=rest, production=sockets, agent=sockets, agent_rest=rest),
            httpx_client=self._http,
            transport_factory=make_socket,
        )
        # Asked for now: the SDK imports them at their first use, which would hold up every live call.
        self._flux, self._nova, self._kept = client.listen.v2, client.listen.v1, client.listen.v1.media
        self._connect_timeout = connect_timeout
        self._transcribe_timeout = transcribe_timeout
        self._keep_alive = keep_alive

    async def open(self, turn_taking: TurnTaking, instead_of: Recognition | None = None) -> "DeepgramRecognition":
        """Open a live stream, Flux or nova-3 as the rules say, whatever went before. Raises VendorError."""
        stack = AsyncExitStack()
        recognition = None
        try:
            async with asyncio.timeout(self._connect_timeout):
                opening = self._open_flux if turn_taking.recogniser == "flux" else self._open_nova
                recognition = await opening(turn_taking, stack)
            return recognition
        except WSInvalidStatusError as error:
            status = error.response.status if error.response is not None else 0
            raise failure_of_status(VENDOR, status, "opening a stream") from None
        except TimeoutError:
            raise _late("no stream was open in time") from None
        except (OSError, EOFError, WSError) as error:
            raise _away(f"no stream could be opened ({type(error).__name__})") from error
        finally:
            if recognition is None:
                _close_soon(stack)

    async def transcribe(self, audio: bytes, language: str) -> Transcript:
        """Transcribe mu-law audio at once, with nova-3. Raises VendorError."""
        try:
            async with asyncio.timeout(self._transcribe_timeout):
                answer = await self._kept.transcribe_file(
                    request=audio,
                    model=KEPT_MODEL,
                    encoding="mulaw",
                    language=language,
                    smart_format=True,
                    request_options={"additional_query_parameters": {"sample_rate": "8000"}, "max_retries": 0},
                )
        except ApiError as error:
            raise failure_of_status(VENDOR, error.status_code, "a transcription", error.headers) from None
        except (TimeoutError, httpx.TimeoutException):
            raise _late("a transcription took too long") from None
        except httpx.TransportError as error:
            raise _away(f"a transcription failed ({type(error).__name__})") from error
        return replace(_reading(answer), took=Transcribed(f"{VENDOR} {KEPT_MODEL}", len(audio) / SAMPLES_A_SECOND))

    async def aclose(self) -> None:
        """Release the HTTP connections."""
        await self._http.aclose()

    async def _open_flux(self, rules: TurnTaking, stack: AsyncExitStack) -> "DeepgramRecognition":
        languages = list(dict.fromkeys([rules.language, *rules.languages]))
        english = all(language.split("-")[0] == "en" for language in languages)
        stream = await stack.enter_async_context(
            self._flux.connect(
                model="flux-general-en" if english else "flux-general-multi",
                encoding="mulaw",
                sample_rate=8_000,
                eot_threshold=rules.end_of_turn_threshold,
                eager_eot_threshold=rules.eager_end_of_turn_threshold,
                eot_timeout_ms=rules.end_of_turn_timeout_ms,
                keyterm=list(rules.keyterms) or None,
                language_hint=None if english else languages,
            )
        )
        socket = made_socket()
        await socket.connect()
        if getattr(await stream.recv(), "type", None) != "Connected":
            raise EOFError
        return DeepgramRecognition(stream, socket, stack, FluxReader(), self._keep_alive)

    async def _open_nova(self, rules: TurnTaking, stack: AsyncExitStack) -> "DeepgramRecognition":
        stream = await stack.enter_async_context(
            self._nova.connect(
                model="nova-3",
                language=rules.language,
                encoding="mulaw",
                sample_rate=8_000,
                interim_results=True,
                smart_format=True,
                endpointing=rules.endpointing_ms,
                utterance_end_ms=UTTERANCE_END_MS,
                vad_events=True,
                keyterm=list(rules.keyterms) or None,
            )
        )
        socket = made_socket()
        await socket.connect()
        return DeepgramRecognition(stream, socket, stack, NovaReader(), self._keep_alive)


_closing: set[asyncio.Task[None]] = set()


def _close_soon(stack: AsyncExitStack) -> asyncio.Task[None]:
    """Close a socket beside everything else: a vendor that has stalled does not answer."""
    task = asyncio.create_task(stack.aclose())
    _closing.add(task)
    task.add_done_callback(_closing.discard)
    return task


class Unusable(Exception):
    """A message that nobody can use; the stream is given up."""


class _Reader(Protocol):
    """What the vendor's messages mean to a call. Sans-I/O."""

    wants_flush: bool

    def read(self, message: Any) -> list[RecogniserEvent]:
        """Raises Unusable."""
        ...


class DeepgramRecognition:
    """Implements core.ports.speech.Recognition over one socket of the SDK."""

    def __init__(
        self,
        stream: AsyncV1SocketClient | AsyncV2SocketClient,
        socket: VendorSocket,
        stack: AsyncExitStack,
        reader: _Reader,
        keep_alive: float,
    ) -> None:
        self._stream = stream
        self._socket = socket
        self._stack = stack
        self._reader = reader
        self._closed = False
        self._heard = False  # since the last look of _keep_alive
        self._retuning: asyncio.Task[None] | None = None
        self._keeping_alive = asyncio.create_task(self._keep_alive(keep_alive))

    def hear(self, audio: bytes) -> None:
        """Send the next frame, past the SDK, which would wait. Raises VendorError when the stream is gone."""
        self._heard = True
        try:
            self._socket.send_audio(audio)
        except SocketLost:
            raise _away("the stream is gone") from None

    def retune(self, turn_taking: TurnTaking) -> None:
        """Flux takes other thresholds in mid-stream, nova-3 does not."""
        if not self._closed and isinstance(self._stream, AsyncV2SocketClient):
            self._retuning = asyncio.create_task(self._configure(self._stream, turn_taking))

    async def _configure(self, flux: AsyncV2SocketClient, rules: TurnTaking) -> None:
        thresholds = {
            "eot_threshold": rules.end_of_turn_threshold,
            "eager_eot_threshold": rules.eager_end_of_turn_threshold,
            "eot_timeout_ms": rules.end_of_turn_timeout_ms,
        }
        wanted = {name: value for name, value in thresholds.items() if value is not None}
        with suppress(SocketLost):  # ``events`` says so
            await flux.send_configure({"type": "Configure", "thresholds": wanted})

    async def events(self) -> AsyncIterator[RecogniserEvent]:
        """What was recognised; a stream that Deepgram ends, or fills with rubbish, ends with RecogniserLost."""
        reason = "Deepgram ended the stream"
        try:
            async for message in self._messages():
                for event in self._reader.read(message):
                    yield event
                    if isinstance(event, RecogniserLost):
                        return
                if self._reader.wants_flush and isinstance(self._stream, AsyncV1SocketClient):
                    self._reader.wants_flush = False
                    await self._stream.send_finalize()
        except SocketLost as lost:
            reason = str(lost)
        except Unusable as unusable:
            reason = str(unusable)
        if not self._closed:
            yield RecogniserLost(reason)

    async def _messages(self) -> AsyncIterator[Any]:
        """Of Flux read past the SDK, which tries each of its types in turn: four times a second in each utterance."""
        if isinstance(self._stream, AsyncV1SocketClient):
            async for message in self._stream:
                yield message
            return
        async for text in self._socket:
            try:
                yield _FLUX.decode(text)
            except msgspec.DecodeError:
                raise Unusable("a message nobody can read") from None

    async def close(self) -> None:
        """End the stream; a vendor that does not answer is left after a second."""
        if self._closed:
            return
        self._closed = True
        self._keeping_alive.cancel()
        with suppress(SocketLost):
            await self._stream.send_close_stream()
        await asyncio.wait({_close_soon(self._stack)}, timeout=CLOSE_SECONDS)

    async def _keep_alive(self, seconds: float) -> None:
        """Keep the stream open where the carrier sends no audio for a while. Flux knows no KeepAlive: silence."""
        try:
            while True:
                await asyncio.sleep(seconds)
                if not self._heard and isinstance(self._stream, AsyncV1SocketClient):
                    await self._stream.send_keep_alive()
                elif not self._heard:
                    await self._stream.send_media(_SILENCE)
                self._heard = False
        except SocketLost:
            return  # ``events`` says so


class _Word(msgspec.Struct, gc=False):
    confidence: float = 0.0


class _FluxMessage(msgspec.Struct):
    """What matters of a message of /v2/listen, whatever its type."""

    type: str = ""
    event: str = ""
    transcript: str | None = None
    words: list[_Word] | None = None
    languages: list[str] | None = None
    code: str = ""


_FLUX: msgspec.json.Decoder[_FluxMessage] = msgspec.json.Decoder(_FluxMessage)


class FluxReader:
    """Flux decides turns by itself; each message carries the whole turn's text.

    A turn's confidence is the mean of its words': how sure the text is, not how sure the turn's end.
    """

    wants_flush = False

    def __init__(self) -> None:
        self._text = ""

    def read(self, message: Any) -> list[RecogniserEvent]:
        """The events that a message brings. Raises Unusable."""
        kind = getattr(message, "type", None)
        if kind == "Error":
            return [RecogniserLost(f"error {getattr(message, 'code', '')}")]
        if kind != "TurnInfo":
            return []
        text = getattr(message, "transcript", None)
        if not isinstance(text, str):
            raise Unusable("a turn without its text")
        match message.event:
            case "StartOfTurn":
                self._text = text
                return [SpeechStarted(), Interim(text)] if text else [SpeechStarted()]
            case "Update" if text and text != self._text:
                self._text = text
                return [Interim(text)]
            case "EagerEndOfTurn":
                return [EagerEndOfTurn(text, _mean_confidence(message.words), tuple(message.languages or ()))]
            case "TurnResumed":
                return [TurnResumed()]
            case "EndOfTurn":
                self._text = ""
                return [EndOfTurn(text, _mean_confidence(message.words), tuple(message.languages or ()))]
        return []


class NovaReader:
    """nova-3 reports pieces: a turn is all final ones up to the end of speech.

    In noise the end of speech may never come; then UtteranceEnd, which goes by words, ends the turn. It may come
    before the last words are final: they are asked for first (``wants_flush``).
    """

    def __init__(self) -> None:
        self.wants_flush = False
        self._open = False
        self._ending = False
        self._pieces: list[str] = []
        self._words: list[Any] = []
        self._interim = ""

    def read(self, message: Any) -> list[RecogniserEvent]:
        """The events that a message brings. Raises Unusable."""
        match getattr(message, "type", None):
            case "SpeechStarted":
                return self._start()
            case "Results":
                return self._results(message)
            case "UtteranceEnd" if self._interim:
                self._ending = self.wants_flush = True
            case "UtteranceEnd" if self._pieces:
                return [self._end()]
            case "Error":
                return [RecogniserLost(f"error {getattr(message, 'variant', '')}")]
        return []

    def _start(self) -> list[RecogniserEvent]:
        started, self._open = not self._open, True
        return [SpeechStarted()] if started else []

    def _results(self, message: Any) -> list[RecogniserEvent]:
        text, words = _first_alternative(message)
        events = self._start() if text else []
        if not message.is_final:
            self._interim = text
            return [*events, Interim(" ".join([*self._pieces, text]))] if text else events
        self._interim = ""
        if text:
            self._pieces.append(text)
            self._words += words
        if self._open and (message.speech_final or self._ending):
            return [*events, self._end()]
        return [*events, Interim(" ".join(self._pieces))] if text else events

    def _end(self) -> EndOfTurn:
        ended = EndOfTurn(" ".join(self._pieces), _mean_confidence(self._words))
        self._open = self._ending = False
        self._pieces, self._words = [], []
        return ended


def _first_alternative(message: Any) -> tuple[str, list[Any]]:
    try:
        alternative = message.channel.alternatives[0]
        return str(alternative.transcript), list(alternative.words)
    except (AttributeError, IndexError, TypeError):
        raise Unusable("results without a reading") from None


def _mean_confidence(words: list[Any] | None) -> float:
    return sum(word.confidence for word in words) / len(words) if words else 0.0


def _reading(answer: Any) -> Transcript:
    try:
        alternative = answer.results.channels[0].alternatives[0]
        return Transcript(str(alternative.transcript), float(alternative.confidence))
    except (AttributeError, IndexError, TypeError):
        raise VendorError(VENDOR, "broken", "a transcription without a reading", curable=True) from None


def _late(message: str) -> VendorError:
    return VendorError(VENDOR, "timeout", message, curable=True)


def _away(message: str) -> VendorError:
    return VendorError(VENDOR, "unavailable", message, curable=True)
