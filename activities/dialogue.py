"""Where a call is in its playbook by what it knows, before the caller's words are looked at."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace

from core.agenda import KEPT, OFF_TOPIC, UNCLEAR, Matter
from core.contracts.call import Respond
from core.conversation import Step
from core.memory import Memory, Source
from core.paths import advance, reachable_steps, wants_person
from core.plain_answers import plain_answers
from core.playbook import Playbook

TRANSITION = "transition"
POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Place:
    """The step after all transitions that are due, where the turn may lead from it, and what it plainly tells."""

    playbook: Playbook
    before: str
    step: str
    reachable: tuple[str, ...]
    slots: dict[str, str]
    person: bool
    turn: int

    def finish(self, found: Step) -> Step:
        """The step that was found by words or model, if the way allows it; else the one that is due."""
        if self.person:
            found = replace(self._here(POLICY), escalates=True)
        elif found.name is not None and found.name not in self.reachable:
            found = replace(found, name=None, confidence=0.0, answer="", escalates=False, ends_call=False)
        if found.name is None and self.step != self.before:
            found = replace(self._here(TRANSITION), usage=found.usage, mood=found.mood)
        detour = (found.name or found.likely) in self.playbook.anytime_steps
        likely = found.likely if found.name is None and self._is_plain(found.likely) else ""
        return replace(found, slots=self.slots, detour=detour, likely=likely)

    def _is_plain(self, name: str) -> bool:
        """Whether an answer in this step, if the call may go there, says what is to be said and no more."""
        steps = {step.name: step for step in self.playbook.steps if step.name in self.reachable}
        return name in steps and not (steps[name].escalates or steps[name].ends_call)

    def _here(self, method: str) -> Step:
        step = self.playbook.step(self.step)
        return Step(step.name, 1.0, method, escalates=step.escalates, ends_call=step.ends_call)


def judged(found: Step, place: Place, text: str, *, sure: float) -> Step:
    """What becomes of a step that the model has named: it counts, the caller is asked, or the call stays where it is.

    Whoever wants a person gets one first, who can see to the rest; a goodbye among other matters comes by itself.
    """
    playbook, below = place.playbook, place.playbook.step_finding.clarify_below
    steps = {step.name: step for step in playbook.steps if step.name in place.reachable}
    if found.name in steps and found.confidence >= max(sure, below):
        wanted = [name for name in (found.name, *(matter.step for matter in found.matters)) if name in steps]
        first = next((name for name in wanted if steps[name].escalates), wanted[0])
        others = [name for name in wanted if name != first and not (steps[name].escalates or steps[name].ends_call)]
        if steps[first].ends_call and others:
            first, *others = others
        words = {matter.step: matter.words for matter in found.matters}
        detours = playbook.anytime_steps
        matters = tuple(Matter(name, words.get(name) or text, place.turn, name in detours) for name in others)
        step = steps[first]
        return Step(
            first, found.confidence, "model", escalates=step.escalates, ends_call=step.ends_call, matters=matters
        )
    if found.method == OFF_TOPIC and found.confidence >= max(sure, below) and not place.slots:
        return Step(place.step, found.confidence, OFF_TOPIC)
    nowhere = found.name is None and found.method != OFF_TOPIC
    if nowhere or found.confidence >= below or place.slots or len(steps) < 2:
        return Step(place.step, 0.0, KEPT)
    choices = tuple(name for name in found.choices if name in steps)
    return Step(place.step, found.confidence, UNCLEAR, choices=choices)


def step_now(playbook: Playbook, request: Respond) -> str:
    """The step an answer is made in: a tool's result may have led on since the turn's step was found."""
    if request.memory is None:
        return request.step
    memory = deepcopy(request.memory)
    for name, value in request.slots.items():
        memory.learn(name, value, Source.CALLER, request.key.turn)
    return advance(playbook, memory, request.step, request.variables)


def place_of(
    playbook: Playbook,
    memory: Memory | None,
    before: str,
    turn: int,
    text: str,
    variables: Mapping[str, str],
    language: str,
) -> Place:
    """Take in what the words plainly tell, and every transition that is due."""
    memory = deepcopy(memory) if memory is not None else Memory()
    known = {step.name for step in playbook.steps}
    slots = plain_answers(playbook.step(before), memory, text, turn, language) if before in known else {}
    for name, value in slots.items():
        memory.learn(name, value, Source.CALLER, turn)
    step = advance(playbook, memory, before, variables)
    if step != before:
        memory.at = step
    return Place(
        playbook=playbook,
        before=before,
        step=step,
        reachable=reachable_steps(playbook, memory, step, variables),
        slots=slots,
        person=wants_person(playbook, memory, variables, turn),
        turn=turn,
    )
