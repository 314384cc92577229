"""The connectors as playbooks use them: by entry point, through the engine's contract."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from cli.tool_check import tool_faults
from core.playbook import parse_playbook
from core.ports.errors import VendorError
from core.ports.tools import PythonTool
from core.tools import Effect
from tests.vendors.connectors import SECRETS, Box, box, expect_refusal
from vendors.python_tools import load_offered, offered_names
from vendors.tool_secrets import ToolSecrets

SHIPPED = [name for name in offered_names() if name.split(".")[0] in ("salesforce", "hubspot", "calendly", "calcom")]
JAMIE, STRANGER = "+12025550161", "+12025550199"
CALL = {"event_type_id": 101, "time_zone": "America/New_York"}
CALENDLY_CALL = {"event_type": "https://api.calendly.com/event_types/CALL", "time_zone": "America/New_York"}


def examples() -> list[list[dict[str, Any]]]:
    """The tools in each example of docs/connectors.md."""
    page = (Path(__file__).parents[2] / "docs" / "connectors.md").read_text()
    return [yaml.safe_load(block)["tools"] for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]


async def run(
    sandbox: Box, name: str, number: str, settings: dict[str, Any] | None = None, /, **arguments: Any
) -> dict[str, Any]:
    """As the engine does it: settings and arguments are checked, then the tool is run."""
    tool = load_offered(name)
    assert jsonschema_rs.is_valid(dict(tool.arguments), arguments)
    assert jsonschema_rs.is_valid(dict(tool.settings), settings or {})
    return dict(await tool.run(arguments, sandbox.context(number, settings)))


def test_eighteen_tools_are_shipped() -> None:
    assert len(SHIPPED) == 18


@pytest.mark.parametrize("name", SHIPPED)
def test_every_tool_says_what_it_takes_and_does_nothing_twice(name: str) -> None:
    tool: PythonTool = load_offered(name)
    for schema in (tool.arguments, tool.settings):
        jsonschema_rs.validator_for(dict(schema))
        assert schema["additionalProperties"] is False
    assert all(described["description"] for described in tool.arguments["properties"].values())
    assert tool.effect is Effect.READ or tool.idempotent or tool.look_up
    assert tool.secrets
    said_by_the_model = tool.arguments["properties"].keys()
    assert said_by_the_model.isdisjoint({"phone", "number", "caller", "caller_number", "contact_id"})


@pytest.mark.parametrize("tools", examples(), ids=lambda tools: tools[0]["python"])
def test_each_documented_example_is_a_playbooks(tools: list[dict[str, Any]]) -> None:
    step = {"name": "help", "goal": "Help.", "tools": [tool["name"] for tool in tools]}
    whole = {"name": "example", "goal": "Help.", "persona": "You are Sam.", "greeting": "Hi.", "farewell": "Bye."}
    playbook = parse_playbook(yaml.safe_dump({**whole, "steps": [step], "tools": tools}))
    assert list(tool_faults(playbook, ToolSecrets(dict.fromkeys((*SECRETS, "SALESFORCE_BASE_URL"), "set")), ())) == []
    for tool in playbook.tools:
        offered = load_offered(tool.python or "")
        assert jsonschema_rs.is_valid(dict(offered.settings), tool.settings)
        assert offered.complete(tool).does is offered.effect


def test_every_connector_has_an_example() -> None:
    vendors = {tool["python"].split(".")[0] for tools in examples() for tool in tools}
    assert vendors == {name.split(".")[0] for name in SHIPPED}


@pytest.mark.parametrize("name", SHIPPED)
async def test_a_tool_without_its_secret_names_the_variable(name: str) -> None:
    tool = load_offered(name)
    arguments = {"subject": "x", "last_name": "x", "start": "x", "name": "x", "email": "x", "booking_id": "x"}
    asked = {key: value for key, value in arguments.items() if key in tool.arguments["properties"]}
    if "booking_uid" in tool.arguments["properties"]:
        asked["booking_uid"] = "x"
    settings = CALENDLY_CALL if name.startswith("calendly") else CALL
    given = {key: value for key, value in settings.items() if key in tool.settings["properties"]}
    async with box() as sandbox:
        context = sandbox.context(JAMIE, given, **{tool.secrets[-1]: ""})
        with pytest.raises(VendorError, match=f"HOLDFAST_SECRET_{tool.secrets[-1]} is not set"):
            await tool.run(asked, context)


async def test_a_caller_known_to_salesforce_opens_a_case_and_hears_of_it() -> None:
    async with box() as sandbox:
        assert (await run(sandbox, "salesforce.find_contact", JAMIE))["first_name"] == "Jamie"
        case = await run(sandbox, "salesforce.create_case", JAMIE, subject="Broken panel", priority="High")
        listed = await run(sandbox, "salesforce.list_cases", JAMIE)
        assert [seen["case_number"] for seen in listed["cases"]] == [case["case_number"]]
        assert await run(sandbox, "salesforce.create_lead", STRANGER, last_name="Doe")
        assert await run(sandbox, "salesforce.create_task", JAMIE, subject="Call back", due_date="2026-12-01")


async def test_tools_of_one_worker_sign_in_to_salesforce_once() -> None:
    tool = load_offered("salesforce.find_contact")
    async with box() as sandbox:
        context = sandbox.context(JAMIE)
        await tool.run({}, context)
        await tool.run({}, context)
        assert sandbox.requests("salesforce", "POST /services/oauth2/token") == 1


async def test_a_caller_unknown_to_hubspot_becomes_a_contact_with_a_ticket() -> None:
    async with box() as sandbox:
        made = await run(sandbox, "hubspot.upsert_contact", STRANGER, first_name="Dana", email="dana@example.com")
        assert (await run(sandbox, "hubspot.find_contact", STRANGER))["contact_id"] == made["contact_id"]
        stage = {"pipeline": "7", "stage": "71"}
        ticket = await run(sandbox, "hubspot.create_ticket", STRANGER, stage, subject="Broken panel", priority="LOW")
        listed = await run(sandbox, "hubspot.list_tickets", STRANGER)
        assert [(seen["ticket_id"], seen["stage"]) for seen in listed["tickets"]] == [(ticket["ticket_id"], "71")]


async def test_a_calcom_booking_is_made_moved_and_cancelled() -> None:
    async with box() as sandbox:
        first, second, *_ = (await run(sandbox, "calcom.find_slots", STRANGER, CALL))["free_times"]
        made = await run(
            sandbox, "calcom.book", STRANGER, CALL, start=first["start"], name="Dana Doe", spoken_time="Monday"
        )
        where = {"time_zone": CALL["time_zone"]}
        asked = {"booking_uid": made["booking_uid"], "start": second["start"], "spoken_time": "Tuesday at one"}
        moved = await run(sandbox, "calcom.reschedule", STRANGER, where, **asked)
        assert datetime.fromisoformat(moved["start"]) == datetime.fromisoformat(second["start"])
        assert (await run(sandbox, "calcom.find_bookings", STRANGER))["bookings"] == [moved]
        await run(sandbox, "calcom.cancel", STRANGER, booking_uid=moved["booking_uid"], spoken_time="Monday at ten")
        assert (await run(sandbox, "calcom.find_bookings", STRANGER))["bookings"] == []


@pytest.mark.parametrize(
    ("name", "settings", "path"),
    [("calcom.book", CALL, "POST /v2/bookings"), ("calendly.book", CALENDLY_CALL, "POST /invitees")],
)
async def test_a_booking_whose_answer_was_lost_is_looked_up_and_can_be_taken_back(
    name: str, settings: dict[str, Any], path: str
) -> None:
    tool = load_offered(name)
    assert tool.look_up
    assert tool.compensate
    async with box() as sandbox:
        slots = await run(sandbox, f"{name.split('.')[0]}.find_slots", STRANGER, settings)
        arguments = {"start": slots["free_times"][0]["start"], "name": "Dana Doe", "email": "dana@example.com"}
        context = sandbox.context(STRANGER, settings)
        assert await tool.look_up(arguments, context) is None
        sandbox.breaks(name.split(".")[0], "drop", match=path)
        with expect_refusal("unavailable"):
            await tool.run(arguments, context)
        found = await tool.look_up(arguments, context)
        assert found
        assert sandbox.requests(name.split(".")[0], path) == 1
        for _ in range(2):
            await tool.compensate(arguments, found, context)
        assert await tool.look_up(arguments, context) is None
