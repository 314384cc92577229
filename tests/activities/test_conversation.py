"""Activities of a turn, each in an activity environment with fakes behind its ports."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.conversation import LOAD_S, ConversationActivities
from activities.note_writing import NoteWriter
from activities.playbook_shelf import PlaybookShelf, voice_of
from activities.spoken_lines import SpokenLines
from core.contracts.call import GatewayAddress, MatchStep, ReasonStep, ReplyKey, Respond
from core.conversation import ToolCall
from core.key_tones import tones
from core.memory import Memory
from core.playback import Kept
from core.playbook import Playbook, parse_playbook
from core.ports.reasoner import TextPiece
from storage.speech_cache import KeptSpeech
from tests.world.fakes import (
    FakeFeed,
    FakePlayback,
    FakePlaybackLine,
    FakePlaybooks,
    FakeReasoner,
    FakeRecogniser,
    FakeVoice,
    broken,
)
from tests.world.playbook import ORDERS, orders

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
GATEWAY = GatewayAddress(1, "ws://gateway", "http://gateway")


class Desk:
    """The activities and what stands around them."""

    def __init__(self, playbooks: FakePlaybooks | None = None) -> None:
        self.reasoner = FakeReasoner()
        self.voice = FakeVoice()
        self.line = FakePlaybackLine()
        self.feed = FakeFeed()
        self.replies: asyncio.Queue[tuple[str, FakePlayback]] = asyncio.Queue()
        self.line.listeners["C1"] = lambda what, playback: self.replies.put_nowait((what, playback))
        self.shelf = PlaybookShelf(playbooks or FakePlaybooks(orders()))
        self.lines = SpokenLines(FakeVoice(), KeptSpeech("fake", 1_000_000))
        self.activities = ConversationActivities(
            self.reasoner,
            self.voice,
            FakeRecogniser(),
            self.lines,
            self.line,
            self.shelf,
            self.feed,
            NoteWriter(self.reasoner, self.shelf, self.feed),
        )

    async def told(self, what: str) -> FakePlayback:
        """The reply to which this happens next."""
        while True:
            happened, playback = await self.replies.get()
            if happened == what:
                return playback


def respond(attempt: int = 1, fillers: tuple[str, ...] = ()) -> Respond:
    key = ReplyKey(1, 1, 0, attempt)
    return Respond(
        call_id="C1",
        playbook=orders().ref,
        gateway=GATEWAY,
        key=key,
        step="order_status",
        caller_text="Where is it?",
        caller_number="+12025550123",
        fillers=fillers,
        filler_after_ms=10,
    )


async def test_sentences_reach_the_gateway_while_the_model_still_writes() -> None:
    desk = Desk()
    rest = asyncio.Event()
    desk.reasoner.will_say([TextPiece("It left on Monday. It ar"), rest, TextPiece("rives on Friday.")])
    running = asyncio.ensure_future(ActivityEnvironment().run(desk.activities.respond, respond()))
    playback = await desk.told("pushed")
    assert playback.sentences == ["It left on Monday."]
    rest.set()
    reply = await running
    assert reply.text == "It left on Monday. It arrives on Friday."
    assert playback.finished
    assert not reply.closed
    assert reply.usage.characters == len("It left on Monday.") + len("It arrives on Friday.")


async def test_a_voice_that_stood_in_is_told_with_what_the_answer_cost() -> None:
    desk = Desk()
    desk.voice.stand_in = "deepgram aura-2-thalia-en"
    reply = await ActivityEnvironment().run(desk.activities.respond, respond())
    assert reply.usage.voice == "deepgram aura-2-thalia-en"
    desk.voice.stand_in = ""
    assert (await ActivityEnvironment().run(desk.activities.respond, respond())).usage.voice == ""


async def test_stamps_are_in_the_order_of_the_way() -> None:
    desk = Desk()
    desk.reasoner.will_say("It left on Monday.")
    reply = await ActivityEnvironment().run(desk.activities.respond, respond())
    stamps = reply.timings
    way = [stamps.started_ms, stamps.model_first_token_ms, stamps.first_sentence_ms, stamps.voice_first_byte_ms]
    known = [stamp for stamp in way if stamp is not None]
    assert len(known) == 4
    assert known == sorted(known)
    assert stamps.first_pushed_ms is not None


async def test_closing_stops_the_model_at_once() -> None:
    desk = Desk()
    desk.reasoner.will_say([TextPiece("It left on Monday. "), asyncio.Event(), ToolCall("t1", "find_order")])
    running = asyncio.ensure_future(ActivityEnvironment().run(desk.activities.respond, respond()))
    (await desk.told("pushed")).close()
    async with asyncio.timeout(0.5):
        reply = await running
    assert reply.closed
    assert reply.text == "It left on Monday."
    assert reply.tool_calls == ()
    assert (reply.usage.model, reply.usage.input_tokens) == ("fake", 10)  # what was asked is paid for all the same


async def test_lost_socket_fails_for_the_workflow_to_decide() -> None:
    desk = Desk()
    desk.reasoner.will_say([TextPiece("It left on Monday. "), asyncio.Event()])
    running = asyncio.ensure_future(ActivityEnvironment().run(desk.activities.respond, respond()))
    (await desk.told("pushed")).lose()
    with pytest.raises(ApplicationError) as failure:
        await running
    assert failure.value.type == "PlaybackLost"
    assert failure.value.non_retryable


async def test_later_attempt_tells_the_model_what_was_kept() -> None:
    desk = Desk()
    desk.line.kept["C1", 1, 1, 0] = Kept(("It left on Monday.",))
    desk.reasoner.will_say("It arrives on Friday.")
    reply = await ActivityEnvironment().run(desk.activities.respond, respond(attempt=2))
    assert reply.text == "It left on Monday. It arrives on Friday."
    assert "It left on Monday." in desk.reasoner.prompts[0].messages[-1].text


async def test_later_attempt_says_what_a_broken_sentence_lacks_before_the_model_goes_on_after_it() -> None:
    desk = Desk()
    desk.line.kept["C1", 1, 1, 0] = Kept(("It left on Monday.", "It arrives"), "on Friday.")
    written = asyncio.Event()
    desk.reasoner.will_say([written, TextPiece("Anything else?")])
    running = asyncio.ensure_future(ActivityEnvironment().run(desk.activities.respond, respond(attempt=2)))
    assert (await desk.told("pushed")).sentences == ["on Friday."]  # without a word of the model
    written.set()
    reply = await running
    assert reply.text == "It left on Monday. It arrives on Friday. Anything else?"
    assert "It left on Monday. It arrives on Friday." in desk.reasoner.prompts[0].messages[-1].text


MENU = ORDERS.replace("tools: [find_order]", "tools: [find_order, press_keys]")
PRESSES = ToolCall("toolu_1", "press_keys", {"keys": "w2#"})


async def test_keys_are_pressed_as_tones_after_what_is_said_and_told_to_the_call() -> None:
    desk = Desk(FakePlaybooks(menu := parse_playbook(MENU)))
    desk.reasoner.will_say([TextPiece("One moment."), PRESSES])
    reply = await ActivityEnvironment().run(desk.activities.respond, replace(respond(), playbook=menu.ref))
    playback = await desk.told("finished")
    assert playback.sentences == ["One moment.", "(pressed w2#)"]
    assert playback.audio[-1] == tones("w2#")
    assert (reply.text, reply.tool_calls) == ("One moment. (pressed w2#)", ())
    assert reply.usage.characters == len("One moment.")


async def test_keys_alone_are_an_answer() -> None:
    desk = Desk(FakePlaybooks(menu := parse_playbook(MENU)))
    desk.reasoner.will_say([PRESSES])
    reply = await ActivityEnvironment().run(desk.activities.respond, replace(respond(), playbook=menu.ref))
    assert (reply.text, (await desk.told("finished")).audio) == ("(pressed w2#)", [tones("w2#")])


@pytest.mark.parametrize(("text", "keys"), [(MENU, "1" * 33), (MENU, "call 911"), (MENU, ""), (ORDERS, "2")])
async def test_what_are_no_keys_or_none_for_this_step_is_not_pressed(text: str, keys: str) -> None:
    desk = Desk(FakePlaybooks(playbook := parse_playbook(text)))
    desk.reasoner.will_say([TextPiece("One moment."), replace(PRESSES, arguments={"keys": keys})])
    reply = await ActivityEnvironment().run(desk.activities.respond, replace(respond(), playbook=playbook.ref))
    assert (reply.text, reply.tool_calls) == ("One moment.", ())


async def test_answer_without_words_or_tools_is_a_failure_that_a_retry_may_cure() -> None:
    desk = Desk()
    desk.reasoner.will_say([TextPiece("  ")])
    with pytest.raises(ApplicationError) as failure:
        await ActivityEnvironment().run(desk.activities.respond, respond())
    assert (failure.value.type, failure.value.non_retryable) == ("broken", False)


@pytest.mark.parametrize(("kind", "curable"), [("unauthorized", False), ("overloaded", True)])
async def test_vendors_failure_is_told_and_noted(kind: str, curable: bool) -> None:
    desk = Desk()
    desk.voice.faults.always = broken(kind, curable=curable)
    desk.reasoner.will_say("It left on Monday.")
    with pytest.raises(ApplicationError) as failure:
        await ActivityEnvironment().run(desk.activities.respond, respond())
    assert (failure.value.type, failure.value.non_retryable) == (kind, not curable)
    assert desk.feed.kinds("C1") == ["problem"]


async def test_match_step_is_unsure_when_the_playbook_is_not_at_hand() -> None:
    class SlowPlaybooks(FakePlaybooks):
        async def load(self, ref: str) -> Playbook:
            await asyncio.Event().wait()
            return await super().load(ref)

    desk = Desk(SlowPlaybooks(orders()))
    request = MatchStep("C1", orders().ref, "order_status", "Where is my order?", 1)
    async with asyncio.timeout(2 * LOAD_S + 1):
        step = await ActivityEnvironment().run(desk.activities.match_step, request)
    assert step.name is None


async def test_words_lead_back_from_a_detour_to_where_the_way_goes_on() -> None:
    reminder = parse_playbook((PLAYBOOKS / "appointment_reminder.yaml").read_text())
    desk = Desk(FakePlaybooks(reminder))
    request = MatchStep("C1", reminder.ref, "question", "Do you have a later slot?", 3)
    assert (await ActivityEnvironment().run(desk.activities.match_step, request)).name is None
    request = replace(request, memory=Memory(at="move"))
    assert (await ActivityEnvironment().run(desk.activities.match_step, request)).name == "move"


async def test_match_step_notes_what_it_found() -> None:
    desk = Desk()
    request = MatchStep("C1", orders().ref, "returns", "Where is my order?", 3)
    step = await ActivityEnvironment().run(desk.activities.match_step, request)
    assert (step.name, step.method) == ("order_status", "lexical")
    (line,) = desk.feed.lines["C1"]
    assert (line.kind, line.data["turn"], line.data["step"]) == ("step_found", 3, "order_status")


async def test_step_that_is_not_in_the_playbook_is_not_believed() -> None:
    desk = Desk()
    desk.reasoner.steps.append("sell_more")
    request = ReasonStep("C1", orders().ref, "returns", 2, "Hm.")
    step = await ActivityEnvironment().run(desk.activities.reason_step, request)
    assert (step.name, step.method) == ("returns", "kept")


async def test_unknown_playbook_is_no_use_trying_again() -> None:
    desk = Desk(FakePlaybooks())
    with pytest.raises(ApplicationError) as failure:
        await ActivityEnvironment().run(desk.activities.respond, respond())
    assert (failure.value.type, failure.value.non_retryable) == ("UnknownPlaybook", True)


async def test_caller_hears_a_filler_where_the_model_is_slow() -> None:
    desk = Desk()
    await desk.lines.get(voice_of(orders(), "en"), "Let me see.")
    gate = asyncio.Event()
    desk.reasoner.will_say([gate, TextPiece("It left on Monday.")])
    running = asyncio.ensure_future(
        ActivityEnvironment().run(desk.activities.respond, respond(fillers=("Let me see.",)))
    )
    playback = await desk.told("pushed")
    assert playback.sentences == ["Let me see."]
    assert playback.timings is not None
    gate.set()
    reply = await running
    assert playback.sentences == ["Let me see.", "It left on Monday."]
    assert (reply.text, reply.fillers) == ("Let me see. It left on Monday.", 1)
    assert reply.usage.characters == len("It left on Monday.")


async def test_answer_made_ahead_has_fillers_too() -> None:
    desk = Desk()
    await desk.lines.get(voice_of(orders(), "en"), "Let me see.")
    gate = asyncio.Event()
    desk.reasoner.will_say([gate, TextPiece("It left on Monday.")])
    request = replace(respond(fillers=("Let me see.",)), hold="where is it")
    running = asyncio.ensure_future(ActivityEnvironment().run(desk.activities.respond, request))
    assert (await desk.told("pushed")).sentences == ["Let me see."]
    gate.set()
    assert (await running).text == "Let me see. It left on Monday."


async def test_answer_in_time_has_no_filler() -> None:
    desk = Desk()
    await desk.lines.get(voice_of(orders(), "en"), "Let me see.")
    rest = asyncio.Event()
    desk.reasoner.will_say([TextPiece("It left on Monday. It ar"), rest, TextPiece("rives on Friday.")])
    request = replace(respond(fillers=("Let me see.",)), filler_after_ms=50)
    running = asyncio.ensure_future(ActivityEnvironment().run(desk.activities.respond, request))
    playback = await desk.told("pushed")
    asyncio.get_running_loop().call_later(0.1, rest.set)
    reply = await running
    assert playback.sentences == ["It left on Monday.", "It arrives on Friday."]
    assert reply.fillers == 0


async def test_filler_that_is_not_at_hand_is_never_waited_for() -> None:
    desk = Desk()
    gate = asyncio.Event()
    desk.reasoner.will_say([gate, TextPiece("It left on Monday.")])
    running = asyncio.ensure_future(
        ActivityEnvironment().run(desk.activities.respond, respond(fillers=("Let me see.",)))
    )
    asyncio.get_running_loop().call_later(0.1, gate.set)
    assert (await running).text == "It left on Monday."


async def test_filler_of_an_earlier_attempt_is_no_part_of_the_answer() -> None:
    playbook = parse_playbook(ORDERS.replace("fillers: []", 'fillers: ["Let me see.", "Just a second."]'))
    desk = Desk(FakePlaybooks(playbook))
    request = replace(respond(attempt=2, fillers=playbook.fillers), playbook=playbook.ref)
    desk.line.kept["C1", 1, 1, 0] = Kept(("Let me see.",))
    desk.reasoner.will_say("It left on Monday.")
    reply = await ActivityEnvironment().run(desk.activities.respond, request)
    assert reply.text == "Let me see. It left on Monday."
    assert "Let me see." not in str(desk.reasoner.prompts[0].messages)
    desk.reasoner.will_say([TextPiece("  ")])
    with pytest.raises(ApplicationError, match="without words"):
        await ActivityEnvironment().run(desk.activities.respond, request)


async def test_later_attempt_says_other_fillers() -> None:
    playbook = parse_playbook(ORDERS.replace("fillers: []", 'fillers: ["Let me see.", "Just a second."]'))
    desk = Desk(FakePlaybooks(playbook))
    for filler in playbook.fillers:
        await desk.lines.get(voice_of(playbook), filler)
    desk.line.kept["C1", 1, 1, 0] = Kept(("Let me see.",))
    gate = asyncio.Event()
    desk.reasoner.will_say([gate, TextPiece("It left on Monday.")])
    request = replace(respond(attempt=2, fillers=playbook.fillers), playbook=playbook.ref)
    running = asyncio.ensure_future(ActivityEnvironment().run(desk.activities.respond, request))
    assert (await desk.told("pushed")).sentences == ["Just a second."]
    gate.set()
    reply = await running
    assert (reply.text, reply.fillers) == ("Let me see. Just a second. It left on Monday.", 2)


async def test_caller_who_cuts_a_filler_short_stops_the_answer() -> None:
    desk = Desk()
    await desk.lines.get(voice_of(orders(), "en"), "Let me see.")
    desk.reasoner.will_say([asyncio.Event()])
    running = asyncio.ensure_future(
        ActivityEnvironment().run(desk.activities.respond, respond(fillers=("Let me see.",)))
    )
    (await desk.told("pushed")).close()
    reply = await running
    assert (reply.closed, reply.text) == (True, "Let me see.")
