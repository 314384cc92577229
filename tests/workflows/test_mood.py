"""How the caller feels: read on the way, heard in the voice, and a reason for a person."""

from core.contracts import names
from core.outcome import Disposition
from core.playbook import Playbook, parse_playbook
from core.ports.speech import VoiceSettings
from tests.world.fakes import broken
from tests.world.playbook import ORDERS
from tests.world.world import CallWorld

SORRY = "I am sorry. I am connecting you."


def playbook(mood: str) -> Playbook:
    return parse_playbook(ORDERS + f"mood: {mood}\n")


async def test_mood_comes_with_the_step_and_sets_the_voice(world: CallWorld) -> None:
    call = await world.answered_call(playbook("{voices: {angry: {stability: 0.9, speed: 0.9}}}"))
    world.reasoner.moods.append("angry")
    await call.asks("This is a shambles.")
    assert world.voice.settings[-1] == VoiceSettings(world.voice.settings[0].voice_id, stability=0.9, speed=0.9)
    assert (await call.state()).mood == "angry"
    assert [turn.mood for turn in await call.transcript()] == ["", "angry"]
    world.reasoner.moods.append("calm")
    await call.asks("Well then.")
    assert world.voice.settings[-1] == world.voice.settings[0]
    told = [line.data["mood"] for line in world.feed.lines[call.id] if line.kind == "mood"]
    assert told == ["angry", "calm"]


async def test_mood_is_read_beside_the_answer_where_words_tell_the_step(world: CallWorld) -> None:
    call = await world.answered_call(playbook("{every: 2}"))
    world.reasoner.moods.append("upset")
    await call.asks("Where is my order?")
    assert world.reasoner.moods, "not due yet"
    await call.asks("When does my parcel arrive?")
    await call.activity_has_ended(names.READ_MOOD)
    assert (await call.state()).mood == "upset"
    assert [turn.mood for turn in await call.transcript()] == ["", "", "upset"]
    assert (await call.transcript())[2].step_usage.input_tokens == 20


async def test_mood_that_cannot_be_read_holds_up_nothing(world: CallWorld) -> None:
    call = await world.answered_call(playbook("{every: 1}"))
    world.reasoner.step_faults.always = broken("unauthorized", curable=False)
    assert await call.asks("Where is my order?") == "You said: Where is my order?"
    assert await call.asks("When does my parcel arrive?") == "You said: When does my parcel arrive?"
    assert (await call.state()).mood == ""


async def test_caller_who_stays_upset_is_handed_to_a_person(world: CallWorld) -> None:
    call = await world.answered_call(playbook(f"{{escalate_after: 2, escalation_line: '{SORRY}'}}"))
    world.reasoner.moods.extend(["upset", "angry"])
    await call.asks("This is a shambles.")
    assert await call.asks("Really.") == "You said: Really."
    assert await call.hears() == SORRY
    assert (await call.redirected()).number == "+12025550100"
    await call.hangs_up()
    assert await call.disposition() is Disposition.TRANSFERRED


async def test_caller_who_calms_down_stays(world: CallWorld) -> None:
    call = await world.answered_call(playbook("{escalate_after: 2}"))
    world.reasoner.moods.extend(["upset", "calm", "upset"])
    for words in ("This is a shambles.", "Well then.", "Really."):
        assert await call.asks(words) == f"You said: {words}"
    assert (await call.state()).next == "wait for the caller"


async def test_mood_is_not_asked_for_where_the_playbook_says_so(world: CallWorld) -> None:
    call = await world.answered_call(playbook("{read: false}"))
    world.reasoner.moods.append("angry")
    await call.asks("This is a shambles.")
    assert world.reasoner.moods
    assert (await call.transcript())[1].mood == ""


async def test_mood_of_a_turn_that_was_none_is_forgotten(world: CallWorld) -> None:
    call = await world.answered_call(playbook("{escalate_after: 1}"))
    world.reasoner.moods.extend(["angry", "calm"])
    call.reports = False
    await call.probably_says("This is a shambles")
    withdrawn = await call.next_reply()
    await call.goes_on()
    withdrawn.close()
    call.reports = True
    assert await call.asks("This is a shambles of a pub, I love it.")
    assert [turn.mood for turn in await call.transcript()] == ["", "calm"]
    assert (await call.state()).next == "wait for the caller"


async def test_mood_of_a_turn_answered_ahead_counts_once_it_is_one(world: CallWorld) -> None:
    call = await world.answered_call(playbook(f"{{every: 1, escalate_after: 2, escalation_line: '{SORRY}'}}"))
    world.reasoner.moods.extend(["upset", "angry"])
    turn = await call.probably_says("This is a shambles")
    await call.has_said(turn)
    assert await call.hears() == "You said: This is a shambles"
    turn = await call.probably_says("Where is my order?")
    await call.has_said(turn)
    assert await call.hears() == "You said: Where is my order?"
    await call.activity_has_ended(names.READ_MOOD)
    assert await call.asks("Really.") == "You said: Really."
    assert await call.hears() == SORRY
    assert [turn.mood for turn in await call.transcript()][1:3] == ["upset", "angry"]
