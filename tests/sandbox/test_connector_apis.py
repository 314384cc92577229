"""What the connectors' vendors refuse, in their own words: raw requests, as their documentation shows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.vendors.connectors import Box, box

DATA = "/services/data/v62.0"
BEARER = {"authorization": "Bearer right"}


async def token(sandbox: Box) -> dict[str, str]:
    """Signed in to Salesforce."""
    form = {"grant_type": "client_credentials", "client_id": "holdfast", "client_secret": "right"}
    answer = (await sandbox.http.post(f"{sandbox.origin}/services/oauth2/token", data=form)).json()
    assert answer["token_type"] == "Bearer"
    assert answer["instance_url"] == sandbox.origin
    return {"authorization": f"Bearer {answer['access_token']}"}


async def salesforce(sandbox: Box, method: str, path: str, body: Any = None, **params: str) -> httpx.Response:
    url = f"{sandbox.origin}{DATA}{path}"
    return await sandbox.http.request(method, url, json=body, params=params, headers=await token(sandbox))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{DATA}/query", [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID", "fields": []}]),
        ("/crm/v3/objects/contacts/1", {"status": "error", "category": "INVALID_AUTHENTICATION"}),
        ("/users/me", {"title": "Unauthenticated", "message": "The access token is invalid"}),
        ("/v2/me", {"status": "error", "error": {"code": "UnauthorizedException", "message": "Invalid API Key"}}),
    ],
)
@pytest.mark.parametrize("authorization", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic right"}])
async def test_nobody_is_let_in_without_the_key(path: str, body: Any, authorization: dict[str, str]) -> None:
    async with box() as sandbox:
        answer = await sandbox.http.get(f"{sandbox.origin}{path}", headers=authorization)
    assert answer.status_code == 401
    told = answer.json()
    assert told == body or body.items() <= told.items()


async def test_salesforce_signs_in_by_client_credentials_only() -> None:
    async with box() as sandbox:
        url = f"{sandbox.origin}/services/oauth2/token"
        wrong = await sandbox.http.post(url, data={"grant_type": "client_credentials", "client_id": "a"})
        other = await sandbox.http.post(url, data={"grant_type": "password"})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")
    assert (other.status_code, other.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PATCH", "/sobjects/Case/Holdfast_Key__c/k", {"Colour": "red"}, 400, "INVALID_FIELD"),
        ("PATCH", "/sobjects/Lead/Holdfast_Key__c/k", {"LastName": "Doe"}, 400, "REQUIRED_FIELD_MISSING"),
        ("PATCH", "/sobjects/Case/Other_Key__c/k", {}, 404, "NOT_FOUND"),
        ("PATCH", "/sobjects/Order/Holdfast_Key__c/k", {}, 404, "NOT_FOUND"),
        ("GET", "/sobjects/Case/Holdfast_Key__c/k", None, 404, "NOT_FOUND"),
        ("GET", "/sobjects/Case/500000", None, 404, "NOT_FOUND"),
    ],
)
async def test_salesforce_refuses_with_a_code(
    method: str, path: str, body: dict[str, Any] | None, status: int, code: str
) -> None:
    async with box() as sandbox:
        answer = await salesforce(sandbox, method, path, body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Nothing FROM Case", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("DELETE FROM Case", "MALFORMED_QUERY"),
        ("SELECT Id FROM Case WHERE ContactId = '' OR Id = ''", "MALFORMED_QUERY"),
    ],
)
async def test_salesforce_reads_queries_strictly(query: str, code: str) -> None:
    async with box() as sandbox:
        answer = await salesforce(sandbox, "GET", "/query", q=query)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


async def test_the_kind_of_a_salesforce_task_cannot_be_changed() -> None:
    async with box() as sandbox:
        call = {"Subject": "Call", "TaskSubtype": "Call"}
        first = await salesforce(sandbox, "PATCH", "/sobjects/Task/Holdfast_Key__c/k", call)
        second = await salesforce(sandbox, "PATCH", "/sobjects/Task/Holdfast_Key__c/k", {"Subject": "Call us"})
        third = await salesforce(sandbox, "PATCH", "/sobjects/Task/Holdfast_Key__c/k", call)
    assert (first.status_code, first.json()["created"]) == (201, True)
    assert (second.status_code, second.json()["created"]) == (200, False)
    assert third.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


async def test_hubspots_search_lags_behind_its_records() -> None:
    async with box(search_lag_ms=60_000) as sandbox:
        contacts = f"{sandbox.origin}/crm/v3/objects/contacts"
        properties = {"email": "dana@example.com", "holdfast_key": "k"}
        made = (await sandbox.http.post(contacts, json={"properties": properties}, headers=BEARER)).json()
        by_key = await sandbox.http.get(f"{contacts}/k", params={"idProperty": "holdfast_key"}, headers=BEARER)
        email = {"propertyName": "email", "operator": "EQ", "value": "dana@example.com"}
        search = {"filterGroups": [{"filters": [email]}]}
        found = (await sandbox.http.post(f"{contacts}/search", json=search, headers=BEARER)).json()
        again = await sandbox.http.post(contacts, json={"properties": {"holdfast_key": "k"}}, headers=BEARER)
        same = await sandbox.http.post(contacts, json={"properties": {"email": "dana@example.com"}}, headers=BEARER)
    assert by_key.json()["id"] == made["id"]
    assert found["total"] == 0
    assert (again.status_code, again.json()["category"]) == (400, "VALIDATION_ERROR")
    assert "CONFLICTING_UNIQUE_VALUE" in again.json()["message"]
    assert (same.status_code, same.json()["category"]) == (409, "CONFLICT")


@pytest.mark.parametrize("version", ["", "2024-09-04"])
async def test_calcoms_bookings_want_their_version(version: str) -> None:
    async with box() as sandbox:
        headers = BEARER | ({"cal-api-version": version} if version else {})
        answer = await sandbox.http.post(f"{sandbox.origin}/v2/bookings", json={}, headers=headers)
    assert answer.status_code == 404
    assert answer.json()["error"] == {"code": "NotFoundException", "message": "Cannot POST /v2/bookings"}


@pytest.mark.parametrize(
    ("attendee", "why"),
    [
        ({"name": "Dana", "timeZone": "America/New_York"}, "At least one contact method"),
        ({"name": "Dana", "timeZone": "Mars", "phoneNumber": "+12025550199"}, "timeZone"),
        ({"name": "Dana", "timeZone": "America/New_York", "phoneNumber": "555"}, "Invalid phone number"),
        ({"name": "Dana", "timeZone": "America/New_York", "email": "dana"}, "email"),
        ({"timeZone": "America/New_York", "phoneNumber": "+12025550199"}, "name"),
    ],
)
async def test_calcom_wants_to_know_who_comes(attendee: dict[str, str], why: str) -> None:
    async with box() as sandbox:
        booking = {"eventTypeId": 101, "start": "2030-01-07T15:00:00Z", "attendee": attendee}
        headers = BEARER | {"cal-api-version": "2024-08-13"}
        answer = await sandbox.http.post(f"{sandbox.origin}/v2/bookings", json=booking, headers=headers)
    assert answer.status_code == 400
    assert why in answer.json()["error"]["message"]


async def test_calendly_tells_free_times_of_a_month_at_most() -> None:
    async with box() as sandbox:
        now = datetime.now(UTC) + timedelta(minutes=5)
        asked = {"event_type": "https://api.calendly.com/event_types/CALL", "start_time": now.isoformat()}
        url = f"{sandbox.origin}/event_type_available_times"
        later = {"end_time": (now + timedelta(days=32)).isoformat()}
        answer = await sandbox.http.get(url, params=asked | later, headers=BEARER)
    assert (answer.status_code, answer.json()["title"]) == (400, "Invalid Argument")
    assert [detail["parameter"] for detail in answer.json()["details"]] == ["end_time"]


async def test_calendly_lists_events_of_somebody_only() -> None:
    async with box() as sandbox:
        everybody = await sandbox.http.get(f"{sandbox.origin}/scheduled_events", headers=BEARER)
        other = {"organization": "https://api.calendly.com/organizations/OTHER"}
        others = await sandbox.http.get(f"{sandbox.origin}/scheduled_events", params=other, headers=BEARER)
    assert (everybody.status_code, others.status_code) == (400, 403)
