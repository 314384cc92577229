"""Which audio belongs to which sentence, and where its words begin, from the letters' times that come with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.ports.speech import SpeechChunk, SpokenWord

_BYTES_PER_MS = 8
_SLACK_MS = 5.0  # times are rounded


@dataclass(frozen=True, slots=True)
class Letters:
    """Letters that begin in a piece of audio; times are ms since the piece's first sample."""

    chars: Sequence[str] = ()
    starts_ms: Sequence[float] = ()
    durations_ms: Sequence[float] = ()


class SentenceCutter:
    """Cuts a reply's audio into its sentences. Sans-I/O.

    Only letters that are no spaces are counted: vendors are not exact about spaces. A sentence has ended when all its
    letters have come and the audio has reached the end of the last one, or when the next one's letters come, or with
    the whole reply. Audio between two sentences goes to the later one.
    """

    def __init__(self) -> None:
        self._sentences: list[_Sentence] = []
        self._current = 0

    @property
    def outstanding(self) -> bool:
        """Whether a sentence has not been heard to its end."""
        return self._current < len(self._sentences)

    def add_sentence(self, text: str) -> None:
        """The next sentence, as it was handed to the vendor."""
        self._sentences.append(_Sentence.of(text))

    def take(self, audio: bytes, letters: Letters) -> list[SpeechChunk]:
        """The next piece of audio."""
        chunks: list[SpeechChunk] = []
        cut_ms = 0.0  # where the current sentence's audio begins in this piece
        words: list[SpokenWord] = []
        for place, char in enumerate(letters.chars):
            if char.isspace() or not self.outstanding:
                continue
            if self._now.whole and self._current + 1 < len(self._sentences):
                start_ms = letters.starts_ms[place]
                chunks.append(self._chunk(_part(audio, cut_ms, start_ms), words, last=True))
                words, cut_ms = [], start_ms
            word = self._now.spell(letters, place, cut_ms)
            if word is not None:
                words.append(word)
        if self.outstanding:
            rest = _part(audio, cut_ms, len(audio) / _BYTES_PER_MS)
            chunks.append(self._chunk(rest, words, last=self._now.ends_within(len(rest) / _BYTES_PER_MS)))
        return chunks

    def end(self) -> list[SpeechChunk]:
        """The reply is over: so are all its sentences."""
        chunks = []
        while self.outstanding:
            chunks.append(self._chunk(b"", [], last=True))
        return chunks

    @property
    def _now(self) -> "_Sentence":
        return self._sentences[self._current]

    def _chunk(self, audio: bytes, words: list[SpokenWord], *, last: bool) -> SpeechChunk:
        self._now.audio_ms += len(audio) / _BYTES_PER_MS
        chunk = SpeechChunk(self._current, audio, tuple(words), last)
        self._current += last
        return chunk


@dataclass(slots=True)
class _Sentence:
    words: list[str]
    begins: dict[int, int]  # number of the letter that begins a word -> number of the word
    letters: int
    spelt: int = 0  # letters that have come
    audio_ms: float = 0.0
    ends_ms: float = 0.0  # the end of the last letter that has come, in the sentence's audio

    @classmethod
    def of(cls, text: str) -> "_Sentence":
        words = text.split()
        begins: dict[int, int] = {}
        letters = 0
        for number, word in enumerate(words):
            begins[letters] = number
            letters += len(word)
        return cls(words, begins, letters)

    @property
    def whole(self) -> bool:
        return self.spelt >= self.letters

    def ends_within(self, more_ms: float) -> bool:
        """Whether so much more audio is all that is missing."""
        return self.whole and self.audio_ms + more_ms + _SLACK_MS >= self.ends_ms

    def spell(self, letters: Letters, place: int, cut_ms: float) -> SpokenWord | None:
        """Count a letter; returns the word that begins with it, if one does."""
        start_ms = self.audio_ms + letters.starts_ms[place] - cut_ms
        self.ends_ms = start_ms + letters.durations_ms[place]
        number = self.begins.get(self.spelt)
        self.spelt += 1
        if number is None:
            return None
        text = self.words[number]
        known = min(len(text), len(letters.chars) - place)  # the word may go on in the next piece
        final = place + known - 1
        length_ms = letters.starts_ms[final] + letters.durations_ms[final] - letters.starts_ms[place]
        return SpokenWord(text, round(start_ms), round(start_ms + length_ms * len(text) / known))


def _part(audio: bytes, from_ms: float, to_ms: float) -> bytes:
    return audio[round(from_ms * _BYTES_PER_MS) : round(to_ms * _BYTES_PER_MS)]
