"""What holdfast consent does, by the API."""

import sys
from datetime import UTC, datetime
from typing import Any

from cli.rest import Rest, with_api


def add(number: str, given: datetime | None, until: datetime | None, source: str, url: str | None) -> None:
    """Put it on record."""

    async def work(api: Rest) -> None:
        body = {"number": number, "given_at": _moment(given or datetime.now(UTC)), "source": source}
        if until is not None:
            body["expires_at"] = _moment(until)
        await api.ask("POST", "/v1/contacts/consent", json=body)

    with_api(work, url)


def revoke(number: str, at: datetime | None, reason: str, url: str | None) -> None:
    """Take it back."""

    async def work(api: Rest) -> None:
        body = {"number": number, "reason": reason} | ({"revoked_at": _moment(at)} if at is not None else {})
        await api.ask("POST", "/v1/contacts/revocation", json=body)

    with_api(work, url)


def show(number: str, url: str | None) -> None:
    """Print it in a line."""

    async def work(api: Rest) -> None:
        kept = (await api.ask("GET", "/v1/contacts", params={"number": number}))["consent"]
        print(f"{number}  {_in_words(kept)}")
        if kept is None or kept["lacks"]:
            sys.exit(1)

    with_api(work, url)


def _in_words(kept: dict[str, Any] | None) -> str:
    if kept is None:
        return "none on record"
    told = [kept["lacks"] or "holds"]
    told += [
        f"{word} {kept[field]}"
        for word, field in (("given", "given_at"), ("until", "expires_at"), ("revoked", "revoked_at"))
        if kept[field]
    ]
    return "  ".join([*told, kept["source"]]).rstrip()


def _moment(at: datetime) -> str:
    """With its zone, which is this machine's where none was told."""
    return at.astimezone().isoformat()
