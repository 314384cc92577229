"""HubSpot: contacts and tickets over its CRM API, and the CRM note as a call on the contact's timeline.

What we create carries a key in the unique property ``holdfast_key`` (of contacts, tickets and calls): HubSpot refuses a
second record with the same one, and finds the first by it at once, which its search, some seconds behind, would not.
Who calls is told by the caller's number, never by an argument.

Source: HubSpot developer documentation, "CRM objects", "Search the CRM", "Properties" (hasUniqueValue, idProperty),
"Calls", "Associations" (type ids), "Handling errors", "Usage guidelines".
"""

import re
from datetime import timedelta
from html import escape
from typing import Any, Final
from urllib.parse import quote

import httpx

from core.contracts.call import SyncCrm
from core.outcome import Disposition
from core.ports.errors import VendorError
from core.ports.tools import ToolContext
from vendors.note_words import caller_line, ended_at, note_lines
from vendors.phone_numbers import known_number, national_digits, same_number
from vendors.rest import Answer, Rest

VENDOR: Final = "hubspot"
DEFAULT_BASE_URL: Final = "https://api.hubapi.com"
KEY_PROPERTY: Final = "holdfast_key"
KEYED: Final = ("contacts", "tickets", "calls")  # what we create
LIST_LIMIT: Final = 5  # tickets a caller can be told of
_TICKET_TO_CONTACT: Final = 16
_CALL_TO_CONTACT: Final = 194
_CONTACT_PROPERTIES: Final = ("firstname", "lastname", "email", "phone", "mobilephone")
_PHONES: Final = ("phone", "mobilephone")
_CALL_STATUS: Final = {
    Disposition.BUSY: "BUSY",
    Disposition.NO_ANSWER: "NO_ANSWER",
    Disposition.FAILED: "FAILED",
    Disposition.CANCELED: "CANCELED",
}  # all others: COMPLETED
_NAMES_IN_MESSAGE: Final = re.compile(r'"name":"(\w+)"')


class HubSpot:
    """One account, by the token of a private app. Implements core.ports.crm.CallNotes.

    Args:
        timeout_seconds: of each request; None where somebody else minds the time.
    """

    def __init__(
        self, http: httpx.AsyncClient, base_url: str, access_token: str, *, timeout_seconds: float | None = None
    ) -> None:
        headers = {"authorization": f"Bearer {access_token}"}
        self._rest = Rest(VENDOR, http, base_url, headers, explain=_explain, timeout_seconds=timeout_seconds)

    async def find_contact(self, context: ToolContext) -> dict[str, Any]:
        """Whose number the caller's is: ``{"found": false}`` for nobody's, and for that of several contacts."""
        contacts = await self._contacts(context.caller.number)
        if len(contacts) != 1:
            return {"found": False, "several": len(contacts) > 1}
        properties = contacts[0]["properties"]
        told = {"first_name": "firstname", "last_name": "lastname", "email": "email"}
        known = {name: properties[field] for name, field in told.items() if properties.get(field)}
        return {"found": True, "contact_id": contacts[0]["id"], **known}

    async def upsert_contact(
        self, context: ToolContext, *, first_name: str = "", last_name: str = "", email: str = "", company: str = ""
    ) -> dict[str, Any]:
        """Make the caller's contact, or write what is given into the one that has the caller's number.

        The number is never put on a contact that somebody else's call or form has made: who says another person's
        e-mail address would be taken for that person from then on.
        """
        number = known_number(context.caller.number)
        if not number:
            raise self._rest.refused("the caller's number is withheld: there is nothing to write this down under")
        contacts = await self._contacts(number)
        if len(contacts) > 1:
            raise self._rest.refused("several contacts have the caller's number: a person has to look at it")
        wanted = {"firstname": first_name, "lastname": last_name, "email": email, "company": company}
        given = {name: value for name, value in wanted.items() if value}
        if contacts:
            return {"contact_id": await self._update(contacts[0]["id"], given), "created": False}
        made = await self._create("contacts", _caller_key(number), {**given, "phone": number})
        return {"contact_id": made, "created": True}

    async def create_ticket(
        self,
        context: ToolContext,
        *,
        subject: str,
        content: str = "",
        priority: str = "MEDIUM",
        pipeline: str = "0",
        stage: str = "1",
    ) -> dict[str, Any]:
        """A ticket of the caller's. Every account begins with the pipeline "0" and its stage "1", "New"."""
        contact = await self._contact_id(context.caller.number)
        properties = {
            "hs_pipeline": pipeline,
            "hs_pipeline_stage": stage,
            "subject": subject,
            "content": content if contact else f"{content}\n{caller_line(context.caller.number)}".strip(),
            "hs_ticket_priority": priority,
        }
        links = _linked(contact, _TICKET_TO_CONTACT)
        return {"ticket_id": await self._create("tickets", context.idempotency_key, properties, links)}

    async def list_tickets(self, context: ToolContext) -> dict[str, Any]:
        """The caller's newest tickets."""
        contact = await self._contact_id(context.caller.number)
        if contact is None:
            return {"tickets": [], "known_caller": False}
        search = {
            "filterGroups": [
                {"filters": [{"propertyName": "associations.contact", "operator": "EQ", "value": contact}]}
            ],
            "properties": ["subject", "hs_pipeline_stage", "createdate"],
            "sorts": [{"propertyName": "createdate", "direction": "DESCENDING"}],
            "limit": LIST_LIMIT,
        }
        found = await self._search("tickets", search)
        return {"tickets": [_ticket(record) for record in found], "known_caller": True}

    async def log_call(self, note: SyncCrm) -> str:
        """A call on the caller's contact; returns its id. Raises VendorError."""
        contact = await self._contact_id(note.caller_number)
        began = ended_at(note) - timedelta(milliseconds=note.duration_ms)
        outbound = note.direction == "outbound"
        lines = [*note_lines(note), f"Outcome: {note.disposition}"]
        properties = {
            "hs_timestamp": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "hs_call_title": f"Call: {note.summary.topic}",
            "hs_call_body": "<br>".join(map(escape, lines)),  # HubSpot shows it as HTML
            "hs_call_direction": "OUTBOUND" if outbound else "INBOUND",
            "hs_call_duration": str(note.duration_ms),
            "hs_call_status": _CALL_STATUS.get(note.disposition, "COMPLETED"),
            "hs_call_to_number" if outbound else "hs_call_from_number": known_number(note.caller_number),
        }
        links = _linked(contact, _CALL_TO_CONTACT)
        return await self._create("calls", note.idempotency_key, properties, links)

    async def missing(self) -> list[str]:
        """What the account lacks for us, in words. Raises VendorError if the token is not taken."""
        lacks = []
        for kind in KEYED:
            answer = await self._rest.send("GET", f"/crm/v3/properties/{kind}/{KEY_PROPERTY}", expected=(404,))
            if answer.status == 404:
                lacks.append(f"{kind} have no property {KEY_PROPERTY}")
            elif not (isinstance(answer.body, dict) and answer.body.get("hasUniqueValue")):
                lacks.append(f"the property {KEY_PROPERTY} of {kind} is not unique")
        return lacks

    async def _contacts(self, number: str) -> list[dict[str, Any]]:
        """All contacts with this number, however it was typed, and the one we made for it a moment ago."""
        national = national_digits(number)
        if not national:
            return []
        with_country = number.removeprefix("+")
        wanted = [
            (f"hs_searchable_calculated_{kind}_number", digits)
            for kind, digits in (
                *(("phone", national), ("mobile", national)),
                *(("international_phone", with_country), ("international_mobile", with_country)),
            )
        ]
        search = {
            "filterGroups": [
                {"filters": [{"propertyName": name, "operator": "EQ", "value": digits}]} for name, digits in wanted
            ],
            "properties": list(_CONTACT_PROPERTIES),
            "limit": 20,
        }
        found = [
            record
            for record in await self._search("contacts", search)
            if any(same_number(record["properties"].get(name), number) for name in _PHONES)
        ]
        if found:
            return found
        made = await self._by_key("contacts", _caller_key(number), _CONTACT_PROPERTIES)
        return [made] if made and same_number(made["properties"].get("phone"), number) else []

    async def _contact_id(self, number: str) -> str | None:
        contacts = await self._contacts(number)
        return str(contacts[0]["id"]) if len(contacts) == 1 else None

    async def _search(self, kind: str, search: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await self._rest.send("POST", f"/crm/v3/objects/{kind}/search", body=search)
        found = answer.body.get("results") if isinstance(answer.body, dict) else None
        if not isinstance(found, list):
            raise self._rest.broken("a search without results")
        return [self._record(record) for record in found]

    async def _create(
        self,
        kind: str,
        key: str,
        properties: dict[str, str],
        links: list[dict[str, Any]] | None = None,
    ) -> str:
        """The id of the record with this key, made now or before."""
        body = {"properties": {**properties, KEY_PROPERTY: key}, "associations": links or []}
        answer = await self._rest.send("POST", f"/crm/v3/objects/{kind}", body=body, expected=(400, 409))
        if answer.ok:
            return str(self._record(answer.body)["id"])
        if (before := await self._by_key(kind, key)) is not None:
            return str(before["id"])
        raise _explain(answer) or self._rest.refused("this was not taken")

    async def _update(self, contact: str, properties: dict[str, str]) -> str:
        if properties:
            path = f"/crm/v3/objects/contacts/{quote(contact, safe='')}"
            await self._rest.send("PATCH", path, body={"properties": properties})
        return contact

    async def _by_key(self, kind: str, key: str, properties: tuple[str, ...] = ()) -> dict[str, Any] | None:
        asked = {"idProperty": KEY_PROPERTY, **({"properties": ",".join(properties)} if properties else {})}
        path = f"/crm/v3/objects/{kind}/{quote(key, safe='')}"
        answer = await self._rest.send("GET", path, params=asked, expected=(404,))
        return self._record(answer.body) if answer.ok else None

    def _record(self, body: Any) -> dict[str, Any]:
        if not isinstance(body, dict) or not body.get("id") or not isinstance(body.get("properties"), dict):
            raise self._rest.broken("a record without id and properties")
        return body


def _caller_key(number: str) -> str:
    """One contact a number is all that we make, however often and from how many calls."""
    return f"caller:{number}"


def _linked(contact: str | None, kind: int) -> list[dict[str, Any]]:
    if contact is None:
        return []
    return [{"to": {"id": contact}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]}]


def _ticket(record: dict[str, Any]) -> dict[str, Any]:
    properties = record["properties"]
    return {
        "ticket_id": record["id"],
        "subject": properties.get("subject"),
        "stage": properties.get("hs_pipeline_stage"),
        "opened": str(properties.get("createdate") or "")[:10],
    }


def _explain(answer: Answer) -> VendorError | None:
    """By its category and property names only: its messages quote what was sent."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.status == 429:
        by_the_second = "SECOND" in str(body.get("policyName", ""))
        wait = timedelta(seconds=1) if by_the_second else None
        return VendorError(VENDOR, "rate_limited", "answered 429", curable=True, retry_after=wait)
    if answer.status in (423, 477):  # a lock on many writes; a move between data centres
        return VendorError(VENDOR, "unavailable", f"answered {answer.status}", curable=True)
    if answer.status == 409:
        words = "another record has this e-mail address: a person has to look at it"
        return VendorError(VENDOR, "refused", words, curable=False)
    if answer.status != 400:
        return None
    named = set(_NAMES_IN_MESSAGE.findall(str(body.get("message", ""))))
    problems = body.get("errors")
    for problem in problems if isinstance(problems, list) else []:
        if isinstance(problem, dict) and isinstance(problem.get("in"), str):
            named.add(problem["in"])
    what = ", ".join(sorted(named)) or "this"
    category = str(body.get("category", "")) or "answered 400"
    return VendorError(VENDOR, "refused", f"{what} was not taken ({category})", curable=False)
