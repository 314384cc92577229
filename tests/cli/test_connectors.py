"""Connectors set up by HOLDFAST_SECRET_*: what doctor says of them, and who keeps a call's note."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import SecretStr

from cli import vendor_choice
from cli.dev_environment import Addresses, local_environment
from cli.doctor import Finding, State, _connectors
from cli.sandbox import sandbox_config
from cli.settings import BadSettings, Settings
from core.ports.crm import ToolContext
from core.ports.errors import VendorError
from sandbox.app import create_app
from sandbox.state import Fault, Latency, SandboxState
from tests.sandbox.server import running
from tests.vendors.connectors import NOTE
from vendors.http_crm import HttpCrm
from vendors.tool_secrets import ToolSecrets

WHERE = Addresses(door=1, temporal=2, temporal_ui=3, api=4, sandbox=5)


def secrets_at(origin: str) -> dict[str, str]:
    return {
        "HOLDFAST_SECRET_SALESFORCE_BASE_URL": origin,
        "HOLDFAST_SECRET_SALESFORCE_CLIENT_ID": "holdfast",
        "HOLDFAST_SECRET_SALESFORCE_CLIENT_SECRET": "salesforce-secret",
        "HOLDFAST_SECRET_HUBSPOT_BASE_URL": origin,
        "HOLDFAST_SECRET_HUBSPOT_ACCESS_TOKEN": "hubspot-token",
        "HOLDFAST_SECRET_CALENDLY_BASE_URL": origin,
        "HOLDFAST_SECRET_CALENDLY_TOKEN": "calendly-token",
        "HOLDFAST_SECRET_CALCOM_BASE_URL": origin,
        "HOLDFAST_SECRET_CALCOM_API_KEY": "calcom-key",
    }


@asynccontextmanager
async def sandbox() -> AsyncIterator[tuple[dict[str, str], SandboxState]]:
    """A sandbox that knows the keys of ``secrets_at``; yields the environment that leads to it."""
    state = SandboxState(Latency(crm_ms=0))
    config = sandbox_config(Settings(), ToolSecrets.of(secrets_at("")))
    async with running(create_app(state, config)) as origin:
        yield secrets_at(origin), state


async def found(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, **settings: Any) -> dict[str, Finding]:
    """What doctor finds."""
    for name in secrets_at(""):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return {finding.what: finding for finding in await _connectors(Settings(**settings))}


async def test_connectors_that_let_us_in_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sandbox() as (environment, _):
        told = await found(environment, monkeypatch, crm="hubspot")
    assert told.keys() == {"salesforce", "hubspot", "calendly", "calcom"}
    assert {finding.state for finding in told.values()} == {State.OK}
    assert told["hubspot"].words == "takes our key, keeps the notes (HOLDFAST_CRM)"


async def test_connectors_that_are_not_set_up_are_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await found({}, monkeypatch) == {}


async def test_the_one_that_is_to_keep_the_notes_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    told = await found({}, monkeypatch, crm="hubspot")
    assert told["hubspot"] == Finding("hubspot", State.FAILED, "HOLDFAST_SECRET_HUBSPOT_ACCESS_TOKEN not set")


@pytest.mark.parametrize(
    ("vendor", "key"),
    [
        ("salesforce", "SALESFORCE_CLIENT_SECRET"),
        ("hubspot", "HUBSPOT_ACCESS_TOKEN"),
        ("calendly", "CALENDLY_TOKEN"),
        ("calcom", "CALCOM_API_KEY"),
    ],
)
async def test_a_wrong_key_is_told_by_its_variable(vendor: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sandbox() as (environment, _):
        told = await found(environment | {f"HOLDFAST_SECRET_{key}": "wrong"}, monkeypatch)
    assert told[vendor].state is State.WARNING
    assert f"HOLDFAST_SECRET_{key}" in told[vendor].words
    assert "wrong" not in told[vendor].words
    assert [finding for finding in told.values() if finding.what != vendor and finding.state is not State.OK] == []


@pytest.mark.parametrize("kind", ["status", "drop"])
@pytest.mark.parametrize("vendor", ["salesforce", "hubspot", "calendly", "calcom"])
async def test_what_fails_once_and_then_goes_is_no_trouble(
    vendor: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sandbox() as (environment, state):
        state.faults.append(Fault(vendor, kind))
        told = await found(environment, monkeypatch)
        assert not state.faults
    assert told[vendor] == Finding(vendor, State.OK, "takes our key")


async def test_a_key_that_is_refused_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sandbox() as (environment, state):
        state.faults.append(Fault("calcom", "status", status=401))
        told = await found(environment, monkeypatch)
    assert told["calcom"].state is State.WARNING


async def test_what_fails_twice_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sandbox() as (environment, state):
        state.faults.append(Fault("calcom", "status", times=2))
        told = await found(environment, monkeypatch)
    assert told["calcom"].state is State.WARNING


async def test_what_an_account_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sandbox() as (environment, state):
        state.faults.append(Fault("hubspot", "status", status=404, match="/properties/calls"))
        told = await found(environment, monkeypatch, crm="hubspot")
    assert told["hubspot"] == Finding("hubspot", State.FAILED, "calls have no property holdfast_key")


@pytest.mark.parametrize("system", ["salesforce", "hubspot"])
async def test_the_note_goes_where_the_setting_says(system: Literal["salesforce", "hubspot"]) -> None:
    async with sandbox() as (environment, _), AsyncExitStack() as stack:
        crm = vendor_choice.crm(Settings(crm=system), ToolSecrets.of(environment), stack)
        note_id = await crm.log_call(NOTE)
        assert await crm.log_call(NOTE) == note_id
        with pytest.raises(VendorError, match="HOLDFAST_CRM_BASE_URL is not set"):
            await crm.run("create_case", {}, ToolContext("CA1", "+12025550161", "CA1:1:0"))


async def test_operations_go_over_http_wherever_the_note_goes() -> None:
    async with sandbox() as (environment, _), AsyncExitStack() as stack:
        base_url = f"{environment['HOLDFAST_SECRET_HUBSPOT_BASE_URL']}/crm"
        settings = Settings(crm="hubspot", crm_base_url=base_url, crm_api_key=SecretStr("any"))
        crm = vendor_choice.crm(settings, ToolSecrets.of(environment), stack)
        answer = await crm.run("create_case", {"subject": "Broken"}, ToolContext("CA1", "+12025550161", "CA1:1:0"))
        assert answer["status"] == "open"


async def test_without_the_setting_operations_and_notes_go_over_http() -> None:
    async with AsyncExitStack() as stack:
        crm = vendor_choice.crm(Settings(crm_base_url="http://127.0.0.1:9"), ToolSecrets({}), stack)
        assert isinstance(crm, HttpCrm)
        with pytest.raises(BadSettings, match="HOLDFAST_CRM_BASE_URL is not set"):
            vendor_choice.crm(Settings(), ToolSecrets({}), stack)


async def test_a_note_taker_without_its_keys_is_told_by_the_variables() -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(BadSettings) as caught:
            vendor_choice.crm(Settings(crm="salesforce"), ToolSecrets({"SALESFORCE_CLIENT_ID": "x"}), stack)
    assert caught.value.problems == [
        "HOLDFAST_SECRET_SALESFORCE_BASE_URL is not set, and HOLDFAST_CRM is salesforce",
        "HOLDFAST_SECRET_SALESFORCE_CLIENT_SECRET is not set, and HOLDFAST_CRM is salesforce",
    ]


def test_a_rehearsal_emulates_the_connectors_that_are_not_set_up(tmp_path: Path) -> None:
    own = {"HOLDFAST_SECRET_HUBSPOT_ACCESS_TOKEN": "mine"}
    sandboxed = {"twilio", "deepgram", "elevenlabs", "anthropic", "crm"}
    made = local_environment(Settings(), own, sandboxed, WHERE, f"sqlite+aiosqlite:///{tmp_path}/x.db")
    assert made["HOLDFAST_SECRET_HUBSPOT_ACCESS_TOKEN"] == "mine"
    assert "HOLDFAST_SECRET_HUBSPOT_BASE_URL" not in made
    assert made["HOLDFAST_SECRET_CALCOM_BASE_URL"] == "http://127.0.0.1:5"
    assert made["HOLDFAST_SECRET_SALESFORCE_CLIENT_SECRET"].startswith("sandbox-")
    real = local_environment(Settings(), own, {"crm"}, WHERE, "sqlite+aiosqlite:///x.db")
    assert not any(name.startswith("HOLDFAST_SECRET_CALCOM") for name in real)
