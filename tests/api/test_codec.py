"""The Temporal UI opens sealed history through the API, for whoever has come in."""

import base64
import json

from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import PayloadCodec

from api.auth import CODEC_PATH, SESSION_COOKIE, make_session_cookie
from api.temporal import Temporal
from storage.database import Database
from tests.api.world import ApiWorld, api_world
from workflows.codec import HistoryKey, SealingCodec
from workflows.packing import history_codec

UI = "http://127.0.0.1:8233"
AWAY = Temporal.at("127.0.0.1:1")  # nothing of it is needed
CODEC = SealingCodec([HistoryKey("k1", b"k" * 32)])


async def asked_for(text: str, codec: PayloadCodec = CODEC) -> dict[str, object]:
    """What the UI sends for one payload."""
    (told,) = await codec.encode([Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(text).encode())])
    metadata = {name: base64.b64encode(value).decode() for name, value in told.metadata.items()}
    return {"payloads": [{"metadata": metadata, "data": base64.b64encode(told.data).decode()}]}


async def test_sealed_payloads_are_opened_for_the_key(temporal: Client, database: Database) -> None:
    async with api_world(AWAY, temporal, database, history=CODEC) as world:
        answer = await world.v1("POST", CODEC_PATH, json=await asked_for("Where is it?"))
        (opened,) = answer.json()["payloads"]
        assert base64.b64decode(opened["data"]) == b'"Where is it?"'
        refused = await world.client.post(CODEC_PATH, json=await asked_for("Where is it?"))
        assert refused.status_code == 401


async def test_the_temporal_ui_may_ask_with_the_session_and_no_other_site(temporal: Client, database: Database) -> None:
    async with api_world(AWAY, temporal, database, history=CODEC) as world:
        preflight = await world.client.options(CODEC_PATH, headers={"Origin": UI})
        assert preflight.headers["access-control-allow-origin"] == UI
        cookie = {"Cookie": f"{SESSION_COOKIE}={make_session_cookie(world.deps.settings, 2_000_000_000)}"}
        body = await asked_for("Where is it?")
        answer = await world.client.post(CODEC_PATH, json=body, headers=cookie | {"Origin": UI})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-credentials"] == "true"
        elsewhere = {"Origin": "https://elsewhere.example"}
        stranger = await world.client.post(CODEC_PATH, json=body, headers=cookie | elsewhere)
        assert stranger.status_code == 403
        assert "access-control-allow-origin" not in (await world.client.options(CODEC_PATH, headers=elsewhere)).headers


async def test_what_cannot_be_opened_is_said(temporal: Client, database: Database) -> None:
    async with api_world(AWAY, temporal, database, history=CODEC) as world:
        other = SealingCodec([HistoryKey("k2", b"o" * 32)])
        answer = await world.v1("POST", CODEC_PATH, json=await asked_for("Where is it?", other))
        assert answer.status_code == 422
        assert "'k2'" in answer.json()["detail"]
        assert (await world.v1("POST", CODEC_PATH, json={"payloads": 7})).status_code == 422


async def test_what_is_only_packed_is_unpacked_without_keys(world_without_temporal: ApiWorld) -> None:
    text = "Where is my order? " * 50_000
    body = await asked_for(text, history_codec(()))
    assert len(json.dumps(body)) < len(text) / 10
    (opened,) = (await world_without_temporal.v1("POST", CODEC_PATH, json=body)).json()["payloads"]
    assert json.loads(base64.b64decode(opened["data"])) == text
