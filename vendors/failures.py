"""One reading of HTTP statuses for all vendors."""

from collections.abc import Mapping
from datetime import timedelta

from core.ports.errors import VendorError


def failure_of_status(
    vendor: str, status: int | None, what: str = "", headers: Mapping[str, str] | None = None
) -> VendorError:
    """What an answer with this status means. ``what`` says what was asked for, without personal data."""
    kind, curable = _meaning(status)
    message = f"{what or 'the request'} was answered with {status}"
    return VendorError(vendor, kind, message, curable=curable, retry_after=_retry_after(headers or {}))


def _meaning(status: int | None) -> tuple[str, bool]:
    match status:
        case 401 | 403:
            return "unauthorized", False
        case 408:
            return "timeout", True
        case 429:
            return "rate_limited", True
        case 529:
            return "overloaded", True
        case None:
            return "broken", True
        case server if server >= 500:
            return "unavailable", True
        case client if client >= 400:
            return "refused", False
        case _:
            return "broken", True


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """The header in seconds; vendors do not use its other form, a date."""
    asked = headers.get("retry-after", "")
    try:
        return timedelta(seconds=float(asked)) if asked else None
    except (ValueError, OverflowError):
        return None
