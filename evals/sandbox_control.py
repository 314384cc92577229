"""The sandbox as a test bench drives it: over its control routes (docs/sandbox.md)."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

ANSWER_S = 30.0  # on a machine that a bench fills


class SandboxControl:
    """A client of /sandbox. Close it. All methods raise httpx.HTTPError."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(ANSWER_S),
            limits=httpx.Limits(keepalive_expiry=1.0),  # below the server's own, so that no request meets a closing one
            trust_env=False,
        )

    async def close(self) -> None:
        """Release its connections."""
        await self._http.aclose()

    async def set_latency(self, **ms: float) -> None:
        """Change fields of sandbox.state.Latency."""
        (await self._http.patch("/sandbox/latency", json=ms)).raise_for_status()

    async def add_fault(self, fault: Mapping[str, Any]) -> None:
        """Break something (sandbox.state.Fault)."""
        (await self._http.post("/sandbox/faults", json=dict(fault))).raise_for_status()

    async def clear_faults(self) -> None:
        """Mend everything."""
        (await self._http.delete("/sandbox/faults")).raise_for_status()

    async def lines_are_made(self, quiet_s: float = 3.0) -> None:
        """Wait until nothing has been asked of the voice for a while: a worker that starts has fixed lines made."""
        _, mark = await self.timeline()
        while True:
            await asyncio.sleep(quiet_s)
            stamps, mark = await self.timeline(mark)
            if not any(stamp["vendor"] == "elevenlabs" for stamp in stamps):
                return

    async def put_person(self, number: str, person: Mapping[str, Any]) -> None:
        """How somebody behaves who is called."""
        (await self._http.put(f"/sandbox/people/{number}", json=person)).raise_for_status()

    async def book_visit(self, number: str, name: str) -> None:
        """Somebody has booked a visit at Cal.com."""
        (await self._http.post("/v2/_bookings", json={"number": number, "name": name})).raise_for_status()

    async def place_call(self, from_: str, to: str, script: Sequence[Mapping[str, Any]], **person: Any) -> str:
        """A person calls us; returns the CallSid. ``person``: what else one has."""
        call = {"from": from_, "to": to, "script": list(script), **person}
        answer = await self._http.post("/sandbox/calls", json=call)
        answer.raise_for_status()
        return str(answer.json()["sid"])

    async def effect_keys(self, operation: str) -> list[str]:
        """The idempotency key of each time the CRM has really done it."""
        answer = await self._http.get("/crm/_effects")
        answer.raise_for_status()
        return [effect["key"] or "" for effect in answer.json()["effects"] if effect["operation"] == operation]

    async def call(self, sid: str) -> dict[str, Any]:
        """One call as the carrier saw it."""
        answer = await self._http.get(f"/sandbox/calls/{sid}")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def call_over(self, sid: str) -> None:
        """Return once a call is over, however long that takes."""
        answer = await self._http.get(f"/sandbox/calls/{sid}/over", timeout=httpx.Timeout(ANSWER_S, read=None))
        answer.raise_for_status()

    async def ended_call(self, sid: str) -> dict[str, Any]:
        """A call as the carrier saw it, once it is over."""
        await self.call_over(sid)
        return await self.call(sid)

    async def heard(self, sid: str) -> bytes:
        """What the person has heard in the last ten seconds, mu-law."""
        answer = await self._http.get(f"/sandbox/calls/{sid}/heard")
        answer.raise_for_status()
        return answer.content

    async def hang_up(self, sid: str) -> None:
        """The person puts the phone down."""
        (await self._http.post(f"/sandbox/calls/{sid}/hang-up")).raise_for_status()

    async def timeline(self, since: int = 0) -> tuple[list[dict[str, Any]], int]:
        """What happened, and where to go on reading."""
        answer = await self._http.get("/sandbox/timeline", params={"since": since})
        answer.raise_for_status()
        found = answer.json()
        return found["stamps"], found["next"]
