"""Supervisors at one stream: they hear it, and one of them may speak in the assistant's place."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from core.contracts import names
from core.contracts.take_over import FloorGivenBack, FloorTaken, SupervisorSaid
from core.floor import Asked, Floor
from core.ports.speech import Recogniser
from core.turns import TurnTaking
from media_gateway.call_notes import CallNotes
from media_gateway.desk_protocol import ASSISTANT, CALLER, SUPERVISOR, Cleared, FloorIs, Refused, TakeOver, ToPage
from media_gateway.supervisor_ear import SupervisorEar
from media_gateway.workflow_line import WorkflowLine

log = structlog.get_logger()

GONE = "the call has left this gateway"
CANNOT_HEAR = "what the supervisor says is not recognised, so it is missing in the transcript"


class SupervisorPage(Protocol):
    """A supervisor's socket. Nothing here waits: one that takes too little loses frames."""

    def pass_on(self, message: bytes) -> None:
        """A track's byte and audio; the same bytes go to all pages."""
        ...

    def tell(self, message: ToPage) -> None:
        """Something that is no audio."""
        ...

    def close(self, reason: str) -> None:
        """There is nothing to be heard any more."""
        ...


class Spoken(Protocol):
    """The line to the caller."""

    def play(self, audio: bytes) -> None:
        """Queue audio at the carrier."""
        ...


class Supervision:
    """``pages`` is empty where nobody listens: then no frame costs more than that look.

    Args:
        line: plays a supervisor's voice to the caller.
        workflow: is told who speaks, and what a supervisor has said.
        last_turn: the number of the caller's last turn.
        rules: how the caller is listened to: a supervisor speaks the same language.
        taken: a supervisor has the floor now: the assistant is to fall silent at once.
        given_back: the assistant has it again, and is due to speak.
    """

    def __init__(
        self,
        line: Spoken,
        workflow: WorkflowLine,
        attachment: int,
        clock: Callable[[], float],
        recogniser: Recogniser,
        notes: CallNotes,
        *,
        grace_s: float,
        patience_s: float,
        last_turn: Callable[[], int],
        rules: Callable[[], TurnTaking],
        taken: Callable[[], None],
        given_back: Callable[[], None],
    ) -> None:
        self.pages: list[SupervisorPage] = []
        self.taken = False
        self._line = line
        self._workflow = workflow
        self._attachment = attachment
        self._clock = clock
        self._recogniser = recogniser
        self._notes = notes
        self._patience_s = patience_s
        self._last_turn = last_turn
        self._rules = rules
        self._take = taken
        self._give_back = given_back
        self._floor = Floor(grace_s * 1_000)
        self._speaker: SupervisorPage | None = None  # the page of the floor's holder, as long as it is there
        self._ear: SupervisorEar | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._over = False

    # What is heard on the line

    def caller_heard(self, audio: bytes) -> None:
        """The next frame of the caller's audio."""
        self._pass_on(CALLER + audio)

    def assistant_heard(self, audio: bytes) -> None:
        """Audio that the carrier was given."""
        self._pass_on(ASSISTANT + audio)

    def cleared(self) -> None:
        """The carrier was told to drop what it had not played."""
        for page in self.pages:
            page.tell(Cleared())

    # The pages

    def enter(self, page: SupervisorPage, playing: bytes) -> None:
        """Somebody listens; ``playing`` is what the caller has still to hear of the assistant."""
        if self._over:
            page.close(GONE)
            return
        self.pages.append(page)
        page.tell(FloorIs(self.taken, by=self._floor.by))
        if playing:
            page.pass_on(ASSISTANT + playing)
        log.info("supervisor_listens", pages=len(self.pages))

    def leave(self, page: SupervisorPage) -> None:
        """A page is gone. Its floor is handed back once the grace is over."""
        if page in self.pages:
            self.pages.remove(page)
        if self._speaker is page:
            self._speaker = None
            log.warning("supervisor_cut_off")

    def take_over(self, page: SupervisorPage, wanted: TakeOver) -> None:
        """A supervisor wants to speak."""
        match self._floor.take(wanted.page, wanted.by, self._clock(), again=wanted.again):
            case Asked.REFUSED:
                page.tell(Refused("somebody has taken the call over already"))
            case Asked.TOO_LATE:
                page.tell(Refused("the call was handed back to the assistant meanwhile"))
            case Asked.RESUMED:
                self._speaker = page
                self._tell_floor()
            case Asked.TAKEN:
                self.taken, self._speaker = True, page
                self._begin()

    def speak(self, page: SupervisorPage, audio: bytes) -> None:
        """A frame of a supervisor's microphone. The hot path of a take-over."""
        if page is not self._speaker:
            return
        now_ms = self._clock()
        if self._floor.speak(self._floor.holder, audio, now_ms):
            self._line.play(audio)
            for other in self.pages:
                if other is not page:
                    other.pass_on(SUPERVISOR + audio)
        if self._ear is not None:
            self._ear.hear(audio, now_ms)

    def hand_back(self, page: SupervisorPage) -> None:
        """A supervisor is done."""
        if page is self._speaker:
            self._end(lost=False)

    def end(self) -> None:
        """The stream is over. Told to the workflow by that alone: it may have been moved, or be the call's end."""
        self._over = True
        self._stop_speaking()
        for page in list(self.pages):
            page.close(GONE)

    def _pass_on(self, message: bytes) -> None:
        for page in self.pages:
            page.pass_on(message)

    def _begin(self) -> None:
        by = self._floor.by
        self._ear = SupervisorEar(
            self._recogniser,
            self._rules(),
            said=self._said,
            deaf=lambda: self._notes.problem(CANNOT_HEAR),
            patience=self._patience_s,
        )
        self._take()
        self._workflow.signal(names.FLOOR_TAKEN, lambda seq: FloorTaken(self._attachment, seq, by, self._clock()))
        self._tell_floor()
        self._look()
        log.info("floor_taken", pii_by=by)

    def _look(self) -> None:
        """Whether the supervisor is still there; and when to look again."""
        left_ms = self._floor.gone_in_ms(self._clock())
        if left_ms:
            self._timer = asyncio.get_running_loop().call_later(left_ms / 1_000, self._look)
        else:
            self._end(lost=True)

    def _end(self, *, lost: bool) -> None:
        self._floor.give_back(self._floor.holder)
        self._stop_speaking()
        self._workflow.signal(
            names.FLOOR_GIVEN_BACK, lambda seq: FloorGivenBack(self._attachment, seq, lost, self._clock())
        )
        self._give_back()
        self._tell_floor(lost=lost)
        log.info("floor_given_back", lost=lost)

    def _stop_speaking(self) -> None:
        self.taken, self._speaker = False, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()

    def _said(self, text: str) -> None:
        turn, at_ms = self._last_turn(), self._clock()
        self._workflow.signal(
            names.SUPERVISOR_SAID, lambda seq: SupervisorSaid(self._attachment, seq, turn, text, at_ms)
        )
        self._notes.supervisor_said(turn, text)

    def _tell_floor(self, *, lost: bool = False) -> None:
        for page in self.pages:
            page.tell(FloorIs(self.taken, page is self._speaker, self._floor.by, lost))
