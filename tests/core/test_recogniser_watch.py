"""A recogniser that hears less than the voice detector is doubted in time, and a good one never."""

from itertools import pairwise

import pytest

from core.recogniser_watch import Doubt, RecogniserWatch
from core.turns import EndOfTurn, Interim, RecogniserEvent, SpeechStarted, TurnTaking


class Line:
    """A caller's line, frame by frame; doubts with the time at which they came."""

    def __init__(self, *, up: bool = True) -> None:
        self.watch = RecogniserWatch()
        self.now_ms = 0.0
        self.doubts: list[tuple[Doubt, float]] = []
        if up:
            self.watch.opened()

    def goes_on(self, ms: float, *, voiced: bool) -> "Line":
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.now_ms += 20
            if (doubt := self.watch.hear_frame(voiced, self.now_ms)) is not None:
                self.doubts.append((doubt, self.now_ms))
        return self

    def speaks(self, ms: float) -> "Line":
        return self.goes_on(ms, voiced=True)

    def is_quiet(self, ms: float) -> "Line":
        return self.goes_on(ms, voiced=False)

    def hears(self, *events: RecogniserEvent) -> "Line":
        for event in events:
            self.watch.hear_event(event)
        return self

    def first(self) -> tuple[Doubt, float]:
        return self.doubts[0]


def test_a_turn_that_is_heard_as_it_is_spoken_is_not_doubted() -> None:
    line = Line()
    for text in ("", "Where", "Where is", "Where is my", "Where is my order?"):
        line.speaks(400).hears(Interim(text) if text else SpeechStarted())
    line.is_quiet(600).hears(EndOfTurn("Where is my order?", 0.9)).is_quiet(20_000)
    assert line.doubts == []


def test_sound_waits_for_more_of_it_only_where_no_beginning_and_no_end_is_missed() -> None:
    line = Line().is_quiet(600)
    assert line.watch.may_wait_ms == 160
    assert line.speaks(20).watch.may_wait_ms == 0, "these may be first words"
    assert line.speaks(400).watch.may_wait_ms == 0, "the recogniser has not noticed them yet"
    assert line.hears(SpeechStarted()).watch.may_wait_ms == 80
    assert line.is_quiet(20).watch.may_wait_ms == 0, "this may be the end"
    assert line.is_quiet(3_000).watch.may_wait_ms == 0, "the turn is still open"
    assert line.hears(EndOfTurn("Yes.", 0.9)).watch.may_wait_ms == 160
    assert line.speaks(20).is_quiet(460).watch.may_wait_ms == 0, "somebody has just spoken"


@pytest.mark.parametrize("speech_ms", [260, 1_000, 5_000])
def test_a_voice_of_which_nothing_is_told_is_doubted_soon(speech_ms: float) -> None:
    doubt, at_ms = Line().speaks(speech_ms).is_quiet(2_000).first()
    assert doubt is Doubt.MUTE
    assert 1_200 <= at_ms <= 1_400


@pytest.mark.parametrize("click_ms", [20, 100, 180])
def test_a_click_is_no_voice(click_ms: float) -> None:
    assert Line().speaks(click_ms).is_quiet(5_000).doubts == []


def test_the_detectors_hangover_after_a_turn_is_no_voice() -> None:
    line = Line().speaks(400).hears(SpeechStarted(), EndOfTurn("Yes.", 0.9)).speaks(100).is_quiet(10_000)
    assert line.doubts == []


def test_a_held_sound_within_a_turn_may_take_longer() -> None:
    line = Line().speaks(400).hears(Interim("Let me see")).speaks(2_400)
    assert line.doubts == []
    line.speaks(400)
    assert line.first()[0] is Doubt.MUTE


def test_a_turn_that_goes_on_in_silence_is_looked_at_once() -> None:
    line = Line().speaks(400).hears(Interim("My number is")).is_quiet(3_000)
    assert [doubt for doubt, _ in line.doubts] == [Doubt.UNENDED]
    assert line.first()[1] == pytest.approx(400 + 1_200, abs=120)


def test_what_sounds_like_a_whole_sentence_does_not_stay_open_for_long() -> None:
    line = Line().speaks(400).hears(Interim("Where is my order?")).is_quiet(2_200)
    assert [doubt for doubt, _ in line.doubts][:2] == [Doubt.UNENDED, Doubt.ENDLESS]
    assert line.doubts[1][1] == pytest.approx(400 + 1_600, abs=120)


def test_what_sounds_unfinished_may_wait_as_long_as_the_rules_say() -> None:
    line = Line()
    line.watch.follow(TurnTaking(end_of_turn_timeout_ms=3_000))
    line.speaks(400).hears(Interim("My number is")).is_quiet(3_400)
    assert Doubt.ENDLESS not in [doubt for doubt, _ in line.doubts]
    line.is_quiet(400)
    assert line.doubts[-1][0] is Doubt.ENDLESS


def test_without_a_recogniser_silence_ends_what_was_said() -> None:
    line = Line(up=False).speaks(1_000).is_quiet(1_000)
    doubt, at_ms = line.first()
    assert doubt is Doubt.UNHEARD
    assert 1_700 <= at_ms <= 1_840
    assert Line(up=False).speaks(100).is_quiet(5_000).doubts == []


def test_a_doubt_that_came_to_nothing_is_told_less_and_less_often() -> None:
    line, told = Line(), []
    for _ in range(1_500):  # a minute of noise
        line.speaks(40)
        if line.doubts:
            told.append(line.doubts.pop()[1])
            line.watch.dismiss()
    gaps = [after - before for before, after in pairwise(told)]
    assert 4 <= len(told) <= 6
    assert gaps == sorted(gaps)


def test_after_noise_a_heard_turn_makes_it_watchful_again() -> None:
    line = Line().speaks(2_000)
    line.watch.dismiss()
    line.hears(Interim("Hello."), EndOfTurn("Hello.", 0.9)).is_quiet(500)
    line.doubts.clear()
    line.speaks(1_400)
    assert line.first()[0] is Doubt.MUTE


def test_a_stream_that_was_given_the_whole_utterance_is_doubted_sooner() -> None:
    line = Line().speaks(1_400)
    line.watch.lost()
    line.doubts.clear()
    line.watch.opened()
    at_ms = line.now_ms
    line.is_quiet(1_000)
    assert line.first()[1] - at_ms == pytest.approx(700, abs=120)
