"""Vendors that answer at once, for measuring what everything around them takes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from core.contracts.call import CallSummary, GatewayAddress, Heard, ReplyKey, ReplyTimings
from core.conversation import Step, Usage
from core.playback import Kept
from core.ports.reasoner import FindStep, Prompt, ReplyPiece, SummedUp, TextPiece
from core.ports.speech import SpeechChunk, SpokenWord, VoiceSettings
from core.turns import Listen

SENTENCE = "Your order is on its way."
AUDIO = b"\xff" * 1_600


class InstantReasoner:
    """Says the same sentence to everything."""

    async def find_step(self, request: FindStep) -> Step:
        """The first step offered, surely."""
        return Step(name=next(iter(request.steps), None), confidence=1.0, method="model")

    @asynccontextmanager
    async def reply(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[ReplyPiece]]:
        """One sentence, then its usage."""

        async def pieces() -> AsyncIterator[ReplyPiece]:
            yield TextPiece(SENTENCE)
            yield Usage(model="instant", input_tokens=len(prompt.system) // 4, output_tokens=8)

        yield pieces()

    async def summarize(self, prompt: Prompt) -> SummedUp:
        """Nothing to tell."""
        return SummedUp(CallSummary(summary=SENTENCE, topic="bench", resolved=True), Usage())

    async def extract(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[dict[str, Any], Usage]:
        """Nothing to find."""
        return {}, Usage()


class InstantSpeech:
    """Turns each sentence into a fifth of a second of silence."""

    def __init__(self) -> None:
        self._sentences: list[str] = []

    async def speak(self, sentence: str) -> None:
        """Kept until ``chunks`` is read."""
        self._sentences.append(sentence)

    async def finish(self) -> None:
        """All sentences are there."""

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        """One chunk a sentence."""
        for index, sentence in enumerate(self._sentences):
            yield SpeechChunk(index, AUDIO, (SpokenWord(sentence, 0, 200),), last=True)


class InstantVoice:
    """A voice that needs no time."""

    @asynccontextmanager
    async def open(self, settings: VoiceSettings) -> AsyncIterator[InstantSpeech]:
        """A stream for one reply."""
        yield InstantSpeech()


Began = Callable[[str, ReplyKey, float], None]
"""Told (call_id, key, when the reply's activity started, epoch ms)."""


class TellingPlayback:
    """A gateway that takes everything and tells when the reply's activity had started."""

    def __init__(self, call_id: str, key: ReplyKey, began: Began) -> None:
        self._call_id, self._key, self._began = call_id, key, began

    async def kept(self) -> Kept:
        """Nothing was said before."""
        return Kept()

    def began(self, timings: ReplyTimings) -> None:
        """Pass the stamp on."""
        self._began(self._call_id, self._key, timings.started_ms)

    def push(self, sentence: int, audio: bytes, words: Sequence[SpokenWord], *, last: bool, text: str = "") -> None:
        """Taken, not played."""

    def finish(self, *, hear: bool) -> None:
        """Taken."""

    async def heard(self) -> Heard | None:
        """All of it, at once."""
        return Heard(SENTENCE, complete=True, interrupted=False)

    @property
    def heard_so_far(self) -> str:
        """Nothing."""
        return ""

    @property
    def closed(self) -> bool:
        """Never."""
        return False

    async def wait_closed(self) -> None:
        """Never returns by itself."""
        await asyncio.Event().wait()


class TellingPlaybackLine:
    """The way to that gateway."""

    def __init__(self, began: Began) -> None:
        self._began = began

    @asynccontextmanager
    async def open(
        self, call_id: str, gateway: GatewayAddress, key: ReplyKey, listen: Listen, hold: str = ""
    ) -> AsyncIterator[TellingPlayback]:
        """One reply."""
        yield TellingPlayback(call_id, key, self._began)

    async def keep_holding_lines(
        self, call_id: str, gateway: GatewayAddress, lines: Sequence[tuple[str, bytes]], language: str = ""
    ) -> None:
        """Taken."""

    async def fetch_digits(self, digits_url: str, name: str) -> str | None:
        """Nobody keys anything in."""
        return None

    async def fetch_turn_audio(self, audio_url: str, turn: int) -> bytes:
        """Silence."""
        return AUDIO


def now_ms() -> float:
    """Epoch ms."""
    return time.time() * 1_000
