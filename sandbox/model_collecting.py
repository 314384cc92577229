"""How the rule-based model collects: what its prompt wants read back, asked again or found out, in that order."""

import re
from typing import Any

from sandbox import model_tools
from sandbox.model_prompt import Conversation

_TO_READ_BACK = re.compile(r"^Read this back .*whether it is right: (.*)$", re.M)
_TO_ASK_AGAIN = re.compile(r"^Ask again for (.*?): (.*)\.$", re.M)
_TO_FIND_OUT = re.compile(r"^Still to find out, one question at a time: (.*)$", re.M)
_FORM = re.compile(r"^(.*?)(?: \(([^()]*)\))?$")


def wanted(conversation: Conversation) -> str:
    """The question that comes next; "" if nothing is to be collected, or the caller has just told it all."""
    system = conversation.system
    if value := _TO_READ_BACK.search(system):
        return f"I have noted {value[1]}. Is that right?"
    if again := _TO_ASK_AGAIN.search(system):
        return f"I am sorry, I understood {again[2]}. Could you tell me the {again[1]} again?"
    missing = _TO_FIND_OUT.search(system)
    for item in missing[1].split("; ") if missing else ():
        form = _FORM.match(item)
        told = form[1] if form else item
        if not _just_told(told, (form and form[2]) or "", conversation):
            return model_tools.asking_for(told)
    return ""


def _just_told(told: str, form: str, conversation: Conversation) -> bool:
    """Whether the caller's last words tell it: the notes that fill it in are still being taken."""
    turn = Conversation(system=conversation.system, lines=conversation.lines[-2:])
    name = re.split(r"[,:;(]", told)[0].strip().replace(" ", "_")
    return model_tools.value_of(name, _schema(told, form), turn) is not None


def _schema(told: str, form: str) -> dict[str, Any]:
    if form.startswith("one of "):
        return {"type": "string", "enum": form.removeprefix("one of ").split(", "), "description": told}
    kind = {"yes or no": "boolean", "as a number": "number"}.get(form, "string")
    return {"type": kind, "description": told}
