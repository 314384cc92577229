"""ElevenLabs: a voice for replies that are still being written, and one for lines that are all there.

Replies go over a WebSocket of our own: the SDK's only helper for it is synchronous, blocks and insists on TLS. Whole
lines go over the SDK's HTTP streams.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote, urlencode

import httpx
import msgspec
import pybase64
from elevenlabs import AsyncElevenLabs
from elevenlabs import VoiceSettings as ElevenLabsSettings
from elevenlabs.core.api_error import ApiError
from elevenlabs.types.character_alignment_response_model import CharacterAlignmentResponseModel
from elevenlabs.types.streaming_audio_chunk_with_timestamps_response import StreamingAudioChunkWithTimestampsResponse
from picows import WSError, WSInvalidStatusError

from core.ports.errors import VendorError
from core.ports.speech import SpeechChunk, VoiceSettings
from vendors.elevenlabs_alignment import Letters, SentenceCutter
from vendors.failures import failure_of_status
from vendors.websocket import SocketLost, VendorSocket

VENDOR = "elevenlabs"
DEFAULT_BASE_URL = "https://api.elevenlabs.io"
FORMAT = "ulaw_8000"
_ERRORS = {
    "invalid_api_key": ("unauthorized", False),
    "quota_exceeded": ("unauthorized", False),
    "too_many_concurrent_requests": ("rate_limited", True),
    "max_active_conversations": ("rate_limited", True),
    "input_timeout_exceeded": ("timeout", True),
    "voice_id_does_not_exist": ("refused", False),
}


class ElevenLabsVoice:
    """Implements core.ports.speech.Voice: one stream-input socket a reply, each sentence flushed.

    Args:
        base_url: http(s); the sockets' address follows from it.
        connect_timeout: seconds from dialling to an open socket.
        first_byte_timeout: seconds from a sentence to its first audio.
        gap_timeout: seconds between two pieces of audio.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        *,
        connect_timeout: float = 1.5,
        first_byte_timeout: float = 2.5,
        gap_timeout: float = 1.5,
    ) -> None:
        self._api_key = api_key
        self._sockets = "ws" + (base_url or DEFAULT_BASE_URL).rstrip("/").removeprefix("http")
        self._connect_timeout = connect_timeout
        self._first_byte_timeout = first_byte_timeout
        self._gap_timeout = gap_timeout
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self, settings: VoiceSettings) -> AsyncIterator["ElevenLabsSpeech"]:
        """A voice for one reply; its socket is opened while the caller goes on, and dropped when the block is left."""
        connecting = asyncio.create_task(self._connect(settings))
        try:
            yield ElevenLabsSpeech(connecting, self._first_byte_timeout, self._gap_timeout)
        finally:
            closing = asyncio.create_task(_drop(connecting))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Wait for the sockets that are being closed."""
        await asyncio.gather(*self._closing)

    async def _connect(self, settings: VoiceSettings) -> VendorSocket:
        query = urlencode({"model_id": settings.model, "output_format": FORMAT})
        url = f"{self._sockets}/v1/text-to-speech/{quote(settings.voice_id, safe='')}/stream-input?{query}"
        socket = VendorSocket(url, {"xi-api-key": self._api_key}, pings=False)  # it lives as long as a reply
        try:
            async with asyncio.timeout(self._connect_timeout):
                await socket.connect()
                _send(socket, {"text": " ", "voice_settings": _wire_settings(settings)})
        except WSInvalidStatusError as refused:
            status = refused.response.status if refused.response is not None else 0
            headers = refused.response.headers if refused.response is not None else None
            raise failure_of_status(VENDOR, status, "opening a voice", headers) from None
        except TimeoutError:
            raise _late("no voice was open in time") from None
        except (OSError, WSError) as error:
            raise _away(f"no voice could be opened ({type(error).__name__})") from error
        return socket


class ElevenLabsSpeech:
    """Implements core.ports.speech.SpeechStream over one stream-input socket."""

    def __init__(self, connecting: asyncio.Task[VendorSocket], first_byte: float, gap: float) -> None:
        self._connecting = connecting
        self._first_byte = first_byte
        self._gap = gap
        self._cutter = SentenceCutter()
        self._patience: asyncio.Timeout | None = None  # of ``chunks``, while it waits
        self._due: float | None = None  # when audio is overdue, by the loop's clock
        self._finished = False

    async def speak(self, sentence: str) -> None:
        """Have one sentence spoken at once. Raises VendorError."""
        socket = await self._socket()
        waiting = self._cutter.outstanding
        self._cutter.add_sentence(sentence)
        if sentence.strip():  # an empty text would end the stream
            _send(socket, {"text": f"{sentence.strip()} ", "flush": True})
        if not waiting:
            self._expect_within(self._first_byte)

    async def finish(self) -> None:
        """No more sentences. Raises VendorError."""
        self._finished = True
        _send(await self._socket(), {"text": ""})
        if not self._cutter.outstanding:
            self._expect_within(self._gap)

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        """The audio as it is made. Raises VendorError, also when it does not come in time."""
        socket = await self._socket()
        while True:
            message = await self._receive(socket)
            if message.get("audio"):
                for chunk in self._cutter.take(_audio_of(message), _letters_of(message)):
                    yield chunk
            if message.get("isFinal"):
                break
            self._expect_within(self._gap if self._cutter.outstanding or self._finished else None)
        for chunk in self._cutter.end():
            yield chunk

    async def _socket(self) -> VendorSocket:
        return await asyncio.shield(self._connecting)

    async def _receive(self, socket: VendorSocket) -> dict[str, Any]:
        try:
            async with asyncio.timeout_at(self._due) as self._patience:
                text = await socket.recv()
        except TimeoutError:
            raise _late("no audio came in time") from None
        except SocketLost as lost:
            raise _away(f"the voice was lost ({lost})") from None
        finally:
            self._patience = None
        return _parsed(text)

    def _expect_within(self, seconds: float | None) -> None:
        """Audio is due so soon, or (None) not before there is a sentence to speak."""
        self._due = None if seconds is None else asyncio.get_running_loop().time() + seconds
        if self._patience is not None:
            self._patience.reschedule(self._due)


class ElevenLabsHttpVoice:
    """Implements core.ports.speech.Voice with the vendor's SDK: one HTTP request a sentence, one after the other.

    For lines that are all there, and where sockets fail. Arguments as for ElevenLabsVoice.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        *,
        connect_timeout: float = 1.5,
        first_byte_timeout: float = 2.5,
        gap_timeout: float = 1.5,
    ) -> None:
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(first_byte_timeout, connect=connect_timeout))
        self._client = AsyncElevenLabs(
            api_key=api_key, base_url=(base_url or DEFAULT_BASE_URL).rstrip("/"), httpx_client=self._http
        )
        self._first_byte_timeout = first_byte_timeout
        self._gap_timeout = gap_timeout

    @asynccontextmanager
    async def open(self, settings: VoiceSettings) -> AsyncIterator["ElevenLabsHttpSpeech"]:
        """A voice for some sentences."""
        yield ElevenLabsHttpSpeech(self._client, settings, self._first_byte_timeout, self._gap_timeout)

    async def aclose(self) -> None:
        """Release the HTTP connections."""
        await self._http.aclose()


class ElevenLabsHttpSpeech:
    """Implements core.ports.speech.SpeechStream over the SDK's stream with timestamps."""

    def __init__(self, client: AsyncElevenLabs, settings: VoiceSettings, first_byte: float, gap: float) -> None:
        self._client = client
        self._settings = settings
        self._first_byte = first_byte
        self._gap = gap
        self._sentences: asyncio.Queue[str | None] = asyncio.Queue()

    async def speak(self, sentence: str) -> None:
        """Have one sentence spoken after those before it."""
        self._sentences.put_nowait(sentence)

    async def finish(self) -> None:
        """No more sentences."""
        self._sentences.put_nowait(None)

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        """The audio as it is made. Raises VendorError, also when it does not come in time."""
        number = 0
        while (sentence := await self._sentences.get()) is not None:
            async with aclosing(self._spoken(sentence)) as chunks:
                async for chunk in chunks:
                    yield replace(chunk, sentence=number)
            number += 1

    async def _spoken(self, sentence: str) -> AsyncGenerator[SpeechChunk]:
        """One sentence, its end told by an empty chunk: only the answer's end shows that no more audio comes."""
        cutter = SentenceCutter()
        cutter.add_sentence(sentence)
        heard_ms = 0.0
        if sentence.strip():
            async for piece in self._pieces(sentence.strip()):
                audio = pybase64.b64decode(piece.audio_base_64)
                for chunk in cutter.take(audio, _letters_of_line(piece.alignment, heard_ms)):
                    yield replace(chunk, last=False)
                heard_ms += len(audio) / 8
            if not heard_ms:
                raise VendorError(VENDOR, "broken", "an answer without audio", curable=True)
        yield SpeechChunk(0, b"", last=True)

    async def _pieces(self, sentence: str) -> AsyncIterator[StreamingAudioChunkWithTimestampsResponse]:
        stream = self._client.text_to_speech.stream_with_timestamps(
            self._settings.voice_id,
            text=sentence,
            model_id=self._settings.model,
            output_format=FORMAT,
            voice_settings=ElevenLabsSettings(**_wire_settings(self._settings)),
            request_options={"max_retries": 0},
        )
        patience = self._first_byte
        async with aclosing(cast(AsyncGenerator[StreamingAudioChunkWithTimestampsResponse], stream)) as pieces:
            while True:
                try:
                    async with asyncio.timeout(patience):
                        piece = await anext(pieces, None)
                except ApiError as error:
                    raise failure_of_status(VENDOR, error.status_code, "a sentence", error.headers) from None
                except (TimeoutError, httpx.TimeoutException):
                    raise _late("no audio came in time") from None
                except httpx.TransportError as error:
                    raise _away(f"the answer was cut off ({type(error).__name__})") from error
                if piece is None:
                    return
                patience = self._gap
                yield piece


def _wire_settings(settings: VoiceSettings) -> dict[str, float]:
    return {
        "stability": settings.stability,
        "similarity_boost": settings.similarity_boost,
        "speed": settings.speed,
    }


async def _drop(connecting: asyncio.Task[VendorSocket]) -> None:
    """Give a socket up, whether it is open yet or not."""
    connecting.cancel()
    try:
        socket = await connecting
    except (asyncio.CancelledError, VendorError):
        return
    await socket.close()


def _send(socket: VendorSocket, message: dict[str, Any]) -> None:
    try:
        socket.send_text(msgspec.json.encode(message))
    except SocketLost as lost:
        raise _away(f"the voice was lost ({lost})") from None


def _parsed(text: str | bytes) -> dict[str, Any]:
    try:
        message = msgspec.json.decode(text)
    except msgspec.DecodeError:
        message = None
    if not isinstance(message, dict):
        raise VendorError(VENDOR, "broken", "a message nobody can read", curable=True)
    if message.get("error"):
        raise _refused(str(message["error"]))
    return message


def _refused(error: str) -> VendorError:
    kind, curable = _ERRORS.get(error, ("unavailable", True))
    return VendorError(VENDOR, kind, f"the voice was ended: {error[:60]}", curable=curable)


def _audio_of(message: dict[str, Any]) -> bytes:
    try:
        return pybase64.b64decode(message["audio"], validate=True)
    except (TypeError, ValueError):
        raise VendorError(VENDOR, "broken", "audio nobody can read", curable=True) from None


def _letters_of(message: dict[str, Any]) -> Letters:
    """The socket's times begin anew in each message."""
    alignment = message.get("alignment")
    if not isinstance(alignment, dict):
        return Letters()
    columns = [alignment.get(name) or [] for name in ("chars", "charStartTimesMs", "charDurationsMs")]
    length = min(map(len, columns))
    return Letters(*(column[:length] for column in columns))


def _letters_of_line(alignment: CharacterAlignmentResponseModel | None, heard_ms: float) -> Letters:
    """The HTTP stream's times go on from piece to piece."""
    if alignment is None:
        return Letters()
    starts = [start * 1_000 for start in alignment.character_start_times_seconds]
    ends = [end * 1_000 for end in alignment.character_end_times_seconds]
    return Letters(
        chars=alignment.characters,
        starts_ms=[start - heard_ms for start in starts],
        durations_ms=[end - start for start, end in zip(starts, ends, strict=True)],
    )


def _late(message: str) -> VendorError:
    return VendorError(VENDOR, "timeout", message, curable=True)


def _away(message: str) -> VendorError:
    return VendorError(VENDOR, "unavailable", message, curable=True)
