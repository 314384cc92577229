"""Supervisors at a live stream, over real sockets: what they hear, and how one of them speaks to the caller."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from core.contracts import names
from core.contracts.call import ReplyKey
from core.ports.errors import VendorError
from core.turns import EndOfTurn, Interim, Listen
from media_gateway.playback_client import PlaybackClient
from tests.media_gateway.conftest import INTERNAL_SECRET, Call, RunningGateway, StartCall, StartGateway

CALLER, ASSISTANT, OTHER = 0, 1, 2
TWO_SECONDS = bytes(range(1, 126)) * 128
PAGE = "page-of-grace"


class Page:
    """A supervisor's page, without the API in between."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.told: list[dict[str, Any]] = []
        self.tracks: dict[int, bytes] = {CALLER: b"", ASSISTANT: b"", OTHER: b""}
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def at(cls, gateway: RunningGateway, call_id: str, secret: str = INTERNAL_SECRET) -> "Page":
        """Listen in. Raises InvalidStatus."""
        url = f"ws://{gateway.internal}/internal/calls/{call_id}/desk"
        return cls(await connect(url, additional_headers={"Authorization": f"Bearer {secret}"}, proxy=None))

    async def send(self, message: dict[str, Any] | bytes | str) -> None:
        """Anything."""
        await self._connection.send(json.dumps(message) if isinstance(message, dict) else message)

    async def take_over(self, page: str = PAGE, by: str = "Grace", *, again: bool = False) -> None:
        """Ask for the floor."""
        await self.send({"type": "take_over", "page": page, "by": by, "again": again})

    async def until(self, hoped: Callable[[], bool]) -> None:
        """Wait for something of what is sent."""
        async with asyncio.timeout(15), self._changed:
            await self._changed.wait_for(hoped)

    async def hears(self, track: int, audio: bytes) -> None:
        """Wait until this was heard last on a track."""
        await self.until(lambda: self.tracks[track].endswith(audio))

    async def is_told(self, **fields: Any) -> dict[str, Any]:
        """The newest message, once it says so."""
        await self.until(lambda: bool(self.told) and fields.items() <= self.told[-1].items())
        return self.told[-1]

    async def closed(self) -> tuple[int | None, str | None]:
        """The close code and reason, once the gateway has closed."""
        await self._reading
        return self._connection.close_code, self._connection.close_reason

    async def leave(self) -> None:
        """Close."""
        await self._connection.close()
        await self._reading

    async def _read(self) -> None:
        try:
            async for message in self._connection:
                async with self._changed:
                    if isinstance(message, bytes):
                        self.tracks[message[0]] += message[1:]
                    else:
                        self.told.append(json.loads(message))
                    self._changed.notify_all()
        except ConnectionClosed:
            pass


@pytest.fixture
async def pages() -> AsyncIterator[list[Page]]:
    """Those of a test, to be closed after it."""
    opened: list[Page] = []
    yield opened
    for page in opened:
        await page.leave()


async def listening(call: Call, pages: list[Page]) -> Page:
    """A page at a call."""
    page = await Page.at(call.gateway, call.id)
    pages.append(page)
    await page.is_told(type="floor")
    return page


async def speaking(call: Call, pages: list[Page]) -> Page:
    """A page that has the floor."""
    page = await listening(call, pages)
    await page.take_over()
    await page.is_told(taken=True, mine=True, by="Grace")
    return page


def key(call: Call, turn: int = 0) -> ReplyKey:
    return ReplyKey(call.address.attachment, turn, 0, 1)


def voice(place: int) -> bytes:
    """A frame that is no other."""
    return bytes([place]) * 160


async def test_page_hears_the_caller_and_what_the_carrier_is_given_of_the_assistant(
    start_call: StartCall, playback: PlaybackClient, pages: list[Page]
) -> None:
    call = await start_call()
    first, second = await listening(call, pages), await listening(call, pages)
    await call.carrier.speak(voice(1) + voice(2))
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, TWO_SECONDS, (), last=True, text="All of it.")
        reply.finish(hear=False)
        await call.carrier.has_audio(len(TWO_SECONDS))
        for page in (first, second):
            await page.hears(CALLER, voice(1) + voice(2))
            await page.hears(ASSISTANT, TWO_SECONDS)
        late = await Page.at(call.gateway, call.id)  # in the middle of it
        pages.append(late)
        await late.until(lambda: len(late.tracks[ASSISTANT]) > 4_000)
        assert TWO_SECONDS.endswith(late.tracks[ASSISTANT])


async def test_supervisor_speaks_in_place_of_the_assistant_whose_speech_stops_at_once(
    start_call: StartCall, playback: PlaybackClient, pages: list[Page]
) -> None:
    call = await start_call()
    page, other = await listening(call, pages), await listening(call, pages)
    async with playback.open(call.id, call.address, key(call), Listen()) as reply:
        reply.push(0, TWO_SECONDS, (), last=False)
        await call.carrier.has_audio(len(TWO_SECONDS))
        await page.take_over()
        await call.carrier.has("clear")
        await reply.wait_closed()
        await other.is_told(taken=True, mine=False, by="Grace")
        assert {"type": "clear"} in page.told
    (report,) = await call.told(names.PLAYBACK_REPORT)
    assert report["interrupted"]
    (taken,) = await call.told(names.FLOOR_TAKEN)
    assert (taken["by"], taken["attachment"]) == ("Grace", call.address.attachment)
    async with playback.open(call.id, call.address, key(call, 1), Listen()) as late:
        await late.wait_closed()
    before = len(call.carrier.audio())
    await page.send(voice(3))
    await page.send(voice(4))
    heard = await call.carrier.has_audio(before + 320)
    assert heard[before:] == voice(3) + voice(4)
    await other.hears(OTHER, voice(3) + voice(4))
    assert page.tracks[OTHER] == b""


async def test_assistant_speaks_again_after_the_hand_back(
    start_call: StartCall, playback: PlaybackClient, pages: list[Page]
) -> None:
    call = await start_call()
    page = await speaking(call, pages)
    await page.send({"type": "hand_back"})
    await page.is_told(taken=False, lost=False)
    (back,) = await call.told(names.FLOOR_GIVEN_BACK)
    assert not back["lost"]
    await page.send(voice(5))  # too late
    async with playback.open(call.id, call.address, key(call, 1), Listen()) as reply:
        reply.push(0, voice(6), (), last=True, text="Back.")
        assert await call.carrier.has_audio(160) == voice(6)


async def test_only_one_supervisor_speaks(start_call: StartCall, pages: list[Page]) -> None:
    call = await start_call()
    page, other = await speaking(call, pages), await listening(call, pages)
    await other.take_over("page-of-ada", "Ada")
    assert (await other.is_told(type="refused"))["reason"] == "somebody has taken the call over already"
    await other.send(voice(1))
    await other.send({"type": "hand_back"})
    await page.send(voice(2))
    assert await call.carrier.has_audio(160) == voice(2)


async def test_page_that_comes_back_in_time_still_has_the_floor(start_call: StartCall, pages: list[Page]) -> None:
    call = await start_call()
    await (await speaking(call, pages)).leave()
    again = await listening(call, pages)
    assert again.told[-1]["taken"]
    await again.take_over(again=True)
    await again.is_told(taken=True, mine=True)
    await again.send(voice(2))
    assert await call.carrier.has_audio(160) == voice(2)
    assert len(await call.told(names.FLOOR_TAKEN)) == 1


async def test_call_of_a_supervisor_who_is_gone_is_handed_back(
    start_gateway: StartGateway, start_call: StartCall, pages: list[Page]
) -> None:
    call = await start_call(at=await start_gateway(take_over_grace=0.1))
    page = await speaking(call, pages)  # and sends nothing: its network is gone, whatever its socket says
    await page.is_told(taken=False, lost=True)
    (back,) = await call.told(names.FLOOR_GIVEN_BACK)
    assert back["lost"]
    await page.take_over(again=True)
    assert "handed back" in (await page.is_told(type="refused"))["reason"]


async def test_what_both_say_is_told_in_the_order_of_the_talk(start_call: StartCall, pages: list[Page]) -> None:
    call = await start_call()
    ear = await call.gateway.recogniser.stream(1)
    page = await speaking(call, pages)
    supervisor = await call.gateway.recogniser.stream(2)
    await page.send(voice(9) * 8)
    await supervisor.has_heard(1_280)
    supervisor.say(EndOfTurn("Hello, this is Grace.", 0.9))
    assert [said["turn"] for said in await call.told(names.SUPERVISOR_SAID)] == [0]
    ear.say(EndOfTurn("My parcel is wet.", 0.9))
    (turn,) = await call.told(names.CALLER_TURN)
    supervisor.say(EndOfTurn("I send you another.", 0.9), Interim("Bye for"))
    await call.told(names.SUPERVISOR_SAID, 2)
    await page.send({"type": "hand_back"})
    said = await call.told(names.SUPERVISOR_SAID, 3)
    assert [(one["turn"], one["text"]) for one in said[1:]] == [(1, "I send you another."), (1, "Bye for")]
    (back,) = await call.told(names.FLOOR_GIVEN_BACK)
    assert said[0]["seq"] < turn["seq"] < said[1]["seq"] < said[2]["seq"] < back["seq"]
    assert call.gateway.feed.of_kind("supervisor_said")[1] == {"turn": 1, "text": "I send you another."}


async def test_supervisor_whose_words_nobody_recognises_talks_all_the_same(
    start_gateway: StartGateway, start_call: StartCall, pages: list[Page]
) -> None:
    call = await start_call(at=await start_gateway(recogniser=0.0))
    await call.gateway.recogniser.stream(1)
    call.gateway.recogniser.errors.append(VendorError("recogniser", "unauthorized", "no", curable=False))
    page = await speaking(call, pages)
    await page.send(voice(2))
    assert await call.carrier.has_audio(160) == voice(2)
    assert "not recognised" in (await call.gateway.feed.first("problem"))["what"]


async def test_end_of_the_stream_closes_pages_and_ends_the_take_over(start_call: StartCall, pages: list[Page]) -> None:
    call = await start_call()
    page = await speaking(call, pages)
    await call.carrier.hang_up()
    assert await page.closed() == (1000, "the call has left this gateway")
    await call.told(names.STREAM_ENDED)
    assert names.FLOOR_GIVEN_BACK not in await call.workflow.query("order")


async def test_nobody_listens_without_the_secret_or_to_a_call_that_is_not_here(start_call: StartCall) -> None:
    call = await start_call()
    for call_id, secret, status in ((call.id, "wrong", 401), ("another", INTERNAL_SECRET, 404)):
        with pytest.raises(InvalidStatus) as refused:
            await Page.at(call.gateway, call_id, secret)
        assert refused.value.response.status_code == status


@pytest.mark.parametrize("nonsense", ['{"type":"sing"}', '{"type":"take_over","page":""}', "{", b"", b"\x00" * 1_601])
async def test_page_that_sends_nonsense_is_closed_and_the_call_goes_on(
    start_call: StartCall, pages: list[Page], nonsense: str | bytes
) -> None:
    call = await start_call()
    page = await listening(call, pages)
    await page.send(nonsense)
    assert (await page.closed())[0] == 1003
    await call.carrier.speak(voice(1))
    again = await listening(call, pages)
    await call.carrier.speak(voice(2))
    await again.hears(CALLER, voice(2))
