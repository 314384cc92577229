"""Tells customers of their campaigns' results, a page at a time."""

import time
from collections.abc import Iterator
from typing import Final

import structlog
from temporalio import activity

from activities.courier import Courier, failure_of
from activities.retries import vendor_failures
from core.campaign_results import contact_message, end_message
from core.contracts import names
from core.contracts.after_call import DeliverWebhook
from core.contracts.campaign_results import ResultsSeenTo, ResultsTold, TellResults, Untold
from core.ports.after_call import Attempt
from core.ports.campaign_results import CampaignResults, ToTell

PAGE: Final = 20  # messages that are sent side by side

log = structlog.get_logger()


class CampaignResultActivities:
    """A message may come twice, with the same id: what was sent last when a worker dies."""

    def __init__(self, results: CampaignResults, courier: Courier) -> None:
        self._results = results
        self._courier = courier

    @activity.defn(name=names.TELL_RESULTS)
    async def tell_results(self, request: TellResults) -> ResultsTold:
        """Send what the endpoint was not told yet, each message once, and write down which were taken."""
        with vendor_failures():
            found = await self._results.to_tell(request.campaign_id, PAGE, _now_ms())
            if found is None:
                return ResultsTold()
            messages = _messages(found)
            if not messages:
                return ResultsTold(calls_go_on=found.calls_go_on)
            attempts = await self._courier.deliver(found.campaign.settings.webhook, list(messages.values()))
            if attempts is None:
                return ResultsTold()  # the endpoint was removed just now
            untold = tuple(_untold(found, messages, attempts))
            told = messages.keys() - {one.contact_id for one in untold}
            if told:
                await self._results.told(request.campaign_id, sorted(told), _now_ms())
        log.info("results_told", campaign=request.campaign_id, told=len(told), untold=len(untold))
        return ResultsTold(len(told), untold)

    @activity.defn(name=names.RESULTS_SEEN_TO)
    async def results_seen_to(self, request: ResultsSeenTo) -> None:
        """They are dead letters, or have workflows of their own."""
        with vendor_failures():
            await self._results.told(request.campaign_id, request.contact_ids, _now_ms())


def _messages(found: ToTell) -> dict[str, DeliverWebhook]:
    settings, listed = found.campaign.settings, found.campaign
    messages = {contact.contact_id: contact_message(settings, contact, made) for contact, made in found.contacts}
    if found.end is not None and listed.ended_ms is not None:
        messages[""] = end_message(settings, listed.phase, listed.started_ms, listed.ended_ms, found.end)
    return messages


def _untold(found: ToTell, messages: dict[str, DeliverWebhook], attempts: list[Attempt]) -> Iterator[Untold]:
    settings = found.campaign.settings
    for (contact_id, message), attempt in zip(messages.items(), attempts, strict=True):
        if failure := failure_of(attempt):
            title = f"Tell of {'a contact' if contact_id else 'the end'} of campaign {settings.campaign_id}"
            for_good = not failure.curable
            yield Untold(contact_id, title, message, str(failure), settings.tenant, for_good=for_good)


def _now_ms() -> float:
    return time.time() * 1_000
