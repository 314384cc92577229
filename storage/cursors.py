"""Cursors of pages: the place of the last row that was shown."""

import base64
import binascii
import json


def cursor_of(at_ms: float, name: str) -> str:
    """The place of a row, as a client carries it."""
    return base64.urlsafe_b64encode(json.dumps([at_ms, name]).encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[float, str]:
    """Raises ValueError for a cursor that is none of ours."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise ValueError("no cursor of ours") from error
    match place:
        case [float() | int() as at_ms, str() as name] if not isinstance(at_ms, bool):
            return float(at_ms), name
    raise ValueError("no cursor of ours")
