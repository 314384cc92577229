"""The playbook that scripted calls follow: small, its steps easy to tell apart by their words."""

from core.playbook import Playbook, parse_playbook

ORDERS = """
name: orders
goal: Help customers of a shop with their orders.
persona: You are Ada, friendly and brief.
disclosure: I am an AI assistant.
greeting: How can I help?
welcome_back: Sorry, we were cut off.
holding_lines: ["One moment, please."]
fillers: []
silence_prompts: ["Are you there?", "Hello?"]
farewell: Goodbye.
apology: I am sorry, something went wrong.
transfer_to: "+12025550100"
min_confidence: 0.5
step_finding: {audit: 0}
steps:
  - name: order_status
    goal: Tell where an order is.
    examples: ["Where is my order?", "When does my parcel arrive?"]
    tools: [find_order]
  - name: returns
    goal: Take a return.
    examples: ["I want to send something back.", "Can I return the shoes?"]
  - name: person
    goal: Hand over to a person.
    examples: ["Can I talk to a human?", "Give me a representative."]
    escalates: true
  - name: goodbye
    goal: Say goodbye.
    examples: ["No, nothing else, goodbye.", "Bye bye."]
    ends_call: true
tools:
  - name: find_order
    description: Look an order up.
    operation: find_order
    arguments:
      type: object
      properties:
        order_number: {type: string}
      required: [order_number]
      additionalProperties: false
"""


def orders(transfer_to: str | None = "+12025550100") -> Playbook:
    """The playbook; without a number to hand over to, nothing escalates."""
    text = ORDERS
    if transfer_to is None:
        text = text.replace('transfer_to: "+12025550100"\n', "").replace("    escalates: true\n", "")
    return parse_playbook(text)


def keyed_orders() -> Playbook:
    """The playbook, whose order numbers are keyed in and told to nobody but the tool."""
    tools = "    tools: [find_order]\n"
    return parse_playbook(ORDERS.replace(tools, f"{tools}    digits: {{name: order_number, sensitive: true}}\n"))


SPANISH = """
languages: [en, es]
language_keys: {"2": es}
translations:
  es:
    voice: {id: "voz"}
    disclosure: Soy un asistente de IA.
    greeting: ¿Cómo puedo ayudarle?
    welcome_back: Perdone, se ha cortado.
    holding_lines: ["Un momento, por favor."]
    silence_prompts: ["¿Sigue ahí?"]
    farewell: Adiós.
    apology: Lo siento, algo ha fallado.
    fillers: ["A ver.", "Un segundo."]
"""


def bilingual_orders() -> Playbook:
    """The playbook, also in Spanish."""
    return parse_playbook(ORDERS + SPANISH)


WRITING_TOOLS = """
  - name: change_address
    description: Send an order elsewhere.
    operation: change_address
    effect: write
    confirm: true
    read_back: "I will send it to {street}. Is that right?"
    undo: {tool: restore_address, arguments: {street: "{street}", was: "{answer.status}"}}
    arguments:
      type: object
      properties:
        street: {type: string}
        phone: {type: string, bind: caller_number}
      required: [street, phone]
      additionalProperties: false
  - name: restore_address
    description: Undo it.
    operation: restore_address
    effect: write
    arguments: {type: object, properties: {street: {type: string}, was: {type: string}}}
  - name: open_case
    description: Open a case.
    operation: open_case
    effect: write
    undo: {tool: restore_address, arguments: {street: case}}
  - name: note
    description: Write a note.
    operation: note
    effect: write
"""


def confirming_orders() -> Playbook:
    """The playbook with tools that write, one of which asks first, and a read that may be told again."""
    text = ORDERS.replace("tools: [find_order]", "tools: [find_order, change_address, open_case, note]")
    text = text.replace("operation: find_order\n", "operation: find_order\n    cache_seconds: 60\n")
    return parse_playbook(text + WRITING_TOOLS)


def collecting_orders() -> Playbook:
    """The playbook, whose first step asks for a number before it looks anything up."""
    tools = "    tools: [find_order]\n"
    return parse_playbook(
        ORDERS.replace(tools, f'{tools}    collect: [{{name: order_number, pattern: "[0-9]{{5}}"}}]\n')
    )
