"""Packs what would be too large for Temporal: the state of a call of many hours, and the record of it.

Temporal takes payloads of 2 MB. Turns on record are much alike, so that they pack to a tenth and less. What a usual
turn sends is far smaller, stays as it is, and costs nothing here.

Source: encoding as in Temporal's Go SDK (converter.NewZlibCodec), so that other tools know it.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, PayloadCodec

from workflows.codec import HistoryKey, SealingCodec, Unreadable, sealed

ENCODING: Final = b"binary/zlib"
PACKED_FROM: Final = 256 * 1024  # bytes
MOST_BYTES: Final = 64 * 1024 * 1024  # that a payload may unpack to
_LEVEL: Final = 1  # 3 MB take 25 ms of a worker that also has calls to answer; at level 6 100 ms


class PackingCodec(PayloadCodec):
    """Implements temporalio's PayloadCodec: packs, then seals where there are keys."""

    def __init__(self, sealing: SealingCodec | None = None) -> None:
        """``sealing`` None: what is packed can be unpacked by anybody."""
        self._sealing = sealing

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Large ones packed, all sealed."""
        packed = [_packed(payload) for payload in payloads]
        return packed if self._sealing is None else await self._sealing.encode(packed)

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """What was encoded. Raises Unreadable."""
        opened = list(payloads) if self._sealing is None else await self._sealing.decode(payloads)
        return [_unpacked(payload) for payload in opened]


def history_codec(keys: Sequence[HistoryKey]) -> PackingCodec:
    """What payloads pass on their way to Temporal and back. ``keys``: the first one seals; (): nothing is sealed."""
    return PackingCodec(SealingCodec(keys) if keys else None)


def house_converter(converter: DataConverter, keys: Sequence[HistoryKey]) -> DataConverter:
    """The converter of every client of ours: sealed where there are keys, and able to carry long calls."""
    return replace(sealed(converter, keys), payload_codec=history_codec(keys))


def _packed(payload: Payload) -> Payload:
    if len(payload.data) < PACKED_FROM:
        return payload
    return Payload(metadata={"encoding": ENCODING}, data=zlib.compress(payload.SerializeToString(), _LEVEL))


def _unpacked(payload: Payload) -> Payload:
    if payload.metadata.get("encoding") != ENCODING:
        return payload
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(payload.data, MOST_BYTES)
        if not unpacking.eof:
            raise Unreadable("packed data that is broken off, or too large")
        return Payload.FromString(data)
    except (zlib.error, ValueError) as error:
        raise error if isinstance(error, Unreadable) else Unreadable("no packed data") from None
