"""What the assistant knows in a call: slots and facts with where they come from, what was done, what was said long ago.

Part of the workflow's state. Bounded: slots and facts are those of the playbook, actions and texts have a limit.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from core.agenda import Agenda
from core.conditions import Value
from core.conversation import ToolResult

MOST_ACTIONS: Final = 40
LONGEST_RESULT: Final = 200
LONGEST_SUMMARY: Final = 2_000


class Source(StrEnum):
    """Where something is known from."""

    CALLER = "caller"  # as the caller was understood
    KEYED = "keyed"  # on the phone's keys
    TOOL = "tool"  # a tool was given it, and took it
    SYSTEM = "system"  # it came with the call


@dataclass(frozen=True)
class Known:
    """A value, and why it is believed. ``confirmed``: the caller has said yes to it, or a system has taken it."""

    value: str
    source: Source
    turn: int
    confirmed: bool = False
    asked: bool = False  # it was read back, and the caller's answer is awaited


@dataclass(frozen=True)
class Action:
    """Something that was done."""

    turn: int
    tool: str
    ok: bool


@dataclass
class Memory:
    """Changed by what callers say and tools tell; read by prompts, conditions and screens."""

    slots: dict[str, Known] = field(default_factory=dict)
    facts: dict[str, Known] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)  # slot -> why what the caller said cannot be right
    results: dict[str, str] = field(default_factory=dict)  # "tool.field" -> what it told last
    actions: list[Action] = field(default_factory=list)
    at: str = ""  # the last step that was no detour
    at_since: int = 0  # the turn in which the call came to it
    noted: int = 0  # the turn up to which notes were taken
    answered: int = 0  # the turn in which the caller last answered a read-back
    summary: str = ""  # of what prompts do not show word for word any more ..
    summarized: int = 0  # .. up to this turn
    earlier: str = ""  # what this caller's earlier calls were about
    agenda: Agenda = field(default_factory=Agenda)

    def learn(self, name: str, value: str, source: Source, turn: int, *, confirmed: bool = False) -> None:
        """A slot's value. The same again changes nothing; another one has to be confirmed anew."""
        known = self.slots.get(name)
        if known is not None and known.value == value and (known.confirmed or not confirmed):
            return
        self.problems.pop(name, None)
        self.slots[name] = Known(value, source, turn, confirmed)

    def doubt(self, name: str, problem: str) -> None:
        """What the caller said for a slot cannot be right. What was known before stays."""
        self.problems[name] = problem

    def state(self, name: str, turn: int) -> None:
        """The caller has made a statement."""
        self.facts.setdefault(name, Known("yes", Source.CALLER, turn))

    def ask(self, name: str) -> None:
        """A value was read back."""
        known = self.slots[name]
        self.slots[name] = Known(known.value, known.source, known.turn, asked=True)

    @property
    def asked(self) -> list[str]:
        """Slots whose read-back awaits an answer."""
        return [name for name, known in self.slots.items() if known.asked and not known.confirmed]

    def answer(self, *, yes: bool) -> None:
        """The caller has said yes or no to what was read back. A no forgets the value: it is asked for again."""
        for name in self.asked:
            known = self.slots.pop(name)
            if yes:
                self.slots[name] = Known(known.value, known.source, known.turn, confirmed=True)
            else:
                self.problems[name] = f"{known.value} was wrong, the caller says"

    def leave_open(self) -> None:
        """The caller spoke of something else: what was read back has to be read back again."""
        for name in self.asked:
            known = self.slots[name]
            self.slots[name] = Known(known.value, known.source, known.turn)

    def did(
        self,
        turn: int,
        result: ToolResult,
        collected: Collection[str],
        told: Collection[str],
        aloud: Collection[str] = (),
    ) -> None:
        """A tool has answered. Arguments it took are as good as confirmed; what it told can decide transitions.

        Args:
            collected: slots.
            told: "tool.field" of what is worth keeping: what conditions ask for.
            aloud: slots that only the caller's own yes confirms.
        """
        name = result.call.name
        self.actions = [*self.actions, Action(turn, name, result.ok)][-MOST_ACTIONS:]
        if f"{name}.ok" in told:
            self.results[f"{name}.ok"] = "yes" if result.ok else "no"
        if not result.ok:
            return
        for argument, value in result.call.arguments.items():
            if argument in collected and isinstance(value, str | int | float | bool):
                self.learn(argument, _plain(value), Source.TOOL, turn, confirmed=argument not in aloud)
        for field_name, text in _scalars(result.content).items():
            if f"{name}.{field_name}" in told:
                self.results[f"{name}.{field_name}"] = text[:LONGEST_RESULT]

    def unconfirmed(self, arguments: Mapping[str, object], aloud: Collection[str], turn: int) -> list[str]:
        """Arguments that the caller has still to confirm; they are known now, as the caller was understood."""
        unsure = []
        for name, value in arguments.items():
            if name not in aloud or not isinstance(value, str | int | float):
                continue
            self.learn(name, _plain(value), Source.CALLER, turn)
            if not self.slots[name].confirmed:
                unsure.append(name)
        return unsure

    def go_to(self, step: str, turn: int) -> None:
        """The call is in another step of its way, no detour."""
        if step != self.at:
            self.at, self.at_since = step, turn

    def look_up(self, variables: dict[str, str], name: str) -> Value | None:
        """What conditions read, by the names they use."""
        kind, dot, rest = name.partition(".")
        if not dot:
            known = self.slots.get(name)
            return Value(known.value, known.confirmed) if known else None
        if kind == "fact":  # a statement that was not made is a plain no
            return Value("yes" if rest in self.facts else "no")
        text = variables.get(rest) if kind == "caller" else self.results.get(rest)
        return None if text is None else Value(text)


def _scalars(content: str) -> dict[str, str]:
    """The plain fields of a tool's JSON answer."""
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    if not isinstance(told, dict):
        return {}
    return {name: _plain(value) for name, value in told.items() if isinstance(value, str | int | float | bool)}


def _plain(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
