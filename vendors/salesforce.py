"""Salesforce: contacts, cases, leads and tasks over its REST API, and the CRM note as a task of the kind "Call".

Every record we write carries the idempotency key in the external id field ``Holdfast_Key__c`` (on Case, Lead and
Activity), and is written by that key: the same write again finds the record. Who calls is told by the caller's number,
never by an argument.

Source: Salesforce REST API Developer Guide ("Insert or Update (Upsert) a Record Using an External ID", "Search",
"Status Codes and Error Responses"), OAuth 2.0 Client Credentials Flow, SOQL and SOSL Reference, Object Reference
("Task").
"""

from collections.abc import MutableMapping
from typing import Any, Final
from urllib.parse import quote

import httpx

from core.contracts.call import SyncCrm
from core.ports.errors import VendorError
from core.ports.tools import ToolContext
from vendors.note_words import caller_line, ended_at, note_lines
from vendors.phone_numbers import known_number, national_digits, same_number, written_in_groups
from vendors.rest import Answer, Rest

VENDOR: Final = "salesforce"
API: Final = "/services/data/v62.0"
KEY_FIELD: Final = "Holdfast_Key__c"
KEYED: Final = ("Case", "Lead", "Task")  # what we write
TOKEN: Final = "salesforce token"
TOKEN_PATH: Final = "/services/oauth2/token"
CONTACT_FIELDS: Final = ("Id", "FirstName", "LastName", "Email", "Phone", "MobilePhone", "HomePhone")
LIST_LIMIT: Final = 5  # cases a caller can be told of
_PASSING: Final = {"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT"}  # the same may work a moment later
_LIMITS: Final = {"REQUEST_LIMIT_EXCEEDED", "CONCURRENT_REQUESTS_LIMIT_EXCEEDED"}
_SUBJECT_CHARS: Final = 255
_TEXT_CHARS: Final = 32_000


class Salesforce:
    """One org, as the integration user of an external client app. Implements core.ports.crm.CallNotes.

    Args:
        base_url: the org's My Domain, "https://acme.my.salesforce.com".
        kept: where the access token stays from call to call.
        timeout_seconds: of each request; None where somebody else minds the time.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str,
        client_id: str,
        client_secret: str,
        kept: MutableMapping[str, Any],
        *,
        timeout_seconds: float | None = None,
    ) -> None:
        self._rest = Rest(VENDOR, http, base_url, explain=_explain, timeout_seconds=timeout_seconds)
        self._login = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._kept = kept

    async def find_contact(self, context: ToolContext) -> dict[str, Any]:
        """Whose number the caller's is: ``{"found": false}`` for nobody's, and for that of several contacts."""
        contacts = await self._contacts(context.caller.number)
        if len(contacts) != 1:
            return {"found": False, "several": len(contacts) > 1}
        contact = contacts[0]
        told = {"first_name": "FirstName", "last_name": "LastName", "email": "Email"}
        known = {name: contact[field] for name, field in told.items() if contact.get(field)}
        return {"found": True, "contact_id": contact["Id"], **known}

    async def list_cases(self, context: ToolContext) -> dict[str, Any]:
        """The caller's newest cases."""
        contact = await self._contact_id(context.caller.number)
        if contact is None:
            return {"cases": [], "known_caller": False}
        fields = ("CaseNumber", "Subject", "Status", "CreatedDate")
        soql = f"SELECT {', '.join(fields)} FROM Case WHERE ContactId = '{_id(contact)}'"
        query = {"q": f"{soql} ORDER BY CreatedDate DESC LIMIT {LIST_LIMIT}"}
        answer = await self._send("GET", f"{API}/query", params=query)
        records = _records(self._rest, answer, "records")
        return {"cases": [_case(record) for record in records], "known_caller": True}

    async def create_case(
        self, context: ToolContext, *, subject: str, description: str = "", priority: str = "Medium"
    ) -> dict[str, Any]:
        """A case of the caller's; gives its number."""
        contact = await self._contact_id(context.caller.number)
        fields = {
            "Subject": subject[:_SUBJECT_CHARS],
            "Description": description[:_TEXT_CHARS],
            "Priority": priority,
            "Origin": "Phone",
            "ContactId": contact,
            "SuppliedPhone": None if contact else known_number(context.caller.number) or None,
        }
        record_id = await self._upsert("Case", context.idempotency_key, fields)
        answer = await self._send("GET", f"{API}/sobjects/Case/{record_id}", params={"fields": "CaseNumber,Status"})
        number = answer.body.get("CaseNumber") if isinstance(answer.body, dict) else None
        if not isinstance(number, str):
            raise self._rest.broken("a case without a number")
        return {"case_number": number, "status": answer.body.get("Status")}

    async def create_lead(
        self,
        context: ToolContext,
        *,
        last_name: str,
        first_name: str = "",
        company: str = "",
        email: str = "",
        description: str = "",
    ) -> dict[str, Any]:
        """A lead with the caller's number."""
        fields = {
            "LastName": last_name,
            "FirstName": first_name,
            "Company": company or "(not given)",  # Salesforce takes no lead without one
            "Email": email,
            "Description": description[:_TEXT_CHARS],
            "Phone": known_number(context.caller.number),
        }
        wanted = {name: value for name, value in fields.items() if value}
        return {"lead_id": await self._upsert("Lead", context.idempotency_key, wanted)}

    async def create_task(
        self, context: ToolContext, *, subject: str, description: str = "", due_date: str = ""
    ) -> dict[str, Any]:
        """Something for a person to do, a call back say. ``due_date``: YYYY-MM-DD."""
        fields = {
            "Subject": subject[:_SUBJECT_CHARS],
            "Description": f"{description}\n{caller_line(context.caller.number)}".strip()[:_TEXT_CHARS],
            "Status": "Not Started",
            **({"ActivityDate": due_date} if due_date else {}),
            **await self._who(context.caller.number),
        }
        return {"task_id": await self._upsert("Task", context.idempotency_key, fields)}

    async def log_call(self, note: SyncCrm) -> str:
        """A completed task of the kind "Call" on the caller's contact; returns its id. Raises VendorError."""
        written = await self._written("Task", note.idempotency_key)
        if written is not None:  # TaskSubtype cannot be updated, so a second upsert would be refused
            return written
        fields = {
            "Subject": f"Call: {note.summary.topic}"[:_SUBJECT_CHARS],
            "Description": "\n".join([*note_lines(note), caller_line(note.caller_number)])[:_TEXT_CHARS],
            "TaskSubtype": "Call",
            "Status": "Completed",
            "ActivityDate": ended_at(note).date().isoformat(),
            "CallType": "Outbound" if note.direction == "outbound" else "Inbound",
            "CallDurationInSeconds": round(note.duration_ms / 1_000),
            "CallDisposition": str(note.disposition),
            "CallObject": note.call_id,
            **await self._who(note.caller_number),
        }
        return await self._upsert("Task", note.idempotency_key, fields)

    async def missing(self) -> list[str]:
        """What the org lacks for us, in words. Raises VendorError if we cannot sign in."""
        lacks = []
        for sobject in KEYED:
            query = {"q": f"SELECT {KEY_FIELD} FROM {sobject} LIMIT 1"}
            answer = await self._send("GET", f"{API}/query", expected=(400,), params=query)
            if answer.status == 400:
                lacks.append(f"{sobject} has no field {KEY_FIELD} that we may see")
        return lacks

    async def _contacts(self, number: str) -> list[dict[str, Any]]:
        """All contacts with this number, however it was typed: the search knows digits, and words that are digits."""
        digits = national_digits(number)
        if not digits:
            return []
        terms = (digits, number.removeprefix("+"), f'"{written_in_groups(number)}"')
        returning = f"Contact({', '.join(CONTACT_FIELDS)})"
        sosl = f"FIND {{{' OR '.join(terms)}}} IN PHONE FIELDS RETURNING {returning} LIMIT 20"
        answer = await self._send("GET", f"{API}/search", params={"q": sosl})
        found = _records(self._rest, answer, "searchRecords")
        phones = ("Phone", "MobilePhone", "HomePhone")
        return [record for record in found if any(same_number(record.get(name), number) for name in phones)]

    async def _contact_id(self, number: str) -> str | None:
        contacts = await self._contacts(number)
        return str(contacts[0]["Id"]) if len(contacts) == 1 else None

    async def _who(self, number: str) -> dict[str, str]:
        contact = await self._contact_id(number)
        return {"WhoId": contact} if contact else {}

    async def _upsert(self, sobject: str, key: str, fields: dict[str, Any]) -> str:
        answer = await self._send("PATCH", _by_key(sobject, key), body=fields)
        record_id = answer.body.get("id") if isinstance(answer.body, dict) else None
        if not isinstance(record_id, str) or not record_id.isalnum():
            raise self._rest.broken("a record without an id")
        return record_id

    async def _written(self, sobject: str, key: str) -> str | None:
        """The id of the record that was written under this key, if any."""
        answer = await self._send("GET", _by_key(sobject, key), params={"fields": "Id"}, expected=(300, 404))
        match answer.body:
            case {"Id": str(record_id)}:
                return record_id
            case [str(path), *_]:  # 300: activities have no unique fields, so two writes at once may both have gone in
                return path.rpartition("/")[2]
        return None

    async def _send(self, method: str, path: str, expected: tuple[int, ...] = (), **asked: Any) -> Answer:
        token = self._kept.get(TOKEN) or await self._sign_in()
        for last in (False, True):
            headers = {"authorization": f"Bearer {token}"}
            answer = await self._rest.send(
                method, path, headers=headers, expected=expected if last else (*expected, 401), **asked
            )
            if answer.status != 401:
                return answer
            token = await self._sign_in()  # tokens end after some hours without saying so beforehand
        raise AssertionError("unreachable")

    async def _sign_in(self) -> str:
        answer = await self._rest.send("POST", TOKEN_PATH, form=self._login)
        token = answer.body.get("access_token") if isinstance(answer.body, dict) else None
        if not isinstance(token, str) or not token:
            raise self._rest.broken("a sign-in without a token")
        self._kept[TOKEN] = token
        return token


def _by_key(sobject: str, key: str) -> str:
    return f"{API}/sobjects/{sobject}/{KEY_FIELD}/{quote(key, safe='')}"


def _id(text: str) -> str:
    """A record id, as it may stand in SOQL."""
    if not text.isalnum():
        raise VendorError(VENDOR, "broken", "an id that is none", curable=True)
    return text


def _records(rest: Rest, answer: Answer, name: str) -> list[dict[str, Any]]:
    found = answer.body.get(name) if isinstance(answer.body, dict) else None
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise rest.broken("a result without records")
    return found


def _case(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "case_number": record.get("CaseNumber"),
        "subject": record.get("Subject"),
        "status": record.get("Status"),
        "opened": str(record.get("CreatedDate", ""))[:10],
    }


def _explain(answer: Answer) -> VendorError | None:
    """By its codes and field names only: its messages quote what was sent."""
    if isinstance(answer.body, dict) and "error" in answer.body:  # of the token endpoint
        return VendorError(VENDOR, "unauthorized", "did not let us sign in", curable=False)
    problem = answer.body[0] if isinstance(answer.body, list) and answer.body else None
    if not isinstance(problem, dict):
        return None
    code = str(problem.get("errorCode", ""))
    if code == "DUPLICATE_VALUE" and KEY_FIELD in str(problem.get("message", "")):  # two writes of one key at once
        return VendorError(VENDOR, "unavailable", code, curable=True)
    if code in _LIMITS:
        return VendorError(VENDOR, "rate_limited", code, curable=True)
    if code in _PASSING:
        return VendorError(VENDOR, "unavailable", code, curable=True)
    if answer.status != 400:
        return None
    named = problem.get("fields")
    fields = ", ".join(map(str, named)) if isinstance(named, list) and named else "this"
    return VendorError(VENDOR, "refused", f"{fields} was not taken ({code})", curable=False)
