"""holdfast playbook examples, accept, reject and learnt: what calls have brought to learn from, by the API."""

from typing import Any

from cli.rest import Rest, part, with_api


def show(playbook: str | None, review: str | None, url: str | None) -> None:
    """Print each with its id; exits with 2 and one line when the API does not answer."""

    async def work(api: Rest) -> None:
        params = {"playbook": playbook, "review": review, "limit": "200"}
        asked = {name: value for name, value in params.items() if value is not None}
        while True:
            page = await api.ask("GET", "/v1/step-examples", params=asked)
            for example in page["examples"]:
                print(_line(example))
            if page["next"] is None:
                return
            asked["cursor"] = page["next"]

    with_api(work, url)


def learnt(playbook: str, url: str | None) -> None:
    """Print what the playbook decides with, and how often the model agrees."""

    async def work(api: Rest) -> None:
        told = await api.ask("GET", f"/v1/playbooks/{part(playbook)}/learnt")
        for fit in told["learnt"]:
            print(f"{fit['learnt_at']}  {fit['method']}  {fit['examples']} examples, {fit['grown']} of them from calls")
        for trust in told["trust"]:
            surer = f", so it has to be surer than {trust['bar']}" if trust["bar"] else ""
            print(f"{trust['method']}: the model agrees with {trust['agreed']} of {trust['audited']} turns{surer}")

    with_api(work, url)


def decide(ids: list[str], verb: str, body: dict[str, Any], url: str | None) -> None:
    """Accept or reject each; stops with 2 and one line at the first that cannot be."""

    async def work(api: Rest) -> None:
        for example_id in ids:
            print(_line(await api.ask("POST", f"/v1/step-examples/{part(example_id)}/{verb}", json=body)))

    with_api(work, url)


def _line(example: dict[str, Any]) -> str:
    return f"{example['id']}  {example['review']:8}  {example['playbook']}  {example['step']}  {example['text']}"
