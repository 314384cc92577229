"""Nothing but the carrier's webhooks and the probes is open."""

import re
import time

import httpx
import pytest
from fastapi import Response
from fastapi.routing import iter_route_contexts

from api.auth import (
    CODEC_PATH,
    OPEN_PATHS,
    SESSION_COOKIE,
    SESSION_SECONDS,
    check_session_cookie,
    make_session_cookie,
    set_session,
)
from tests.api.world import API_KEY, ApiWorld, settings_for

PREFLIGHT = ("OPTIONS", CODEC_PATH)  # tells nothing but who may ask
OPEN = {"/healthz", "/readyz", "/metrics", "/login"}


def closed_routes(world: ApiWorld) -> list[tuple[str, str]]:
    """Every route there is, but those that are meant to be open."""
    found = []
    for route in iter_route_contexts(world.app.routes):
        path = re.sub(r"\{\w+\}", "1", (route.path or ""))
        if path not in OPEN and not path.startswith("/twilio/"):
            found += [(method, path) for method in route.methods or {"GET"} if (method, path) != PREFLIGHT]
    return found


async def test_every_other_route_needs_the_key(world_without_temporal: ApiWorld) -> None:
    routes = closed_routes(world_without_temporal)
    assert {"/v1/calls", "/v1/events", "/docs", "/openapi.json", "/logout"} <= {path for _, path in routes}
    for key in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {API_KEY}"}, {"Cookie": "x=y"}):
        for method, path in routes:
            answer = await world_without_temporal.client.request(method, path, headers=key)
            assert (method, path, answer.status_code) == (method, path, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == "application/problem+json"


async def test_no_path_is_open_that_is_not_meant_to_be(world_without_temporal: ApiWorld) -> None:
    assert OPEN_PATHS == OPEN
    for path in ("/", "/console", "/v1", "/twilio", "//twilio/voice", "/healthz/", "/docs/swagger-ui-bundle.js"):
        assert (await world_without_temporal.client.get(path)).status_code == 401


async def test_the_key_opens(world_without_temporal: ApiWorld) -> None:
    answer = await world_without_temporal.v1("GET", "/v1/calls")
    assert answer.status_code == 200


def test_an_installation_without_a_key_is_closed_and_not_open() -> None:
    settings = settings_for("http://x", api_key="")
    assert not check_session_cookie(settings, make_session_cookie(settings, time.time()), time.time())


async def log_in(world: ApiWorld, key: str = API_KEY, **form: str) -> httpx.Response:
    return await world.client.post("/login", data={"key": key, **form})


async def test_a_browser_shows_the_key_once(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    answer = await log_in(world, next="/calls/CA1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/calls/CA1")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert API_KEY not in cookie
    assert (await world.client.get("/v1/calls")).status_code == 200
    await world.client.post("/logout", headers={"Sec-Fetch-Site": "same-origin"})
    assert (await world.client.get("/v1/calls")).status_code == 401


@pytest.mark.parametrize("key", ["", "wrong", API_KEY.upper()])
async def test_a_wrong_key_gets_no_session(world_without_temporal: ApiWorld, key: str) -> None:
    answer = await log_in(world_without_temporal, key)
    assert answer.status_code in (303, 422)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("page", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x=y"])
async def test_a_login_leads_to_no_other_site(world_without_temporal: ApiWorld, page: str) -> None:
    answer = await log_in(world_without_temporal, next=page)
    assert answer.headers["location"] == "/"


async def test_a_login_from_a_form_of_another_site_is_refused(world_without_temporal: ApiWorld) -> None:
    answer = await world_without_temporal.client.post(
        "/login", data={"key": API_KEY}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403


async def test_a_browser_without_a_session_is_led_to_the_login(world_without_temporal: ApiWorld) -> None:
    page = await world_without_temporal.client.get("/docs", headers={"Accept": "text/html,*/*"})
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/docs")
    data = await world_without_temporal.client.get("/v1/calls", headers={"Accept": "text/html,*/*"})
    assert data.status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 503),  # let in: it is Temporal that is away
        ({"Origin": "{origin}"}, 503),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "{origin}"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_a_session_changes_things_from_our_own_pages_only(
    world_without_temporal: ApiWorld, headers: dict[str, str], status: int
) -> None:
    world = world_without_temporal
    await log_in(world)
    sent = {name: value.format(origin=world.origin) for name, value in headers.items()}
    answer = await world.client.post("/v1/calls/CA1/say", json={"text": "Hello?"}, headers=sent)
    assert answer.status_code == status


def test_a_session_ends_and_cannot_be_made_longer() -> None:
    settings = settings_for("http://x")
    cookie = make_session_cookie(settings, 1_000.0)
    _, _, signature = cookie.partition(".")
    assert check_session_cookie(settings, cookie, 1_000.0 + SESSION_SECONDS - 1)
    assert not check_session_cookie(settings, cookie, 1_000.0 + SESSION_SECONDS)
    assert not check_session_cookie(settings, f"{10**10}.{signature}", 1_000.0)
    for forged in ("", ".", "x.y", f"{10**20}.{signature}", "٣.x"):
        assert not check_session_cookie(settings, forged, 1_000.0)


def test_a_new_key_ends_all_sessions() -> None:
    cookie = make_session_cookie(settings_for("http://x"), 1_000.0)
    assert not check_session_cookie(settings_for("http://x", api_key="another"), cookie, 1_000.0)


def test_over_https_the_session_stays_on_https() -> None:
    response = Response()
    set_session(response, settings_for("https://calls.example"))
    assert "secure" in response.headers["set-cookie"].lower()
    assert SESSION_COOKIE in response.headers["set-cookie"]
