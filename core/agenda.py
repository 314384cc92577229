"""What a caller wants beside what is being done: kept, and served in order. Part of the call's memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

UNCLEAR: Final = "unclear"
"""The method of a turn whose step nobody could tell: the caller is asked."""
KEPT: Final = "kept"
"""The method of a turn that stays where the call was, as nobody could be asked."""
OFF_TOPIC: Final = "off_topic"
"""The method of a turn that, as the model says, belongs to no step: it stays where the call was, too."""
NO_STEP: Final = "(none)"
"""What such a turn is an example of; no step has such a name."""
LIKELY: Final = "likely"
"""The method of a turn whose answer is made in the likeliest step, and spoken only once the model agrees."""
MOST_MATTERS: Final = 5


@dataclass(frozen=True)
class Matter:
    """A step that the caller wants, or has left half done."""

    step: str
    words: str = ""  # in which they said so
    turn: int = 0
    detour: bool = False  # the call comes back from it to where it was


@dataclass
class Agenda:
    """Changed by turns that have come to be, never by guesses. ``at``: where the call is; "": nowhere yet."""

    matters: list[Matter] = field(default_factory=list)  # said in one breath with others and not begun, in that order
    left: list[Matter] = field(default_factory=list)  # begun and not finished when the caller changed the subject
    returned: list[str] = field(default_factory=list)  # steps that were left and taken up again without being asked
    at: str = ""
    since: int = 0  # the turn in which the call came there
    detour: bool = False
    unclear: int = 0  # turns in a row that nobody could place
    choices: tuple[str, ...] = ()  # the steps that the caller was asked to choose between in the last one

    @property
    def open(self) -> tuple[str, ...]:
        """All steps that are still wanted, in the order in which they are served."""
        return tuple(matter.step for matter in (*self.matters, *reversed(self.left)))

    @property
    def next(self) -> Matter | None:
        """What is taken up once the present step is done. Nobody is led back to the same step twice."""
        back = (matter for matter in reversed(self.left) if matter.step not in self.returned)
        return self.matters[0] if self.matters else next(back, None)

    def go_to(
        self, step: str, turn: int, matters: Iterable[Matter] = (), *, detour: bool = False, left: bool = False
    ) -> None:
        """A turn belongs to this step.

        Args:
            matters: what else it asks for.
            left: the step before was not finished, and it was the caller who changed the subject.
        """
        if step != self.at:
            if left and self.at:
                self.left = [matter for matter in self.left if matter.step != self.at]
                self.left = [*self.left, Matter(self.at, turn=turn, detour=self.detour)][-MOST_MATTERS:]
            self.at, self.since, self.detour = step, turn, detour
        known = {step, *(matter.step for matter in self.matters)}
        for matter in matters:
            if matter.step not in known:
                known.add(matter.step)
                self.matters.append(matter)
        self.matters = [matter for matter in self.matters if matter.step != step][:MOST_MATTERS]
        self.left = [matter for matter in self.left if matter.step not in known]

    def take_up(self, turn: int) -> Matter | None:
        """Go on with what is next; None: nothing is."""
        matter = self.next
        if matter is None:
            return None
        if matter in self.left:
            self.returned.append(matter.step)
        self.go_to(matter.step, turn, detour=matter.detour)
        return matter

    def count(self, method: str, choices: tuple[str, ...]) -> None:
        """How a turn's step was found. One that was only kept, as nobody could be asked, tells nothing."""
        if method == UNCLEAR:
            self.unclear, self.choices = self.unclear + 1, choices
        elif method != KEPT:
            self.unclear, self.choices = 0, ()


@dataclass(frozen=True)
class AgendaNote:
    """What an answer is told of it beside its step."""

    unclear: bool = False  # ask the caller, between the choices if there are any
    choices: tuple[str, ...] = ()
    later: tuple[str, ...] = ()  # steps that come after this one by themselves
    resumed: bool = False  # this step was left half done: lead back to it
    taken_up: bool = False  # this step is wanted, too: what came before it is answered
