"""What checks say of a playbook's tools, with an MCP server that is there."""

from cli.tool_check import ToolFault, mcp_faults
from core.playbook import Playbook, parse_playbook
from core.playbook_tools import host_of
from tests.sandbox.server import running
from tests.vendors.test_mcp_tools import diary
from tests.world.playbook import ORDERS
from vendors.tool_secrets import ToolSecrets


def booking(origin: str, tool: str = "book", argument: str = "day") -> Playbook:
    """A playbook with a tool of the server."""
    return parse_playbook(
        f"{ORDERS}  - name: book\n    description: Book.\n    mcp: {{url: '{origin}/mcp', tool: {tool}}}\n"
        f"    arguments: {{type: object, properties: {{{argument}: {{type: string}}}}}}\n"
        f"tool_hosts: ['{host_of(origin)}']\n"
    )


async def told(playbook: Playbook) -> list[ToolFault]:
    return await mcp_faults(playbook, ToolSecrets({}), ())


async def test_mcp_server_is_asked_whether_it_has_the_playbooks_tools() -> None:
    async with running(diary([])) as origin:
        assert await told(booking(origin)) == []
        (unknown,) = await told(booking(origin, tool="bok"))
        assert unknown.message == f"{origin}/mcp has no tool named 'bok'"
        assert "book" in unknown.known
        (lacks,) = await told(booking(origin, argument="when"))
        assert "wants arguments that the playbook does not have: day" in lacks.message
    (gone,) = await told(booking(origin))
    assert "the session failed" in gone.message
