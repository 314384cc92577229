"""What the model is told of turns that are unclear, and of what the caller wants beside the present step."""

from collections.abc import Iterable, Iterator

from core.agenda import NO_STEP, AgendaNote
from core.playbook import Playbook

SEVERAL = (
    "\n\nAn answer to what the assistant has just asked belongs to the present step, surely. If a turn may as well "
    "belong to another step than the one you name, tell that one as `instead`, and be less sure. If it asks for "
    "several steps, name the first one and tell the others as `also`."
)

OFF_TOPIC = (
    f"\n\nA turn that plainly asks for what none of the steps is there for belongs to {NO_STEP}. Small talk, answers, "
    "and what the present step can take are no such turns."
)


def asked_to_choose(choices: Iterable[str]) -> str:
    """For finding the step of an answer to a clarifying question."""
    named = ", ".join(choices)
    return f" The assistant has just asked the caller which of these it is about: {named}." if named else ""


def agenda_notes(playbook: Playbook, note: AgendaNote | None) -> Iterator[str]:
    """Paragraphs of an answer's situation."""
    if note is None:
        return
    if note.unclear:
        yield _question(playbook, note.choices)
        return
    if note.taken_up:
        yield (
            "# This part of the answer\nThe caller asked for several things, and has heard the answer to the one "
            "before. Go on with this step now, without greeting or repeating: lead over to it in a few words."
        )
    if note.resumed:
        yield (
            "# This part of the answer\nThe caller had changed the subject, and has heard the answer to that. Go back "
            "to this step now, in a few words, and go on with it where it was left. Ask for nothing that is known."
        )
    if note.later:
        yield (
            "# What comes after this step\n"
            + "\n".join(f"- {_told(playbook, step)}" for step in note.later)
            + "\nThe caller wants that, too. It is taken up by itself once this step is done, in this order: say "
            "nothing of it yet, and do not ask whether there is anything else."
        )


def _question(playbook: Playbook, choices: tuple[str, ...]) -> str:
    head = "# What the caller wants is not clear\n"
    if len(choices) < 2:
        return head + "Ask them in one short question to say in other words what they want. Do nothing else."
    told = "\n".join(f"- {_told(playbook, step)}" for step in choices)
    return (
        f"{head}It may be one of these:\n{told}\nAsk one short question that lets the caller choose between them, in "
        "everyday words. Do nothing else: answer nothing and call no tool."
    )


def _told(playbook: Playbook, name: str) -> str:
    return f"{name}: {playbook.step(name).goal}"
