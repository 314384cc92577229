"""Which vendors a local stack uses, and the environment its processes get."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cli.connectors import CONNECTORS
from cli.settings import BadSettings, Settings, reveal, variable_of
from vendors.tool_secrets import PREFIX, ToolSecrets

INVENTED_ACCOUNT_SID = "AC" + "0" * 31 + "1"
OUR_SANDBOX_NUMBER = "+12025550142"  # caller id in the sandbox; playbooks/order_support.yaml answers it
_KEYS = {
    "twilio": ("twilio_account_sid", "twilio_auth_token"),
    "deepgram": ("deepgram_api_key",),
    "elevenlabs": ("elevenlabs_api_key",),
    "anthropic": ("anthropic_api_key",),
}
_OF_ANOTHER_TEMPORAL = (
    "TEMPORAL_API_KEY",
    "TEMPORAL_TLS",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "TEMPORAL_TLS_SERVER_NAME",
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
)  # ours on this machine speaks plainly, whatever server the environment is set up for
_HEARD_TOGETHER = ("twilio", "deepgram", "elevenlabs")  # the sandbox's audio carries its text, real audio does not


@dataclass(frozen=True)
class Addresses:
    """Where the parts of one local stack listen."""

    door: int
    temporal: int
    temporal_ui: int
    api: int
    sandbox: int
    mail: int = 0  # of the sandbox; 0: none


def sandboxed_vendors(settings: Settings, *, all_of_them: bool = False) -> set[str]:
    """The vendors that the sandbox stands in for: all, unless keys or base URLs are set.

    The carrier, the recogniser and the voice are all real or all emulated. Real ones need a real model; a real
    model may well speak in the sandbox.

    Raises BadSettings that names each variable that is missing.
    """
    if all_of_them:
        return {*_KEYS, "crm"}
    own = {vendor for vendor in _KEYS if _is_chosen(settings, vendor)}
    needed = set(_KEYS) if own & set(_HEARD_TOGETHER) else own
    missing = [
        f"{variable_of(field)} is not set, and {_why(vendor, own)}"
        for vendor in sorted(needed)
        for field in _KEYS[vendor]
        if getattr(settings, field) is None
    ]
    if "twilio" in needed and settings.twilio_base_url is None and not settings.public_url.startswith("https://"):
        missing.append(
            f"{variable_of('public_url')} is {settings.public_url}, and twilio must reach it: "
            "open a tunnel to this machine's port and give its https address"
        )
    if missing:
        raise BadSettings(missing)
    crm = set() if settings.crm_base_url else {"crm"}
    return (set(_KEYS) - needed) | crm


def local_environment(
    settings: Settings, inherited: Mapping[str, str], sandboxed: set[str], where: Addresses, database: str
) -> dict[str, str]:
    """The environment of every process of the stack, but for the ports of its own."""
    origin = f"http://127.0.0.1:{where.sandbox}"
    made = {
        "HOLDFAST_HOST": "127.0.0.1",
        "HOLDFAST_API_KEY": reveal(settings.api_key) or f"hf_{secrets.token_urlsafe(24)}",
        "TEMPORAL_ADDRESS": f"127.0.0.1:{where.temporal}",
        **dict.fromkeys(_OF_ANOTHER_TEMPORAL, ""),
        "HOLDFAST_TEMPORAL_UI_URL": f"http://127.0.0.1:{where.temporal_ui}",
        "HOLDFAST_SANDBOX_PORT": str(where.sandbox),
        "DATABASE_URL": database,
    }
    if "twilio" in sandboxed or "PUBLIC_URL" not in inherited:
        made["PUBLIC_URL"] = f"http://127.0.0.1:{where.door}"
    for vendor in sorted(sandboxed - {"crm"}):
        made[f"{vendor.upper()}_BASE_URL"] = origin
        for field in _KEYS[vendor]:
            made[variable_of(field)] = f"sandbox-{secrets.token_hex(16)}"
    if "anthropic" in sandboxed:
        made |= _stand_in("openai", f"{origin}/openai/v1") | {"HOLDFAST_OPENAI_MODEL": "sandbox-model"}
    if "deepgram" in sandboxed:
        made |= _stand_in("gladia", origin)
    if "twilio" in sandboxed:
        made["TWILIO_ACCOUNT_SID"] = INVENTED_ACCOUNT_SID
        made["HOLDFAST_MEDIA_URL"] = f"ws://127.0.0.1:{where.door}"
        if settings.our_number is None:
            made["HOLDFAST_OUR_NUMBER"] = OUR_SANDBOX_NUMBER
        made["HOLDFAST_SHOW_PERSONAL_DATA"] = "true"  # callers and their data are invented
        made["HOLDFAST_WEBHOOK_PRIVATE_ADDRESSES"] = "true"  # the sandbox plays the customer, too
    if "twilio" in sandboxed:  # who really calls is to be told of real bookings only
        made |= _connectors(inherited, origin)
    if "twilio" in sandboxed and where.mail and settings.smtp_host is None:
        made |= _sandbox_mail(where.mail)
    if "crm" in sandboxed:
        made["HOLDFAST_CRM_BASE_URL"] = f"{origin}/crm"
        made["HOLDFAST_CRM_API_KEY"] = f"sandbox-{secrets.token_hex(16)}"
    return {**inherited, **made}


def _sandbox_mail(port: int) -> dict[str, str]:
    return {
        "HOLDFAST_SANDBOX_SMTP_PORT": str(port),
        "HOLDFAST_SMTP_HOST": "127.0.0.1",
        "HOLDFAST_SMTP_PORT": str(port),
        "HOLDFAST_SMTP_SECURITY": "none",
        "HOLDFAST_SMTP_FROM": "assistant@holdfast.example",
    }


def _stand_in(vendor: str, origin: str) -> dict[str, str]:
    """A vendor that stands in for an emulated one is emulated too, whatever the environment says of it."""
    return {
        variable_of(f"{vendor}_base_url"): origin,
        variable_of(f"{vendor}_api_key"): f"sandbox-{secrets.token_hex(16)}",
    }


def _connectors(inherited: Mapping[str, str], origin: str) -> dict[str, str]:
    """Connectors that are not set up are emulated: a playbook may use any of them here."""
    own = ToolSecrets.of(inherited)
    made: dict[str, str] = {}
    for connector in CONNECTORS.values():
        if not connector.chosen(own):
            made |= {f"{PREFIX}{name}": f"sandbox-{secrets.token_hex(16)}" for name in connector.secrets}
            made[f"{PREFIX}{connector.base_url}"] = origin
    return made


def _is_chosen(settings: Settings, vendor: str) -> bool:
    fields = (*_KEYS[vendor], f"{vendor}_base_url")
    return any(getattr(settings, field) is not None for field in fields)


def _why(vendor: str, own: set[str]) -> str:
    if vendor in own:
        return f"other settings of {vendor} are"
    return f"{' and '.join(sorted(own))} are set: real and emulated audio do not mix"
