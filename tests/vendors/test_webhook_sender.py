"""Customers choose the addresses: nothing of a private network is ever reached."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from core.ports.after_call import WebhookSender
from core.webhooks import body_of, headers_of, secret_of, signature
from sandbox.app import SandboxConfig, create_app
from sandbox.state import Fault, SandboxState
from tests.sandbox.server import running
from vendors.webhook_sender import GuardedSender, is_public

SECRET = secret_of(b"0123456789abcdef01234567")


@asynccontextmanager
async def sender(*, private: bool = False) -> AsyncIterator[GuardedSender]:
    guarded = GuardedSender(private=private, timeout_seconds=5.0)
    try:
        yield guarded
    finally:
        await guarded.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "ff02::1",
    ],
)
def test_no_address_of_a_private_network_is_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://customer.example/hook",
        "ftp://customer.example/hook",
        "https://",
        "https://[::1/hook",
        "https://customer\0.example/hook",
        "https://user:word@customer.example/",
        "https://localhost/hook",
        "https://db.internal/hook",
        "https://127.0.0.1/hook",
        "https://2130706433/hook",
        "https://0x7f.1/hook",
        "https://[::ffff:127.0.0.1]/hook",
        "https://169.254.169.254/latest/meta-data",
    ],
)
async def test_an_address_that_cannot_be_an_endpoint_is_refused_with_words(url: str) -> None:
    async with sender() as guarded:
        port: WebhookSender = guarded
        assert port.fault(url)
        assert (await port.send(url, b"{}", {})).status is None


async def test_a_public_address_is_taken() -> None:
    async with sender() as guarded:
        assert guarded.fault("https://customer.example:8443/hook?a=1") == ""


async def test_a_name_that_stands_for_a_private_address_is_not_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        host = "localhost.localdomain" if _resolves("localhost.localdomain") else socket.gethostname()
        if not _resolves(host):
            pytest.skip("no name but localhost stands for this machine")
        async with sender() as guarded:
            attempt = await guarded.send(f"https://{host}:{trap.getsockname()[1]}/", b"{}", {})
        assert (attempt.status, attempt.detail) == (None, "the address is not a public one")
        with pytest.raises(BlockingIOError):
            trap.accept()


async def test_a_message_arrives_as_it_was_signed_and_a_redirect_is_not_followed() -> None:
    state = SandboxState()
    async with running(create_app(state, SandboxConfig())) as origin, sender(private=True) as guarded:
        body = body_of("call.ended", 1_000.0, {"name": "Größe"})
        headers = headers_of("msg_1", 2_000.0, body, [SECRET])
        taken = await guarded.send(f"{origin}/sandbox/hooks/a", body, headers)
        state.faults.append(Fault("customer", "status", status=307))
        redirected = await guarded.send(f"{origin}/sandbox/hooks/a", body, headers)
        nobody = await guarded.send("http://127.0.0.1:9/hook", body, headers)
    assert (taken.status, taken.delivered) == (204, True)
    assert (redirected.status, redirected.delivered) == (307, False)
    assert (nobody.status, nobody.detail) == (None, "no connection")
    hook = state.hooks[0]
    assert json.loads(hook["body"])["data"] == {"name": "Größe"}
    assert hook["headers"]["webhook-signature"] == signature(SECRET, "msg_1", "2", hook["body"].encode())


def test_signatures_are_those_of_standard_webhooks() -> None:
    """The example of the specification's own reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, None))
    except OSError:
        return False
