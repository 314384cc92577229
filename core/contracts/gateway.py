"""What a call's history remembers of the gateway that held it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GatewayLost:
    """Worker: the gateway of this attachment is dead, or has the stream no more."""

    attachment: int
