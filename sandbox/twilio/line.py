"""One answered leg: every 20 ms the person's sound goes out, and what is played comes in at the person's ear."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from sandbox.audio_code import SILENCE
from sandbox.state import SandboxState, now_ms
from sandbox.twilio.ear import Ear, HeardLine, audible
from sandbox.twilio.person import HungUp, KeyPressed, NoiseMade, Person, SaidLine, SpeechEnded
from sandbox.twilio.playout import Playout
from sandbox.twilio.room import Room, Seat
from sandbox.twilio.stream import MediaStream

FRAME_BYTES = 160
FRAME_MS = 20
KEPT_FRAMES = 500  # of what was heard: the last ten seconds
LATE_MS = 20.0

NOT_ANSWERED: dict[str, Any] = {
    "at_ms": 0,
    "said": [],
    "heard": [],
    "gaps": 0,
    "gap_ms": 0,
    "late_frames": 0,
    "most_late_ms": 0.0,
    "queued_ms": 0,
    "bad_messages": [],
}
"""A line as the control routes show it, of a leg that has none yet."""


class Line:
    """Owned by a call; paced by the one clock of all lines."""

    def __init__(self, sid: str, person: Person, state: SandboxState, on_hang_up: Callable[[], None]) -> None:
        self.person = person
        self.ear = Ear()
        self.digits: asyncio.Queue[str] = asyncio.Queue()
        self.at_ms = 0
        self.late_frames = 0
        self.most_late_ms = 0.0
        self.bad_messages: list[str] = []
        self.heard: deque[bytes] = deque(maxlen=KEPT_FRAMES)
        self._sid = sid
        self._on_hang_up = on_hang_up
        self._state = state
        self._playout = Playout()
        self._stream: MediaStream | None = None
        self._room: Room | None = None
        self._seat: Seat | None = None
        self._played_out: asyncio.Future[None] | None = None
        self._unanswered: SaidLine | None = None
        self._late: list[bytes | None] = []  # what the network holds back
        self._cleared = False  # something, and nothing has come since

    # What the line is connected to, one thing at a time.

    def connect(self, stream: MediaStream) -> None:
        """Send the person's sound to a stream, and play what it brings."""
        self._stream = stream

    def disconnect(self) -> None:
        """Leave the stream; what it had queued is not played."""
        self._stream = None
        self._cut()

    def enter(self, room: Room, seat: Seat) -> None:
        """Talk with the others of a room."""
        self._room, self._seat = room, seat

    def leave_room(self) -> None:
        """Talk with them no more."""
        if self._room is not None and self._seat is not None:
            self._room.leave(self._seat)
        self._room = self._seat = None

    async def play(self, audio: bytes) -> None:
        """Play the carrier's own audio to its end; if cancelled, stop it."""
        self.audio_arrived(audio)
        self._played_out = asyncio.get_running_loop().create_future()
        try:
            await self._played_out
        except asyncio.CancelledError:
            self._cut()
            raise
        finally:
            self._played_out = None

    # StreamSide: what the product's messages do.

    def audio_arrived(self, audio: bytes) -> None:
        """Queue it, and note when the first sound of a reply came."""
        self._playout.queue(audio)
        if not audible(audio):
            return
        arrived_ms = now_ms()
        self.ear.arrives(arrived_ms)
        if self._cleared:
            self._cleared = False
            self._state.stamp("twilio", "sound_after_clear", sid=self._sid)
        said = self._unanswered
        if said is not None and said.reply_arrived_ms is None and said.speech_end_ms is not None:
            said.reply_arrived_ms = arrived_ms
            after_ms = arrived_ms - said.speech_end_ms
            self._state.stamp("twilio", "reply", sid=self._sid, arrived_ms=arrived_ms, after_ms=after_ms)

    def mark_set(self, name: str) -> None:
        """Return it when its time has come, which may be now."""
        if self._playout.mark(name) and self._stream is not None:
            self._stream.return_mark(name)

    def clear_asked(self) -> None:
        """Drop what is queued; outstanding marks return."""
        dropped = self._cut()
        self._state.stamp("twilio", "clear", sid=self._sid, dropped_ms=dropped // 8)
        self._cleared = self._cleared or dropped > 0

    def bad_message(self, what: str) -> None:
        """Keep it for whoever looks at the call."""
        self.bad_messages.append(what)

    # Every 20 ms.

    def tick(self, late_ms: float) -> None:
        """Send and play one frame."""
        if late_ms > LATE_MS:
            self.late_frames += 1
        self.most_late_ms = max(self.most_late_ms, late_ms)
        wall_ms = now_ms()
        frame = self.person.tick(self.at_ms, wall_ms, self.ear)
        if self._stream is not None:
            self._send(self._stream, frame)
        elif frame is not None and self._room is not None and self._seat is not None:
            self._room.pass_on(self._seat, frame)
        if self.person.events:
            self._tell_of_person()
        self._listen(wall_ms)
        self.at_ms += FRAME_MS

    def _send(self, stream: MediaStream, frame: bytes | None) -> None:
        if self.person.held_up:
            self._late.append(frame)
            return
        if self._late:
            for late in self._late:
                stream.send_audio(late)
            self._late.clear()
        stream.send_audio(frame)

    def _listen(self, wall_ms: float) -> None:
        if not self._playout.empty:
            played = self._playout.play(FRAME_BYTES)
            self.heard.append(played.audio)
            ended = self.ear.hear(played.audio, self.at_ms, wall_ms)
            if self._stream is not None:
                for name in played.marks:
                    self._stream.return_mark(name)
            self._note_first_sound(wall_ms)
        elif self._seat is not None and self._seat.heard:
            frame = self._seat.heard.popleft()
            self.heard.append(frame)
            ended = self.ear.hear(frame, self.at_ms, wall_ms)
        else:
            self.heard.append(SILENCE)
            ended = self.ear.rest(self.at_ms)
            if self._played_out is not None and not self._played_out.done():
                self._played_out.set_result(None)
        if ended is not None:
            self._stamp_heard(ended)

    def _note_first_sound(self, wall_ms: float) -> None:
        said = self._unanswered
        if said is not None and said.reply_arrived_ms is not None and self.ear.current is not None:
            said.reply_played_ms = wall_ms
            self._unanswered = None

    def _tell_of_person(self) -> None:
        events, self.person.events = self.person.events, []
        for event in events:
            match event:
                case SpeechEnded(line):
                    self._unanswered = line
                    self._state.stamp("twilio", "said", sid=self._sid, text=line.text, speech_end_ms=line.speech_end_ms)
                case NoiseMade(started_ms, ended_ms):
                    self._state.stamp("twilio", "noise", sid=self._sid, started_ms=started_ms, ended_ms=ended_ms)
                case KeyPressed(digit):
                    self.digits.put_nowait(digit)
                    if self._stream is not None:
                        self._stream.send_digit(digit)
                case HungUp():
                    self._on_hang_up()

    def _cut(self) -> int:
        cleared = self._playout.clear()
        ended = self.ear.cut(cleared.dropped)
        if ended is not None:
            self._stamp_heard(ended)
        if self._stream is not None:
            for name in cleared.marks:
                self._stream.return_mark(name)
        return cleared.dropped

    def _stamp_heard(self, line: HeardLine) -> None:
        self._state.stamp(
            "twilio",
            "heard",
            sid=self._sid,
            text=line.text,
            first_ms=line.arrived_ms,
            played_ms=line.played_ms,
            interrupted=line.interrupted,
            gaps=line.gaps,
        )

    def to_json(self) -> dict[str, Any]:
        """As the control routes show it."""
        return {
            "at_ms": self.at_ms,
            "said": [line.to_json() for line in self.person.said],
            "heard": [line.to_json() for line in self.ear.lines],
            "gaps": sum(line.gaps for line in self.ear.lines),
            "gap_ms": sum(line.gap_ms for line in self.ear.lines),
            "late_frames": self.late_frames,
            "most_late_ms": round(self.most_late_ms, 1),
            "queued_ms": self._playout.queued_ms,
            "bad_messages": self.bad_messages,
        }
