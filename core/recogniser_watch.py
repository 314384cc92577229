"""Whether a recogniser hears what the voice detector hears, and what to doubt where it does not."""

from enum import StrEnum
from typing import Final

from core.turns import EagerEndOfTurn, EndOfTurn, Interim, RecogniserEvent, SpeechStarted, TurnResumed, TurnTaking

SPEECH_MS: Final = 200.0  # of voice: less is a click, or the voice detector's hangover
MUTE_MS: Final = 1_200.0  # from the first voice: a recogniser that hears it has said something by then
REOPENED_MS: Final = 700.0  # the same for a stream that has just been given the whole utterance
STUCK_MS: Final = 2_500.0  # the same within an utterance, where a held sound brings no news for a while
UNENDED_MS: Final = 1_200.0  # of quiet after words: most turns have ended by then
ENDLESS_MS: Final = 1_600.0  # of quiet after what sounds like a whole sentence: this one will not end by itself
GRACE_MS: Final = 500.0  # on top of the rules' own timeout
OVER_MS: Final = 700.0  # of quiet: without a recogniser an utterance is over then
LOOK_EVERY_MS: Final = 100.0
FIRST_REST_MS: Final = 3_000.0  # after a doubt that came to nothing; doubled each time, up to the longest
LONGEST_REST_MS: Final = 30_000.0
AGAIN_MS: Final = 1_000.0  # until a doubt that could not be settled is told again
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")


class Doubt(StrEnum):
    """What may be wrong."""

    MUTE = "mute"  # somebody speaks, and the recogniser says nothing
    UNENDED = "unended"  # somebody has stopped speaking, and the turn goes on: are there words that were not told?
    ENDLESS = "endless"  # the turn will not end by itself
    UNHEARD = "unheard"  # somebody has spoken while there was no recogniser


QUIET_MS: Final = 500.0  # after the last voice nobody is speaking any more
AT_EASE_MS: Final = 160  # then
IN_SPEECH_MS: Final = 80  # within an utterance that the recogniser has noticed


class RecogniserWatch:
    """Times are ms on the stream's clock. Feed every frame's voice activity and every event of the recogniser.

    A doubt is told once; ``dismiss`` when it came to nothing, and it is not told again for a while.
    """

    def __init__(self) -> None:
        self.text = ""  # of the open utterance, as the recogniser told it
        self.utterance = 0  # rises with each that ends
        self._rules = TurnTaking()
        self._up = False
        self._open = False
        self._onset_ms: float | None = None  # the first voice since the last event
        self._voiced_ms = 0.0  # voice since then
        self._last_voice_ms = float("-inf")
        self._now_ms = 0.0
        self._look_ms = 0.0  # when to look again
        self._not_before_ms = 0.0  # a doubt
        self._rest_ms = FIRST_REST_MS
        self._asked = False  # whether the open utterance's end was doubted already

    def follow(self, rules: TurnTaking) -> None:
        """Go by these rules from now on."""
        self._rules = rules

    def opened(self) -> None:
        """A stream is open and hears again what was said of the utterance under way."""
        self._up, self._open, self.text, self._asked = True, False, "", False
        if self._onset_ms is not None:
            self._onset_ms = self._now_ms - MUTE_MS + REOPENED_MS

    def lost(self) -> None:
        """There is no stream."""
        self._up = False

    @property
    def may_wait_ms(self) -> int:
        """How much sound may be gathered before the recogniser hears it: what it times are first words and ends."""
        since_ms = self._now_ms - self._last_voice_ms
        if self._open:
            return 0 if since_ms else IN_SPEECH_MS
        return AT_EASE_MS if since_ms >= QUIET_MS else 0

    @property
    def quiet_ms(self) -> float:
        """Since somebody spoke."""
        return self._now_ms - self._last_voice_ms

    def hear_event(self, event: RecogniserEvent) -> None:
        """What the recogniser made of the audio so far."""
        match event:
            case SpeechStarted():
                self._open = True
            case Interim(text) | EagerEndOfTurn(text, _):
                self._open, self.text = True, text
            case TurnResumed():
                self._open = True
            case EndOfTurn():
                self.end_utterance()
        self._onset_ms, self._voiced_ms, self._asked = None, 0.0, False
        self._not_before_ms, self._rest_ms = self._now_ms, FIRST_REST_MS

    def end_utterance(self) -> None:
        """It is over, whoever said so."""
        self.utterance += 1
        self._open, self.text, self._asked = False, "", False
        self._onset_ms, self._voiced_ms = None, 0.0

    def hear_frame(self, voiced: bool, now_ms: float) -> Doubt | None:
        """The next 20 ms of the caller's line. The hot path."""
        if voiced:
            self._last_voice_ms = now_ms
            self._voiced_ms += 20.0
            if self._onset_ms is None:
                self._onset_ms = now_ms
        self._now_ms = now_ms
        if now_ms < self._look_ms:
            return None
        self._look_ms = now_ms + LOOK_EVERY_MS
        return self._doubt(now_ms) if now_ms >= self._not_before_ms else None

    def dismiss(self) -> None:
        """The doubt came to nothing: what sounded like a voice was none, or the recogniser is just slow."""
        self._onset_ms, self._voiced_ms = None, 0.0
        if not self._open:
            self._not_before_ms = self._now_ms + self._rest_ms
            self._rest_ms = min(2 * self._rest_ms, LONGEST_REST_MS)

    def postpone(self) -> None:
        """Nobody knows yet."""
        self._not_before_ms = self._now_ms + AGAIN_MS

    def _doubt(self, now_ms: float) -> Doubt | None:
        quiet_ms, spoke = now_ms - self._last_voice_ms, self._voiced_ms >= SPEECH_MS
        if not self._up:
            return Doubt.UNHEARD if spoke and quiet_ms >= OVER_MS else None
        if self._open and quiet_ms >= self._patience_ms:
            return Doubt.ENDLESS
        if self._open and quiet_ms >= UNENDED_MS and not self._asked:
            self._asked = True
            return Doubt.UNENDED
        if self._onset_ms is None or not spoke:
            return None
        return Doubt.MUTE if now_ms - self._onset_ms >= (STUCK_MS if self._open else MUTE_MS) else None

    @property
    def _patience_ms(self) -> float:
        """How long a turn may stay open in silence."""
        finished = self.text.rstrip("\"')]»”’").endswith(_SENTENCE_ENDS)
        longest = self._rules.end_of_turn_timeout_ms + GRACE_MS
        return min(ENDLESS_MS, longest) if finished else longest
