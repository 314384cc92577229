"""What each request leaves behind: a log line and figures."""

import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

_QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass
class Figures:
    """The API's own figures, in a registry of their own so that two apps in one process do not clash."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.requests = Counter(
            "holdfast_api_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "holdfast_api_request_seconds",
            "From request to the first byte of the response",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.calls_started = Counter(
            "holdfast_api_calls_started",
            "Calls started or found running, by who called whom",
            ("direction",),
            registry=self.registry,
        )
        self.carrier_answers = Counter(
            "holdfast_api_carrier_answers",
            "What the carrier was told to do",
            ("route", "answer"),
            registry=self.registry,
        )
        self.undelivered = Gauge(
            "holdfast_api_undelivered_messages",
            "Messages of the carrier that wait for Temporal to come back",
            registry=self.registry,
        )


@dataclass(frozen=True)
class Observe:
    """ASGI middleware: counts, times and logs each request once its response begins."""

    app: ASGIApp
    figures: Figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = time.perf_counter()

        async def note_start(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, message["status"], time.perf_counter() - started)
            await send(message)

        return await self.app(scope, receive, note_start)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = _known_method(scope["method"]), _route(scope)
        self.figures.requests.labels(method, route, str(status)).inc()
        self.figures.seconds.labels(method, route).observe(seconds)
        if route in _QUIET_ROUTES and status < 400:
            return
        log.info(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1_000, 1),
            pii_path=scope["path"],
            pii_query=scope["query_string"].decode("latin-1"),
            pii_client=_client(scope),
        )


def _route(scope: Scope) -> str:
    """The route's template: paths themselves would make a label each."""
    route: Any = scope.get("route")
    return getattr(route, "path_format", None) or getattr(route, "path", None) or "unmatched"


def _known_method(method: str) -> str:
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""
