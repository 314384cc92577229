"""Whether this process lives, whether it can do its work, and its figures."""

import asyncio
import time
from collections.abc import Awaitable

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from api.deps import ApiDeps
from api.observe import Figures
from api.temporal import TemporalUnavailable
from core.ports.errors import StorageUnavailable

CHECK_SECONDS = 2.0


class Health(BaseModel):
    """The process answers."""

    status: str = Field("ok", examples=["ok"])
    version: str = Field(examples=["0.1.0"])


class Check(BaseModel):
    """One thing this process needs."""

    ok: bool
    took_ms: float
    error: str | None = None


class Readiness(BaseModel):
    """All of them."""

    ready: bool
    checks: dict[str, Check]


def router(deps: ApiDeps, figures: Figures) -> APIRouter:
    """The open routes."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", summary="Does it live?", openapi_extra={"security": []})
    async def get_health() -> Health:
        """Answers as long as the process can. It takes calls in this state: a carrier always gets an answer."""
        return Health(version=deps.settings.version)

    @routes.get(
        "/readyz",
        summary="Can it do all its work?",
        openapi_extra={"security": []},
        responses={503: {"model": Readiness, "description": "Something it needs cannot be reached"}},
    )
    async def get_readiness(response: Response) -> Readiness:
        """Reaches Temporal and the database."""
        temporal, database = await asyncio.gather(_check(deps.temporal.check()), _check(deps.reader.last_event_id()))
        ready = temporal.ok and database.ok
        response.status_code = 200 if ready else 503
        return Readiness(ready=ready, checks={"temporal": temporal, "database": database})

    @routes.get("/metrics", include_in_schema=False)
    async def get_metrics() -> Response:
        """Figures in Prometheus' text format."""
        return Response(generate_latest(figures.registry), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _check(reach: Awaitable[object]) -> Check:
    started = time.perf_counter()
    error = None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await reach
    except TimeoutError:
        error = "no answer in time"
    except (TemporalUnavailable, StorageUnavailable) as problem:
        error = str(problem)
    return Check(ok=error is None, took_ms=round((time.perf_counter() - started) * 1_000, 1), error=error)
