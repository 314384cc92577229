"""Playbooks over REST: published, listed, read as they were written; live calls keep the version they began with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from api.app import create_app
from tests.api.world import API_KEY, CALLER, ApiWorld, listening_socket, serving

AT = "/v1/playbooks/orders"
TEXT = """\
name: orders
goal: {goal}
persona: A clerk.
greeting: Hello.
steps:
  - name: help
    goal: Help.
"""
OLD, NEW = TEXT.format(goal="Help."), TEXT.format(goal="Help more.")


@asynccontextmanager
async def publishing(world: ApiWorld) -> AsyncIterator[ApiWorld]:
    """The API whose calls get what was published."""
    sock = listening_socket()
    deps = replace(world.deps, playbooks=world.deps.versions)  # type: ignore[arg-type]  # one object is both
    app = create_app(deps)
    origin = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with serving(app, sock), httpx.AsyncClient(base_url=origin, timeout=20, trust_env=False) as client:
        yield replace(world, deps=deps, app=app, client=client)


@pytest.fixture
async def published(world: ApiWorld) -> AsyncIterator[ApiWorld]:
    async with publishing(world) as started:
        yield started


async def put(world: ApiWorld, text: str | bytes, at: str = AT) -> httpx.Response:
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/yaml"}
    return await world.client.put(at, content=text, headers=headers)


async def place_call(world: ApiWorld) -> str:
    """The version a new call gets."""
    placed = await world.v1("POST", "/v1/calls", json={"to": CALLER, "playbook": "orders"})
    assert placed.status_code == 201, placed.text
    world.started.append(placed.json()["id"])
    return str(placed.json()["playbook"])


async def test_new_calls_get_the_version_published_last(published: ApiWorld) -> None:
    old = (await put(published, OLD)).json()
    assert old["newest"]
    assert await place_call(published) == old["ref"]
    new = (await put(published, NEW)).json()
    assert await place_call(published) == new["ref"] != old["ref"]
    assert (await published.v1("GET", AT)).json()["playbook"]["goal"] == "Help more."


async def test_versions_are_listed_and_an_older_one_published_again_is_the_newest(published: ApiWorld) -> None:
    old, new = (await put(published, OLD)).json()["ref"], (await put(published, NEW)).json()["ref"]
    listed = (await published.v1("GET", f"{AT}/versions")).json()["versions"]
    assert [(one["ref"], one["newest"]) for one in listed] == [(new, True), (old, False)]
    text = (await published.v1("GET", f"{AT}/versions/{old.partition('@')[2]}")).json()["text"]
    assert text == OLD
    assert (await put(published, text)).json()["ref"] == old
    listed = (await published.v1("GET", f"{AT}/versions")).json()["versions"]
    assert [one["ref"] for one in listed] == [old, new]
    assert listed[0]["created_at"] < listed[0]["published_at"]


async def test_faults_are_told_by_line_and_field_and_nothing_is_published(published: ApiWorld) -> None:
    await put(published, OLD)
    answer = await put(published, OLD.replace("greeting:", "greetng:").replace("goal: Help.\n", "gaol: Help.\n", 1))
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:holdfast:problem:unusable-playbook")
    details = {error["detail"] for error in answer.json()["errors"]}
    assert "line 4: greetng: no such field (did you mean 'greeting'?)" in details
    assert len((await published.v1("GET", f"{AT}/versions")).json()["versions"]) == 1


@pytest.mark.parametrize("body", [OLD.replace("name: orders", "name: other"), "", "a: [", b"\xff\xfe", b"name: \0"])
async def test_body_that_is_no_playbook_of_this_name_is_refused(published: ApiWorld, body: str | bytes) -> None:
    assert (await put(published, body)).status_code == 422
    assert (await published.v1("GET", f"{AT}/versions")).status_code == 404


async def test_playbook_of_500_steps_is_taken_and_one_above_a_megabyte_is_not(published: ApiWorld) -> None:
    steps = "".join(f"  - name: s{n}\n    goal: {'Help. ' * 30}\n" for n in range(500))
    assert (await put(published, OLD + steps)).status_code == 200
    assert (await put(published, OLD + "# " + "x" * 1_000_000)).status_code == 413


async def test_version_that_was_never_published_is_unknown(published: ApiWorld) -> None:
    assert (await published.v1("GET", f"{AT}/versions")).status_code == 404
    assert (await published.v1("GET", f"{AT}/versions/0123456789ab")).status_code == 404
