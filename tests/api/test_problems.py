"""Whatever goes wrong is told as problem details."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from api.problems import add_problems
from tests.api.world import ApiWorld


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/calls/CA1", 405),
        ("GET", "/v1/calls/an%20id", 422),
        ("GET", "/v1/calls/a/b/c", 404),
    ],
)
async def test_a_route_that_is_not_there_is_a_problem(
    world_without_temporal: ApiWorld, method: str, path: str, status: int
) -> None:
    answer = await world_without_temporal.v1(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"to"', b"null", b"\xff\xfe", b'{"to": NaN, "playbook": "renewal"}', b'{"to":' * 1_000],
)
async def test_a_body_that_is_no_request_is_a_problem(world_without_temporal: ApiWorld, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await world_without_temporal.v1("POST", "/v1/calls", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_that_is_no_json_says_where_it_breaks_off(world_without_temporal: ApiWorld) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await world_without_temporal.v1("POST", "/v1/calls", content=b'{"to": }', headers=headers)
    assert answer.json()["errors"] == [{"detail": "is no JSON: Expecting value, at character 7", "pointer": "#"}]


async def test_a_body_too_large_is_refused_whether_it_says_so_or_not(world_without_temporal: ApiWorld) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1_024

    headers = {"Content-Type": "application/json"}
    for content in (b" " * 100_000, pieces()):
        answer = await world_without_temporal.v1("POST", "/v1/calls", content=content, headers=headers)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_fault_of_ours_tells_nothing_of_itself() -> None:
    app = FastAPI()
    add_problems(app)

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError("secret detail")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        answer = await client.get("/fault")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
