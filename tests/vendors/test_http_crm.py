from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from core.contracts.call import CallSummary, SyncCrm
from core.outcome import Disposition
from core.ports.crm import Crm, ToolContext
from core.ports.errors import VendorError
from sandbox.app import SandboxConfig, create_app
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from tests.vendors.deadlines import LONG
from vendors.http_crm import MAX_ANSWER_BYTES, HttpCrm

CONTEXT = ToolContext("CA1", "+12025550100", "CA1:1:0")
NOTE = SyncCrm("CA1", "+12025550100", Disposition.COMPLETED, CallSummary("Fine.", "order", True), 65_000, "note:CA1")


@asynccontextmanager
async def crm(*faults: Fault, key: str = "right", timeout_seconds: float = LONG) -> AsyncIterator[tuple[HttpCrm, str]]:
    state = SandboxState(Latency(crm_ms=0))
    state.faults += faults
    async with running(create_app(state, SandboxConfig(api_keys={"crm": "right"}))) as origin:
        adapter = HttpCrm(f"{origin}/crm", key, timeout_seconds=timeout_seconds, connect_seconds=LONG)
        try:
            yield adapter, origin
        finally:
            await adapter.close()


async def error_of(adapter: HttpCrm, operation: str = "create_case") -> VendorError:
    with pytest.raises(VendorError) as caught:
        await adapter.run(operation, {"subject": "Broken"}, CONTEXT)
    return caught.value


async def test_the_adapter_is_a_crm() -> None:
    adapter: Crm = HttpCrm("http://127.0.0.1:9/crm", "key")
    assert adapter


async def test_an_operation_is_carried_out_with_number_and_key() -> None:
    async with crm() as (adapter, origin), httpx.AsyncClient() as http:
        answer = await adapter.run("create_case", {"subject": "Broken"}, CONTEXT)
        again = await adapter.run("create_case", {"subject": "Broken"}, CONTEXT)
        (effect,) = (await http.get(f"{origin}/crm/_effects")).json()["effects"]
    assert answer == again
    assert answer["status"] == "open"
    assert (effect["key"], effect["requests"]) == ("CA1:1:0", 2)
    assert effect["body"] == {"arguments": {"subject": "Broken"}, "caller_number": "+12025550100", "call_id": "CA1"}


async def test_a_call_is_noted_once_under_its_key() -> None:
    async with crm() as (adapter, origin), httpx.AsyncClient() as http:
        assert await adapter.log_call(NOTE) == await adapter.log_call(NOTE)
        (effect,) = (await http.get(f"{origin}/crm/_effects")).json()["effects"]
    assert effect["key"] == "note:CA1"
    assert effect["body"]["disposition"] == "completed"
    assert effect["body"]["summary"]["topic"] == "order"


async def test_a_refusal_brings_the_crms_words() -> None:
    async with crm() as (adapter, _):
        with pytest.raises(VendorError) as caught:
            await adapter.run("get_order_status", {"order_number": "123"}, CONTEXT)
    assert (caught.value.kind, caught.value.curable) == ("refused", False)
    assert str(caught.value) == "crm: There is no order 123."


@pytest.mark.parametrize(
    ("fault", "kind", "curable"),
    [
        (Fault("crm", "status", status=500), "unavailable", True),
        (Fault("crm", "status", status=503), "unavailable", True),
        (Fault("crm", "status", status=429), "rate_limited", True),
        (Fault("crm", "status", status=403), "unauthorized", False),
        (Fault("crm", "status", status=302), "broken", True),
        (Fault("crm", "drop"), "unavailable", True),
        (Fault("crm", "connect"), "unavailable", True),
        (Fault("crm", "stall"), "timeout", True),
        (Fault("crm", "garbage"), "broken", True),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else None,
)
async def test_every_failure_has_its_kind_and_nothing_is_tried_again(fault: Fault, kind: str, curable: bool) -> None:
    async with crm(fault, timeout_seconds=2.0 if kind == "timeout" else LONG) as (adapter, _):
        error = await error_of(adapter)
        assert (error.vendor, error.kind, error.curable) == ("crm", kind, curable)
        assert (await adapter.run("create_case", {"subject": "Broken"}, CONTEXT))["status"] == "open"


async def test_an_effect_whose_answer_was_lost_is_not_repeated() -> None:
    async with crm(Fault("crm", "drop")) as (adapter, origin), httpx.AsyncClient() as http:
        await error_of(adapter)
        await adapter.run("create_case", {"subject": "Broken"}, CONTEXT)
        assert len((await http.get(f"{origin}/crm/_effects")).json()["effects"]) == 1


async def test_the_wait_the_crm_asks_for_is_passed_on() -> None:
    async with crm(Fault("crm", "status", status=503, retry_after=4)) as (adapter, _):
        assert (await error_of(adapter)).retry_after == timedelta(seconds=4)


async def test_a_wrong_key_is_no_reason_to_try_again() -> None:
    async with crm(key="wrong") as (adapter, _):
        error = await error_of(adapter)
    assert (error.kind, error.curable) == ("unauthorized", False)


async def test_a_crm_that_is_not_there_is_unavailable() -> None:
    adapter = HttpCrm("http://127.0.0.1:9/crm", "key")
    error = await error_of(adapter)
    await adapter.close()
    assert (error.kind, error.curable) == ("unavailable", True)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response("<html>It works!</html>", media_type="text/html"), "broken"),
        (Response(""), "broken"),
        (Response("[1]"), "broken"),
        (Response("\xff\xfe"), "broken"),
        (Response('{"a": "' + "x" * MAX_ANSWER_BYTES + '"}'), "broken"),
        (Response("<html>no</html>", status_code=404), "refused"),
        (Response('{"error": "no"}', status_code=422), "refused"),
    ],
)
async def test_an_answer_nobody_can_use_has_its_kind(answer: Response, kind: str) -> None:
    app = FastAPI()
    app.add_api_route("/operations/{name}", lambda name: answer, methods=["POST"])
    async with running(app) as origin:
        adapter = HttpCrm(origin, "key")
        assert (await error_of(adapter)).kind == kind
        await adapter.close()


async def test_a_note_without_an_id_is_broken() -> None:
    app = FastAPI()
    app.add_api_route("/calls", lambda: Response("{}"), methods=["POST"])
    async with running(app) as origin:
        adapter = HttpCrm(origin, "key")
        with pytest.raises(VendorError, match="without an id"):
            await adapter.log_call(NOTE)
        await adapter.close()


async def test_an_operation_cannot_leave_its_route() -> None:
    async with crm() as (adapter, _):
        assert (await error_of(adapter, "../calls")).kind == "refused"
