from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.ports.tools import ToolContext
from sandbox.state import Fault
from tests.vendors.connectors import JAMIE, PATIENCE, STRANGER, WITHHELD, Box, box, calling_from, expect_refusal
from vendors.calcom import CalCom

ZONE = "America/New_York"
CALL = 101


@asynccontextmanager
async def calendar(
    key: str = "right", timeout_seconds: float = 5.0, page: int = 20
) -> AsyncIterator[tuple[CalCom, Box]]:
    async with box(timeout_seconds) as sandbox:
        yield CalCom(sandbox.http, sandbox.origin, key, page=page), sandbox


async def free_times(adapter: CalCom, days: int = 14) -> list[dict[str, str]]:
    now = datetime.now(UTC)
    latest = (now + timedelta(days=days)).isoformat()
    found = await adapter.find_slots(event_type_id=CALL, earliest=now.isoformat(), latest=latest, time_zone=ZONE)
    return list(found["free_times"])


async def booked(adapter: CalCom, context: ToolContext, start: str, **more: str) -> dict[str, Any]:
    return await adapter.book(context, event_type_id=CALL, start=start, name="Dana Doe", time_zone=ZONE, **more)


async def test_free_times_are_told_in_the_callers_time_zone_and_not_too_many() -> None:
    async with calendar() as (adapter, _):
        offered = await free_times(adapter)
        assert len(offered) == 12
        for slot in offered:
            start = datetime.fromisoformat(slot["start"])
            assert 9 <= start.hour < 17
            assert f"{start:%A}" == slot["day"]


async def test_times_without_an_offset_are_meant_in_the_time_zone() -> None:
    async with calendar() as (adapter, _):
        day = datetime.fromisoformat((await free_times(adapter))[-1]["start"]).date() + timedelta(days=7)
        found = await adapter.find_slots(
            event_type_id=CALL, earliest=f"{day}T10:00", latest=f"{day}T11:00", time_zone=ZONE
        )
        assert [slot["start"][11:16] for slot in found["free_times"]] == ["10:00", "10:30"]


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"earliest": "Tuesday"}, "earliest"),
        ({"latest": "2020-01-06"}, "latest"),
    ],
)
async def test_what_is_no_time_is_refused_before_anything_is_asked(asked: dict[str, str], match: str) -> None:
    times = {"earliest": "2026-12-01", "latest": "2026-12-02", "time_zone": ZONE}
    async with calendar() as (adapter, sandbox):
        with expect_refusal("refused", match=match):
            await adapter.find_slots(event_type_id=CALL, **(times | asked))
        assert sandbox.requests("calcom", "GET") == 0


async def test_a_booking_by_phone_number_alone_can_be_found_moved_and_cancelled() -> None:
    async with calendar() as (adapter, sandbox):
        first, second, *_ = await free_times(adapter)
        made = await booked(adapter, STRANGER, first["start"], notes="Flat roof")
        assert (made["status"], made["start"], made["day"]) == ("accepted", first["start"], first["day"])
        assert first["start"] not in {slot["start"] for slot in await free_times(adapter)}
        (listed,) = (await adapter.find_bookings(STRANGER))["bookings"]
        assert listed == made
        moved = await adapter.reschedule(
            STRANGER, booking_uid=made["booking_uid"], start=second["start"], time_zone=ZONE
        )
        assert datetime.fromisoformat(moved["start"]) == datetime.fromisoformat(second["start"])
        assert [b["booking_uid"] for b in (await adapter.find_bookings(STRANGER))["bookings"]] == [moved["booking_uid"]]
        gone = await adapter.cancel(STRANGER, booking_uid=moved["booking_uid"], reason="No roof")
        assert gone["status"] == "cancelled"
        assert (await adapter.find_bookings(STRANGER))["bookings"] == []
        last = (await sandbox.told("/v2/_bookings"))[-1]
        assert (last["cancellationReason"], last["bookingFieldsResponses"]) == ("No roof", {"notes": "Flat roof"})


async def test_a_booking_with_an_address_is_found_by_it() -> None:
    async with calendar() as (adapter, _):
        (first, *_) = await free_times(adapter)
        made = await booked(adapter, STRANGER, first["start"], email="dana@example.com")
        assert (await adapter.find_bookings(STRANGER))["bookings"] == []
        assert (await adapter.find_bookings(STRANGER, email="dana@example.com"))["bookings"] == [made]


async def test_a_caller_who_withholds_the_number_books_by_address_and_finds_nothing_of_others() -> None:
    async with calendar() as (adapter, sandbox):
        first, *_ = await free_times(adapter)
        with expect_refusal("refused", match="e-mail address is needed"):
            await booked(adapter, WITHHELD, first["start"])
        made = await booked(adapter, WITHHELD, first["start"], email="dana@example.com")
        assert await adapter.booked(WITHHELD, email="dana@example.com")
        assert (await adapter.find_bookings(WITHHELD, email="dana@example.com"))["bookings"] == []
        with expect_refusal("refused", match="no such booking"):
            await adapter.cancel(calling_from(WITHHELD.caller.number, "CA2:1:0"), booking_uid=made["booking_uid"])
        assert await adapter.cancel(WITHHELD, booking_uid=made["booking_uid"])  # what this very tool call has booked
        assert "phoneNumber" not in (await sandbox.told("/v2/_bookings"))[-1]["attendees"][0]


async def test_what_another_number_has_booked_is_not_there() -> None:
    async with calendar() as (adapter, sandbox):
        jamie = calling_from(JAMIE.caller.number, "CA2:1:0")
        (first, second, *_) = await free_times(adapter)
        made = await booked(adapter, STRANGER, first["start"], email="dana@example.com")
        before = await sandbox.told("/v2/_bookings")
        assert all(
            booking["booking_uid"] != made["booking_uid"]
            for booking in (await adapter.find_bookings(jamie, email="dana@example.com"))["bookings"]
        )
        with expect_refusal("refused", match="no such booking"):
            await adapter.cancel(jamie, booking_uid=made["booking_uid"])
        with expect_refusal("refused", match="no such booking"):
            await adapter.reschedule(jamie, booking_uid=made["booking_uid"], start=second["start"], time_zone=ZONE)
        with expect_refusal("refused", match="no such booking"):
            await adapter.cancel(STRANGER, booking_uid="../../me")
        assert await sandbox.told("/v2/_bookings") == before


async def test_a_taken_time_is_refused_in_words() -> None:
    async with calendar() as (adapter, _):
        (first, *_) = await free_times(adapter)
        await booked(adapter, STRANGER, first["start"])
        with expect_refusal("refused", match="not free any more"):
            await booked(adapter, calling_from(JAMIE.caller.number, "CA2:1:0"), first["start"])
        with expect_refusal("refused", match="in the past"):
            await booked(adapter, calling_from(STRANGER.caller.number, "CA2:1:1"), "2020-01-06T10:00")


@pytest.mark.parametrize("fault", ["drop", "stall"])
async def test_a_booking_whose_answer_was_lost_is_found(fault: str) -> None:
    async with calendar(timeout_seconds=PATIENCE[fault]) as (adapter, sandbox):
        (first, *_) = await free_times(adapter)
        sandbox.breaks("calcom", fault, match="POST /v2/bookings")
        assert await adapter.booked(STRANGER) is None
        with expect_refusal("timeout" if fault == "stall" else "unavailable"):
            await booked(adapter, STRANGER, first["start"])
        found = await adapter.booked(STRANGER)
        again = await booked(adapter, STRANGER, first["start"])
        assert found == again
        assert len(await sandbox.told("/v2/_bookings")) == 2  # one is Jamie's, from the start


async def test_a_move_and_a_cancellation_whose_answers_were_lost_are_found() -> None:
    async with calendar() as (adapter, sandbox):
        first, second, *_ = await free_times(adapter)
        made = await booked(adapter, STRANGER, first["start"])
        where = {"booking_uid": made["booking_uid"], "start": second["start"], "time_zone": ZONE}
        sandbox.breaks("calcom", "drop", match="/reschedule")
        with expect_refusal("unavailable"):
            await adapter.reschedule(STRANGER, **where)
        moved = await adapter.reschedule(STRANGER, **where)
        sandbox.breaks("calcom", "drop", match="/cancel")
        with expect_refusal("unavailable"):
            await adapter.cancel(STRANGER, booking_uid=moved["booking_uid"])
        assert (await adapter.cancel(STRANGER, booking_uid=moved["booking_uid"]))["status"] == "cancelled"
        with expect_refusal("refused", match="was cancelled"):
            await adapter.reschedule(STRANGER, **where)
        assert len(await sandbox.told("/v2/_bookings")) == 3


async def test_bookings_are_read_page_by_page() -> None:
    async with calendar(page=2) as (adapter, sandbox):
        offered = await free_times(adapter)
        for turn, slot in enumerate(offered[:5]):
            await booked(adapter, calling_from(STRANGER.caller.number, f"CA1:{turn}:0"), slot["start"])
        assert len((await adapter.find_bookings(STRANGER))["bookings"]) == 5
        assert sandbox.requests("calcom", "GET /v2/bookings") == 3


@pytest.mark.parametrize(
    ("fault", "kind", "curable"),
    [
        (Fault("calcom", "status", status=503), "unavailable", True),
        (Fault("calcom", "status", status=429, retry_after=7), "rate_limited", True),
        (Fault("calcom", "status", status=403), "unauthorized", False),
        (Fault("calcom", "garbage"), "broken", True),
        (Fault("calcom", "drop"), "unavailable", True),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else None,
)
async def test_every_failure_has_its_kind(fault: Fault, kind: str, curable: bool) -> None:
    async with calendar() as (adapter, sandbox):
        sandbox.state.faults.append(fault)
        with expect_refusal(kind) as caught:
            await free_times(adapter)
        assert caught.value.curable is curable
        assert caught.value.retry_after == (timedelta(seconds=7) if fault.retry_after else None)
        assert await free_times(adapter)


async def test_a_wrong_key_is_no_reason_to_try_again() -> None:
    async with calendar("wrong") as (adapter, _):
        with expect_refusal("unauthorized") as caught:
            await free_times(adapter)
        assert not caught.value.curable
