"""What a carrier was given to play on one stream, and how much of it the caller has heard.

Audio is mu-law, 8 one-byte samples a ms. A carrier plays what it is given in order and in real time, returns a mark
once everything before it was played, and on a clear drops its queue and returns all outstanding marks at once.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from core.contracts.call import ReplyKey

BYTES_PER_MS = 8
MARK_EVERY_BYTES = 400 * BYTES_PER_MS  # so that a lost guess at the position is never off by more

Word: TypeAlias = tuple[str, int, int]
"""A word's text, and where it begins and ends, in ms since the first sample of its sentence."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What earlier attempts at a (turn, part) have left: a later one says ``rest`` first, then what follows."""

    sentences: tuple[str, ...] = ()  # queued or heard; of one that broke off, the words that came whole
    rest: str = ""  # of the sentence that broke off, what is still to be said


class UnknownMark(Exception):
    """A mark came back that this stream never sent."""


@dataclass(frozen=True, slots=True)
class Play:
    """Give this audio to the carrier. ``key`` None: a holding line, no reply."""

    audio: bytes
    key: ReplyKey | None


@dataclass(frozen=True, slots=True)
class SetMark:
    """Ask the carrier to say when it got here."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Have the carrier drop what it has not played."""


@dataclass(frozen=True, slots=True)
class Played:
    """A reply is over: played out, broken off, or cut. ``heard`` tells all of its (turn, part), whichever attempt."""

    key: ReplyKey
    heard: str
    complete: bool
    interrupted: bool
    played_ms: int


PlaybackOutput = Play | SetMark | Clear | Played


@dataclass(slots=True)
class _Sentence:
    number: int
    words: list[Word] = field(default_factory=list)
    text: str = ""
    whole: bool = False
    size: int = 0
    heard: int = 0
    goes_on: bool = False  # another one says the rest of it

    def end_early(self) -> tuple[int, str]:
        """End it after the last of its words that came whole: its size then, and what is left to be said."""
        words = self.text.split()
        come = 0
        while come < min(len(words), len(self.words)) and self._has_come(come, words[come]):
            come += 1
        if come < len(words):
            self.size = min(self.size, self.words[come][1] * BYTES_PER_MS) if come < len(self.words) else self.size
        self.text, self.words, self.whole = " ".join(words[:come]), self.words[:come], True
        self.goes_on = come < len(words)
        return self.size if come else 0, " ".join(words[come:])

    def _has_come(self, number: int, expected: str) -> bool:
        word, _, end_ms = self.words[number]
        return word == expected and end_ms * BYTES_PER_MS <= self.size

    def heard_text(self) -> str:
        if self.whole and self.heard >= self.size:
            return self.text
        if self.words:
            return " ".join(word for word, _, end_ms in self.words if end_ms * BYTES_PER_MS <= self.heard)
        words = self.text.split() if self.whole else []  # a voice without word times: by share
        return " ".join(words[: len(words) * self.heard // max(self.size, 1)])


@dataclass(slots=True)
class _Part:
    """All attempts at one (turn, part)."""

    key: ReplyKey  # the newest attempt's
    sentences: list[_Sentence] = field(default_factory=list)
    rest: str = ""  # of a sentence that broke off, until it is said
    attempt_from: int = 0  # where the newest attempt's sentences begin
    finished: bool = False
    over: bool = False  # nothing more will come from this attempt
    reported: bool = False
    cut: bool = False
    unplayed: int = 0  # bytes queued and not known to be played

    def sentence(self, number: int) -> _Sentence:
        for sentence in reversed(self.sentences[self.attempt_from :]):
            if sentence.number == number:
                return sentence
        self.sentences.append(_Sentence(number))
        return self.sentences[-1]

    def kept(self) -> Kept:
        return Kept(tuple(sentence.text for sentence in self.sentences if sentence.whole), self.rest)

    def heard_text(self) -> str:
        return " ".join(filter(None, (sentence.heard_text() for sentence in self.sentences)))

    def played(self, *, interrupted: bool) -> Played:
        played = sum(sentence.heard for sentence in self.sentences)
        whole = self.finished and played == sum(sentence.size for sentence in self.sentences)
        self.reported = True
        return Played(self.key, self.heard_text(), whole, interrupted and not whole, played // BYTES_PER_MS)


@dataclass(slots=True)
class _Chunk:
    part: _Part | None
    sentence: _Sentence | None
    audio: bytes
    end: int  # position in the stream of the byte after its last

    def play(self, size: int) -> None:
        if self.part is not None and self.sentence is not None:
            self.part.unplayed -= len(self.audio)
            self.sentence.heard += size


@dataclass(slots=True)
class _Waiting:
    """Audio that the caller has yet to hear, while playback is held."""

    part: _Part | None
    sentence: _Sentence | None
    audio: bytes
    ends_sentence: bool = False

    def count(self, times: int) -> None:
        if self.part is not None:
            self.part.unplayed += times * len(self.audio)


def _shortened(pieces: list[_Waiting], sentence: _Sentence, size: int) -> list[_Waiting]:
    """What of them is heard, counted as unplayed, if the sentence ends after so many bytes, or where the caller is."""
    kept = []
    end = sentence.heard
    for piece in pieces:
        if piece.sentence is sentence:
            piece.audio = piece.audio[: max(0, size - end)]
            end += len(piece.audio)
        if piece.audio:
            piece.count(1)
            kept.append(piece)
    sentence.size = end
    return kept


class Playback:
    """The ledger of one stream. Times are ms on any one clock; every method returns what is to be done, in order."""

    def __init__(self) -> None:
        self._parts: dict[tuple[int, int], _Part] = {}
        self._ahead: deque[_Chunk] = deque()
        self._marks: dict[str, int] = {}  # outstanding, in order: name -> position
        self._dropped: set[str] = set()  # marks that a clear returns: no proof of hearing
        self._sent = 0  # bytes given to the carrier since the stream began
        self._marked = 0  # position of the newest mark
        self._anchor = 0  # a position that was being played ..
        self._anchor_ms = 0.0  # .. at this time
        self._waiting: list[_Waiting] | None = None  # while playback is held: what the caller has yet to hear

    @property
    def playing(self) -> bool:
        """Whether audio is queued, at the carrier or here while playback is held, that is not known to be played."""
        return bool(self._ahead or self._waiting)

    @property
    def held(self) -> bool:
        """Whether playback is held: from ``hold`` to ``go_on`` or a cut."""
        return self._waiting is not None

    @property
    def speaking(self) -> bool:
        """Whether audio of a reply, not of a holding line, is queued that is not known to be played."""
        ahead = any(chunk.part is not None for chunk in self._ahead)
        return ahead or any(waiting.part is not None for waiting in self._waiting or ())

    def position(self, now_ms: float) -> int:
        """Bytes of the stream the caller has heard at most: real time since the last returned mark, up to the next."""
        limit = next(iter(self._marks.values()), self._sent)
        return min(self._reckoned(now_ms), limit)

    def unheard(self, now_ms: float) -> bytes:
        """What the carrier was given that the caller has still to hear."""
        position = self.position(now_ms)
        return b"".join(
            chunk.audio[max(0, position - (chunk.end - len(chunk.audio))) :]
            for chunk in self._ahead
            if chunk.end > position
        )

    def kept(self, key: ReplyKey) -> Kept:
        """What all attempts at this (turn, part) before the newest one have left."""
        part = self._parts.get((key.turn, key.part))
        return part.kept() if part else Kept()

    def heard_so_far(self, key: ReplyKey) -> str:
        """What the caller is known to have heard of this (turn, part), by the last mark that came back."""
        part = self._parts.get((key.turn, key.part))
        return part.heard_text() if part else ""

    def was_cut(self, key: ReplyKey) -> bool:
        """Whether the caller has cut this (turn, part) off: no attempt may take it up again."""
        part = self._parts.get((key.turn, key.part))
        return part is not None and part.cut

    def sentences_heard(self, key: ReplyKey, now_ms: float) -> int:
        """How many whole sentences of this (turn, part) the caller has heard by now."""
        part = self._parts.get((key.turn, key.part))
        if part is None:
            return 0
        position = self.position(now_ms)
        ahead = {id(chunk.sentence) for chunk in self._ahead if chunk.end > position}
        ahead.update(id(waiting.sentence) for waiting in self._waiting or ())
        return sum(s.whole and not s.goes_on and id(s) not in ahead for s in part.sentences)

    def open(self, key: ReplyKey, now_ms: float) -> list[PlaybackOutput]:
        """A reply begins. A later attempt goes on after the last word that came whole of the earlier ones, so that
        nobody hears a sentence twice."""
        part = self._parts.get((key.turn, key.part))
        if part is None:
            self._forget_reported()
            self._parts[key.turn, key.part] = _Part(key)
            return []
        part.key = key
        part.finished = part.over = part.reported = False
        outputs = self._end_unfinished(part, now_ms)
        part.attempt_from = len(part.sentences)
        return outputs

    def queue(
        self,
        key: ReplyKey,
        number: int,
        audio: bytes,
        words: Sequence[Word],
        *,
        last: bool,
        text: str,
        now_ms: float,
    ) -> list[PlaybackOutput]:
        """Audio of the reply's sentence ``number``; ``text`` is the whole sentence's, with its first audio.

        Late audio of a reply that is over, was cut, or has a newer attempt is dropped.
        """
        part = self._parts.get((key.turn, key.part))
        if part is None or part.key != key or part.over:
            return []
        sentence = part.sentence(number)
        sentence.text = text or sentence.text
        part.rest = ""
        sentence.words.extend(words)
        sentence.size += len(audio)
        part.unplayed += len(audio)
        outputs = list(self._send(part, sentence, audio, now_ms))
        if last:
            sentence.whole = True
            outputs += self._mark(key.turn)
            if self._waiting:
                self._waiting[-1].ends_sentence = True
        return outputs

    def fill(self, audio: bytes, turn: int, now_ms: float) -> list[PlaybackOutput]:
        """Fill silence with a holding line; it is no reply and has no report."""
        return [*self._send(None, None, audio, now_ms), *self._mark(turn)]

    def hold(self, now_ms: float) -> list[PlaybackOutput]:
        """The caller may be cutting in: be silent at once, and keep what was not heard. What comes meanwhile waits."""
        if self.held:
            return []
        self._waiting = list(self._split_queue(now_ms))
        for waiting in self._waiting:
            waiting.count(1)
        if not self._waiting:  # only marks were out
            self._waiting = None
        return [Clear(), *self._reports()]

    def go_on(self, now_ms: float) -> list[PlaybackOutput]:
        """It was none: go on from the very sample, then with what came meanwhile."""
        if self._waiting is None:
            return []
        waiting, self._waiting = self._waiting, None
        outputs: list[PlaybackOutput] = []
        for piece in waiting:
            outputs += self._send(piece.part, piece.sentence, piece.audio, now_ms)
            if piece.ends_sentence:
                outputs += self._mark(piece.part.key.turn if piece.part else 0)
        turn = waiting[-1].part.key.turn if waiting and waiting[-1].part else 0
        return outputs + self._mark(turn)

    def finish(self, key: ReplyKey) -> list[PlaybackOutput]:
        """The reply is whole."""
        return self._end(key, finished=True)

    def break_off(self, key: ReplyKey) -> list[PlaybackOutput]:
        """No more of the reply will come; what arrived keeps playing."""
        return self._end(key, finished=False)

    def mark_returned(self, name: str, now_ms: float) -> list[PlaybackOutput]:
        """The carrier returned a mark: all audio before it was played, unless a clear had been sent.

        Raises:
            UnknownMark: this stream never sent it.

        Source: Twilio Media Streams, "mark", "clear". A clear also returns the marks it drops, so a mark after one
        is no proof of hearing.
        """
        if name in self._dropped:
            self._dropped.discard(name)
            return []
        if name not in self._marks:
            raise UnknownMark(name)
        position = self._marks[name]
        for older in [mark for mark, at in self._marks.items() if at <= position]:
            del self._marks[older]
        self._anchor, self._anchor_ms = position, now_ms
        while self._ahead and self._ahead[0].end <= position:
            chunk = self._ahead.popleft()
            chunk.play(len(chunk.audio))
        return self._reports()

    def cut(self, now_ms: float) -> list[PlaybackOutput]:
        """The caller has taken the floor: nothing more is heard of any reply begun so far."""
        clear: list[PlaybackOutput] = [Clear()] if self._ahead else []
        self._drop_queue(now_ms)
        return clear + self._close_all(interrupted=True)

    def end(self, now_ms: float) -> list[PlaybackOutput]:
        """The stream is over."""
        self._drop_queue(now_ms)
        return self._close_all(interrupted=False)

    def _send(
        self, part: _Part | None, sentence: _Sentence | None, audio: bytes, now_ms: float
    ) -> Iterator[PlaybackOutput]:
        """Pass audio on in pieces that each end at a mark where one is due; while playback is held, keep it."""
        if self._waiting is not None:
            if audio:
                self._waiting.append(_Waiting(part, sentence, audio))
            return
        if audio and self._reckoned(now_ms) >= self._sent:  # the carrier's queue has run dry: this plays at once
            self._anchor, self._anchor_ms = self._sent, now_ms
        start = 0
        while start < len(audio):
            piece = audio[start : start + MARK_EVERY_BYTES - (self._sent - self._marked)]
            start += len(piece)
            self._sent += len(piece)
            self._ahead.append(_Chunk(part, sentence, piece, self._sent))
            yield Play(piece, part.key if part else None)
            if self._sent - self._marked >= MARK_EVERY_BYTES:
                yield from self._mark(part.key.turn if part else 0)

    def _mark(self, turn: int) -> list[PlaybackOutput]:
        if self._sent == self._marked:
            return []
        name = f"{turn}:{self._sent // BYTES_PER_MS}.{self._sent % BYTES_PER_MS}"
        self._marks[name] = self._marked = self._sent
        return [SetMark(name)]

    def _end(self, key: ReplyKey, *, finished: bool) -> list[PlaybackOutput]:
        part = self._parts.get((key.turn, key.part))
        if part is None or part.key != key or part.over:
            return []
        part.over = True
        part.finished = finished
        return self._mark(key.turn) + self._reports()

    def _reports(self) -> list[PlaybackOutput]:
        return [
            part.played(interrupted=False)
            for part in self._parts.values()
            if part.over and not part.reported and part.unplayed == 0
        ]

    def _close_all(self, *, interrupted: bool) -> list[PlaybackOutput]:
        reports: list[PlaybackOutput] = []
        for part in self._parts.values():
            part.over = part.cut = True
            if not part.reported:
                reports.append(part.played(interrupted=interrupted))
        return reports

    def _reckoned(self, now_ms: float) -> int:
        return self._anchor + int((now_ms - self._anchor_ms) * BYTES_PER_MS)

    def _drop_queue(self, now_ms: float) -> None:
        """Count what was heard as heard, and drop the rest."""
        for waiting in self._waiting or ():
            waiting.count(-1)
        self._waiting = None
        for _ in self._split_queue(now_ms):
            pass

    def _split_queue(self, now_ms: float) -> Iterator[_Waiting]:
        """Empty the queue; what was not heard, from the exact sample on."""
        position = self.position(now_ms)
        while self._ahead:
            chunk = self._ahead.popleft()
            heard = max(0, min(len(chunk.audio), position - (chunk.end - len(chunk.audio))))
            chunk.play(heard)
            if heard < len(chunk.audio):
                yield _Waiting(chunk.part, chunk.sentence, chunk.audio[heard:])
        self._dropped.update(self._marks)
        self._marks.clear()
        self._marked = self._anchor = self._sent
        self._anchor_ms = now_ms

    def _end_unfinished(self, part: _Part, now_ms: float) -> list[PlaybackOutput]:
        """What an attempt broke off in the midst of a sentence is heard up to its last whole word."""
        if not part.sentences or part.sentences[-1].whole:
            return []
        sentence = part.sentences[-1]
        came = sentence.size
        size, part.rest = sentence.end_early()
        if not sentence.text:
            part.sentences.pop()
        if self._waiting is not None:
            for waiting in self._waiting:
                waiting.count(-1)
            self._waiting = _shortened(self._waiting, sentence, size)
            return []
        if size == came or not self._is_ahead(sentence, now_ms):
            sentence.size = came
            return []
        outputs: list[PlaybackOutput] = [Clear()]
        for piece in _shortened(list(self._split_queue(now_ms)), sentence, size):
            outputs += self._send(piece.part, piece.sentence, piece.audio, now_ms)
        return outputs + self._mark(part.key.turn)

    def _is_ahead(self, sentence: _Sentence, now_ms: float) -> bool:
        position = self.position(now_ms)
        return any(chunk.sentence is sentence and chunk.end > position for chunk in self._ahead)

    def _forget_reported(self) -> None:
        """Parts that have been reported and played are of no further use, but the newest may have another attempt."""
        for place in list(self._parts)[:-1]:
            if self._parts[place].reported:
                del self._parts[place]
