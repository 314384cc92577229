"""Speech over the assistant's: does the caller take the floor, or was it a cough?

The local voice detector is quick and knows no words, the recogniser knows words and is slow. Voice that lasts *holds*
playback at once; words, if both agree, make it an interruption; without them playback goes on from where it was held.
"""

from enum import Enum, auto
from typing import Final

from core.backchannels import Backchannels

FRAME_MS: Final = 20.0
BREAK_MS: Final = 300.0  # speech that pauses no longer is one run
AGREE_MS: Final = 1_500.0  # words are believed if voice was heard no longer ago: recognisers lag
WORDS_LATE_MS: Final = 500.0  # of quiet after voice: the recogniser would have told its words by now
BACKCHANNEL_QUIET_MS: Final = 200.0  # of quiet after a backchannel: nothing more comes
HOLD_MS: Final = 1_200.0  # playback is held without words no longer than that, whatever it sounds like
MOST_FALSE: Final = 3  # in a row: from then on only words stop playback


class Ruling(Enum):
    """What follows for playback."""

    NONE = auto()
    HOLD = auto()  # be silent at once, keep the rest
    GO_ON = auto()  # it was no interruption
    STOP = auto()  # the caller has the floor


class Interruptions:
    """One call's. Ask it only while the assistant is playing, or held; times are ms on the stream's clock."""

    def __init__(self, hold_after_ms: int, min_words: int, min_ms: int, backchannels: Backchannels) -> None:
        """See ``heed``."""
        self.heed(hold_after_ms, min_words, min_ms, backchannels)
        self._run_ms = 0.0  # speech, without its short pauses
        self._last_speech_ms = -AGREE_MS
        self._held_at_ms: float | None = None
        self._told = ""  # what the recogniser has made of it so far
        self._false = 0  # in a row
        self._ignored = False  # this run has proved to be no speech

    def heed(self, hold_after_ms: int, min_words: int, min_ms: int, backchannels: Backchannels) -> None:
        """Go by these rules from now on; what is held stays held until it is known.

        Args:
            hold_after_ms: of speech; 0: only words stop playback. The others: core.turns.TurnTaking.
        """
        self._hold_after_ms = hold_after_ms
        self._min_words = min_words
        self._min_ms = min_ms
        self._backchannels = backchannels

    @property
    def held(self) -> bool:
        """Whether playback is held until it is known."""
        return self._held_at_ms is not None

    def begin(self) -> None:
        """The assistant begins to be heard, or nobody may hold playback any more."""
        self._held_at_ms = None
        self._run_ms = 0.0
        self._told = ""

    def forgive(self) -> None:
        """The caller has said something: what held no words before is forgotten."""
        self._false = 0

    def hold(self, now_ms: float) -> Ruling:
        """The assistant begins while the caller speaks."""
        self._held_at_ms = self._last_speech_ms = now_ms
        return Ruling.HOLD

    def hear_speech(self, now_ms: float) -> Ruling:
        """Another 20 ms of speech, by the local detector."""
        if now_ms - self._last_speech_ms > BREAK_MS:
            self._run_ms = 0.0
            self._ignored = False
        self._run_ms += FRAME_MS
        self._last_speech_ms = now_ms
        if self.held:
            return self.check(now_ms)
        if self._takes_floor(self._told):  # few words that go on and on
            return self._stop()
        patience_ms = self._hold_after_ms * (1 + self._false)
        if 0 < patience_ms <= self._run_ms and not self._ignored and self._false < MOST_FALSE:
            self._held_at_ms = now_ms
            return Ruling.HOLD
        return Ruling.NONE

    def check(self, now_ms: float) -> Ruling:
        """Time has passed."""
        if self._held_at_ms is None:
            return Ruling.NONE
        quiet_ms = now_ms - self._last_speech_ms
        if self._told and self._takes_floor(self._told):
            return self._stop()
        enough_ms = BACKCHANNEL_QUIET_MS if self._told and not self._words_in(self._told) else WORDS_LATE_MS
        if quiet_ms >= enough_ms or now_ms - self._held_at_ms >= HOLD_MS:
            return self._go_on()
        return Ruling.NONE

    def hear_words(self, text: str, voiced_ms: float, now_ms: float) -> Ruling:
        """The utterance's words so far; ``voiced_ms``: when voice was last heard, by the first detector alone."""
        if now_ms - voiced_ms > AGREE_MS:
            return Ruling.NONE
        self._told = text
        return self._stop() if self._takes_floor(text) else Ruling.NONE

    def end_of_words(self) -> Ruling:
        """The utterance is over and has not stopped playback."""
        self._told = ""
        return self._go_on() if self.held else Ruling.NONE

    def is_backchannel(self, text: str) -> bool:
        """Whether it asks for nothing."""
        return self._words_in(text) == 0

    def _words_in(self, text: str) -> int:
        return self._backchannels.others_in(text)

    def _takes_floor(self, text: str) -> bool:
        words = self._words_in(text) if text else 0
        return words >= self._min_words or (words > 0 and self._run_ms >= self._min_ms)

    def _stop(self) -> Ruling:
        self._held_at_ms = None
        self._false = 0
        self._told = ""
        return Ruling.STOP

    def _go_on(self) -> Ruling:
        self._held_at_ms = None
        self._false += 1
        self._run_ms = 0.0
        self._ignored = True
        return Ruling.GO_ON
