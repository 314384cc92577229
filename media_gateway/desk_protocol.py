"""What a supervisor's page and the gateway say to each other, by way of the API.

Audio is in binary messages: to the gateway a supervisor's own, mu-law alone, 20 ms each; from the gateway one byte that
names the track, then mu-law of any length. All else is JSON text.
"""

from typing import Annotated, Final, TypeAlias

import msgspec

CALLER: Final = b"\x00"  # the track: what the caller says, as it comes
ASSISTANT: Final = b"\x01"  # what the assistant says, as it is given to the carrier: ahead of its time, see Cleared
SUPERVISOR: Final = b"\x02"  # what another supervisor says who has the floor
MOST_AUDIO_BYTES: Final = 1_600  # 200 ms in one message
MOST_MESSAGE_BYTES: Final = 4_096

Id = Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
Name = Annotated[str, msgspec.Meta(max_length=100)]


class BadDeskMessage(Exception):
    """The page does not speak this protocol."""


class TakeOver(msgspec.Struct, frozen=True, tag_field="type", tag="take_over"):
    """Page: my microphone is on, I speak from now on. ``again``: only if I had the floor, and was cut off."""

    page: Id
    by: Name = ""
    again: bool = False


class HandBack(msgspec.Struct, frozen=True, tag_field="type", tag="hand_back"):
    """Page: the assistant goes on."""


class FloorIs(msgspec.Struct, frozen=True, tag_field="type", tag="floor"):
    """Gateway: who speaks to the caller now; told at the beginning and at each change.

    ``taken``: a supervisor, ``mine``: this page's. ``lost``: handed back because nothing came from them any more.
    """

    taken: bool
    mine: bool = False
    by: str = ""
    lost: bool = False


class Refused(msgspec.Struct, frozen=True, tag_field="type", tag="refused"):
    """Gateway or API: you may not take it over; why, in words."""

    reason: str


class Cleared(msgspec.Struct, frozen=True, tag_field="type", tag="clear"):
    """Gateway: the caller does not hear what the assistant's track has still to play."""


FromPage: TypeAlias = TakeOver | HandBack
ToPage: TypeAlias = FloorIs | Refused | Cleared

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[FromPage] = msgspec.json.Decoder(FromPage)


def encode(message: ToPage) -> bytes:
    """One text message."""
    return _encoder.encode(message)


def decode(text: bytes) -> FromPage:
    """Raises BadDeskMessage."""
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError as error:
        raise BadDeskMessage("no message of a supervisor's page") from error
