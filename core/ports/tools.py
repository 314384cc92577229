"""Tools: what a Python package offers, and what its functions are given.

A package offers a tool as an entry point of the group "holdfast.tools" that names a PythonTool:

    [project.entry-points."holdfast.tools"]
    "salesforce.find_contact" = "vendors.salesforce_tools:FIND_CONTACT"

and a playbook uses it by the entry point's name (``python: salesforce.find_contact``).
"""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from core.playbook_tools import Tool
from core.tools import Effect

if TYPE_CHECKING:
    import httpx

GROUP: Final = "holdfast.tools"
NO_ARGUMENTS: Final[Mapping[str, Any]] = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is on the line, as the server knows it. Nothing of it comes from the model."""

    number: str  # E.164
    our_number: str = ""  # E.164
    direction: str = "inbound"
    variables: Mapping[str, str] = field(default_factory=dict)  # what the caller's record told beforehand


@dataclass(frozen=True, slots=True)
class ToolOrder:
    """What the server, not the model, says about one tool call."""

    call_id: str
    turn: int
    idempotency_key: str  # "<call>:<turn>:<ordinal>": the same in each attempt, in ``look_up`` and in ``compensate``
    caller: Caller

    @property
    def known(self) -> dict[str, str]:
        """What core.tools.bind fills in, beside the caller's variables."""
        caller = self.caller
        return {
            "caller_number": caller.number,
            "our_number": caller.our_number,
            "direction": caller.direction,
            "call_id": self.call_id,
        }


class Secrets(Protocol):
    """What differs by installation and stands in no playbook: keys, tokens, base URLs."""

    def __call__(self, name: str, default: str | None = None) -> str:
        """HOLDFAST_SECRET_<NAME> of the environment.

        Args:
            name: upper case, as in "SALESFORCE_TOKEN".

        Raises:
            VendorError: kind "unauthorized", not curable: it is not set and there is no default.
        """
        ...


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What the server, not the model, says about one tool call, and what a Python tool may use."""

    call_id: str
    turn: int
    idempotency_key: str  # "<call>:<turn>:<ordinal>": the same in each attempt, in ``look_up`` and in ``compensate``
    caller: Caller
    secret: Secrets
    http: "httpx.AsyncClient"  # pooled; has the tool's deadline; follows no redirect. Do not close it
    settings: Mapping[str, Any] = field(default_factory=dict)  # the playbook's ``settings`` of this tool
    kept: MutableMapping[str, Any] = field(default_factory=dict)
    """Of this worker and this Python module, from call to call: an access token, a list of calendars.
    It may be gone at any time."""


class Run(Protocol):
    """Carries a tool call out."""

    async def __call__(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """The answer, small and JSON-able: the model reads it.

        Cancelled at the tool's deadline.

        Raises:
            VendorError: kind "refused", not curable: nothing was done, and the message may be read to the caller.
                Curable: the same call may succeed a little later, whether or not it has had its effect.
        """
        ...


class LookUp(Protocol):
    """Finds out what became of a write whose answer was lost, before it is tried again."""

    async def __call__(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any] | None:
        """The answer ``run`` would have given; None: it was not done, and may be done now. Raises VendorError."""
        ...


class Compensate(Protocol):
    """Takes a write back: the caller withdraws, or a later step of the same request has failed."""

    async def __call__(
        self, arguments: Mapping[str, Any], answer: Mapping[str, Any], context: ToolContext
    ) -> Mapping[str, Any]:
        """May be called more than once for one write. ``answer`` is what ``run`` gave. Raises VendorError."""
        ...


@dataclass(frozen=True)
class PythonTool:
    """One small, clear operation. What a playbook writes itself takes the place of description and arguments."""

    description: str  # for the model: what it does and what it answers with
    run: Run
    arguments: Mapping[str, Any] = field(default_factory=lambda: NO_ARGUMENTS)
    """A JSON Schema of an object, checked before ``run``. A property with ``bind: caller_number`` (or what else
    core.tools.bound_value knows) is not shown to the model: the server fills it in."""
    effect: Effect = Effect.READ
    idempotent: bool = False  # its system does nothing twice for one idempotency key
    look_up: LookUp | None = None
    compensate: Compensate | None = None
    timeout_seconds: float = 5.0  # of each attempt
    settings: Mapping[str, Any] = field(default_factory=lambda: NO_ARGUMENTS)  # a JSON Schema of the playbook's
    secrets: tuple[str, ...] = ()  # the names it cannot do without: checks warn where one is not set

    def complete(self, tool: Tool) -> Tool:
        """A playbook's use of this tool, whole. The graver effect of the two counts."""
        written = tool.model_fields_set
        own = {
            "description": tool.description or self.description,
            "arguments": tool.arguments if "arguments" in written else dict(self.arguments),
            "timeout_seconds": tool.timeout_seconds if "timeout_seconds" in written else self.timeout_seconds,
            "effect": tool.does.at_least(self.effect).value,
        }
        return tool.model_copy(update=own)


@dataclass(frozen=True, slots=True)
class Traits:
    """What a kind can do for one of its tools."""

    idempotent: bool = False
    looks_up: bool = False
    compensates: bool = False


class ToolKind(Protocol):
    """Carries out the tools of one kind. Arguments have been checked; retries nothing; raises VendorError only."""

    def complete(self, tool: Tool) -> Tool:
        """The tool with what only its kind knows of it. Raises VendorError: there is no such thing."""
        ...

    def traits(self, tool: Tool) -> Traits:
        """What can be done when an answer was lost."""
        ...

    async def run(self, tool: Tool, arguments: Mapping[str, Any], order: ToolOrder) -> Mapping[str, Any]:
        """See ``Run``."""
        ...

    async def look_up(self, tool: Tool, arguments: Mapping[str, Any], order: ToolOrder) -> Mapping[str, Any] | None:
        """See ``LookUp``. Only where ``traits`` says so."""
        ...

    async def compensate(
        self, tool: Tool, arguments: Mapping[str, Any], answer: Mapping[str, Any], order: ToolOrder
    ) -> Mapping[str, Any]:
        """See ``Compensate``. Only where ``traits`` says so."""
        ...
