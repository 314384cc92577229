"""What the model reads about the phone's keys."""

from collections.abc import Mapping
from typing import Any

from core.keypad import KeyAction, Keypad, reference
from core.playbook import Playbook
from core.tools import shown_to_model

_DOES = {
    KeyAction.TRANSFER: "connects the caller to a person",
    KeyAction.CONSENT: "means yes, the caller consents",
    KeyAction.REFUSE: "means no, the caller does not consent",
    KeyAction.REPEAT: "has the last answer said again",
    KeyAction.END: "ends the call",
    KeyAction.NO_CALLS: "keeps us from ever calling again, and ends the call",
}
_SPOKEN = {"#": "the hash key", "*": "the star key"}


def key_notes(keypad: Keypad) -> str:
    """A part of the situation; "" where nothing may be pressed."""
    notes = [f"Key {key.key} {_DOES[key.action]}." for key in keypad.keys if key.action in _DOES]
    if (digits := keypad.digits) is not None:
        count = f"{digits.least}" if digits.least == digits.most else f"{digits.least} to {digits.most}"
        end = f", then {_SPOKEN[digits.terminator]}" if digits.terminator else ""
        notes.append(f"The caller can key in the {digits.name} ({count} digits{end}): say so when you ask for it.")
        if digits.sensitive:
            mark = reference(digits.name)
            notes.append(
                f"You never see these digits: once they are keyed in, {mark} stands for them. Give {mark} as the "
                "tool's argument, just so. Never say it aloud, and never have the caller say the digits."
            )
    if not notes:
        return ""
    notes.append("Square brackets in a message are the phone system's notes on keys, not the caller's words.")
    return "# Keys\n" + "\n".join(notes)


def shown_arguments(playbook: Playbook, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """A tool's JSON Schema as the model may fill it in: sensitive digits by their reference only, nothing of ours."""
    arguments = shown_to_model(arguments)
    properties = arguments.get("properties", {})
    hidden = playbook.sensitive_fields & properties.keys()
    if not hidden:
        return arguments
    shown = {name: {"type": "string", "enum": [reference(name)]} | _told(properties[name]) for name in hidden}
    return {**arguments, "properties": {**properties, **shown}}


def _told(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: schema[name] for name in ("description",) if name in schema}
