"""Faults in a playbook's tools are found before a call, with file, line and field."""

import pytest

from core.playbook import PlaybookFaults, parse_playbook
from core.tools import Effect
from tests.world.playbook import ORDERS

HTTP = """
  - name: quote
    description: A quote.
    http: {url: "https://api.shop.example/quotes/{order}"}
    arguments: {type: object, properties: {order: {type: string}}, required: [order]}
"""
WRITE = """
  - name: move
    description: Move it.
    operation: move
    effect: write
    confirm: true
    read_back: "To {street}?"
    arguments: {type: object, properties: {street: {type: string}}, required: [street]}
"""
HOSTS = '\ntool_hosts: ["api.shop.example"]\n'


def faults(text: str) -> str:
    with pytest.raises(PlaybookFaults) as caught:
        parse_playbook(text, "x.yaml")
    return str(caught.value)


def test_tools_of_each_kind_are_read() -> None:
    text = ORDERS + HTTP + WRITE + "  - {name: book, python: shop.book}\n"
    text += "  - {name: ask, description: Ask., mcp: {url: 'http://127.0.0.1:9/mcp', tool: ask}}\n"
    playbook = parse_playbook(text + 'tool_hosts: ["api.shop.example", "127.0.0.1:9"]\n')
    assert [tool.kind for tool in playbook.tools] == ["operation", "http", "operation", "python", "mcp"]
    assert playbook.tool("move").does is Effect.WRITE
    assert playbook.tool("move").asks_first


@pytest.mark.parametrize(
    ("change", "to", "fault"),
    [
        ("operation: move", "operation: move\n    python: x.y", "tools.2: needs one of operation, python, http, mcp"),
        ("    operation: move\n", "", "tools.2: needs one of operation, python, http, mcp"),
        ("    description: Move it.\n", "", "tools.2.description: is missing"),
        ('    read_back: "To {street}?"\n', "", "tools.2.read_back: is missing"),
        ("To {street}?", "To where?", "does not read 'street' back"),
        ("To {street}?", "To {town}?", "no argument is named 'town' (known here: street)"),
        ("confirm: true", "confirm: false", "what cannot be undone is confirmed by the caller first"),
        ("effect: write", "effect: write\n    cache_seconds: 5", "only a read can be told again"),
        ("effect: write", "effect: write\n    undo: {tool: back}", "tools.2.undo.tool: no tool is named 'back'"),
        (
            "effect: write",
            "effect: write\n    undo: {tool: quote, arguments: {order: '{gone}'}}",
            "{gone} is no argument",
        ),
        ("{street: {type: string}}", "{street: {type: string, bind: who}}", "bind: 'who' is not known"),
        ("{street: {type: string}}", "{street: {$ref: 'http://x/y'}}", "a $ref may only point within"),
        ("effect: write", "effects: write", "no such field (did you mean 'effect'?)"),
        ("https://api", "http://api", "must be https"),
        ("https://api.shop.example", "https://{order}.shop.example", "with no {name} in its host"),
        ("https://api", "https://other", "the host other.shop.example is not among tool_hosts"),
        ("https://api", "https://me:pw@api", "holds a user name"),
        ("quotes/{order}", "quotes/{other}", "{other} must be a required argument"),
        ('{order}"', '{order}", headers: {Authorization: x}', "is set by us"),
        ('{order}"', '{order}", auth: {bearer: A, basic: B}', "needs one of bearer, basic, or header with secret"),
    ],
)
def test_fault_names_its_field(change: str, to: str, fault: str) -> None:
    text = ORDERS + HTTP + WRITE + HOSTS
    assert change in text
    if "confirm: false" in to:
        text = text.replace("effect: write", "effect: irreversible")
    found = faults(text.replace(change, to))
    assert fault in found
    assert found.startswith("x.yaml:")


def test_translation_reads_back_too() -> None:
    spanish = """
languages: [en, es]
translations:
  es:
    disclosure: Soy una IA.
    greeting: Hola.
    welcome_back: Perdone.
    holding_lines: [Un momento.]
    silence_prompts: ['¿Sigue ahí?']
    farewell: Adiós.
    apology: Lo siento.
    read_backs: {move: "¿A {street}?"}
"""
    assert parse_playbook(ORDERS + WRITE + spanish).translations["es"].read_backs == {"move": "¿A {street}?"}
    assert "has no line for 'move'" in faults(
        ORDERS + WRITE + spanish.replace('    read_backs: {move: "¿A {street}?"}\n', "")
    )
    assert "no argument is named 'calle'" in faults(ORDERS + WRITE + spanish.replace("{street}", "{calle}"))


def test_what_nobody_says_aloud_is_read_back_by_other_words() -> None:
    schema = "{type: object, properties: {id: {type: string, said_as: day}, day: {type: string}}, required: [id]}"
    text = ORDERS + WRITE.replace("To {street}?", "On {day}?")
    asked = "{type: object, properties: {street: {type: string}}, required: [street]}"
    assert parse_playbook(text.replace(asked, schema)).tool("move").read_back == "On {day}?"
    assert "does not read 'day' back" in faults(text.replace(asked, schema).replace("On {day}?", "Is that right?"))
