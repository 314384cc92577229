"""holdfast doctor, against the emulated vendors, a database and no Temporal."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from cli.doctor import Finding, State, examine
from cli.sandbox import sandbox_config
from cli.settings import Settings
from sandbox.app import create_app, create_server
from sandbox.state import Fault, SandboxState
from storage.migrate import migrate

Make = Callable[..., Settings]
STAND_INS = {"openai_api_key": "second-mind-key", "gladia_api_key": "second-ear-key"}


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[tuple[str, SandboxState]]:
    """A sandbox that knows the keys of ``settings_at``."""
    state = SandboxState()
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    server = create_server(create_app(state, sandbox_config(settings_at(url, tmp_path, **STAND_INS))))
    with contextlib.suppress(KeyboardInterrupt):
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        yield url, state
        server.should_exit = True
        await serving


def settings_at(url: str, folder: Path, **changes: Any) -> Settings:
    """Good settings, but for Temporal, where nobody listens."""
    values: dict[str, Any] = {
        **{f"{vendor}_base_url": url for vendor in ("twilio", "deepgram", "anthropic", "elevenlabs")},
        "twilio_account_sid": "AC" + "1" * 32,
        "twilio_auth_token": "carrier-key",
        "deepgram_api_key": "ear-key",
        "anthropic_api_key": "mind-key",
        "elevenlabs_api_key": "voice-key",
        "crm_base_url": f"{url}/crm",
        "crm_api_key": "crm-key",
        "api_key": "our-key",
        "public_url": url,
        "temporal_address": "127.0.0.1:9",
        "data": folder,
    }
    return Settings(**(values | changes))


def failures(findings: list[Finding]) -> dict[str, str]:
    return {finding.what: finding.words for finding in findings if finding.state is State.FAILED}


async def test_good_keys_and_a_migrated_database_pass(sandbox: tuple[str, SandboxState], tmp_path: Path) -> None:
    url, _ = sandbox
    settings = settings_at(url, tmp_path)
    await migrate(settings.database)
    findings = await examine(settings)
    assert failures(findings).keys() == {"Temporal"}
    passed = {finding.what for finding in findings if finding.state is State.OK}
    assert {"twilio", "deepgram", "anthropic", "elevenlabs", "CRM", "database", "playbooks"} <= passed


async def test_stand_ins_are_told_with_what_is_wrong_with_them(
    sandbox: tuple[str, SandboxState], tmp_path: Path
) -> None:
    url, _ = sandbox
    chosen = {"openai_model": "sandbox-model", "openai_base_url": f"{url}/openai/v1", "gladia_base_url": url}
    settings = settings_at(url, tmp_path, **STAND_INS, **chosen)
    told = {finding.what: finding for finding in await examine(settings)}
    assert {told[what].state for what in ("stand-ins", "openai", "gladia")} == {State.OK}
    assert "claude-haiku-4-5, sandbox-model" in told["stand-ins"].words
    assert "gladia" in told["stand-ins"].words
    wrong = settings_at(url, tmp_path, openai_api_key="wrong", gladia_api_key="wrong", **chosen)
    told = {finding.what: finding for finding in await examine(wrong)}
    assert {told[what].state for what in ("openai", "gladia")} == {State.WARNING}
    assert "GLADIA_API_KEY is wrong" in told["gladia"].words
    without = {finding.what for finding in await examine(settings_at(url, tmp_path, fallback_model=None))}
    assert without.isdisjoint({"openai", "gladia"})


@pytest.mark.parametrize(
    ("field", "vendor", "variable"),
    [
        ("twilio_auth_token", "twilio", "TWILIO_AUTH_TOKEN"),
        ("deepgram_api_key", "deepgram", "DEEPGRAM_API_KEY"),
        ("anthropic_api_key", "anthropic", "ANTHROPIC_API_KEY"),
        ("elevenlabs_api_key", "elevenlabs", "ELEVENLABS_API_KEY"),
    ],
)
async def test_a_wrong_key_is_told_by_its_variable(
    sandbox: tuple[str, SandboxState], tmp_path: Path, field: str, vendor: str, variable: str
) -> None:
    url, _ = sandbox
    told = failures(await examine(settings_at(url, tmp_path, **{field: "wrong"})))
    assert f"{variable} is wrong: {vendor} answered 401" in told[vendor]
    assert not {"twilio", "deepgram", "anthropic", "elevenlabs"} - {vendor} & told.keys()


async def test_a_missing_key_is_told_by_its_variable(sandbox: tuple[str, SandboxState], tmp_path: Path) -> None:
    url, _ = sandbox
    told = failures(await examine(settings_at(url, tmp_path, deepgram_api_key=None)))
    assert told["deepgram"].startswith("DEEPGRAM_API_KEY not set")


async def test_a_crm_that_is_missing_or_away_is_told_by_its_variable(
    sandbox: tuple[str, SandboxState], tmp_path: Path
) -> None:
    url, _ = sandbox
    told = failures(await examine(settings_at(url, tmp_path, crm_base_url=None)))
    assert told["CRM"].startswith("HOLDFAST_CRM_BASE_URL is not set")
    told = failures(await examine(settings_at(url, tmp_path, crm_base_url="http://127.0.0.1:9")))
    assert told["CRM"].startswith("HOLDFAST_CRM_BASE_URL: http://127.0.0.1:9 cannot be reached")


async def test_temporal_that_is_away_is_told_in_few_words(sandbox: tuple[str, SandboxState], tmp_path: Path) -> None:
    url, _ = sandbox
    told = failures(await examine(settings_at(url, tmp_path)))
    assert told["Temporal"] == "TEMPORAL_ADDRESS: cannot use 127.0.0.1:9: Connection refused"


async def test_a_vendor_that_is_down_is_no_wrong_key(sandbox: tuple[str, SandboxState], tmp_path: Path) -> None:
    url, state = sandbox
    state.faults.append(Fault("elevenlabs", "status", status=503))
    assert failures(await examine(settings_at(url, tmp_path)))["elevenlabs"] == f"{url} answered 503"


async def test_an_unreachable_vendor_is_told_with_the_variable_that_moves_it(
    sandbox: tuple[str, SandboxState], tmp_path: Path
) -> None:
    url, _ = sandbox
    told = failures(await examine(settings_at(url, tmp_path, anthropic_base_url="http://127.0.0.1:9")))
    assert "http://127.0.0.1:9 cannot be reached" in told["anthropic"]
    assert "ANTHROPIC_BASE_URL" in told["anthropic"]


async def test_a_database_without_its_schema_asks_for_migrate(
    sandbox: tuple[str, SandboxState], tmp_path: Path
) -> None:
    url, _ = sandbox
    assert "run holdfast migrate" in failures(await examine(settings_at(url, tmp_path)))["database"]


async def test_a_real_carrier_needs_a_public_https_address(sandbox: tuple[str, SandboxState], tmp_path: Path) -> None:
    url, _ = sandbox
    told = failures(await examine(settings_at(url, tmp_path, twilio_base_url=None)))
    assert told["public URL"].startswith(f"PUBLIC_URL: {url}: the carrier must reach it")


async def test_a_broken_playbook_and_an_unknown_default_are_told(
    sandbox: tuple[str, SandboxState], tmp_path: Path
) -> None:
    url, _ = sandbox
    folder = tmp_path / "playbooks"
    folder.mkdir()
    (folder / "bad.yaml").write_text("name: bad\n")
    findings = await examine(settings_at(url, tmp_path, playbooks=folder, default_playbook="missing"))
    told = failures(findings)
    assert f"{folder}/bad.yaml:1: goal: is missing" in told["playbook"]
    assert told["playbooks"].startswith("HOLDFAST_DEFAULT_PLAYBOOK: no playbook is named missing")


async def test_history_that_is_not_sealed_is_warned_of(sandbox: tuple[str, SandboxState], tmp_path: Path) -> None:
    url, _ = sandbox
    (told,) = [one for one in await examine(settings_at(url, tmp_path)) if one.what == "history"]
    assert (told.state, "HOLDFAST_HISTORY_KEYS" in told.words) == (State.WARNING, True)
    ring = f"new:{'A' * 43}=,old:{'B' * 42}A="
    (told,) = [one for one in await examine(settings_at(url, tmp_path, history_keys=ring)) if one.what == "history"]
    assert (told.state, told.words) == (State.OK, "sealed with the key new, and 1 more can open it")
