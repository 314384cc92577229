"""Text messages by the real SDK against the sandbox's carrier; e-mail against its mail server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.ports.after_call import Messenger as MessengerPort
from core.ports.errors import VendorError
from sandbox.mail import mail_server
from sandbox.state import Fault, SandboxState, now_ms
from tests.sandbox.twilio.product import CALLER, OUR_NUMBER, SID, TOKEN, World, a_world
from vendors.messenger import MailServer, Messenger


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as started:
        yield started


@asynccontextmanager
async def texting(world: World) -> AsyncIterator[Messenger]:
    messenger = Messenger(SID, TOKEN, base_url=world.origin)
    try:
        yield messenger
    finally:
        await messenger.aclose()


async def test_a_text_message_goes_out_once_however_often_it_is_sent(world: World) -> None:
    since = now_ms()
    async with texting(world) as messenger:
        port: MessengerPort = messenger
        first = await port.send_sms(CALLER, OUR_NUMBER, "It is on its way.", since)
        assert await port.send_sms(CALLER, OUR_NUMBER, "It is on its way.", since) == first
        assert await port.send_sms(CALLER, OUR_NUMBER, "It has arrived.", since) != first
        assert await port.send_sms(CALLER, OUR_NUMBER, "It is on its way.", now_ms() + 60_000) != first


async def test_a_text_message_whose_answer_was_lost_is_found_and_not_sent_again(world: World) -> None:
    since = now_ms()
    world.state.faults.append(Fault("twilio", "drop", match="POST /2010"))
    async with texting(world) as messenger:
        with pytest.raises(VendorError) as lost:
            await messenger.send_sms(CALLER, OUR_NUMBER, "It is on its way.", since)
        assert lost.value.curable
        await messenger.send_sms(CALLER, OUR_NUMBER, "It is on its way.", since)
    assert [stamp.data["body"] for stamp in world.state.stamps if stamp.what == "message"] == ["It is on its way."]


async def test_a_number_that_is_none_is_refused_for_good(world: World) -> None:
    async with texting(world) as messenger:
        with pytest.raises(VendorError) as refused:
            await messenger.send_sms("+0", OUR_NUMBER, "It is on its way.", now_ms())
    assert (refused.value.kind, refused.value.curable) == ("refused", False)


@asynccontextmanager
async def mailing(state: SandboxState) -> AsyncIterator[Messenger]:
    async with mail_server(state) as port:
        server = MailServer("127.0.0.1", port, sender="shop@example.com", security="none", timeout=5.0)
        messenger = Messenger(SID, TOKEN, server)
        try:
            yield messenger
        finally:
            await messenger.aclose()


async def test_a_mail_is_handed_in_and_the_same_one_has_the_same_message_id() -> None:
    state = SandboxState()
    async with mailing(state) as messenger:
        text = "Größe Ω\n.\nThank you for calling."
        sent = await messenger.send_email("jo@example.org", "Your order", text, "CA1.receipt")
        await messenger.send_email("jo@example.org", "Your order", text, "CA1.receipt")
    first, again = state.emails
    assert first == again
    assert first == {
        "from": "shop@example.com",
        "to": ["jo@example.org"],
        "subject": "Your order",
        "message_id": sent,
        "text": text,
    }


@pytest.mark.parametrize(("status", "kind", "curable"), [(550, "refused", False), (451, "unavailable", True)])
async def test_a_mail_that_is_refused_says_whether_for_good(status: int, kind: str, curable: bool) -> None:
    state = SandboxState()
    state.faults.append(Fault("smtp", "status", status=status))
    async with mailing(state) as messenger:
        with pytest.raises(VendorError) as refused:
            await messenger.send_email("jo@example.org", "Your order", "Hello.", "k")
    assert (refused.value.kind, refused.value.curable) == (kind, curable)
    assert "jo@" not in str(refused.value)


async def test_without_a_mail_server_mail_is_refused_and_a_dead_one_is_waited_for() -> None:
    async with mailing(SandboxState()) as messenger:
        gone = messenger
    with pytest.raises(VendorError) as away:
        await gone.send_email("jo@example.org", "Your order", "Hello.", "k")
    assert away.value.curable
    alone = Messenger(SID, TOKEN)
    with pytest.raises(VendorError) as refused:
        await alone.send_email("jo@example.org", "Your order", "Hello.", "k")
    assert not refused.value.curable
    await alone.aclose()
