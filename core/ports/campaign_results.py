"""Results of campaigns on their way to customers. All methods raise StorageUnavailable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.contracts.campaign import Attempt, CampaignProgress, Contact
from core.contracts.campaign_results import ResultsInput
from core.ports.campaign import ListedCampaign


@dataclass(frozen=True)
class ToTell:
    """What a campaign's endpoint has not been told yet: a page of contacts, or the end when all of them were told."""

    campaign: ListedCampaign
    contacts: Sequence[tuple[Contact, Sequence[Attempt]]] = ()
    end: CampaignProgress | None = None
    calls_go_on: bool = False  # the campaign has ended, calls of it have not


class CampaignResults(Protocol):
    """Which results were told. A campaign that names no endpoint, or one that was removed, has nothing to tell."""

    async def has_news(self, campaign_id: str) -> bool:
        """Whether there is anything that was not told."""
        ...

    async def to_tell(self, campaign_id: str, most: int, now_ms: float) -> ToTell | None:
        """At most so many contacts; None: there is nobody to tell."""
        ...

    async def told(self, campaign_id: str, contact_ids: Sequence[str], now_ms: float) -> None:
        """These are told now; "" stands for the campaign's end."""
        ...


class ResultsTeller(Protocol):
    """Has results told."""

    async def tell(self, results: ResultsInput, *, news: bool = False) -> None:
        """Have them told, if that is not under way; ``news``: look again at once, also if it is.

        Raises VendorError, curable, while Temporal cannot be reached.
        """
        ...
