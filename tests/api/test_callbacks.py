"""Callers whom a person is to call back, over REST."""

from dataclasses import replace

from core.contracts.transfer import Cause, TransferOutcome, TransferRecord
from storage.calls import SqlCallStore
from storage.database import Database
from tests.api.world import ApiWorld
from tests.storage.records import ended_call

MISSED = TransferRecord(
    transfer=1,
    queue="billing",
    cause=Cause.REQUEST,
    reason="a refund",
    number="+12025550171",
    summary="Wants a refund for 48213.",
    whisper="A refund.",
    started_ms=2_000.0,
    outcome=TransferOutcome.NO_ANSWER,
    ended_ms=9_000.0,
    callback=True,
    tried=("busy",),
)


async def test_callback_is_listed_until_somebody_has_called(
    world_without_temporal: ApiWorld, database: Database
) -> None:
    world, store = world_without_temporal, SqlCallStore(database)
    await store.save(ended_call("CA1", transfers=(MISSED,)))
    await store.save(ended_call("CA2", transfers=(replace(MISSED, ended_ms=9_500.0),)))
    page = (await world.v1("GET", "/v1/callbacks", params={"done": False, "limit": 1})).json()
    (newest,) = page["callbacks"]
    assert (newest["id"], newest["queue"], newest["summary"]) == ("CA2:1", "billing", "Wants a refund for 48213.")
    older = (await world.v1("GET", "/v1/callbacks", params={"cursor": page["next"]})).json()
    assert [task["id"] for task in older["callbacks"]] == ["CA1:1"]
    done = await world.v1("POST", "/v1/callbacks/CA2:1/complete", json={"by": "Grace", "note": "Explained."})
    assert (done.status_code, done.json()["completed_by"]) == (200, "Grace")
    again = await world.v1("POST", "/v1/callbacks/CA2:1/complete", json={"by": "Kim"})
    assert again.json() == done.json()
    await store.save(ended_call("CA2", transfers=(MISSED,)))  # the record comes once more
    left = (await world.v1("GET", "/v1/callbacks", params={"done": False})).json()["callbacks"]
    assert [task["id"] for task in left] == ["CA1:1"]


async def test_bad_requests_about_callbacks_are_told(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    assert (await world.v1("POST", "/v1/callbacks/CA9:1/complete", json={})).status_code == 404
    assert (await world.v1("POST", "/v1/callbacks/nonsense/complete", json={})).status_code == 422
    assert (await world.v1("GET", "/v1/callbacks", params={"cursor": "nonsense"})).status_code == 422


async def test_transfers_are_told_with_the_call(world_without_temporal: ApiWorld, database: Database) -> None:
    await SqlCallStore(database).save(ended_call("CA1", transfers=(MISSED,)))
    (told,) = (await world_without_temporal.v1("GET", "/v1/calls/CA1")).json()["transfers"]
    assert (told["outcome"], told["tried"], told["callback"]) == ("no_answer", ["busy"], True)
    assert (told["started_at"], told["bridged_at"]) == ("1970-01-01T00:00:02Z", None)
