"""Tools that a playbook declares as HTTP operations: from templates, to listed hosts only, read with care."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec

from core.playbook_tools import Auth, HttpLookUp, HttpRequest, Tool, host_of
from core.ports.errors import VendorError
from core.ports.tools import Secrets, ToolOrder, Traits
from core.tools import Unfilled, at_path, fill, places_in, plain
from vendors.failures import failure_of_status

VENDOR: Final = "http tool"
MAX_ANSWER_BYTES: Final = 1_000_000
MAX_MESSAGE_CHARS: Final = 300  # of a refusal: it is read to the caller
_REFUSALS: Final = (400, 404, 409, 410, 412, 422)  # the caller may hear why
_NOT_THERE: Final = (404, 410)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None


class HttpTools:
    """Sends them. Follows no redirect, keeps no cookie, retries nothing."""

    def __init__(
        self, secrets: Secrets, hosts: tuple[str, ...] = (), transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """``hosts``: the operator's own allow-list; () leaves it to the playbooks' ``tool_hosts``."""
        self._secrets = secrets
        self._hosts = hosts
        self._client = httpx.AsyncClient(transport=transport, follow_redirects=False, trust_env=False)

    def complete(self, tool: Tool) -> Tool:
        """The playbook says all. Raises VendorError: a host is not allowed here."""
        check_hosts(tool, self._hosts)
        return tool

    def traits(self, tool: Tool) -> Traits:
        """As the playbook says."""
        asked = _http(tool)
        safe = asked.method in ("PUT", "DELETE") or asked.idempotency_header is not None
        return Traits(idempotent=safe, looks_up=asked.look_up is not None)

    async def run(self, tool: Tool, arguments: Mapping[str, Any], order: ToolOrder) -> Mapping[str, Any]:
        """Send the request. Raises VendorError."""
        asked = _http(tool)
        values = _values(arguments, order)
        headers = {name: plain(value) for name, value in fill(asked.headers, values).items()}
        if asked.idempotency_header:
            headers[asked.idempotency_header] = order.idempotency_key
        request = _Request(
            asked.method,
            _address(asked.url, values),
            _query(asked.query, values),
            headers,
            _body(asked, arguments, values),
        )
        answer = await self._send(tool, request, asked.auth)
        return _mapped(answer, asked.answer)

    async def look_up(self, tool: Tool, arguments: Mapping[str, Any], order: ToolOrder) -> Mapping[str, Any] | None:
        """Ask what became of the write. Raises VendorError."""
        asked = _http(tool)
        looked = asked.look_up or HttpLookUp(url=asked.url)
        values = _values(arguments, order)
        request = _Request("GET", _address(looked.url, values), _query(looked.query, values), {})
        try:
            answer = await self._send(tool, request, asked.auth)
            found = at_path(answer, looked.found) if looked.found else answer
        except (_NotThere, Unfilled):
            return None
        return _mapped(answer, looked.answer or asked.answer) if found not in ([], {}, "", False) else None

    async def compensate(
        self, tool: Tool, arguments: Mapping[str, Any], answer: Mapping[str, Any], order: ToolOrder
    ) -> Mapping[str, Any]:
        """Never asked for: the playbook names the tool that undoes another."""
        raise VendorError(VENDOR, "refused", f"{tool.name} cannot be undone", curable=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _send(self, tool: Tool, request: _Request, auth: Auth | None) -> Any:
        check_hosts(tool, self._hosts)
        headers = {"accept": "application/json", **request.headers, **shown_by(auth, self._secrets)}
        content = None
        if request.body is not None:
            content = msgspec.json.encode(request.body)
            headers["content-type"] = "application/json"
        timeout = httpx.Timeout(tool.timeout_seconds, connect=min(2.0, tool.timeout_seconds))
        try:
            async with self._client.stream(
                request.method,
                request.url,
                params=request.query or None,
                headers=headers,
                content=content,
                timeout=timeout,
            ) as answer:
                text = await _limited(answer)
        except httpx.TimeoutException as error:
            raise VendorError(VENDOR, "timeout", "no answer in time", curable=True) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = f"connection failed ({type(error).__name__})"
            raise VendorError(VENDOR, "unavailable", what, curable=True) from error
        finally:
            self._client.cookies.clear()
        return _read(answer, text)


class _NotThere(VendorError):
    """The system knows no such thing."""


def check_hosts(tool: Tool, allowed: tuple[str, ...]) -> None:
    """Raises VendorError: the operator does not allow where the tool sends requests to."""
    for url in tool.urls:
        if allowed and host_of(url) not in allowed:
            raise VendorError(VENDOR, "refused", f"the host {host_of(url)} is not allowed here", curable=False)


def shown_by(auth: Auth | None, secrets: Secrets) -> dict[str, str]:
    """The headers that show who we are. Raises VendorError: a secret is not set."""
    if auth is None:
        return {}
    if auth.bearer:
        return {"authorization": f"Bearer {secrets(auth.bearer)}"}
    if auth.basic:
        return {"authorization": f"Basic {base64.b64encode(secrets(auth.basic).encode()).decode()}"}
    return {auth.header or "": secrets(auth.secret or "")}


def _http(tool: Tool) -> HttpRequest:
    if tool.http is None:
        raise VendorError(VENDOR, "broken", f"{tool.name} is no HTTP operation", curable=False)
    return tool.http


def _values(arguments: Mapping[str, Any], order: ToolOrder) -> dict[str, Any]:
    return {**arguments, **order.known, "idempotency_key": order.idempotency_key}


def _address(template: str, values: Mapping[str, Any]) -> str:
    """The address with values that can leave neither their place in the path nor the host."""
    safe = {name: _segment(plain(at_path(values, name))) for name in places_in(template)}
    for name, value in safe.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _segment(value: str) -> str:
    if value in ("", ".", ".."):
        raise VendorError(VENDOR, "refused", "an argument cannot be part of an address", curable=False)
    return quote(value, safe="")


def _query(template: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
    return {name: plain(value) for name, value in fill(template, values).items()}


def _body(asked: HttpRequest, arguments: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    if asked.body is not None:
        return fill(asked.body, values)
    return dict(arguments) if asked.method in ("POST", "PUT", "PATCH") else None


async def _limited(answer: httpx.Response) -> bytes:
    text = bytearray()
    async for piece in answer.aiter_bytes():
        text += piece
        if len(text) > MAX_ANSWER_BYTES:
            raise _broken("an answer that is far too long", curable=False)
    return bytes(text)


def _read(answer: httpx.Response, text: bytes) -> Any:
    status = answer.status_code
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.is_redirect:
        raise _broken("it sends us elsewhere, and we follow no redirect", curable=False)
    if status in _REFUSALS:
        message = _message(text) if kind.endswith("json") else ""
        failure = _NotThere if status in _NOT_THERE else VendorError
        raise failure(VENDOR, "refused", message or f"answered {status}", curable=False)
    if not answer.is_success:
        raise failure_of_status(VENDOR, status, headers=answer.headers)
    if not text.strip():
        if answer.request.method == "GET":
            raise _NotThere(VENDOR, "broken", "an empty answer", curable=False)
        return {"done": True}  # a write says by its status that it has been done
    if kind == "text/html" or text.lstrip()[:1] == b"<":
        raise _broken("a web page instead of data", curable=False)
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise _broken("an answer that is no JSON", curable=False) from error


def _mapped(answer: Any, wanted: Mapping[str, str]) -> Mapping[str, Any]:
    """What the model is told: nothing beyond what the playbook names, if it names anything."""
    if not wanted:
        return answer if isinstance(answer, dict) else {"answer": answer}
    told = {}
    for name, path in wanted.items():
        try:
            told[name] = at_path(answer, path)
        except Unfilled:
            continue
    if not told:
        raise _broken("an answer without any of what was asked for", curable=False)
    return told


def _message(text: bytes) -> str:
    """The system's own words for a refusal: ``message``, ``error`` or ``detail``, on top or within ``error``."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return ""
    for _ in range(2):
        if not isinstance(found, dict):
            return ""
        for name in ("message", "detail", "error_description", "error"):
            if isinstance(value := found.get(name), str):
                return " ".join(value.split())[:MAX_MESSAGE_CHARS]
        found = found.get("error")
    return ""


def _broken(message: str, *, curable: bool) -> VendorError:
    return VendorError(VENDOR, "broken", message, curable=curable)
