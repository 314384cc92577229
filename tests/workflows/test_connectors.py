"""A whole call whose tools and note go to real connectors, over sockets to the sandbox."""

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
from temporalio.client import Client

from activities.roster import Ports
from core.conversation import ToolCall
from core.outcome import Disposition
from core.playbook import parse_playbook
from core.ports.tools import ToolKind
from tests.vendors.connectors import SECRETS, box
from tests.world.playbook import ORDERS
from tests.world.world import CallWorld, workers_of
from vendors.crm_notes import NotesElsewhere
from vendors.hubspot import HubSpot
from vendors.python_tools import PythonTools
from vendors.tool_secrets import ToolSecrets

TOOLS = """
  - name: find_times
    python: calcom.find_slots
    settings: {event_type_id: 101, time_zone: America/New_York}
  - name: book_call
    python: calcom.book
    settings: {event_type_id: 101, time_zone: America/New_York}
    confirm: true
    read_back: I book {spoken_time} for {name}. Is that right?
"""


class ConnectedWorld(CallWorld):
    """With connectors in place of the fake CRM's tools and notes."""

    def __init__(self, client: Client, tools: ToolKind, notes: HubSpot) -> None:
        super().__init__(client)
        self._tools = tools
        self._notes = notes

    @property
    def ports(self) -> Ports:
        """What workers get."""
        return replace(super().ports, tools={"python": self._tools}, crm=NotesElsewhere(self.crm, self._notes))


async def test_booking_is_made_once_after_the_callers_yes_though_its_answer_is_lost_and_the_call_is_noted(
    temporal: Client,
) -> None:
    text = ORDERS.replace("tools: [find_order]", "tools: [find_order, find_times, book_call]") + TOOLS
    async with box() as sandbox, AsyncExitStack() as stack:
        tools = PythonTools(ToolSecrets({**SECRETS, "CALCOM_BASE_URL": sandbox.origin}))
        stack.push_async_callback(tools.close)
        http = await stack.enter_async_context(httpx.AsyncClient())
        world = ConnectedWorld(temporal, tools, HubSpot(http, sandbox.origin, "right"))
        await stack.enter_async_context(workers_of(world))
        stack.push_async_callback(world.close)
        sandbox.breaks("calcom", "drop", match="POST /v2/bookings")
        now = datetime.now(UTC)
        query = {"eventTypeId": "101", "start": now.isoformat(), "end": (now + timedelta(days=7)).isoformat()}
        headers = {"authorization": "Bearer right", "cal-api-version": "2024-09-04"}
        free = await sandbox.http.get(f"{sandbox.origin}/v2/slots", params=query, headers=headers)
        start = next(iter(free.json()["data"].values()))[0]["start"]
        said = {"start": start, "name": "Dana Doe", "spoken_time": "Monday at nine"}

        call = await world.answered_call(parse_playbook(text))
        world.reasoner.will_say([ToolCall("t1", "book_call", said)])
        await call.caller_says("Where is my order? And call me back.")
        await call.hears()
        assert await call.hears() == "I book Monday at nine for Dana Doe. Is that right?"
        assert sandbox.requests("calcom", "POST /v2/bookings") == 0
        world.reasoner.will_say("It is booked.")
        assert await call.asks("Yes, please.") == "It is booked."
        await call.hangs_up()
        assert await call.disposition() is Disposition.CALLER_HUNG_UP
        await call.after_call()

        (_, booking) = await sandbox.told("/v2/_bookings")
        assert booking["attendees"][0]["phoneNumber"] == "+12025550123"
        assert sandbox.requests("calcom", "POST /v2/bookings") == 1
        (note,) = (await sandbox.told("/crm/v3/_records"))["calls"]
        assert note["properties"]["hs_call_from_number"] == "+12025550123"
        assert world.store.crm_notes == {call.id: note["id"]}
