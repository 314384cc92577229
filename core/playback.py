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

    def heard_text(self) -> str:
        if self.whole and self.heard >= self.size:
            return self.text
        if self.words:
            return " ".join(word for word, _, end_ms in self.words if end_ms * BYTES_PER_MS <= self.heard)
        words = self.text.split()  # a voice without word times: by share
        return " ".join(words[: len(words) * self.heard // max(self.size, 1)])


@dataclass(slots=True)
class _Part:
    """All attempts at one (turn, part)."""

    key: ReplyKey  # the newest attempt's
    sentences: list[_Sentence] = field(default_factory=list)
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

    def kept(self) -> tuple[str, ...]:
        return tuple(sentence.text for sentence in self.sentences if sentence.whole)

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

    def kept(self, key: ReplyKey) -> tuple[str, ...]:
        """Whole sentences of this (turn, part), by any attempt, queued or heard."""
        part = self._parts.get((key.turn, key.part))
        return part.kept() if part else ()

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
        return sum(sentence.whole and id(sentence) not in ahead for sentence in part.sentences)

    def open(self, key: ReplyKey, now_ms: float) -> list[PlaybackOutput]:
        """A reply begins. A later attempt goes on after the whole sentences of the earlier ones: an unfinished one
        that the caller has not begun to hear is taken back, so that nobody hears it twice."""
        part = self._parts.get((key.turn, key.part))
        if part is None:
            self._forget_reported()
            self._parts[key.turn, key.part] = _Part(key)
            return []
        part.key = key
        part.finished = part.over = part.reported = False
        outputs = self._take_back_unfinished(part, now_ms)
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
        """Audio of the reply's sentence ``number``; ``text`` is the sentence's, with its last audio.

        Late audio of a reply that is over, was cut, or has a newer attempt is dropped.
        """
        part = self._parts.get((key.turn, key.part))
        if part is None or part.key != key or part.over:
            return []
        sentence = part.sentence(number)
        sentence.words.extend(words)
        sentence.size += len(audio)
        part.unplayed += len(audio)
        outputs = list(self._send(part, sentence, audio, now_ms))
        if last:
            sentence.whole = True
            sentence.text = text or " ".join(word for word, _, _ in sentence.words)
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
        self._waiting = [_Waiting(part, sentence, audio) for part, sentence, audio in self._split_queue(now_ms)]
        for waiting in self._waiting:
            if waiting.part is not None:
                waiting.part.unplayed += len(waiting.audio)
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
            if waiting.part is not None:
                waiting.part.unplayed -= len(waiting.audio)
        self._waiting = None
        for _ in self._split_queue(now_ms):
            pass

    def _split_queue(self, now_ms: float) -> Iterator[tuple[_Part | None, _Sentence | None, bytes]]:
        """Empty the queue; what was not heard, from the exact sample on."""
        position = self.position(now_ms)
        while self._ahead:
            chunk = self._ahead.popleft()
            heard = max(0, min(len(chunk.audio), position - (chunk.end - len(chunk.audio))))
            chunk.play(heard)
            if heard < len(chunk.audio):
                yield chunk.part, chunk.sentence, chunk.audio[heard:]
        self._dropped.update(self._marks)
        self._marks.clear()
        self._marked = self._anchor = self._sent
        self._anchor_ms = now_ms

    def _take_back_unfinished(self, part: _Part, now_ms: float) -> list[PlaybackOutput]:
        unfinished = [sentence for sentence in part.sentences if not sentence.whole and sentence.size]
        if self._waiting is not None:
            return self._take_back_waiting(part, unfinished)
        position = self.position(now_ms)
        starts = {
            id(chunk.sentence): chunk.end - len(chunk.audio)
            for chunk in reversed(self._ahead)
            if chunk.sentence is not None
        }
        unbegun = [s for s in unfinished if s.heard == 0 and starts.get(id(s), -1) >= position]
        if not unbegun:
            return []
        outputs: list[PlaybackOutput] = [Clear()]
        for owner, sentence, audio in list(self._split_queue(now_ms)):
            if sentence is not None and any(sentence is gone for gone in unbegun):
                continue
            if owner is not None:
                owner.unplayed += len(audio)
            outputs += self._send(owner, sentence, audio, now_ms)
        part.sentences = [s for s in part.sentences if not any(s is gone for gone in unbegun)]
        return outputs + self._mark(part.key.turn)

    def _take_back_waiting(self, part: _Part, unfinished: list[_Sentence]) -> list[PlaybackOutput]:
        """The same while playback is held: the carrier has none of it."""
        unbegun = {id(sentence) for sentence in unfinished if sentence.heard == 0}
        kept = [waiting for waiting in self._waiting or () if id(waiting.sentence) not in unbegun]
        part.unplayed -= sum(len(w.audio) for w in self._waiting or () if id(w.sentence) in unbegun)
        part.sentences = [sentence for sentence in part.sentences if id(sentence) not in unbegun]
        self._waiting = kept
        return []

    def _forget_reported(self) -> None:
        """Parts that have been reported and played are of no further use, but the newest may have another attempt."""
        for place in list(self._parts)[:-1]:
            if self._parts[place].reported:
                del self._parts[place]
