"""Callers as they are: pauses, coughs, music, other voices, networks that lag. In real time, over real sockets."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from core.contracts import names
from core.turns import Listen, TurnTaking
from sandbox.audio_code import SILENCE, speak
from sandbox.state import Latency
from tests.media_gateway.fakes import Carrier
from tests.media_gateway.recording_call import Answers, RecordingCall
from tests.media_gateway.spoken_calls import Stage, a_stage

GREETING = "Hello, how can I help?"
LONG = "Your order has left our house on Monday and it should be with you by the end of the week, if all goes well."
NUMBER = Listen("number")


def rules(**changes: object) -> Answers:
    chosen = {"silence_after_ms": 60_000, **changes}
    return Answers(turn_taking=TurnTaking(**chosen))  # type: ignore[arg-type]


@pytest.fixture
async def stage(temporal: Client) -> AsyncIterator[Stage]:
    queue = f"calls-{uuid4().hex}"
    async with (
        Worker(temporal, task_queue=queue, workflows=[RecordingCall], workflow_runner=UnsandboxedWorkflowRunner()),
        a_stage(temporal, queue) as running,
    ):
        yield running


@pytest.mark.parametrize("pause_ms", [400, 700, 1_000])
@pytest.mark.parametrize(
    ("recogniser", "script"),
    [("flux", "My number is. [{0}] 4 5. [{0}] 3."), ("nova-3", "my number is [{0}] 4 5 [{0}] 3")],
)
async def test_nobody_talks_over_a_caller_who_pauses_within_a_sentence(
    stage: Stage, recogniser: str, script: str, pause_ms: int
) -> None:
    call = await stage.call(rules(recogniser=recogniser), {"say": script.format(pause_ms)})
    await call.says(GREETING, listen=NUMBER)
    (turn,) = await call.told(names.CALLER_TURN)
    assert turn["text"].replace(".", "").lower() == "my number is 4 5 3"
    await call.says("Thank you.", turn=1)
    seen = await call.seen()
    assert seen["heard"][-1]["at_ms"] >= seen["said"][0]["end_ms"]
    assert len(await call.told(names.CALLER_TURN)) == 1


async def test_a_recogniser_that_takes_each_pause_for_an_end_is_put_right(temporal: Client) -> None:
    queue = f"calls-{uuid4().hex}"
    hasty = Latency(ring_ms=20, end_of_turn_ms=200, unfinished_turn_ms=200)
    async with (
        Worker(temporal, task_queue=queue, workflows=[RecordingCall], workflow_runner=UnsandboxedWorkflowRunner()),
        a_stage(temporal, queue, hasty) as stage,
    ):
        call = await stage.call(rules(), {"say": "my number is [700] 4 5 [1000] 3"})
        await call.says(GREETING, listen=NUMBER)
        (turn,) = await call.told(names.CALLER_TURN)
        assert turn["text"] == "my number is 4 5 3"


@pytest.mark.parametrize("answer", ["Yes.", "No.", "Tomorrow."])
async def test_one_word_is_an_answer(stage: Stage, answer: str) -> None:
    call = await stage.call(rules(), {"say": answer})
    await call.says("Shall I do that?", listen=Listen("yes_no"))
    (turn,) = await call.told(names.CALLER_TURN)
    assert (turn["text"], turn["words"]) == (answer, 1)


async def test_a_caller_who_cuts_in_is_heard_out(stage: Stage) -> None:
    call = await stage.call(rules(), {"say": "Stop, that is not my order.", "interrupt_after": 1.0})
    heard = await call.says(LONG)
    assert heard is not None
    assert heard.interrupted
    assert LONG.startswith(heard.text)
    (turn,) = await call.told(names.CALLER_TURN)
    assert turn["text"] == "Stop, that is not my order."
    assert (await call.seen())["heard"][0]["interrupted"]


@pytest.mark.parametrize("sound", [{"noise": 0.5}, {"say": "Mhm."}], ids=["noise", "mhm"])
async def test_what_wants_nothing_costs_the_caller_no_word(stage: Stage, sound: dict[str, object]) -> None:
    call = await stage.call(rules(), {**sound, "interrupt_after": 1.0})
    heard = await call.says(LONG)
    assert heard is not None
    assert (heard.text, heard.complete, heard.interrupted) == (LONG, True, False)
    words = await call.heard_words()
    assert set(LONG.split()) - set(words) == set() or len(words) == len(LONG.split()) - 1  # one may hold the cut
    assert words == [word for word in LONG.split() if word in words]
    assert names.CALLER_TURN not in await call.order()


async def test_music_neither_stops_the_assistant_nor_becomes_a_turn_but_is_silence_in_the_end(stage: Stage) -> None:
    call = await stage.call(rules(silence_after_ms=2_000), {"music": 15.0, "interrupt_after": 0.5})
    heard = await call.says(LONG)
    assert heard is not None
    assert heard.complete
    assert not any(line["interrupted"] for line in (await call.seen())["heard"])
    await call.told(names.CALLER_SILENT)
    assert names.CALLER_TURN not in await call.order()


async def test_noise_without_end_pauses_the_assistant_some_times_and_no_more(stage: Stage) -> None:
    call = await stage.call(rules(), {"noise": 12.0, "interrupt_after": 0.5})
    heard = await call.says(LONG)
    assert heard is not None
    assert heard.complete
    cuts = [line for line in (await call.seen())["heard"] if line["interrupted"]]
    assert 1 <= len(cuts) <= 3


async def test_of_two_people_talking_the_one_whose_words_are_recognised_is_answered(stage: Stage) -> None:
    call = await stage.call(rules(), {"say": "Where is my order?", "beside": 2.0})
    await call.says(GREETING)
    (turn,) = await call.told(names.CALLER_TURN)
    assert turn["text"] == "Where is my order?"
    heard = await call.says(LONG, turn=1)  # while the other one is still talking
    assert heard is not None
    assert (heard.text, heard.complete) == (LONG, True)


async def test_packets_that_come_a_second_late_and_then_all_at_once_are_one_turn(stage: Stage) -> None:
    call = await stage.call(rules(), {"say": "Where is my order, the one from last week?", "late": 1.0})
    await call.says(GREETING)
    (turn,) = await call.told(names.CALLER_TURN)
    assert turn["text"] == "Where is my order, the one from last week?"


async def test_late_packets_of_a_caller_who_cuts_in_stop_the_assistant_when_they_come(stage: Stage) -> None:
    call = await stage.call(rules(), {"say": "Stop, that is not my order.", "interrupt_after": 0.5, "late": 1.0})
    heard = await call.says(LONG)
    assert heard is not None
    assert heard.interrupted
    (turn,) = await call.told(names.CALLER_TURN)
    assert turn["text"] == "Stop, that is not my order."


async def test_a_turn_that_the_recogniser_never_ends_is_answered_all_the_same(temporal: Client) -> None:
    queue = f"calls-{uuid4().hex}"
    endless = Latency(ring_ms=20, end_of_turn_ms=1e9, unfinished_turn_ms=1e9)
    async with (
        Worker(temporal, task_queue=queue, workflows=[RecordingCall], workflow_runner=UnsandboxedWorkflowRunner()),
        a_stage(temporal, queue, endless) as stage,
    ):
        said = [{"say": "Where is my order?"}, {"say": "Thank you, goodbye.", "after": "reply"}]
        call = await stage.call(rules(end_of_turn_timeout_ms=60_000), *said)
        await call.says(GREETING)
        (turn,) = await call.told(names.CALLER_TURN)
        assert turn["text"] == "Where is my order?"
        await call.says("It comes tomorrow.", turn=1)
        (_, second) = await call.told(names.CALLER_TURN, 2)
        assert second["text"] == "Thank you, goodbye."


async def test_a_monologue_of_three_minutes_is_one_turn_of_which_the_last_minute_is_kept(stage: Stage) -> None:
    call = await stage.call(rules(), {"wait": 600.0})
    await call.says("Please tell me what happened.")
    words = " ".join(f"and then {minute} happened" for minute in range(150)) + "."
    spoken = speak(words).audio
    assert len(spoken) > 180 * 8_000
    carrier = await Carrier.connect(stage.media_url)
    await carrier.start(call.sid, stream_sid="MZ2")
    await call.told(names.ATTACH, 2)
    await carrier.speak(speak("Well.").audio + SILENCE * 100)
    await call.told(names.CALLER_TURN)  # the recogniser is open
    await carrier.speak(spoken + SILENCE * 100)
    (_, turn) = await call.told(names.CALLER_TURN, 2)
    assert turn["text"] == words
    assert len(await call.audio_of_turn(2)) <= 60 * 8_000
    await carrier.drop()
