"""Sensitive digits on their way into one tool call: from the gateway that keeps them to the CRM, and nowhere else.

The model asks for a tool with a reference such as "[card_number]"; everybody but the CRM sees no more than that.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.keypad import reference
from core.ports.errors import PlaybackLost, VendorError
from core.ports.playback import PlaybackLine

_BETWEEN = r"[\s.,\-]*"  # how somebody else may have written them


@dataclass(frozen=True)
class FilledIn:
    """A tool's arguments with the digits in them. They leave the activity through ``masked`` only."""

    arguments: dict[str, Any] = field(repr=False)
    missing: tuple[str, ...] = ()
    digits: dict[str, str] = field(default_factory=dict, repr=False)  # by field

    def masked(self, text: str) -> str:
        """The text without any of the digits."""
        for name, digits in self.digits.items():
            text = re.sub(_BETWEEN.join(digits), reference(name), text)
        return text

    def masked_error(self, error: VendorError) -> VendorError:
        """The same failure in words that hold none of the digits."""
        message = self.masked(str(error).removeprefix(f"{error.vendor}: "))
        return VendorError(error.vendor, error.kind, message, curable=error.curable, retry_after=error.retry_after)


async def fill_in(
    playback: PlaybackLine, digits_url: str, arguments: dict[str, Any], sensitive: Iterable[str]
) -> FilledIn:
    """Put digits where arguments name them. ``missing``: fields whose digits the call's gateway does not have."""
    fields = {reference(name): name for name in sensitive}
    wanted = {fields[value] for value in arguments.values() if isinstance(value, str) and value in fields}
    digits = {name: found for name in sorted(wanted) if (found := await _fetch(playback, digits_url, name))}
    known = {reference(name): found for name, found in digits.items()}
    filled = {name: known.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()}
    return FilledIn(filled, tuple(sorted(wanted - digits.keys())), digits)


async def _fetch(playback: PlaybackLine, digits_url: str, name: str) -> str | None:
    if not digits_url:
        return None
    try:
        return await playback.fetch_digits(digits_url, name)
    except PlaybackLost:  # and the digits with it
        return None
