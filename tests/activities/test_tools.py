"""A tool's activity: attempts, look-ups, undoing, answers nobody can use."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.playbook_shelf import PlaybookShelf
from activities.tools import LONGEST_ANSWER, ToolActivities
from core.contracts.tools import RunTool, ToolOutcome, UndoTool
from core.conversation import ToolCall
from core.playbook import parse_playbook
from core.ports.errors import VendorError
from core.ports.tools import PythonTool, ToolContext
from core.tools import Effect
from tests.world.fakes import FakeFeed, FakePlaybackLine, FakePlaybooks, FakeReasoner, broken
from tests.world.playbook import ORDERS
from vendors.python_tools import BadTool, PythonTools
from vendors.tool_secrets import ToolSecrets

BOOK = """
  - name: book
    python: diary.book
    timeout_seconds: 0.2
"""
SCHEMA = {
    "type": "object",
    "properties": {"day": {"type": "string"}, "phone": {"type": "string", "bind": "caller_number"}},
    "required": ["day", "phone"],
    "additionalProperties": False,
}


class Diary:
    """A system behind a Python tool, which can be away after it has done its part."""

    def __init__(self) -> None:
        self.booked: dict[str, Mapping[str, Any]] = {}
        self.contexts: list[ToolContext] = []
        self.failure: VendorError | None = None
        self.url = ""
        self.stalls = False
        self.loses_answer = False
        self.long = ""

    async def book(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        self.contexts.append(context)
        if self.failure is not None:
            raise self.failure
        if self.url:
            await context.http.get(self.url)
        if self.stalls:
            await asyncio.Event().wait()
        self.booked[context.idempotency_key] = dict(arguments)
        if self.loses_answer:
            raise broken("timeout")
        return {"booked": arguments["day"], "long": self.long}

    async def find(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any] | None:
        found = self.booked.get(context.idempotency_key)
        return {"booked": found["day"]} if found else None

    async def cancel(
        self, arguments: Mapping[str, Any], answer: Mapping[str, Any], context: ToolContext
    ) -> Mapping[str, Any]:
        del self.booked[context.idempotency_key]
        return {"cancelled": answer["booked"]}


class Desk:
    """The activities on one Python tool."""

    def __init__(self, **tool: Any) -> None:
        self.diary = Diary()
        parts: dict[str, Any] = {"effect": Effect.WRITE, "arguments": SCHEMA, **tool}
        self.offered = {"diary.book": PythonTool("Book a day.", self.diary.book, **parts)}
        self.kind = PythonTools(ToolSecrets({"KEY": "k"}), load=self._load)
        playbooks, feed, playback = FakePlaybooks(), FakeFeed(), FakePlaybackLine()
        text = ORDERS.replace("tools: [find_order]", "tools: [find_order, book]") + BOOK
        self.playbook = playbooks.put(parse_playbook(text))
        kinds = {"python": self.kind}
        self.feed = feed
        self.shelf = PlaybookShelf(playbooks, kinds)
        self.activities = ToolActivities(kinds, playback, self.shelf, feed, FakeReasoner())

    def _load(self, name: str) -> PythonTool:
        if name not in self.offered:
            raise BadTool(f"no installed package offers the tool {name!r}")
        return self.offered[name]

    def request(self, **arguments: Any) -> RunTool:
        call = ToolCall("t1", "book", arguments or {"day": "Monday"})
        return RunTool("CA1", self.playbook.ref, "order_status", 2, call, "CA1:2:1", "+12025550123")

    async def run(self, attempt: int = 1, request: RunTool | None = None) -> ToolOutcome:
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt)
        return await environment.run(self.activities.run_tool, request or self.request())


async def test_python_tool_gets_what_the_server_knows_not_what_the_model_says() -> None:
    desk = Desk()
    outcome = await desk.run(request=desk.request(day="Monday", phone="+12025550999"))
    assert (outcome.ok, outcome.effect, json.loads(outcome.content)["booked"]) == (True, "write", "Monday")
    (context,) = desk.diary.contexts
    assert desk.diary.booked == {"CA1:2:1": {"day": "Monday", "phone": "+12025550123"}}
    assert (context.caller.number, context.secret("KEY"), context.http.timeout.read) == ("+12025550123", "k", 0.2)


async def test_model_is_told_the_tools_own_description_and_not_what_is_bound() -> None:
    desk = Desk()
    tool = (await desk.shelf.get(desk.playbook.ref)).playbook.tool("book")
    assert tool.description == "Book a day."
    assert tool.arguments == SCHEMA


async def test_tool_that_cannot_be_loaded_is_not_offered() -> None:
    desk = Desk()
    del desk.offered["diary.book"]
    assert (await desk.shelf.get(desk.playbook.ref)).playbook.step("order_status").tools == ("find_order",)
    outcome = await desk.run()
    assert "cannot be used in this step" in outcome.content


async def test_lost_write_that_was_done_is_found_and_not_done_twice() -> None:
    desk = Desk()
    desk.offered["diary.book"] = replace(desk.offered["diary.book"], look_up=desk.diary.find)
    desk.diary.loses_answer = True
    with pytest.raises(ApplicationError):
        await desk.run()
    outcome = await desk.run(attempt=2)
    assert (outcome.ok, json.loads(outcome.content)) == (True, {"booked": "Monday"})
    assert len(desk.diary.contexts) == 1


async def test_lost_write_that_was_not_done_is_done_now() -> None:
    desk = Desk()
    desk.offered["diary.book"] = replace(desk.offered["diary.book"], look_up=desk.diary.find)
    desk.diary.failure = broken("unavailable")
    with pytest.raises(ApplicationError):
        await desk.run()
    desk.diary.failure = None
    assert (await desk.run(attempt=2)).ok
    assert len(desk.diary.contexts) == 2


@pytest.mark.parametrize("effect", [Effect.WRITE, Effect.IRREVERSIBLE])
async def test_write_that_cannot_be_looked_up_is_tried_once(effect: Effect) -> None:
    desk = Desk(effect=effect)
    desk.diary.stalls = True
    request = replace(desk.request(), confirmed=True)
    outcome = await desk.run(request=request)
    assert (outcome.ok, outcome.tried) == (False, True)
    assert "nobody knows whether it was done" in outcome.content
    again = await desk.run(attempt=2, request=request)  # the worker died meanwhile
    assert "nobody knows whether it was done" in again.content
    assert len(desk.diary.contexts) == 1


async def test_system_that_cannot_be_reached_is_no_news_to_history_but_its_kind() -> None:
    desk = Desk(effect=Effect.READ)
    desk.diary.url = "http://127.0.0.1:1/bookings?phone=+12025550123"
    with pytest.raises(ApplicationError, match=r"connection failed \(ConnectError\)") as caught:
        await desk.run()
    assert (caught.value.type, caught.value.non_retryable) == ("unavailable", False)
    assert "2025550123" not in str(caught.value)


async def test_read_is_tried_as_often_as_the_playbook_says() -> None:
    desk = Desk(effect=Effect.READ)
    desk.diary.failure = broken("unavailable")
    with pytest.raises(ApplicationError):
        await desk.run()
    outcome = await desk.run(attempt=2)
    assert (outcome.ok, outcome.content) == (False, "the system did not answer")


async def test_irreversible_tool_whose_playbook_cannot_read_it_back_is_not_run() -> None:
    desk = Desk(effect=Effect.IRREVERSIBLE)
    outcome = await desk.run()
    assert "does not say how it is read back" in outcome.content
    assert desk.diary.contexts == []


async def test_undoing_uses_the_tools_own_means() -> None:
    desk = Desk()
    desk.offered["diary.book"] = replace(desk.offered["diary.book"], compensate=desk.diary.cancel)
    outcome = await desk.run()
    assert outcome.undoable
    undone = await ActivityEnvironment().run(desk.activities.undo_tool, UndoTool(desk.request(), outcome.content))
    assert (undone.ok, undone.undoable, json.loads(undone.content)) == (True, False, {"cancelled": "Monday"})
    assert desk.diary.booked == {}


async def test_endless_answer_is_cut_before_history_keeps_it() -> None:
    desk = Desk()
    desk.diary.long = "x" * 1_000_000
    outcome = await desk.run()
    assert len(outcome.content) < LONGEST_ANSWER + 100
    assert outcome.content.endswith("(cut)")


async def test_arguments_that_fail_the_schema_run_nothing() -> None:
    desk = Desk()
    outcome = await desk.run(request=desk.request(day=7, other=1))
    assert (outcome.ok, outcome.wrong, outcome.tried) == (False, True, False)
    assert "7 is not of type" in outcome.content
    assert desk.diary.contexts == []
    assert desk.feed.kinds("CA1") == ["tool_returned"]
