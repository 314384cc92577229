"""Whether a playbook's talk can be held: its names, its conditions, and the graph of its steps."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from core.conditions import Test, number_of, parse_condition, tests_in
from core.playbook_dialogue import Slot, Transition, misplaced
from core.playbook_parts import Misplaced
from core.slots import ORDERED, SlotRules, SlotType, read_value

if TYPE_CHECKING:
    from core.playbook import Playbook

At = tuple[str | int, ...]
_FOUND_OUT: Final = ("known", "missing", "confirmed")
_ANYTHING: Final = ""  # the type of what a tool has told: nobody knows beforehand


def talk_faults(playbook: "Playbook") -> Iterator[Misplaced]:
    """Everything that is wrong with what is collected, with conditions and with the way through the steps."""
    steps = {step.name: index for index, step in enumerate(playbook.steps)}
    yield from _slot_faults(playbook)
    faulty = False
    for index, step in enumerate(playbook.steps):
        for place, transition in enumerate(step.transitions):
            at: At = ("steps", index, "transitions", place)
            if transition.to not in steps:
                yield misplaced((*at, "to"), f"no step is named {transition.to!r}", transition.to, steps)
                faulty = True
            elif transition.to == step.name:
                yield Misplaced((*at, "to"), "leads to the step itself, where the call stays anyway")
            if transition.when is not None:
                yield from _condition_faults(playbook, transition.when, (*at, "when"))
    for place, text in enumerate(playbook.policies.escalate_when):
        yield from _condition_faults(playbook, text, ("policies", "escalate_when", place))
    yield from _policy_faults(playbook)
    yield from _callback_faults(playbook)
    if not faulty and any(step.transitions for step in playbook.steps):
        yield from _graph_faults(playbook, steps)


def _policy_faults(playbook: "Playbook") -> Iterator[Misplaced]:
    if not playbook.has_people and playbook.policies.escalate_when:
        yield Misplaced(("policies", "escalate_when"), "needs transfer_to, a number to hand over to")
    if not playbook.has_people and playbook.limits.max_turns_in_step is not None:
        yield Misplaced(("limits", "max_turns_in_step"), "needs transfer_to, a number to hand over to")
    must = len(playbook.policies.must_say)
    for language, lines in playbook.translations.items():
        if len(lines.must_say) != must:
            at = ("translations", language, "must_say")
            yield Misplaced(at, f"has {len(lines.must_say)} lines, policies.must_say has {must}")


def _slot_faults(playbook: "Playbook") -> Iterator[Misplaced]:
    defined: dict[str, tuple[str, Slot]] = {}
    for index, step in enumerate(playbook.steps):
        seen: set[str] = set()
        for place, slot in enumerate(step.collect):
            at = ("steps", index, "collect", place, "name")
            first, same = defined.setdefault(slot.name, (step.name, slot))
            if slot.name in seen:
                yield Misplaced(at, f"{slot.name!r} is collected twice in this step")
            elif same != slot:
                yield Misplaced(at, f"{slot.name!r} is something else in the step {first!r}: write it alike")
            if slot.name in playbook.sensitive_fields:
                yield Misplaced(at, f"{slot.name!r} is keyed in as sensitive digits: only a tool may be given them")
            seen.add(slot.name)


def _callback_faults(playbook: "Playbook") -> Iterator[Misplaced]:
    slots = playbook.slots
    for kind, name in (("date", playbook.callback.date), ("time", playbook.callback.time)):
        if name is None:
            continue
        if name not in slots:
            yield misplaced(("callback", kind), f"no step collects {name!r}", name, slots)
        elif slots[name].type != kind:
            yield Misplaced(("callback", kind), f"{name!r} is collected as {slots[name].type}, not as {kind}")


def _condition_faults(playbook: "Playbook", text: str, at: At) -> Iterator[Misplaced]:
    for test in tests_in(parse_condition(text)):
        fault = _name_fault(playbook, test, at)
        yield from [fault] if fault is not None else _use_faults(playbook, test, at)


def _name_fault(playbook: "Playbook", test: Test, at: At) -> Misplaced | None:
    kind, dot, rest = test.name.partition(".")
    if not dot:
        slots = playbook.slots
        if test.name in slots:
            return None
        if test.name in playbook.facts or test.name in playbook.variables:
            prefix = "fact" if test.name in playbook.facts else "caller"
            return Misplaced(at, f"no step collects {test.name!r}: write {prefix}.{test.name}")
        return misplaced(at, f"no step collects {test.name!r}", test.name, slots)
    known = {"fact": set(playbook.facts), "caller": set(playbook.variables), "tool": set(playbook.tool_names)}
    if kind not in known:
        return misplaced(at, f"a name begins with fact., caller. or tool., not {kind}.", kind, known)
    name, _, field = rest.partition(".")
    if name not in known[kind]:
        what = {"fact": "facts has no", "caller": "variables has no", "tool": "no tool is named"}[kind]
        return misplaced(at, f"{what} {name!r}", name, known[kind])
    if (kind == "tool") != bool(field):
        wanted = "tool.NAME.FIELD, or tool.NAME.ok" if kind == "tool" else f"{kind}.NAME"
        return Misplaced(at, f"{test.name!r} has to have the form {wanted}")
    return None


def _use_faults(playbook: "Playbook", test: Test, at: At) -> Iterator[Misplaced]:
    rules = _rules_of(playbook, test.name)
    if rules is None or test.sign in _FOUND_OUT:
        return
    kind = rules.type
    if not test.sign:
        if kind is not SlotType.YES_NO:
            yield Misplaced(at, f"{test.name} is no yes or no: compare it, or write '{test.name} is known'")
        return
    if test.sign in ("<", "<=", ">", ">=") and kind not in ORDERED:
        yield Misplaced(at, f"{test.name} is {kind.replace('_', ' ')}: nothing is before or after it")
        return
    for value in test.against:
        plain = SlotRules(kind, choices=rules.choices)
        if kind is SlotType.NUMBER:
            if number_of(value) is None:
                yield Misplaced(at, f"{test.name} is a number, {value!r} is none")
        elif (read := read_value(plain, value)).problem or (kind is not SlotType.CHOICE and read.value != value):
            yield misplaced(at, f"{test.name} is never {value!r}", value, rules.choices)


def _rules_of(playbook: "Playbook", name: str) -> SlotRules | None:
    kind, dot, rest = name.partition(".")
    if not dot:
        return playbook.slots[name].rules
    if kind == "caller":
        declared = playbook.variables[rest].type
        return None if declared == "choice" else SlotRules(SlotType(declared))
    return SlotRules(SlotType.YES_NO) if kind == "fact" or rest.endswith(".ok") else None


def _graph_faults(playbook: "Playbook", steps: dict[str, int]) -> Iterator[Misplaced]:
    """Steps nobody gets to, steps that lead nowhere, rounds without an end."""
    follows = {step.name: {transition.to for transition in step.transitions} for step in playbook.steps}
    start = playbook.steps[0].name
    reached = _closure({start, *playbook.anytime_steps}, follows)
    for name in steps.keys() - reached:
        yield Misplaced(
            ("steps", steps[name], "name"), f"no transition leads to the step {name!r}, and it is not anytime"
        )
    endings = {step.name for step in playbook.steps if step.escalates or step.ends_call}
    comes_from: dict[str, set[str]] = {name: set() for name in follows}
    for name, others in follows.items():
        for other in others:
            comes_from[other].add(name)
    can_end = _closure(endings, comes_from)
    by_caller = bool(endings & set(playbook.anytime_steps))
    for step in playbook.steps:
        at: At = ("steps", steps[step.name])
        ends = step.name in endings or step.name in playbook.anytime_steps
        if not step.transitions and not ends:
            yield Misplaced((*at, "name"), f"the step {step.name!r} leads nowhere: transitions, ends_call or anytime")
        elif step.name not in can_end and not ends and not by_caller:
            message = "the call can never end: from here no way leads to a step that ends it or hands over"
            yield Misplaced((*at, "transitions"), message)
    yield from _rounds(playbook, steps)


def _closure(begin: set[str], follows: dict[str, set[str]]) -> set[str]:
    reached, waiting = set(begin), list(begin)
    while waiting:
        for other in follows[waiting.pop()] - reached:
            reached.add(other)
            waiting.append(other)
    return reached


def _rounds(playbook: "Playbook", steps: dict[str, int]) -> Iterator[Misplaced]:
    """Ways that the call would take by itself, under one and the same condition, back to where it began."""
    texts: dict[str, dict[str, str]] = {}  # condition -> step -> where it leads
    for step in playbook.steps:
        for transition in step.transitions:
            if transition.when is not None:
                texts.setdefault(_plain(transition), {}).setdefault(step.name, transition.to)
    for leads in texts.values():
        done: set[str] = set()
        for name in leads:
            way: list[str] = []
            while name in leads and name not in done:
                done.add(name)
                way.append(name)
                name = leads[name]
            if name in way:
                round_ = " -> ".join([*way[way.index(name) :], name])
                yield Misplaced(("steps", steps[name], "transitions"), f"goes round for ever: {round_}")


def _plain(transition: Transition) -> str:
    return "".join((transition.when or "").split())
