"""The product as its users reach it: REST and the live feed."""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One line of the live feed, see core.ports.call_log.CallEvent."""

    call_id: str
    kind: str
    at_ms: float
    data: dict[str, Any]


class Product:
    """A client of /v1. Close it."""

    def __init__(self, url: str, api_key: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {api_key}"}, timeout=httpx.Timeout(10), trust_env=False
        )

    async def close(self) -> None:
        """Release its connections."""
        await self._http.aclose()

    async def place_call(self, to: str, playbook: str, variables: dict[str, str]) -> str:
        """Start an outbound call; returns its id. Raises httpx.HTTPStatusError."""
        answer = await self._http.post("/v1/calls", json={"to": to, "playbook": playbook, "variables": variables})
        answer.raise_for_status()
        return str(answer.json()["id"])

    async def call(self, call_id: str) -> dict[str, Any]:
        """One call with its turns. Raises httpx.HTTPStatusError."""
        answer = await self._http.get(f"/v1/calls/{call_id}")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def publish(self, name: str, text: str) -> None:
        """A new version of a playbook. Raises httpx.HTTPError."""
        answer = await self._http.put(f"/v1/playbooks/{name}", content=text)
        answer.raise_for_status()

    async def create_campaign(self, campaign: dict[str, Any]) -> str:
        """A draft; returns its id. Raises httpx.HTTPStatusError, as all about campaigns do."""
        return str((await self._post("/v1/campaigns", campaign))["id"])

    async def add_contacts(self, campaign: str, numbers: Sequence[str]) -> None:
        """Whom it is to call."""
        await self._post(f"/v1/campaigns/{campaign}/contacts", {"contacts": [{"number": one} for one in numbers]})

    async def start_campaign(self, campaign: str) -> None:
        """Have it run."""
        await self._post(f"/v1/campaigns/{campaign}/start")

    async def campaign_progress(self, campaign: str) -> dict[str, Any]:
        """How far it has come."""
        answer = await self._http.get(f"/v1/campaigns/{campaign}/progress")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def campaign_results(self, campaign: str) -> list[dict[str, Any]]:
        """Every contact with its attempts."""
        answer = await self._http.get(f"/v1/campaigns/{campaign}/results.jsonl")
        answer.raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines()]

    async def _post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await self._http.post(path, json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def feed(self) -> AsyncGenerator[FeedLine, None]:
        """The live feed of all calls, from now on. Close it."""
        async with self._http.stream("GET", "/v1/events", timeout=httpx.Timeout(10, read=None)) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    told = json.loads(line[5:])
                    yield FeedLine(told["call_id"], told["kind"], told["at_ms"], told["data"])
