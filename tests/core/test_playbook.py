from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contracts.playbook import brief_of
from core.keypad import DigitField, Key, KeyAction, Keypad
from core.playbook import END_CALL_TOOL, Fault, PlaybookFaults, digest, parse_playbook

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
SHIPPED = sorted(PLAYBOOKS.glob("*.yaml"))
SMALL = """\
name: small
goal: Help.
persona: You are Ann.
greeting: Hello.
transfer_to: "+12025550190"
steps:
  - name: help
    goal: Help the caller.
    tools: [look_up]
  - name: bye
    goal: Say goodbye.
    ends_call: true
tools:
  - name: look_up
    description: Look something up.
    operation: look_up
    arguments:
      type: object
      properties:
        number: {type: string}
      required: [number]
"""


def faults_of(text: str) -> list[Fault]:
    with pytest.raises(PlaybookFaults) as caught:
        parse_playbook(text, "p.yaml")
    return caught.value.faults


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_playbook_parses_and_is_whole(path: Path) -> None:
    playbook = parse_playbook(path.read_text(), path.name)
    assert playbook.name == path.stem
    assert any(step.ends_call for step in playbook.steps)
    assert any(step.escalates for step in playbook.steps)
    assert all(5 <= len(step.callers_say) <= 30 for step in playbook.steps if step.anytime is not False)
    used = {name for step in playbook.steps for name in step.tools}
    assert used == {tool.name for tool in playbook.tools}
    queues = [number for queue in playbook.queues for number in queue.numbers]
    fictional = [*playbook.numbers, *queues, playbook.transfer_to or ""]
    assert all(number[5:10] == "55501" for number in fictional if number)


@pytest.mark.parametrize("name", ["appointment_reminder", "lead_qualification", "order_support"])
def test_the_examples_show_what_a_playbook_can_say(name: str) -> None:
    playbook = parse_playbook((PLAYBOOKS / f"{name}.yaml").read_text(), name)
    led_to_by_words = [step for step in playbook.steps if step.anytime is not False]
    assert all(len(step.callers_say) >= 15 for step in led_to_by_words)
    assert any(slot.confirm for slot in playbook.slots.values()) or any(tool.asks_first for tool in playbook.tools)
    conditions = " ".join(way.when or "" for step in playbook.steps for way in step.transitions)
    assert "tool." in conditions
    assert playbook.facts
    assert playbook.limits.max_call_seconds
    assert [queue for queue in playbook.queues if queue.hours]
    assert playbook.after_call.properties
    assert playbook.after_call.follow_ups


def test_four_playbooks_are_shipped() -> None:
    names = ["appointment_reminder", "bill_payment", "lead_qualification", "order_support"]
    assert [path.stem for path in SHIPPED] == names


def test_a_playbook_is_read() -> None:
    playbook = parse_playbook(SMALL)
    assert playbook.ref == f"small@{digest(SMALL)}"
    assert playbook.step("bye").ends_call
    assert playbook.tool("look_up").arguments["required"] == ["number"]
    brief = brief_of(playbook)
    assert brief.start_step == "help"
    assert brief.greeting == f"{playbook.disclosure} Hello."


def test_the_reference_changes_with_the_text() -> None:
    assert parse_playbook(SMALL).ref != parse_playbook(SMALL.replace("Help.", "Help well.")).ref


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "message", "hint"),
    [
        ("goal: Help.", "gaol: Help.", 2, "gaol", "no such field", "did you mean 'goal'?"),
        ("ends_call: true", "end_call: true", 12, "steps.1.end_call", "no such field", "did you mean 'ends_call'?"),
        ("ends_call: true", "ends_call: perhaps", 12, "steps.1.ends_call", "must be true or false", ""),
        ("[look_up]", "[look_upp]", 9, "steps.0.tools.0", "no tool is named 'look_upp'", "did you mean 'look_up'?"),
        ("name: bye", "name: help", 10, "steps.1.name", "'help' is used twice", ""),
        ("name: bye", "name: Bye now", 10, "steps.1.name", "String should match pattern '^[a-z][a-z0-9_-]*$'", ""),
        ("greeting: Hello.", "greeting: 5", 4, "greeting", "must be text", "need quotes"),
        ('"+12025550190"', "+12025550190", 5, "transfer_to", "must be text", "need quotes"),
        ('"+12025550190"', '"0202"', 5, "transfer_to", "String should match pattern", ""),
        ("[look_up]", "look_up", 9, "steps.0.tools", "must be a list", ""),
        ("type: object", "type: array", 18, "tools.0.arguments.type", "must be 'object'", ""),
        ("[number]", "[nummber]", 21, "tools.0.arguments.required.0", "no argument is named 'nummber'", "'number'?"),
        ("goal: Help.", "goal: Help.\ngoal: Help.", 3, "goal", "is written twice", ""),
        ("ends_call: true", "ends_call: true\n    goal: Bye.", 13, "steps.1.goal", "is written twice", ""),
        (
            "ends_call: true",
            "canned: [{examples: [Nara.], answer: Nara.}]\nlanguage: pl",
            12,
            "steps.1.canned.0",
            "there are canned answers in de, en,",
            "",
        ),
        ("goal: Help.", "goal: Help.\nfillers: [Hm.]", 3, "fillers", "must be several", ""),
        ("goal: Help.", "goal: Help.\nfillers: [Hm., hm]", 3, "fillers.1", "is there twice", ""),
        (
            "ends_call: true",
            "canned: [{example: [Bye.], answer: Bye.}]",
            12,
            "steps.1.canned.0.example",
            "no such field",
            "did you mean 'examples'?",
        ),
        (
            "ends_call: true",
            "canned: [{examples: [Bye.], answer: 'Bye, {name}.'}]",
            12,
            "steps.1.canned.0.answer",
            "is said as it stands",
            "",
        ),
        (
            "ends_call: true",
            "examples: [Bye now.]\n    canned: [{examples: [bye now], answer: Bye.}]",
            13,
            "steps.1.canned.0.examples.0",
            "the step 'bye' has this example already",
            "",
        ),
    ],
)
def test_a_fault_names_file_line_field_and_hint(
    old: str, new: str, line: int, field: str, message: str, hint: str
) -> None:
    assert old in SMALL
    fault = next(fault for fault in faults_of(SMALL.replace(old, new, 1)) if fault.field == field)
    assert (fault.file, fault.line) == ("p.yaml", line)
    assert fault.message.startswith(message)
    assert hint in fault.hint
    assert str(fault).startswith(f"p.yaml:{line}: {field}: {message}")


def test_all_missing_fields_are_told_at_once() -> None:
    assert {fault.field for fault in faults_of("name: x")} == {"goal", "persona", "greeting", "steps"}


def test_escalation_needs_a_number_to_hand_over_to() -> None:
    text = SMALL.replace('transfer_to: "+12025550190"\n', "").replace("ends_call: true", "escalates: true")
    fault = faults_of(text)[0]
    assert (fault.line, fault.field) == (11, "steps.1.escalates")
    assert "transfer_to" in fault.message


KEYS = SMALL.replace("transfer_to", 'keys: {"0": transfer, "9": repeat}\ntransfer_to', 1).replace(
    "    tools: [look_up]\n",
    '    tools: [look_up]\n    digits: {name: number, min: 5, max: 5, sensitive: true}\n    keys: {"9": consent}\n',
)


def test_a_step_says_what_may_be_pressed_in_it() -> None:
    playbook = parse_playbook(KEYS)
    assert playbook.keypad("bye") == Keypad(None, (Key("0", KeyAction.TRANSFER), Key("9", KeyAction.REPEAT)))
    assert playbook.keypad("") == playbook.keypad("bye")
    assert playbook.keypad("help") == Keypad(
        DigitField("number", 5, 5, "#", 3_000, sensitive=True),
        (Key("0", KeyAction.TRANSFER), Key("9", KeyAction.CONSENT)),
    )
    assert playbook.sensitive_fields == {"number"}


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "message"),
    [
        ("min: 5", "mini: 5", 11, "steps.0.digits.mini", "no such field"),
        ("min: 5", "min: 6", 11, "steps.0.digits.min", "must not be above max, which is 5"),
        ("max: 5", "max: 65", 11, "steps.0.digits.max", "Input should be less than or equal to 64"),
        ("name: number", "name: numbers", 11, "steps.0.digits.name", "no tool has an argument named 'numbers'"),
        ('"0": transfer', '"0": dance', 5, "keys.0", "Input should be 'transfer', 'consent'"),
        ('"0": transfer', "0: transfer", 5, "keys.0.[key]", "must be text"),
        ('"0": transfer', '"00": transfer', 5, "keys.00.[key]", "String should match pattern"),
        ('transfer_to: "+12025550190"\n', "", 5, "keys.0", "transfer needs transfer_to"),
    ],
)
def test_a_fault_in_keys_or_digits_is_named(old: str, new: str, line: int, field: str, message: str) -> None:
    assert old in KEYS
    fault = next(fault for fault in faults_of(KEYS.replace(old, new, 1)) if fault.field == field)
    assert fault.line == line
    assert fault.message.startswith(message)


SPANISH = """\
languages: [en, es]
language_keys: {"2": es}
translations:
  es:
    voice: {id: voz}
    disclosure: Soy un asistente.
    greeting: Hola.
    welcome_back: De vuelta.
    holding_lines: [Un momento.]
    silence_prompts: ["¿Sigue ahí?"]
    farewell: Adiós.
    apology: Lo siento.
"""


def test_a_playbook_has_its_lines_and_voice_in_each_language() -> None:
    playbook = parse_playbook(SMALL + SPANISH)
    assert (playbook.language, playbook.spoken) == ("en", ("en", "es"))
    assert playbook.lines_in("es").greeting == "Hola."
    assert playbook.lines_in("en").greeting == playbook.lines_in("fr").greeting == "Hello."
    assert (playbook.voice_in("es").id, playbook.voice_in("en").id) == ("voz", playbook.voice.id)
    assert Key("2", KeyAction.LANGUAGE, "es") in playbook.keypad("").keys
    brief = brief_of(playbook)
    assert brief.spoken_in("es").greeting == "Soy un asistente. Hola."
    assert brief.spoken_in("es").ref == playbook.ref
    assert brief.spoken_in("en") is brief
    assert brief.turn_taking.languages == ("en", "es")


def test_the_first_language_is_the_calls() -> None:
    german = SPANISH.replace("[en, es]", "[de, es]")
    assert parse_playbook(SMALL + german).language == "de"
    fault = faults_of("language: en\n" + SMALL + german)[0]
    assert (fault.field, fault.message) == ("languages.0", "the first one must be the call's language, 'en'")


@pytest.mark.parametrize(
    ("old", "new", "field", "message", "hint"),
    [
        ("    farewell: Adiós.\n", "", "translations.es.farewell", "is missing", ""),
        ("farewell", "fairwell", "translations.es.fairwell", "no such field", "did you mean 'farewell'?"),
        ("[en, es]", "[en, es, de]", "languages.2", "translations has no lines in 'de'", ""),
        ("[en, es]", "[en]", "translations.es", "is not among the other languages", ""),
        ("[en, es]", "[en, es, es]", "languages.2", "'es' is used twice", ""),
        ("[en, es]", "[en, spanish]", "languages.1", "String should match pattern", ""),
        ('"2": es', '"2": fr', "language_keys.2", "'fr' is not among languages", "known here: en, es"),
        ('"2": es}', '"2": es}\nkeys: {"2": repeat}', "language_keys.2", "the key does something else", ""),
    ],
)
def test_a_fault_in_languages_is_named(old: str, new: str, field: str, message: str, hint: str) -> None:
    assert old in SPANISH
    fault = next(fault for fault in faults_of(SMALL + SPANISH.replace(old, new, 1)) if fault.field == field)
    assert fault.message.startswith(message)
    assert hint in fault.hint
    assert fault.line > SMALL.count("\n")


def test_tools_that_every_call_has_cannot_be_defined_again() -> None:
    fault = faults_of(SMALL.replace("look_up", END_CALL_TOOL))[0]
    assert (fault.line, fault.field) == (14, "tools.0.name")


@pytest.mark.parametrize(
    "text", ["", "[]", "just words", "a: [", "\x00", "when: 2026-13-45", "? [a]\n: b", "a: &a [*a]", "1: 2"]
)
def test_what_is_no_playbook_at_all_is_a_fault_too(text: str) -> None:
    assert faults_of(text)[0].line == 1


def test_tags_that_would_run_code_are_refused() -> None:
    assert "is no YAML" in faults_of("name: !!python/object/apply:os.getcwd []")[0].message


@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    with pytest.raises(PlaybookFaults):
        parse_playbook(text)


@given(st.data())
def test_no_damage_to_a_playbook_breaks_the_parser(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SMALL)))
    until = data.draw(st.integers(at, min(len(SMALL), at + 20)))
    text = SMALL[:at] + data.draw(st.text(max_size=5)) + SMALL[until:]
    faults: list[Fault] = []
    try:
        parse_playbook(text)
    except PlaybookFaults as error:
        faults = error.faults
    assert all(1 <= fault.line <= text.count("\n") + 2 for fault in faults)


@pytest.mark.parametrize(
    ("mood", "field", "message"),
    [
        ("{escalate_after: 2}", "mood.escalate_after", "needs transfer_to"),
        ("{read: false, every: 3}", "mood.read", "is off"),
        ("{voices: {grumpy: {speed: 0.9}}}", "mood.voices.grumpy.[key]", "Input should be"),
        ("{voices: {angry: {sped: 0.9}}}", "mood.voices.angry.sped", "no such field"),
    ],
)
def test_moods_rules_are_checked(mood: str, field: str, message: str) -> None:
    text = SMALL.replace('transfer_to: "+12025550190"', f"mood: {mood}")
    (fault,) = faults_of(text)
    assert (fault.field, fault.line) == (field, 5)
    assert fault.message.startswith(message)
