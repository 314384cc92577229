"""Only the carrier may ask what a call does next."""

import pytest
from fastapi.routing import iter_route_contexts
from temporalio.client import Client
from twilio.request_validator import RequestValidator

from api.temporal import Temporal
from storage.database import Database
from tests.api.world import AUTH_TOKEN, ApiWorld, api_world
from tests.temporal_server import free_port

FORM = {"CallSid": "CA1", "From": "+15550100", "To": "+15550199", "CallStatus": "ringing"}


def webhooks(world: ApiWorld) -> list[str]:
    """Every route of the carrier's that there is."""
    paths = [route.path or "" for route in iter_route_contexts(world.app.routes)]
    return [path for path in paths if path.startswith("/twilio")]


async def test_an_unsigned_webhook_is_refused(world_without_temporal: ApiWorld) -> None:
    paths = webhooks(world_without_temporal)
    assert len(paths) >= 5
    for path in paths:
        answer = await world_without_temporal.client.post(path, data=FORM)
        assert (path, answer.status_code) == (path, 403)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("signed_url", "signed_form", "token"),
    [
        ("{origin}/twilio/voice", FORM, "another token"),
        ("{origin}/twilio/voice", FORM | {"To": "+15550000"}, AUTH_TOKEN),
        ("{origin}/twilio/voice", {}, AUTH_TOKEN),
        ("{origin}/twilio/voice?call_id=out-1", FORM, AUTH_TOKEN),
        ("{origin}/twilio/status", FORM, AUTH_TOKEN),
        ("https://elsewhere.example/twilio/voice", FORM, AUTH_TOKEN),
    ],
)
async def test_a_signature_of_something_else_is_refused(
    world_without_temporal: ApiWorld, signed_url: str, signed_form: dict[str, str], token: str
) -> None:
    url = signed_url.format(origin=world_without_temporal.origin)
    signature = RequestValidator(token).compute_signature(url, signed_form)
    headers = {"X-Twilio-Signature": signature}
    answer = await world_without_temporal.client.post("/twilio/voice", data=FORM, headers=headers)
    assert answer.status_code == 403


async def test_the_public_address_is_what_counts_behind_a_tunnel(temporal: Client, database: Database) -> None:
    away = Temporal.at(f"127.0.0.1:{free_port()}")
    async with api_world(away, temporal, database, public_url="https://calls.example") as world:
        url = "/twilio/voice?call_id=out-1&try=3"
        signature = RequestValidator(AUTH_TOKEN).compute_signature("https://calls.example" + url, FORM)
        answer = await world.client.post(url, data=FORM, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 200


async def test_without_an_auth_token_nothing_is_let_in(temporal: Client, database: Database) -> None:
    away = Temporal.at(f"127.0.0.1:{free_port()}")
    async with api_world(away, temporal, database, twilio_auth_token="") as world:
        signature = RequestValidator("").compute_signature(f"{world.origin}/twilio/voice", FORM)
        answer = await world.client.post("/twilio/voice", data=FORM, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 403


async def test_repeated_and_odd_fields_are_signed_as_the_carrier_signs_them(world_without_temporal: ApiWorld) -> None:
    form = FORM | {"CallerName": "Zoë & Söhne + 1", "Empty": ""}
    assert (await world_without_temporal.twilio("voice", form)).status_code == 200


async def test_a_signed_request_that_names_no_call_is_a_clear_error(world_without_temporal: ApiWorld) -> None:
    answer = await world_without_temporal.twilio("voice", {"To": "+15550199"})
    assert answer.status_code == 422
    assert "CallSid" in answer.json()["detail"]


async def test_a_body_that_is_too_large_is_refused(world_without_temporal: ApiWorld) -> None:
    answer = await world_without_temporal.twilio("voice", FORM | {"Junk": "x" * 100_000})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
