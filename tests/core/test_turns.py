"""When a turn has ended, when the caller interrupts, and when nobody speaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.endpointing import UNFINISHED_MS
from core.turns import (
    REPLY_PATIENCE_MS,
    VOICE_HANGOVER_MS,
    BargedIn,
    CallerWithdrew,
    EagerEndOfTurn,
    EndOfTurn,
    Interim,
    Listen,
    RecogniserEvent,
    RecogniserLost,
    Silence,
    SpeechStarted,
    TurnDetector,
    TurnEnded,
    TurnEvent,
    TurnResumed,
    TurnTaking,
)

RULES = TurnTaking(silence_after_ms=5_000)


def detector(rules: TurnTaking = RULES) -> TurnDetector:
    """One whose assistant has greeted and is quiet."""
    detector = TurnDetector(rules, 0)
    detector.set_playing(True, 0)
    detector.set_playing(False, 1_000)
    return detector


def over_the_assistant(rules: TurnTaking = RULES) -> TurnDetector:
    """One whose assistant speaks from 2 000 ms on; at 2 400 ms somebody makes a sound."""
    caller = detector(rules)
    caller.set_playing(True, 2_000)
    caller.hear_frame(True, 2_400)
    return caller


def first_silence(detector: TurnDetector, from_ms: int, until_ms: int, voiced: bool = False) -> int | None:
    for now_ms in range(from_ms, until_ms, 20):
        if Silence() in detector.hear_frame(voiced, now_ms):
            return now_ms
    return None


def test_a_turn_carries_its_words_and_when_speech_really_ended() -> None:
    caller = detector()
    caller.hear_recogniser(SpeechStarted(), 2_000)
    caller.hear_frame(True, 2_000)
    caller.hear_frame(True, 2_900)
    caller.hear_frame(False, 2_920)
    assert caller.hear_recogniser(EndOfTurn("my order is late", 0.9), 3_300) == [
        TurnEnded("my order is late", 0.9, speech_ended_ms=2_900 - VOICE_HANGOVER_MS, words=4)
    ]


def test_speech_never_ends_before_it_began() -> None:
    caller = detector()
    caller.hear_frame(True, 2_900)
    (turn,) = caller.hear_recogniser(EndOfTurn("hm", 0.9), 3_300)
    assert isinstance(turn, TurnEnded)
    assert turn.speech_ended_ms == 2_900


def test_an_utterance_without_a_voiced_frame_ended_when_it_was_decided() -> None:
    assert detector().hear_recogniser(EndOfTurn("hm", 0.4), 3_300) == [TurnEnded("hm", 0.4, 3_300, 1)]


@pytest.mark.parametrize("text", ["", "  "])
def test_there_is_no_turn_without_words(text: str) -> None:
    assert detector().hear_recogniser(EndOfTurn(text, 0.9), 2_000) == []


def test_words_over_the_assistant_interrupt_it_once() -> None:
    caller = over_the_assistant()
    assert caller.hear_recogniser(SpeechStarted(), 2_500) == []
    assert caller.hear_recogniser(Interim("no"), 2_700) == [BargedIn()]
    assert caller.hear_recogniser(Interim("no wait"), 2_900) == []
    assert caller.caller_holds_floor
    assert caller.hear_recogniser(EndOfTurn("no wait", 0.8), 3_500) == [TurnEnded("no wait", 0.8, 2_400, 2)]
    assert not caller.caller_holds_floor


def test_too_few_words_do_not_interrupt_but_become_a_turn_afterwards() -> None:
    caller = over_the_assistant(TurnTaking(barge_in_min_words=3))
    assert caller.hear_recogniser(Interim("hold on"), 2_500) == []
    assert caller.hear_recogniser(EndOfTurn("hold on", 0.7), 3_000) == []
    assert caller.set_playing(False, 6_000) == [TurnEnded("hold on", 0.7, 2_400, 2)]


def test_a_line_that_may_not_be_interrupted_is_not_and_nothing_said_meanwhile_is_lost() -> None:
    caller = over_the_assistant(TurnTaking(interruptible=False))
    assert caller.hear_recogniser(Interim("stop it right now"), 2_500) == []
    assert caller.hear_recogniser(EndOfTurn("stop it right now", 0.9), 3_000) == []
    assert caller.hear_recogniser(EndOfTurn("please", 0.6), 4_000) == []
    assert caller.set_playing(False, 6_000) == [TurnEnded("stop it right now please", 0.6, 4_000, 5)]


def test_a_turn_that_ends_over_the_assistant_interrupts_it_even_without_interims() -> None:
    caller = over_the_assistant()
    assert caller.hear_recogniser(EndOfTurn("no", 0.9), 2_500) == [BargedIn(), TurnEnded("no", 0.9, 2_400, 1)]


def test_an_interruption_that_comes_to_nothing_gives_the_floor_back() -> None:
    caller = over_the_assistant()
    caller.hear_recogniser(Interim("well"), 2_500)
    assert caller.hear_recogniser(EndOfTurn("", 0.1), 3_000) == [CallerWithdrew()]
    assert not caller.caller_holds_floor


def test_eager_ends_and_resumptions_are_words_but_no_turns() -> None:
    caller = over_the_assistant()
    assert caller.hear_recogniser(EagerEndOfTurn("hold on", 0.5), 2_500) == [BargedIn()]
    assert caller.hear_recogniser(TurnResumed(), 2_600) == []


def test_silence_counts_from_the_end_of_playback() -> None:
    caller = detector()
    assert first_silence(caller, 1_000, 20_000) == 6_000


def test_silence_counts_from_the_last_words_and_is_told_again_after_as_long() -> None:
    caller = detector(TurnTaking(silence_after_ms=5_000, longest_pause_ms=20_000))
    caller.hear_recogniser(Interim("I"), 3_000)
    assert first_silence(caller, 3_000, 20_000) == 8_000
    assert first_silence(caller, 8_020, 20_000) == 13_000


def test_nobody_is_silent_while_the_assistant_speaks() -> None:
    caller = detector()
    caller.set_playing(True, 1_500)
    assert first_silence(caller, 1_500, 60_000) is None


def test_an_assistant_due_to_speak_is_given_its_time() -> None:
    caller = detector()
    caller.hear_recogniser(EndOfTurn("where is my order", 0.9), 2_000)
    assert first_silence(caller, 2_000, 60_000) == 2_000 + 5_000 + REPLY_PATIENCE_MS


def test_fresh_sound_puts_silence_off_but_noise_alone_does_not_do_so_for_ever() -> None:
    caller = detector()
    assert first_silence(caller, 1_000, 60_000, voiced=True) == 11_000


def test_a_lost_recogniser_leaves_no_utterance_open() -> None:
    caller = detector()
    caller.hear_recogniser(Interim("I would like"), 2_000)
    assert caller.speech_under_way
    caller.hear_recogniser(RecogniserLost("gone"), 2_100)
    assert not caller.speech_under_way


def quiet_until_turn(detector: TurnDetector, from_ms: int, until_ms: int) -> tuple[int, TurnEnded] | None:
    for now_ms in range(from_ms, until_ms, 20):
        for event in detector.hear_frame(False, now_ms):
            if isinstance(event, TurnEnded):
                return now_ms, event
    return None


def spoken(detector: TurnDetector, until_ms: int) -> TurnDetector:
    """A caller whose voice is heard until then."""
    detector.hear_frame(True, until_ms - 500)
    detector.hear_frame(True, until_ms)
    return detector


def test_words_that_ask_for_more_wait_and_become_one_turn_with_what_follows() -> None:
    caller = spoken(detector(), 2_000)
    assert caller.hear_recogniser(EndOfTurn("my number is", 0.9), 2_300) == []
    assert quiet_until_turn(caller, 2_300, 3_000) is None
    caller.hear_recogniser(SpeechStarted(), 3_000)
    assert quiet_until_turn(spoken(caller, 4_500), 4_520, 4_800) is None
    (turn,) = caller.hear_recogniser(EndOfTurn("4 5 3", 0.8), 4_800)
    assert isinstance(turn, TurnEnded)
    assert (turn.text, turn.confidence, turn.words) == ("my number is 4 5 3", 0.8, 6)
    assert turn.speech_ended_ms == 4_500 - VOICE_HANGOVER_MS


def test_a_caller_who_says_no_more_is_answered_all_the_same() -> None:
    caller = spoken(detector(), 2_000)
    caller.hear_recogniser(EndOfTurn("my number is", 0.9), 2_300)
    found = quiet_until_turn(caller, 2_320, 10_000)
    assert found is not None
    assert found[0] == 2_000 - VOICE_HANGOVER_MS + UNFINISHED_MS
    assert found[1].text == "my number is"


def test_a_voice_just_before_the_pause_is_over_is_waited_for() -> None:
    caller = spoken(detector(), 2_000)
    caller.hear_recogniser(EndOfTurn("my number is", 0.9), 2_300)
    caller.hear_frame(True, 3_390)
    assert quiet_until_turn(caller, 3_400, 3_580) is None
    caller.hear_recogniser(SpeechStarted(), 3_590)
    assert quiet_until_turn(caller, 3_600, 6_000) is None


def test_a_number_of_known_length_is_a_turn_with_its_last_digit() -> None:
    caller = spoken(detector(), 2_000)
    caller.listen = Listen("number", digits=3)
    assert caller.hear_recogniser(EndOfTurn("4 5", 0.9), 2_300) == []
    (turn,) = caller.hear_recogniser(EndOfTurn("3", 0.9), 3_300)
    assert isinstance(turn, TurnEnded)
    assert turn.text == "4 5 3"


def test_words_that_a_recogniser_never_ends_are_a_turn_after_the_longest_pause() -> None:
    caller = spoken(detector(), 2_000)
    caller.hear_recogniser(SpeechStarted(), 1_800)
    caller.hear_recogniser(Interim("where is my order"), 2_100)
    found = quiet_until_turn(caller, 2_120, 10_000)
    assert found == (4_600, TurnEnded("where is my order", 0.0, 2_000 - VOICE_HANGOVER_MS, 4, unended=True))
    assert not caller.speech_under_way
    assert caller.hear_recogniser(Interim("where is my order hello"), 6_000) == []
    (turn,) = caller.hear_recogniser(EndOfTurn("where is my order hello", 0.9), 6_500)
    assert isinstance(turn, TurnEnded)
    assert turn.text == "hello"


def test_the_late_end_of_words_that_were_a_turn_before_is_no_turn() -> None:
    caller = spoken(detector(), 2_000)
    caller.hear_recogniser(Interim("where is my order"), 2_100)
    assert quiet_until_turn(caller, 2_120, 10_000)
    assert caller.hear_recogniser(EndOfTurn("where is my order", 0.9), 6_500) == []
    (turn,) = caller.hear_recogniser(EndOfTurn("hello", 0.9), 9_500)
    assert isinstance(turn, TurnEnded)
    assert turn.text == "hello"


def test_noise_does_not_keep_words_from_becoming_a_turn() -> None:
    caller = detector()
    caller.hear_recogniser(Interim("where is my order"), 2_000)
    turns = [event for now_ms in range(2_000, 12_000, 20) for event in caller.hear_frame(True, now_ms)]
    assert [type(turn) for turn in turns] == [TurnEnded]


def test_a_long_monologue_is_one_turn() -> None:
    caller = detector()
    words: list[str] = []
    for second in range(2, 182):
        words.append(f"word{second}")
        caller.hear_recogniser(Interim(" ".join(words)), second * 1_000)
        for now_ms in range(second * 1_000, second * 1_000 + 1_000, 20):
            assert not caller.hear_frame(True, now_ms)
    (turn,) = caller.hear_recogniser(EndOfTurn(" ".join(words), 0.9), 182_400)
    assert isinstance(turn, TurnEnded)
    assert turn.words == 180


@pytest.mark.parametrize("digits", [0, 5])
def test_digits_without_end_are_one_turn_once_the_caller_stops(digits: int) -> None:
    caller = detector()
    caller.listen = Listen("number", digits)
    said: list[str] = []
    for second in range(2, 182):
        said += ["four", "seven"]
        caller.hear_recogniser(Interim(" ".join(said)), second * 1_000)
        for now_ms in range(second * 1_000, second * 1_000 + 1_000, 20):
            assert not caller.hear_frame(True, now_ms)
    events = caller.hear_recogniser(EndOfTurn(" ".join(said), 0.9), 182_400)
    turns = [event for event in events if isinstance(event, TurnEnded)]
    turns += [found[1] for found in (quiet_until_turn(caller, 182_420, 190_000),) if found]
    assert [turn.words for turn in turns] == [360]


TEXTS = st.sampled_from(["", " ", "stop", "no no", "what about my order"])
EVENTS = st.one_of(
    st.builds(SpeechStarted),
    st.builds(Interim, TEXTS),
    st.builds(EndOfTurn, TEXTS, st.floats(0, 1)),
    st.builds(EagerEndOfTurn, TEXTS, st.floats(0, 1)),
    st.builds(TurnResumed),
    st.builds(RecogniserLost, st.just("gone")),
    st.booleans(),  # playing from now on, or not
)


@given(st.lists(EVENTS, max_size=40), st.booleans(), st.integers(1, 3))
def test_no_word_is_lost_or_told_twice_and_no_interruption_comes_unasked(
    events: list[RecogniserEvent | bool], interruptible: bool, min_words: int
) -> None:
    caller = detector(TurnTaking(interruptible=interruptible, barge_in_min_words=min_words, longest_pause_ms=60_000))
    said, told, playing = [], [], False
    for number, event in enumerate(events):
        now_ms = 2_000 + 100 * number
        out: list[TurnEvent] = list(caller.hear_frame(number % 3 > 0, now_ms, speech=number % 3 > 0))
        if isinstance(event, bool):
            out += caller.set_playing(event, now_ms)
            playing = event
        else:
            out += caller.hear_recogniser(event, now_ms)
            if isinstance(event, EndOfTurn):
                said += event.text.split()
        for happened in out:
            if isinstance(happened, BargedIn):
                assert playing
                assert interruptible
                playing = False
            elif isinstance(happened, TurnEnded):
                assert happened.words == len(happened.text.split()) > 0
                told += happened.text.split()
            assert not isinstance(happened, Silence)
    caller.set_playing(True, 100_000)  # whatever was under way: the assistant has spoken, and the recogniser is done
    out = [*caller.set_playing(False, 101_000), *caller.hear_recogniser(EndOfTurn("", 0.9), 101_000)]
    told += [word for happened in out if isinstance(happened, TurnEnded) for word in happened.text.split()]
    assert told == said


def test_words_that_wait_for_the_end_of_an_utterance_are_told_though_its_recogniser_is_lost() -> None:
    caller = detector(TurnTaking(barge_in_min_words=2))
    caller.set_playing(True, 2_000)
    caller.hear_frame(True, 2_000)
    assert caller.hear_recogniser(EndOfTurn("stop", 0.9), 2_100) == []
    assert caller.hear_recogniser(Interim("no no"), 2_200) == [BargedIn()]
    caller.hear_recogniser(RecogniserLost("gone"), 2_300)
    found = quiet_until_turn(caller, 2_320, 2_300 + RULES.longest_pause_ms + 1_000)
    assert found
    assert found[1].text == "stop"
