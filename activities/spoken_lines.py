"""Fixed lines of playbooks as audio: from the cache, else synthesised once and kept."""

from collections.abc import AsyncIterator
from functools import lru_cache

from core.playbook import Playbook
from core.ports.speech import SpeechChunk, SpeechStream, Voice, VoiceSettings
from core.ports.speech_cache import Recording, SpeechCache
from core.sentences import sentences_of


class SpokenLines:
    """Has lines recorded. Only what stands in a playbook may be asked for here: it is kept."""

    def __init__(self, voice: Voice, cache: SpeechCache) -> None:
        self._voice = voice
        self._cache = cache

    def at_hand(self, settings: VoiceSettings, text: str) -> Recording | None:
        """What is in memory; costs nothing."""
        return self._cache.at_hand(settings, as_spoken(text))

    async def find(self, settings: VoiceSettings, text: str) -> Recording | None:
        """What was recorded before."""
        return await self._cache.find(settings, as_spoken(text))

    async def get(self, settings: VoiceSettings, text: str) -> Recording:
        """What was recorded before, else recorded now. Raises VendorError."""
        return await self.find(settings, text) or await self._record(settings, text)

    async def keep(self, settings: VoiceSettings, text: str, recording: Recording) -> None:
        """What was recorded, unless another voice stood in: the line's own is to be heard once it can be again."""
        if not recording.stand_in:
            await self._cache.keep(settings, as_spoken(text), recording)

    async def _record(self, settings: VoiceSettings, text: str) -> Recording:
        async with self._voice.open(settings) as voice:
            tape = Tape(voice)
            for sentence in sentences_of(text):
                await tape.speak(sentence)
            await tape.finish()
            async for _ in tape.chunks():
                pass
        recording = tape.recording()
        await self.keep(settings, text, recording)
        return recording


class Tape:
    """A voice whose audio is kept as it goes by."""

    def __init__(self, voice: SpeechStream) -> None:
        self._voice = voice
        self._sentences: list[str] = []
        self._chunks: list[SpeechChunk] = []

    async def speak(self, sentence: str) -> None:
        """Hand over a sentence."""
        self._sentences.append(sentence)
        await self._voice.speak(sentence)

    async def finish(self) -> None:
        """No more of them."""
        await self._voice.finish()

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        """The audio as it is made."""
        async for chunk in self._voice.chunks():
            self._chunks.append(chunk)
            yield chunk

    def recording(self) -> Recording:
        """What went by."""
        return Recording(tuple(self._sentences), tuple(self._chunks))


class Replay:
    """A voice that has said it all before."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    async def speak(self, sentence: str) -> None:
        """It knows."""

    async def finish(self) -> None:
        """It knows."""

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        """All at once."""
        for chunk in self._recording.chunks:
            yield chunk


@lru_cache(maxsize=1_024)  # the same few lines, in each reply
def as_spoken(line: str) -> str:
    """The line without what is not spoken: what a recording of it is kept under."""
    return " ".join(sentences_of(line))


def fixed_lines(playbook: Playbook, language: str) -> tuple[str, ...]:
    """What a playbook has the assistant say to the letter in a language, what is needed first in front."""
    fixed = playbook.lines_in(language)
    lines = (
        fixed.opening,
        *fixed.fillers,
        *fixed.holding_lines,
        fixed.apology,
        fixed.farewell,
        *fixed.silence_prompts,
        *(
            f"{prompt} {words}"
            for prompt in fixed.silence_prompts[1:2]
            for words in playbook.helps_in(language).values()
        ),
        *([fixed.take_your_time] if fixed.take_your_time else []),
        fixed.welcome_back,
        *(line for line in (fixed.picking_up, fixed.handed_back, fixed.screening_line) if line),
        *([playbook.escalation_line_in(language)] if playbook.mood.escalate_after else []),
    )
    canned = [answer.answer for step in playbook.steps for answer in step.canned]  # in the first language only
    return tuple(dict.fromkeys([*lines, *canned] if language == playbook.language else lines))
