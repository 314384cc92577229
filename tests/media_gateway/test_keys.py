"""What keys do to a stream: they are collected, cut in, and become turns."""

import logging
from dataclasses import replace
from typing import Any

import pytest
import structlog

from core.contracts import names
from core.contracts.call import ReplyKey
from core.keypad import DigitField, Key, KeyAction, Keypad
from core.ports.errors import PlaybackLost
from core.turns import EndOfTurn, Listen
from media_gateway.playback_client import PlaybackClient
from tests.media_gateway.conftest import RULES, Call, StartCall, StartGateway
from tests.media_gateway.recording_call import Answers

ORDER = Keypad(DigitField("order_number", least=5, most=8), (Key("0", KeyAction.TRANSFER),))
ONE_SECOND = b"\x7e" * 8_000


def key(call: Call, turn: int = 0, part: int = 0) -> ReplyKey:
    return ReplyKey(call.address.attachment, turn, part, 1)


async def press(call: Call, keys: str) -> None:
    for digit in keys:
        await call.carrier.send({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": digit}})


async def ask(call: Call, playback: PlaybackClient, keypad: Keypad, turn: int = 0) -> None:
    """Say something that may be answered by keys, and be heard."""
    await call.gateway.recogniser.stream()  # the gateway goes by the workflow's rules
    marks_before = sum(message["event"] == "mark" for message in call.carrier.received)
    async with playback.open(call.id, call.address, key(call, turn), Listen(keypad=keypad)) as reply:
        reply.push(0, ONE_SECOND, (), last=True, text="Your number, please.")
        reply.finish(hear=False)
        await reply.kept()
    await call.carrier.has("mark", marks_before + 3)


async def turns(call: Call, count: int = 1) -> list[Any]:
    return await call.told(names.CALLER_TURN, count)


async def test_digits_become_a_turn(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call()
    await ask(call, playback, ORDER)
    await press(call, "48213#")
    (turn,) = await turns(call)
    assert (turn["turn"], turn["text"], turn["confidence"]) == (1, "48213", 1.0)
    assert (turn["keyed"]["field"], turn["keyed"]["count"], turn["keyed"]["complete"]) == ("order_number", 5, True)


async def test_digits_end_by_themselves_after_a_pause(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call()
    await ask(call, playback, Keypad(DigitField("order_number", least=5, timeout_ms=100)))
    await press(call, "482")
    (turn,) = await turns(call)
    assert (turn["text"], turn["keyed"]["complete"]) == ("482", False)


async def test_the_first_digit_cuts_in_and_the_floor_is_the_callers_until_the_last(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    await ask(call, playback, ORDER)
    await press(call, "4")
    await call.carrier.has("clear")
    async with playback.open(call.id, call.address, key(call, 0, 1), Listen(keypad=ORDER)) as reply:
        await reply.wait_closed()
    first, second = await call.told(names.PLAYBACK_REPORT, 2)
    assert first["interrupted"]
    assert (second["interrupted"], second["heard"]) == (True, "")
    await press(call, "8213#")
    (turn,) = await turns(call)
    assert turn["text"] == "48213"


async def test_keys_and_words_come_in_the_order_of_the_talk(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call()
    await ask(call, playback, ORDER)
    await call.carrier.return_marks()
    await call.told(names.PLAYBACK_REPORT)
    (await call.gateway.recogniser.stream()).say(EndOfTurn("I will key it in", 0.9))
    await turns(call)
    await press(call, "48213#")
    told = await turns(call, 2)
    assert {turn["turn"]: turn["text"] for turn in told} == {1: "I will key it in", 2: "48213"}


async def test_a_line_that_nothing_may_interrupt_is_heard_to_its_end(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call(Answers(turn_taking=replace(RULES, interruptible=False)))
    await ask(call, playback, ORDER)
    await press(call, "0#")
    await call.carrier.speak()  # the keys are in: the gateway has read past them
    await call.carrier.return_marks()
    (report,) = await call.told(names.PLAYBACK_REPORT)
    assert (report["complete"], report["interrupted"]) == (True, False)
    (turn,) = await turns(call)
    assert turn["keyed"]["action"] == "transfer"
    assert report["seq"] < turn["seq"]


async def test_a_key_that_is_stuck_makes_one_turn(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call()
    await ask(call, playback, ORDER)
    await press(call, "7" * 400)
    (turn,) = await turns(call)
    assert turn["text"] == "77777777"
    await ask(call, playback, ORDER, turn=1)
    await press(call, "7" * 400)
    await call.carrier.return_marks()
    await call.told(names.PLAYBACK_REPORT, 2)
    assert len(await turns(call)) == 1


CARD = Keypad(DigitField("card_number", least=12, most=19, sensitive=True))


async def digits_of(call: Call, playback: PlaybackClient) -> str | None:
    attach = (await call.told(names.ATTACH))[0]
    return await playback.fetch_digits(attach["digits_url"], "card_number")


async def test_sensitive_digits_stay_with_the_gateway(
    start_call: StartCall, playback: PlaybackClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logged:
        call = await start_call()
        await ask(call, playback, CARD)
        assert await digits_of(call, playback) is None
        await press(call, "4111111111111111#")
        (turn,) = await turns(call)
    assert (turn["text"], turn["keyed"]["sensitive"]) == ("[card_number] 16 digits", True)
    assert await digits_of(call, playback) == "4111111111111111"
    history = repr((await call.workflow.fetch_history()).events)
    assert "[card_number] 16 digits" in history
    assert logged
    logs = [repr(logged), *(repr(vars(record)) for record in caplog.records)]
    assert not [text for text in (history, repr(call.gateway.feed.events), *logs) if "411111" in text]


async def test_only_workers_are_given_digits(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call()
    await ask(call, playback, CARD)
    await press(call, "4111111111111111#")
    await turns(call)
    stranger = PlaybackClient("a guess")
    with pytest.raises(PlaybackLost):
        await digits_of(call, stranger)
    await stranger.close()


async def test_sensitive_digits_are_wiped_once_the_stream_is_over(
    start_gateway: StartGateway, start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call(at=await start_gateway(digits=0.05))
    await ask(call, playback, CARD)
    await press(call, "4111111111111111#")
    await turns(call)
    assert await digits_of(call, playback) == "4111111111111111"
    await call.carrier.hang_up()
    while await digits_of(call, playback) is not None:
        pass


async def test_a_call_that_comes_back_to_its_gateway_finds_its_digits(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    await ask(call, playback, CARD)
    await press(call, "4111111111111111#")
    await turns(call)
    await call.carrier.drop()
    again = await call.gateway.carrier()
    await again.start(call.id)
    await call.told(names.ATTACH, 2)
    assert await digits_of(call, playback) == "4111111111111111"
    await again.drop()
