"""Speech over the assistant: what holds playback, what stops it, what was nothing."""

from collections.abc import Iterator, Sequence

import pytest

from core.backchannels import Backchannels
from core.turns import (
    BargedIn,
    EndOfTurn,
    FalseInterruption,
    Interim,
    Listen,
    MayBargeIn,
    Silence,
    SpeechStarted,
    TurnDetector,
    TurnEnded,
    TurnEvent,
    TurnTaking,
)


class OverTheAssistant:
    """A caller and an assistant who speaks from 0 ms on, frame by frame."""

    def __init__(self, rules: TurnTaking | None = None) -> None:
        self.detector = TurnDetector(rules or TurnTaking(), -1_000)
        self.now_ms = 0.0
        self.events: list[tuple[float, TurnEvent]] = []
        self.detector.set_playing(True, 0)

    def frames(self, ms: int, *, speech: bool = False, voiced: bool | None = None) -> "OverTheAssistant":
        for _ in range(ms // 20):
            self.now_ms += 20
            self._note(self.detector.hear_frame(speech if voiced is None else voiced, self.now_ms, speech=speech))
        return self

    def recogniser(self, *events: SpeechStarted | Interim | EndOfTurn) -> "OverTheAssistant":
        for event in events:
            self._note(self.detector.hear_recogniser(event, self.now_ms))
        return self

    def finish(self) -> "OverTheAssistant":
        self._note(self.detector.set_playing(False, self.now_ms))
        return self

    def _note(self, events: Sequence[TurnEvent]) -> None:
        self.events += [(self.now_ms, event) for event in events]

    def kinds(self) -> list[type]:
        return [type(event) for _, event in self.events]

    def when(self, kind: type) -> Iterator[float]:
        return (at_ms for at_ms, event in self.events if isinstance(event, kind))


def test_speech_that_lasts_holds_playback_and_its_words_stop_it() -> None:
    caller = OverTheAssistant().frames(1_000).frames(400, speech=True)
    assert list(caller.when(MayBargeIn)) == [1_000 + 120]
    caller.recogniser(SpeechStarted(), Interim("wait"))
    assert caller.kinds() == [MayBargeIn, BargedIn]
    assert caller.detector.caller_holds_floor


def test_playback_that_is_held_while_the_rules_change_goes_on_all_the_same() -> None:
    caller = OverTheAssistant().frames(1_000).frames(200, speech=True)
    caller.detector.follow(TurnTaking(language="de"))
    caller.recogniser(SpeechStarted(), Interim("Mhm."), EndOfTurn("Mhm.", 0.9))
    assert caller.kinds() == [MayBargeIn, FalseInterruption]


def test_a_cough_is_too_short_to_hold_playback() -> None:
    assert OverTheAssistant().frames(100, speech=True).frames(2_000).kinds() == []


def test_sound_that_is_no_speech_does_nothing_however_long_it_lasts() -> None:
    assert OverTheAssistant().frames(60_000, speech=False, voiced=True).kinds() == []


def test_a_sound_of_which_no_words_come_is_a_false_interruption() -> None:
    caller = OverTheAssistant().frames(300, speech=True).frames(2_000)
    assert caller.kinds() == [MayBargeIn, FalseInterruption]
    (gone_on_ms,) = caller.when(FalseInterruption)
    assert gone_on_ms == 300 + 500


def test_a_backchannel_goes_on_as_soon_as_it_is_over() -> None:
    caller = OverTheAssistant().frames(300, speech=True).recogniser(SpeechStarted(), Interim("Mhm.")).frames(1_000)
    assert caller.kinds() == [MayBargeIn, FalseInterruption]
    assert list(caller.when(FalseInterruption)) == [300 + 200]
    caller.recogniser(EndOfTurn("Mhm.", 0.9)).frames(3_000).finish()
    assert TurnEnded not in caller.kinds()


def test_the_recognisers_end_of_a_backchannel_goes_on_at_once() -> None:
    caller = OverTheAssistant().frames(300, speech=True).recogniser(EndOfTurn("okay", 0.9))
    assert list(caller.when(FalseInterruption)) == [300]


def test_okay_just_before_the_assistant_has_finished_is_an_answer() -> None:
    caller = OverTheAssistant().frames(2_000).frames(300, speech=True).recogniser(EndOfTurn("Okay.", 0.9))
    caller.frames(500).finish()
    assert caller.kinds() == [MayBargeIn, FalseInterruption, TurnEnded]


def test_a_backchannel_that_goes_on_as_words_stops_playback() -> None:
    caller = OverTheAssistant().frames(300, speech=True).recogniser(Interim("yes"))
    caller.frames(200, speech=True).recogniser(Interim("yes but")).frames(20, speech=True)
    assert caller.kinds() == [MayBargeIn, BargedIn]


def test_speech_without_words_does_not_hold_playback_for_ever_and_not_again_in_the_same_breath() -> None:
    caller = OverTheAssistant().frames(20_000, speech=True)
    assert caller.kinds() == [MayBargeIn, FalseInterruption]
    assert next(caller.when(FalseInterruption)) == 120 + 1_200


def test_after_some_false_interruptions_only_words_stop_playback() -> None:
    caller = OverTheAssistant()
    for _ in range(6):
        caller.frames(600, speech=True).frames(2_000)
    assert caller.kinds() == [MayBargeIn, FalseInterruption] * 3
    caller.frames(100, speech=True).recogniser(Interim("stop it"))
    assert caller.kinds()[-1] is BargedIn


def test_a_minute_of_noise_like_speech_pauses_the_assistant_three_times_at_most_and_is_no_turn() -> None:
    caller = OverTheAssistant()
    for burst in range(60):
        caller.frames(400 + 20 * (burst % 7), speech=True).frames(460)
        caller.recogniser(SpeechStarted(), EndOfTurn("", 0.0))
    caller.finish().frames(25_000, voiced=True)
    assert caller.kinds() == [MayBargeIn, FalseInterruption] * 3 + [Silence]


def test_words_without_any_voice_are_not_believed() -> None:
    assert OverTheAssistant().frames(3_000).recogniser(Interim("thank you for watching")).kinds() == []


def test_few_words_stop_playback_where_speech_goes_on_for_long_enough() -> None:
    rules = TurnTaking(barge_in_min_words=3, barge_in_min_ms=500)
    caller = OverTheAssistant(rules).frames(300, speech=True).recogniser(Interim("no"))
    assert caller.kinds() == [MayBargeIn]
    caller.frames(400, speech=True)
    assert list(caller.when(BargedIn)) == [500]


@pytest.mark.parametrize("rules", [TurnTaking(interruptible=False), TurnTaking(protected_opening_ms=60_000)])
def test_what_may_not_be_interrupted_is_not_even_held(rules: TurnTaking) -> None:
    caller = OverTheAssistant(rules).frames(3_000, speech=True).recogniser(Interim("stop it right now"))
    assert caller.kinds() == []


def test_a_protected_opening_is_over_after_its_time() -> None:
    caller = OverTheAssistant(TurnTaking(protected_opening_ms=2_000)).frames(2_200, speech=True)
    assert list(caller.when(MayBargeIn)) == [2_000 + 100]


def test_speech_over_the_assistant_is_counted_until_playback_is_held() -> None:
    caller = OverTheAssistant().frames(1_000).frames(400, speech=True).recogniser(Interim("no thank you"))
    assert (caller.detector.talk_overs, caller.detector.talk_over_ms) == (1, 120)


def test_an_assistant_who_begins_while_the_caller_speaks_is_held_at_once() -> None:
    caller = OverTheAssistant().frames(500).finish()
    caller.frames(200, speech=True).recogniser(SpeechStarted())
    assert caller.detector.set_playing(True, caller.now_ms) == [MayBargeIn()]


def test_an_assistant_who_begins_while_the_caller_is_saying_something_is_stopped_at_once() -> None:
    caller = OverTheAssistant().frames(500).finish()
    caller.frames(200, speech=True).recogniser(SpeechStarted(), Interim("and another thing"))
    assert caller.detector.set_playing(True, caller.now_ms) == [BargedIn()]


@pytest.mark.parametrize(
    ("language", "text", "others"),
    [
        ("en", "Mhm.", 0),
        ("en", "Uh-huh, got it.", 0),
        ("en", "Yeah, okay, right.", 0),
        ("en", "Yes, but my order", 3),
        ("en", "No.", 1),
        ("de-AT", "Ach so, genau", 0),
        ("de", "Nein", 1),
        ("fr", "D’accord", 0),
        ("xx", "mhm", 0),
        ("en", "", 0),
    ],
)
def test_backchannels_by_language(language: str, text: str, others: int) -> None:
    assert Backchannels(language).others_in(text) == others


def test_a_playbook_adds_backchannels_of_its_own() -> None:
    assert Backchannels("en", ["roger that"]).others_in("Roger that") == 0


def test_a_hello_over_what_is_protected_is_answered_by_it() -> None:
    caller = OverTheAssistant()
    caller.detector.listen, caller.detector.protected = Listen(protected=1), True
    caller.frames(200).frames(300, speech=True).recogniser(SpeechStarted(), EndOfTurn("Hello? Hello?", 0.9))
    caller.frames(2_000).finish()
    assert caller.kinds() == []


def test_other_words_over_what_is_protected_are_answered_afterwards() -> None:
    caller = OverTheAssistant()
    caller.detector.listen, caller.detector.protected = Listen(protected=1), True
    caller.frames(200).frames(300, speech=True).recogniser(SpeechStarted(), EndOfTurn("Hello, who is this?", 0.9))
    caller.frames(2_000).finish()
    assert caller.kinds() == [TurnEnded]


def test_a_hello_over_what_may_be_interrupted_interrupts_it() -> None:
    caller = OverTheAssistant().frames(200).frames(300, speech=True)
    caller.recogniser(SpeechStarted(), EndOfTurn("Hello?", 0.9))
    assert caller.kinds() == [MayBargeIn, BargedIn, TurnEnded]
