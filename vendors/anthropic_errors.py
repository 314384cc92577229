"""What Anthropic's SDK raises, in the port's words. Messages name status and kind only: never what was said."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import anthropic
import httpx2
import pydantic

from core.ports.errors import VendorError

VENDOR = "anthropic"
_KINDS = {
    "authentication_error": ("unauthorized", False),
    "permission_error": ("unauthorized", False),
    "billing_error": ("unauthorized", False),
    "rate_limit_error": ("rate_limited", True),
    "overloaded_error": ("overloaded", True),
    "timeout_error": ("timeout", True),
    "api_error": ("unavailable", True),
    "invalid_request_error": ("refused", False),
    "not_found_error": ("refused", False),
    "request_too_large": ("refused", False),
}
_STATUSES = {
    401: ("unauthorized", False),
    402: ("unauthorized", False),
    403: ("unauthorized", False),
    408: ("timeout", True),
    409: ("unavailable", True),
    429: ("rate_limited", True),
    504: ("timeout", True),
    529: ("overloaded", True),
}


def broken(message: str, *, curable: bool = True) -> VendorError:
    """An answer nobody can use."""
    return VendorError(VENDOR, "broken", message, curable=curable)


def error_of_event(data: str) -> VendorError:
    """The error that an ``error`` event under HTTP 200 tells."""
    try:
        name = str(json.loads(data)["error"]["type"])
    except (ValueError, TypeError, KeyError):
        return broken("an error event that is none")
    kind, curable = _KINDS.get(name, ("unavailable", True))
    return VendorError(VENDOR, kind, f"{name} in the answer", curable=curable)


@contextmanager
def failures() -> Iterator[None]:
    """Turn what SDK and transport raise into VendorError."""
    try:
        yield
    except (TimeoutError, anthropic.APITimeoutError, httpx2.TimeoutException) as error:
        raise VendorError(VENDOR, "timeout", "no answer in time", curable=True) from error
    except anthropic.APIStatusError as error:
        raise _status_error(error) from error
    except (anthropic.APIResponseValidationError, pydantic.ValidationError, UnicodeDecodeError, ValueError) as error:
        raise broken(f"an answer nobody can read ({type(error).__name__})") from error
    except (anthropic.APIConnectionError, httpx2.HTTPError) as error:
        raise VendorError(VENDOR, "unavailable", f"connection failed ({type(error).__name__})", curable=True) from error
    except anthropic.AnthropicError as error:
        raise broken(f"the SDK gave up ({type(error).__name__})") from error


def _status_error(error: anthropic.APIStatusError) -> VendorError:
    status = error.status_code
    kind, curable = _STATUSES.get(status, ("unavailable", True) if status >= 500 else ("refused", False))
    about = f"{status} {error.type or 'without a reason'}, request {error.request_id or 'unknown'}"
    return VendorError(VENDOR, kind, about, curable=curable, retry_after=_retry_after(error.response))


def _retry_after(response: httpx2.Response) -> timedelta | None:
    try:
        seconds = float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return timedelta(seconds=seconds) if 0 <= seconds < 86_400 else None
