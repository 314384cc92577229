"""The way from an activity to the gateway that holds a call: audio with its text, sentence by sentence."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from core.contracts.call import GatewayAddress, Heard, ReplyKey, ReplyTimings
from core.playback import Kept
from core.ports.speech import SpokenWord
from core.turns import Listen


class ReplyPlayback(Protocol):
    """One reply on its way to the caller's ear."""

    async def kept(self) -> Kept:
        """What of earlier attempts at the same (turn, part) the gateway still plays or has played.

        Waits for the gateway's answer to the opening. Raises PlaybackLost.
        """
        ...

    def began(self, timings: ReplyTimings) -> None:
        """Tell the gateway the worker's stamps up to the first audio; call once, before the first ``push``."""
        ...

    def push(self, sentence: int, audio: bytes, words: Sequence[SpokenWord], *, last: bool, text: str = "") -> None:
        """Hand over audio of sentence ``sentence`` (from 0); ``text`` is the whole sentence, sent with its first chunk.

        Never blocks. Raises PlaybackLost when the gateway is gone; a closed reply takes no more and says nothing.
        """
        ...

    def finish(self, *, hear: bool) -> None:
        """The reply is whole. ``hear``: what the caller hears of it is told here, not to the workflow."""
        ...

    async def heard(self) -> Heard | None:
        """After ``finish(hear=True)``: what the caller heard, once it was played out or cut.

        None: the gateway is gone or does not say; if it is there, it tells the workflow instead.
        """
        ...

    @property
    def heard_so_far(self) -> str:
        """What the caller has heard of this (turn, part), by the gateway's last word; in case that it dies."""
        ...

    @property
    def closed(self) -> bool:
        """The gateway wants no more: barge-in, a newer reply, a newer stream, or the call has ended."""
        ...

    async def wait_closed(self) -> None:
        """Return once the gateway wants no more. Raises PlaybackLost when it is gone."""
        ...


class PlaybackLine(Protocol):
    """Opens replies at gateways, over one kept socket to each."""

    def open(
        self, call_id: str, gateway: GatewayAddress, key: ReplyKey, listen: Listen, hold: str = ""
    ) -> AbstractAsyncContextManager[ReplyPlayback]:
        """With ``hold`` the caller hears nothing of it before the turn has ended with these words (words_key); if it
        goes on instead, the reply is closed.

        Leaving the block before ``finish`` breaks the reply off; what arrived keeps playing. Raises PlaybackLost."""
        ...

    async def keep_holding_lines(
        self, call_id: str, gateway: GatewayAddress, lines: Sequence[tuple[str, bytes]], language: str = ""
    ) -> None:
        """Give the gateway the call's holding lines (text, audio) in a language, to fill silence with all else dead."""
        ...

    async def fetch_digits(self, digits_url: str, name: str) -> str | None:
        """Sensitive digits that the caller has keyed in; None if the gateway has none. Raises PlaybackLost."""
        ...

    async def fetch_turn_audio(self, audio_url: str, turn: int) -> bytes:
        """The mu-law audio of a caller's turn that the gateway kept. Raises PlaybackLost."""
        ...


@dataclass(frozen=True)
class LostCall:
    """A call whose gateway has died, and the stream it had there."""

    call_id: str
    attachment: int


class LostCalls(Protocol):
    """Learns of gateways that die."""

    async def lost_call(self) -> LostCall:
        """The next call that a gateway has taken with it; perhaps one that has ended before."""
        ...
