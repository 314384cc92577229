"""Turn-taking: what the recogniser and the voice detector heard, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.backchannels import Backchannels, only_greets
from core.endpointing import ANSWERS, Expected, patience_ms
from core.interruptions import FRAME_MS, Interruptions, Ruling
from core.keypad import Keyed, Keypad


@dataclass(frozen=True)
class TurnTaking:
    """When the gateway takes a turn for ended and speech for an interruption. From the playbook."""

    recogniser: str = "flux"  # "flux" | "nova-3" | "gladia"; another one where it does not hear the language
    language: str = "en"
    languages: tuple[str, ...] = ()  # others that may be spoken too; () or one: only ``language``
    end_of_turn_threshold: float = 0.7  # Flux: eot_threshold
    end_of_turn_timeout_ms: int = 5_000  # Flux: eot_timeout_ms
    eager_end_of_turn_threshold: float | None = None  # Flux: eager_eot_threshold; None: nothing is made ahead
    endpointing_ms: int = 300  # nova-3: silence that makes speech_final
    interruptible: bool = True
    barge_in_min_words: int = 1  # words of the recogniser before playback stops, backchannels not counted ..
    barge_in_min_ms: int = 700  # .. or speech so long with at least one such word in it
    barge_in_hold_ms: int = 120  # speech so long holds playback until its words are known; 0: words only
    protected_opening_ms: int = 0  # of the first reply on a stream: nothing interrupts it
    backchannels: tuple[str, ...] = ()  # beside those of the language (core.backchannels)
    expects: str = "open"  # the kind of answer, where a step does not say (core.endpointing.ANSWERS)
    longest_pause_ms: int = 2_500  # quiet after words for so long ends the turn, whatever the recogniser says
    silence_after_ms: int = 10_000  # nobody speaks for so long: the gateway says so
    keyterms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listen:
    """How to listen to the caller's answer to one reply; it comes with the reply and holds until the next."""

    answer: str = "open"  # the kind of answer that is expected (core.endpointing.ANSWERS)
    digits: int = 0  # how many, of a number; 0: not known
    pause_ms: int = 0  # how much longer than usual the caller's pauses may be
    language: str = ""  # "": as before
    keypad: Keypad = Keypad()  # what the caller may press
    quiet_ms: int = 0  # how much longer than usual the caller may be silent
    more: bool = False  # it is a filler: the answer is still to come
    interruptible: bool = True
    protected: int = 0  # so many sentences at the reply's beginning are not


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
    languages: tuple[str, ...] = ()  # as in EndOfTurn


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The eager end was wrong: the caller goes on."""


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """The turn is over."""

    text: str
    confidence: float
    languages: tuple[str, ...] = ()  # that were heard, the most spoken first; () if the recogniser cannot tell


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
    unended: bool = False  # the recogniser has not told its end: the words are the last that it took them for
    languages: tuple[str, ...] = ()  # as in EndOfTurn


@dataclass(frozen=True, slots=True)
class MayBargeIn:
    """Speech over the assistant, of which it is not known yet what it is: be silent at once, keep the rest."""


@dataclass(frozen=True, slots=True)
class FalseInterruption:
    """It was none: go on from the very sample."""


@dataclass(frozen=True, slots=True)
class TurnLikelyEnded:
    """The caller has probably left the floor: an answer to these words may be made, and kept back."""

    text: str
    confidence: float
    speech_ended_ms: float
    words: int
    languages: tuple[str, ...] = ()  # as in EndOfTurn


@dataclass(frozen=True, slots=True)
class TurnGoesOn:
    """The caller has not left the floor: what was made for a turn that had likely ended is worth nothing."""


@dataclass(frozen=True, slots=True)
class BargedIn:
    """The caller has taken the floor while the assistant was speaking: stop at once."""


@dataclass(frozen=True, slots=True)
class CallerWithdrew:
    """The caller's speech that had stopped the assistant came to nothing: no turn will follow."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody has spoken for ``TurnTaking.silence_after_ms``."""


TurnEvent = (
    TurnEnded | TurnLikelyEnded | TurnGoesOn | MayBargeIn | FalseInterruption | BargedIn | CallerWithdrew | Silence
)

VOICE_HANGOVER_MS = 120.0  # WebRTC's detector (mode 2, 20 ms) still calls five to six frames after speech voiced
VOICE_TAIL_MS = 700.0  # sound so recent may be words that the recogniser has yet to report
UNSURE = 0.0  # confidence of words whose end the recogniser did not tell: they are looked at again
NOISY_END_MS = 6_000.0  # without a new word, though there is sound
NEVER = float("inf")
VOICE_NOW_MS = 200.0  # voice so recent is still going on
ANSWER_OVERLAP_MS = 1_000.0  # "okay" so shortly before the assistant has finished is an answer, sooner a backchannel
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
        self.protected = False  # the driver's word: what is being heard may not be interrupted
        self.talk_over_ms = 0.0  # speech while the assistant was heard
        self.talk_overs = 0
        self._opening_over_ms: float | None = None
        self._assistant_due = True  # the greeting
        self._caller_holds_floor = False  # from a barge-in to the end of that turn
        self._utterance = False
        self._words = ""  # of the utterance, so far
        self._words_at_ms = NEVER  # when they last changed
        self._taken = 0  # words of the recogniser's utterance that were a turn before it told the end
        self._held: list[TurnEnded] = []  # turns that wait for the end of playback, or of the caller's pause
        self._release_ms = NEVER  # when the caller's pause is an end
        self._last_voice_ms = -VOICE_TAIL_MS
        self._first_voice_ms: float | None = None  # of the utterance
        self._quiet_since_ms = now_ms
        self._silence_due_ms = 0.0
        self._last_speech_ms = -VOICE_TAIL_MS
        self.listen = Listen()
        self._interruptions = Interruptions(*_interrupted_by(rules))
        self._set_silence()

    @property
    def assistant_speaks(self) -> bool:
        """Whether the assistant is heard, or held: the caller's voice is to be looked at twice."""
        return self._playing

    @property
    def speech_under_way(self) -> bool:
        """Whether the recogniser is in the middle of an utterance."""
        return self._utterance

    @property
    def quiet(self) -> bool:
        """Whether the assistant is not heard, and no words of the caller wait for the end of playback."""
        return not self._playing and not self._held

    @property
    def quiet_since_ms(self) -> float | None:
        """Since when nobody has said anything; None: somebody speaks."""
        return None if self._playing or self._utterance or self._caller_holds_floor else self._quiet_since_ms

    @property
    def caller_holds_floor(self) -> bool:
        """From a barge-in until that turn has ended: nothing may be played."""
        return self._caller_holds_floor

    def voiced_since(self, at_ms: float) -> bool:
        """Whether the caller's line has sounded like speech since then."""
        return self._last_voice_ms > at_ms

    def follow(self, rules: TurnTaking) -> None:
        """Go by these rules from now on."""
        self.rules = rules
        self._interruptions.heed(*_interrupted_by(rules))
        self._set_silence()

    def hear_frame(self, voiced: bool, now_ms: float, *, speech: bool = False) -> Sequence[TurnEvent]:
        """The next 20 ms of the caller's line. The hot path: 50 times a second in every call.

        ``speech``: a second, better detector agrees that it is; asked only while the assistant speaks.
        """
        if voiced:
            self._last_voice_ms = now_ms
            if self._first_voice_ms is None:
                self._first_voice_ms = now_ms
        if self._playing and (speech or self._interruptions.held):
            return self._hear_over_assistant(speech, now_ms)
        if now_ms >= self._release_ms or now_ms >= self._words_at_ms + self.rules.longest_pause_ms:
            return self._check_pause(now_ms)
        return self._check_silence(now_ms) if now_ms >= self._silence_due_ms else ()

    def interruptible(self, now_ms: float) -> bool:
        """Whether the caller may cut off what they are hearing."""
        opening = self._opening_over_ms is not None and now_ms < self._opening_over_ms
        return self.rules.interruptible and self.listen.interruptible and not self.protected and not opening

    def hear_recogniser(self, event: RecogniserEvent, now_ms: float) -> list[TurnEvent]:
        """What the recogniser made of the audio so far."""
        match event:
            case SpeechStarted():
                self._utterance = True
                return []
            case Interim(text) | EagerEndOfTurn(text):
                return self._hear_words(self._new_words(text), now_ms)
            case EndOfTurn(text, confidence, languages):
                text, self._taken = self._new_words(text), 0
                return self._end_utterance(text, confidence, now_ms, languages)
            case RecogniserLost():
                self._forget_utterance()
                self._taken = 0
                if self._held and not self._playing:  # nobody may ever tell the end that they wait for
                    self._release_ms = now_ms + self.rules.longest_pause_ms
        return []

    def set_playing(self, playing: bool, now_ms: float) -> list[TurnEvent]:
        """Whether the assistant is being heard from now on."""
        if playing == self._playing:
            return []
        self._playing = playing
        self._interruptions.begin()
        if playing:
            self._assistant_due = False
            if self._opening_over_ms is None:
                self._opening_over_ms = now_ms + self.rules.protected_opening_ms
            return self._begin_over_caller(now_ms)
        self._drop_backchannels(now_ms)
        self._be_quiet_from(now_ms)
        return self._settle(now_ms) if self._held else []

    def turn_was_keyed(self, now_ms: float) -> None:
        """The caller has keyed a turn in: the assistant is due to speak."""
        self._assistant_due = True
        self._be_quiet_from(now_ms)

    def _hear_words(self, text: str, now_ms: float) -> list[TurnEvent]:
        if not text:
            return []
        self._utterance = True
        if text != self._words:
            self._words, self._words_at_ms = text, now_ms
        self._be_quiet_from(now_ms)
        return self._barge_in(text, now_ms)

    def _barge_in(self, text: str, now_ms: float) -> list[TurnEvent]:
        if not (self._playing and self.interruptible(now_ms)):
            return []
        return self._obey(self._interruptions.hear_words(text, self._last_voice_ms, now_ms))

    def _begin_over_caller(self, now_ms: float) -> list[TurnEvent]:
        """The assistant begins while the caller speaks: it shall not talk over them."""
        if not (self._utterance and now_ms - self._last_voice_ms <= VOICE_NOW_MS and self.interruptible(now_ms)):
            return []
        return self._barge_in(self._words, now_ms) or self._obey(self._interruptions.hold(now_ms))

    def _hear_over_assistant(self, speech: bool, now_ms: float) -> list[TurnEvent]:
        if speech and not self._interruptions.held:
            if now_ms - self._last_speech_ms > VOICE_NOW_MS:
                self.talk_overs += 1
            self._last_speech_ms = now_ms
            self.talk_over_ms += FRAME_MS
        if not self.interruptible(now_ms):
            return []
        hear = self._interruptions.hear_speech if speech else self._interruptions.check
        return self._obey(hear(now_ms))

    def _obey(self, ruling: Ruling) -> list[TurnEvent]:
        match ruling:
            case Ruling.HOLD:
                return [MayBargeIn()]
            case Ruling.GO_ON:
                return [FalseInterruption()]
            case Ruling.STOP:
                self._playing = False  # the driver clears at once
                self._caller_holds_floor = True
                return [BargedIn()]
        return []

    def _new_words(self, text: str) -> str:
        return " ".join(text.split()[self._taken :])

    def _forget_utterance(self) -> None:
        self._utterance, self._words, self._words_at_ms = False, "", NEVER

    def _end_utterance(
        self, text: str, confidence: float, now_ms: float, languages: tuple[str, ...] = (), *, unended: bool = False
    ) -> list[TurnEvent]:
        events = self._barge_in(text, now_ms) if text else []
        if self._playing:
            events += self._obey(self._interruptions.end_of_words())
        self._forget_utterance()
        speech_ended_ms = self.speech_ended_ms(now_ms)
        self._first_voice_ms = None
        self._be_quiet_from(now_ms)
        if text:
            words = len(text.split())
            self._held.append(TurnEnded(text, confidence, speech_ended_ms, words, unended=unended, languages=languages))
        if not self._playing:
            events += self._settle(now_ms)
        return events

    def _settle(self, now_ms: float) -> list[TurnEvent]:
        """Nobody speaks: what was said is a turn, or the caller is given time for more of it."""
        if not self._held:
            return self._withdraw()
        said = " ".join(turn.text for turn in self._held)
        due_ms = self._held[-1].speech_ended_ms + patience_ms(said, self._expected())
        if due_ms <= now_ms:
            return self._release_held()
        self._release_ms = due_ms
        return []

    def _expected(self) -> Expected:
        listen = self.listen
        return Expected(listen.answer, listen.digits, listen.pause_ms, listen.language or self.rules.language)

    def _check_pause(self, now_ms: float) -> list[TurnEvent]:
        """A pause has lasted: it was the end, unless the caller has just begun to speak again."""
        sounding_ms = now_ms - self._last_voice_ms
        if now_ms >= self._words_at_ms + self.rules.longest_pause_ms:
            if sounding_ms < self.rules.longest_pause_ms and now_ms < self._words_at_ms + NOISY_END_MS:
                return []
            words = self._words
            self._taken += len(words.split())
            return self._end_utterance(words, UNSURE, now_ms, unended=True)
        if self._utterance:
            return []  # its end settles the matter
        if sounding_ms < VOICE_NOW_MS and now_ms < self._release_ms + VOICE_TAIL_MS:
            return []
        return [] if self._playing else self._release_held()

    def speech_ended_ms(self, now_ms: float) -> float:
        """When the caller's voice was last heard in the utterance under way."""
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
        self._release_ms = NEVER
        self._interruptions.forgive()
        self._caller_holds_floor = False
        self._assistant_due = True
        self._set_silence()
        return [
            TurnEnded(
                " ".join(turn.text for turn in held),
                min(turn.confidence for turn in held),
                held[-1].speech_ended_ms,
                sum(turn.words for turn in held),
                unended=any(turn.unended for turn in held),
                languages=tuple(dict.fromkeys(language for turn in held for language in turn.languages)),
            )
        ]

    def _drop_backchannels(self, now_ms: float) -> None:
        """What only showed that the caller listens asks for nothing; shortly before the end it is an answer.

        Nor does a "hello?" over a line that begins with what is protected: they hear us.
        """
        wants_nothing = self._only_greets if self.listen.protected else self._interruptions.is_backchannel
        if self._held and all(wants_nothing(turn.text) for turn in self._held):
            self._held = [turn for turn in self._held if now_ms - turn.speech_ended_ms <= ANSWER_OVERLAP_MS]

    def _only_greets(self, text: str) -> bool:
        return self._interruptions.is_backchannel(text) or only_greets(text, self.rules.language)

    def _be_quiet_from(self, now_ms: float) -> None:
        self._quiet_since_ms = now_ms
        self._set_silence()

    def _set_silence(self) -> None:
        patience_ms = REPLY_PATIENCE_MS if self._assistant_due else 0.0
        self._silence_due_ms = self._quiet_since_ms + self.rules.silence_after_ms + self.listen.quiet_ms + patience_ms

    def _check_silence(self, now_ms: float) -> Sequence[TurnEvent]:
        if self._playing:
            return ()
        sounding = now_ms - self._last_voice_ms < VOICE_TAIL_MS
        if sounding and now_ms < self._silence_due_ms + self.rules.silence_after_ms:  # longer than that: only noise
            return ()
        self._forget_utterance()
        self._caller_holds_floor = False
        self._be_quiet_from(now_ms)
        return (Silence(),)


def tuned(rules: TurnTaking, answer: str) -> TurnTaking:
    """The rules for a recogniser that decides turns by itself, while this kind of answer is expected."""
    kind = ANSWERS[answer]
    threshold = rules.end_of_turn_threshold if kind.threshold is None else kind.threshold
    eager = rules.eager_end_of_turn_threshold
    return replace(
        rules,
        end_of_turn_threshold=threshold,
        eager_end_of_turn_threshold=None if eager is None else min(eager, threshold),
        end_of_turn_timeout_ms=min(rules.end_of_turn_timeout_ms, kind.timeout_ms or rules.end_of_turn_timeout_ms),
    )


def _interrupted_by(rules: TurnTaking) -> tuple[int, int, int, Backchannels]:
    backchannels = Backchannels(rules.language, rules.backchannels)
    return rules.barge_in_hold_ms, rules.barge_in_min_words, rules.barge_in_min_ms, backchannels
