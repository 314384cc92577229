"""The API is what its description says it is."""

from typing import Any

from tests.api.world import ApiWorld

ENDLESS = {"/v1/events", "/v1/calls/{call_id}/events"}


async def description(world: ApiWorld) -> dict[str, Any]:
    found: dict[str, Any] = (await world.v1("GET", "/openapi.json")).json()
    return found
