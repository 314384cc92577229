from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.ports.tools import ToolContext
from sandbox.state import Fault
from tests.vendors.connectors import JAMIE, PATIENCE, STRANGER, WITHHELD, Box, box, calling_from, expect_refusal
from vendors.calendly import Calendly

ZONE = "America/New_York"
CALL = "https://api.calendly.com/event_types/CALL"
DANA = "dana@example.com"


@asynccontextmanager
async def calendar(
    token: str = "right", timeout_seconds: float = 5.0, page: int = 20
) -> AsyncIterator[tuple[Calendly, Box]]:
    async with box(timeout_seconds) as sandbox:
        yield Calendly(sandbox.http, sandbox.origin, token, {}, page=page), sandbox


async def free_times(adapter: Calendly, days: int = 14) -> list[dict[str, str]]:
    now = datetime.now(UTC)
    latest = (now + timedelta(days=days)).isoformat()
    found = await adapter.find_slots(event_type=CALL, earliest=now.isoformat(), latest=latest, time_zone=ZONE)
    return list(found["free_times"])


async def booked(adapter: Calendly, context: ToolContext, start: str, **more: str) -> dict[str, Any]:
    asked = {"event_type": CALL, "name": "Dana Doe", "email": DANA, "time_zone": ZONE} | more
    return await adapter.book(context, start=start, **asked)


async def test_free_times_are_told_in_the_callers_time_zone_and_not_too_many() -> None:
    async with calendar() as (adapter, _):
        offered = await free_times(adapter, days=60)  # more than Calendly takes at once
        assert len(offered) == 12
        for slot in offered:
            start = datetime.fromisoformat(slot["start"])
            assert 9 <= start.hour < 17
            assert f"{start:%A}" == slot["day"]


async def test_a_span_that_is_over_is_refused() -> None:
    async with calendar() as (adapter, _):
        with expect_refusal("refused", match="latest must be"):
            await adapter.find_slots(event_type=CALL, earliest="2020-01-06", latest="2020-01-07", time_zone=ZONE)


async def test_a_booking_can_be_found_and_cancelled_by_the_number_that_made_it() -> None:
    async with calendar() as (adapter, sandbox):
        (first, *_) = await free_times(adapter)
        made = await booked(adapter, STRANGER, first["start"], location_kind="outbound_call")
        assert first["start"] not in {slot["start"] for slot in await free_times(adapter)}
        (listed,) = (await adapter.find_bookings(STRANGER, email=DANA))["bookings"]
        assert (listed["booking_id"], listed["start"]) == (made["booking_id"], first["start"])
        assert (await adapter.cancel(STRANGER, booking_id=made["booking_id"]))["status"] == "canceled"
        assert (await adapter.cancel(STRANGER, booking_id=made["booking_id"]))["status"] == "canceled"
        assert (await adapter.find_bookings(STRANGER, email=DANA))["bookings"] == []
        (event,) = await sandbox.told("/_calendly/events")
        assert event["location"] == {"kind": "outbound_call", "location": "+12025550199"}
        assert event["invitee"]["tracking"] == {"utm_source": "holdfast", "utm_content": "CA1:1:0"}


async def test_a_caller_who_withholds_the_number_books_by_address_and_finds_nothing_of_others() -> None:
    async with calendar() as (adapter, _):
        first, *_ = await free_times(adapter)
        with expect_refusal("refused", match="withheld"):
            await booked(adapter, WITHHELD, first["start"], location_kind="outbound_call")
        made = await booked(adapter, WITHHELD, first["start"])
        what = {"event_type": CALL, "start": first["start"], "email": DANA, "time_zone": ZONE}
        assert await adapter.booked(WITHHELD, **what)
        assert (await adapter.find_bookings(WITHHELD, email=DANA))["bookings"] == []
        with expect_refusal("refused", match="no such booking"):
            await adapter.cancel(calling_from(WITHHELD.caller.number, "CA2:1:0"), booking_id=made["booking_id"])
        assert await adapter.cancel(WITHHELD, booking_id=made["booking_id"])  # what this very tool call has booked


async def test_what_another_number_has_booked_is_not_there() -> None:
    async with calendar() as (adapter, sandbox):
        jamie = calling_from(JAMIE.caller.number, "CA2:1:0")
        (first, *_) = await free_times(adapter)
        made = await booked(adapter, STRANGER, first["start"])
        assert (await adapter.find_bookings(jamie, email=DANA))["bookings"] == []
        for booking_id in (made["booking_id"], "nothing", "../users/me"):
            with expect_refusal("refused", match="no such booking"):
                await adapter.cancel(jamie, booking_id=booking_id)
        (event,) = await sandbox.told("/_calendly/events")
        assert event["status"] == "active"


async def test_a_taken_time_is_refused_in_words() -> None:
    async with calendar() as (adapter, _):
        (first, *_) = await free_times(adapter)
        await booked(adapter, STRANGER, first["start"])
        with expect_refusal("refused", match="not free any more"):
            await booked(adapter, JAMIE, first["start"], email="jamie@example.com")
        with expect_refusal("refused", match="not free any more"):  # nor by saying whose it is
            await booked(adapter, calling_from(JAMIE.caller.number, "CA2:1:0"), first["start"])


async def test_a_refusal_names_the_parameter_and_not_what_was_said() -> None:
    async with calendar() as (adapter, _):
        (first, *_) = await free_times(adapter)
        with expect_refusal("refused", match=r"invitee\.email was not taken"):
            await booked(adapter, STRANGER, first["start"], email="dana at example")


@pytest.mark.parametrize("fault", ["drop", "stall"])
async def test_a_booking_whose_answer_was_lost_is_found(fault: str) -> None:
    async with calendar(timeout_seconds=PATIENCE[fault]) as (adapter, sandbox):
        (first, *_) = await free_times(adapter)
        what = {"event_type": CALL, "start": first["start"], "email": DANA, "time_zone": ZONE}
        assert await adapter.booked(STRANGER, **what) is None
        sandbox.breaks("calendly", fault, match="POST /invitees")
        with expect_refusal("timeout" if fault == "stall" else "unavailable"):
            await booked(adapter, STRANGER, first["start"])
        found = await adapter.booked(STRANGER, **what)
        again = await booked(adapter, STRANGER, first["start"])
        assert found == again
        assert len(await sandbox.told("/_calendly/events")) == 1


async def test_a_user_who_may_not_see_the_organization_finds_the_users_own_events() -> None:
    async with calendar() as (adapter, sandbox):
        (first, *_) = await free_times(adapter)
        await booked(adapter, STRANGER, first["start"])
        sandbox.breaks("calendly", "status", status=403, match="GET /scheduled_events")
        assert len((await adapter.find_bookings(STRANGER, email=DANA))["bookings"]) == 1


async def test_bookings_are_read_page_by_page() -> None:
    async with calendar(page=2) as (adapter, _):
        for slot in (await free_times(adapter))[:5]:
            await booked(adapter, STRANGER, slot["start"])
        assert len((await adapter.find_bookings(STRANGER, email=DANA))["bookings"]) == 5


@pytest.mark.parametrize(
    ("fault", "kind", "curable"),
    [
        (Fault("calendly", "status", status=503), "unavailable", True),
        (Fault("calendly", "status", status=429, retry_after=42), "rate_limited", True),
        (Fault("calendly", "status", status=403), "unauthorized", False),
        (Fault("calendly", "garbage"), "broken", True),
        (Fault("calendly", "drop"), "unavailable", True),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else None,
)
async def test_every_failure_has_its_kind(fault: Fault, kind: str, curable: bool) -> None:
    async with calendar() as (adapter, sandbox):
        sandbox.state.faults.append(fault)
        with expect_refusal(kind) as caught:
            await free_times(adapter)
        assert caught.value.curable is curable
        assert caught.value.retry_after == (timedelta(seconds=42) if fault.retry_after else None)
        assert await free_times(adapter)


async def test_a_wrong_token_is_no_reason_to_try_again() -> None:
    async with calendar("wrong") as (adapter, _):
        with expect_refusal("unauthorized") as caught:
            await free_times(adapter)
        assert not caught.value.curable
