"""The token that lets one media stream into one call: made by the API in each TwiML answer, checked by the gateway."""

import hashlib
import hmac

MAX_AGE_MS = 300_000  # from the TwiML answer to the stream's start, and by how much clocks of two machines may differ


class BadToken(Exception):
    """The stream may not join the call; the message says why."""


def make_token(secret: str, call_id: str, now_ms: int) -> str:
    """A token for one stream of ``call_id``; ``now_ms`` (since the epoch) becomes the stream's attachment number."""
    return f"{now_ms}.{_sign(secret, call_id, now_ms)}"


def check_token(secret: str, call_id: str, token: str, now_ms: int) -> int:
    """The attachment number of a good token. Raises BadToken."""
    issued, _, signature = token.partition(".")
    if not issued.isdecimal() or len(issued) > 15:
        raise BadToken("no token of ours")
    if not hmac.compare_digest(signature.encode(), _sign(secret, call_id, int(issued)).encode()):
        raise BadToken("wrong signature")
    if now_ms - int(issued) > MAX_AGE_MS:
        raise BadToken("too old")
    return int(issued)


def _sign(secret: str, call_id: str, now_ms: int) -> str:
    return hmac.new(secret.encode(), f"{call_id}.{now_ms}".encode(), hashlib.sha256).hexdigest()
