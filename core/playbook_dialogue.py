"""What a playbook says of the talk: what to collect, where a step leads, what has to be kept to."""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from core.conditions import BadCondition, parse_condition
from core.playbook_finding import StepFinding
from core.playbook_parts import Line, Misplaced, Name, Part
from core.slots import ORDERED, SlotRules, SlotType

SlotTypeName = Literal["text", "number", "date", "time", "phone", "email", "postcode", "choice", "yes_no"]


def _condition(text: str) -> str:
    try:
        parse_condition(text)
    except BadCondition as error:
        raise ValueError(str(error)) from error
    return text


ConditionText = Annotated[str, Field(min_length=1), AfterValidator(_condition)]


class Slot(Part):
    """Something to find out from the caller, with what makes an answer a good one."""

    name: Name
    type: SlotTypeName = "text"
    description: Line | None = Field(None, description="what to ask for, where the name does not tell")
    pattern: str | None = Field(None, max_length=200, description="a regular expression for the whole value")
    min: float | str | None = Field(None, description="the least number, or the first date or time, as text")
    max: float | str | None = None
    choices: tuple[Line, ...] = Field((), description="all values there are; type choice only")
    confirm: bool = Field(False, description="has to be read back, and counts only after a yes")
    optional: bool = Field(False, description="taken when told, never asked for")

    @property
    def rules(self) -> SlotRules:
        """What an answer is checked by."""
        return SlotRules(SlotType(self.type), self.pattern, self.min, self.max, self.choices)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("choices and type choice go together")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"pattern is no regular expression: {error}") from error
        for bound in (self.min, self.max):
            _bound_fits(self.type, bound)
        if self.min is not None and self.max is not None and str(self.min) != str(self.max):
            one, other = self.min, self.max
            if (float(one) > float(other)) if self.type == "number" else (str(one) > str(other)):
                raise ValueError(f"min must not be above max, which is {other}")
        return self


def _bound_fits(kind: str, bound: float | str | None) -> None:
    if bound is None:
        return
    if kind not in ORDERED:
        raise ValueError(f"min and max are for {', '.join(ORDERED)}, not for {kind}")
    if kind == "number" and isinstance(bound, str):
        raise ValueError("min and max of a number are numbers")
    if kind == "date" and not _is_date(bound):
        raise ValueError('min and max of a date are dates in quotes, such as "2026-03-31"')
    if kind == "time" and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", str(bound)):
        raise ValueError('min and max of a time are times in quotes, such as "09:30"')


def _is_date(bound: float | str) -> bool:
    try:
        date.fromisoformat(str(bound))
    except ValueError:
        return False
    return True


class Transition(Part):
    """Where a step may lead. With ``when`` the call goes there by itself once it is true; else when the caller does."""

    to: Name
    when: ConditionText | None = None


class Variable(Part):
    """Something that is known of the caller before the call: ``caller.NAME`` in conditions."""

    type: SlotTypeName = "text"
    description: Line | None = None


class Policies(Part):
    """What holds all through the call."""

    escalate_when: tuple[ConditionText, ...] = Field((), description="a person takes over once one of these is true")
    must_say: tuple[Line, ...] = Field((), description="said to the letter before the call ends, if not said before")
    come_back: bool = Field(True, description="to a step that the caller has left half done, once the other is served")


class Limits(Part):
    """How long things may take."""

    max_call_seconds: int | None = Field(
        None, ge=30, le=43_200, description="then the call ends with the farewell; 2 hours if not given"
    )
    max_turns_in_step: int | None = Field(None, ge=2, le=200, description="then a person takes over")
    max_unclear_turns: int | None = Field(
        2, ge=1, le=10, description="in a row that no step can be told for; with this one a person takes over"
    )


class CallbackChoice(Part):
    """The slots in which callers name a time at which they want to be called (back)."""

    date: Name | None = Field(None, description="a slot of type date")
    time: Name | None = Field(None, description="a slot of type time")


class Talk(Part):
    """The fields of a playbook that say how the talk goes."""

    variables: dict[Name, Variable] = Field(default_factory=dict, description="what is known of callers beforehand")
    facts: dict[Name, Line] = Field(
        default_factory=dict, description="statements to listen for: name -> what the caller has said then"
    )
    policies: Policies = Policies()
    limits: Limits = Limits()
    callback: CallbackChoice = CallbackChoice()
    step_finding: StepFinding = StepFinding()
    picking_up: str = Field(
        "", max_length=600, description="said instead of welcome_back where an answer was cut off, which follows"
    )
    screening_line: str = Field(
        "", max_length=600, description="on calls we place: who is calling and why, for whoever screens the call"
    )
    remember_callers: bool = Field(False, description="what a caller's earlier calls were about is told to the model")


class StepTalk(Part):
    """The fields of a step that say how the talk goes."""

    collect: tuple[Slot, ...] = Field((), description="what to find out")
    transitions: tuple[Transition, ...] = Field((), description="what may come next; none in any step: everything")
    anytime: bool | None = Field(None, description="may come from anywhere; by default what escalates or ends the call")


def misplaced(at: tuple[str | int, ...], message: str, wrote: str, known: Any) -> Misplaced:
    """A fault with the names that may have been meant."""
    return Misplaced(at, message, wrote, sorted(known))
