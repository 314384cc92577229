"""Lines: spoken from memory where the playbook knows them."""

from dataclasses import replace

from temporalio.testing import ActivityEnvironment

from activities.playbook_shelf import PlaybookShelf
from activities.speech import SpeechActivities
from activities.spoken_lines import SpokenLines
from core.contracts.call import CallOpening, Direction, GatewayAddress, ReplyKey, SpeakLine
from core.manner import Manner
from core.playback import Kept
from core.playbook import Playbook
from storage.speech_cache import KeptSpeech
from tests.world.fakes import FakeFeed, FakePlayback, FakePlaybackLine, FakePlaybooks, FakeVoice, broken
from tests.world.playbook import orders

GATEWAY = GatewayAddress(1, "ws://gateway", "http://gateway")


class Booth:
    """The activities and what stands around them."""

    def __init__(self) -> None:
        self.playbook: Playbook = orders()
        self.voice = FakeVoice()
        self.line = FakePlaybackLine()
        self.feed = FakeFeed()
        self.spoken: list[FakePlayback] = []
        self.line.listeners["C1"] = self._told
        shelf = PlaybookShelf(FakePlaybooks(self.playbook))
        lines = SpokenLines(self.voice, KeptSpeech("fake", 1_000_000))
        self.activities = SpeechActivities(self.voice, lines, self.line, shelf, self.feed)

    def _told(self, what: str, playback: FakePlayback) -> None:
        if what == "finished":
            self.spoken.append(playback)

    def line_of(self, text: str, *, attempt: int = 1, prepare: bool = False) -> SpeakLine:
        """A request."""
        opening = CallOpening(Direction.INBOUND, self.playbook.ref, "+12025550123", "+12025550001")
        key = ReplyKey(1, 0, 0, attempt)
        return SpeakLine("C1", self.playbook.ref, GATEWAY, key, text, prepare, opening if prepare else None)


async def test_line_of_the_playbook_is_synthesised_once() -> None:
    booth = Booth()
    first = await ActivityEnvironment().run(booth.activities.speak_line, booth.line_of("Are you there?"))
    again = await ActivityEnvironment().run(booth.activities.speak_line, booth.line_of("Are you there?"))
    assert [playback.text for playback in booth.spoken] == ["Are you there?", "Are you there?"]
    assert booth.voice.opened == 1
    assert (first.usage.characters, again.usage.characters) == (14, 0)
    assert again.timings.first_pushed_ms is not None


async def test_line_that_another_voice_had_to_speak_is_spoken_anew_the_next_time() -> None:
    booth = Booth()
    booth.voice.stand_in = "deepgram aura-2-thalia-en"
    first = await ActivityEnvironment().run(booth.activities.speak_line, booth.line_of("Are you there?"))
    booth.voice.stand_in = ""
    again = await ActivityEnvironment().run(booth.activities.speak_line, booth.line_of("Are you there?"))
    assert (first.usage.voice, again.usage.voice) == ("deepgram aura-2-thalia-en", "")
    assert booth.voice.opened == 2


async def test_operators_line_is_not_kept() -> None:
    booth = Booth()
    for _ in range(2):
        await ActivityEnvironment().run(booth.activities.speak_line, booth.line_of("We close at six."))
    assert booth.voice.opened == 2


async def test_preparing_gives_holding_lines_and_keeps_the_apology_ready() -> None:
    booth = Booth()
    request = booth.line_of("I am an AI assistant. How can I help?", prepare=True)
    await ActivityEnvironment().run(booth.activities.speak_line, request)
    assert [text for text, _ in booth.line.holding_lines["C1"]] == ["One moment, please."]
    assert booth.feed.kinds("C1") == ["call_started", "phase"]
    booth.voice.faults.always = broken("unauthorized", curable=False)
    await ActivityEnvironment().run(booth.activities.speak_line, booth.line_of(booth.playbook.apology))
    assert booth.spoken[-1].text == booth.playbook.apology


async def test_line_that_was_spoken_stands_even_if_nothing_could_be_prepared() -> None:
    booth = Booth()
    request = booth.line_of("I am an AI assistant. How can I help?", prepare=True)
    await ActivityEnvironment().run(booth.activities.speak_line, booth.line_of("I am an AI assistant. How can I help?"))
    booth.voice.faults.always = broken()
    reply = await ActivityEnvironment().run(booth.activities.speak_line, request)
    assert not reply.closed
    assert booth.line.holding_lines == {}


async def test_later_attempt_goes_on_after_the_sentences_kept() -> None:
    booth = Booth()
    booth.line.kept["C1", 1, 0, 0] = Kept(("I am an AI assistant.",))
    request = booth.line_of("I am an AI assistant. How can I help?", attempt=2)
    reply = await ActivityEnvironment().run(booth.activities.speak_line, request)
    assert booth.spoken[-1].text == "How can I help?"
    assert reply.text == "I am an AI assistant. How can I help?"


async def test_later_attempt_of_a_line_that_was_kept_costs_no_request() -> None:
    booth = Booth()
    await ActivityEnvironment().run(booth.activities.speak_line, booth.line_of("I am an AI assistant. How can I help?"))
    booth.line.kept["C1", 1, 0, 0] = Kept(("I am an AI assistant.",))
    request = booth.line_of("I am an AI assistant. How can I help?", attempt=2)
    await ActivityEnvironment().run(booth.activities.speak_line, request)
    assert booth.spoken[-1].text == "How can I help?"
    assert booth.voice.opened == 1


async def test_later_attempt_of_a_line_that_was_kept_says_what_a_broken_sentence_lacks() -> None:
    booth = Booth()
    line = booth.line_of("I am an AI assistant. How can I help?")
    await ActivityEnvironment().run(booth.activities.speak_line, line)
    booth.line.kept["C1", 1, 0, 0] = Kept(("I am", "an AI"), "assistant.")
    again = booth.line_of("I am an AI assistant. How can I help?", attempt=2)
    reply = await ActivityEnvironment().run(booth.activities.speak_line, again)
    assert booth.spoken[-1].sentences == ["assistant.", "How can I help?"]
    assert reply.text == "I am an AI assistant. How can I help?"
    await ActivityEnvironment().run(booth.activities.speak_line, line)
    assert booth.spoken[-1].text == "I am an AI assistant. How can I help?"  # what is kept of it is whole


async def test_fixed_lines_sound_alike_in_every_mood_and_others_do_not() -> None:
    booth = Booth()
    angry = Manner(stability=0.9, mood_speed=0.9)
    for line in ("Are you there?", "Are you there?", "We close at six."):
        await ActivityEnvironment().run(booth.activities.speak_line, replace(booth.line_of(line), manner=angry))
    assert [(voice.stability, voice.speed) for voice in booth.voice.settings] == [(0.5, 1.0), (0.9, 0.9)]


async def test_caller_who_asked_to_slow_down_hears_fixed_lines_slowly() -> None:
    booth = Booth()
    await ActivityEnvironment().run(booth.activities.speak_line, booth.line_of("Are you there?"))
    slow = replace(booth.line_of("Are you there?"), manner=Manner(speed=0.5))
    await ActivityEnvironment().run(booth.activities.speak_line, slow)
    assert [voice.speed for voice in booth.voice.settings] == [1.0, 0.7]
