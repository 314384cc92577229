"""Everything the environment can say, read once in each process's main and passed down."""

import hashlib
import hmac
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, FilePath, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.contracts.names import NAMESPACE

PACKAGED_PLAYBOOKS = Path(__file__).resolve().parent.parent / "playbooks"
PREFIX = "HOLDFAST_"


class BadSettings(Exception):
    """The environment cannot be used; ``problems`` are lines that each name a variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _origin(schemes: tuple[str, ...]) -> AfterValidator:
    def check(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"must be a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        if parts.query or parts.fragment:
            raise ValueError("must have no query and no fragment")
        return text.rstrip("/")

    return AfterValidator(check)


def _host_and_port(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError("must be host:port, as in localhost:7233")
    return text


def _list(text: object) -> object:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _unless_none(text: object) -> object:
    return None if text == "none" else text


def _key_ring(keys: SecretStr | None) -> SecretStr | None:
    if keys is not None:
        from workflows.codec import read_keys

        read_keys(keys.get_secret_value())
    return keys


HttpOrigin = Annotated[str, _origin(("http", "https"))]
WebSocketOrigin = Annotated[str, _origin(("ws", "wss"))]
HostAndPort = Annotated[str, AfterValidator(_host_and_port)]
PhoneNumber = Annotated[str, Field(pattern=r"^\+[1-9]\d{6,14}$")]
Port = Annotated[int, Field(ge=0, le=65_535)]
Secret = Annotated[SecretStr, Field(min_length=1)]
OrNone = Annotated[str | None, BeforeValidator(_unless_none)]  # "none" switches it off
HostNames = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list)]
Names = Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(_list), BeforeValidator(_unless_none)]

AURA_VOICES = (
    "aura-2-thalia-en",
    "aura-2-celeste-es",
    "aura-2-viktoria-de",
    "aura-2-agathe-fr",
    "aura-2-rhea-nl",
    "aura-2-livia-it",
    "aura-2-fujin-ja",
)


class Settings(BaseSettings):
    """The environment. Names without HOLDFAST_ are the vendors' and Temporal's usual ones."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True
    )

    # Vendors: keys, and where they are if not at home.
    twilio_account_sid: str | None = Field(None, validation_alias="TWILIO_ACCOUNT_SID")
    twilio_auth_token: Secret | None = Field(None, validation_alias="TWILIO_AUTH_TOKEN")
    twilio_base_url: HttpOrigin | None = Field(None, validation_alias="TWILIO_BASE_URL")
    deepgram_api_key: Secret | None = Field(None, validation_alias="DEEPGRAM_API_KEY")
    deepgram_base_url: HttpOrigin | None = Field(None, validation_alias="DEEPGRAM_BASE_URL")
    anthropic_api_key: Secret | None = Field(None, validation_alias="ANTHROPIC_API_KEY")
    anthropic_base_url: HttpOrigin | None = Field(None, validation_alias="ANTHROPIC_BASE_URL")
    elevenlabs_api_key: Secret | None = Field(None, validation_alias="ELEVENLABS_API_KEY")
    elevenlabs_base_url: HttpOrigin | None = Field(None, validation_alias="ELEVENLABS_BASE_URL")
    openai_api_key: Secret | None = Field(None, validation_alias="OPENAI_API_KEY")
    openai_base_url: HttpOrigin | None = Field(None, validation_alias="OPENAI_BASE_URL")
    gladia_api_key: Secret | None = Field(None, validation_alias="GLADIA_API_KEY")
    gladia_base_url: HttpOrigin | None = Field(None, validation_alias="GLADIA_BASE_URL")
    crm: Literal["http", "salesforce", "hubspot"] = "http"  # where a call is noted once it has ended
    crm_base_url: HttpOrigin | None = None
    crm_api_key: Secret | None = None
    tool_hosts: HostNames = ()  # where tools of playbooks may send requests to; (): wherever the playbooks say

    # After the call: where e-mail is handed in, and whether customers' webhooks may be in private networks.
    smtp_host: str | None = None
    smtp_port: Port = 587
    smtp_user: str | None = None
    smtp_password: Secret | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_from: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")] | None = None
    webhook_private_addresses: bool = False

    # Models.
    reply_model: str = "claude-haiku-5-5"
    step_model: str = "claude-haiku-5-5"
    summary_model: str = "claude-haiku-5-5"

    # Who takes over where a vendor fails, and how soon others are asked beside one that is silent.
    fallback_model: OrNone = "claude-haiku-4-5"
    openai_model: str | None = None  # chosen on purpose: a key alone may be there for other programs
    second_voices: Names = AURA_VOICES
    model_hedge_seconds: float = Field(0.9, gt=0)
    voice_hedge_seconds: float = Field(0.6, gt=0)

    # What the carrier's account may dial a second, all campaigns together.
    calls_per_second: float = Field(1.0, gt=0)

    # How steps are found before a model is asked.
    embedder: Literal["auto", "lexical", "minilm"] = "auto"  # auto: by meaning where the model is installed

    # Where things are.
    public_url: HttpOrigin = Field("http://127.0.0.1:8000", validation_alias="PUBLIC_URL")
    media_url: WebSocketOrigin | None = None
    temporal_address: HostAndPort = Field("localhost:7233", validation_alias="TEMPORAL_ADDRESS")
    temporal_namespace: str = Field(NAMESPACE, validation_alias="TEMPORAL_NAMESPACE")
    temporal_api_key: Secret | None = Field(None, validation_alias="TEMPORAL_API_KEY")  # Temporal Cloud; brings TLS
    temporal_tls: bool | None = Field(None, validation_alias="TEMPORAL_TLS")
    temporal_tls_server_ca: FilePath | None = Field(None, validation_alias="TEMPORAL_TLS_SERVER_CA_CERT_PATH")
    temporal_tls_server_name: str | None = Field(None, validation_alias="TEMPORAL_TLS_SERVER_NAME")
    temporal_tls_client_cert: FilePath | None = Field(None, validation_alias="TEMPORAL_TLS_CLIENT_CERT_PATH")
    temporal_tls_client_key: FilePath | None = Field(None, validation_alias="TEMPORAL_TLS_CLIENT_KEY_PATH")
    temporal_ui_url: HttpOrigin = "http://127.0.0.1:8233"
    history_keys: Annotated[SecretStr | None, AfterValidator(_key_ring)] = None  # seal what Temporal keeps
    show_personal_data: bool = False  # on pages of the Temporal UI, though its history is not sealed
    database_url: SecretStr | None = Field(None, validation_alias="DATABASE_URL")
    data: Path = Path(".holdfast")
    playbooks: Path = PACKAGED_PLAYBOOKS

    # Fixed lines as audio, kept by workers.
    speech_cache: Path | None = None  # the folder; the property speech_folder has the default
    speech_cache_memory_mb: int = Field(64, ge=1)
    speech_cache_disk_mb: int = Field(512, ge=0)  # 0: memory only
    speech_cache_days: float = Field(30.0, gt=0)

    # What this process serves.
    host: str = "127.0.0.1"  # the image says 0.0.0.0
    port: Port = 8000
    gateway_port: Port = 8001
    gateway_internal_port: Port = 8002
    gateway_advertise: str = "127.0.0.1"  # the host name under which workers reach this gateway
    sandbox_port: Port = 8003
    worker_port: Port = 8004  # health and metrics of a worker
    versioned_workers: bool = False  # calls stay with workers of their version; `holdfast deploy` says which is current
    dead_air_seconds: float = Field(2.5, ge=1.0, le=10.0)  # of silence where the assistant is due to speak
    take_over_grace_seconds: float = Field(4.0, ge=1.0, le=60.0)  # without a sound of a supervisor who took over
    gateway_capacity: int = Field(300, ge=1)  # calls at once; further ones go to another gateway, or are refused
    drain_seconds: float = Field(120.0, ge=0)  # how long a gateway or worker told to stop lets its calls go on

    # Who may do what.
    api_key: Secret | None = None
    stream_secret: Secret | None = None
    internal_secret: Secret | None = None

    # Calls.
    default_playbook: str | None = None
    our_number: PhoneNumber | None = None
    overflow_number: PhoneNumber | None = None

    # The sandbox.
    sandbox_smtp_port: Port | None = None  # where its mail server listens; none without one
    sandbox_audible: bool = False  # voices say the real words, where espeak-ng is installed

    # Logs.
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = "INFO"
    log_format: Literal["auto", "console", "json"] = "auto"
    log_personal_data: bool = False

    @classmethod
    def read(cls) -> Self:
        """The environment of this process. Raises BadSettings."""
        try:
            settings = cls()
        except ValidationError as error:
            raise BadSettings([_in_words(problem["loc"], problem["msg"]) for problem in error.errors()]) from None
        pair = ("temporal_tls_client_cert", "temporal_tls_client_key")  # neither is of use alone
        if any(getattr(settings, field) is not None for field in pair):
            settings.require(*pair)
        if settings.smtp_host is not None:
            settings.require("smtp_from")
        return settings

    def require(self, *fields: str) -> None:
        """Raises BadSettings that names the variable of each field that is not set."""
        missing = [name for name in fields if getattr(self, name) is None]
        if missing:
            raise BadSettings([f"{variable_of(name)} is not set" for name in missing])

    @property
    def database(self) -> str:
        """The SQLAlchemy URL: an SQLite file in the data folder where nothing else is asked for."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.data.absolute() / 'holdfast.db'}"

    @property
    def speech_folder(self) -> Path:
        """Where workers keep fixed lines as audio."""
        return self.speech_cache or self.data / "speech"

    @property
    def steps_folder(self) -> Path:
        """Where workers keep what they learnt from playbooks' examples."""
        return self.data / "steps"

    @property
    def knowledge_folder(self) -> Path:
        """Where workers keep the vectors of documents."""
        return self.data / "knowledge"

    @property
    def media_origin(self) -> str:
        """The public WebSocket origin of the gateways."""
        return self.media_url or self.public_url.replace("http", "ws", 1)

    @property
    def discreet(self) -> bool:
        """Whether pages of the Temporal UI are to hold no personal data: whoever sees the server would read it."""
        return self.history_keys is None and not self.show_personal_data

    @property
    def stream_key(self) -> str:
        """Signs the tokens of media streams; API and gateways must agree on it."""
        return self._secret(self.stream_secret, "stream")

    @property
    def internal_key(self) -> str:
        """Opens a gateway's internal server to workers."""
        return self._secret(self.internal_secret, "internal")

    def _secret(self, chosen: SecretStr | None, purpose: str) -> str:
        if chosen is not None:
            return chosen.get_secret_value()
        self.require("twilio_auth_token")
        return hmac.new(
            reveal(self.twilio_auth_token).encode(), f"holdfast {purpose}".encode(), hashlib.sha256
        ).hexdigest()


def reveal(secret: SecretStr | None) -> str:
    """The text of a secret that was required before, "" if it is not set."""
    return secret.get_secret_value() if secret is not None else ""


def variable_of(field: str) -> str:
    """The environment variable that sets a field of Settings."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{field.upper()}"


def variables() -> set[str]:
    """All variables that Settings reads."""
    return {variable_of(field) for field in Settings.model_fields}


def _in_words(at: tuple[str | int, ...], message: str) -> str:
    name = str(at[0]) if at else "the environment"
    variable = variable_of(name) if name in Settings.model_fields else name
    return f"{variable}: {message.removeprefix('Value error, ')}"
