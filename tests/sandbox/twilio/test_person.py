from typing import Any

import pytest
from pydantic import ValidationError

from sandbox.audio_code import BLOCK, SILENCE, noise, speak
from sandbox.twilio.ear import Ear
from sandbox.twilio.person import HungUp, KeyPressed, Person, ScriptLine, SpeechEnded, rehearsed

TICK = 20


class OnTheLine:
    """A person on a line whose time is told by hand; what the assistant plays is given."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.ear = Ear(quiet_ms=600)
        self.at_ms = 0
        self.spoken_at: list[int] = []
        self.events: list[tuple[int, Any]] = []

    def hear(self, audio: bytes) -> None:
        for start in range(0, len(audio), BLOCK):
            self._tick(audio[start : start + BLOCK])

    def quiet(self, ms: int) -> None:
        for _ in range(ms // TICK):
            self._tick(None)

    def cut(self) -> None:
        self.ear.cut(1)

    def _tick(self, played: bytes | None) -> None:
        if self.person.tick(self.at_ms, self.at_ms + 1_000_000.0, self.ear) is not None:
            self.spoken_at.append(self.at_ms)
        self.events += [(self.at_ms, event) for event in self.person.events]
        self.person.events.clear()
        if played is None:
            self.ear.rest(self.at_ms)
        else:
            self.ear.hear(played, self.at_ms, self.at_ms + 1_000_000.0)
        self.at_ms += TICK

    @property
    def said(self) -> list[tuple[str, int]]:
        return [(line.text, line.at_ms) for line in self.person.said]


async def a_person(*script: dict[str, Any]) -> OnTheLine:
    return OnTheLine(await rehearsed([ScriptLine.model_validate(line) for line in script]))


def reply(text: str) -> bytes:
    return speak(text, "assistant").audio


async def test_a_line_is_said_once_the_reply_is_over_and_the_line_was_quiet_for_600_ms() -> None:
    line = await a_person({"say": "Hello."})
    line.quiet(3_000)
    assert line.said == []
    line.hear(reply("How can I help?"))
    over = line.at_ms
    line.quiet(1_000)
    assert [text for text, _ in line.said] == ["Hello."]
    assert 580 <= line.said[0][1] - over <= 640


async def test_a_pause_within_a_reply_is_not_its_end() -> None:
    line = await a_person({"say": "Hello."})
    line.hear(reply("One moment please. [900] Here it is."))
    assert line.said == []
    assert line.ear.text_since(0) == "One moment please. Here it is."
    line.quiet(700)
    assert len(line.said) == 1


async def test_the_next_line_waits_for_the_next_reply() -> None:
    line = await a_person({"say": "Yes."}, {"say": "No."})
    line.hear(reply("Shall I?"))
    line.quiet(5_000)
    assert [text for text, _ in line.said] == ["Yes."]
    line.hear(reply("Really?"))
    line.quiet(700)
    assert [text for text, _ in line.said] == ["Yes.", "No."]


async def test_a_line_with_seconds_comes_that_long_after_the_line_before_whatever_is_heard() -> None:
    line = await a_person({"say": "One.", "after": 1}, {"say": "Two.", "after": 0.5})
    line.hear(noise(4))
    first, second = line.person.said
    assert first.at_ms == 1_000
    spoken_ms = len(speak("One.").audio) // 8
    assert second.at_ms == 1_000 + spoken_ms + 500


async def test_an_interruption_comes_into_the_reply_and_its_rest_is_no_new_reply() -> None:
    line = await a_person({"say": "Wait!", "interrupt_after": 0.5}, {"say": "Thanks."})
    line.quiet(400)
    began = line.at_ms
    audio = reply("This is a long explanation that nobody wants to hear to its very end.")
    line.hear(audio[: BLOCK * 60])
    assert line.said == [("Wait!", began + 500)]
    line.cut()
    assert line.ear.lines[-1].interrupted
    line.quiet(2_000)
    assert len(line.said) == 1
    line.hear(reply("Sure."))
    line.quiet(700)
    assert [text for text, _ in line.said] == ["Wait!", "Thanks."]


async def test_wait_for_lets_replies_pass_until_one_matches() -> None:
    line = await a_person({"say": "Great.", "wait_for": "your balance is \\d+"})
    line.hear(reply("Let me look."))
    line.quiet(900)
    assert line.said == []
    line.hear(reply("Your balance is 12 euros."))
    line.quiet(900)
    assert [text for text, _ in line.said] == ["Great."]


async def test_keys_noise_and_waiting_take_their_time_and_hanging_up_ends_it() -> None:
    line = await a_person(
        {"dtmf": "1#", "after": 0.1}, {"noise": 0.2, "after": 0}, {"wait": 1.0}, {"hang_up": True, "after": 0}
    )
    line.quiet(3_000)
    keys = [(at, event.digit) for at, event in line.events if isinstance(event, KeyPressed)]
    assert keys == [(100, "1"), (340, "#")]
    assert line.spoken_at == [*range(580, 780, 20)]
    assert [(at, event) for at, event in line.events if isinstance(event, HungUp)] == [(1_780, HungUp())]


async def test_the_end_of_speech_is_that_of_the_last_word() -> None:
    line = await a_person({"say": "Just [400] a moment.", "after": 0})
    spoken = speak("Just [400] a moment.")
    line.quiet(4_000)
    ((at, event),) = line.events
    assert isinstance(event, SpeechEnded)
    assert event.line.end_ms == at + TICK == spoken.words[-1].end_ms
    assert event.line.speech_end_ms == at + 1_000_000.0
    assert len(line.spoken_at) * BLOCK == len(spoken.audio)


async def test_silence_that_is_played_is_quiet_too() -> None:
    line = await a_person({"say": "Hello."})
    line.hear(reply("Hi.") + SILENCE * 40)
    assert [text for text, _ in line.said] == ["Hello."]


def test_gaps_are_counted_within_an_utterance_only() -> None:
    ear, at = Ear(quiet_ms=600), 0

    def play(audio: bytes) -> None:
        nonlocal at
        for start in range(0, len(audio), BLOCK):
            ear.hear(audio[start : start + BLOCK], at, float(at))
            at += TICK

    def dry(ms: int) -> None:
        nonlocal at
        for _ in range(ms // TICK):
            ear.rest(at)
            at += TICK

    first, second = reply("First come some words."), reply("Then others.")
    play(first[: BLOCK * 30])
    dry(100)
    play(first[BLOCK * 30 :])
    dry(200)  # between sentences: no gap
    play(second[: BLOCK * 20])
    dry(300)  # broken off, another utterance follows: no gap
    play(reply("Sorry, again."))
    (line,) = ear.lines
    assert (line.gaps, line.gap_ms) == (1, 100)
    assert [round(until - since, -2) for since, until in line.silences] == [100, 200, 300], "every one is kept"


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"say": "Hi", "dtmf": "1"},
        {"say": "Hi", "after": 1, "wait_for": "x"},
        {"say": "Hi", "wait_for": "("},
        {"dtmf": "hello"},
        {"says": "Hi"},
        {"hang_up": False},
    ],
)
def test_a_script_line_that_makes_no_sense_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ScriptLine.model_validate(line)
