"""When a step is done, what the call takes up next, and what the answer is told of it. Pure."""

from typing import Final

from core.agenda import KEPT, OFF_TOPIC, UNCLEAR, AgendaNote
from core.contracts.playbook import PlaybookBrief
from core.conversation import Step, Turn
from core.memory import Memory

_BY_WORDS: Final = frozenset({"lexical", "minilm", "model"})  # it was the caller who went there


def follow_up(memory: Memory, brief: PlaybookBrief, found: Step, at: str, turn: int) -> None:
    """A turn has come to be, which belongs to the step ``at``."""
    if not brief.agenda.keeps:
        return
    agenda = memory.agenda
    agenda.count(found.method, found.choices)
    if found.method in (UNCLEAR, KEPT, OFF_TOPIC):
        return  # nobody knows that the caller wants this step
    left = found.method in _BY_WORDS and agenda.at in brief.collects and not is_done(memory, brief)
    agenda.go_to(at, turn, found.matters, detour=found.detour, left=left)


def is_done(memory: Memory, brief: PlaybookBrief) -> bool:
    """Whether the present step has all it collects, confirmed where that is asked for, and its tools have worked."""
    agenda, slots = memory.agenda, memory.slots
    for name in brief.collects.get(agenda.at, ()):
        known = slots.get(name)
        if known is None and name not in brief.optional:
            return False
        if known is not None and name in brief.confirms and not known.confirmed:
            return False
    tools = brief.agenda.tools.get(agenda.at, ())
    worked = {action.tool for action in memory.actions if action.ok and action.turn >= agenda.since}
    return not tools or not worked.isdisjoint(tools)


def gives_up(memory: Memory, brief: PlaybookBrief, found: Step) -> bool:
    """Whether this unclear turn is one too many."""
    most = brief.agenda.most_unclear
    return found.method == UNCLEAR and 0 < most <= memory.agenda.unclear + 1


def take_up(memory: Memory, brief: PlaybookBrief, turn: Turn) -> bool:
    """Go on, in the same turn, with what is next, if the present step is done. Whether there is something."""
    agenda = memory.agenda
    matter = agenda.next
    if matter is None or turn.choices or turn.step_method == UNCLEAR or not is_done(memory, brief):
        return False
    resumed = matter in agenda.left
    if resumed and not brief.agenda.comes_back:
        return False
    agenda.take_up(turn.number)
    if not matter.detour:
        memory.go_to(matter.step, turn.number)
    turn.go_on(matter, resumed=resumed)
    return True


def note_for(memory: Memory, brief: PlaybookBrief, turn: Turn) -> AgendaNote | None:
    """What the answer to a turn, or its next part, is told beside its step; None: nothing."""
    if turn.step_method == UNCLEAR and not turn.part:
        return AgendaNote(unclear=True, choices=turn.choices)
    later = _later(memory, brief, turn)
    if not (later or turn.part):
        return None
    return AgendaNote(later=later, resumed=turn.resumed, taken_up=bool(turn.part) and not turn.resumed)


def _later(memory: Memory, brief: PlaybookBrief, turn: Turn) -> tuple[str, ...]:
    agenda = memory.agenda
    ahead = turn.matters if turn.eager is not None else ()  # of a turn that may be none nothing is in memory yet
    back = agenda.next if brief.agenda.comes_back and not agenda.matters else None
    wanted = (*(matter.step for matter in agenda.matters), *ahead, *((back.step,) if back else ()))
    return tuple(dict.fromkeys(step for step in wanted if step != turn.step))
