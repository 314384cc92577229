"""The rule-based model: what it says, which tools it asks for. Believable, and the same each time.

It reads the prompt a real model would read, knows nothing of any playbook, and always takes up a number or a word of
the caller's, so that answers to different turns differ.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox import model_agenda, model_calendar, model_collecting, model_menu, model_tongues, model_tools, model_words
from sandbox.json_values import valid_value
from sandbox.model_documents import from_documents
from sandbox.model_prompt import Conversation, ToolOutcome, as_json, read_request

_ENDS_CALL = re.compile(r"end_?(the_?)?call|hang_?up", re.I)
_TRANSFERS = re.compile(r"transfer|escalat|human|representative", re.I)
_PRESSES = re.compile(r"^press_keys$")
_NOT_OWN = re.compile("|".join(f"(?:{kind.pattern})" for kind in (_ENDS_CALL, _TRANSFERS, _PRESSES)), re.I)
_ON_KEYS = re.compile(r"\[[^\[\]]*\]")  # the phone system's note on what was keyed in
_ELSE = "Is there anything else I can help you with?"
_SENTENCE = re.compile(r"[^.?!]+[.?!]+(?:\s+|$)|[^.?!]+$")


@dataclass(frozen=True, slots=True)
class AskedTool:
    """A tool the model asks for."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answers with."""

    text: str
    tools: tuple[AskedTool, ...] = ()


def answer(request: Mapping[str, Any]) -> Answer:
    """Answer a request to ``POST /v1/messages`` that asks for no structured output."""
    conversation = read_request(request)
    choice = request.get("tool_choice") or {"type": "auto"}
    tools = [] if choice.get("type") == "none" else list(request.get("tools") or ())
    if choice.get("type") in ("tool", "any"):
        forced = next((tool for tool in tools if tool.get("name") == choice.get("name", tool.get("name"))), None)
        if forced is not None:
            return Answer("", (AskedTool(forced["name"], _forced(forced, conversation)),))
    found = _answer(conversation, tools)
    found = Answer(model_agenda.led_over(found.text, conversation), found.tools)
    if conversation.heard_already and found.text:
        return Answer(_go_on(found.text, conversation.heard_already), found.tools)
    return found


def _answer(conversation: Conversation, tools: Sequence[Mapping[str, Any]]) -> Answer:
    phrases = model_tongues.phrases_of(conversation.system)
    if conversation.fresh:
        if goes_on := model_tools.after_looking_up(tools, conversation):
            return Answer("", (AskedTool(*goes_on),))
        return Answer(_tell_all_in(phrases, conversation) if phrases else _tell_all(conversation))
    caller = conversation.caller_text
    if phrases is not None:
        return _answer_in(phrases, conversation, tools)
    if (hand_over := _named(tools, _TRANSFERS)) and model_words.wants_person(caller):
        reason = model_tools.arguments_for(hand_over, conversation) or {"reason": "The caller asks for a person"}
        return Answer(
            f"Of course. {_lead(caller)} I will put you through now.", (AskedTool(hand_over["name"], reason),)
        )
    if _named(tools, _PRESSES) and (key := model_menu.choice(caller, conversation.goal)):
        return Answer("", (AskedTool("press_keys", {"keys": key}),))
    if (end := _named(tools, _ENDS_CALL)) and model_words.says_goodbye(caller, conversation.asked):
        return Answer("You are welcome. Goodbye, and have a nice day!", (AskedTool(end["name"], {}),))
    if question := model_agenda.question(conversation.system):
        return Answer(question)
    own = [tool for tool in tools if not _NOT_OWN.search(tool["name"])]
    if asked := _ready(own, conversation):
        return Answer("", asked)
    return Answer(_speak(conversation, own))


def _ready(tools: Sequence[Mapping[str, Any]], conversation: Conversation) -> tuple[AskedTool, ...]:
    """What it is time for: one thing, and beside it what can be looked up without knowing anything."""
    asked: list[AskedTool] = []
    for tool in tools:
        if (arguments := model_tools.ready(tool, conversation)) is None:
            continue
        asked.append(AskedTool(tool["name"], arguments))
        if model_tools.needs_something(tool):
            break
    return tuple(asked)


def _answer_in(
    phrases: model_tongues.Phrases, conversation: Conversation, tools: Sequence[Mapping[str, Any]]
) -> Answer:
    """The same turns of the talk in another language."""
    caller = conversation.caller_text
    if (hand_over := _named(tools, _TRANSFERS)) and phrases.wants_person.search(caller):
        return Answer(phrases.transfer, (AskedTool(hand_over["name"], {"reason": "The caller asks for a person"}),))
    if (end := _named(tools, _ENDS_CALL)) and phrases.says_goodbye.search(caller):
        return Answer(phrases.goodbye, (AskedTool(end["name"], {}),))
    own = [tool for tool in tools if not _NOT_OWN.search(tool["name"])]
    for tool in own:
        if arguments := model_tools.ready(tool, conversation):
            return Answer("", (AskedTool(tool["name"], arguments),))
    heard = model_words.echo(caller) if model_words.digits(caller) and not _ON_KEYS.match(caller) else ""
    lead = phrases.heard.format(heard) if heard else phrases.understood
    asks = any(not model_tools.done(tool, conversation) and model_tools.question(tool, conversation) for tool in own)
    return Answer(f"{lead} {phrases.ask if asks else phrases.anything_else}")


def _tell_all_in(phrases: model_tongues.Phrases, conversation: Conversation) -> str:
    told = [outcome for outcome in conversation.outcomes if outcome.result is not None][-conversation.fresh :]
    return model_tongues.tell(phrases, [None if one.failed else as_json(one.result or "") for one in told])


def _speak(conversation: Conversation, tools: Sequence[Mapping[str, Any]]) -> str:
    caller = conversation.caller_text
    if not caller:
        return "Hello, thanks for taking the time. How can I help you?"
    lead = _lead(caller)
    if wanted := model_collecting.wanted(conversation):
        return f"{lead} {wanted}"
    if again := _told_before(conversation):
        return f"{lead} {again}"
    open_ = [tool for tool in tools if not model_tools.done(tool, conversation)]
    if told := from_documents(conversation, open_):
        return f"{lead} {told}"
    for tool in open_:
        if question := model_tools.question(tool, conversation):
            return f"{lead} {question}"
    return f"{lead} {_from_goal(conversation)} {_ELSE}"


def _lead(caller: str) -> str:
    """A short first sentence that shows the caller was heard."""
    if _ON_KEYS.match(caller):
        return "Thank you, I have got that."
    if found := model_words.digits(caller):
        return f"Thank you, I heard {max(found, key=len)}."
    word = model_words.echo(caller)
    if not word:
        return "All right."
    leads = ("Okay, you said {}.", "All right, you mentioned {}.", "Thank you, I noted {}.", "I see, I heard {}.")
    return leads[sum(caller.encode()) % len(leads)].format(word)


def _from_goal(conversation: Conversation) -> str:
    """The fact of the step's goal that fits what the caller said best: playbooks tell facts after a colon."""
    _, _, told = conversation.goal.partition(":")
    facts = [fact.strip() for fact in re.split(r"[.,;]\s", told) if len(fact.split()) > 2]
    if not facts:
        return "I have made a note of that."
    fact, _ = model_words.best(conversation.caller_text, facts)
    fact = fact.removeprefix("and ")
    return f"{fact[0].upper()}{fact[1:].rstrip('.')}."


def _told_before(conversation: Conversation) -> str:
    """What a tool has already told about the number the caller names again."""
    asked_again = set(model_words.digits(conversation.caller_text))
    for outcome in reversed(conversation.outcomes):
        if outcome.result is not None and asked_again & {str(value) for value in outcome.arguments.values()}:
            return _tell(outcome)
    return ""


def _tell_all(conversation: Conversation) -> str:
    told = [outcome for outcome in conversation.outcomes if outcome.result is not None][-conversation.fresh :]
    text = " ".join(_tell(outcome) for outcome in told)
    return text if "?" in text else f"{text} {_ELSE}"


def _tell(outcome: ToolOutcome) -> str:
    """A tool's result in words."""
    found = as_json(outcome.result or "")
    if found is None and not outcome.failed and _TRANSFERS.search(outcome.name):
        return "A colleague is being called. Would you stay on the line, please?"
    if outcome.failed or found is None:
        problem = (found or {}).get("message") or outcome.result or "it did not work"
        return f"I am sorry, that did not work. {_sentence(str(problem))} Shall we try something else?"
    if (told := model_calendar.tell(found)) is not None:
        return told
    first, *rest = (_sentence(part) for part in _facts(found))
    return " ".join((first, *rest[:2]))


def _facts(found: dict[str, Any]) -> Iterable[str]:
    """The result's fields in the order a person would tell them."""
    plain = {name: value for name, value in found.items() if isinstance(value, str | int | float | bool)}
    status = str(plain.pop("status", plain.pop("state", ""))).replace("_", " ")
    number = next((name for name in plain if name.endswith(("_number", "_id", "number"))), None)
    subject = "That"
    if number is not None:
        kind, value = number.removesuffix("_number").removesuffix("_id").replace("_", " "), plain.pop(number)
        subject = f"{kind.capitalize()} {value}" if number.endswith("number") else f"Your {kind}"
    day, hour = plain.pop("day", None), plain.pop("time", None)
    when = f" {'to' if status == 'moved' else 'for'} {day}" + (f" at {hour}" if hour else "") if day else ""
    yield f"{subject} {'has' if status == 'shipped' else 'is'} {status or 'done'}{when}"
    for name, value in plain.items():
        if value not in ("", None) and not isinstance(value, bool):
            yield f"The {name.replace('_', ' ')} is {value}"


def _go_on(text: str, heard: str) -> str:
    """The sentences of the answer that the caller has not heard."""
    known = _plain(heard)
    rest = [part.strip() for part in _SENTENCE.findall(text) if _plain(part) and _plain(part) not in known]
    if rest:
        return " ".join(rest)
    return "May I go on?" if _plain(_ELSE) in known else _ELSE


def _plain(text: str) -> str:
    return " ".join(model_words.words(text))


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _named(tools: Sequence[Mapping[str, Any]], name: re.Pattern[str]) -> Mapping[str, Any] | None:
    return next((tool for tool in tools if name.search(tool["name"])), None)


def _forced(tool: Mapping[str, Any], conversation: Conversation) -> dict[str, Any]:
    found = model_tools.arguments_for(tool, conversation)
    return found if found is not None else dict(valid_value(tool["input_schema"]))
