"""HubSpot on this machine: contacts, tickets and calls by id or unique property, and a search that lags behind.

It knows the properties that are named here and no others, and refuses like the real one. What was written a moment ago
(``Latency.search_lag_ms``) is not in the search yet. ``GET /crm/v3/_records`` (open) lists all there is. Faults: see
``sandbox.rest``.
"""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import phonenumbers
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.config import config_of
from sandbox.rest import Desk, Failed, bearer
from sandbox.state import SandboxState, now_ms

_PROPERTIES = {
    "contacts": ("firstname", "lastname", "email", "phone", "mobilephone", "company"),
    "tickets": ("subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority"),
    "calls": (
        *("hs_timestamp", "hs_call_title", "hs_call_body", "hs_call_direction", "hs_call_duration"),
        *("hs_call_status", "hs_call_from_number", "hs_call_to_number", "hs_call_disposition"),
    ),
}
_REQUIRED = {"contacts": (), "tickets": ("subject", "hs_pipeline_stage"), "calls": ("hs_timestamp",)}
_OPTIONS = {"hs_ticket_priority": ("LOW", "MEDIUM", "HIGH", "URGENT"), "hs_call_direction": ("INBOUND", "OUTBOUND")}
_ASSOCIATIONS = {"tickets": 16, "calls": 194}  # to a contact
_KEY = "holdfast_key"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_KNOWN_CONTACTS = (
    {"firstname": "Jamie", "lastname": "Rivera", "email": "jamie.rivera@example.com", "phone": "(202) 555-0161"},
    {"firstname": "Robin", "lastname": "Okafor", "email": "robin@example.com", "mobilephone": "+1 202 555 0100"},
    {"firstname": "Alex", "lastname": "Stone", "phone": "202.555.0170"},
    {"firstname": "Kim", "lastname": "Stone", "phone": "2025550170"},
)


@dataclass
class _Record:
    id: str
    kind: str
    properties: dict[str, str]
    contacts: list[str] = field(default_factory=list)
    written_ms: float = 0.0

    def shown(self, names: list[str] | None) -> dict[str, Any]:
        """With these properties; None: with all."""
        at = self.properties["createdate"]
        wanted = self.properties if names is None else ("createdate", "hs_object_id", *filter(None, names))
        properties = {name: self.properties.get(name) for name in wanted}
        return {"id": self.id, "properties": properties, "createdAt": at, "updatedAt": at, "archived": False}


class _Account:
    """Its records."""

    def __init__(self, state: SandboxState) -> None:
        self.records: list[_Record] = []
        self._state = state
        for contact in _KNOWN_CONTACTS:
            self.create("contacts", {"properties": dict(contact)}).written_ms = 0

    def create(self, kind: str, body: dict[str, Any]) -> _Record:
        properties = self._checked(_known(kind), body.get("properties"), None)
        missing = [name for name in _REQUIRED[kind] if not properties.get(name)]
        if missing:
            what = f"Error creating {kind}. Some required properties were not set."
            raise Failed(400, _problem("VALIDATION_ERROR", what, *missing))
        linked = [self._linked(kind, link) for link in body.get("associations", ())]
        number = str(10_000 + len(self.records) + 1)
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        properties |= {"createdate": at, "hs_object_id": number}
        record = _Record(number, kind, properties, linked, now_ms())
        self.records.append(record)
        return record

    def update(self, kind: str, value: str, body: dict[str, Any]) -> dict[str, Any]:
        record = self.find(kind, value, None)
        record.properties |= self._checked(kind, body.get("properties"), record)
        record.written_ms = now_ms()
        return record.shown(None)

    def find(self, kind: str, value: str, id_property: str | None) -> _Record:
        if id_property not in (None, _KEY, "email"):
            raise Failed(400, _problem("VALIDATION_ERROR", f"{id_property} is not a unique property"))
        name = id_property or "hs_object_id"
        _known(kind)
        found = next((r for r in self.records if r.kind == kind and r.properties.get(name) == value), None)
        if found is None:
            raise Failed(404, _problem("OBJECT_NOT_FOUND", "resource not found"))
        return found

    def search(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        _known(kind)
        groups = asked.get("filterGroups", [])
        if len(groups) > 5 or any(len(group.get("filters", ())) > 6 for group in groups):
            raise Failed(400, _problem("VALIDATION_ERROR", "too many filters"))
        newest = now_ms() - self._state.latency.search_lag_ms
        seen = [record for record in self.records if record.kind == kind and record.written_ms <= newest]
        found = [r for r in seen if any(all(_holds(r, f) for f in group["filters"]) for group in groups)]
        for sort in asked.get("sorts", ()):
            descending = sort.get("direction") == "DESCENDING"
            found.sort(key=lambda r: (r.properties.get(sort["propertyName"], ""), int(r.id)), reverse=descending)
        start = int(asked.get("after", 0))
        page = found[start : start + int(asked.get("limit", 10))]
        return {"total": len(found), "results": [record.shown(asked.get("properties", [])) for record in page]}

    def _checked(self, kind: str, properties: Any, own: _Record | None) -> dict[str, str]:
        if not isinstance(properties, dict):
            raise Failed(400, _problem("VALIDATION_ERROR", "Invalid input JSON"))
        for name, value in properties.items():
            if name not in (*_PROPERTIES[kind], _KEY):
                raise Failed(400, _invalid(name, f'Property "{name}" does not exist', "PROPERTY_DOESNT_EXIST"))
            if name in _OPTIONS and value not in _OPTIONS[name]:
                raise Failed(400, _invalid(name, f"{value} was not one of the allowed options", "INVALID_OPTION"))
            if name == "email" and not _EMAIL.fullmatch(str(value)):
                raise Failed(400, _invalid(name, f"Email address {value} is invalid", "INVALID_EMAIL"))
        for other in self.records:
            if other is own or other.kind != kind:
                continue
            if kind == "contacts" and "email" in properties and other.properties.get("email") == properties["email"]:
                what = f"Contact already exists. Existing ID: {other.id}"
                raise Failed(409, _problem("CONFLICT", what))
            if _KEY in properties and other.properties.get(_KEY) == properties[_KEY]:
                what = f"{properties[_KEY]} is already the value of another record"
                raise Failed(400, _invalid(_KEY, what, "CONFLICTING_UNIQUE_VALUE"))
        return {name: str(value) for name, value in properties.items()}

    def _linked(self, kind: str, link: dict[str, Any]) -> str:
        types = [(t.get("associationCategory"), t.get("associationTypeId")) for t in link.get("types", ())]
        if types != [("HUBSPOT_DEFINED", _ASSOCIATIONS.get(kind))]:
            raise Failed(400, _problem("VALIDATION_ERROR", "no such association type"))
        return self.find("contacts", str(link["to"]["id"]), None).id


def router(state: SandboxState) -> APIRouter:
    """HubSpot's routes."""
    routes = APIRouter(prefix="/crm/v3", tags=["hubspot"])
    account = _Account(state)
    desk = Desk(state, "hubspot", _problem_of)

    async def answer(request: Request, act: Callable[[Any], dict[str, Any]], status: int = 200) -> Response:
        def checked(body: Any) -> Response:
            if not config_of(request).takes_key("hubspot", bearer(request)):
                raise Failed(401, _problem_of(401))
            return JSONResponse(act(body), status)

        return await desk.answer(request, checked)

    @routes.post("/objects/{kind}/search")
    async def search(request: Request, kind: str) -> Response:
        """Records by their properties."""
        return await answer(request, lambda body: account.search(kind, _object(body)))

    @routes.post("/objects/{kind}")
    async def create(request: Request, kind: str) -> Response:
        """A new record, with its associations."""
        return await answer(request, lambda body: account.create(kind, _object(body)).shown(None), 201)

    @routes.get("/objects/{kind}/{value}")
    async def read(request: Request, kind: str, value: str, idProperty: str | None = None) -> Response:
        """A record by its id or a unique property."""
        names = request.query_params.get("properties", "")
        return await answer(request, lambda _: account.find(kind, value, idProperty).shown(names.split(",")))

    @routes.patch("/objects/{kind}/{value}")
    async def update(request: Request, kind: str, value: str) -> Response:
        """Change properties."""
        return await answer(request, lambda body: account.update(kind, value, _object(body)))

    @routes.get("/properties/{kind}/{name}")
    async def described(request: Request, kind: str, name: str) -> Response:
        """What a property is."""
        return await answer(request, lambda _: _described(kind, name))

    @routes.get("/_records")
    def records() -> dict[str, list[dict[str, Any]]]:
        """All there is."""
        return {kind: [asdict(record) for record in account.records if record.kind == kind] for kind in _PROPERTIES}

    return routes


def _described(kind: str, name: str) -> dict[str, Any]:
    if name not in (*_PROPERTIES[_known(kind)], _KEY):
        raise Failed(404, _problem("OBJECT_NOT_FOUND", f"Property {name} does not exist"))
    return {"name": name, "type": "string", "fieldType": "text", "hasUniqueValue": name in (_KEY, "email")}


def _holds(record: _Record, wanted: dict[str, Any]) -> bool:
    name, value = wanted.get("propertyName", ""), wanted.get("value")
    if wanted.get("operator") != "EQ":
        raise Failed(400, _problem("VALIDATION_ERROR", "the sandbox knows the operator EQ only"))
    if name == "associations.contact":
        return value in record.contacts
    if name.startswith("hs_searchable_calculated_"):
        return value in _searchable(record, name)
    return record.properties.get(name) == value


def _searchable(record: _Record, name: str) -> tuple[str, ...]:
    """The digits HubSpot makes of a phone property: without the country's code, or with it ("international")."""
    held = record.properties.get("mobilephone" if "mobile" in name else "phone", "")
    try:
        parsed = phonenumbers.parse(held, "US")
    except phonenumbers.NumberParseException:
        return ()
    national = phonenumbers.national_significant_number(parsed)
    return (f"{parsed.country_code}{national}",) if "international" in name else (national,)


def _known(kind: str) -> str:
    if kind not in _PROPERTIES:
        raise Failed(400, _problem("VALIDATION_ERROR", f"Unable to infer object type from: {kind}"))
    return kind


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Failed(400, _problem("VALIDATION_ERROR", "Invalid input JSON"))
    return body


def _invalid(name: str, message: str, error: str) -> dict[str, Any]:
    """HubSpot puts a list as JSON into the message."""
    detail = [{"isValid": False, "message": message, "error": error, "name": name}]
    text = json.dumps(detail, separators=(",", ":"))
    return _problem("VALIDATION_ERROR", f"Property values were not valid: {text}")


def _problem(category: str, message: str, *names: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "status": "error",
        "message": message,
        "correlationId": str(uuid.uuid4()),
        "category": category,
    }
    return body | ({"errors": [{"message": f"{name} is required", "in": name} for name in names]} if names else {})


def _problem_of(status: int) -> dict[str, Any]:
    match status:
        case 401:
            return _problem("INVALID_AUTHENTICATION", "Authentication credentials not found.")
        case 403:
            return _problem("MISSING_SCOPES", "This app hasn't been granted all required scopes.")
        case 429:
            body = _problem("RATE_LIMITS", "You have reached your secondly limit.")
            return body | {"errorType": "RATE_LIMIT", "policyName": "SECONDLY"}
    return _problem("INTERNAL_ERROR", "internal error")
