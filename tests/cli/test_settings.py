"""What the environment says, and how a bad value is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.dev_environment import Addresses, local_environment, sandboxed_vendors
from cli.settings import BadSettings, Settings, reveal, variable_of, variables

KEYS = {
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "voiced-7f3a",
    "DEEPGRAM_API_KEY": "heard-2b91",
    "ELEVENLABS_API_KEY": "spoken-c04d",
    "ANTHROPIC_API_KEY": "thought-5e88",
}
WHERE = Addresses(door=8000, temporal=7233, temporal_ui=8233, api=9001, sandbox=9002)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in list(os.environ):
        if name.startswith(("HOLDFAST_", "TWILIO_", "DEEPGRAM_", "ELEVENLABS_", "ANTHROPIC_", "OPENAI_", "GLADIA_")):
            monkeypatch.delenv(name)
    for name in ("DATABASE_URL", "PUBLIC_URL", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def with_(environment: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        environment.setenv(name, value)
    return Settings.read()


def test_media_streams_go_to_the_public_address_unless_they_have_their_own(environment: pytest.MonkeyPatch) -> None:
    assert with_(environment, PUBLIC_URL="https://calls.example.com/").media_origin == "wss://calls.example.com"
    assert with_(environment, HOLDFAST_MEDIA_URL="wss://media.example.com").media_origin == "wss://media.example.com"


def test_without_a_database_url_an_sqlite_file_in_the_data_folder_is_used(environment: pytest.MonkeyPatch) -> None:
    settings = with_(environment, HOLDFAST_DATA="/somewhere")
    assert settings.database == "sqlite+aiosqlite:////somewhere/holdfast.db"


def test_secrets_follow_from_the_carriers_token_and_differ_by_purpose(environment: pytest.MonkeyPatch) -> None:
    settings = with_(environment, TWILIO_AUTH_TOKEN="token")
    assert settings.stream_key != settings.internal_key
    assert "token" not in settings.stream_key
    assert with_(environment, HOLDFAST_STREAM_SECRET="chosen").stream_key == "chosen"


def test_an_empty_variable_is_one_that_is_not_set(environment: pytest.MonkeyPatch) -> None:
    settings = with_(environment, DEEPGRAM_API_KEY="")
    with pytest.raises(BadSettings, match="DEEPGRAM_API_KEY is not set"):
        settings.require("deepgram_api_key")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PUBLIC_URL", "calls.example.com"),
        ("HOLDFAST_MEDIA_URL", "https://calls.example.com"),
        ("TEMPORAL_ADDRESS", "localhost"),
        ("TEMPORAL_TLS_SERVER_CA_CERT_PATH", "/nowhere/ca.pem"),
        ("HOLDFAST_PORT", "eighty"),
        ("HOLDFAST_PORT", "70000"),
        ("HOLDFAST_OUR_NUMBER", "555"),
        ("HOLDFAST_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_bad_value_is_told_with_its_variable(environment: pytest.MonkeyPatch, variable: str, value: str) -> None:
    with pytest.raises(BadSettings) as caught:
        with_(environment, **{variable: value})
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [variable]


def test_a_certificate_for_temporal_needs_its_key(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("")
    with pytest.raises(BadSettings) as caught:
        with_(environment, TEMPORAL_TLS_CLIENT_CERT_PATH=str(tmp_path / "cert.pem"))
    assert caught.value.problems == ["TEMPORAL_TLS_CLIENT_KEY_PATH is not set"]


def test_a_process_with_a_bad_value_says_one_line_and_no_traceback() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "cli.main", "api"],
        env={**os.environ, "PUBLIC_URL": "nowhere"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.splitlines() == ["holdfast: PUBLIC_URL: must be a URL that begins with http:// or https://"]


def test_secrets_do_not_show_when_settings_are_printed(environment: pytest.MonkeyPatch) -> None:
    settings = with_(environment, **KEYS, DATABASE_URL="postgresql+asyncpg://user:hidden@host/name")
    shown = f"{settings!r} {settings}"
    assert not [name for name, key in KEYS.items() if name != "TWILIO_ACCOUNT_SID" and key in shown]
    assert "hidden" not in shown


def test_with_no_vendor_set_the_sandbox_stands_in_for_all(environment: pytest.MonkeyPatch) -> None:
    assert sandboxed_vendors(Settings.read()) == {"twilio", "deepgram", "elevenlabs", "anthropic", "crm"}


def test_with_every_key_set_only_the_crm_is_emulated(environment: pytest.MonkeyPatch) -> None:
    assert sandboxed_vendors(with_(environment, **KEYS, PUBLIC_URL="https://calls.example.com")) == {"crm"}


def test_a_real_carrier_needs_an_address_it_can_reach(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettings, match=r"^PUBLIC_URL is http.*, and twilio must reach it"):
        sandboxed_vendors(with_(environment, **KEYS))
    assert sandboxed_vendors(with_(environment, TWILIO_BASE_URL="http://127.0.0.1:9002")) == {"crm"}


def test_a_real_model_may_speak_in_the_sandbox(environment: pytest.MonkeyPatch) -> None:
    assert "anthropic" not in sandboxed_vendors(with_(environment, ANTHROPIC_API_KEY="mind"))


def test_a_rehearsal_never_uses_an_operators_vendors(environment: pytest.MonkeyPatch) -> None:
    everything = {"twilio", "deepgram", "elevenlabs", "anthropic", "crm"}
    assert sandboxed_vendors(with_(environment, **KEYS), all_of_them=True) == everything


def test_a_real_carrier_needs_the_other_vendors_and_says_which(environment: pytest.MonkeyPatch) -> None:
    known = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "token", "PUBLIC_URL": "https://calls.example.com"}
    with pytest.raises(BadSettings) as caught:
        sandboxed_vendors(with_(environment, **known))
    named = [problem.split()[0] for problem in caught.value.problems]
    assert named == ["ANTHROPIC_API_KEY", "DEEPGRAM_API_KEY", "ELEVENLABS_API_KEY"]


def test_a_base_url_alone_asks_for_its_key(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettings, match="ANTHROPIC_API_KEY is not set, and other settings of anthropic are"):
        sandboxed_vendors(with_(environment, ANTHROPIC_BASE_URL="http://127.0.0.1:1"))


def test_a_local_stack_points_every_emulated_vendor_at_the_sandbox(environment: pytest.MonkeyPatch) -> None:
    settings = Settings.read()
    made = local_environment(settings, {"PATH": "/bin"}, sandboxed_vendors(settings), WHERE, "sqlite+aiosqlite:///x")
    for vendor in ("TWILIO", "DEEPGRAM", "ELEVENLABS", "ANTHROPIC"):
        assert made[f"{vendor}_BASE_URL"] == "http://127.0.0.1:9002"
    assert made["GLADIA_BASE_URL"] == "http://127.0.0.1:9002"
    assert made["OPENAI_BASE_URL"] == "http://127.0.0.1:9002/openai/v1"
    assert made["PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert made["PATH"] == "/bin"
    for name, value in made.items():
        environment.setenv(name, value)
    read = Settings.read()
    assert read.media_origin == "ws://127.0.0.1:8000"
    assert reveal(read.api_key).startswith("hf_")


def test_a_local_stack_uses_its_own_temporal_server_whatever_is_set_for_another(
    environment: pytest.MonkeyPatch,
) -> None:
    settings = with_(environment, TEMPORAL_ADDRESS="cloud.example:7233", TEMPORAL_API_KEY="key", TEMPORAL_TLS="true")
    made = local_environment(settings, dict(os.environ), sandboxed_vendors(settings), WHERE, "sqlite+aiosqlite:///x")
    read = with_(environment, **{name: value for name, value in made.items() if name.startswith("TEMPORAL_")})
    assert read.temporal_address.startswith("127.0.0.1:")
    assert read.temporal_api_key is None
    assert read.temporal_tls is None


def test_who_stands_in_for_an_emulated_vendor_is_emulated_too_and_for_a_real_one_is_the_operators(
    environment: pytest.MonkeyPatch,
) -> None:
    settings = with_(environment, OPENAI_API_KEY="other", HOLDFAST_OPENAI_MODEL="gpt-5", ANTHROPIC_API_KEY="mind")
    made = local_environment(settings, dict(os.environ), sandboxed_vendors(settings), WHERE, "sqlite+aiosqlite:///x")
    assert (made["OPENAI_API_KEY"], made["HOLDFAST_OPENAI_MODEL"]) == ("other", "gpt-5")
    assert "OPENAI_BASE_URL" not in made
    assert made["GLADIA_API_KEY"].startswith("sandbox-")


def test_stand_ins_can_be_switched_off_and_lists_have_commas(environment: pytest.MonkeyPatch) -> None:
    voices = "aura-2-zeus-en, aura-2-lara-de"
    settings = with_(environment, HOLDFAST_FALLBACK_MODEL="none", HOLDFAST_SECOND_VOICES=voices)
    assert settings.fallback_model is None
    assert settings.second_voices == ("aura-2-zeus-en", "aura-2-lara-de")
    assert with_(environment, HOLDFAST_SECOND_VOICES="none").second_voices is None


def test_an_operators_keys_and_address_are_left_alone(environment: pytest.MonkeyPatch) -> None:
    settings = with_(environment, **KEYS, PUBLIC_URL="https://calls.example.com", HOLDFAST_API_KEY="mine")
    inherited = dict(os.environ)
    made = local_environment(settings, inherited, sandboxed_vendors(settings), WHERE, "sqlite+aiosqlite:///x")
    assert {name: made[name] for name in KEYS} == KEYS
    assert "TWILIO_BASE_URL" not in made
    assert made["PUBLIC_URL"] == "https://calls.example.com"
    assert made["HOLDFAST_API_KEY"] == "mine"


def test_every_field_has_a_variable_of_its_own() -> None:
    names = [variable_of(field) for field in Settings.model_fields]
    assert len(names) == len(set(names))


def test_every_variable_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    assert sorted(name for name in variables() if f"`{name}`" not in page) == []
