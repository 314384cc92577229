"""A call that goes over to another language, at the gateway."""

from dataclasses import replace

from core.contracts import names
from core.contracts.call import ReplyKey
from core.turns import EndOfTurn, Listen
from media_gateway.holding import HoldingLines
from media_gateway.playback_client import PlaybackClient
from tests.media_gateway.conftest import RULES, StartCall
from tests.media_gateway.recording_call import Answers


async def test_a_turn_tells_the_languages_that_were_heard(start_call: StartCall) -> None:
    call = await start_call()
    ear = await call.gateway.recogniser.stream()
    ear.say(EndOfTurn("¿dónde está mi order?", 0.9, ("es", "en")))
    (turn,) = await call.told(names.CALLER_TURN)
    assert turn["languages"] == ["es", "en"]


async def test_a_reply_in_another_language_has_the_recogniser_opened_for_it(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call(Answers(turn_taking=replace(RULES, languages=("en", "es"))))
    first = await call.gateway.recogniser.stream()
    key = ReplyKey(call.address.attachment, 0, 0, 1)
    async with playback.open(call.id, call.address, key, Listen(language="es")) as reply:
        await reply.kept()
    second = await call.gateway.recogniser.stream(2)
    assert (first.rules.language, second.rules.language) == ("en", "es")
    assert second.rules.languages == ("en", "es")
    second.say(EndOfTurn("hola", 0.9, ("es",)))
    (turn,) = await call.told(names.CALLER_TURN)
    assert turn["text"] == "hola"


def test_holding_lines_are_in_the_language_of_the_call_where_there_are_some() -> None:
    lines = HoldingLines()
    assert lines.next("en") is None
    lines.keep([b"one", b"two"], "en")
    lines.keep([b"uno"], "es")
    assert [lines.next("en"), lines.next("en"), lines.next("es"), lines.next("de")] == [b"one", b"two", b"uno", b"two"]
