"""Tools that installed Python packages offer as entry points of the group "holdfast.tools"."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import httpx
import jsonschema_rs

from core.playbook_tools import Tool
from core.ports.errors import VendorError
from core.ports.tools import GROUP, PythonTool, Secrets, ToolContext, ToolOrder, Traits


class BadTool(VendorError):
    """An entry point that cannot be used; the message says which and why."""

    def __init__(self, message: str) -> None:
        super().__init__("tools", "refused", message, curable=False)


def offered_names() -> tuple[str, ...]:
    """All that are installed. Loads none of them."""
    return tuple(sorted({found.name for found in entry_points(group=GROUP)}))


def load_offered(name: str) -> PythonTool:
    """The tool behind an entry point. Raises BadTool: there is none, or it is no PythonTool."""
    points = list(entry_points(group=GROUP, name=name))
    if not points:
        raise BadTool(f"no installed package offers the tool {name!r}")
    if len({point.value for point in points}) > 1:
        raise BadTool(f"two installed packages offer a tool {name!r}: {', '.join(point.value for point in points)}")
    return _load(points[0])


def check_settings(tool: Tool, offered: PythonTool) -> None:
    """Raises BadTool: the playbook's settings are not what the tool wants."""
    faults = jsonschema_rs.validator_for(dict(offered.settings)).iter_errors(tool.settings)
    if found := "; ".join(error.message for error in faults):
        raise BadTool(f"its settings are wrong: {found}")


class PythonTools:
    """Runs them. What is loaded stays loaded: a package is installed once for a worker's life."""

    def __init__(
        self,
        secrets: Secrets,
        transport: httpx.AsyncBaseTransport | None = None,
        load: Callable[[str], PythonTool] = load_offered,
    ) -> None:
        self._secrets = secrets
        self._transport = transport or httpx.AsyncHTTPTransport()
        self._load = load
        self._loaded: dict[str, PythonTool] = {}
        self._kept: defaultdict[str, dict[str, Any]] = defaultdict(dict)  # by module

    def complete(self, tool: Tool) -> Tool:
        """With the package's description and arguments where the playbook writes none. Raises BadTool."""
        offered = self._offered(tool)
        check_settings(tool, offered)
        return offered.complete(tool)

    def traits(self, tool: Tool) -> Traits:
        """As the package says."""
        offered = self._offered(tool)
        return Traits(offered.idempotent, offered.look_up is not None, offered.compensate is not None)

    async def run(self, tool: Tool, arguments: Mapping[str, Any], order: ToolOrder) -> Mapping[str, Any]:
        """Call its function."""
        with _transport_failures(tool):
            return await self._offered(tool).run(arguments, self._context(tool, order))

    async def look_up(self, tool: Tool, arguments: Mapping[str, Any], order: ToolOrder) -> Mapping[str, Any] | None:
        """What the call before has done, if anything."""
        look_up = self._offered(tool).look_up
        with _transport_failures(tool):
            return await look_up(arguments, self._context(tool, order)) if look_up else None

    async def compensate(
        self, tool: Tool, arguments: Mapping[str, Any], answer: Mapping[str, Any], order: ToolOrder
    ) -> Mapping[str, Any]:
        """Take it back."""
        compensate = self._offered(tool).compensate
        if compensate is None:
            raise BadTool(f"{tool.name} cannot be undone")
        with _transport_failures(tool):
            return await compensate(arguments, answer, self._context(tool, order))

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _offered(self, tool: Tool) -> PythonTool:
        name = tool.python or ""
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _context(self, tool: Tool, order: ToolOrder) -> ToolContext:
        client = httpx.AsyncClient(transport=self._transport, timeout=tool.timeout_seconds, trust_env=False)
        return ToolContext(
            call_id=order.call_id,
            turn=order.turn,
            idempotency_key=order.idempotency_key,
            caller=order.caller,
            secret=self._secrets,
            http=client,  # shares the pool; closing it would close the pool, so nobody does
            settings=tool.settings,
            kept=self._kept[self._offered(tool).run.__module__],
        )


@contextmanager
def _transport_failures(tool: Tool) -> Iterator[None]:
    """What ``context.http`` raises and the package lets through."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise VendorError(tool.python or "tools", "timeout", "no answer in time", curable=True) from error
    except httpx.HTTPError as error:
        what = f"connection failed ({type(error).__name__})"
        raise VendorError(tool.python or "tools", "unavailable", what, curable=True) from error


def _load(point: EntryPoint) -> PythonTool:
    try:
        tool = point.load()
    except (ImportError, AttributeError) as error:
        raise BadTool(f"the tool {point.name!r} cannot be loaded from {point.value}: {error}") from error
    if not isinstance(tool, PythonTool):
        raise BadTool(f"{point.value} is a {type(tool).__name__}, not a core.ports.tools.PythonTool")
    return tool
