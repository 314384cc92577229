"""The way through a playbook's steps: where a call is by what it knows, and where it may go next."""

from collections.abc import Mapping
from functools import lru_cache

from core.conditions import Condition, parse_condition, tests_in
from core.memory import Memory
from core.playbook import Playbook, PlaybookStep
from core.playbook_dialogue import Slot

_parsed = lru_cache(4_096)(parse_condition)


def holds(condition: str, memory: Memory, variables: Mapping[str, str]) -> bool:
    """Whether a condition of the playbook is true now."""
    parsed: Condition = _parsed(condition)
    return parsed.holds(lambda name: memory.look_up(dict(variables), name))


def advance(playbook: Playbook, memory: Memory, current: str, variables: Mapping[str, str]) -> str:
    """The step the call is in once all transitions were taken whose conditions have become true.

    A detour that leads nowhere by itself is left for where the way goes on.
    """
    steps = {step.name: step for step in playbook.steps}
    if current not in steps:
        return current
    detour = current in playbook.anytime_steps and not steps[current].transitions
    name = memory.at if detour and memory.at in steps else current
    seen = {name}
    while (led := _led_to(steps[name], memory, variables)) is not None and led not in seen:
        seen.add(led)
        name = led
    return current if detour and name == memory.at else name


def _led_to(step: PlaybookStep, memory: Memory, variables: Mapping[str, str]) -> str | None:
    return next(
        (way.to for way in step.transitions if way.when is not None and holds(way.when, memory, variables)), None
    )


def reachable_steps(
    playbook: Playbook, memory: Memory, current: str, variables: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Where a turn may take the call, the present step included, in the playbook's order.

    All of them in a playbook without transitions. Else: the present step, the one a detour began in, what their
    transitions lead to (those with a condition only while it is true), the steps that may come at any time, and those
    that the caller still wants or has left half done.
    """
    if not any(step.transitions for step in playbook.steps):
        return tuple(step.name for step in playbook.steps)
    known = variables or {}
    known_steps = {step.name for step in playbook.steps}
    bases = {current, memory.at} & known_steps
    ways = (way for step in playbook.steps if step.name in bases for way in step.transitions)
    open_ = {way.to for way in ways if way.when is None or holds(way.when, memory, known)}
    reachable = bases | open_ | playbook.anytime_steps | (set(memory.agenda.open) & known_steps)
    return tuple(step.name for step in playbook.steps if step.name in reachable)


def told_in_conditions(playbook: Playbook) -> frozenset[str]:
    """What conditions ask for of tools' answers, as "tool.field"."""
    ways = [way.when for step in playbook.steps for way in step.transitions if way.when is not None]
    tests = (test for text in (*ways, *playbook.policies.escalate_when) for test in tests_in(_parsed(text)))
    return frozenset(test.name.removeprefix("tool.") for test in tests if test.name.startswith("tool."))


def missing_slots(step: PlaybookStep, memory: Memory) -> list[Slot]:
    """What the step has still to ask for."""
    return [slot for slot in step.collect if not slot.optional and slot.name not in memory.slots]


def unconfirmed_slots(step: PlaybookStep, memory: Memory) -> list[Slot]:
    """What is known and still has to be read back."""
    known = memory.slots
    return [slot for slot in step.collect if slot.confirm and slot.name in known and not known[slot.name].confirmed]


def wants_person(playbook: Playbook, memory: Memory, variables: Mapping[str, str], turn: int) -> bool:
    """Whether a policy or a limit says that a person has to take over."""
    most = playbook.limits.max_turns_in_step
    if most is not None and memory.at and turn - memory.at_since >= most:
        return True
    return any(holds(condition, memory, variables) for condition in playbook.policies.escalate_when)
