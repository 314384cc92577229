"""A connector on a real socket to the sandbox."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from core.contracts.call import CallSummary, Direction, SyncCrm
from core.outcome import Disposition
from core.ports.errors import VendorError
from core.ports.tools import Caller, ToolContext
from sandbox.app import SandboxConfig, create_app
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from vendors.tool_secrets import ToolSecrets

NO_HTTP = httpx.AsyncClient()  # for contexts of which nothing but the caller is read
SECRETS = dict.fromkeys(
    ("SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET", "HUBSPOT_ACCESS_TOKEN", "CALENDLY_TOKEN", "CALCOM_API_KEY"),
    "right",
)


def calling_from(number: str, key: str = "CA1:1:0") -> ToolContext:
    """A tool call of somebody who calls from this number."""
    return ToolContext("CA1", 1, key, Caller(number), ToolSecrets({}), NO_HTTP)


JAMIE = calling_from("+12025550161")  # one contact has this number
STONES = calling_from("+12025550170")  # two have
WITHHELD = calling_from("+266696687")  # what Twilio says of them all
STRANGER = calling_from("+12025550199")
NOTE = SyncCrm(
    call_id="CA1",
    caller_number="+12025550161",
    disposition=Disposition.COMPLETED,
    summary=CallSummary("Wants a visit.", "a visit", True, "send the offer"),
    duration_ms=65_000,
    idempotency_key="CA1:note",
    direction=Direction.OUTBOUND,
    ended_ms=1_795_600_000_000,  # 2026-11-25T09:46:40Z
)


@dataclass
class Box:
    """The sandbox a connector is connected to."""

    origin: str
    state: SandboxState
    http: httpx.AsyncClient

    def breaks(self, vendor: str, kind: str, **how: Any) -> None:
        """Switch a fault on."""
        self.state.faults.append(Fault(vendor, kind, **how))

    def context(
        self, number: str, settings: Mapping[str, Any] | None = None, key: str = "CA1:1:0", **secrets: str
    ) -> ToolContext:
        """What the engine gives a tool."""
        homes = {f"{vendor}_BASE_URL": self.origin for vendor in ("SALESFORCE", "HUBSPOT", "CALENDLY", "CALCOM")}
        told = ToolSecrets({**SECRETS, **homes, **secrets})
        return ToolContext("CA1", 1, key, Caller(number), told, self.http, settings or {})

    def requests(self, vendor: str, path: str) -> int:
        """How many requests have come whose "<method> <path>" begins so."""
        seen = [stamp.data["path"] for stamp in self.state.stamps if (stamp.vendor, stamp.what) == (vendor, "request")]
        return sum(asked.startswith(path) for asked in seen)

    async def told(self, path: str) -> Any:
        """What one of the sandbox's open routes tells."""
        return (await self.http.get(f"{self.origin}{path}")).json()


PATIENCE = {"drop": 10.0, "stall": 2.0}  # seconds a request may take, by fault: the next one is to be answered


@asynccontextmanager
async def box(timeout_seconds: float = 5.0, **latency: float) -> AsyncIterator[Box]:
    """A sandbox whose keys are all "right", and a client whose patience ends."""
    state = SandboxState(Latency(**{"crm_ms": 0.0, "search_lag_ms": 0.0, **latency}))
    keys = dict.fromkeys(("salesforce", "hubspot", "calendly", "calcom"), "right")
    app = create_app(state, SandboxConfig(api_keys=keys))
    async with running(app) as origin, httpx.AsyncClient(timeout=timeout_seconds) as http:
        yield Box(origin, state, http)


class expect_refusal:
    """Expects a VendorError of this kind that tells nothing personal."""

    def __init__(self, kind: str, *, match: str | None = None) -> None:
        self._kind = kind
        self._raises = pytest.raises(VendorError, match=match)

    def __enter__(self) -> pytest.ExceptionInfo[VendorError]:
        self._caught = self._raises.__enter__()
        return self._caught

    def __exit__(self, *exit_arguments: Any) -> bool:
        swallowed = self._raises.__exit__(*exit_arguments)
        error = self._caught.value
        assert error.kind == self._kind
        assert not any(personal in str(error) for personal in ("@", "+1", "2025550", "Jamie", "right"))
        return bool(swallowed)
