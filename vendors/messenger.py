"""Text messages by Twilio, e-mail by SMTP."""

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import formatdate
from hashlib import sha256
from typing import Final

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from core.ports.errors import VendorError
from vendors.failures import failure_of_status

SMS, MAIL = "twilio", "smtp"
CLOCKS_APART: Final = timedelta(seconds=3)  # ours and Twilio's; its dates are whole seconds
NEWEST: Final = 20
UNSENT: Final = frozenset({"failed", "undelivered", "canceled"})


@dataclass(frozen=True)
class MailServer:
    """Where e-mail is handed in. ``security``: "starttls" | "tls" | "none"."""

    host: str
    port: int = 587
    user: str = ""
    password: str = ""
    sender: str = ""
    security: str = "starttls"
    timeout: float = 15.0


class Messenger:
    """Implements core.ports.after_call.Messenger. Create it in a running loop; ``aclose`` it.

    Args:
        mail: None: e-mails are refused.
        base_url: another origin than Twilio's own.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        mail: MailServer | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 10.0,
    ) -> None:
        self._timeout = timeout
        self._mail = mail
        self._http = AsyncTwilioHttpClient(timeout=timeout)
        self._client = Client(account_sid, auth_token, http_client=self._http)
        if base_url is not None:
            self._client.api.base_url = base_url.rstrip("/")

    async def send_sms(self, to: str, from_: str, text: str, since_ms: float) -> str:
        """Send it, unless it went out since then: Twilio takes no idempotency key. Raises VendorError."""
        since = datetime.fromtimestamp(since_ms / 1_000, UTC) - CLOCKS_APART
        async with self._asking():
            sent = await self._client.messages.list_async(to=to, from_=from_, limit=NEWEST, page_size=NEWEST)
            for message in sent:
                created = message.date_created
                fresh = created is not None and created >= since
                if fresh and message.body == text and message.status not in UNSENT and message.sid:
                    return str(message.sid)
            created_now = await self._client.messages.create_async(to=to, from_=from_, body=text)
            if not created_now.sid:
                raise VendorError(SMS, "broken", "a message without an id", curable=True)
            return str(created_now.sid)

    async def send_email(self, to: str, subject: str, text: str, key: str) -> str:
        """Hand it in. The Message-ID follows from ``key``, so that mail that comes twice is seen as one by most.

        Raises VendorError.
        """
        server = self._mail
        if server is None:
            raise VendorError(MAIL, "refused", "no SMTP server is configured", curable=False)
        message_id = f"<{sha256(key.encode()).hexdigest()[:32]}@{server.sender.rpartition('@')[2]}>"
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = server.sender, to, subject
        mail["Date"], mail["Message-ID"] = formatdate(), message_id
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        try:
            await asyncio.to_thread(_hand_in, server, mail)
        except smtplib.SMTPAuthenticationError:
            raise VendorError(MAIL, "unauthorized", "the server refused our credentials", curable=False) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code) from None
        except smtplib.SMTPRecipientsRefused as error:
            raise _refusal(max(code for code, _ in error.recipients.values())) from None
        except (smtplib.SMTPException, OSError) as error:
            raise VendorError(MAIL, "unavailable", f"failed ({type(error).__name__})", curable=True) from None
        return message_id

    async def aclose(self) -> None:
        """Release the sockets."""
        await self._http.close()

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        """Turn whatever the SDK raises into a VendorError without numbers in it."""
        try:
            async with asyncio.timeout(self._timeout):
                yield
        except TimeoutError as error:
            raise VendorError(SMS, "timeout", "a message took too long", curable=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise VendorError(SMS, "unavailable", f"a message: {type(error).__name__}", curable=True) from error
        except (TwilioRestException, TwilioServiceException) as error:
            raise failure_of_status(SMS, error.status, f"a message (code {error.code})") from error
        except TwilioException as error:
            answer = error.args[1] if len(error.args) > 1 else None
            raise failure_of_status(SMS, getattr(answer, "status_code", None), "a message") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise VendorError(SMS, "broken", "a message was answered with nonsense", curable=True) from error


def _hand_in(server: MailServer, mail: EmailMessage) -> None:
    if server.security == "tls":
        context = ssl.create_default_context()
        with smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=context) as client:
            _send(client, server, mail)
        return
    with smtplib.SMTP(server.host, server.port, timeout=server.timeout) as client:
        if server.security == "starttls":
            client.starttls(context=ssl.create_default_context())
        _send(client, server, mail)


def _send(client: smtplib.SMTP, server: MailServer, mail: EmailMessage) -> None:
    if server.user:
        client.login(server.user, server.password)
    client.send_message(mail)


def _refusal(code: int) -> VendorError:
    """A 5xx is for good, a 4xx for now."""
    for_good = code >= 500
    kind = "refused" if for_good else "unavailable"
    return VendorError(MAIL, kind, f"the server answered {code}", curable=not for_good)
