"""HTTP to addresses that customers chose: only to public ones, no redirects, and little is read of what comes back.

The name is looked up once for each attempt, every address it stands for is judged, and the connection goes to one of
those that were judged: a name cannot mean something else between the look and the connection.
"""

import asyncio
import socket
import time
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from core.ports.after_call import Attempt

TIMEOUT_S: Final = 15.0
_NAT64: Final = 0x64FF9B << 96 >> 32  # 64:ff9b::/96, whose last 32 bits are an IPv4 address


class Forbidden(OSError):
    """The name stands for an address of a private network."""


class GuardedSender:
    """Implements core.ports.after_call.WebhookSender. Create it in a running loop; ``close`` it.

    Args:
        private: whether addresses of private networks, and plain http, are taken: for tests and closed networks.
    """

    def __init__(self, *, private: bool = False, timeout_seconds: float = TIMEOUT_S) -> None:
        self._private = private
        self._timeout = timeout_seconds
        connector = aiohttp.TCPConnector(resolver=_Guard(private=private), use_dns_cache=False, limit=100)
        self._client = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=timeout_seconds, connect=min(5.0, timeout_seconds)),
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": "Holdfast-Webhooks/1"},
        )

    def fault(self, url: str) -> str:
        """Why it cannot be an endpoint, as far as its text tells; "" if it can."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return "is no URL"
        if "\0" in url:  # the look-up of names raises on it
            return "is no URL"
        if parts.scheme not in ("https", "http") or not host:
            return "must be a URL that begins with https://"
        if parts.scheme == "http" and not self._private:
            return "must begin with https://: what is sent is about people"
        if parts.username is not None or parts.password is not None or parts.fragment:
            return "must hold no user name, no password and no fragment"
        if port == 0:
            return "has no port that can be reached"
        if not self._private and (host == "localhost" or host.endswith((".localhost", ".local", ".internal"))):
            return "must be a public address"
        address = _address(host)
        return "must be a public address" if address and not self._private and not is_public(address) else ""

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> Attempt:
        """One POST. Whatever happens is told, nothing raised."""
        if fault := self.fault(url):
            return Attempt(None, f"the address {fault}", 0)
        began = time.monotonic()
        try:
            async with self._client.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                status: int | None = answer.status
                detail = f"answered {answer.status}"
        except Forbidden:
            status, detail = None, "the address is not a public one"
        except TimeoutError:
            status, detail = None, f"no answer within {self._timeout:g} s"
        except aiohttp.ClientConnectorError as error:
            inner = error.os_error
            status = None
            detail = "the address is not a public one" if isinstance(inner, Forbidden) else "no connection"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            status, detail = None, f"failed ({type(error).__name__})"
        return Attempt(status, detail, round((time.monotonic() - began) * 1_000))

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


class _Guard(AbstractResolver):
    """Looks names up as usual, and lets no private address through."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._resolver = ThreadedResolver(asyncio.get_running_loop())

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError; Forbidden if any of its addresses is private: a name with both is up to something."""
        found = await self._resolver.resolve(host, port, family)
        if not self._private and not all(_is_public_text(each["host"]) for each in found):
            raise Forbidden("not a public address")
        return found

    async def close(self) -> None:
        """Nothing is held."""
        await self._resolver.close()


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public internet; an IPv4 address in an IPv6 one is judged itself."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and int(address) >> 32 == _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_public_text(text: str) -> bool:
    address = _address(text.partition("%")[0])
    return address is not None and is_public(address)


def _address(host: Any) -> IPv4Address | IPv6Address | None:
    """None for a name. Old ways to write IPv4 (0x7f.1, 2130706433) are addresses to the system's look-up."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None
