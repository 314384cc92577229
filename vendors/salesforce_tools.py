"""What playbooks can use of Salesforce."""

from collections.abc import Mapping
from typing import Any, Final

from core.ports.tools import PythonTool, ToolContext
from core.tools import Effect
from vendors.salesforce import Salesforce
from vendors.tool_schemas import EMAIL, choice, described, text

SECRETS: Final = ("SALESFORCE_BASE_URL", "SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET")


def _org(context: ToolContext) -> Salesforce:
    base_url, client_id, client_secret = map(context.secret, SECRETS)
    return Salesforce(context.http, base_url, client_id, client_secret, context.kept)


async def _find_contact(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _org(context).find_contact(context)


async def _list_cases(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _org(context).list_cases(context)


async def _create_case(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _org(context).create_case(context, **arguments)


async def _create_lead(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _org(context).create_lead(context, **arguments)


async def _create_task(arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
    return await _org(context).create_task(context, **arguments)


FIND_CONTACT: Final = PythonTool(
    "Tell whether the caller's phone number is that of a known contact, and their name and e-mail address.",
    _find_contact,
    secrets=SECRETS,
)
LIST_CASES: Final = PythonTool(
    "Tell the caller's newest cases: number, subject and status.", _list_cases, secrets=SECRETS
)
CREATE_CASE: Final = PythonTool(
    "Open a case for the caller. Gives its number.",
    _create_case,
    described(
        ("subject",),
        subject=text("what it is about, in a few words"),
        description=text("all that a representative has to know", 4_000),
        priority=choice("how urgent it is", "Low", "Medium", "High"),
    ),
    Effect.WRITE,
    idempotent=True,
    secrets=SECRETS,
)
CREATE_LEAD: Final = PythonTool(
    "Write down a person who may want to buy; the phone number is the caller's.",
    _create_lead,
    described(
        ("last_name",),
        last_name=text("family name", 80),
        first_name=text("given name", 40),
        company=text("where they work, if they call for a company"),
        email=EMAIL,
        description=text("what they want, and what they have answered", 4_000),
    ),
    Effect.WRITE,
    idempotent=True,
    secrets=SECRETS,
)
CREATE_TASK: Final = PythonTool(
    "Leave a task for a representative, such as calling the caller back.",
    _create_task,
    described(
        ("subject",),
        subject=text("what is to be done, in a few words"),
        description=text("all that the representative has to know", 4_000),
        due_date={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$", "description": "by when, YYYY-MM-DD"},
    ),
    Effect.WRITE,
    idempotent=True,
    secrets=SECRETS,
)
