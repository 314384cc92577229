"""The live feed over server-sent events."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from core.ports.call_log import CallEvent
from tests.api.world import API_KEY, ApiWorld


def note(world: ApiWorld, call_id: str, text: str) -> None:
    world.feed.note(CallEvent(call_id, "caller_turn", 1_000.0, {"turn": 1, "text": text, "confidence": 0.9}))


async def keep(world: ApiWorld, *lines: tuple[str, str]) -> None:
    """Have these lines in the feed."""
    for call_id, text in lines:
        note(world, call_id, text)
    await world.feed.flush()


@asynccontextmanager
async def following(world: ApiWorld, path: str, **headers: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The stream's events as they come, once it stands."""
    headers = {"Authorization": f"Bearer {API_KEY}", "Accept": "text/event-stream"} | headers
    async with world.client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.aiter_lines()
        while await anext(lines):  # the opening comment, up to its empty line
            pass
        yield _events(lines)


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if line:
            event[name] = value
        elif event:
            yield event | {"data": json.loads(event["data"])}
            event = {}


async def texts(events: AsyncIterator[dict[str, Any]], count: int) -> list[str]:
    return [(await anext(events))["data"]["data"]["text"] for _ in range(count)]


async def test_all_calls_are_followed_from_now_on(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    await keep(world, ("CA1", "before"))
    async with following(world, "/v1/events") as events:
        note(world, "CA1", "one")
        note(world, "CA2", "two")
        first = await anext(events)
        assert first["event"] == "caller_turn"
        assert first["id"] == str(first["data"]["id"])
        assert first["data"]["call_id"] == "CA1"
        assert await texts(events, 1) == ["two"]


async def test_one_call_is_followed_from_its_beginning(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    await keep(world, ("CA1", "one"), ("CA2", "other"), ("CA1", "two"))
    async with following(world, "/v1/calls/CA1/events") as events:
        assert await texts(events, 2) == ["one", "two"]
        note(world, "CA2", "other")
        note(world, "CA1", "three")
        assert await texts(events, 1) == ["three"]


async def test_who_comes_back_misses_nothing_and_hears_nothing_twice(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    await keep(world, ("CA1", "one"), ("CA1", "two"), ("CA1", "three"))
    async with following(world, "/v1/calls/CA1/events") as events:
        last_seen = (await anext(events))["id"]
    async with following(world, "/v1/calls/CA1/events", **{"Last-Event-ID": last_seen}) as events:
        assert await texts(events, 2) == ["two", "three"]
    async with following(world, f"/v1/events?after={last_seen}") as events:
        assert await texts(events, 2) == ["two", "three"]


async def test_a_place_in_the_feed_that_is_no_number_is_a_clear_error(world_without_temporal: ApiWorld) -> None:
    for last in ("x", "-1", "9" * 30):
        answer = await world_without_temporal.v1("GET", "/v1/events", headers={"Last-Event-ID": last})
        assert answer.status_code == 422


async def test_a_placed_call_can_be_followed_before_anything_is_known_of_it(world: ApiWorld) -> None:
    placed = (await world.v1("POST", "/v1/calls", json={"to": "+15550100", "playbook": "renewal"})).json()
    world.started.append(placed["id"])
    async with following(world, placed["events_url"].removeprefix(world.origin)) as events:
        note(world, placed["id"], "Hello?")
        assert await texts(events, 1) == ["Hello?"]
