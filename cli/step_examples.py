"""holdfast playbook examples, accept, reject and learnt: what calls have brought to learn from, by the API."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from cli.call import problem_of
from cli.process import Complaint, complaints
from cli.settings import Settings, reveal, variable_of

PATIENCE = httpx.Timeout(10)


def show(playbook: str | None, review: str | None, url: str | None) -> None:
    """Print each with its id; exits with 2 and one line when the API does not answer."""

    async def work(http: httpx.AsyncClient) -> None:
        params = {"playbook": playbook, "review": review, "limit": "200"}
        asked = {name: value for name, value in params.items() if value is not None}
        while True:
            page = await _told(http, "GET", "/v1/step-examples", params=asked)
            for example in page["examples"]:
                print(_line(example))
            if page["next"] is None:
                return
            asked["cursor"] = page["next"]

    _with_api(work, url)


def learnt(playbook: str, url: str | None) -> None:
    """Print what the playbook decides with, and how often the model agrees."""

    async def work(http: httpx.AsyncClient) -> None:
        told = await _told(http, "GET", f"/v1/playbooks/{playbook}/learnt")
        for fit in told["learnt"]:
            print(f"{fit['learnt_at']}  {fit['method']}  {fit['examples']} examples, {fit['grown']} of them from calls")
        for trust in told["trust"]:
            surer = f", so it has to be surer than {trust['bar']}" if trust["bar"] else ""
            print(f"{trust['method']}: the model agrees with {trust['agreed']} of {trust['audited']} turns{surer}")

    _with_api(work, url)


def decide(ids: list[str], verb: str, body: dict[str, Any], url: str | None) -> None:
    """Accept or reject each; stops with 2 and one line at the first that cannot be."""

    async def work(http: httpx.AsyncClient) -> None:
        for example_id in ids:
            print(_line(await _told(http, "POST", f"/v1/step-examples/{example_id}/{verb}", json=body)))

    _with_api(work, url)


def _with_api(work: Callable[[httpx.AsyncClient], Awaitable[None]], url: str | None) -> None:
    with complaints():
        settings = Settings.read()
        settings.require("api_key")
        asyncio.run(_run(work, settings, url or settings.public_url))


async def _run(work: Callable[[httpx.AsyncClient], Awaitable[None]], settings: Settings, url: str) -> None:
    headers = {"Authorization": f"Bearer {reveal(settings.api_key)}"}
    async with httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=PATIENCE) as http:
        try:
            await work(http)
        except httpx.HTTPError as error:
            raise Complaint(f"{url} cannot be reached ({error or type(error).__name__}): is it up?") from error


async def _told(http: httpx.AsyncClient, method: str, path: str, **request: Any) -> dict[str, Any]:
    answer = await http.request(method, path, **request)
    if answer.status_code == 401:
        raise Complaint(f"{variable_of('api_key')} is not the key of {http.base_url}")
    if not answer.is_success:
        raise Complaint(problem_of(answer))
    told: dict[str, Any] = answer.json()
    return told


def _line(example: dict[str, Any]) -> str:
    return f"{example['id']}  {example['review']:8}  {example['playbook']}  {example['step']}  {example['text']}"
