from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from core.outcome import Disposition
from sandbox.state import Fault
from tests.vendors.connectors import (
    JAMIE,
    NOTE,
    PATIENCE,
    STONES,
    STRANGER,
    WITHHELD,
    Box,
    box,
    calling_from,
    expect_refusal,
)
from vendors.hubspot import HubSpot


@asynccontextmanager
async def account(
    token: str = "right", timeout_seconds: float = 5.0, **latency: float
) -> AsyncIterator[tuple[HubSpot, Box]]:
    async with box(timeout_seconds, **latency) as sandbox:
        yield HubSpot(sandbox.http, sandbox.origin, token), sandbox


async def test_the_caller_is_known_by_the_number_however_it_was_typed() -> None:
    async with account() as (hubspot, _):
        found = await hubspot.find_contact(JAMIE)
        assert (found["found"], found["first_name"], found["last_name"]) == (True, "Jamie", "Rivera")
        mobile = await hubspot.find_contact(calling_from("+12025550100"))
        assert mobile["first_name"] == "Robin"


async def test_a_number_of_nobodys_or_of_several_contacts_tells_no_name() -> None:
    async with account() as (hubspot, _):
        assert await hubspot.find_contact(STRANGER) == {"found": False, "several": False}
        assert await hubspot.find_contact(STONES) == {"found": False, "several": True}
        abroad = calling_from("+442025550161")  # the same digits, another country
        assert await hubspot.find_contact(abroad) == {"found": False, "several": False}


async def test_a_known_callers_contact_is_changed_and_no_other_is_made() -> None:
    async with account() as (hubspot, sandbox):
        changed = await hubspot.upsert_contact(JAMIE, company="Rivera Roofs")
        contacts = (await sandbox.told("/crm/v3/_records"))["contacts"]
        (jamie,) = [contact for contact in contacts if contact["id"] == changed["contact_id"]]
        assert changed["created"] is False
        assert (jamie["properties"]["company"], jamie["properties"]["firstname"]) == ("Rivera Roofs", "Jamie")
        assert len(contacts) == 4


async def test_an_unknown_caller_becomes_one_contact_although_the_search_lags_behind() -> None:
    async with account(search_lag_ms=60_000) as (hubspot, sandbox):
        made = await hubspot.upsert_contact(STRANGER, first_name="Dana", email="dana@example.com")
        later = calling_from(STRANGER.caller.number, "CA1:2:0")
        corrected = await hubspot.upsert_contact(later, email="dana.doe@example.com")
        assert (made["created"], corrected["created"]) == (True, False)
        assert made["contact_id"] == corrected["contact_id"]
        contact = (await sandbox.told("/crm/v3/_records"))["contacts"][-1]["properties"]
        assert (contact["firstname"], contact["email"]) == ("Dana", "dana.doe@example.com")
        assert contact["phone"] == "+12025550199"


async def test_a_caller_who_says_another_persons_address_does_not_become_that_person() -> None:
    async with account() as (hubspot, sandbox):
        before = await sandbox.told("/crm/v3/_records")
        with expect_refusal("refused", match="another record has this e-mail address"):
            await hubspot.upsert_contact(STRANGER, first_name="Mallory", email="jamie.rivera@example.com")
        assert await sandbox.told("/crm/v3/_records") == before
        assert not (await hubspot.find_contact(STRANGER))["found"]


async def test_callers_who_withhold_their_number_share_no_contact() -> None:
    async with account() as (hubspot, sandbox):
        with expect_refusal("refused", match="withheld"):
            await hubspot.upsert_contact(WITHHELD, first_name="Dana")
        await hubspot.create_ticket(WITHHELD, subject="Broken panel")
        records = await sandbox.told("/crm/v3/_records")
        assert len(records["contacts"]) == 4
        assert records["tickets"][0]["properties"]["content"] == "Caller: number withheld"
        assert await hubspot.list_tickets(WITHHELD) == {"tickets": [], "known_caller": False}


async def test_a_number_of_several_contacts_changes_none() -> None:
    async with account() as (hubspot, sandbox):
        before = await sandbox.told("/crm/v3/_records")
        with expect_refusal("refused", match="several contacts"):
            await hubspot.upsert_contact(STONES, company="Stone")
        assert await sandbox.told("/crm/v3/_records") == before


async def test_a_ticket_is_opened_on_the_callers_contact_and_listed_for_that_caller_only() -> None:
    async with account() as (hubspot, sandbox):
        made = await hubspot.create_ticket(JAMIE, subject="Broken panel", content="Since Monday", priority="HIGH")
        listed = await hubspot.list_tickets(JAMIE)
        assert [(ticket["ticket_id"], ticket["subject"]) for ticket in listed["tickets"]] == [
            (made["ticket_id"], "Broken panel")
        ]
        assert await hubspot.list_tickets(STRANGER) == {"tickets": [], "known_caller": False}
        (ticket,) = (await sandbox.told("/crm/v3/_records"))["tickets"]
        jamie = await hubspot.find_contact(JAMIE)
        assert ticket["contacts"] == [jamie["contact_id"]]
        assert (ticket["properties"]["hs_pipeline"], ticket["properties"]["hs_pipeline_stage"]) == ("0", "1")


async def test_a_ticket_of_an_unknown_caller_keeps_the_number() -> None:
    async with account() as (hubspot, sandbox):
        await hubspot.create_ticket(STRANGER, subject="Broken panel")
        (ticket,) = (await sandbox.told("/crm/v3/_records"))["tickets"]
        assert (ticket["contacts"], ticket["properties"]["content"]) == ([], "Caller: +12025550199")


@pytest.mark.parametrize("fault", ["drop", "stall"])
async def test_a_ticket_whose_answer_was_lost_is_not_opened_twice(fault: str) -> None:
    async with account(timeout_seconds=PATIENCE[fault], search_lag_ms=60_000) as (hubspot, sandbox):
        sandbox.breaks("hubspot", fault, match="POST /crm/v3/objects/tickets")
        with expect_refusal("timeout" if fault == "stall" else "unavailable") as caught:
            await hubspot.create_ticket(STRANGER, subject="Broken panel")
        assert caught.value.curable
        again = await hubspot.create_ticket(STRANGER, subject="Broken panel")
        (ticket,) = (await sandbox.told("/crm/v3/_records"))["tickets"]
        assert ticket["id"] == again["ticket_id"]


async def test_a_refusal_names_the_property_and_not_what_was_said() -> None:
    async with account() as (hubspot, _):
        with expect_refusal("refused", match=r"email was not taken \(VALIDATION_ERROR\)"):
            await hubspot.upsert_contact(STRANGER, email="dana at example")


async def test_the_note_after_the_call_is_a_call_on_the_contact_written_once() -> None:
    async with account() as (hubspot, sandbox):
        note_id = await hubspot.log_call(NOTE)
        assert await hubspot.log_call(NOTE) == note_id
        (call,) = (await sandbox.told("/crm/v3/_records"))["calls"]
        jamie = await hubspot.find_contact(JAMIE)
        assert (call["id"], call["contacts"]) == (note_id, [jamie["contact_id"]])
        told = call["properties"]
        assert (told["hs_call_title"], told["hs_call_direction"]) == ("Call: a visit", "OUTBOUND")
        assert (told["hs_call_duration"], told["hs_call_status"]) == ("65000", "COMPLETED")
        assert told["hs_call_to_number"] == "+12025550161"
        assert told["hs_call_body"] == "Wants a visit.<br>Follow up: send the offer<br>Outcome: completed"
        assert told["hs_timestamp"] == "2026-11-25T09:45:35.000Z"


async def test_what_the_playbook_wants_to_be_known_stands_in_the_note() -> None:
    async with account() as (hubspot, sandbox):
        fields = {"owns_house": True, "rooms": ["kitchen", "<b>bath"], "monthly_bill": 180, "start": None}
        await hubspot.log_call(replace(NOTE, fields=fields))
        (call,) = (await sandbox.told("/crm/v3/_records"))["calls"]
        assert call["properties"]["hs_call_body"].split("<br>")[2:-1] == [
            *("Owns house: yes", "Rooms: kitchen, &lt;b&gt;bath", "Monthly bill: 180", "Start: not known")
        ]


async def test_a_call_nobody_answered_is_noted_as_such() -> None:
    async with account() as (hubspot, sandbox):
        await hubspot.log_call(replace(NOTE, disposition=Disposition.NO_ANSWER))
        (call,) = (await sandbox.told("/crm/v3/_records"))["calls"]
        assert call["properties"]["hs_call_status"] == "NO_ANSWER"


@pytest.mark.parametrize(
    ("fault", "kind", "curable"),
    [
        (Fault("hubspot", "status", status=503), "unavailable", True),
        (Fault("hubspot", "status", status=423), "unavailable", True),
        (Fault("hubspot", "status", status=429), "rate_limited", True),
        (Fault("hubspot", "status", status=403), "unauthorized", False),
        (Fault("hubspot", "garbage"), "broken", True),
        (Fault("hubspot", "drop"), "unavailable", True),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else None,
)
async def test_every_failure_has_its_kind(fault: Fault, kind: str, curable: bool) -> None:
    async with account() as (hubspot, sandbox):
        sandbox.state.faults.append(fault)
        with expect_refusal(kind) as caught:
            await hubspot.find_contact(JAMIE)
        assert caught.value.curable is curable
        assert (await hubspot.find_contact(JAMIE))["found"]


async def test_a_limit_by_the_second_is_waited_out() -> None:
    async with account() as (hubspot, sandbox):
        sandbox.breaks("hubspot", "status", status=429)
        with expect_refusal("rate_limited") as caught:
            await hubspot.find_contact(JAMIE)
        assert caught.value.retry_after == timedelta(seconds=1)


async def test_a_wrong_token_is_no_reason_to_try_again() -> None:
    async with account("wrong") as (hubspot, _):
        with expect_refusal("unauthorized") as caught:
            await hubspot.find_contact(JAMIE)
        assert not caught.value.curable


async def test_what_the_account_lacks_is_told() -> None:
    async with account() as (hubspot, sandbox):
        assert await hubspot.missing() == []
        sandbox.breaks("hubspot", "status", status=404, match="/properties/tickets")
        assert await hubspot.missing() == ["tickets have no property holdfast_key"]
