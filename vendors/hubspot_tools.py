"""What playbooks can use of HubSpot."""

from collections.abc import Mapping
from typing import Any, Final

from core.ports.tools import PythonTool, ToolContext
from core.tools import Effect
from vendors.hubspot import DEFAULT_BASE_URL, HubSpot
from vendors.tool_schemas import EMAIL, choice, described, text

SECRETS: Final = ("HUBSPOT_ACCESS_TOKEN",)


def _account(context: ToolContext) -> HubSpot:
    base_url = context.secret("HUBSPOT_BASE_URL", DEFAULT_BASE_URL)
    return HubSpot(context.http, base_url, context.secret("HUBSPOT_ACCESS_TOKEN"))


async def _find_contact(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _account(context).find_contact(context)


async def _upsert_contact(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _account(context).upsert_contact(context, **arguments)


async def _create_ticket(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _account(context).create_ticket(context, **arguments, **context.settings)


async def _list_tickets(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _account(context).list_tickets(context)


FIND_CONTACT: Final = PythonTool(
    "Tell whether the caller's phone number is that of a known contact, and their name and e-mail address.",
    _find_contact,
    secrets=SECRETS,
)
UPSERT_CONTACT: Final = PythonTool(
    "Write down what the caller has said about themselves; the phone number is the caller's.",
    _upsert_contact,
    described(
        first_name=text("given name", 100),
        last_name=text("family name", 100),
        email=EMAIL,
        company=text("where they work, if they call for a company"),
    ),
    Effect.WRITE,
    idempotent=True,
    secrets=SECRETS,
)
CREATE_TICKET: Final = PythonTool(
    "Open a ticket for the caller.",
    _create_ticket,
    described(
        ("subject",),
        subject=text("what it is about, in a few words"),
        content=text("all that a representative has to know", 4_000),
        priority=choice("how urgent it is", "LOW", "MEDIUM", "HIGH"),
    ),
    Effect.WRITE,
    idempotent=True,
    settings=described(
        pipeline=text("the id of the pipeline; left out: the first"),
        stage=text("the id of its stage for new tickets; left out: New"),
    ),
    secrets=SECRETS,
)
LIST_TICKETS: Final = PythonTool("Tell the caller's newest tickets: subject and stage.", _list_tickets, secrets=SECRETS)
