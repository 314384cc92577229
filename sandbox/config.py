"""What a sandbox is told when it starts, and what its routers ask of it."""

import secrets
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection


@dataclass(frozen=True)
class SandboxConfig:
    """Who may use the sandbox, and whom its carrier calls back."""

    public_url: str = "http://127.0.0.1:8000"  # the product's PUBLIC_URL
    account_sid: str = "AC" + "0" * 32
    auth_token: str = "sandbox"
    api_keys: dict[str, str] = field(default_factory=dict)  # vendor -> key; a vendor without one takes any
    audible: bool = False  # voices say the real words, where espeak-ng is installed

    def takes_key(self, vendor: str, key: str | None) -> bool:
        """Whether the vendor would let a request with this key in."""
        if not key:
            return False
        expected = self.api_keys.get(vendor)
        return expected is None or secrets.compare_digest(key.encode(), expected.encode())


def config_of(connection: HTTPConnection) -> SandboxConfig:
    """The configuration of the sandbox that a request or a socket came to."""
    config = connection.app.state.config
    assert isinstance(config, SandboxConfig)
    return config
