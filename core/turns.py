"""Turn-taking: what the recogniser and the voice detector heard, and what follows from it."""

from dataclasses import dataclass

from core.keypad import Keyed, Keypad


@dataclass(frozen=True)
class TurnTaking:
    """When the gateway takes a turn for ended and speech for an interruption. From the playbook."""

    recogniser: str = "flux"  # "flux" | "nova-3"
    language: str = "en"
    end_of_turn_threshold: float = 0.7  # Flux: eot_threshold
    end_of_turn_timeout_ms: int = 5_000  # Flux: eot_timeout_ms
    endpointing_ms: int = 300  # nova-3: silence that makes speech_final
    interruptible: bool = True
    barge_in_min_words: int = 1  # words of the recogniser before playback stops
    silence_after_ms: int = 10_000  # nobody speaks for so long: the gateway says so
    keyterms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listen:
    """How to listen to the caller's answer to one reply; it comes with the reply and holds until the next."""

    answer: str = "open"  # the kind of answer that is expected
    pause_ms: int = 0  # how much longer than usual the caller's pauses may be
    language: str = ""  # "": as before
    keypad: Keypad = Keypad()  # what the caller may press


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The recogniser hears the caller begin to speak."""


@dataclass(frozen=True, slots=True)
class Interim:
    """The turn's text so far; replaces what came before, may change."""

    text: str


@dataclass(frozen=True, slots=True)
class EagerEndOfTurn:
    """The turn is probably over (Flux with eager_eot_threshold only)."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The eager end was wrong: the caller goes on."""


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """The turn is over."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class RecogniserLost:
    """The stream broke; no further event comes."""

    reason: str


RecogniserEvent = SpeechStarted | Interim | EagerEndOfTurn | TurnResumed | EndOfTurn | RecogniserLost


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller has said something and left the floor."""

    text: str
    confidence: float
    speech_ended_ms: float  # the last voiced frame, less the detector's hangover
    words: int
    keyed: Keyed | None = None  # it was keyed in, not spoken


@dataclass(frozen=True, slots=True)
class BargedIn:
    """The caller has taken the floor while the assistant was speaking: stop at once."""


@dataclass(frozen=True, slots=True)
class CallerWithdrew:
    """The caller's speech that had stopped the assistant came to nothing: no turn will follow."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody has spoken for ``TurnTaking.silence_after_ms``."""


TurnEvent = TurnEnded | BargedIn | CallerWithdrew | Silence

VOICE_HANGOVER_MS = 100.0  # WebRTC's detector (mode 2, 20 ms) still calls five frames after speech voiced
VOICE_TAIL_MS = 700.0  # sound so recent may be words that the recogniser has yet to report
REPLY_PATIENCE_MS = 15_000.0  # on top, while the assistant is due to speak: its deadlines are the workflow's matter


class TurnDetector:
    """Decides when a caller's turn has ended, when the caller interrupts, and when nobody speaks.

    Times are ms on the stream's clock. Feed every frame's voice activity, every recogniser event, and whether the
    assistant is heard. Words that did not interrupt (too few, or the line is not interruptible) become a turn once
    the assistant has finished: nothing that was said is lost.
    """

    def __init__(self, rules: TurnTaking, now_ms: float) -> None:
        self.rules = rules
        self._playing = False
        self._assistant_due = True  # the greeting
        self._caller_holds_floor = False  # from a barge-in to the end of that turn
        self._utterance = False
        self._held: list[TurnEnded] = []  # turns that wait for the end of playback
        self._last_voice_ms = -VOICE_TAIL_MS
        self._first_voice_ms: float | None = None  # of the utterance
        self._quiet_since_ms = now_ms
        self._silence_due_ms = 0.0
        self.listen = Listen()
        self._set_silence()

    @property
    def speech_under_way(self) -> bool:
        """Whether the recogniser is in the middle of an utterance."""
        return self._utterance

    @property
    def caller_holds_floor(self) -> bool:
        """From a barge-in until that turn has ended: nothing may be played."""
        return self._caller_holds_floor

    def follow(self, rules: TurnTaking) -> None:
        """Go by these rules from now on."""
        self.rules = rules
        self._set_silence()

    def hear_frame(self, voiced: bool, now_ms: float) -> Silence | None:
        """The next 20 ms of the caller's line. The hot path: 50 times a second in every call."""
        if voiced:
            self._last_voice_ms = now_ms
            if self._first_voice_ms is None:
                self._first_voice_ms = now_ms
        return self._check_silence(now_ms) if now_ms >= self._silence_due_ms else None

    def hear_recogniser(self, event: RecogniserEvent, now_ms: float) -> list[TurnEvent]:
        """What the recogniser made of the audio so far."""
        match event:
            case SpeechStarted():
                self._utterance = True
                return []
            case Interim(text) | EagerEndOfTurn(text, _):
                return self._hear_words(text, now_ms)
            case EndOfTurn(text, confidence):
                return self._end_utterance(text.strip(), confidence, now_ms)
            case RecogniserLost():
                self._utterance = False
        return []

    def set_playing(self, playing: bool, now_ms: float) -> list[TurnEvent]:
        """Whether the assistant is being heard from now on."""
        if playing == self._playing:
            return []
        self._playing = playing
        if playing:
            self._assistant_due = False
            return []
        self._be_quiet_from(now_ms)
        return self._release_held()

    def turn_was_keyed(self, now_ms: float) -> None:
        """The caller has keyed a turn in: the assistant is due to speak."""
        self._assistant_due = True
        self._be_quiet_from(now_ms)

    def _hear_words(self, text: str, now_ms: float) -> list[TurnEvent]:
        if not text.strip():
            return []
        self._utterance = True
        self._be_quiet_from(now_ms)
        return self._barge_in(text)

    def _barge_in(self, text: str) -> list[TurnEvent]:
        enough = len(text.split()) >= self.rules.barge_in_min_words
        if not (self._playing and self.rules.interruptible and enough):
            return []
        self._playing = False  # the driver clears at once
        self._caller_holds_floor = True
        return [BargedIn()]

    def _end_utterance(self, text: str, confidence: float, now_ms: float) -> list[TurnEvent]:
        events = self._barge_in(text) if text else []
        self._utterance = False
        speech_ended_ms = self._speech_ended_ms(now_ms)
        self._first_voice_ms = None
        self._be_quiet_from(now_ms)
        if text:
            self._held.append(TurnEnded(text, confidence, speech_ended_ms, len(text.split())))
        if not self._playing:
            events += self._release_held() or self._withdraw()
        return events

    def _speech_ended_ms(self, now_ms: float) -> float:
        if self._first_voice_ms is None:
            return now_ms
        return max(self._first_voice_ms, self._last_voice_ms - VOICE_HANGOVER_MS)

    def _withdraw(self) -> list[TurnEvent]:
        if not self._caller_holds_floor:
            return []
        self._caller_holds_floor = False
        return [CallerWithdrew()]

    def _release_held(self) -> list[TurnEvent]:
        if not self._held:
            return []
        held, self._held = self._held, []
        self._caller_holds_floor = False
        self._assistant_due = True
        self._set_silence()
        return [
            TurnEnded(
                " ".join(turn.text for turn in held),
                min(turn.confidence for turn in held),
                held[-1].speech_ended_ms,
                sum(turn.words for turn in held),
            )
        ]

    def _be_quiet_from(self, now_ms: float) -> None:
        self._quiet_since_ms = now_ms
        self._set_silence()

    def _set_silence(self) -> None:
        patience_ms = REPLY_PATIENCE_MS if self._assistant_due else 0.0
        self._silence_due_ms = self._quiet_since_ms + self.rules.silence_after_ms + patience_ms

    def _check_silence(self, now_ms: float) -> Silence | None:
        if self._playing:
            return None
        sounding = now_ms - self._last_voice_ms < VOICE_TAIL_MS
        if sounding and now_ms < self._silence_due_ms + self.rules.silence_after_ms:  # longer than that: only noise
            return None
        self._utterance = self._caller_holds_floor = False
        self._be_quiet_from(now_ms)
        return Silence()
