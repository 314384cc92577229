"""Which of a campaign's results its customer was told."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import func, select, update

from core.contracts.campaign import CampaignPhase, ContactState
from core.ports.campaign_results import CampaignResults, ToTell
from storage.campaign_rows import attempts_of, contact_of, listed, settings_of
from storage.campaigns import SqlCampaigns
from storage.database import Database
from storage.models import CampaignRow, ContactRow, WebhookEndpoint

OVER: Final = (CampaignPhase.COMPLETED.value, CampaignPhase.CANCELED.value)
LONGEST_CALL_MS: Final = 4 * 3_600_000.0  # the end is told then, whatever is said to go on


class SqlCampaignResults(CampaignResults):
    """Each method is one transaction. All raise StorageUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._campaigns = SqlCampaigns(database)

    async def has_news(self, campaign_id: str) -> bool:
        """See the port."""
        async with self._database.read() as session:
            row = await session.get(CampaignRow, campaign_id)
            webhook = settings_of(row).webhook if row is not None else ""
            if row is None or not webhook or await session.get(WebhookEndpoint, webhook) is None:
                return False
            if row.phase in OVER and row.told_ms is None:
                return True
            untold = select(ContactRow.contact_id).where(*_untold(campaign_id)).limit(1)
            return await session.scalar(untold) is not None

    async def to_tell(self, campaign_id: str, most: int, now_ms: float) -> ToTell | None:
        """See the port."""
        async with self._database.read() as session:
            row = await session.get(CampaignRow, campaign_id)
            if row is None:
                return None
            (campaign,) = await listed(session, [row])
            if not campaign.webhook_url:
                return None
            untold = select(ContactRow).where(*_untold(campaign_id)).order_by(ContactRow.contact_id).limit(most)
            contacts = [contact_of(one) for one in await session.scalars(untold)]
            if contacts:
                return ToTell(campaign, await attempts_of(session, campaign_id, contacts))
            if row.phase not in OVER or row.told_ms is not None:
                return ToTell(campaign)
            if now_ms < (row.ended_ms or 0.0) + LONGEST_CALL_MS:
                called = ContactRow.state == ContactState.DIALLING.value
                going_on = select(func.count()).where(ContactRow.campaign_id == campaign_id, called)
                if await session.scalar(going_on):
                    return ToTell(campaign, calls_go_on=True)
        return ToTell(campaign, end=await self._campaigns.progress(campaign_id, now_ms))

    async def told(self, campaign_id: str, contact_ids: Sequence[str], now_ms: float) -> None:
        """See the port."""
        async with self._database.write() as session:
            ours = ContactRow.campaign_id == campaign_id, ContactRow.contact_id.in_(contact_ids)
            await session.execute(update(ContactRow).where(*ours).values(told_ms=now_ms))
            if "" in contact_ids:
                ended = CampaignRow.campaign_id == campaign_id
                await session.execute(update(CampaignRow).where(ended).values(told_ms=now_ms))


def _untold(campaign_id: str) -> tuple[Any, ...]:
    return (
        ContactRow.campaign_id == campaign_id,
        ContactRow.state == ContactState.DONE.value,
        ContactRow.told_ms.is_(None),
    )
