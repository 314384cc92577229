"""What callers hear when parts die."""

import asyncio
from dataclasses import replace

from temporalio import activity

from activities.roster import roster
from core.contracts import names
from core.contracts.call import NextVerb, Phase, RecogniserFailed, Reply, Respond, StreamStatus, Verb
from core.contracts.gateway import GatewayLost
from core.conversation import ToolCall
from core.outcome import CarrierState, Disposition
from core.playback import Kept
from core.playbook import parse_playbook
from core.ports.reasoner import TextPiece
from core.timings import RETRIED
from tests.world.dying_worker import QUEUE, dying_worker
from tests.world.fakes import broken
from tests.world.playbook import ORDERS, orders
from tests.world.world import CallWorld

ALONE = orders(transfer_to=None)
APOLOGY = "I am sorry, something went wrong."


async def test_model_that_recovers_is_not_noticed(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.faults.coming.append(broken())
    await call.caller_says("Where is my order?")
    reply = await call.next_reply()
    assert reply.text == "You said: Where is my order?"
    assert reply.key.attempt == 2
    assert reply.timings is not None
    assert reply.timings.before[RETRIED] > 0


async def test_model_that_stays_away_is_apologised_for(world: CallWorld) -> None:
    call = await world.answered_call(ALONE)
    world.reasoner.faults.always = broken()
    assert await call.asks("Where is my order?") == APOLOGY
    assert await call.disposition() is Disposition.VENDOR_FAILURE
    assert len(world.reasoner.prompts) == 3
    assert world.telephony.hung_up == [call.carrier_call_id]
    assert "problem" in world.feed.kinds(call.id)


async def test_wrong_key_is_no_reason_to_try_again(world: CallWorld) -> None:
    call = await world.answered_call(ALONE)
    world.reasoner.faults.always = broken("unauthorized", curable=False)
    assert await call.asks("Where is my order?") == APOLOGY
    assert await call.disposition() is Disposition.VENDOR_FAILURE
    assert len(world.reasoner.prompts) == 1


async def test_failure_is_handed_over_where_the_playbook_says_to_whom(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.faults.always = broken("unauthorized", curable=False)
    assert await call.asks("Where is my order?") == APOLOGY
    verb = await call.redirected()
    assert (verb.verb, verb.number, verb.line) == (Verb.DIAL, "+12025550100", None)
    assert (await call.carrier_asks()).verb is Verb.HANG_UP
    assert await call.disposition() is Disposition.VENDOR_FAILURE


async def test_carrier_apologises_when_we_have_no_voice(world: CallWorld) -> None:
    world.voice.faults.always = broken("unauthorized", curable=False)
    call = await world.call(playbook=ALONE)
    await call.attach()
    verb = await call.redirected()
    assert (verb.verb, verb.line) == (Verb.HANG_UP, APOLOGY)
    assert await call.disposition() is Disposition.VENDOR_FAILURE


async def test_carrier_apologises_before_it_hands_over_when_we_have_no_voice(world: CallWorld) -> None:
    world.voice.faults.always = broken("unauthorized", curable=False)
    call = await world.call()
    await call.attach()
    verb = await call.redirected()
    assert (verb.verb, verb.number, verb.line) == (Verb.DIAL, "+12025550100", APOLOGY)
    await call.carrier(CarrierState.COMPLETED)
    assert await call.disposition() is Disposition.VENDOR_FAILURE


async def test_apology_is_spoken_from_memory_when_the_voice_has_gone(world: CallWorld) -> None:
    call = await world.answered_call(ALONE)
    await call.asks("Where is my order?")
    world.voice.faults.always = broken("unauthorized", curable=False)
    await call.caller_says("When does my parcel arrive?")
    assert await call.hears() == APOLOGY
    assert await call.disposition() is Disposition.VENDOR_FAILURE


async def test_deaf_gateway_ends_the_call_with_an_apology(world: CallWorld) -> None:
    call = await world.answered_call(ALONE)
    await call.handle.signal(names.RECOGNISER_FAILED, RecogniserFailed(call.attachment, call.seq(), "unauthorized"))
    assert await call.hears() == APOLOGY
    assert await call.disposition() is Disposition.VENDOR_FAILURE


async def test_lost_reply_goes_on_after_what_was_said(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([TextPiece("It left on Monday. "), asyncio.Event()], "It arrives on Friday.")
    await call.caller_says("Where is my order?")
    first = await call.next_pushed("It left on Monday.")
    world.playback.kept[call.id, 1, 1, 0] = Kept(("It left on Monday.",))
    await call.reply_lost(first.key)
    second = await call.next_reply()
    assert second.key == replace(first.key, attempt=2)
    assert second.text == "It arrives on Friday."
    assert "It left on Monday." in world.reasoner.prompts[-1].messages[-1].text
    assert (await call.transcript())[1].said == "It left on Monday. It arrives on Friday."


async def test_broken_socket_goes_on_with_what_the_gateway_kept(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([TextPiece("It left on Monday. "), asyncio.Event()], "It arrives on Friday.")
    await call.caller_says("Where is my order?")
    first = await call.next_pushed("It left on Monday.")
    world.playback.kept[call.id, 1, 1, 0] = Kept(("It left on Monday.",))
    first.lose()
    assert await call.hears() == "It arrives on Friday."
    assert "It left on Monday." in world.reasoner.prompts[-1].messages[-1].text


async def test_lost_gateway_is_replaced_and_the_answer_given_again(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([TextPiece("It left on Monday. "), asyncio.Event()], "It arrives on Friday.")
    await call.caller_says("Where is my order?")
    first = await call.next_pushed("It left on Monday.")
    world.playback.dead.add(call.playback_url(1))
    first.lose()
    assert (await call.redirected()).verb is Verb.CONNECT
    answer = await call.attach()
    assert (answer.accepted, answer.next_turn) == (True, 2)
    assert await call.hears() == "Sorry, we were cut off."
    again = await call.next_reply()
    assert (again.key.attachment, again.key.turn, again.text) == (2, 1, "It arrives on Friday.")
    assert await call.asks("When does my parcel arrive?")


async def test_answer_that_follows_is_announced_by_a_line_that_asks_for_nothing(world: CallWorld) -> None:
    call = await world.answered_call(parse_playbook(ORDERS + "picking_up: Sorry about that.\n"))
    world.reasoner.will_say([TextPiece("It left on Monday. "), asyncio.Event()], "It arrives on Friday.")
    await call.caller_says("Where is my order?")
    first = await call.next_pushed("It left on Monday.")
    await call.handle.signal(names.GATEWAY_LOST, GatewayLost(1))
    first.lose()
    assert (await call.redirected()).verb is Verb.CONNECT
    await call.attach()
    assert await call.hears() == "Sorry about that."
    assert (await call.next_reply()).text == "It arrives on Friday."
    await call.handle.signal(names.GATEWAY_LOST, GatewayLost(2))
    assert (await call.carrier_asks()).verb is Verb.CONNECT
    await call.attach()
    assert await call.hears() == "Sorry, we were cut off."


async def test_turn_whose_tool_ran_as_the_gateway_went_is_answered_on_the_next_one(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([ToolCall("t1", "find_order", {"order_number": "482"})], "It arrives on Friday.")
    world.crm.gate = asyncio.Event()
    await call.caller_says("Where is my order?")
    assert await call.hears() == ""
    await world.crm.running.wait()
    await call.lose_stream()
    world.crm.gate.set()
    assert (await call.redirected()).verb is Verb.CONNECT
    await call.attach()
    assert await call.hears() == "Sorry, we were cut off."
    assert (await call.next_reply()).text == "It arrives on Friday."
    assert len(world.crm.runs) == 1


async def test_workers_word_on_a_dead_gateway_is_enough_and_of_an_older_one_it_is_no_news(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.handle.signal(names.GATEWAY_LOST, GatewayLost(0))
    assert await call.asks("Where is my order?")
    await call.handle.signal(names.GATEWAY_LOST, GatewayLost(1))
    assert (await call.redirected()).verb is Verb.CONNECT
    await call.attach()
    await call.handle.signal(names.GATEWAY_LOST, GatewayLost(1))
    assert await call.hears() == "Sorry, we were cut off."
    assert await call.asks("When does my parcel arrive?")


async def test_greeting_that_nobody_heard_is_given_again(world: CallWorld) -> None:
    call = await world.call()
    call.reports = False
    await call.attach()
    await call.hears()
    await call.lose_stream()
    assert (await call.redirected()).verb is Verb.CONNECT
    await call.attach()
    assert await call.hears() == "I am an AI assistant. How can I help?"


async def test_carrier_that_comes_back_by_itself_is_not_called_back(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.lose_stream()
    assert (await call.carrier_asks()).verb is Verb.CONNECT
    assert (await call.state()).phase is Phase.CONNECTING
    await call.attach()
    assert await call.hears() == "Sorry, we were cut off."
    assert world.telephony.asked_again == []


async def test_stream_that_does_not_come_back_ends_the_call(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.lose_stream()
    assert await call.disposition() is Disposition.CONNECTION_LOST
    assert world.telephony.asked_again == [call.carrier_call_id]
    assert world.telephony.hung_up == [call.carrier_call_id]


async def test_call_without_any_stream_ends(world: CallWorld) -> None:
    call = await world.call()
    assert await call.disposition() is Disposition.CONNECTION_LOST


async def test_carriers_word_on_a_dead_stream_is_enough(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.handle.signal(names.STREAM_STATUS, StreamStatus("MZ0", "stream-stopped"))  # of another stream
    assert await call.asks("Where is my order?")
    await call.handle.signal(names.STREAM_STATUS, StreamStatus("MZ1", "stream-error", "31903"))
    assert (await call.redirected()).verb is Verb.CONNECT
    await call.attach()
    assert await call.hears() == "Sorry, we were cut off."


async def test_stopped_stream_of_a_leg_that_is_gone_was_the_caller_hanging_up(world: CallWorld) -> None:
    call = await world.answered_call()
    world.telephony.redirect_faults.always = broken("refused", curable=False)
    await call.lose_stream(stopped=True)  # and the carrier's status callback never comes
    assert await call.disposition() is Disposition.CALLER_HUNG_UP


async def test_hanging_up_that_fails_does_not_hold_the_call(world: CallWorld) -> None:
    call = await world.answered_call()
    world.telephony.hang_up_faults.always = broken("refused", curable=False)
    await call.asks("No, nothing else, goodbye.")
    assert await call.disposition() is Disposition.COMPLETED


async def test_transfer_the_carrier_refuses_is_apologised_for(world: CallWorld) -> None:
    call = await world.answered_call()
    world.telephony.redirect_faults.always = broken("refused", curable=False)
    await call.asks("Can I talk to a human?")
    assert await call.hears() == APOLOGY
    assert await call.disposition() is Disposition.VENDOR_FAILURE


async def test_matching_a_step_that_breaks_leaves_the_turn_to_the_model(world: CallWorld) -> None:
    call = await world.answered_call()
    world.feed.breaks_at = "step_found"
    await call.asks("Where is my order?")
    await call.asks("And the other one?")
    assert (await call.state()).phase is Phase.LIVE


async def test_database_that_is_away_holds_back_the_record_only(world: CallWorld) -> None:
    call = await world.answered_call()
    world.store.faults.coming.append(broken())
    await call.asks("Where is my order?")
    await call.hangs_up()
    await call.result()
    await call.after_call()
    assert call.id in world.store.records


async def test_crm_hears_of_a_call_that_nobody_could_sum_up(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.summary_faults.always = broken("refused", curable=False)
    await call.asks("Where is my order?")
    await call.hangs_up()
    await call.result()
    await call.after_call()
    assert world.crm.notes[f"{call.id}:note"].summary.topic == "unknown"
    assert world.after_calls.kept[f"{call.id}-summary"].letter.failure == "vendor: is refused"


async def test_answer_that_the_caller_waits_for_in_vain_is_tried_again(world: CallWorld) -> None:
    call = await world.answered_call()
    world.reasoner.will_say([asyncio.Event(), TextPiece("Never said.")], "It arrives tomorrow.")
    await call.caller_says("Where is my order?")
    await call.next_opened(turn=1)
    await call.waits_in_vain()
    again = await call.next_reply()
    assert (again.text, again.key.attempt) == ("It arrives tomorrow.", 2)


async def test_answer_whose_worker_is_missed_late_is_made_again(world: CallWorld) -> None:
    (respond,) = (one for one in roster(world.ports).calls if one.__name__ == "respond")

    @activity.defn(name=names.RESPOND)
    async def dies_the_first_time(request: Respond) -> Reply:
        if request.key.attempt == 1:
            await asyncio.Event().wait()
        return await respond(request)  # type: ignore[no-any-return]

    async with dying_worker(world, "respond", dies_the_first_time):
        call = await world.call(queue=QUEUE)
        await call.attach()
        await call.hears()
        assert await call.asks("Where is my order?") == "You said: Where is my order?"
        await call.hangs_up()
        await call.result()


async def test_answer_that_stays_away_for_ever_is_apologised_for(world: CallWorld) -> None:
    call = await world.answered_call(ALONE)
    world.reasoner.will_say(*[[asyncio.Event()] for _ in range(3)])
    await call.caller_says("Where is my order?")
    for _ in range(3):
        await call.next_opened(turn=1)
        await call.waits_in_vain()
    assert await call.hears() == APOLOGY
    assert await call.disposition() is Disposition.VENDOR_FAILURE


async def test_caller_who_waits_though_we_believe_to_have_answered_is_answered_again(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.asks("Where is my order?")
    while not (await call.transcript())[-1].said:
        pass  # until the reply's activity is known to be done
    await call.waits_in_vain()
    assert await call.hears() == "You said: Where is my order?"


async def test_an_answer_that_was_heard_to_its_end_is_over_though_its_worker_is_gone(world: CallWorld) -> None:
    call = await world.answered_call()
    call.reports = False
    world.reasoner.will_say([TextPiece("Goodbye, and thank you. "), asyncio.Event()])  # it will never tell
    await call.caller_says("Bye bye.")
    playback = await call.next_pushed("Goodbye, and thank you.")
    await call.report(playback, last=True)
    assert await call.disposition() is Disposition.COMPLETED
    assert (await call.transcript())[-1].said == "Goodbye, and thank you."
    assert len(world.reasoner.prompts) == 1, "nobody has tried again"


async def test_carrier_that_asks_is_told_which_stream_was_the_newest(world: CallWorld) -> None:
    call = await world.answered_call()
    await call.attach(7)
    assert await call.carrier_asks() == NextVerb(Verb.CONNECT, after=7)
