"""What the rule-based model understands of a request: the same prompt a real model reads."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_NOTE = re.compile(r"\([^()]*\)")
_QUOTED = re.compile(r'"(.*)"', re.S)
_STEP = re.compile(r"The step is ([\w-]+)\.\s*(?:What to achieve in it:\s*)?([^\n]*)")
_KNOWN = re.compile(r"# What is known[^\n]*\n((?:- [^\n]*\n?)*)")
_DOCUMENTS = re.compile(r"<documents>(.*?)</documents>", re.S)
_EXCERPT = re.compile(r'<excerpt id="(\d+)" from="([^"]*)">(.*?)</excerpt>', re.S)
_BULLET = re.compile(r"^- ([\w-]+): (.*)$", re.M)


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """A tool call of the conversation, and what came back: None while nothing has."""

    name: str
    arguments: dict[str, Any]
    result: str | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Who said what. Notes in parentheses, which the phone system puts in, are taken out."""

    caller: bool
    text: str


@dataclass
class Conversation:
    """A Messages request, read."""

    system: str = ""
    lines: list[Line] = field(default_factory=list)
    outcomes: list[ToolOutcome] = field(default_factory=list)
    fresh: int = 0  # how many of the outcomes' results stand in the last message
    heard_already: str = ""  # what a note says the caller has heard of this answer
    step: str = ""
    goal: str = ""
    known: dict[str, str] = field(default_factory=dict)
    excerpts: dict[int, tuple[str, str]] = field(default_factory=dict)  # number -> (where it stands, its text)

    @property
    def caller_text(self) -> str:
        """What the caller said last."""
        return next((line.text for line in reversed(self.lines) if line.caller), "")

    @property
    def asked(self) -> str:
        """What the assistant said before that."""
        callers = [place for place, line in enumerate(self.lines) if line.caller]
        before = self.lines[: callers[-1]] if callers else self.lines
        return next((line.text for line in reversed(before) if not line.caller), "")

    def answers(self) -> Iterator[tuple[str, str]]:
        """(what the assistant said, what the caller answered), newest first."""
        for place in range(len(self.lines) - 1, -1, -1):
            if self.lines[place].caller:
                before = self.lines[place - 1] if place else None
                yield (before.text if before and not before.caller else ""), self.lines[place].text


def read_request(request: Mapping[str, Any]) -> Conversation:
    """Understand a request to ``POST /v1/messages``."""
    system = _text_of(request.get("system") or "")
    found = Conversation(system=system)
    if step := _STEP.search(system):
        found.step, found.goal = step[1], step[2]
    if known := _KNOWN.search(system):
        found.known = dict(_BULLET.findall(known[1]))
    pending: dict[str, int] = {}
    for message in request.get("messages", ()):
        _take_message(found, message, pending)
    return found


def _take_message(found: Conversation, message: Mapping[str, Any], pending: dict[str, int]) -> None:
    caller = message.get("role") == "user"
    content = message.get("content") or ""
    blocks: list[dict[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not caller:  # user messages in a row are one turn
        found.fresh, found.heard_already = 0, ""
    texts = []
    for block in blocks:
        match block.get("type"):
            case "text":
                texts.append(block["text"])
            case "tool_use":
                pending[block["id"]] = len(found.outcomes)
                found.outcomes.append(ToolOutcome(block["name"], dict(block.get("input") or {})))
            case "tool_result" if block.get("tool_use_id") in pending:
                place = pending[block["tool_use_id"]]
                asked = found.outcomes[place]
                result = _text_of(block.get("content") or "")
                found.outcomes[place] = ToolOutcome(asked.name, asked.arguments, result, bool(block.get("is_error")))
                found.fresh += 1
    text = " ".join(texts)
    if caller:
        for documents in _DOCUMENTS.findall(text):
            found.excerpts = {int(number): (place, told) for number, place, told in _EXCERPT.findall(documents)}
        text = _DOCUMENTS.sub(" ", text)
        found.heard_already = _heard_already(text) or found.heard_already
    if spoken := _NOTE.sub(" ", text).strip():
        found.lines.append(Line(caller, " ".join(spoken.split())))


def _heard_already(text: str) -> str:
    """What a note such as "(The caller has heard this much: "..." Go on right after it)" quotes."""
    for note in _NOTE.findall(text):
        if "go on" in note.lower() and (quoted := _QUOTED.search(note)):
            return quoted[1]
    return ""


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n\n".join(block.get("text", "") for block in content if isinstance(block, dict))


def as_json(text: str) -> dict[str, Any] | None:
    """The JSON object that a tool's result holds, if it does."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
