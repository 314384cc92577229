"""Seals what Temporal keeps: every payload is encrypted before it leaves the process, and opened where it is read.

AES-256-GCM by a ring of keys: the first seals, all of them open, so that a key can be changed while calls are live.
Inputs, results, messages, memos, failures, summaries and current details are payloads; search attributes, ids and the
names of types are not, and hold no personal data.

Source: https://docs.temporal.io/payload-codec; encodings as in Temporal's samples, so that other tools know them.
"""

import base64
import binascii
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec

ENCODING: Final = b"binary/encrypted"
KEY_ID: Final = "encryption-key-id"
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")


class Unreadable(ValueError):
    """A payload was sealed with a key that is not in the ring, or has been changed since."""


@dataclass(frozen=True, slots=True)
class HistoryKey:
    """One key of a ring. ``id`` is no secret: it stands beside what was sealed."""

    id: str
    secret: bytes = field(repr=False)


def read_keys(text: str) -> tuple[HistoryKey, ...]:
    """Keys as in ``2026-11:<base64>,2026-05:<base64>``, the one that seals first. Raises ValueError in words."""
    keys = tuple(_read_key(entry.strip()) for entry in text.split(",") if entry.strip())
    if not keys:
        raise ValueError("holds no key: write ID:KEY, the key as 32 bytes in base64 (openssl rand -base64 32)")
    ids = [key.id for key in keys]
    if repeated := {known for known in ids if ids.count(known) > 1}:
        raise ValueError(f"has several keys of the id {', '.join(sorted(repeated))}")
    return keys


def _read_key(entry: str) -> HistoryKey:
    name, colon, encoded = entry.partition(":")
    if not colon or not _ID.fullmatch(name):
        raise ValueError("must be ID:KEY with commas between, ids of letters, digits, '.', '_' and '-'")
    try:
        secret = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError(f"the key {name} is no base64") from None
    if len(secret) != KEY_BYTES:
        raise ValueError(f"the key {name} has {len(secret)} bytes and needs {KEY_BYTES} (openssl rand -base64 32)")
    return HistoryKey(name, secret)


class SealingCodec(PayloadCodec):
    """Implements temporalio's PayloadCodec. What was written before there were keys is read as it is."""

    def __init__(self, keys: Sequence[HistoryKey]) -> None:
        """``keys``: the first one seals."""
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}
        self._id = keys[0].id.encode()
        self._seal = self._ciphers[keys[0].id]

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Sealed ones instead."""
        return [self._sealed(payload) for payload in payloads]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """What was sealed. Raises Unreadable."""
        return [self._opened(payload) for payload in payloads]

    def _sealed(self, payload: Payload) -> Payload:
        nonce = os.urandom(_NONCE_BYTES)
        data = nonce + self._seal.encrypt(nonce, payload.SerializeToString(), self._id)
        return Payload(metadata={"encoding": ENCODING, KEY_ID: self._id}, data=data)

    def _opened(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        name = payload.metadata.get(KEY_ID, b"")
        cipher = self._ciphers.get(name.decode(errors="replace"))
        if cipher is None:
            raise Unreadable(f"sealed with the key {name.decode(errors='replace')!r}, which the ring does not hold")
        nonce, data = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, data, name))
        except (InvalidTag, ValueError):
            raise Unreadable(f"not what the key {name.decode(errors='replace')!r} has sealed") from None


def sealed(converter: DataConverter, keys: Sequence[HistoryKey]) -> DataConverter:
    """The converter, with everything sealed, the words of failures too; unchanged without keys."""
    if not keys:
        return converter
    return replace(
        converter,
        payload_codec=SealingCodec(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
