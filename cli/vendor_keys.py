"""Whether each vendor takes our key: one cheap request each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from cli.rest import why
from cli.settings import Settings, reveal, variable_of


@dataclass(frozen=True)
class KeyCheck:
    """A request that costs nothing and needs a good key. ``fields``: the settings it stands on, the key last."""

    vendor: str
    fields: tuple[str, ...]
    home: str
    path: Callable[[Settings], str]
    headers: Callable[[str], Mapping[str, str]]


def _twilio_login(settings: Settings) -> httpx.BasicAuth | None:
    if settings.twilio_account_sid is None:
        return None
    return httpx.BasicAuth(settings.twilio_account_sid, reveal(settings.twilio_auth_token))


KEY_CHECKS = (
    KeyCheck(
        "twilio",
        ("twilio_account_sid", "twilio_auth_token"),
        "https://api.twilio.com",
        lambda settings: f"/2010-04-01/Accounts/{settings.twilio_account_sid}.json",
        lambda _: {},
    ),
    KeyCheck(
        "deepgram",
        ("deepgram_api_key",),
        "https://api.deepgram.com",
        lambda _: "/v1/projects",
        lambda key: {"Authorization": f"Token {key}"},
    ),
    KeyCheck(
        "anthropic",
        ("anthropic_api_key",),
        "https://api.anthropic.com",
        lambda _: "/v1/models?limit=1",
        lambda key: {"x-api-key": key, "anthropic-version": "2023-06-01"},
    ),
    KeyCheck(
        "elevenlabs",
        ("elevenlabs_api_key",),
        "https://api.elevenlabs.io",
        lambda _: "/v1/user",
        lambda key: {"xi-api-key": key},
    ),
)

FALLBACK_KEY_CHECKS = (
    KeyCheck(
        "openai",
        ("openai_api_key",),
        "https://api.openai.com/v1",
        lambda _: "/models",
        lambda key: {"Authorization": f"Bearer {key}"},
    ),
    KeyCheck(
        "gladia",
        ("gladia_api_key",),
        "https://api.gladia.io",
        lambda _: "/v2/live?limit=1",
        lambda key: {"x-gladia-key": key},
    ),
)
"""Vendors that a call can do without."""


async def check_key(http: httpx.AsyncClient, check: KeyCheck, settings: Settings) -> str | None:
    """Why the vendor cannot be used, naming the variable at fault; None if it can."""
    missing = [variable_of(field) for field in check.fields if getattr(settings, field) is None]
    if missing:
        return f"{' and '.join(missing)} not set (with no vendor set at all, holdfast dev uses the sandbox)"
    origin = getattr(settings, f"{check.vendor}_base_url") or check.home
    key = reveal(getattr(settings, check.fields[-1]))
    login = _twilio_login(settings) if check.vendor == "twilio" else None
    try:
        answer = await http.get(f"{origin}{check.path(settings)}", headers=dict(check.headers(key)), auth=login)
    except httpx.HTTPError as error:
        base_url = variable_of(f"{check.vendor}_base_url")
        return f"{origin} cannot be reached ({why(error)}); {base_url} moves it"
    if answer.status_code in (401, 403) and not _only_lacks_permission(answer):
        return f"{' or '.join(map(variable_of, check.fields))} is wrong: {check.vendor} answered {answer.status_code}"
    if answer.is_server_error or answer.status_code == 404:
        return f"{origin} answered {answer.status_code}"
    return None


def _only_lacks_permission(answer: httpx.Response) -> bool:
    """ElevenLabs keys may be limited to speech: the key itself is good then."""
    return "missing_permissions" in answer.text
