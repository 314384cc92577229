"""Salesforce on this machine: the token endpoint, records by external id, SOQL and phone search.

It knows the fields that are named here and no others, and refuses like the real one: an array of ``errorCode``,
``message`` and ``fields``. ``GET /services/_records`` (open) lists what was written. Faults: see ``sandbox.rest``.
"""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.config import config_of
from sandbox.rest import Desk, Failed, bearer
from sandbox.state import SandboxState

_COMMON = ("Id", "CreatedDate", "Description")
_FIELDS = {
    "Contact": ("FirstName", "LastName", "Email", "Phone", "MobilePhone", "HomePhone", "AccountId"),
    "Case": (
        *("CaseNumber", "Subject", "Status", "Priority", "Origin", "ContactId", "SuppliedPhone", "SuppliedName"),
        "Holdfast_Key__c",
    ),
    "Lead": ("FirstName", "LastName", "Company", "Email", "Phone", "Status", "Holdfast_Key__c"),
    "Task": (
        *("Subject", "Status", "Priority", "ActivityDate", "WhoId", "WhatId", "TaskSubtype", "CallType"),
        *("CallDurationInSeconds", "CallDisposition", "CallObject", "Holdfast_Key__c"),
    ),
}
_REQUIRED = {"Contact": ("LastName",), "Case": (), "Lead": ("LastName", "Company"), "Task": ()}
_DEFAULTS = {
    "Contact": {},
    "Case": {"Status": "New", "Priority": "Medium"},
    "Lead": {"Status": "Open - Not Contacted"},
    "Task": {"Status": "Not Started", "Priority": "Normal", "TaskSubtype": "Task"},
}
_PREFIXES = {"Contact": "003", "Case": "500", "Lead": "00Q", "Task": "00T"}
_READ_ONLY = {"Task": ("TaskSubtype",)}  # may be set once
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SOQL = re.compile(
    r"SELECT (?P<fields>[\w, ]+) FROM (?P<sobject>\w+)(?: WHERE (?P<field>\w+) = '(?P<value>\w*)')?"
    r"(?: ORDER BY (?P<order>\w+)(?P<desc> DESC)?)?(?: LIMIT (?P<limit>\d+))?"
)
_SOSL = re.compile(
    r"FIND \{(?P<terms>[^{}]+)\} IN PHONE FIELDS RETURNING (?P<sobject>\w+)\((?P<fields>[\w, ]+)\) LIMIT (?P<limit>\d+)"
)
_KNOWN_CONTACTS = (
    {"FirstName": "Jamie", "LastName": "Rivera", "Email": "jamie.rivera@example.com", "Phone": "(202) 555-0161"},
    {"FirstName": "Robin", "LastName": "Okafor", "Email": "robin@example.com", "MobilePhone": "+1 202 555 0100"},
    {"FirstName": "Alex", "LastName": "Stone", "Phone": "202.555.0170"},
    {"FirstName": "Kim", "LastName": "Stone", "HomePhone": "2025550170"},
)


class _Org:
    """Its records."""

    TOKENS: ClassVar = 10  # so many sign-ins stay good

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.records: dict[str, list[dict[str, Any]]] = {sobject: [] for sobject in _FIELDS}
        self._count = 0
        for contact in _KNOWN_CONTACTS:
            self.insert("Contact", dict(contact))

    def insert(self, sobject: str, fields: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        record: dict[str, Any] = {"Id": f"{_PREFIXES[sobject]}SB{self._count:010d}AAA", "CreatedDate": created}
        record |= dict.fromkeys(_FIELDS[sobject]) | _DEFAULTS[sobject] | fields
        if sobject == "Case":
            record["CaseNumber"] = f"{1_000 + self._count:08d}"
        self.records[sobject].append(record)
        return record

    def upsert(self, sobject: str, field: str, key: str, fields: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """The answer, and the status, which tells whether the record is new."""
        found = self._by(_known(sobject, 404), field, key)
        _check(sobject, fields, new=found is None)
        if found is not None:
            found.update(fields)
        record = found or self.insert(sobject, fields | {field: key})
        created = found is None
        answer = {"id": record["Id"], "success": True, "errors": [], "created": created}
        return answer, 201 if created else 200

    def read(self, sobject: str, field: str, value: str, fields: str) -> dict[str, Any]:
        found = self._by(_known(sobject, 404), field, value)
        if found is None:
            raise Failed(404, _problem("NOT_FOUND", "The requested resource does not exist"))
        return _shown(sobject, found, fields.split(",") if fields else [*_COMMON, *_FIELDS[sobject]])

    def _by(self, sobject: str, field: str, value: str) -> dict[str, Any] | None:
        if field != "Id" and (field not in _FIELDS[sobject] or not field.endswith("__c")):
            what = f"Provided external ID field does not exist or is not accessible: {field}"
            raise Failed(404, _problem("NOT_FOUND", what))
        return next((record for record in self.records[sobject] if record[field] == value), None)

    def query(self, soql: str) -> dict[str, Any]:
        parsed = _SOQL.fullmatch(soql)
        if parsed is None:
            raise Failed(400, _problem("MALFORMED_QUERY", "unexpected token"))
        sobject = _known(parsed["sobject"], 400)
        fields = [field.strip() for field in parsed["fields"].split(",")]
        for field in (*fields, parsed["field"] or "Id", parsed["order"] or "Id"):
            if field not in (*_COMMON, *_FIELDS[sobject]):
                raise Failed(400, _problem("INVALID_FIELD", f"No such column '{field}' on entity '{sobject}'."))
        field = parsed["field"]
        rows = [row for row in self.records[sobject] if field is None or row[field] == parsed["value"]]
        if parsed["order"]:
            rows.sort(key=lambda row: (str(row[parsed["order"]]), row["Id"]), reverse=bool(parsed["desc"]))
        limited = rows[: int(parsed["limit"])] if parsed["limit"] else rows
        shown = [_shown(sobject, row, fields) for row in limited]
        return {"totalSize": len(shown), "done": True, "records": shown}

    def search(self, sosl: str) -> dict[str, Any]:
        """Of phones alone: a term finds what has these digits and no others."""
        parsed = _SOSL.fullmatch(sosl)
        if parsed is None:
            raise Failed(400, _problem("MALFORMED_SEARCH", "unexpected token"))
        sobject = _known(parsed["sobject"], 400)
        terms = {_digits(term) for term in parsed["terms"].split(" OR ")}
        fields = parsed["fields"].split(", ")
        found = [
            _shown(sobject, record, fields)
            for record in self.records[sobject]
            if any(_digits(str(value)) in terms for name, value in record.items() if name.endswith("Phone") and value)
        ]
        return {"searchRecords": found[: int(parsed["limit"])]}


def router(state: SandboxState) -> APIRouter:
    """Salesforce's routes."""
    routes = APIRouter(prefix="/services", tags=["salesforce"])
    org = _Org()
    desk = Desk(state, "salesforce", _problem_of)

    @routes.post("/oauth2/token")
    async def token(request: Request) -> Response:
        """Client credentials for a token."""
        await request.body()  # kept, so that it can be read as a form and once more
        form = await request.form()
        return await desk.answer(request, lambda _: _signed_in(request, org, dict(form)))

    async def answer(request: Request, act: Callable[[Any], tuple[dict[str, Any], int]]) -> Response:
        def checked(body: Any) -> Response:
            if bearer(request) not in org.tokens:
                raise Failed(401, _problem_of(401))
            return JSONResponse(*act(body))

        return await desk.answer(request, checked)

    @routes.get("/data/{version}/query")
    async def query(request: Request, q: str = "") -> Response:
        """SOQL."""
        return await answer(request, lambda _: (org.query(q), 200))

    @routes.get("/data/{version}/search")
    async def search(request: Request, q: str = "") -> Response:
        """SOSL."""
        return await answer(request, lambda _: (org.search(q), 200))

    @routes.get("/data/{version}/sobjects/{sobject}/{record_id}")
    async def read(request: Request, sobject: str, record_id: str, fields: str = "") -> Response:
        """A record by its id."""
        return await answer(request, lambda _: (org.read(sobject, "Id", record_id, fields), 200))

    @routes.get("/data/{version}/sobjects/{sobject}/{field}/{key}")
    async def read_by_key(request: Request, sobject: str, field: str, key: str, fields: str = "") -> Response:
        """A record by an external id."""
        return await answer(request, lambda _: (org.read(sobject, field, key, fields), 200))

    @routes.patch("/data/{version}/sobjects/{sobject}/{field}/{key}")
    async def upsert(request: Request, sobject: str, field: str, key: str) -> Response:
        """Insert or update by an external id."""
        return await answer(request, lambda body: org.upsert(sobject, field, key, _object(body)))

    @routes.get("/_records")
    def records() -> dict[str, list[dict[str, Any]]]:
        """All there is."""
        return org.records

    return routes


def _signed_in(request: Request, org: _Org, form: dict[str, Any]) -> Response:
    if form.get("grant_type") != "client_credentials":
        raise Failed(400, {"error": "unsupported_grant_type", "error_description": "grant type not supported"})
    if not form.get("client_id") or not config_of(request).takes_key("salesforce", str(form.get("client_secret", ""))):
        raise Failed(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
    token = f"00DSB!{secrets.token_urlsafe(24)}"
    org.tokens = [*org.tokens, token][-_Org.TOKENS :]
    origin = f"{request.url.scheme}://{request.url.netloc}"
    issued = str(round(datetime.now(UTC).timestamp() * 1_000))
    return JSONResponse(
        {
            "access_token": token,
            "signature": secrets.token_urlsafe(32),
            "scope": "api",
            "instance_url": origin,
            "id": f"{origin}/id/00DSB/005SB",
            "token_type": "Bearer",
            "issued_at": issued,
        }
    )


def _check(sobject: str, fields: dict[str, Any], *, new: bool) -> None:
    for name in fields:
        if name not in (*_COMMON, *_FIELDS[sobject]):
            raise Failed(400, _problem("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject}"))
        if name in ("Id", "CreatedDate", "CaseNumber") or (not new and name in _READ_ONLY.get(sobject, ())):
            what = f"Unable to create/update fields: {name}. Please check the security settings of this field."
            raise Failed(400, _problem("INVALID_FIELD_FOR_INSERT_UPDATE", what, name))
    missing = [name for name in _REQUIRED[sobject] if new and not fields.get(name)]
    if missing:
        what = f"Required fields are missing: [{', '.join(missing)}]"
        raise Failed(400, _problem("REQUIRED_FIELD_MISSING", what, *missing))
    email = fields.get("Email")
    if email and not _EMAIL.fullmatch(str(email)):
        what = f"Email: invalid email address: {email}"
        raise Failed(400, _problem("INVALID_EMAIL_ADDRESS", what, "Email"))


def _shown(sobject: str, record: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    url = f"/services/data/v62.0/sobjects/{sobject}/{record['Id']}"
    return {"attributes": {"type": sobject, "url": url}} | {name: record.get(name) for name in fields}


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _known(sobject: str, status: int) -> str:
    if sobject not in _FIELDS:
        code = "NOT_FOUND" if status == 404 else "INVALID_TYPE"
        raise Failed(status, _problem(code, f"sObject type '{sobject}' is not supported."))
    return sobject


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Failed(400, _problem("JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has none."))
    return body


def _problem(code: str, message: str, *fields: str) -> list[dict[str, Any]]:
    return [{"message": message, "errorCode": code, "fields": list(fields)}]


def _problem_of(status: int) -> list[dict[str, Any]]:
    match status:
        case 401:
            return _problem("INVALID_SESSION_ID", "Session expired or invalid")
        case 403:
            return _problem("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        case 503:
            return _problem("SERVER_UNAVAILABLE", "We're not able to process your request right now.")
    return _problem("UNKNOWN_EXCEPTION", "An unexpected error occurred.")
