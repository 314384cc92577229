"""The REST API, spoken to by the unmodified SDK."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from sandbox.state import Fault
from tests.sandbox.twilio.product import CALLER, OUR_NUMBER, SID, TOKEN, World

TWIML = "<Response><Pause length='30'/></Response>"


@asynccontextmanager
async def sdk(world: World, token: str = TOKEN, sid: str = SID) -> AsyncIterator[Client]:
    async with AsyncTwilioHttpClient() as http:
        client = Client(sid, token, http_client=http)
        client.api.base_url = world.origin
        yield client


@contextmanager
def refused(status: int, code: int) -> Iterator[None]:
    with pytest.raises(TwilioRestException) as caught:
        yield
    assert (caught.value.status, caught.value.code) == (status, code)


async def test_a_call_is_created_fetched_and_hung_up_by_the_asynchronous_sdk(world: World) -> None:
    async with sdk(world) as client:
        created = await client.calls.create_async(to=CALLER, from_=OUR_NUMBER, twiml=TWIML)
        assert created.sid is not None
        assert (created.status, created.direction, created._from) == ("queued", "outbound-api", OUR_NUMBER)
        fetched = await client.calls(created.sid).fetch_async()
        assert (fetched.sid, fetched.to) == (created.sid, CALLER)
        ended = await client.calls(created.sid).update_async(status="completed")
        assert ended.status in ("completed", "canceled")
        with refused(400, 21220):
            await client.calls(created.sid).update_async(status="completed")


async def test_the_synchronous_sdk_is_served_as_well(world: World) -> None:
    client = Client(SID, TOKEN)
    client.api.base_url = world.origin
    created = await asyncio.to_thread(client.calls.create, to=CALLER, from_=OUR_NUMBER, twiml=TWIML)
    listed = await asyncio.to_thread(client.calls.list, to=CALLER)
    assert [call.sid for call in listed] == [created.sid]


async def test_calls_are_listed_newest_first_by_number_status_and_time_page_by_page(world: World) -> None:
    async with sdk(world) as client:
        made = [await client.calls.create_async(to=CALLER, from_=OUR_NUMBER, twiml=TWIML) for _ in range(5)]
        other = await client.calls.create_async(to="+15550133333", from_=OUR_NUMBER, twiml=TWIML)
        assert other.date_created is not None
        listed = await client.calls.list_async(to=CALLER, from_=OUR_NUMBER, page_size=2)
        assert [call.sid for call in listed] == [call.sid for call in reversed(made)]
        assert [call.sid for call in await client.calls.list_async(to="+15550133333")] == [other.sid]
        assert await client.calls.list_async(status="busy") == []
        an_hour = timedelta(hours=1)
        assert len(await client.calls.list_async(start_time_after=datetime.now(UTC) - an_hour)) == 6
        assert await client.calls.list_async(start_time_after=datetime.now(UTC) + an_hour) == []
        assert len(await client.calls.list_async(start_time_before=datetime.now(UTC) + an_hour, limit=3)) == 3


async def test_wrong_credentials_are_answered_as_twilio_does(world: World) -> None:
    async with sdk(world, token="wrong") as client:
        with refused(401, 20003):
            await client.calls.create_async(to=CALLER, from_=OUR_NUMBER, twiml=TWIML)
    async with sdk(world, sid="AC" + "9" * 32) as client:
        with refused(401, 20003):
            await client.api.accounts(SID).fetch_async()
    assert (await world.control.get("/sandbox/calls")).json() == []


async def test_the_account_can_be_fetched(world: World) -> None:
    async with sdk(world) as client:
        account = await client.api.accounts(SID).fetch_async()
    assert (account.sid, account.status) == (SID, "active")


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"to": "12"}, 21211), ({"from_": "nobody"}, 21212), ({"twiml": None}, 21205), ({"to": ""}, 21201)],
)
async def test_a_bad_request_is_refused_with_twilios_code(
    world: World, changes: dict[str, str | None], code: int
) -> None:
    request = {"to": CALLER, "from_": OUR_NUMBER, "twiml": TWIML} | changes
    async with sdk(world) as client:
        with refused(400, code):
            await client.calls.create_async(**{name: value for name, value in request.items() if value is not None})
        assert await client.calls.list_async() == []


async def test_what_does_not_exist_is_not_found(world: World) -> None:
    async with sdk(world) as client:
        with refused(404, 20404):
            await client.calls("CA" + "0" * 32).fetch_async()
        with refused(404, 20404):
            await client.conferences("nowhere").participants("CA" + "0" * 32).fetch_async()
        assert await client.conferences.list_async() == []


async def test_a_message_is_accepted_and_kept(world: World) -> None:
    async with sdk(world) as client:
        sent = await client.messages.create_async(to=CALLER, from_=OUR_NUMBER, body="Your code is 12.")
        with refused(400, 21602):
            await client.messages.create_async(to=CALLER, from_=OUR_NUMBER)
    assert sent.status == "queued"
    (kept,) = (await world.control.get("/sandbox/messages")).json()
    assert (kept["sid"], kept["body"]) == (sent.sid, "Your code is 12.")


async def test_a_request_may_be_turned_away_and_is_then_not_carried_out(world: World) -> None:
    world.state.faults.append(Fault("twilio", "status", status=429, retry_after=2))
    async with sdk(world) as client:
        with refused(429, 20429):
            await client.calls.create_async(to=CALLER, from_=OUR_NUMBER, twiml=TWIML)
        assert await client.calls.list_async() == []


async def test_a_lost_answer_may_have_dialled_all_the_same(world: World) -> None:
    world.state.faults.append(Fault("twilio", "drop", match="POST"))
    async with sdk(world) as client:
        with pytest.raises(aiohttp.ClientError):
            await client.calls.create_async(to=CALLER, from_=OUR_NUMBER, twiml=TWIML)
        assert len(await client.calls.list_async(to=CALLER)) == 1


async def test_a_stalled_request_is_never_answered(world: World) -> None:
    world.state.faults.append(Fault("twilio", "stall", match="POST"))
    async with sdk(world) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.calls.create_async(to=CALLER, from_=OUR_NUMBER, twiml=TWIML)
        assert await client.calls.list_async() == []
