"""Callers with keys, another language, second thoughts, from the phone to the CRM: real processes and sockets."""

import asyncio
from pathlib import Path

import httpx
import pytest

from cli.settings import Settings
from cli.stack import Stack
from core.contracts import names
from evals.product import FeedLine, Product
from evals.rehearsal import Rehearsal, Stage, load_rehearsals
from evals.sandbox_control import SandboxControl
from tests.world.stack import stack_options

REHEARSALS = Path(__file__).parents[2] / "evals" / "rehearsals"
TOOLS = REHEARSALS / "tools.yaml"
CARD = "4111111111111111"
OFFICE_CALLS = """
name: office_calls
goal: Tell offices that their parts have come.
persona: You are Ada, friendly and brief.
disclosure: I am an AI assistant.
greeting: "Hello, this is Ada from the parts store."
welcome_back: "Sorry, we were cut off."
farewell: "Goodbye."
steps:
  - name: phone_menu
    goal: Get to the parts department.
    examples:
      - For sales press one, for parts press two.
      - Press three to hear our opening hours.
      - Please listen, as our menu has changed.
    tools: [press_keys]
  - name: tell
    goal: "Tell them: the brake pads have come."
    examples: ["Parts department.", "What have you got for us?", "Who is calling?"]
  - name: goodbye
    goal: Say goodbye.
    examples: ["Thank you and goodbye.", "Bye."]
    ends_call: true
"""
BEHIND_A_MENU = Rehearsal.model_validate(
    {
        "name": "behind-a-menu",
        "title": "An office whose phone system asks for a key first",
        "direction": "outbound",
        "to": "+12025550173",
        "playbook": "office_calls",
        "people": {
            "+12025550173": {
                "script": [
                    {"say": "For sales press one, for parts press two."},
                    {"say": "Parts department, what have you got for us?", "wait_for": r"\[2\]"},
                    {"say": "Thank you and goodbye.", "wait_for": "brake pads"},
                ]
            }
        },
        "expect": {
            "disposition": "completed",
            "steps": ["phone_menu", "tell"],
            "heard": [r"\(pressed 2\)", "brake pads have come"],
        },
    }
)
pytestmark = pytest.mark.timeout(400)


async def test_keys_languages_two_wishes_and_confirmed_tools_from_end_to_end(
    tmp_path: Path, temporal_binary: Path
) -> None:
    options = stack_options(tmp_path, temporal_binary, keep_data=True, HOLDFAST_LOG_PERSONAL_DATA="true")
    lines: list[FeedLine] = []
    async with Stack(options, Settings.read()) as stack:
        product, sandbox = Product(stack.url, stack.api_key), SandboxControl(stack.sandbox_url or "")
        stage = Stage(product, sandbox, lines.append)
        async with stage.listening():
            await product.publish("office_calls", OFFICE_CALLS)
            keys_and_languages = load_rehearsals(REHEARSALS / "keys_and_languages.yaml")
            unclear = load_rehearsals(REHEARSALS / "unclear_callers.yaml")
            clear = [one for one in unclear if one.name in ("off-topic", "two-things-at-once")]
            rehearsals = [*keys_and_languages, *load_rehearsals(TOOLS), BEHIND_A_MENU, *clear]
            outcomes = await asyncio.gather(*map(stage.play, rehearsals))
        assert [outcome.problems for outcome in outcomes] == [()] * 7, lines
        paid = await product.call(outcomes[0].call_id)
        wishes, off_topic = [(await product.call(played.call_id))["transcript"][1] for played in outcomes[-2:]]
        async with httpx.AsyncClient(trust_env=False) as http:
            effects = (await http.get(f"{stack.sandbox_url}/crm/_effects")).json()["effects"]
        stamps, _ = await sandbox.timeline()
        heard = await sandbox.call(outcomes[1].call_id)
        await product.close()
        await sandbox.close()
    assert (off_topic["step"], off_topic["step_method"]) == ("order_status", "off_topic")
    assert wishes["step"] == "returns"
    assert wishes["heard"].index("return label") < wishes["heard"].index("your order number")
    card = {"account_number": "482130", "card_number": CARD}
    assert card in [effect["body"]["arguments"] for effect in effects if effect["operation"] == "pay_bill"]
    tools = [tool for turn in paid["transcript"] for tool in turn["tools"] if tool["name"] == "pay_bill"]
    assert tools[0]["arguments"] == {"account_number": "482130", "card_number": "[card_number]"}
    moved = [effect["body"]["arguments"] for effect in effects if effect["operation"] == "update_shipping_address"]
    assert moved == [
        {"order_number": "31416", "address": "12 Oak Lane in Salem."},
        {"order_number": "31416", "address": "the address on file"},
    ]
    assert "¿Cómo puedo ayudarle con su factura?" in " ".join(line["text"] for line in heard["heard"])
    told = {"feed": repr(lines), "api": repr(paid), "prompts and speech": repr(stamps)}
    assert [where for where, text in told.items() if CARD in text] == []
    files = files_under(tmp_path)
    assert [path for path, content in files.items() if CARD.encode() in content] == []
    assert [path for path, content in files.items() if b"[card_number]" in content]  # the search finds what is there
    assert any(names.CALL_WORKFLOW.encode() in content for path, content in files.items() if "temporal" in path.name)


def files_under(folder: Path) -> dict[Path, bytes]:
    """Databases, logs, recorded speech: all that the product has written."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
