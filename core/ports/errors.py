"""The few errors that cross a port."""

from datetime import timedelta

from core.contracts.call import SoFar


class VendorError(Exception):
    """A vendor did not do its part. The message holds no personal data: it ends up in histories and logs.

    Args:
        kind: "unauthorized" | "rate_limited" | "overloaded" | "unavailable" | "timeout" | "refused" | "broken".
            "refused" is a fault of the request, "broken" an answer nobody can use.
        curable: whether the same request may succeed a little later.
        retry_after: how long the vendor asked to be left alone.
    """

    def __init__(
        self, vendor: str, kind: str, message: str, *, curable: bool, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(f"{vendor}: {message}")
        self.vendor = vendor
        self.kind = kind
        self.curable = curable
        self.retry_after = retry_after


class PlaybackLost(Exception):
    """The gateway that held the call, or the way to it, is gone."""

    so_far: SoFar | None = None  # of the reply under way, where one was


class UnknownPlaybook(Exception):
    """No playbook has this name or reference."""


class StorageUnavailable(Exception):
    """The database cannot be reached now; the same request may succeed a little later."""


class ClockInDoubt(Exception):
    """This machine's clock is not to be trusted with hours; another machine may do the same request."""
