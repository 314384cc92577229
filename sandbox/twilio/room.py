"""Where legs hear each other: two that were bridged, or the participants of a conference."""

from collections import deque
from dataclasses import dataclass, field

_MOST_FRAMES_BEHIND = 50  # a second; one who stays further behind loses the oldest


@dataclass(slots=True, eq=False)
class Seat:
    """One leg's place in a room."""

    heard: deque[bytes] = field(default_factory=lambda: deque(maxlen=_MOST_FRAMES_BEHIND))
    muted: bool = False
    on_hold: bool = False


class Room:
    """Passes sound on: everyone hears everyone else who is neither muted nor on hold.

    Sounds are not mixed (that would spoil the words in them): what is said at once is heard one frame after the other.
    """

    def __init__(self) -> None:
        self.seats: list[Seat] = []
        self.open = True

    def join(self) -> Seat:
        """Take a new seat."""
        seat = Seat()
        self.seats.append(seat)
        return seat

    def leave(self, seat: Seat) -> None:
        """Give a seat up; one that is given up already is fine."""
        if seat in self.seats:
            self.seats.remove(seat)

    def pass_on(self, speaker: Seat, frame: bytes) -> None:
        """Have the others hear a frame of sound."""
        if speaker.muted or speaker.on_hold or not self.open:
            return
        for seat in self.seats:
            if seat is not speaker and not seat.on_hold:
                seat.heard.append(frame)
