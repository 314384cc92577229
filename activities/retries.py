"""What a failure means for Temporal: whether to try again, and when."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from temporalio.exceptions import ApplicationError

from core.ports.errors import ClockInDoubt, PlaybackLost, StorageUnavailable, UnknownPlaybook, VendorError

PLAYBACK_LOST: Final = "PlaybackLost"
UNKNOWN_PLAYBOOK: Final = "UnknownPlaybook"
STORAGE_UNAVAILABLE: Final = "StorageUnavailable"
CLOCK_IN_DOUBT: Final = "ClockInDoubt"
VENDOR_KINDS: Final = ("unauthorized", "rate_limited", "overloaded", "unavailable", "timeout", "refused", "broken")
OWN_WORDS: Final = frozenset((*VENDOR_KINDS, PLAYBACK_LOST, UNKNOWN_PLAYBOOK, STORAGE_UNAVAILABLE, CLOCK_IN_DOUBT))
"""The types of failures whose messages are ours: without personal data."""


@contextmanager
def vendor_failures() -> Iterator[None]:
    """Turn what ports raise into failures that a history and a retry policy understand.

    What an SDK said is left out: histories and logs would keep it, and it names numbers and addresses.
    """
    try:
        with _own_words():
            yield
    except VendorError as error:
        raise ApplicationError(
            str(error), type=error.kind, non_retryable=not error.curable, next_retry_delay=error.retry_after
        ) from error
    except PlaybackLost as error:  # the workflow decides: the call may be on another gateway by now
        so_far = [error.so_far] if error.so_far is not None else []
        raise ApplicationError(str(error), *so_far, type=PLAYBACK_LOST, non_retryable=True) from error
    except UnknownPlaybook as error:
        raise ApplicationError(str(error), type=UNKNOWN_PLAYBOOK, non_retryable=True) from error
    except StorageUnavailable as error:
        raise ApplicationError(str(error), type=STORAGE_UNAVAILABLE) from error
    except ClockInDoubt as error:
        raise ApplicationError(str(error), type=CLOCK_IN_DOUBT) from error


@contextmanager
def _own_words() -> Iterator[None]:
    try:
        yield
    except (VendorError, PlaybackLost, UnknownPlaybook, StorageUnavailable, ClockInDoubt) as error:
        error.__cause__, error.__suppress_context__ = None, True
        raise
