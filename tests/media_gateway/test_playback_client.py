"""The way from a worker to the caller's ear, through lost sockets and late attempts."""

import pytest
from temporalio.api.enums.v1 import TaskQueueKind
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from core.contracts import names
from core.contracts.call import GatewayAddress, Heard, ReplyKey
from core.playback import Kept
from core.ports.errors import PlaybackLost
from core.ports.playback import PlaybackLine
from core.ports.speech import SpokenWord
from core.turns import EndOfTurn, Interim, Listen, SpeechStarted
from media_gateway.playback_client import PlaybackClient
from tests.media_gateway.conftest import INTERNAL_SECRET, Call, RunningGateway, StartCall, listener

HALF_SECOND = b"\x7e" * 4_000


def key(call: Call, turn: int = 0, part: int = 0, attempt: int = 1) -> ReplyKey:
    return ReplyKey(call.address.attachment, turn, part, attempt)


def nowhere() -> GatewayAddress:
    """An address nobody answers at."""
    with listener() as closed:
        host, port = closed.getsockname()
    return GatewayAddress(1, f"ws://{host}:{port}/internal/playback", f"http://{host}:{port}/internal/calls/c/turns")


async def test_it_is_what_activities_ask_for(playback: PlaybackClient) -> None:
    line: PlaybackLine = playback
    with pytest.raises(PlaybackLost):
        await line.keep_holding_lines("c", nowhere(), [], "en")


async def test_a_worker_that_dies_in_mid_reply_is_told_to_the_call_and_the_next_attempt_goes_on_after_it(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    dying = PlaybackClient(INTERNAL_SECRET)
    async with dying.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, HALF_SECOND, (), last=True, text="First sentence.")
        begun = (SpokenWord("Second", 0, 90), SpokenWord("sentence.", 90, 200))
        reply.push(1, HALF_SECOND[:800], begun, last=False, text="Second sentence.")
        await call.carrier.has_audio(4_800)
        await dying.close()
        with pytest.raises(PlaybackLost):
            await reply.wait_closed()
        with pytest.raises(PlaybackLost):
            reply.push(1, HALF_SECOND, (), last=True)
    (lost,) = await call.told(names.REPLY_LOST)
    assert lost["key"]["attempt"] == 1
    async with playback.open(call.id, call.address, key(call, attempt=2), Listen()) as again:
        assert await again.kept() == Kept(("First sentence.", "Second"), "sentence.")
        again.push(0, HALF_SECOND, (), last=True, text="sentence.")
        again.finish(hear=False)
    await call.carrier.has("clear")
    await call.carrier.has("mark", 6)
    await call.carrier.return_marks()
    (report,) = await call.told(names.PLAYBACK_REPORT)
    assert (report["heard"], report["complete"]) == ("First sentence. Second sentence.", True)
    assert report["key"]["attempt"] == 2


async def test_a_worker_that_waits_is_told_what_was_heard_instead_of_the_call(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, HALF_SECOND, (), last=True, text="All of it.")
        reply.finish(hear=True)
        await call.carrier.has("mark", 2)
        await call.carrier.return_marks()
        heard = await reply.heard()
    assert heard == Heard("All of it.", complete=True, interrupted=False, played_ms=500)
    async with playback.open(call.id, call.address, key(call, turn=2), Listen()) as reply:
        reply.push(0, HALF_SECOND, (), last=True, text="Two words.")
        reply.finish(hear=True)
        await call.carrier.has_audio(8_000)
        await call.utters(SpeechStarted(), Interim("wait"))
        heard = await reply.heard()
    assert heard is not None
    assert (heard.interrupted, heard.complete) == (True, False)
    (await call.gateway.recogniser.stream()).say(EndOfTurn("wait", 0.9))
    (turn,) = await call.told(names.CALLER_TURN)
    assert turn["seq"] == 1  # nothing was told to the call before


@pytest.mark.parametrize("when", ["while it plays", "when it was just told", "of its own will"])
async def test_what_was_heard_goes_to_the_call_when_its_worker_is_gone(
    start_call: StartCall, playback: PlaybackClient, when: str
) -> None:
    call = await start_call()
    dying = PlaybackClient(INTERNAL_SECRET)
    async with dying.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, HALF_SECOND, (), last=True, text="All of it.")
        reply.finish(hear=True)
        await call.carrier.has("mark", 2)
        if when == "when it was just told":
            await call.carrier.return_marks()
            assert await reply.heard()
        if when != "of its own will":
            await dying.close()
    if when != "when it was just told":
        await call.carrier.return_marks()
    (report,) = await call.told(names.PLAYBACK_REPORT)
    assert (report["heard"], report["complete"]) == ("All of it.", True)
    assert report["last"] == (when != "of its own will"), "a worker that leaves by itself tells the rest itself"
    await dying.close()


async def test_a_worker_knows_how_far_the_caller_has_heard_in_case_that_the_gateway_dies(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    words = tuple(SpokenWord(word, at, at + 200) for at, word in enumerate(("It", "left", "on", "Monday.")))
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, HALF_SECOND, (), last=True, text="Half a second.")
        reply.push(1, HALF_SECOND * 20, words, last=True, text="It left on Monday.")
        await call.carrier.has("mark", 3)
        assert reply.heard_so_far == ""
        await call.carrier.return_marks()
        reply.push(2, b"", (), last=True)  # what comes back after this was sent after the marks had come
        await call.carrier.drop()
        await reply.wait_closed()
        assert reply.heard_so_far.startswith("Half a second. It left")


async def test_what_was_heard_before_the_stream_ended_is_told_before_its_end(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, HALF_SECOND, (), last=True, text="Never mind.")
        reply.finish(hear=True)
        await call.carrier.has("mark", 2)
        await call.carrier.hang_up()
        assert await reply.heard() is None
    (report,) = await call.told(names.PLAYBACK_REPORT)
    (ended,) = await call.told(names.STREAM_ENDED)
    assert not report["complete"]
    assert report["seq"] < ended["seq"]


async def test_a_reply_left_before_its_end_plays_what_arrived(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, HALF_SECOND, (), last=True, text="All there is.")
    await call.carrier.has("mark", 2)
    await call.carrier.return_marks()
    (report,) = await call.told(names.PLAYBACK_REPORT)
    assert (report["heard"], report["complete"], report["interrupted"]) == ("All there is.", False, False)


async def test_an_older_attempt_is_refused_and_a_running_one_closed_by_a_newer(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    other = PlaybackClient(INTERNAL_SECRET)
    async with other.open(call.id, call.address, key(call, attempt=2), Listen()) as running:
        await running.kept()
        async with playback.open(call.id, call.address, key(call, attempt=1), Listen()) as stale:
            await stale.wait_closed()
            stale.push(0, HALF_SECOND, (), last=True, text="Not said.")
        async with playback.open(call.id, call.address, key(call, attempt=3), Listen()) as newest:
            await newest.kept()
            await running.wait_closed()
            newest.push(0, HALF_SECOND[:160], (), last=True, text="Hm.")
            newest.finish(hear=False)
    assert await call.carrier.has_audio(160) == HALF_SECOND[:160]
    await other.close()


async def test_an_answer_to_newer_words_takes_the_place_of_the_old_one(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call, turn=0), Listen()) as old:
        old.push(0, HALF_SECOND, (), last=True, text="Overtaken.")
        old.finish(hear=False)
    await call.carrier.has_audio(4_000)
    async with playback.open(call.id, call.address, key(call, turn=1), Listen()) as new:
        await new.kept()
    await call.carrier.has("clear")
    reports = await call.told(names.PLAYBACK_REPORT, 2)
    assert [(report["key"]["turn"], report["complete"]) for report in reports] == [(0, False), (1, False)]


@pytest.mark.parametrize("wrong", ["call", "attachment"])
async def test_a_reply_for_a_stream_that_is_not_here_is_closed(
    start_call: StartCall, playback: PlaybackClient, wrong: str
) -> None:
    call = await start_call()
    call_id = "another" if wrong == "call" else call.id
    attachment = call.address.attachment - (wrong == "attachment")
    async with playback.open(call_id, call.address, ReplyKey(attachment, 0, 0, 1), Listen()) as reply:
        assert await reply.kept() == Kept()
        assert reply.closed


async def test_many_replies_share_one_socket(start_call: StartCall, playback: PlaybackClient) -> None:
    first, second = await start_call(), await start_call()
    async with (
        playback.open(first.id, first.address, key(first), Listen()) as one,
        playback.open(second.id, second.address, key(second), Listen()) as two,
    ):
        one.push(0, b"\x01" * 160, (), last=True, text="One.")
        two.push(0, b"\x02" * 160, (), last=True, text="Two.")
        assert await first.carrier.has_audio(160) == b"\x01" * 160
        assert await second.carrier.has_audio(160) == b"\x02" * 160


async def test_a_gateway_that_is_not_there_is_lost(playback: PlaybackClient) -> None:
    with pytest.raises(PlaybackLost):
        async with playback.open("c", nowhere(), ReplyKey(1, 1, 0, 1), Listen()):
            pass
    with pytest.raises(PlaybackLost):
        await playback.fetch_turn_audio(nowhere().audio_url, 1)


async def test_a_worker_without_the_secret_gets_nowhere(start_call: StartCall) -> None:
    call = await start_call()
    stranger = PlaybackClient("guess")
    with pytest.raises(PlaybackLost):
        async with stranger.open(call.id, call.address, key(call), Listen()):
            pass
    with pytest.raises(PlaybackLost):
        await stranger.fetch_turn_audio(call.address.audio_url, 1)
    await stranger.close()


async def test_a_gateway_that_goes_is_noticed_and_one_that_comes_back_is_found_again(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        await reply.kept()
        call.gateway.stop.set()
        await call.gateway.serving
        if not reply.closed:
            with pytest.raises(PlaybackLost):
                await reply.wait_closed()
    with pytest.raises(PlaybackLost):
        async with playback.open(call.id, call.address, key(call, attempt=2), Listen()) as again:
            await again.kept()


async def test_audio_of_a_turn_that_is_not_kept_is_lost(start_call: StartCall, playback: PlaybackClient) -> None:
    call = await start_call()
    with pytest.raises(PlaybackLost):
        await playback.fetch_turn_audio(call.address.audio_url, 9)


async def test_nonsense_on_the_socket_ends_it(gateway: RunningGateway) -> None:
    headers = {"Authorization": f"Bearer {INTERNAL_SECRET}"}
    for nonsense in ("text", b"\x00\x01\x02"):
        async with connect(f"ws://{gateway.internal}/internal/playback", additional_headers=headers) as socket:
            await socket.send(nonsense)
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 1003


async def test_speech_after_the_greeting_is_answered_in_its_turn(
    start_call: StartCall, playback: PlaybackClient
) -> None:
    call = await start_call()
    (await call.gateway.recogniser.stream()).say(EndOfTurn("hello", 0.9))
    await call.told(names.CALLER_TURN)
    async with playback.open(call.id, call.address, key(call, turn=1), Listen()) as reply:
        reply.push(0, HALF_SECOND, (), last=True, text="Hi.")
        reply.finish(hear=False)
        await call.carrier.has("mark", 2)
    assert all(name.startswith("1:") for name in call.carrier.marks())


async def test_an_answer_whose_worker_may_have_died_before_it_began_is_asked_for_again(start_call: StartCall) -> None:
    call = await start_call()
    dying = PlaybackClient(INTERNAL_SECRET)
    await dying.keep_holding_lines("another call", call.address, [])
    await dying.close()
    (told,) = await call.told(names.ANSWER_OVERDUE)
    assert told["stage"] == "greeting"


async def test_an_answer_is_asked_for_again_too_where_the_second_worker_dies_before_it_spoke(
    start_call: StartCall,
) -> None:
    call = await start_call()
    first, second = PlaybackClient(INTERNAL_SECRET), PlaybackClient(INTERNAL_SECRET)
    async with first.open(call.id, call.address, key(call), Listen()) as reply:
        await reply.kept()
        await first.close()
        await call.told(names.REPLY_LOST)
    await second.keep_holding_lines("another call", call.address, [])
    await second.close()
    (told,) = await call.told(names.ANSWER_OVERDUE)
    assert told["stage"] == "reply_opened"


async def test_what_follows_a_tool_is_asked_for_again_where_its_worker_may_have_died_before_it_began(
    start_call: StartCall,
) -> None:
    call = await start_call()
    await call.utters(EndOfTurn("Where is it?", 0.9))
    await call.told(names.CALLER_TURN)
    dying = PlaybackClient(INTERNAL_SECRET)
    async with dying.open(call.id, call.address, key(call, turn=1), Listen()) as reply:
        reply.finish(hear=False)  # it only asks for a tool
    await call.told(names.PLAYBACK_REPORT)
    await dying.close()
    (told,) = await call.told(names.ANSWER_OVERDUE)
    assert told["stage"] == "tools"


async def test_calls_that_wait_for_an_answer_are_told_first_of_their_workers_death_and_others_before_their_next_turn(
    start_call: StartCall,
) -> None:
    hurried, calm = await start_call(), await start_call()
    dying = PlaybackClient(INTERNAL_SECRET)
    async with dying.open(calm.id, calm.address, key(calm), Listen()) as reply:
        reply.push(0, HALF_SECOND, (), last=True, text="All of it.")
        reply.finish(hear=True)
        await calm.carrier.has("mark", 2)
        await calm.carrier.return_marks()
        assert await reply.heard()
    async with dying.open(hurried.id, hurried.address, key(hurried), Listen()) as reply:
        await reply.kept()
        await dying.close()
        await hurried.told(names.REPLY_LOST)
    await calm.utters(EndOfTurn("Where is it?", 0.9))
    (turn,) = await calm.told(names.CALLER_TURN)
    (report,) = await calm.told(names.PLAYBACK_REPORT)
    assert report["seq"] < turn["seq"]
    assert await moment_of(hurried, names.REPLY_LOST) < await moment_of(calm, names.PLAYBACK_REPORT)


async def moment_of(call: Call, message: str) -> float:
    async for event in call.workflow.fetch_history_events():
        if event.workflow_execution_signaled_event_attributes.signal_name == message:
            return event.event_time.ToNanoseconds()
    raise LookupError(message)


@pytest.mark.parametrize("dies", [True, False])
async def test_what_comes_after_a_workers_death_is_not_offered_to_it_first(
    start_call: StartCall, playback: PlaybackClient, dies: bool
) -> None:
    call = await start_call()
    speaker = PlaybackClient(INTERNAL_SECRET)
    async with speaker.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, HALF_SECOND, (), last=True, text="All of it.")
        reply.finish(hear=True)
        await call.carrier.has("mark", 2)
        await call.carrier.return_marks()
        assert await reply.heard()
    if dies:
        await speaker.close()
        async for event in call.workflow.fetch_history_events(wait_new_event=True):
            if event.workflow_execution_signaled_event_attributes.signal_name == names.PLAYBACK_REPORT:
                break
    else:
        await call.utters(EndOfTurn("Where is it?", 0.9))
        await call.told(names.CALLER_TURN)
    _, *offered = [
        event.workflow_task_scheduled_event_attributes.task_queue.kind
        async for event in call.workflow.fetch_history_events()
        if event.HasField("workflow_task_scheduled_event_attributes")
    ]
    assert (TaskQueueKind.TASK_QUEUE_KIND_NORMAL in offered) == dies
    await speaker.close()
