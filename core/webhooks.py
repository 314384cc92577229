"""Signed webhooks, by the Standard Webhooks specification: what is signed, and how."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

CALL_ENDED: Final = "call.ended"
CALL_ANALYZED: Final = "call.analyzed"
TEST: Final = "webhook.test"
CONTACT_DONE: Final = "campaign.contact_done"
CAMPAIGN_COMPLETED: Final = "campaign.completed"
CAMPAIGN_CANCELED: Final = "campaign.canceled"
EVENTS: Final = {
    CALL_ENDED: "A call is over and on record.",
    CALL_ANALYZED: "Summary, sentiment and the playbook's fields of a call are known.",
}
"""What endpoints ask for themselves; a campaign's are sent to the endpoint that the campaign names."""
SECRET_PREFIX: Final = "whsec_"
GONE: Final = 410  # the endpoint wants nothing more, ever
OLD_SECRET_MS: Final = 24 * 3_600_000.0  # so long messages are signed with the secret before, too


def secret_of(key: bytes) -> str:
    """A secret as customers keep it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def body_of(event: str, at_ms: float, data: dict[str, Any]) -> bytes:
    """A message's body; the same each time it is sent."""
    moment = datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": event, "timestamp": moment, "data": data}, ensure_ascii=False).encode()


def headers_of(message_id: str, now_ms: float, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers that prove a message; one signature a secret, so that a rotation is noticed by nobody."""
    timestamp = str(int(now_ms / 1_000))
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signature(secret, message_id, timestamp, body) for secret in secrets),
    }


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """ "v1,<base64 of HMAC-SHA-256>" over id, timestamp and body, with dots between."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
