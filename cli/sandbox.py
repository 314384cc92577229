"""holdfast sandbox: the emulated vendors, let in by the same keys the product was given."""

import os
from contextlib import AsyncExitStack

from cli.connectors import CONNECTORS
from cli.process import listen, serve
from cli.settings import Settings, reveal
from sandbox.app import SandboxConfig, create_app
from sandbox.mail import mail_server
from sandbox.state import SandboxState
from vendors.tool_secrets import ToolSecrets


async def serve_sandbox(settings: Settings) -> None:
    """Serve until a signal."""
    state = SandboxState()
    app = create_app(state, sandbox_config(settings, ToolSecrets.of(os.environ)))
    async with AsyncExitStack() as stack:
        if settings.sandbox_smtp_port is not None:
            await stack.enter_async_context(mail_server(state, settings.host, settings.sandbox_smtp_port))
        await serve(app, listen(settings.host, settings.sandbox_port, "HOLDFAST_SANDBOX_PORT"), drain_s=1.0)


def sandbox_config(settings: Settings, secrets: ToolSecrets | None = None) -> SandboxConfig:
    """Keys that are set must be sent by the product; a vendor whose key is not set takes any."""
    keys = {
        "deepgram": reveal(settings.deepgram_api_key),
        "anthropic": reveal(settings.anthropic_api_key),
        "elevenlabs": reveal(settings.elevenlabs_api_key),
        "openai": reveal(settings.openai_api_key),
        "gladia": reveal(settings.gladia_api_key),
        "crm": reveal(settings.crm_api_key),
        **{name: secrets(one.key, "") for name, one in CONNECTORS.items() if secrets is not None},
    }
    return SandboxConfig(
        public_url=settings.public_url,
        account_sid=settings.twilio_account_sid or SandboxConfig.account_sid,
        auth_token=reveal(settings.twilio_auth_token) or SandboxConfig.auth_token,
        api_keys={vendor: key for vendor, key in keys.items() if key},
        audible=settings.sandbox_audible,
    )
