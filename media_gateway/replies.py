"""The assistant's replies on one stream: which of them may speak, and what became of each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from core.contracts.call import Heard, ReplyKey, ReplyTimings
from core.playback import Playback, PlaybackOutput, Played, Word


class ReplyMaker(Protocol):
    """The worker at the other end of a reply."""

    def opened(self, reply: int, kept: tuple[str, ...]) -> None:
        """The reply may speak, after these sentences."""
        ...

    def closed(self, reply: int, reason: str) -> None:
        """No more of it is wanted."""
        ...

    def heard(self, reply: int, heard: Heard) -> None:
        """What the caller heard of a whole reply that was finished with ``hear``."""
        ...


@dataclass(eq=False, slots=True)
class Reply:
    """One attempt at one part of an answer, on its way in."""

    key: ReplyKey
    number: int  # the maker's name for it
    maker: ReplyMaker
    streaming: bool = True
    timings: ReplyTimings | None = None
    told: tuple[float, Heard] | None = None  # when, and what, its maker was told of its hearing


MAKER_TELLS_WITHIN_MS = 5_000.0  # a maker that dies later has told the workflow what was heard


def _rank(key: ReplyKey) -> tuple[int, int, int]:
    return key.turn, key.part, key.attempt


@dataclass(slots=True)
class Replies:
    """The newest reply wins: a newer one closes the one still coming in, an older one is refused.

    ``act`` is given what is to be done with the carrier's line, ``lost`` the key and the kept sentences of a reply
    whose maker is gone, ``unheeded`` what was heard of one whose maker died before it can have told the workflow.
    ``floor_taken`` tells whether the caller has cut in and not finished yet.
    """

    playback: Playback
    clock: Callable[[], float]
    act: Callable[[list[PlaybackOutput]], None]
    lost: Callable[[ReplyKey, tuple[str, ...]], None]
    unheeded: Callable[[ReplyKey, Heard], None]
    floor_taken: Callable[[], bool]
    _newest: ReplyKey | None = None
    _streaming: Reply | None = field(default=None)
    _hearing: dict[ReplyKey, Reply] = field(default_factory=dict)  # whole ones whose makers wait to be told

    def open(self, key: ReplyKey, number: int, maker: ReplyMaker) -> Reply | None:
        """Let a reply begin; None if it may not, its maker has been told why."""
        if refusal := self._refusal(key):
            maker.closed(number, refusal)
            return None
        newest, self._newest = self._newest, key
        self.close("a newer reply")
        if self.floor_taken():
            maker.closed(number, "the caller speaks")
            self.act([Played(key, "", complete=False, interrupted=True, played_ms=0)])
            return None
        now_ms = self.clock()
        outputs: list[PlaybackOutput] = []
        if newest is not None and newest.turn < key.turn and self.playback.speaking:
            outputs += self.playback.cut(now_ms)  # an answer that newer words have overtaken
        outputs += self.playback.open(key, now_ms)
        self._streaming = Reply(key, number, maker)
        maker.opened(number, self.playback.kept(key))
        self.act(outputs)
        return self._streaming

    def audio(
        self, reply: Reply, sentence: int, audio: bytes, words: tuple[Word, ...], *, last: bool, text: str
    ) -> None:
        """Pass audio on to the caller at once; late audio of a closed reply is dropped."""
        if reply.streaming:
            self.act(self.playback.queue(reply.key, sentence, audio, words, last=last, text=text, now_ms=self.clock()))

    def finish(self, reply: Reply, *, hear: bool) -> None:
        """The reply is whole. ``hear``: its maker waits to be told what was heard of it."""
        if self._stop(reply):
            if hear:
                self._hearing[reply.key] = reply
            self.act(self.playback.finish(reply.key))

    def tell(self, key: ReplyKey, heard: Heard) -> bool:
        """Tell the reply's maker what was heard; False if none waits for it."""
        reply = self._hearing.pop(key, None)
        if reply is None:
            return False
        reply.told = self.clock(), heard
        reply.maker.heard(reply.number, heard)
        return True

    def break_off(self, reply: Reply) -> None:
        """Its maker has given up, or does not wait any more; what arrived keeps playing."""
        self._hearing.pop(reply.key, None)
        if self._stop(reply):
            self.act(self.playback.break_off(reply.key))

    def lose(self, reply: Reply) -> None:
        """Its maker is gone; what arrived keeps playing, another attempt may go on after it."""
        if self._stop(reply):
            self.lost(reply.key, self.playback.kept(reply.key))
            self.act(self.playback.break_off(reply.key))
        elif self._hearing.pop(reply.key, None) is None and reply.told is not None:
            told_ms, heard = reply.told
            if self.clock() - told_ms < MAKER_TELLS_WITHIN_MS:
                self.unheeded(reply.key, heard)

    def close(self, reason: str) -> None:
        """No more of the reply that is still coming in is wanted; what arrived keeps playing."""
        reply = self._streaming
        if reply is not None and self._stop(reply):
            reply.maker.closed(reply.number, reason)
            self.act(self.playback.break_off(reply.key))

    def end(self) -> None:
        """The stream is over: nothing comes in any more, and what was heard goes to the workflow, before the end."""
        self.close("the stream has ended")
        waiting, self._hearing = self._hearing, {}
        for reply in waiting.values():
            reply.maker.closed(reply.number, "the stream has ended")
        self.act(self.playback.end(self.clock()))

    def cut(self) -> None:
        """The caller has cut in: silence at once, then tell the maker and the workflow."""
        outputs = self.playback.cut(self.clock())
        self.close("the caller cut in")
        self.act(outputs)

    def hold(self) -> None:
        """The caller may be cutting in: silence at once; what plays, and what still comes in, waits."""
        self.act(self.playback.hold(self.clock()))

    def go_on(self) -> None:
        """The caller has not cut in."""
        self.act(self.playback.go_on(self.clock()))

    def timings_of(self, key: ReplyKey) -> ReplyTimings | None:
        """The worker's stamps of the reply that is coming in."""
        reply = self._streaming
        return reply.timings if reply is not None and reply.key == key else None

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
