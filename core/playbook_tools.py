"""The tools of a playbook: what the model may ask for, what it does, and who carries it out."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from core.playbook_parts import Line, Misplaced, Name, Part
from core.tools import BINDINGS, VARIABLES, Effect, bindings, is_binding, places_in

SecretName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=60)]
EffectName = Literal["read", "write", "irreversible"]
KINDS = ("operation", "python", "http", "mcp")
ALWAYS_THERE = ("call_id", "caller_number", "idempotency_key")
"""What templates may name beside a tool's arguments."""
_AT = tuple[str | int, ...]


class Auth(Part):
    """How a request shows who we are: one of these, each the name of a secret."""

    bearer: SecretName | None = None
    basic: SecretName | None = Field(None, description='the secret is "name:password"')
    header: str | None = Field(None, pattern=r"^[A-Za-z0-9-]+$", description="a header that holds `secret`")
    secret: SecretName | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The secrets it takes."""
        return tuple(name for name in (self.bearer, self.basic, self.secret) if name)


class HttpLookUp(Part):
    """The request that tells what became of a write whose answer was lost. 404 or an empty answer: it was not done."""

    url: str
    query: dict[str, str] = Field(default_factory=dict)
    found: str | None = Field(None, description="where in the answer the thing is; nothing there: it was not done")
    answer: dict[Name, str] = Field(default_factory=dict)


class HttpRequest(Part):
    """An HTTP operation. ``{name}`` stands for an argument in all of it but the host."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: str
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: dict[str, Any] | None = Field(None, description="JSON; without it a POST, PUT or PATCH sends all arguments")
    auth: Auth | None = None
    answer: dict[Name, str] = Field(
        default_factory=dict, description="what the model is told: name -> where it stands, as in order.lines.0.state"
    )
    idempotency_header: str | None = Field(
        None, pattern=r"^[A-Za-z0-9-]+$", description="the system does nothing twice for one value of this header"
    )
    look_up: HttpLookUp | None = None


class McpCall(Part):
    """A tool of an MCP server, reached by streamable HTTP."""

    url: str
    tool: str = Field(min_length=1, max_length=200, description="its name there")
    auth: Auth | None = None
    idempotent: bool = Field(False, description="the server does nothing twice for one idempotency key (in _meta)")


class Undo(Part):
    """The tool that takes a write back. Its arguments may name the write's, and ``{answer.<name>}``."""

    tool: Name
    arguments: dict[str, Any] = Field(default_factory=dict)


class Tool(Part):
    """An operation of the customer's systems that the model may ask for where a step allows it.

    One of ``operation``, ``python``, ``http`` and ``mcp`` says who carries it out.
    """

    name: Name
    description: str = Field("", max_length=600, description="for the model; a Python tool has its own")
    operation: str | None = Field(None, min_length=1, description="the operation's name at the CRM")
    python: str | None = Field(None, min_length=1, description="the name of an entry point of the group holdfast.tools")
    http: HttpRequest | None = None
    mcp: McpCall | None = None
    settings: dict[str, Any] = Field(default_factory=dict, description="what a Python tool wants to know")
    arguments: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    timeout_seconds: float = Field(5.0, gt=0, le=60, description="of each attempt")
    attempts: int = Field(2, ge=1, le=5)
    effect: EffectName = "read"
    writes: bool = Field(False, description="the same as effect: write")
    confirm: bool | None = Field(
        None, description="run only once the caller has said yes to the arguments; irreversible ones always are"
    )
    read_back: Line | None = Field(None, description="how the arguments are read back: a question, {name} in it")
    cache_seconds: float = Field(0, ge=0, le=3_600, description="a read's answer may be told again for so long")
    undo: Undo | None = None

    @property
    def kind(self) -> str:
        """Which of KINDS carries it out."""
        return next((kind for kind in KINDS if getattr(self, kind) is not None), "")

    @property
    def does(self) -> Effect:
        """What it changes."""
        return Effect(self.effect).at_least(Effect.WRITE if self.writes else Effect.READ)

    @property
    def asks_first(self) -> bool:
        """Whether the caller has to confirm what it is called with."""
        return bool(self.confirm) or self.does is Effect.IRREVERSIBLE

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets that the playbook names for it."""
        auths = (self.http.auth if self.http else None, self.mcp.auth if self.mcp else None)
        return tuple(name for auth in auths if auth for name in auth.names)

    @property
    def urls(self) -> tuple[str, ...]:
        """Where it sends requests to."""
        looked_up = self.http.look_up if self.http else None
        return tuple(part.url for part in (self.http, looked_up, self.mcp) if part)


def host_of(url: str) -> str:
    """The host as an allow-list writes it: with its port, if one is named."""
    return urlsplit(url).netloc.lower()


def tools_fit(tools: tuple[Tool, ...], hosts: tuple[str, ...], sensitive: frozenset[str]) -> None:
    """Raises Misplaced for the first thing in the tools that cannot work."""
    for index, tool in enumerate(tools):
        at: _AT = ("tools", index)
        _kind_fits(tool, at)
        _arguments_fit(tool, (*at, "arguments"))
        _confirmation_fits(tool, at, sensitive)
        _undo_fits(tool, tools, at)
        if tool.cache_seconds and tool.does is not Effect.READ:
            raise Misplaced((*at, "cache_seconds"), "only a read can be told again: this tool changes something")
        for where, url in _urls(tool, at):
            _url_fits(url, tool, where, hosts)
        if tool.http is not None:
            _http_fits(tool, tool.http, (*at, "http"))


def _kind_fits(tool: Tool, at: _AT) -> None:
    kinds = [kind for kind in KINDS if getattr(tool, kind) is not None]
    if len(kinds) != 1:
        found = f", not {' and '.join(kinds)}" if kinds else ""
        raise Misplaced(at, f"needs one of {', '.join(KINDS)}{found}: who carries it out")
    if tool.kind != "python" and not tool.description:
        raise Misplaced((*at, "description"), "is missing")
    if tool.settings and tool.kind != "python":
        raise Misplaced((*at, "settings"), "only a Python tool has settings")
    for name, part in (("http", tool.http), ("mcp", tool.mcp)):
        if part is not None and (auth := part.auth) is not None:
            ways = [auth.bearer, auth.basic, auth.header]
            if sum(way is not None for way in ways) != 1 or (auth.header is None) != (auth.secret is None):
                raise Misplaced((*at, name, "auth"), "needs one of bearer, basic, or header with secret")


def _arguments_fit(tool: Tool, at: _AT) -> None:
    """A tool's arguments are a JSON Schema of an object whose required properties exist."""
    if tool.arguments.get("type") != "object":
        raise Misplaced((*at, "type"), "must be 'object': a tool takes named arguments")
    properties = tool.arguments.get("properties", {})
    if not isinstance(properties, dict) or not all(isinstance(schema, dict) for schema in properties.values()):
        raise Misplaced((*at, "properties"), "must be a mapping from names to JSON Schemas")
    required = tool.arguments.get("required", [])
    if not isinstance(required, list):
        raise Misplaced((*at, "required"), "must be a list")
    for place, name in enumerate(required):
        if name not in properties:
            raise Misplaced((*at, "required", place), f"no argument is named {name!r}", str(name), list(properties))
    for name, binding in bindings(tool.arguments).items():
        if not is_binding(binding):
            known = [*BINDINGS, f"{VARIABLES}<name>"]
            raise Misplaced((*at, "properties", name, "bind"), f"{binding!r} is not known", str(binding), known)
    if any(not reference.startswith("#") for reference in _references(tool.arguments)):
        raise Misplaced(at, "a $ref may only point within the tool's own arguments")


def _references(schema: Any) -> Iterable[str]:
    if isinstance(schema, Mapping):
        for name, part in schema.items():
            if name == "$ref":
                yield str(part)
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _confirmation_fits(tool: Tool, at: _AT, sensitive: frozenset[str]) -> None:
    if tool.does is Effect.IRREVERSIBLE and tool.confirm is False:
        raise Misplaced((*at, "confirm"), "what cannot be undone is confirmed by the caller first")
    if tool.asks_first and tool.read_back is None:
        raise Misplaced((*at, "read_back"), "is missing: the question that has the caller confirm the arguments")
    if tool.read_back is None or (tool.kind == "python" and not tool.arguments["properties"]):
        return
    check_read_back(tool.read_back, tool, (*at, "read_back"), sensitive)


def check_read_back(line: str, tool: Tool, at: _AT, sensitive: frozenset[str]) -> None:
    """A read-back names what the caller is to confirm, or what is ``said_as`` in its place. Raises Misplaced."""
    named = set(places_in(line))
    properties = tool.arguments.get("properties", {})
    shown = set(properties) - set(bindings(tool.arguments))
    for name in sorted(named - shown):
        raise Misplaced(at, f"no argument is named {name!r}", name, sorted(shown))
    for name in sorted(named & sensitive):
        raise Misplaced(at, f"{name!r} is sensitive: it is never said aloud")
    for name in tool.arguments.get("required", ()):
        said = properties.get(name, {}).get("said_as", name)
        if name in shown - named - sensitive and said not in named:
            raise Misplaced(at, f"does not read {said!r} back, which the caller is to confirm")


def _undo_fits(tool: Tool, tools: tuple[Tool, ...], at: _AT) -> None:
    if tool.undo is None:
        return
    if tool.does is not Effect.WRITE:
        raise Misplaced((*at, "undo"), f"there is nothing to undo: the tool's effect is {tool.does.value!r}")
    names = [other.name for other in tools]
    if tool.undo.tool not in names:
        raise Misplaced((*at, "undo", "tool"), f"no tool is named {tool.undo.tool!r}", tool.undo.tool, names)
    known = {*tool.arguments.get("properties", {}), *ALWAYS_THERE, "answer"}
    for name in places_in(tool.undo.arguments):
        if tool.kind != "python" and name.split(".")[0] not in known:
            raise Misplaced((*at, "undo", "arguments"), f"{{{name}}} is no argument of the tool", name, sorted(known))


def _urls(tool: Tool, at: _AT) -> Iterable[tuple[_AT, str]]:
    if tool.http is not None:
        yield (*at, "http", "url"), tool.http.url
        if tool.http.look_up is not None:
            yield (*at, "http", "look_up", "url"), tool.http.look_up.url
    if tool.mcp is not None:
        yield (*at, "mcp", "url"), tool.mcp.url


def _url_fits(url: str, tool: Tool, at: _AT, hosts: tuple[str, ...]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "{" in parts.netloc:
        raise Misplaced(at, "must be a whole http or https address, with no {name} in its host")
    if "@" in parts.netloc or parts.fragment:
        raise Misplaced(at, "holds a user name or a fragment: secrets go into auth")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise Misplaced(at, "must be https: what the caller says would travel unprotected")
    if host_of(url) not in hosts:
        raise Misplaced(at, f"the host {host_of(url)} is not among tool_hosts", host_of(url), list(hosts))
    required = {*tool.arguments.get("required", ()), *ALWAYS_THERE}
    for name in places_in(url):
        if name not in required:
            raise Misplaced(at, f"{{{name}}} must be a required argument", name, sorted(required))


def _http_fits(tool: Tool, request: HttpRequest, at: _AT) -> None:
    known = {*tool.arguments.get("properties", {}), *ALWAYS_THERE}
    parts: dict[str, Any] = {"query": request.query, "headers": request.headers, "body": request.body}
    for field, template in parts.items():
        for name in places_in(template):
            if name.split(".")[0] not in known:
                raise Misplaced((*at, field), f"{{{name}}} is no argument of the tool", name, sorted(known))
    if request.method == "GET" and (request.body is not None or tool.does is not Effect.READ):
        raise Misplaced((*at, "method"), "a GET has no body and changes nothing")
    for name in request.headers:
        if name.lower() in ("host", "authorization", "content-length", "transfer-encoding", "cookie"):
            raise Misplaced((*at, "headers", name), "is set by us; secrets go into auth")
