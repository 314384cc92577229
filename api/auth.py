"""Who may come in: the bearer of the API key, or a browser that has shown it once and holds a session cookie.

Everything is closed unless its path is listed here, so that a new route cannot be open by oversight.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.deps import ApiSettings
from api.problems import plain_problem, problem_response

SESSION_COOKIE = "holdfast_session"
SESSION_SECONDS = 12 * 3_600
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/login"})
CODEC_PATH = "/codec/decode"  # the Temporal UI's pages ask here
OPEN_PREFIX = "/twilio/"  # each of these is signed by the carrier instead
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_key(settings: ApiSettings, key: str) -> bool:
    """Whether this is the API key; takes the same time whatever it is. An empty key opens nothing."""
    return bool(settings.api_key) and hmac.compare_digest(key.encode(), settings.api_key.encode())


def make_session_cookie(settings: ApiSettings, now_s: float) -> str:
    """The value of a fresh session cookie, good for SESSION_SECONDS from ``now_s`` (since the epoch)."""
    expires = str(int(now_s) + SESSION_SECONDS)
    return f"{expires}.{_sign(settings, expires)}"


def check_session_cookie(settings: ApiSettings, cookie: str, now_s: float) -> bool:
    """Whether we made this cookie, with the key of today, and it has not expired."""
    expires, _, signature = cookie.partition(".")
    if not (settings.api_key and expires.isdecimal() and len(expires) < 15):
        return False
    good = hmac.compare_digest(signature.encode(), _sign(settings, expires).encode())
    return good and now_s < int(expires)


def set_session(response: Response, settings: ApiSettings) -> None:
    """Let the browser that gets this response in. Secure wherever the public address is."""
    response.set_cookie(
        SESSION_COOKIE,
        make_session_cookie(settings, time.time()),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=settings.public_url.startswith("https:"),
    )


def is_same_origin(settings: ApiSettings, headers: Headers) -> bool:
    """Whether a browser sent this from one of our own pages, by the headers no page can forge."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = urlsplit(headers.get("origin", "")).netloc
    return bool(origin) and origin in (headers.get("host"), urlsplit(settings.public_url).netloc)


@dataclass(frozen=True)
class RequireKey:
    """ASGI middleware: nothing but the open paths without the key."""

    app: ASGIApp
    settings: ApiSettings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or is_open(scope["path"]) or _is_preflight(scope):
            return await self.app(scope, receive, send)
        refusal = self._refusal(HTTPConnection(scope))
        if refusal is None:
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008, "reason": "no key"})
        return await refusal(scope, receive, send)

    def _refusal(self, request: HTTPConnection) -> Response | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and is_key(self.settings, token.strip()):
            return None
        cookie = request.cookies.get(SESSION_COOKIE, "")
        if not check_session_cookie(self.settings, cookie, time.time()):
            return _ask_for_key(request)
        if request.scope.get("method") in _SAFE_METHODS or is_same_origin(self.settings, request.headers):
            return None
        if request.url.path == CODEC_PATH and request.headers.get("origin") == self.settings.temporal_ui_url:
            return None
        return problem_response(plain_problem(403, "This comes from a page of another site."))


def is_open(path: str) -> bool:
    """Whether a path needs no key."""
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIX)


def _is_preflight(scope: Scope) -> bool:
    """A browser's question whether it may ask comes without a cookie, and is told nothing else."""
    return scope["path"] == CODEC_PATH and scope.get("method") == "OPTIONS"


def _ask_for_key(request: HTTPConnection) -> Response:
    path = request.url.path
    if request.scope.get("method") == "GET" and _is_page(path, request.headers):
        return RedirectResponse(f"/login?next={quote(path)}", 303)
    detail = "Send the API key: Authorization: Bearer <key>."
    return problem_response(plain_problem(401, detail), {"WWW-Authenticate": "Bearer"})


def _is_page(path: str, headers: Headers) -> bool:
    return "text/html" in headers.get("accept", "") and path != "/v1" and not path.startswith("/v1/")


def _sign(settings: ApiSettings, expires: str) -> str:
    key = hashlib.sha256(b"holdfast session " + settings.api_key.encode()).digest()
    return hmac.new(key, expires.encode(), hashlib.sha256).hexdigest()
