"""How calls go, from the first word to the record."""

import asyncio
from dataclasses import replace

import pytest
from temporalio.client import WorkflowUpdateFailedError

from core.contracts import names
from core.contracts.call import DialEnded, End, Phase, Say, TakeOver, Transfer, Verb
from core.conversation import ToolCall, Transcribed
from core.outcome import CarrierState, Disposition
from core.ports.reasoner import TextPiece
from core.timings import TRANSCRIPT
from tests.world.fakes import broken
from tests.world.playbook import orders
from tests.world.world import PATIENCE_S, QUICK, CallWorld, ScriptedCall

GREETING = "I am an AI assistant. How can I help?"


async def test_caller_is_greeted_answered_and_hangs_up(world: CallWorld) -> None:
    call = await world.call()
    answer = await call.attach()
    assert answer.accepted
    assert answer.next_turn == 1
    assert await call.hears() == GREETING
    world.reasoner.will_say("It arrives tomorrow. Anything else?")
    assert await call.asks("Where is my order?") == "It arrives tomorrow. Anything else?"
    await call.hangs_up()
    result = await call.result()
    assert result.disposition is Disposition.CALLER_HUNG_UP
    assert result.turns == 1
    assert world.telephony.hung_up == []


async def test_what_a_call_leaves_behind(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.asks("Where is my order?")
    await call.asks("When does my parcel arrive?")
    await call.hangs_up()
    await call.result()
    await call.after_call()
    record = world.store.records[call.id]
    assert record.disposition is Disposition.CALLER_HUNG_UP
    assert record.phase is Phase.ENDED
    assert [turn.turn for turn in record.turns] == [0, 1, 2]
    assert record.turns[0].heard == GREETING
    assert record.turns[1].step == "order_status"
    assert record.turns[1].step_method == "lexical"
    assert record.turns[1].heard == "You said: Where is my order?"
    assert record.turns[1].usage.model == "fake"
    assert world.store.summaries[call.id].topic == "orders"
    assert world.store.summary_usages[call.id].input_tokens == 30
    assert world.crm.notes[f"{call.id}:note"].disposition is Disposition.CALLER_HUNG_UP
    assert world.store.crm_notes[call.id] == f"note-{call.id}"
    kinds = world.feed.kinds(call.id)
    talk, after = ["call_started", "phase", "step_found", "step_found"], ["call_summarized", "crm_synced"]
    assert kinds == [*talk, "call_ended", *after, "after_call_changed"]


async def test_a_reply_brings_what_was_heard_of_it(world: CallWorld) -> None:
    world.playback.tells_what_was_heard = True
    call = await world.call()
    call.reports = False
    await call.attach()
    await call.hears()
    world.reasoner.will_say("Thank you, bye.")
    await call.asks("No, nothing else, goodbye.")
    assert await call.disposition() is Disposition.COMPLETED
    await call.after_call()
    turns = world.store.records[call.id].turns
    assert [turn.heard for turn in turns] == [GREETING, "Thank you, bye."]
    assert [(turn.played_ms, turn.talk_over_ms) for turn in turns] == [(1_000, 40)] * 2


async def test_gateway_gets_the_holding_lines_with_the_greeting(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.asks("Where is my order?")
    lines = world.playback.holding_lines[call.id]
    assert [text for text, _ in lines] == ["One moment, please."]
    assert lines[0][1]


async def test_step_that_ends_the_call_says_goodbye_and_hangs_up(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say("Thank you, bye.")
    assert await call.asks("No, nothing else, goodbye.") == "Thank you, bye."
    assert await call.disposition() is Disposition.COMPLETED
    assert world.telephony.hung_up == [call.carrier_call_id]


async def test_model_ends_the_call_with_the_farewell_when_it_says_nothing_itself(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([ToolCall("t1", "end_call")])
    await call.caller_says("Where is my order?")
    await call.next_reply()
    assert await call.hears() == "Goodbye."
    assert await call.disposition() is Disposition.COMPLETED


async def test_caller_who_goes_on_after_the_goodbye_is_answered(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    world.reasoner.will_say("Thank you, bye.")
    await call.caller_says("No, nothing else, goodbye.")
    goodbye = await call.next_reply()
    await call.report(goodbye, heard="Thank you")
    assert await call.asks("Where is my order?") == "You said: Where is my order?"
    call.reports = True
    assert (await call.state()).disposition is None


async def test_unsure_words_have_the_model_find_the_step(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.steps.append("returns")
    await call.asks("These boots pinch terribly.")
    (_, turn) = await call.transcript()
    assert (turn.step, turn.step_method) == ("returns", "model")
    assert (turn.step_usage.model, turn.step_usage.input_tokens) == ("fake", 20)
    assert turn.usage.input_tokens == 10


async def test_a_step_the_model_did_not_find_is_paid_for_all_the_same(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.asks("These boots pinch terribly.")
    (_, turn) = await call.transcript()
    assert (turn.step_method, turn.step_usage.input_tokens) == ("kept", 20)


async def test_step_stays_when_even_the_model_fails(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.asks("Can I return the shoes?")
    world.reasoner.step_faults.always = broken()
    assert await call.asks("Fine weather, quite.")
    assert [(turn.step, turn.step_method) for turn in await call.transcript()][1:] == [
        ("returns", "lexical"),
        ("returns", "kept"),
    ]


async def test_low_confidence_turn_is_transcribed_again(world: CallWorld) -> None:
    call = await world.answered_call()
    world.recogniser.text = "Where is my order?"
    await call.caller_says("Wear is my odour?", confidence=0.2)
    reply = await call.next_reply()
    assert reply.text == "You said: Where is my order?"
    assert reply.timings is not None
    assert reply.timings.before[TRANSCRIPT] > 0
    (_, turn) = await call.transcript()
    assert (turn.caller, turn.confidence) == ("Where is my order?", 0.95)
    await call.hangs_up()
    await call.result()
    await call.after_call()
    assert world.store.records[call.id].heard_again == (Transcribed("deepgram nova-3", 1.0),)


async def test_unsure_text_serves_when_it_cannot_be_transcribed_again(world: CallWorld) -> None:
    call = await world.answered_call()
    world.recogniser.faults.always = broken()
    await call.caller_says("Where is my order?", confidence=0.2)
    assert await call.hears() == "You said: Where is my order?"


async def test_same_turn_by_update_and_signal_is_answered_once(world: CallWorld) -> None:
    call = await world.answered_call()
    turn = call.words("Where is my order?")
    await call.handle.signal(names.CALLER_TURN_AGAIN, turn)
    assert (await call.send(turn)).known
    await call.hears()
    await call.asks("When does my parcel arrive?")
    assert [turn.caller for turn in await call.transcript()] == [
        "",
        "Where is my order?",
        "When does my parcel arrive?",
    ]
    assert len(world.reasoner.prompts) == 2


async def test_turn_that_comes_with_an_older_stream_is_not_lost(world: CallWorld) -> None:
    call = await world.answered_call()
    late = call.words("Where is my order?")
    await call.attach()
    assert await call.hears() == "Sorry, we were cut off."
    assert not (await call.send(late)).known
    reply = await call.next_reply()
    assert reply.text == "You said: Where is my order?"
    assert reply.key.attachment == 2
    following = replace(call.words("And when does my parcel arrive?"), turn=1)  # the number it was told to go on with
    await call.send(following)
    answer = await call.next_reply()
    assert (answer.key.turn, answer.key.part) == (1, 1)
    assert (await call.transcript())[1].caller == "Where is my order? And when does my parcel arrive?"


async def test_older_stream_is_refused(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.attach(5)
    assert await call.hears() == "Sorry, we were cut off."
    assert not (await call.try_attach(4)).accepted
    assert (await call.try_attach(5)).accepted
    assert await call.asks("Where is my order?")


async def test_barge_in_leaves_only_what_was_heard_in_memory(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    rest = asyncio.Event()
    world.reasoner.will_say([TextPiece("It left on Monday. "), rest, TextPiece("It arrives on Friday.")])
    await call.caller_says("Where is my order?")
    playback = await call.next_pushed("It left on Monday.")
    playback.close()
    await call.report(playback, heard="It left")
    await call.caller_says("When does my parcel arrive?")
    await call.hears()
    history = " ".join(message.text for message in world.reasoner.prompts[-1].messages)
    assert "It left" in history
    assert "Monday" not in history
    (_, turn, _) = await call.transcript()
    assert (turn.heard, turn.interrupted) == ("It left", True)


async def test_new_turn_overtakes_an_answer_that_is_still_being_made(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([asyncio.Event(), TextPiece("Never said.")], "The second answer.")
    await call.caller_says("Where is my order?")
    await call.next_opened(turn=1)
    assert await call.asks("When does my parcel arrive?") == "The second answer."


async def test_silence_is_met_with_prompts_then_the_call_ends(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.is_silent()
    assert await call.hears() == "Are you there? How can I help?"
    await call.is_silent()
    assert await call.hears() == "Hello?"
    await call.is_silent()
    assert await call.hears() == "Goodbye."
    assert await call.disposition() is Disposition.CALLER_SILENT


async def test_second_silence_in_a_step_is_met_with_its_help(world: CallWorld) -> None:
    playbook = orders()
    helped = playbook.steps[0].model_copy(update={"help": "The number is on your invoice."})
    call = await world.answered_call(playbook.model_copy(update={"steps": (helped, *playbook.steps[1:])}))
    world.reasoner.will_say("Sure. What is the number? Take it from the letter.")
    await call.asks("Where is my order?")
    await call.is_silent()
    assert await call.hears() == "Are you there? What is the number?"
    await call.is_silent()
    assert await call.hears() == "Hello? The number is on your invoice."


async def test_caller_who_has_to_find_something_is_given_time_without_asking_the_model(world: CallWorld) -> None:
    call = await world.answered_call()
    assert await call.asks("Give me a second, let me find it.") == "Take your time."
    assert not world.reasoner.prompts
    assert await call.asks("Where is my order?") == "You said: Where is my order?"


async def test_caller_who_asks_to_slow_down_is_spoken_to_slowly_from_then_on(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.asks("Please speak more slowly. Where is my order?")
    await call.asks("When does my parcel arrive?")
    assert [round(settings.speed, 2) for settings in world.voice.settings[-2:]] == [0.88, 0.88]
    assert world.playback.listens[-1].pause_ms == 400


async def test_answer_that_a_noise_kept_from_being_heard_is_given_when_nothing_follows(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    world.reasoner.will_say([asyncio.Event()], "It arrives tomorrow.")
    await call.caller_says("Where is my order?")
    silenced = await call.next_opened(turn=1)
    silenced.close()
    await call.report(silenced, heard="")
    await call.is_silent()
    again = await call.next_reply()
    assert (again.text, again.key.part) == ("It arrives tomorrow.", 1)


async def test_speech_starts_the_silence_prompts_anew(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.is_silent()
    assert await call.hears() == "Are you there? How can I help?"
    await call.asks("Where is my order?")
    await call.is_silent()
    assert await call.hears() == "Are you there? You said: Where is my order?"


async def test_call_that_takes_too_long_ends_with_the_farewell(world: CallWorld) -> None:
    timers = replace(QUICK, max_call=0.6)
    call = await world.answered_call(timers=timers)
    assert await call.hears() == "Goodbye."
    assert await call.disposition() is Disposition.COMPLETED


async def test_operator_has_a_line_said(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.handle.execute_update(names.SAY, Say("  We are open until six.  "))
    assert await call.hears() == "We are open until six."


async def test_operator_ends_the_call_with_a_line(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.handle.execute_update(names.END, End("test", "I have to go."))
    assert await call.hears() == "I have to go."
    assert await call.disposition() is Disposition.ENDED_BY_OPERATOR
    assert world.telephony.hung_up == [call.carrier_call_id]


async def test_cancelled_workflow_leaves_nobody_on_the_line(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.handle.cancel()
    assert await call.disposition() is Disposition.ENDED_BY_OPERATOR
    assert world.telephony.hung_up == [call.carrier_call_id]


@pytest.mark.parametrize(
    ("name", "message", "told"),
    [
        (names.SAY, Say("  "), "the text is empty"),
        (names.SAY, Say("x" * 601), "longer than 600"),
        (names.TRANSFER, Transfer("12345"), "that is no phone number like +12025550100"),
        (names.TAKE_OVER, TakeOver("+1 (202) 555"), "that is no phone number like +12025550100"),
        (names.END, End(line=" "), "the text is empty"),
    ],
)
async def test_bad_operator_input_is_refused_in_clear_words(
    world: CallWorld, name: str, message: object, told: str
) -> None:
    call = await world.answered_call()
    assert told in await refused(call, name, message)
    assert await call.asks("Where is my order?")


async def test_operators_come_too_late_when_the_call_ends(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    await call.handle.execute_update(names.END, End(line="Goodbye then."))
    closing = await call.next_reply()
    assert "the call has ended or is ending" in await refused(call, names.SAY, Say("Hello"))
    assert "the call has ended or is ending" in await refused(call, names.END, End())
    await call.report(closing)
    assert await call.disposition() is Disposition.ENDED_BY_OPERATOR


async def test_caller_who_asks_for_a_person_is_connected(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say("I will connect you.")
    assert await call.asks("Can I talk to a human?") == "I will connect you."
    verb = await call.redirected()
    assert (verb.verb, verb.number) == (Verb.DIAL, "+12025550100")
    assert (await call.state()).phase is Phase.TRANSFERRING
    assert (await call.carrier_asks()).verb is Verb.HANG_UP
    assert await call.disposition() is Disposition.TRANSFERRED
    assert (await call.search_attributes())["HoldfastEscalated"] == "true"


async def test_model_hands_the_caller_over(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say(
        [TextPiece("A colleague will help you."), ToolCall("t1", "transfer_to_human", {"reason": "angry"})]
    )
    await call.asks("Where is my order?")
    assert (await call.redirected()).verb is Verb.DIAL
    await call.carrier(CarrierState.COMPLETED, 9)
    assert await call.disposition() is Disposition.TRANSFERRED


async def test_model_hears_that_there_is_nobody_to_hand_over_to(world: CallWorld) -> None:
    call = await world.answered_call(orders(transfer_to=None))
    world.reasoner.will_say([ToolCall("t1", "transfer_to_human", {"reason": "angry"})], "Nobody is here today.")
    await call.caller_says("Where is my order?")
    await call.next_reply()
    assert await call.hears() == "Nobody is here today."


async def test_caller_whom_nobody_answers_comes_back_to_the_assistant(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.asks("Can I talk to a human?")
    assert (await call.redirected()).verb is Verb.DIAL
    await call.handle.signal(names.DIAL_ENDED, DialEnded("no-answer", reached=False))
    assert (await call.carrier_asks()).verb is Verb.CONNECT
    world.reasoner.will_say("Nobody could take your call.")
    await call.attach()
    assert await call.hears() == "Sorry, we were cut off."
    assert await call.hears() == "Nobody could take your call."
    assert (await call.state()).phase is Phase.LIVE


async def test_supervisor_takes_the_call_over(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.handle.execute_update(names.TAKE_OVER, TakeOver("+12025550177", "Kim"))
    verb = await call.redirected()
    assert (verb.verb, verb.number) == (Verb.DIAL, "+12025550177")
    told = await refused(call, names.TRANSFER, Transfer("+12025550100"))
    assert "being connected" in told
    assert "+1202555" not in told  # logs keep what was refused, and why
    assert (await call.carrier_asks()).verb is Verb.HANG_UP
    assert await call.disposition() is Disposition.TAKEN_OVER


async def test_operator_ends_a_transfer_under_way(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.handle.execute_update(names.TRANSFER, Transfer("+12025550177"))
    assert (await call.redirected()).verb is Verb.DIAL
    await call.handle.execute_update(names.END, End())
    assert await call.disposition() is Disposition.ENDED_BY_OPERATOR
    assert world.telephony.hung_up == [call.carrier_call_id]


async def test_state_tells_what_is_believed_confirmed_done_and_next(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([ToolCall("t1", "find_order", {"order_number": "482"})], "It is on its way.")
    await call.caller_says("Where is my order?")
    await call.next_reply()
    await call.hears()
    state = await call.state()
    assert state.step == "order_status"
    assert state.confirmed == {"order_number": "482"}
    assert state.done == ("turn 1: find_order",)
    assert state.last_caller == "Where is my order?"
    assert state.last_assistant == "It is on its way."
    assert state.turns == 1


async def test_search_attributes_follow_the_call(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.asks("Can I return the shoes?")
    await call.hangs_up()
    await call.result()
    assert await call.search_attributes() == {
        "HoldfastTenant": "default",
        "HoldfastPlaybook": call.call.playbook.ref,
        "HoldfastStep": "returns",
        "HoldfastPhase": "ended",
        "HoldfastOutcome": "caller_hung_up",
        "HoldfastEscalated": "false",
    }


async def refused(call: ScriptedCall, name: str, message: object) -> str:
    """The words an update is refused with."""
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        async with asyncio.timeout(PATIENCE_S):
            await call.handle.execute_update(name, message)
    return str(refusal.value.cause)
