"""Conferences: rooms with a name, which begin and end."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from sandbox.state import now_ms
from sandbox.twilio.ids import new_sid
from sandbox.twilio.room import Room, Seat


@dataclass(slots=True, eq=False)
class Participant:
    """A leg in a conference."""

    call_sid: str
    seat: Seat
    label: str | None
    ends_conference: bool
    starts_conference: bool
    joined_ms: float
    gone: asyncio.Event = field(default_factory=asyncio.Event)  # it is to leave


class Conference:
    """One conference, from its first participant to its end."""

    def __init__(self, name: str) -> None:
        self.sid = new_sid("CF")
        self.name = name
        self.created_ms = now_ms()
        self.ended_ms: float | None = None
        self.room = Room()
        self.room.open = False
        self.participants: dict[str, Participant] = {}  # by call sid

    @property
    def status(self) -> str:
        """ "init" until someone who starts it has come, then "in-progress", last "completed"."""
        if self.ended_ms is not None:
            return "completed"
        return "in-progress" if self.room.open else "init"

    def find(self, call_or_label: str) -> Participant | None:
        """By the leg's sid or by label."""
        for participant in self.participants.values():
            if call_or_label in (participant.call_sid, participant.label):
                return participant
        return None

    def end(self) -> None:
        """Over, for all of them."""
        if self.ended_ms is None:
            self.ended_ms = now_ms()
            self.room.open = False
        for participant in self.participants.values():
            participant.gone.set()

    def to_json(self) -> dict[str, Any]:
        """As the control routes show it."""
        return {"sid": self.sid, "name": self.name, "status": self.status, "participants": [*self.participants]}


class Conferences:
    """All conferences, those that have ended too."""

    def __init__(self) -> None:
        self.all: dict[str, Conference] = {}  # by sid

    def find(self, sid_or_name: str) -> Conference | None:
        """By sid, or the one that goes on under that name."""
        if sid_or_name in self.all:
            return self.all[sid_or_name]
        going_on = (each for each in self.all.values() if each.ended_ms is None)
        return next((each for each in going_on if each.name == sid_or_name), None)

    def open(self, name: str) -> Conference:
        """The one that goes on under that name, or a new one."""
        conference = self.find(name)
        if conference is None or conference.ended_ms is not None:
            conference = Conference(name)
            self.all[conference.sid] = conference
        return conference

    def join(
        self, name: str, call_sid: str, *, label: str | None, starts: bool, ends: bool, muted: bool
    ) -> tuple[Conference, Participant]:
        """A leg comes in."""
        conference = self.open(name)
        participant = Participant(call_sid, conference.room.join(), label, ends, starts, now_ms())
        participant.seat.muted = muted
        conference.participants[call_sid] = participant
        conference.room.open = conference.room.open or starts
        return conference, participant

    def leave(self, conference: Conference, participant: Participant) -> None:
        """A leg goes; with the last one, or one that ends it, the conference is over."""
        conference.room.leave(participant.seat)
        if conference.participants.get(participant.call_sid) is participant:
            del conference.participants[participant.call_sid]
        if participant.ends_conference or not conference.participants:
            conference.end()
