from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from sandbox.app import SandboxConfig, create_app
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running


@asynccontextmanager
async def crm(*faults: Fault, key: str = "right") -> AsyncIterator[httpx.AsyncClient]:
    state = SandboxState(Latency(crm_ms=0))
    state.faults += faults
    async with running(create_app(state, SandboxConfig(api_keys={"crm": "right"}))) as origin:
        headers = {"authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=f"{origin}/crm", headers=headers) as client:
            yield client


async def operate(client: httpx.AsyncClient, operation: str, key: str = "", **arguments: Any) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    return await client.post(f"/operations/{operation}", json={"arguments": arguments}, headers=headers)


async def test_a_known_order_is_told() -> None:
    async with crm() as client:
        answer = await operate(client, "get_order_status", order_number="48213")
        assert answer.json()["status"] == "shipped"
        assert (await client.get("/orders/48213")).json() == answer.json()


async def test_any_five_digit_order_is_answered_the_same_each_time() -> None:
    async with crm() as client:
        for number in ("10000", "55555", "99999"):
            first = await operate(client, "get_order_status", order_number=number)
            assert first.status_code == 200
            assert first.json()["order_number"] == number
            assert (await operate(client, "get_order_status", order_number=number)).json() == first.json()


@pytest.mark.parametrize(
    ("operation", "arguments", "status", "code"),
    [
        ("get_order_status", {"order_number": "123"}, 404, "no_such_order"),
        ("get_order_status", {}, 422, "missing_argument"),
        ("create_case", {"subject": "x", "order_number": "1"}, 404, "no_such_order"),
        ("update_shipping_address", {"order_number": "48213", "address": "12 Oak Lane"}, 422, "too_late"),
        ("confirm_appointment", {"appointment_id": "9"}, 404, "no_such_appointment"),
        ("move_appointment", {"appointment_id": "1001", "new_day": "Sunday", "new_time": "noon"}, 422, "closed"),
        ("sell_everything", {}, 404, "unknown_operation"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_words(
    operation: str, arguments: dict[str, Any], status: int, code: str
) -> None:
    async with crm() as client:
        answer = await operate(client, operation, "k1", **arguments)
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == code
        assert answer.json()["error"]["message"]
        assert (await client.get("/_effects")).json() == {"effects": []}


async def test_one_key_has_one_effect_however_often_it_is_sent() -> None:
    async with crm() as client:
        answers = [await operate(client, "create_case", "call:1:0", subject="Broken") for _ in range(3)]
        assert len({answer.text for answer in answers}) == 1
        assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", "true"]
        (effect,) = (await client.get("/_effects")).json()["effects"]
    assert (effect["key"], effect["operation"], effect["requests"]) == ("call:1:0", "create_case", 3)


async def test_two_keys_have_two_effects_and_a_key_means_one_request() -> None:
    async with crm() as client:
        one = await operate(client, "create_case", "k1", subject="Broken")
        two = await operate(client, "create_case", "k2", subject="Broken")
        assert one.json() != two.json()
        assert (await operate(client, "create_case", "k1", subject="Other")).status_code == 409
        assert len((await client.get("/_effects")).json()["effects"]) == 2


async def test_looking_up_has_no_effect() -> None:
    async with crm() as client:
        await operate(client, "get_order_status", "k1", order_number="48213")
        assert (await client.get("/_effects")).json()["effects"] == []


async def test_an_appointment_is_moved_and_then_confirmed_where_it_is() -> None:
    async with crm() as client:
        await operate(client, "move_appointment", appointment_id="1001", new_day="Friday", new_time="2 p.m.")
        confirmed = (await operate(client, "confirm_appointment", appointment_id="1001")).json()
    assert (confirmed["status"], confirmed["day"], confirmed["time"]) == ("confirmed", "Friday", "2 p.m.")


async def test_a_call_is_noted() -> None:
    async with crm() as client:
        note = {"call_id": "CA1", "summary": {"summary": "All fine."}}
        answer = await client.post("/calls", json=note, headers={"idempotency-key": "note:CA1"})
        assert answer.json()["id"]
        (effect,) = (await client.get("/_effects")).json()["effects"]
    assert effect["body"] == note


async def test_a_wrong_key_is_refused() -> None:
    async with crm(key="wrong") as client:
        assert (await operate(client, "get_order_status", order_number="48213")).status_code == 401
        assert (await client.post("/calls", json={})).status_code == 401
        assert (await client.get("/orders/48213")).status_code == 401


async def test_an_answer_may_be_lost_after_the_effect() -> None:
    async with crm(Fault("crm", "drop")) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await operate(client, "create_case", "k1", subject="Broken")
        again = await operate(client, "create_case", "k1", subject="Broken")
        assert again.headers["idempotent-replayed"] == "true"
        assert len((await client.get("/_effects")).json()["effects"]) == 1


async def test_a_failed_status_has_no_effect_and_may_ask_to_wait() -> None:
    async with crm(Fault("crm", "status", status=503, retry_after=2, match="create_case")) as client:
        assert (await operate(client, "get_order_status", order_number="48213")).status_code == 200
        answer = await operate(client, "create_case", "k1", subject="Broken")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert (await client.get("/_effects")).json()["effects"] == []


async def test_what_is_no_request_is_refused() -> None:
    async with crm() as client:
        for content in (b"", b"{", b"[]"):
            assert (await client.post("/operations/create_case", content=content)).status_code == 400
        assert (await client.post("/operations/create_case", json={"arguments": 5})).status_code == 400


async def test_address_of_an_order_that_is_being_packed_is_changed_and_changed_back() -> None:
    async with crm() as client:
        changed = await operate(client, "update_shipping_address", "k1", order_number="31416", address="12 Oak Lane")
        assert changed.json() == {
            "order_number": "31416",
            "status": "changed",
            "new_address": "12 Oak Lane",
            "previous_address": "the address on file",
        }
        back = await operate(client, "update_shipping_address", "k2", order_number="31416", address="2 Elm Street")
        assert back.json()["previous_address"] == "12 Oak Lane"
        assert len((await client.get("/_effects")).json()["effects"]) == 2
