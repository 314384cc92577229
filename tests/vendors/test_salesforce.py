from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse

from sandbox.state import Fault
from tests.sandbox.server import running
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
from vendors.salesforce import Salesforce


@asynccontextmanager
async def org(secret: str = "right", timeout_seconds: float = 5.0) -> AsyncIterator[tuple[Salesforce, Box]]:
    async with box(timeout_seconds) as sandbox:
        yield Salesforce(sandbox.http, sandbox.origin, "holdfast", secret, {}), sandbox


async def test_the_caller_is_known_by_the_number_however_it_was_typed() -> None:
    async with org() as (salesforce, _):
        found = await salesforce.find_contact(JAMIE)
        assert (found["found"], found["first_name"], found["last_name"]) == (True, "Jamie", "Rivera")
        mobile = await salesforce.find_contact(calling_from("+12025550100"))
        assert mobile["first_name"] == "Robin"


async def test_a_number_of_nobodys_or_of_several_contacts_tells_no_name() -> None:
    async with org() as (salesforce, _):
        assert await salesforce.find_contact(STRANGER) == {"found": False, "several": False}
        assert await salesforce.find_contact(STONES) == {"found": False, "several": True}
        abroad = calling_from("+442025550161")  # the same digits, another country
        assert await salesforce.find_contact(abroad) == {"found": False, "several": False}
        hidden = calling_from("anonymous")
        assert await salesforce.find_contact(hidden) == {"found": False, "several": False}


async def test_a_case_is_opened_on_the_callers_contact_and_listed_for_that_caller_only() -> None:
    async with org() as (salesforce, sandbox):
        case = await salesforce.create_case(JAMIE, subject="Broken panel", description="Since Monday", priority="High")
        assert case["status"] == "New"
        listed = await salesforce.list_cases(JAMIE)
        assert [(seen["case_number"], seen["subject"]) for seen in listed["cases"]] == [
            (case["case_number"], "Broken panel")
        ]
        assert await salesforce.list_cases(STRANGER) == {"cases": [], "known_caller": False}
        (record,) = (await sandbox.told("/services/_records"))["Case"]
        assert (record["Priority"], record["Origin"], record["Holdfast_Key__c"]) == ("High", "Phone", "CA1:1:0")
        assert record["ContactId"].startswith("003")


async def test_only_the_newest_cases_are_told() -> None:
    async with org() as (salesforce, _):
        for turn in range(7):
            await salesforce.create_case(calling_from(JAMIE.caller.number, f"CA1:{turn}:0"), subject=f"Case {turn}")
        listed = await salesforce.list_cases(JAMIE)
        assert [case["subject"] for case in listed["cases"]] == ["Case 6", "Case 5", "Case 4", "Case 3", "Case 2"]


async def test_a_case_of_an_unknown_caller_keeps_the_number() -> None:
    async with org() as (salesforce, sandbox):
        await salesforce.create_case(STRANGER, subject="Broken panel")
        (record,) = (await sandbox.told("/services/_records"))["Case"]
        assert (record["ContactId"], record["SuppliedPhone"]) == (None, "+12025550199")


@pytest.mark.parametrize("fault", ["drop", "stall"])
async def test_a_case_whose_answer_was_lost_is_not_opened_twice(fault: str) -> None:
    async with org(timeout_seconds=PATIENCE[fault]) as (salesforce, sandbox):
        sandbox.breaks("salesforce", fault, match="PATCH")
        with expect_refusal("timeout" if fault == "stall" else "unavailable") as caught:
            await salesforce.create_case(JAMIE, subject="Broken panel")
        assert caught.value.curable
        again = await salesforce.create_case(JAMIE, subject="Broken panel")
        (record,) = (await sandbox.told("/services/_records"))["Case"]
        assert record["CaseNumber"] == again["case_number"]


async def test_a_lead_carries_the_callers_number_and_a_company_in_any_case() -> None:
    async with org() as (salesforce, sandbox):
        await salesforce.create_lead(STRANGER, last_name="Doe", email="doe@example.com", description="Own house")
        (record,) = (await sandbox.told("/services/_records"))["Lead"]
        assert (record["Phone"], record["Company"], record["LastName"]) == ("+12025550199", "(not given)", "Doe")


async def test_a_withheld_number_is_nobodys_and_stands_nowhere() -> None:
    async with org() as (salesforce, sandbox):
        assert await salesforce.find_contact(WITHHELD) == {"found": False, "several": False}
        await salesforce.create_case(WITHHELD, subject="Broken panel")
        await salesforce.create_lead(WITHHELD, last_name="Doe")
        await salesforce.log_call(replace(NOTE, caller_number=WITHHELD.caller.number))
        records = await sandbox.told("/services/_records")
        assert records["Case"][0]["SuppliedPhone"] is None
        assert records["Lead"][0]["Phone"] is None
        assert records["Task"][0]["Description"].endswith("Caller: number withheld")


async def test_a_refusal_names_the_field_and_not_what_was_said() -> None:
    async with org() as (salesforce, _):
        with expect_refusal("refused", match=r"Email was not taken \(INVALID_EMAIL_ADDRESS\)"):
            await salesforce.create_lead(STRANGER, last_name="Doe", email="doe at example")


async def test_a_task_is_for_the_callers_contact_and_names_the_number() -> None:
    async with org() as (salesforce, sandbox):
        await salesforce.create_task(JAMIE, subject="Call back", description="About the roof", due_date="2026-12-01")
        (record,) = (await sandbox.told("/services/_records"))["Task"]
        assert (record["ActivityDate"], record["Status"]) == ("2026-12-01", "Not Started")
        assert record["WhoId"].startswith("003")
        assert record["Description"] == "About the roof\nCaller: +12025550161"


async def test_the_note_after_the_call_is_a_completed_call_written_once() -> None:
    async with org() as (salesforce, sandbox):
        note_id = await salesforce.log_call(NOTE)
        assert await salesforce.log_call(NOTE) == note_id
        (record,) = (await sandbox.told("/services/_records"))["Task"]
        assert record["Id"] == note_id
        assert (record["Subject"], record["TaskSubtype"], record["Status"]) == ("Call: a visit", "Call", "Completed")
        assert (record["CallType"], record["CallDurationInSeconds"], record["CallObject"]) == ("Outbound", 65, "CA1")
        assert record["Description"] == "Wants a visit.\nFollow up: send the offer\nCaller: +12025550161"
        assert record["ActivityDate"] == "2026-11-25"


async def test_a_note_whose_answer_was_lost_is_found() -> None:
    async with org() as (salesforce, sandbox):
        sandbox.breaks("salesforce", "drop", match="PATCH")
        with expect_refusal("unavailable"):
            await salesforce.log_call(NOTE)
        note_id = await salesforce.log_call(NOTE)
        assert [task["Id"] for task in (await sandbox.told("/services/_records"))["Task"]] == [note_id]


async def test_one_token_serves_all_requests_until_it_is_refused() -> None:
    async with org() as (salesforce, sandbox):
        await salesforce.find_contact(JAMIE)
        await salesforce.list_cases(JAMIE)
        assert sandbox.requests("salesforce", "POST /services/oauth2/token") == 1
        sandbox.breaks("salesforce", "status", status=401, match="/services/data")
        assert (await salesforce.find_contact(JAMIE))["found"]
        assert sandbox.requests("salesforce", "POST /services/oauth2/token") == 2


async def test_a_token_that_is_refused_again_and_again_is_given_up() -> None:
    async with org() as (salesforce, sandbox):
        sandbox.breaks("salesforce", "status", status=401, match="/services/data", times=2)
        with expect_refusal("unauthorized"):
            await salesforce.find_contact(JAMIE)
        assert sandbox.requests("salesforce", "GET /services/data") == 2


async def test_a_wrong_secret_is_no_reason_to_try_again() -> None:
    async with org("wrong") as (salesforce, _):
        with expect_refusal("unauthorized", match="did not let us sign in") as caught:
            await salesforce.find_contact(JAMIE)
        assert not caught.value.curable


@pytest.mark.parametrize(
    ("fault", "kind", "curable"),
    [
        (Fault("salesforce", "status", status=503, match="/data/"), "unavailable", True),
        (Fault("salesforce", "status", status=500, match="/data/"), "unavailable", True),
        (Fault("salesforce", "status", status=403, match="/data/"), "rate_limited", True),
        (Fault("salesforce", "garbage", match="/data/"), "broken", True),
        (Fault("salesforce", "garbage", match="/oauth2/"), "broken", True),
        (Fault("salesforce", "drop", match="/data/"), "unavailable", True),
    ],
    ids=lambda value: f"{value.kind}-{value.status}{value.match}" if isinstance(value, Fault) else None,
)
async def test_every_failure_has_its_kind(fault: Fault, kind: str, curable: bool) -> None:
    async with org() as (salesforce, sandbox):
        sandbox.state.faults.append(fault)
        with expect_refusal(kind) as caught:
            await salesforce.find_contact(JAMIE)
        assert caught.value.curable is curable
        assert (await salesforce.find_contact(JAMIE))["found"]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("duplicate value found: Holdfast_Key__c duplicates value on record with id: 500x", "unavailable"),
        ("duplicate value found: Tax_Number__c duplicates value on record with id: 500x", "refused"),
    ],
)
async def test_two_writes_of_one_key_at_once_are_no_refusal(message: str, kind: str) -> None:
    problem = [{"message": message, "errorCode": "DUPLICATE_VALUE", "fields": []}]
    app = FastAPI()
    app.add_api_route("/services/oauth2/token", lambda: {"access_token": "t"}, methods=["POST"])
    app.add_api_route("/{path:path}", lambda: JSONResponse(problem, 400), methods=["PATCH"])
    async with running(app) as origin, httpx.AsyncClient() as http:
        salesforce = Salesforce(http, origin, "holdfast", "right", {})
        with expect_refusal(kind):
            await salesforce.create_lead(STRANGER, last_name="Doe")


async def test_what_the_org_lacks_is_told() -> None:
    async with org() as (salesforce, sandbox):
        assert await salesforce.missing() == []
        sandbox.breaks("salesforce", "status", status=400, match="/query")
        assert await salesforce.missing() == ["Case has no field Holdfast_Key__c that we may see"]
