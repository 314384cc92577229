"""The shipped connectors in a call: a playbook's tools, the tool activity, and the sandbox on real sockets."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.playbook_shelf import PlaybookShelf
from activities.tools import ToolActivities
from core.contracts.tools import RunTool, ToolOutcome, UndoTool
from core.conversation import ToolCall
from core.playbook import parse_playbook
from tests.vendors.connectors import SECRETS, Box, box
from tests.world.fakes import FakeFeed, FakePlaybackLine, FakePlaybooks, FakeReasoner
from tests.world.playbook import ORDERS
from vendors.python_tools import PythonTools
from vendors.tool_secrets import ToolSecrets

TOOLS = """
  - name: find_times
    python: calcom.find_slots
    settings: {event_type_id: 101, time_zone: America/New_York}
  - name: book_call
    python: calcom.book
    settings: {event_type_id: 101, time_zone: America/New_York}
  - name: find_calls
    python: calcom.find_bookings
  - name: cancel_call
    python: calcom.cancel
    effect: irreversible
    read_back: I cancel your call on {spoken_time}. Is that right?
  - name: open_case
    python: salesforce.create_case
  - name: write_down
    python: hubspot.upsert_contact
  - name: book_nothing
    python: calcom.book
    settings: {time_zone: America/New_York}
"""
NAMES = "find_times, book_call, find_calls, cancel_call, open_case, write_down, book_nothing"
CALLER, OTHER = "+12025550199", "+12025550100"


class Desk:
    """The tool activity, on the real connectors."""

    def __init__(self, sandbox: Box, kind: PythonTools) -> None:
        self.sandbox = sandbox
        self._environment = ActivityEnvironment()
        playbooks = FakePlaybooks()
        text = ORDERS.replace("tools: [find_order]", f"tools: [find_order, {NAMES}]") + TOOLS
        self.playbook = playbooks.put(parse_playbook(text))
        self.shelf = PlaybookShelf(playbooks, {"python": kind})
        self._activities = ToolActivities({"python": kind}, FakePlaybackLine(), self.shelf, FakeFeed(), FakeReasoner())

    def request(self, tool: str, arguments: dict[str, Any], number: str = CALLER) -> RunTool:
        call = ToolCall("t1", tool, arguments)
        return RunTool("CA1", self.playbook.ref, "order_status", 2, call, f"CA1:2:{tool}", number)

    async def run(self, request: RunTool, attempt: int = 1) -> ToolOutcome:
        self._environment.info = replace(self._environment.info, attempt=attempt)
        return await self._environment.run(self._activities.run_tool, request)

    async def undo(self, request: RunTool, outcome: ToolOutcome) -> ToolOutcome:
        return await self._environment.run(self._activities.undo_tool, UndoTool(request, outcome.content))

    async def booking(self) -> tuple[RunTool, ToolOutcome]:
        """A booked call of the caller's."""
        found = await self.run(self.request("find_times", {}))
        start = json.loads(found.content)["free_times"][0]["start"]
        request = self.request("book_call", {"start": start, "name": "Dana Doe", "spoken_time": "Monday at nine"})
        return request, await self.run(request)

    async def states(self) -> list[str]:
        """Of all bookings but Jamie's, which is there from the start."""
        return [booking["status"] for booking in (await self.sandbox.told("/v2/_bookings"))[1:]]


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    async with box() as sandbox:
        homes = {f"{vendor}_BASE_URL": sandbox.origin for vendor in ("SALESFORCE", "HUBSPOT", "CALENDLY", "CALCOM")}
        kind = PythonTools(ToolSecrets(SECRETS | homes))
        try:
            yield Desk(sandbox, kind)
        finally:
            await kind.close()


async def test_model_is_offered_each_connector_with_its_own_words_but_none_that_is_set_up_wrongly() -> None:
    async with desk() as calls:
        playbook = (await calls.shelf.get(calls.playbook.ref)).playbook
        assert "book_nothing" not in playbook.step("order_status").tools  # its settings lack what is booked
        tool = playbook.tool("book_call")
        assert tool.description.startswith("Book a free time")
        assert (tool.does, tool.timeout_seconds) == ("write", 10.0)
        assert set(tool.arguments["required"]) == {"start", "spoken_time", "name"}


async def test_booking_whose_answer_was_lost_is_looked_up_and_not_made_twice() -> None:
    async with desk() as calls:
        calls.sandbox.breaks("calcom", "drop", match="POST /v2/bookings")
        found = await calls.run(calls.request("find_times", {}))
        start = json.loads(found.content)["free_times"][0]["start"]
        request = calls.request("book_call", {"start": start, "spoken_time": "Monday at nine", "name": "Dana Doe"})
        with pytest.raises(ApplicationError):
            await calls.run(request)
        outcome = await calls.run(request, attempt=2)
        assert (outcome.ok, json.loads(outcome.content)["start"]) == (True, start)
        assert await calls.states() == ["accepted"]
        assert calls.sandbox.requests("calcom", "POST /v2/bookings") == 1


async def test_booking_is_taken_back_by_the_connectors_own_means() -> None:
    async with desk() as calls:
        request, booked = await calls.booking()
        assert booked.undoable
        assert (await calls.undo(request, booked)).ok
        assert await calls.states() == ["cancelled"]


async def test_cancellation_waits_for_the_callers_yes_and_speaks_of_the_time() -> None:
    async with desk() as calls:
        _, booked = await calls.booking()
        uid = json.loads(booked.content)["booking_uid"]
        request = calls.request("cancel_call", {"booking_uid": uid, "spoken_time": "Monday at nine"})
        asked = await calls.run(request)
        assert asked.ask == "I cancel your call on Monday at nine. Is that right?"
        assert await calls.states() == ["accepted"]
        assert (await calls.run(replace(request, confirmed=True))).ok
        assert await calls.states() == ["cancelled"]


async def test_caller_from_another_number_has_no_such_booking_whatever_is_said() -> None:
    async with desk() as calls:
        _, booked = await calls.booking()
        uid = json.loads(booked.content)["booking_uid"]
        theirs = calls.request("cancel_call", {"booking_uid": uid, "spoken_time": "Monday"}, OTHER)
        outcome = await calls.run(replace(theirs, confirmed=True))
        assert (outcome.ok, outcome.content) == (False, "the caller has no such booking")
        pretended = calls.request("find_calls", {"caller_number": CALLER}, OTHER)
        assert (await calls.run(pretended)).wrong
        listed = await calls.run(calls.request("find_calls", {}, OTHER))
        assert json.loads(listed.content) == {"bookings": []}
        assert await calls.states() == ["accepted"]


async def test_case_whose_answer_was_lost_is_opened_once() -> None:
    async with desk() as calls:
        calls.sandbox.breaks("salesforce", "drop", match="PATCH")
        request = calls.request("open_case", {"subject": "Broken panel"})
        with pytest.raises(ApplicationError):
            await calls.run(request)
        outcome = await calls.run(request, attempt=2)
        (case,) = (await calls.sandbox.told("/services/_records"))["Case"]
        assert json.loads(outcome.content)["case_number"] == case["CaseNumber"]


async def test_refusal_is_told_to_the_model_without_what_the_caller_said() -> None:
    async with desk() as calls:
        outcome = await calls.run(calls.request("write_down", {"email": "dana at example"}))
        assert (outcome.ok, outcome.content) == (False, "email was not taken (VALIDATION_ERROR)")
