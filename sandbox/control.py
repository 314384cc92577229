"""Control of a running sandbox: how slow its vendors are, what is broken, what happened. See docs/sandbox.md."""

from dataclasses import asdict, fields
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException

from sandbox.state import Fault, Latency, SandboxState

VENDORS = (
    *("deepgram", "anthropic", "elevenlabs", "twilio", "crm", "openai", "gladia"),
    *("smtp", "customer"),
    *("salesforce", "hubspot", "calendly", "calcom"),
)


def router(state: SandboxState) -> APIRouter:
    """The routes every part of the sandbox shares."""
    routes = APIRouter(prefix="/sandbox", tags=["control"])

    @routes.get("/latency")
    def latency() -> dict[str, float]:
        """How long the vendors take, ms."""
        return asdict(state.latency)

    @routes.patch("/latency")
    def set_latency(changes: dict[str, float]) -> dict[str, float]:
        """Set some of it; what is not named stays."""
        unknown = changes.keys() - {field.name for field in fields(Latency)}
        if unknown:
            raise HTTPException(422, f"no such latency: {', '.join(sorted(unknown))}")
        negative = sorted(name for name, value in changes.items() if value < 0)
        if negative:
            raise HTTPException(422, f"must not be negative: {', '.join(negative)}")
        for name, value in changes.items():
            setattr(state.latency, name, value)
        return asdict(state.latency)

    @routes.get("/faults")
    def faults() -> list[Fault]:
        """What is broken just now."""
        return state.faults

    @routes.post("/faults", status_code=201)
    def add_fault(fault: Annotated[Fault, Body()]) -> Fault:
        """Break something for the next requests of a vendor."""
        if fault.vendor not in VENDORS:
            raise HTTPException(422, f"vendor must be one of {', '.join(VENDORS)}")
        state.faults.append(fault)
        return fault

    @routes.delete("/faults", status_code=204)
    def clear_faults() -> None:
        """Mend everything."""
        state.faults.clear()

    @routes.get("/timeline")
    def timeline(since: int = 0) -> dict[str, Any]:
        """What happened from stamp ``since`` on; ask with ``next`` for what comes after."""
        stamps = state.timeline(since)
        return {"next": since + len(stamps), "stamps": stamps}

    return routes
