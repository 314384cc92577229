"""What worker and gateway say to each other about replies: msgpack over one WebSocket of a worker process.

A reply has a number that the worker chooses, unique on its socket, so that audio carries no more than that.
"""

from typing import TypeAlias

import msgspec

from core.contracts.call import Heard, ReplyKey, ReplyTimings
from core.playback import Word
from core.turns import Listen

MAX_MESSAGE_BYTES = 4 * 1024 * 1024


class BadPlaybackMessage(Exception):
    """The other side does not speak this protocol."""


class Open(msgspec.Struct, frozen=True, array_like=True, tag="open"):
    """Worker: a reply begins. Answered by Opened, or by Closed."""

    reply: int
    call_id: str
    key: ReplyKey
    listen: Listen = Listen()
    hold: str = ""  # not to be heard before the caller's turn has ended with these words
    follow: bool = False  # the worker understands HeardSoFar


class Began(msgspec.Struct, frozen=True, array_like=True, tag="began"):
    """Worker: its stamps up to the reply's first audio."""

    reply: int
    timings: ReplyTimings


class Audio(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="audio"):
    """Worker: audio of one sentence; ``text`` is the whole sentence, sent with its first audio."""

    reply: int
    sentence: int
    audio: bytes
    words: tuple[Word, ...] = ()
    last: bool = False
    text: str = ""


class Finish(msgspec.Struct, frozen=True, array_like=True, tag="finish"):
    """Worker: the reply is whole. ``hear``: answer with HeardOf once the caller has heard it."""

    reply: int
    hear: bool = False


class BreakOff(msgspec.Struct, frozen=True, array_like=True, tag="break_off"):
    """Worker: no more of the reply will come; of a whole one: nobody waits for HeardOf any more."""

    reply: int


class HoldingLines(msgspec.Struct, frozen=True, array_like=True, tag="holding_lines"):
    """Worker: what the gateway may say by itself; (text, audio)."""

    call_id: str
    attachment: int
    lines: tuple[tuple[str, bytes], ...]
    language: str = ""


class Opened(msgspec.Struct, frozen=True, array_like=True, tag="opened"):
    """Gateway: go on after these sentences, with what the last of them lacks; core.playback.Kept."""

    reply: int
    kept: tuple[str, ...]
    rest: str = ""


class Closed(msgspec.Struct, frozen=True, array_like=True, tag="closed"):
    """Gateway: no more of this reply is wanted."""

    reply: int
    reason: str


class HeardOf(msgspec.Struct, frozen=True, array_like=True, tag="heard_of"):
    """Gateway: what the caller heard of a whole reply."""

    reply: int
    heard: Heard


class HeardSoFar(msgspec.Struct, frozen=True, array_like=True, tag="heard_so_far"):
    """Gateway: what the caller has heard of a reply until now; told as it goes on."""

    reply: int
    heard: str


FromWorker: TypeAlias = Open | Began | Audio | Finish | BreakOff | HoldingLines
FromGateway: TypeAlias = Opened | Closed | HeardOf | HeardSoFar

_encoder = msgspec.msgpack.Encoder()
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
_from_gateway: msgspec.msgpack.Decoder[FromGateway] = msgspec.msgpack.Decoder(FromGateway)


def encode(message: FromWorker | FromGateway) -> bytes:
    """One binary WebSocket message."""
    return _encoder.encode(message)


def decode_from_worker(data: bytes) -> FromWorker:
    """Raises BadPlaybackMessage."""
    try:
        return _from_worker.decode(data)
    except msgspec.DecodeError as error:
        raise BadPlaybackMessage("no message of a worker") from error


def decode_from_gateway(data: bytes) -> FromGateway:
    """Raises BadPlaybackMessage."""
    try:
        return _from_gateway.decode(data)
    except msgspec.DecodeError as error:
        raise BadPlaybackMessage("no message of a gateway") from error
