"""Twilio's REST API: the account, calls and messages, as the unmodified SDK asks for them.

Source: https://www.twilio.com/docs/voice/api/call-resource
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request

from sandbox.state import now_ms
from sandbox.twilio.call import Call
from sandbox.twilio.carrier import Carrier
from sandbox.twilio.ids import new_sid
from sandbox.twilio.plan import CallPlan, Fetch, Inline, Source
from sandbox.twilio.resources import account_resource, call_resource, message_resource, page
from sandbox.twilio.rest_route import ApiError, not_found, route_class

PREFIX = "/2010-04-01/Accounts/{account}"
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_PAGE_SIZE = 50
_OF_MESSAGES = (("To", "to"), ("From", "from"))


def router(carrier: Carrier) -> APIRouter:
    """The account, calls and messages."""
    routes = APIRouter(route_class=route_class(carrier), include_in_schema=False)

    @routes.get("/2010-04-01/Accounts/{account}.json")
    async def fetch_account(account: str) -> dict[str, Any]:
        return account_resource(carrier.config)

    @routes.post(f"{PREFIX}/Calls.json", status_code=201)
    async def create_call(request: Request) -> dict[str, Any]:
        return call_resource(carrier.dial(_plan(await request.form())))

    @routes.get(f"{PREFIX}/Calls.json")
    async def list_calls(request: Request) -> dict[str, Any]:
        calls = [call for call in reversed(carrier.calls.values()) if _matches(call, request)]
        return paged("calls", [call_resource(call) for call in calls], request)

    @routes.get(f"{PREFIX}/Calls/{{sid}}.json")
    async def fetch_call(sid: str, request: Request) -> dict[str, Any]:
        return call_resource(_call(carrier, sid, request))

    @routes.post(f"{PREFIX}/Calls/{{sid}}.json")
    async def update_call(sid: str, request: Request) -> dict[str, Any]:
        call = _call(carrier, sid, request)
        await _update(call, await request.form())
        return call_resource(call)

    @routes.post(f"{PREFIX}/Messages.json", status_code=201)
    async def create_message(request: Request) -> dict[str, Any]:
        form = {name: str(value) for name, value in (await request.form()).items()}
        check_number(form.get("To"), missing=21604, bad=21211, what="To")
        if not form.get("Body"):
            raise ApiError(400, 21602, "Message body is required.")
        sid = new_sid("SM")
        carrier.messages[sid] = message_resource(sid, form, carrier.config, now_ms())
        carrier.state.stamp("twilio", "message", sid=sid, to=form["To"], body=form["Body"])
        return carrier.messages[sid]

    @routes.get(f"{PREFIX}/Messages.json")
    async def list_messages(request: Request) -> dict[str, Any]:
        wanted = {field: request.query_params[name] for name, field in _OF_MESSAGES if name in request.query_params}
        newest = reversed(carrier.messages.values())
        found = [each for each in newest if all(each[field] == value for field, value in wanted.items())]
        return paged("messages", found, request)

    return routes


def paged(key: str, records: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    """The page of a list that the request asks for."""
    query = dict(request.query_params)
    number = int(query.pop("Page", "0"))
    size = int(query.pop("PageSize", str(_PAGE_SIZE)))
    query.pop("PageToken", None)
    return page(key, records, number, max(1, size), request.url.path, urlencode(query))


def check_number(number: object, *, missing: int, bad: int, what: str) -> str:
    """A number in E.164. Raises ApiError."""
    if not number:
        raise ApiError(400, missing, f"No '{what}' number is specified")
    if not _NUMBER.fullmatch(str(number)):
        raise ApiError(400, bad, f"Invalid '{what}' Phone Number: {number}")
    return str(number)


def status_events(form: FormData) -> tuple[str, ...]:
    """Which status callbacks a request asks for: repeated keys, or one with spaces."""
    return tuple(" ".join(map(str, form.getlist("StatusCallbackEvent"))).split()) or ("completed",)


def _plan(form: FormData) -> CallPlan:
    to = check_number(form.get("To"), missing=21201, bad=21211, what="To")
    from_ = check_number(form.get("From"), missing=21213, bad=21212, what="From")
    first = _source(form)
    if first is None:
        raise ApiError(400, 21205, "Url parameter is required.")
    return CallPlan(
        to=to,
        from_=from_,
        direction="outbound-api",
        first=first,
        status_url=_text(form, "StatusCallback"),
        status_events=status_events(form),
        fallback_url=_text(form, "FallbackUrl"),
        ring_seconds=float(_text(form, "Timeout") or 60),
        machine_detection=_text(form, "MachineDetection"),
        async_amd_url=_text(form, "AsyncAmdStatusCallback") if _text(form, "AsyncAmd") == "true" else None,
    )


def _source(form: FormData) -> Source | None:
    if twiml := _text(form, "Twiml"):
        return Inline(twiml)
    if url := _text(form, "Url"):
        if not url.startswith(("http://", "https://")):
            raise ApiError(400, 21205, f"Url is not a valid URL: {url}")
        return Fetch(url, _text(form, "Method") or "POST")
    return None


def _text(form: FormData, name: str) -> str | None:
    value = form.get(name)
    return str(value) if value else None


async def _update(call: Call, form: FormData) -> None:
    """End or redirect a live call. Raises ApiError."""
    if call.ended_ms is not None:
        raise ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")
    status = _text(form, "Status")
    if status not in (None, "completed", "canceled"):
        raise ApiError(400, 21218, f"Invalid status: {status}")
    if status == "canceled" and call.answered_ms is not None:
        return  # it cancels only what has not been answered
    if status is not None:
        call.hang_up()
        with suppress(TimeoutError):
            await asyncio.wait_for(call.over.wait(), 1)
        return
    source = _source(form)
    if source is None:
        return
    if call.answered_ms is None:
        raise ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")
    call.redirect(source)


def _call(carrier: Carrier, sid: str, request: Request) -> Call:
    call = carrier.calls.get(sid)
    if call is None:
        raise not_found(request)
    return call


def _matches(call: Call, request: Request) -> bool:
    asked = request.query_params
    fields = {
        "To": call.plan.to,
        "From": call.plan.from_,
        "Status": call.status,
        "ParentCallSid": call.plan.parent_sid,
    }
    if any(name in asked and asked[name] != value for name, value in fields.items()):
        return False
    started = datetime.fromtimestamp(call.created_ms / 1_000, UTC).replace(microsecond=0)
    tests: dict[str, Callable[[datetime], bool]] = {
        "StartTime": lambda asked_for: started.date() == asked_for.date(),
        "StartTime>": lambda asked_for: started >= asked_for,
        "StartTime<": lambda asked_for: started <= asked_for,
    }
    return all(test(_time(asked[name])) for name, test in tests.items() if name in asked)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ApiError(400, 20001, f"Invalid date: {text}") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
