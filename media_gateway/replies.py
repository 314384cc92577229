"""The assistant's replies on one stream: which of them may speak, and what became of each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from core.contracts.call import Heard, ReplyKey, ReplyTimings
from core.playback import Kept, Playback, PlaybackOutput, Played, Word
from core.turns import Listen


class ReplyMaker(Protocol):
    """The worker at the other end of a reply."""

    def opened(self, reply: int, kept: Kept) -> None:
        """The reply may speak, after this."""
        ...

    def closed(self, reply: int, reason: str) -> None:
        """No more of it is wanted."""
        ...

    def heard(self, reply: int, heard: Heard) -> None:
        """What the caller heard of a whole reply that was finished with ``hear``."""
        ...

    def heard_so_far(self, reply: int, heard: str) -> None:
        """What the caller has heard of a reply until now, should nobody be able to tell it later."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """Some audio of a sentence, as ``Playback.queue`` takes it."""

    sentence: int
    audio: bytes
    words: tuple[Word, ...]
    last: bool
    text: str


@dataclass(eq=False, slots=True)
class Reply:
    """One attempt at one part of an answer, on its way in."""

    key: ReplyKey
    number: int  # the maker's name for it
    maker: ReplyMaker
    listen: Listen
    streaming: bool = True
    timings: ReplyTimings | None = None
    arrived_ms: float | None = None  # its first audio, here
    held: "list[Piece] | None" = None  # what is kept back until the caller's turn has ended; None: nothing is
    whole: bool = False
    answers: bool = False  # it is whole, and all that is said for now
    hears: bool = False  # its maker waits to be told what was heard
    last: bool = False  # it is whole, and all that its maker says
    told: tuple[float, Heard] | None = None  # when, and what, its maker was told of its hearing
    follows: bool = False  # its maker is told what is heard while it is heard
    heard: str = ""  # what it was told then


MAKER_TELLS_WITHIN_MS = 5_000.0  # a maker that dies later has told the workflow what was heard


def _rank(key: ReplyKey) -> tuple[int, int, int]:
    return key.turn, key.part, key.attempt


@dataclass(slots=True)
class Replies:
    """The newest reply wins: a newer one closes the one still coming in, an older one is refused.

    ``act`` is given what is to be done with the carrier's line, ``lost`` the key of a reply whose maker is
    gone, ``unheeded`` what was heard of one whose maker died before it can have told the workflow.
    ``begins`` is told of each reply that the caller may hear from now on, and how to listen to its answer.
    ``floor_taken`` tells whether the caller has cut in and not finished yet.

    A reply to a turn that has probably ended (``foresee``) is kept back under (turn, words_key): ``let_go`` plays it,
    or notes that it may play when it comes; ``withdraw`` closes it.
    """

    playback: Playback
    clock: Callable[[], float]
    act: Callable[[list[PlaybackOutput]], None]
    lost: Callable[[ReplyKey], None]
    unheeded: Callable[[ReplyKey, Heard], None]
    begins: Callable[[ReplyKey, Listen], None]
    floor_taken: Callable[[], bool]
    last_maker: ReplyMaker | None = None  # of the newest reply that was let in
    _newest: ReplyKey | None = None
    _streaming: Reply | None = field(default=None)
    _begun: Reply | None = field(default=None)  # the last that the caller may hear
    _held: Reply | None = field(default=None)
    _foreseen: tuple[int, str] | None = None
    _ended: tuple[int, str] | None = None
    _hearing: dict[ReplyKey, Reply] = field(default_factory=dict)  # whole ones whose makers wait to be told

    def open(self, key: ReplyKey, number: int, maker: ReplyMaker, listen: Listen, hold: str = "") -> Reply | None:
        """Let a reply begin; None if it may not, its maker has been told why. ``hold``: once its turn has ended."""
        waits = bool(hold) and self._ended != (key.turn, hold)
        if refusal := self._refusal(key) or (waits and self._foreseen != (key.turn, hold) and "the caller goes on"):
            maker.closed(number, refusal)
            return None
        self._newest, self.last_maker = key, maker
        self.close("a newer reply")
        self._drop_held("a newer reply")
        if not waits and self.floor_taken():
            maker.closed(number, "the caller speaks")
            self.act([Played(key, "", complete=False, interrupted=True, played_ms=0)])
            return None
        reply = self._streaming = Reply(key, number, maker, listen)
        if waits:
            reply.held, self._held = [], reply
            maker.opened(number, Kept())
        else:
            outputs = self._begin(reply)
            maker.opened(number, self.playback.kept(key))
            self.act(outputs)
        return reply

    def foresee(self, turn: int, hold: str) -> None:
        """The caller's turn has probably ended with these words: a reply to them is kept back."""
        self._foreseen = turn, hold

    def let_go(self, turn: int, hold: str) -> None:
        """It has: play what is here, and what comes, at once."""
        self._foreseen, self._ended = None, (turn, hold)
        reply, self._held = self._held, None
        if reply is None or reply.held is None:
            return
        pieces, reply.held = reply.held, None
        outputs = self._begin(reply)
        for piece in pieces:
            outputs += self._queue(reply, piece)
        if reply.whole:
            if reply.hears:
                self._hearing[reply.key] = reply
            outputs += self.playback.finish(reply.key)
        self.act(outputs)

    def withdraw(self) -> None:
        """It has not: the caller goes on."""
        self._foreseen = None
        self._drop_held("the caller goes on")

    def audio(
        self, reply: Reply, sentence: int, audio: bytes, words: tuple[Word, ...], *, last: bool, text: str
    ) -> None:
        """Pass audio on to the caller at once; late audio of a closed reply is dropped."""
        if not reply.streaming:
            return
        if reply.arrived_ms is None:
            reply.arrived_ms = self.clock()
        piece = Piece(sentence, audio, words, last, text)
        if reply.held is not None:
            reply.held.append(piece)
        else:
            self.act(self._queue(reply, piece))

    def finish(self, reply: Reply, *, hear: bool) -> None:
        """The reply is whole. ``hear``: its maker waits to be told what was heard of it."""
        if not self._stop(reply):
            return
        reply.whole, reply.hears, reply.last = True, hear, hear
        reply.answers = hear and not reply.listen.more
        if reply.held is None:
            if hear:
                self._hearing[reply.key] = reply
            self.act(self.playback.finish(reply.key))

    @property
    def coming_in(self) -> bool:
        """Whether more is to come of what the caller hears; the line may be quiet between two sentences of it."""
        return self._streaming is not None

    @property
    def kept_back(self) -> bool:
        """Whether a reply, perhaps whole, waits for its turn's end."""
        return self._held is not None

    def answered(self, key: ReplyKey) -> bool:
        """Whether this reply is all that is said for now: no tool runs, and it is no filler."""
        return self._begun is not None and self._begun.key == key and self._begun.answers

    def was_last(self, key: ReplyKey) -> bool:
        """Whether its maker had nothing left to do but to hear of this reply."""
        return self._begun is not None and self._begun.key == key and self._begun.last

    def tell(self, key: ReplyKey, heard: Heard) -> bool:
        """Tell the reply's maker what was heard; False if none waits for it."""
        reply = self._hearing.pop(key, None)
        if reply is None:
            return False
        reply.told = self.clock(), heard
        reply.maker.heard(reply.number, heard)
        return True

    def tell_so_far(self) -> None:
        """The caller has heard more: tell the maker of what they hear."""
        reply = self._begun
        if reply is None or not reply.follows or reply.told is not None:
            return
        heard = self.playback.heard_so_far(reply.key)
        if heard != reply.heard:
            reply.heard = heard
            reply.maker.heard_so_far(reply.number, heard)

    def break_off(self, reply: Reply) -> None:
        """Its maker has given up, or does not wait any more; what arrived keeps playing."""
        self._hearing.pop(reply.key, None)
        reply.hears = reply.last = False
        if self._stop(reply):
            self._leave(reply)

    def lose(self, reply: Reply) -> None:
        """Its maker is gone; what arrived keeps playing, another attempt may go on after it."""
        reply.hears = False
        if self._stop(reply):
            self.lost(reply.key)
            self._leave(reply)
        elif self._hearing.pop(reply.key, None) is None and reply.told is not None:
            told_ms, heard = reply.told
            if self.clock() - told_ms < MAKER_TELLS_WITHIN_MS:
                self.unheeded(reply.key, heard)

    def close(self, reason: str) -> None:
        """No more of the reply that is still coming in is wanted; what arrived keeps playing."""
        reply = self._streaming
        if reply is not None and self._stop(reply):
            reply.maker.closed(reply.number, reason)
            self._leave(reply)

    def end(self) -> None:
        """The stream is over: nothing comes in any more, and what was heard goes to the workflow, before the end."""
        self.close("the stream has ended")
        self._drop_held("the stream has ended")
        waiting, self._hearing = self._hearing, {}
        for reply in waiting.values():
            reply.maker.closed(reply.number, "the stream has ended")
        self.act(self.playback.end(self.clock()))

    def cut(self) -> None:
        """The caller has cut in: silence at once, then tell the maker and the workflow."""
        outputs = self.playback.cut(self.clock())
        self.close("the caller cut in")
        self._drop_held("the caller cut in")
        self.act(outputs)

    def hold(self) -> None:
        """The caller may be cutting in: silence at once; what plays, and what still comes in, waits."""
        self.act(self.playback.hold(self.clock()))

    def go_on(self) -> None:
        """The caller has not cut in."""
        self.act(self.playback.go_on(self.clock()))

    def timings_of(self, key: ReplyKey) -> ReplyTimings | None:
        """The worker's stamps of the reply that the caller begins to hear."""
        reply = self._begun
        return reply.timings if reply is not None and reply.key == key else None

    def arrival_of(self, key: ReplyKey) -> float | None:
        """When its first audio came here."""
        reply = self._begun
        return reply.arrived_ms if reply is not None and reply.key == key else None

    def _begin(self, reply: Reply) -> list[PlaybackOutput]:
        now_ms = self.clock()
        before, self._begun = self._begun, reply
        self.begins(reply.key, reply.listen)
        outputs: list[PlaybackOutput] = []
        if before is not None and before.key.turn < reply.key.turn and self.playback.speaking:
            outputs += self.playback.cut(now_ms)  # an answer that newer words have overtaken
        return outputs + self.playback.open(reply.key, now_ms)

    def _queue(self, reply: Reply, piece: Piece) -> list[PlaybackOutput]:
        return self.playback.queue(
            reply.key,
            piece.sentence,
            piece.audio,
            piece.words,
            last=piece.last,
            text=piece.text,
            now_ms=self.clock(),
        )

    def _leave(self, reply: Reply) -> None:
        """Nothing more of it comes: what arrived keeps playing, what was kept back is forgotten."""
        if reply.held is None:
            self.act(self.playback.break_off(reply.key))
        elif self._held is reply:
            self._held = None

    def _drop_held(self, reason: str) -> None:
        reply, self._held = self._held, None
        if reply is None:
            return
        self._stop(reply)
        reply.maker.closed(reply.number, reason)

    def _refusal(self, key: ReplyKey) -> str:
        if self._newest is not None and _rank(key) <= _rank(self._newest):
            return "an older reply"
        if self.playback.was_cut(key):
            return "the caller cut in"
        return ""

    def _stop(self, reply: Reply) -> bool:
        was, reply.streaming = reply.streaming, False
        if self._streaming is reply:
            self._streaming = None
        return was
