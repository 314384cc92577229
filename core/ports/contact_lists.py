"""Lists of contacts on their way into a campaign, and what a campaign that is to start would find."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.campaign_outlook import Outlook
from core.contact_list import ListedContact
from core.list_records import Fault, FaultKind

MOST_FAULTS = 200  # of an upload that are kept whole; all are counted


class UploadElsewhere(Exception):
    """Another request has gone on with this upload meanwhile."""


@dataclass(frozen=True)
class ListUpload:
    """How far a list has been read into a campaign. One that was cut goes on behind ``lines``."""

    campaign_id: str
    upload_id: str
    lines: int = 0  # so many of its beginning have been dealt with; entries, in a JSON array
    added: int = 0
    faults: dict[FaultKind, int] = field(default_factory=dict)
    first_faults: tuple[Fault, ...] = ()
    complete: bool = False
    changed_ms: float = 0.0


@dataclass(frozen=True)
class PastCalls:
    """What calls of a playbook have been like."""

    calls: int = 0
    average_ms: float = 0.0  # from dialling to the end
    average_usd: float = 0.0


class ContactLists(Protocol):
    """All raise StorageUnavailable."""

    async def upload(self, campaign_id: str, upload_id: str) -> ListUpload | None:
        """Where it stands."""
        ...

    async def uploads(self, campaign_id: str) -> Sequence[ListUpload]:
        """The newest first."""
        ...

    async def take(
        self,
        upload: ListUpload,
        items: Sequence[ListedContact | Fault],
        now_ms: float,
        *,
        lines: int,
        complete: bool = False,
    ) -> ListUpload:
        """Add contacts with their consents, and note how far the list has been read, in one transaction.

        A number that is in the campaign stays as it was, and is a fault of its line.

        Args:
            upload: as it stood before.
            items: in the order of the list.
            lines: how many of the list have then been dealt with.

        Raises:
            UnknownCampaign: there is none.
            UploadElsewhere: ``upload`` is not how it stands.
        """
        ...

    def outlook(self, campaign_id: str, now_ms: float, most: int | None = None) -> AsyncIterator[Outlook]:
        """What was found so far, before the first contact and after each page of them; the last is the whole.

        Args:
            most: contacts looked at, in the order of the list; None: all.

        Raises:
            UnknownCampaign: there is none.
        """
        ...

    async def past_calls(self, playbook: str) -> PastCalls:
        """The newest outbound ones of a playbook, by its name."""
        ...
