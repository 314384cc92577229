"""Deepgram Aura: a voice to stand in for the one that was chosen. It needs no key beyond the recogniser's."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import cast

import httpx
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment

from core.ports.errors import VendorError
from core.ports.speech import SpeechChunk, VoiceSettings
from vendors.failures import failure_of_status

VENDOR = "deepgram"
DEFAULT_BASE_URL = "https://api.deepgram.com"


class DeepgramVoice:
    """Implements core.ports.speech.Voice with the vendor's SDK: one HTTP request a sentence, one after the other.

    It speaks in a voice of its own, whatever voice was asked for, and says so in its chunks. It has no word times.

    Args:
        models: voices, each of which ends with its language ("aura-2-thalia-en"); the first of a language speaks it.
        base_url: http(s).
        connect_timeout: seconds to a connection.
        first_byte_timeout: seconds from a sentence to its first audio.
        gap_timeout: seconds between two pieces of audio.
    """

    def __init__(
        self,
        api_key: str,
        models: Sequence[str],
        base_url: str | None = None,
        *,
        connect_timeout: float = 1.5,
        first_byte_timeout: float = 2.5,
        gap_timeout: float = 1.5,
    ) -> None:
        rest = (base_url or DEFAULT_BASE_URL).rstrip("/")
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(first_byte_timeout, connect=connect_timeout))
        client = AsyncDeepgramClient(
            api_key=api_key,
            environment=DeepgramClientEnvironment(base=rest, production=rest, agent=rest, agent_rest=rest),
            httpx_client=self._http,
        )
        self._speak = client.speak.v1.audio
        self._models: Mapping[str, str] = {model.rpartition("-")[2]: model for model in reversed(models)}
        self._first_byte_timeout = first_byte_timeout
        self._gap_timeout = gap_timeout

    @asynccontextmanager
    async def open(self, settings: VoiceSettings) -> AsyncIterator["DeepgramSpeech"]:
        """A voice for some sentences. Raises VendorError for a language that no voice speaks."""
        language = settings.language.partition("-")[0]
        model = self._models.get(language)
        if model is None:
            raise VendorError(VENDOR, "refused", f"no voice speaks {language!r}", curable=False)
        yield DeepgramSpeech(self, model)

    async def aclose(self) -> None:
        """Release the HTTP connections."""
        await self._http.aclose()

    async def pieces(self, sentence: str, model: str) -> AsyncIterator[bytes]:
        """The audio of one sentence as it is made. Raises VendorError."""
        stream = self._speak.generate(
            text=sentence,
            model=model,
            encoding="mulaw",
            container="none",
            sample_rate=8_000,
            request_options={"max_retries": 0},
        )
        patience = self._first_byte_timeout
        async with aclosing(cast(AsyncGenerator[bytes], stream)) as pieces:
            while True:
                try:
                    async with asyncio.timeout(patience):
                        piece = await anext(pieces, None)
                except ApiError as error:  # never chained: it shows the request's headers, so the key
                    raise failure_of_status(VENDOR, error.status_code, "a sentence", error.headers) from None
                except (TimeoutError, httpx.TimeoutException):
                    raise VendorError(VENDOR, "timeout", "no audio came in time", curable=True) from None
                except httpx.TransportError as error:
                    cut = f"the answer was cut off ({type(error).__name__})"
                    raise VendorError(VENDOR, "unavailable", cut, curable=True) from error
                if piece is None:
                    return
                patience = self._gap_timeout
                yield piece


class DeepgramSpeech:
    """Implements core.ports.speech.SpeechStream."""

    def __init__(self, voice: DeepgramVoice, model: str) -> None:
        self._voice = voice
        self._model = model
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
                    yield replace(chunk, sentence=number, voice=f"{VENDOR} {self._model}")
            number += 1

    async def _spoken(self, sentence: str) -> AsyncGenerator[SpeechChunk]:
        """One sentence, its end told by an empty chunk: only the answer's end shows that no more audio comes."""
        silent = bool(sentence.strip())
        if sentence.strip():
            async for audio in self._voice.pieces(sentence.strip(), self._model):
                silent = silent and not audio
                yield SpeechChunk(0, audio)
        if silent:
            raise VendorError(VENDOR, "broken", "an answer without audio", curable=True)
        yield SpeechChunk(0, b"", last=True)
