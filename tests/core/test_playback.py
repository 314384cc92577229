"""What the caller has heard, to the word."""

from collections.abc import Iterable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.contracts.call import ReplyKey
from core.playback import (
    BYTES_PER_MS,
    MARK_EVERY_BYTES,
    Clear,
    Kept,
    Play,
    Playback,
    PlaybackOutput,
    Played,
    SetMark,
    UnknownMark,
)
from tests.core.simulation import orders_in

FIRST = ReplyKey(attachment=1, turn=1, part=0, attempt=1)
AGAIN = ReplyKey(attachment=1, turn=1, part=0, attempt=2)


def sound(ms: int) -> bytes:
    return b"\x7f" * (ms * BYTES_PER_MS)


def audio_of(outputs: Iterable[PlaybackOutput]) -> bytes:
    return b"".join(output.audio for output in outputs if isinstance(output, Play))


def marks_of(outputs: Iterable[PlaybackOutput]) -> list[str]:
    return [output.name for output in outputs if isinstance(output, SetMark)]


def reports_of(outputs: Iterable[PlaybackOutput]) -> list[Played]:
    return [output for output in outputs if isinstance(output, Played)]


def say(playback: Playback, key: ReplyKey, number: int, text: str, now_ms: float) -> list[PlaybackOutput]:
    """A whole sentence, 300 ms a word, in one piece."""
    words = [(word, 300 * index, 300 * index + 300) for index, word in enumerate(text.split())]
    return playback.queue(key, number, sound(300 * len(words)), words, last=True, text=text, now_ms=now_ms)


def begin_to_say(
    playback: Playback, key: ReplyKey, number: int, text: str, ms: int, now_ms: float
) -> list[PlaybackOutput]:
    """The first ``ms`` of a sentence of 300 ms a word, with the words that begin in them."""
    words = [(word, 300 * index, 300 * index + 300) for index, word in enumerate(text.split()) if 300 * index < ms]
    return playback.queue(key, number, sound(ms), words, last=False, text=text, now_ms=now_ms)


def return_marks(playback: Playback, names: list[str], now_ms: float) -> list[PlaybackOutput]:
    return [output for name in names for output in playback.mark_returned(name, now_ms)]


def test_a_reply_played_to_its_end_is_reported_complete_with_its_whole_text() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    marks = marks_of(say(playback, FIRST, 0, "Good morning.", 0) + say(playback, FIRST, 1, "How are you?", 0))
    assert reports_of(playback.finish(FIRST)) == []
    assert playback.playing
    assert reports_of(return_marks(playback, marks, 1_600)) == [
        Played(FIRST, "Good morning. How are you?", complete=True, interrupted=False, played_ms=1_500)
    ]
    assert not playback.playing


def test_a_reply_is_not_over_before_its_worker_says_so() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    marks = marks_of(say(playback, FIRST, 0, "One moment.", 0))
    assert reports_of(return_marks(playback, marks, 700)) == []
    assert [report.complete for report in reports_of(playback.finish(FIRST))] == [True]


def test_a_reply_without_a_word_is_over_at_once() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    assert playback.finish(FIRST) == [Played(FIRST, "", complete=True, interrupted=False, played_ms=0)]


def test_a_cut_reports_the_words_that_were_heard_and_no_others() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    say(playback, FIRST, 0, "one two three four five", 0)
    playback.finish(FIRST)
    outputs = playback.cut(650)
    assert outputs[0] == Clear()
    # The first mark stands at 400 ms and has not come back: no more than that can have been heard.
    assert reports_of(outputs) == [Played(FIRST, "one", complete=False, interrupted=True, played_ms=400)]


def test_time_since_the_last_returned_mark_counts_as_heard() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    marks = marks_of(say(playback, FIRST, 0, "one two three four five", 0))
    playback.mark_returned(marks[0], 420)
    assert reports_of(playback.cut(630))[0].heard == "one two"


def test_marks_that_a_clear_returns_are_no_proof_of_hearing() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    marks = marks_of(say(playback, FIRST, 0, "one two three four five", 0))
    playback.finish(FIRST)
    assert [report.heard for report in reports_of(playback.cut(310))] == ["one"]
    assert return_marks(playback, marks, 320) == []


def test_a_mark_nobody_sent_is_an_error() -> None:
    with pytest.raises(UnknownMark):
        Playback().mark_returned("1:400.0", 0)


def test_late_audio_of_a_reply_that_was_cut_is_dropped() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    say(playback, FIRST, 0, "one two", 0)
    playback.cut(100)
    assert say(playback, FIRST, 1, "three", 120) == []
    assert playback.finish(FIRST) == []
    assert playback.was_cut(FIRST)


def test_held_playback_goes_on_from_the_exact_sample_and_then_with_what_came_meanwhile() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    audio = bytes(range(250)) * 16  # 500 ms
    playback.queue(FIRST, 0, audio, [], last=True, text="words", now_ms=0)
    assert playback.hold(123) == [Clear()]
    assert playback.held
    assert playback.playing
    assert say(playback, FIRST, 1, "more", 200) == []
    assert playback.finish(FIRST) == []
    outputs = playback.go_on(900)
    assert audio_of(outputs) == audio[123 * BYTES_PER_MS :] + sound(300)
    marks = marks_of(outputs)
    (report,) = [report for mark in marks for report in reports_of(playback.mark_returned(mark, 1_600))]
    assert (report.heard, report.complete, report.interrupted) == ("words more", True, False)
    assert report.played_ms == 800


def test_a_cut_of_held_playback_tells_what_was_heard_before_it_was_held() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    marks = marks_of(say(playback, FIRST, 0, "one two three", 0))
    playback.mark_returned(marks[0], 400)
    playback.hold(650)
    assert [report.heard for report in reports_of(playback.cut(2_000))] == ["one two"]
    assert not playback.held
    assert not playback.playing
    assert playback.go_on(2_100) == []


def test_an_attempt_that_begins_while_playback_is_held_goes_on_after_the_last_whole_word() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    say(playback, FIRST, 0, "one two", 0)
    begin_to_say(playback, FIRST, 1, "three four five", 450, 0)
    playback.hold(100)
    playback.break_off(FIRST)
    assert playback.open(AGAIN, 150) == []
    assert playback.kept(AGAIN) == Kept(("one two", "three"), "four five")
    say(playback, AGAIN, 0, "four five", 160)
    playback.finish(AGAIN)
    outputs = playback.go_on(200)
    assert len(audio_of(outputs)) == (500 + 300 + 600) * BYTES_PER_MS
    assert [report.heard for report in reports_of(return_marks(playback, marks_of(outputs), 2_000))] == [
        "one two three four five"
    ]


def test_a_sentence_counts_as_heard_once_its_last_sample_has_been() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    marks = marks_of(say(playback, FIRST, 0, "one two", 0))
    say(playback, FIRST, 1, "three", 0)
    playback.mark_returned(marks[0], 400)
    assert playback.sentences_heard(FIRST, 590) == 0
    assert playback.sentences_heard(FIRST, 600) == 1
    playback.hold(700)
    assert playback.sentences_heard(FIRST, 5_000) == 1


def test_an_unplayed_queue_that_ran_dry_does_not_count_the_pause_as_heard() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    marks = marks_of(say(playback, FIRST, 0, "one", 0))
    playback.mark_returned(marks[0], 310)
    say(playback, FIRST, 1, "two three", 5_000)
    assert reports_of(playback.cut(5_350))[0].heard == "one two"


def test_a_later_attempt_reports_what_earlier_ones_said_too() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    marks = marks_of(say(playback, FIRST, 0, "First sentence.", 0))
    playback.break_off(FIRST)
    assert playback.kept(AGAIN) == Kept(("First sentence.",))
    playback.open(AGAIN, 300)
    marks += marks_of(say(playback, AGAIN, 0, "Second sentence.", 300))
    playback.finish(AGAIN)
    assert reports_of(return_marks(playback, marks, 1_300)) == [
        Played(AGAIN, "First sentence. Second sentence.", complete=True, interrupted=False, played_ms=1_200)
    ]


def test_an_attempt_broken_off_and_played_out_is_reported_by_itself_and_again_in_the_next() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    marks = marks_of(say(playback, FIRST, 0, "First.", 0))
    playback.break_off(FIRST)
    early = reports_of(return_marks(playback, marks, 310))
    assert [(report.heard, report.complete, report.interrupted) for report in early] == [("First.", False, False)]
    playback.open(AGAIN, 900)
    marks = marks_of(say(playback, AGAIN, 0, "Second.", 900))
    playback.finish(AGAIN)
    assert [report.heard for report in reports_of(return_marks(playback, marks, 1_300))] == ["First. Second."]


def test_a_half_sentence_is_heard_to_its_last_whole_word_and_its_rest_is_left_to_the_next_attempt() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    whole = say(playback, FIRST, 0, "one two three four", 0)
    begin_to_say(playback, FIRST, 1, "five six seven", 700, 0)
    playback.break_off(FIRST)
    outputs = playback.open(AGAIN, 200)
    assert outputs[0] == Clear()
    assert len(audio_of(outputs)) == len(audio_of(whole)) + (600 - 200) * BYTES_PER_MS  # from the exact sample on
    assert playback.kept(AGAIN) == Kept(("one two three four", "five six"), "seven")
    marks = marks_of(outputs) + marks_of(say(playback, AGAIN, 0, "seven", 300))
    playback.finish(AGAIN)
    assert reports_of(return_marks(playback, marks, 3_000)) == [
        Played(AGAIN, "one two three four five six seven", complete=True, interrupted=False, played_ms=2_100)
    ]


def test_a_half_sentence_the_caller_is_hearing_is_not_begun_again() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    begin_to_say(playback, FIRST, 0, "half whole", 350, 0)
    playback.break_off(FIRST)
    outputs = playback.open(AGAIN, 200)
    assert audio_of(outputs) == sound(100)  # not the word that has not come whole
    assert playback.kept(AGAIN) == Kept(("half",), "whole")
    marks = marks_of(outputs) + marks_of(say(playback, AGAIN, 0, "whole", 250))
    playback.finish(AGAIN)
    assert [report.heard for report in reports_of(return_marks(playback, marks, 700))] == ["half whole"]


def test_a_half_sentence_that_was_heard_stays_as_it_is() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    marks = marks_of(begin_to_say(playback, FIRST, 0, "half whole", 350, 0) + playback.break_off(FIRST))
    assert playback.open(AGAIN, 500) == []
    marks += marks_of(say(playback, AGAIN, 0, "whole", 510))
    playback.finish(AGAIN)
    assert reports_of(return_marks(playback, marks, 900)) == [
        Played(AGAIN, "half whole", complete=True, interrupted=False, played_ms=650)
    ]


def test_a_half_word_is_taken_back_and_its_sentence_said_by_the_next_attempt() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    begin_to_say(playback, FIRST, 0, "one two", 200, 0)
    playback.break_off(FIRST)
    assert playback.open(AGAIN, 50) == [Clear()]
    assert playback.kept(AGAIN) == Kept((), "one two")


def test_a_half_sentence_of_a_voice_without_word_times_is_said_again() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    playback.queue(FIRST, 0, sound(400), [], last=False, text="one two", now_ms=0)
    assert playback.heard_so_far(FIRST) == ""
    playback.break_off(FIRST)
    playback.open(AGAIN, 50)
    assert playback.kept(AGAIN) == Kept((), "one two")


def test_a_rest_that_no_attempt_has_begun_to_say_is_left_to_the_next_one() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    begin_to_say(playback, FIRST, 0, "one two three", 600, 0)
    playback.break_off(FIRST)
    playback.open(AGAIN, 100)
    playback.break_off(AGAIN)
    third = ReplyKey(1, 1, 0, 3)
    playback.open(third, 200)
    assert playback.kept(third) == Kept(("one two",), "three")
    begin_to_say(playback, third, 0, "three", 300, 250)
    playback.break_off(third)
    fourth = ReplyKey(1, 1, 0, 4)
    playback.open(fourth, 300)
    assert playback.kept(fourth) == Kept(("one two", "three"))


def test_a_sentence_said_by_two_attempts_counts_once() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    marks = marks_of(begin_to_say(playback, FIRST, 0, "one two", 300, 0) + playback.break_off(FIRST))
    playback.open(AGAIN, 100)
    return_marks(playback, marks, 310)
    assert playback.sentences_heard(AGAIN, 350) == 0
    say(playback, AGAIN, 0, "two", 350)
    assert playback.sentences_heard(AGAIN, 700) == 1


def test_a_holding_line_is_no_reply_and_has_no_report() -> None:
    playback = Playback()
    outputs = playback.fill(sound(200), 3, 0)
    assert playback.playing
    assert not playback.speaking
    assert return_marks(playback, marks_of(outputs), 210) == []
    assert not playback.playing


def test_the_end_of_the_stream_reports_what_was_heard_and_is_no_interruption() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    say(playback, FIRST, 0, "one two", 0)
    assert reports_of(playback.end(320)) == [Played(FIRST, "one", complete=False, interrupted=False, played_ms=320)]


def test_a_voice_without_word_times_is_heard_by_its_share() -> None:
    playback = Playback()
    playback.open(FIRST, 0)
    playback.queue(FIRST, 0, sound(400), [], last=True, text="one two three four", now_ms=0)
    assert reports_of(playback.cut(200))[0].heard == "one two"


class PlaybackMachine(RuleBasedStateMachine):
    """Replies, attempts, cuts and marks in any order, against a carrier that plays in real time."""

    def __init__(self) -> None:
        super().__init__()
        self.playback = Playback()
        self.now = 0.0
        self.queue: list[bytes | str] = []  # the carrier's: audio not begun, marks
        self.returned: list[str] = []  # by the carrier, on their way to us
        self.late = False  # time has passed while marks were on their way
        self.key = ReplyKey(1, 0, 0, 0)
        self.open = False
        self.sentence = 0
        self.said: list[str] = []
        self.rest = ""  # what the attempt has to say first
        self.reports: list[Played] = []
        self.before = b""  # what was at the carrier when playback was held
        self.names: set[str] = set()

    def act(self, outputs: list[PlaybackOutput]) -> None:
        for output in outputs:
            match output:
                case Play(audio, _):
                    assert 0 < len(audio) <= MARK_EVERY_BYTES
                    self.queue.append(audio)
                case SetMark(name):
                    assert name not in self.names, "marks are unique"
                    self.names.add(name)
                    self.queue.append(name)
                case Clear():
                    self.returned += [item for item in self.queue if isinstance(item, str)]
                    self.queue.clear()
                case Played():
                    assert output.key not in [report.key for report in self.reports], "a key is reported once"
                    self.reports.append(output)
        self.play_marks()

    def play_marks(self) -> None:
        while self.queue and isinstance(self.queue[0], str):
            self.returned.append(self.queue.pop(0))  # type: ignore[arg-type]

    @rule(ms=st.integers(1, 700))
    def time_passes(self, ms: int) -> None:
        self.now += ms
        self.play_marks()
        self.late = self.late or bool(self.returned)
        size = ms * BYTES_PER_MS
        while self.queue and size:
            item = self.queue[0]
            if isinstance(item, bytes):
                played = min(size, len(item))
                size -= played
                self.queue[0] = item[played:]
                if not self.queue[0]:
                    self.queue.pop(0)
            self.play_marks()
            self.late = self.late or bool(self.returned and size)

    @rule(new_turn=st.booleans())
    def begin(self, new_turn: bool) -> None:
        key = self.key
        if self.playback.was_cut(key) or new_turn or not key.attempt:
            self.key = ReplyKey(1, key.turn + 1, 0, 1)
            self.said = []
        else:
            self.key = ReplyKey(1, key.turn, key.part, key.attempt + 1)
            self.before = b""  # an unfinished word may be taken back
        if self.open:
            self.act(self.playback.break_off(key))
        self.act(self.playback.open(self.key, self.now))
        kept = self.playback.kept(self.key)
        assert " ".join([*kept.sentences, *filter(None, [kept.rest])]) == " ".join(self.said), "nothing lost or twice"
        self.open, self.sentence, self.rest = True, 0, kept.rest

    @precondition(lambda self: self.open)
    @rule(words=st.integers(1, 6), pieces=st.integers(1, 4), whole=st.booleans())
    def speak(self, words: int, pieces: int, whole: bool) -> None:
        """The rest of a sentence that broke off, else a new one; if it is not ``whole``, all but its last piece."""
        rest, self.rest = self.rest.split(), ""
        names = rest or [f"w{len(self.said)}.{index}" for index in range(words)]
        timed = [(name, 200 * index, 200 * index + 200) for index, name in enumerate(names)]
        text = " ".join(names)
        audio = sound(200 * len(names))
        step = -(-len(audio) // pieces)
        for start in range(0, len(audio) if whole or pieces == 1 else len(audio) - step, step):
            last = whole and start + step >= len(audio)
            spoken = timed if start == 0 else []
            self.act(
                self.playback.queue(
                    self.key,
                    self.sentence,
                    audio[start : start + step],
                    spoken,
                    last=last,
                    text=text if start == 0 else "",
                    now_ms=self.now,
                )
            )
        if not rest:
            self.said.append(text)
        if whole:
            self.sentence += 1
        else:
            self.act(self.playback.break_off(self.key))
            self.open = False

    @precondition(lambda self: self.open)
    @rule()
    def finish(self) -> None:
        self.act(self.playback.finish(self.key))
        self.open = False

    @precondition(lambda self: self.returned)
    @rule(data=st.data())
    def marks_arrive(self, data: st.DataObject) -> None:
        for _ in range(data.draw(st.integers(1, len(self.returned)))):
            self.act(self.playback.mark_returned(self.returned.pop(0), self.now))

    @rule()
    def caller_cuts_in(self) -> None:
        self.act(self.playback.cut(self.now))
        self.open = self.late = False
        assert not self.playback.playing
        assert not [item for item in self.queue if isinstance(item, bytes)]

    @precondition(lambda self: not self.playback.held)
    @rule()
    def caller_may_be_cutting_in(self) -> None:
        unplayed = b"".join(item for item in self.queue if isinstance(item, bytes))
        self.act(self.playback.hold(self.now))
        assert not [item for item in self.queue if isinstance(item, bytes)]
        self.before = unplayed

    @precondition(lambda self: self.playback.held)
    @rule()
    def it_was_nothing(self) -> None:
        self.act(self.playback.go_on(self.now))
        heard_again = b"".join(item for item in self.queue if isinstance(item, bytes))
        assert self.late or heard_again.startswith(self.before)

    @rule(ms=st.integers(1, 900))
    def silence_is_filled(self, ms: int) -> None:
        self.act(self.playback.fill(sound(ms), 1, self.now))

    @invariant()
    def held_playback_is_silent(self) -> None:
        if self.playback.held:
            assert not [item for item in self.queue if isinstance(item, bytes)]

    @invariant()
    def silence_is_noticed(self) -> None:
        if not self.playback.playing:
            assert not [item for item in self.queue if isinstance(item, bytes)]

    def teardown(self) -> None:
        """Let everything play out: nothing stays unreported, and a finished reply was heard whole."""
        self.act(self.playback.go_on(self.now))
        if finished := self.open:
            self.act(self.playback.finish(self.key))
        self.time_passes(120_000)
        while self.returned:
            self.act(self.playback.mark_returned(self.returned.pop(0), self.now))
        assert not self.playback.playing
        if self.key.attempt:
            (report,) = [report for report in self.reports if report.key == self.key]
            assert report.complete or not finished
            assert not finished or self.rest or report.heard == " ".join(self.said)


PlaybackMachine.TestCase.settings = orders_in(short=150, steps=30)
test_playback_in_any_order = PlaybackMachine.TestCase


def test_what_the_caller_has_still_to_hear_begins_at_the_very_sample() -> None:
    playback = Playback()
    playback.open(FIRST, 0.0)
    audio = bytes(place % 251 for place in range(600 * BYTES_PER_MS))
    playback.queue(FIRST, 0, audio, [], last=False, text="", now_ms=0.0)
    assert playback.unheard(100.0) == audio[100 * BYTES_PER_MS :]
    playback.cut(200.0)
    assert playback.unheard(200.0) == b""
