"""Secrets of tools: HOLDFAST_SECRET_<NAME> of the environment, read once at the start."""

from collections.abc import Mapping
from typing import Final

from core.ports.errors import VendorError

PREFIX: Final = "HOLDFAST_SECRET_"


class ToolSecrets:
    """Tells them by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name: value for name, value in values.items() if value}

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "ToolSecrets":
        """Those that an environment holds."""
        found = {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}
        return cls(found)

    def __call__(self, name: str, default: str | None = None) -> str:
        """See core.ports.tools.Secrets."""
        value = self._values.get(name, default)
        if value is None:
            raise VendorError("tools", "unauthorized", f"{PREFIX}{name} is not set", curable=False)
        return value

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __repr__(self) -> str:
        return f"ToolSecrets({sorted(self._values)})"
