"""Small parts of JSON Schemas, which every connector's tools are described with."""

from collections.abc import Mapping
from typing import Any


def described(required: tuple[str, ...] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def text(what: str, most: int = 255, least: int = 1) -> dict[str, Any]:
    """Some words."""
    return {"type": "string", "minLength": least, "maxLength": most, "description": what}


def choice(what: str, *options: str) -> dict[str, Any]:
    """One of several."""
    return {"type": "string", "enum": list(options), "description": what}


def unspoken(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What is done with: all but the words that only the caller hears."""
    return {name: value for name, value in arguments.items() if name != "spoken_time"}


EMAIL = text("the caller's e-mail address, spelled back and confirmed", 254, 3)
TIME_ZONE = text("an IANA time zone, such as America/New_York", 64)
EARLIEST = text("ISO 8601 date or time, in the caller's time zone; left out: from now on", 40)
LATEST = text("ISO 8601 date or time after that; left out: a week later", 40)
START = text("the start of a free time, exactly as it was found", 40) | {"said_as": "spoken_time"}
SPOKEN_TIME = text("the day and time in words, as the caller hears them; for the playbook's read_back")
