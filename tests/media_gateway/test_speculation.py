"""Answers made ahead of a turn's end: kept back, let go at once, or dropped."""

import asyncio
from dataclasses import replace

import pytest

from core.contracts import names
from core.contracts.call import ReplyKey, ReplyTimings
from core.playback import Kept
from core.speculation import words_key
from core.timings import HELD
from core.turns import EagerEndOfTurn, EndOfTurn, Interim, Listen, TurnResumed
from media_gateway.playback_client import PlaybackClient
from tests.media_gateway.conftest import INTERNAL_SECRET, RULES, Call, StartCall, StartGateway
from tests.media_gateway.recording_call import Answers

WORDS = "where is my order"
HOLD = words_key(WORDS)
AUDIO = b"\x7e" * 800
EAGER = Answers(turn_taking=replace(RULES, eager_end_of_turn_threshold=0.5))


def key(call: Call, part: int = 0, attempt: int = 1) -> ReplyKey:
    return ReplyKey(call.address.attachment, 1, part, attempt)


async def foreseen(start_call: StartCall) -> Call:
    """A call whose caller has probably said the words."""
    call = await start_call(EAGER)
    (await call.gateway.recogniser.stream()).say(Interim(WORDS), EagerEndOfTurn(WORDS, 0.6))
    (turn,) = await call.told(names.CALLER_TURN)
    assert (turn["eager"], turn["turn"], turn["text"]) == (True, 1, WORDS)
    return call


async def test_an_answer_made_ahead_is_silent_until_the_turn_ends_and_plays_at_once_then(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await foreseen(start_call)
    async with playback.open(call.id, call.address, key(call), Listen(), HOLD) as reply:
        reply.began(ReplyTimings(started_ms=1.0, first_sentence_ms=2.0, voice_first_byte_ms=3.0))
        reply.push(0, AUDIO, (), last=True, text="It is on its way.")
        reply.finish(hear=True)
        async with playback.open("nobody", call.address, key(call), Listen()) as other:
            await other.wait_closed()  # so all before it has reached the gateway
        assert call.carrier.audio() == b""
        (await call.gateway.recogniser.stream()).say(EndOfTurn("Where is my order?", 0.95))
        assert await call.carrier.has_audio(800) == AUDIO
        await call.carrier.has("mark", 1)
        await call.carrier.return_marks()
        heard = await reply.heard()
    assert heard is not None
    assert (heard.text, heard.complete) == ("It is on its way.", True)
    assert heard.layers[HELD] > 0
    (again,) = await call.told(names.CALLER_TURN_AGAIN)
    assert (again["eager"], again["turn"], again["seq"]) == (False, 1, 2)


async def test_a_turn_that_ends_before_its_answer_is_there_lets_it_through_when_it_comes(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await foreseen(start_call)
    (await call.gateway.recogniser.stream()).say(EndOfTurn(WORDS, 0.95))
    await call.told(names.CALLER_TURN_AGAIN)
    async with playback.open(call.id, call.address, key(call), Listen(), HOLD) as reply:
        reply.push(0, AUDIO, (), last=True, text="It is on its way.")
        assert await call.carrier.has_audio(800) == AUDIO


async def greeted(start_call: StartCall, by: PlaybackClient) -> Call:
    """A call whose caller has heard the greeting."""
    call = await start_call(EAGER)
    greeting = ReplyKey(call.address.attachment, 0, 0, 1)
    async with by.open(call.id, call.address, greeting, Listen()) as reply:
        reply.push(0, AUDIO, (), last=True, text="Hello?")
        reply.finish(hear=True)
        await call.carrier.has("mark", 1)
        await call.carrier.return_marks()
        await reply.heard()
    return call


async def worker_dies(call: Call) -> None:
    """One that has had nothing to say to this caller."""
    dying = PlaybackClient(INTERNAL_SECRET)
    await dying.keep_holding_lines("another call", call.address, [])
    await dying.close()


async def test_an_answer_to_a_foreseen_turn_whose_worker_died_before_it_began_is_asked_for_again(
    start_call: StartCall,
) -> None:
    dying = PlaybackClient(INTERNAL_SECRET)
    call = await greeted(start_call, dying)
    (await call.gateway.recogniser.stream()).say(Interim(WORDS), EagerEndOfTurn(WORDS, 0.6), EndOfTurn(WORDS, 0.95))
    await call.told(names.CALLER_TURN_AGAIN)
    await dying.close()
    (told,) = await call.told(names.ANSWER_OVERDUE)
    assert told["stage"] == "turn_signalled"
    assert told["seq"] == 3  # after the turn


async def test_an_answer_made_ahead_whose_worker_dies_before_it_began_is_asked_for_before_the_turn_ends(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    first = PlaybackClient(INTERNAL_SECRET)
    call = await greeted(start_call, first)
    await first.close()
    (await call.gateway.recogniser.stream()).say(Interim(WORDS), EagerEndOfTurn(WORDS, 0.6))
    overdue = asyncio.create_task(call.told(names.ANSWER_OVERDUE))
    while not overdue.done():  # until the gateway knows that the turn was accepted
        await worker_dies(call)
    assert overdue.result()[0]["stage"] == "turn_foreseen"
    async with playback.open(call.id, call.address, key(call, attempt=2), Listen(), HOLD) as reply:
        reply.push(0, AUDIO, (), last=True, text="It is on its way.")
        (await call.gateway.recogniser.stream()).say(EndOfTurn(WORDS, 0.95))
        assert await call.carrier.has_audio(1_600) == 2 * AUDIO


async def test_an_answer_made_ahead_whose_worker_may_have_accepted_the_turn_before_it_died_is_asked_for_in_time(
    start_gateway: StartGateway, start_call: StartCall
) -> None:
    call = await start_call(replace(EAGER, turns=False), at=await start_gateway(dead_air=0.1, answer=1_000.0))
    first = PlaybackClient(INTERNAL_SECRET)
    async with first.open(call.id, call.address, ReplyKey(call.address.attachment, 0, 0, 1), Listen()) as reply:
        reply.push(0, AUDIO, (), last=True, text="Hello?")
        reply.finish(hear=True)
        await call.carrier.plays_until(reply.heard())
    (await call.gateway.recogniser.stream()).say(Interim(WORDS), EagerEndOfTurn(WORDS, 0.6))
    await call.told(names.CALLER_TURN)
    await first.close()
    (await call.gateway.recogniser.stream()).say(EndOfTurn(WORDS, 0.95))
    (told,) = await call.carrier.quiet_until(call.told(names.ANSWER_OVERDUE))
    assert told["stage"] == "turn_signalled"


async def test_an_answer_made_ahead_that_waits_for_the_turns_end_is_not_asked_for_again(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    dying = PlaybackClient(INTERNAL_SECRET)
    call, other = await greeted(start_call, playback), await start_call()
    (await call.gateway.recogniser.stream()).say(Interim(WORDS), EagerEndOfTurn(WORDS, 0.6))
    await call.told(names.CALLER_TURN)
    greeting = ReplyKey(other.address.attachment, 0, 0, 1)
    async with dying.open(call.id, call.address, key(call), Listen(), HOLD) as reply:
        reply.push(0, AUDIO, (), last=True, text="It is on its way.")
        reply.finish(hear=True)
        await reply.kept()
        async with dying.open(other.id, other.address, greeting, Listen()) as lost:
            await lost.kept()
            await dying.close()
        await other.told(names.REPLY_LOST)
    (await call.gateway.recogniser.stream()).say(EndOfTurn(WORDS, 0.95))
    assert await call.carrier.has_audio(1_600) == 2 * AUDIO
    await call.told(names.CALLER_TURN_AGAIN)
    assert names.ANSWER_OVERDUE not in await call.workflow.query("order")


async def test_a_caller_who_goes_on_hears_nothing_of_it(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await foreseen(start_call)
    async with playback.open(call.id, call.address, key(call), Listen(), HOLD) as reply:
        reply.push(0, AUDIO, (), last=True, text="Never heard.")
        await reply.kept()
        (await call.gateway.recogniser.stream()).say(TurnResumed())
        await reply.wait_closed()
    (withdrawn,) = await call.told(names.TURN_WITHDRAWN)
    assert withdrawn["seq"] == 2
    assert call.gateway.feed.of_kind("turn_withdrawn") == [{"turn": 1}]
    async with playback.open(call.id, call.address, key(call, attempt=2), Listen(), HOLD) as late:
        await late.wait_closed()
    assert call.carrier.audio() == b""


async def test_a_turn_tells_of_the_withdrawal_before_it(start_call: StartCall) -> None:
    call = await foreseen(start_call)
    (await call.gateway.recogniser.stream()).say(TurnResumed(), EndOfTurn(WORDS, 0.95))
    (eager, turn) = await call.told(names.CALLER_TURN, 2)
    (withdrawn,) = await call.told(names.TURN_WITHDRAWN)
    assert (eager["eager"], eager["withdrawn_seq"]) == (True, None)
    assert (turn["eager"], turn["withdrawn_seq"]) == (False, withdrawn["seq"])


async def test_a_turn_that_ends_with_other_words_is_told_as_one_of_its_own(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await foreseen(start_call)
    async with playback.open(call.id, call.address, key(call), Listen(), HOLD) as reply:
        await reply.kept()
        (await call.gateway.recogniser.stream()).say(EndOfTurn(f"{WORDS} and my refund", 0.95))
        await reply.wait_closed()
    (_, turn) = await call.told(names.CALLER_TURN, 2)
    assert (turn["eager"], turn["turn"], turn["text"]) == (False, 1, f"{WORDS} and my refund")
    await call.told(names.TURN_WITHDRAWN)
    assert call.carrier.audio() == b""


async def test_a_worker_that_dies_with_audio_held_is_told_and_the_next_attempt_starts_anew(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await foreseen(start_call)
    dying = PlaybackClient("internal secret")
    async with dying.open(call.id, call.address, key(call), Listen(), HOLD) as reply:
        reply.push(0, AUDIO, (), last=True, text="Never heard.")
        await reply.kept()
        await dying.close()
    assert len(await call.told(names.REPLY_LOST)) == 1
    (await call.gateway.recogniser.stream()).say(EndOfTurn(WORDS, 0.95))
    async with playback.open(call.id, call.address, key(call, attempt=2), Listen(), HOLD) as again:
        assert await again.kept() == Kept()
        again.push(0, AUDIO[:160], (), last=True, text="Heard.")
        assert await call.carrier.has_audio(160) == AUDIO[:160]


@pytest.mark.parametrize("whole", [True, False])
async def test_a_newer_reply_takes_the_place_of_one_that_waits(
    start_call: StartCall, playback: PlaybackClient, whole: bool
) -> None:
    call = await foreseen(start_call)
    async with playback.open(call.id, call.address, key(call), Listen(), HOLD) as old:
        old.push(0, AUDIO, (), last=True, text="Never heard.")
        if whole:
            old.finish(hear=True)
        async with playback.open(call.id, call.address, key(call, part=1), Listen()) as new:
            await old.wait_closed()
            new.push(0, AUDIO[:160], (), last=True, text="Heard.")
            assert await call.carrier.has_audio(160) == AUDIO[:160]
            await call.carrier.has("mark", 1)
            new.finish(hear=True)
            await call.carrier.return_marks()
            assert await new.heard()
            (await call.gateway.recogniser.stream()).say(EndOfTurn(WORDS, 0.95))
            await call.told(names.CALLER_TURN_AGAIN)
    assert call.carrier.audio() == AUDIO[:160]
