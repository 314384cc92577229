"""docker-compose.yml keeps step with the code."""

import re
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from cli.connectors import CONNECTORS
from cli.main import app
from cli.settings import Settings, variable_of, variables
from cli.temporal_server import DYNAMIC_CONFIG
from core.contracts.names import AFTER_CALLS_QUEUE, CALLS_QUEUE, CAMPAIGNS_QUEUE
from tests.deploy.files import ROOT, Document, compose
from vendors.tool_secrets import PREFIX

BASE = compose("docker-compose.yml")
SANDBOXED = compose("docker-compose.yml", "deploy/compose.sandbox.yaml")
OURS = {name: service for name, service in SANDBOXED.items() if service["image"] == "holdfast"}
PORTS = {"api": "port", "gateway": "gateway_port", "worker": "worker_port", "sandbox": "sandbox_port"}


def test_it_holds_every_role_and_what_they_stand_on() -> None:
    assert set(BASE) == {
        *("postgresql", "temporal", "temporal-ui", "migrate", "api", "gateway-1", "gateway-2", "worker", "proxy")
    }
    assert BASE["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_of_the_clis(name: str) -> None:
    command, *arguments = OURS[name]["command"]
    known = get_command(app).commands[command]  # type: ignore[attr-defined]
    options = {option for parameter in known.params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= options


@pytest.mark.parametrize("name", OURS)
def test_each_variable_is_one_that_settings_or_connectors_read(name: str) -> None:
    of_connectors = {f"{PREFIX}{secret}" for one in CONNECTORS.values() for secret in (*one.secrets, one.base_url)}
    assert set(OURS[name]["environment"]) <= variables() | of_connectors


@pytest.mark.parametrize("name", ["migrate", "api", "gateway-1", "gateway-2", "worker"])
def test_any_variable_may_stand_in_the_env_file(name: str) -> None:
    assert BASE[name]["env_file"] == [{"path": ".env", "required": False}]


def test_the_workers_poll_every_queue() -> None:
    assert BASE["worker"]["command"][-1].split(",") == [CALLS_QUEUE, AFTER_CALLS_QUEUE, CAMPAIGNS_QUEUE]


def test_workers_share_a_volume_for_kept_speech_that_their_user_may_write() -> None:
    [mount] = BASE["worker"]["volumes"]
    image = (ROOT / "Dockerfile").read_text()
    [data] = re.findall(r"HOLDFAST_DATA=(\S+)", image)
    folder = str(Settings(data=Path(data)).speech_folder)
    assert mount == f"speech:{folder}"
    assert f"--owner holdfast {data} {folder}" in image


def test_each_gateway_is_reached_under_its_own_name() -> None:
    for name in ("gateway-1", "gateway-2"):
        assert BASE[name]["environment"]["HOLDFAST_GATEWAY_ADVERTISE"] == name


@pytest.mark.parametrize("name", ["api", "gateway-1", "worker"])
def test_health_checks_ask_the_port_the_role_listens_on(name: str) -> None:
    role = BASE[name]["command"][0]
    [asked] = re.findall(r"127\.0\.0\.1:(\d+)", BASE[name]["healthcheck"]["test"][-1])
    assert int(asked) == Settings.model_fields[PORTS[role]].default


def test_the_proxy_sends_media_to_both_gateways_and_all_else_to_the_api() -> None:
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    media, rest = text.split("handle /twilio/media {")[1].split("handle {")
    assert re.findall(r"[\w-]+:\d+", media.split("{")[0]) == ["gateway-1:8001", "gateway-2:8001"]
    assert re.findall(r"[\w-]+:\d+", rest) == ["api:8000"]


def test_temporal_gets_the_dynamic_config_that_dev_uses() -> None:
    config: Document = yaml.safe_load((ROOT / "deploy" / "temporal-dynamic-config.yaml").read_text())
    told = {name: yaml.safe_load(value) for name, value in DYNAMIC_CONFIG.items()}  # the flags take JSON
    assert {name: values[0]["value"] for name, values in config.items()} == told
    temporal = BASE["temporal"]
    [mount] = temporal["volumes"]
    source, target, _ = mount.split(":")
    assert (ROOT / source).exists()
    assert target == temporal["environment"]["DYNAMIC_CONFIG_FILE_PATH"]


def test_everything_waits_for_what_it_stands_on() -> None:
    for service in BASE.values():
        for name, wanted in service.get("depends_on", {}).items():
            assert name in BASE
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in BASE[name]


def test_in_the_sandbox_all_services_agree_on_invented_keys_and_addresses() -> None:
    sandbox = SANDBOXED["sandbox"]
    port = Settings.model_fields["sandbox_port"].default
    for vendor in ("twilio", "deepgram", "anthropic", "elevenlabs"):
        assert sandbox["environment"][variable_of(f"{vendor}_base_url")] == f"http://sandbox:{port}"
    for name in ("api", "gateway-1", "gateway-2", "worker"):
        assert sandbox["environment"].items() <= SANDBOXED[name]["environment"].items()
