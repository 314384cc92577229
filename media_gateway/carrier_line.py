"""The carrier's side of a media stream, as its call sees it, and whose stream it is."""

from dataclasses import dataclass
from typing import Protocol

from core.contracts.call import Attach


class CarrierLine(Protocol):
    """What a carrier's media socket can do. Nothing here waits."""

    def play(self, audio: bytes) -> None:
        """Queue mu-law audio at the carrier."""
        ...

    def mark(self, name: str) -> None:
        """Have the carrier say when everything before this was played."""
        ...

    def clear(self) -> None:
        """Drop what was not played."""
        ...

    def close(self, reason: str) -> None:
        """End the stream; the call goes on with what its TwiML says next."""
        ...


@dataclass(frozen=True, slots=True)
class StreamIdentity:
    """Whose stream it is."""

    call_id: str
    attachment: int
    stream_id: str
    carrier_call_id: str

    def attach(self, internal_url: str) -> Attach:
        """How the stream joins its call; ``internal_url``: where workers and desks find this gateway."""
        sockets = internal_url.replace("http", "ws", 1)
        return Attach(
            attachment=self.attachment,
            stream_id=self.stream_id,
            carrier_call_id=self.carrier_call_id,
            playback_url=f"{sockets}/internal/playback",
            audio_url=f"{internal_url}/internal/calls/{self.call_id}/turns",
            digits_url=f"{internal_url}/internal/calls/{self.call_id}/digits",
            desk_url=f"{sockets}/internal/calls/{self.call_id}/desk",
        )
