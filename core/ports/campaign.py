"""Campaigns in SQL, as their workflows and the API see them. All methods raise StorageUnavailable."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from core.contracts.call import CallInput
from core.contracts.campaign import (
    Attempt,
    CampaignPhase,
    CampaignProgress,
    CampaignSettings,
    Contact,
    Round,
)
from core.may_call import ConsentOnRecord, DncScope, Hindrance


class UnknownCampaign(Exception):
    """There is no campaign of this id; the message is the id."""


@dataclass(frozen=True)
class ListedCampaign:
    """A campaign, and where it stands."""

    settings: CampaignSettings
    phase: CampaignPhase
    created_ms: float
    started_ms: float | None = None
    ended_ms: float | None = None
    webhook_url: str = ""  # of the endpoint that is told of results; "" also if it was removed


@dataclass(frozen=True)
class NewContact:
    """Somebody to call, as a list tells of them."""

    number: str  # E.164
    stated_zone: str = ""
    variables: dict[str, str] | None = None
    consent: ConsentOnRecord | None = None  # kept on record for the tenant


@dataclass(frozen=True)
class DncEntry:
    """A number that must not be called."""

    number: str  # E.164
    scope: DncScope
    of: str = ""  # the tenant or the campaign; "" for everybody
    reason: str = ""
    added_ms: float = 0.0
    removed_ms: float | None = None  # it may be called again since


class Permission(StrEnum):
    """What may change about whether a number may be called."""

    FORBIDDEN = "forbidden"
    ALLOWED = "allowed"  # it was forbidden before
    CONSENT_REVOKED = "consent_revoked"


@dataclass(frozen=True)
class PermissionChange:
    """A line of the log of such changes, which only grows."""

    number: str  # E.164
    change: Permission
    scope: DncScope
    of: str
    reason: str
    at_ms: float


@dataclass(frozen=True)
class PlannedCall:
    """An attempt whose row is written: its call is to begin."""

    call_id: str
    campaign_id: str
    number: str
    our_number: str
    playbook: str
    tenant: str
    variables: dict[str, str]
    dial_ms: float  # its place in the carrier account's rate
    voicemail_line: str = ""


class CampaignBook(Protocol):
    """What a running campaign needs."""

    async def open_round(self, campaign_id: str, now_ms: float) -> tuple[Round, Sequence[PlannedCall]]:
        """Choose who is called now and write their attempts' rows, in one transaction; also what is left of a round

        whose calls could not be begun. The same attempt is never opened twice. Raises UnknownCampaign.
        """
        ...

    async def call_has_begun(self, call_ids: Sequence[str]) -> None:
        """The calls of these attempts run."""
        ...

    async def doubtful_calls(self, campaign_id: str, now_ms: float) -> Sequence[str]:
        """Calls that began so long ago that they may have ended without anybody writing it down.

        Of this campaign and of those that are over, about which nobody else asks: their numbers would stay taken.
        """
        ...

    async def call_is_lost(self, call_id: str, now_ms: float) -> None:
        """The call has ended and nobody wrote down how: its attempt has failed."""
        ...

    async def keep_phase(self, campaign_id: str, phase: CampaignPhase, now_ms: float, *, call_off: bool) -> None:
        """Write the phase down. ``call_off``: contacts who wait are done, and attempts whose calls have not begun."""
        ...


class DialGate(Protocol):
    """Who may be called at the moment of dialling."""

    async def hindrances(
        self, call_id: str, number: str, tenant: str, campaign: str | None, now_ms: float
    ) -> tuple[Hindrance, ...]:
        """What stands against dialling now; () if nothing does.

        Of a campaign's attempt all of its rules must hold; one that may be dialled has begun, and its campaign cannot
        call it off any more. A call that somebody places by hand is theirs to answer for, but nobody who must not be
        called is.
        """
        ...

    async def forbid(self, entry: DncEntry) -> None:
        """Write down that the number must not be called. Doing so twice changes nothing."""
        ...


class Campaigns(Protocol):
    """What operators do with campaigns."""

    async def create(self, settings: CampaignSettings, now_ms: float) -> bool:
        """Write a draft; False if there is a campaign of this id."""
        ...

    async def change(self, settings: CampaignSettings) -> None:
        """Take other settings. Raises UnknownCampaign."""
        ...

    async def campaign(self, campaign_id: str) -> ListedCampaign | None:
        """One."""
        ...

    async def campaigns(self, limit: int = 100) -> Sequence[ListedCampaign]:
        """The newest first."""
        ...

    async def add(self, campaign_id: str, contacts: Sequence[NewContact], now_ms: float) -> int:
        """Add contacts, and their consents; how many were new. A number that is in the campaign stays as it was."""
        ...

    async def contacts(self, campaign_id: str, after: str = "", limit: int = 100) -> Sequence[Contact]:
        """By id, beyond ``after``."""
        ...

    def results(self, campaign_id: str) -> AsyncIterator[tuple[Contact, Sequence[Attempt]]]:
        """All contacts with their attempts, read in pages."""
        ...

    async def attempts(self, number: str, limit: int = 100) -> Sequence[Attempt]:
        """To a number, of all campaigns, the newest first."""
        ...

    async def progress(self, campaign_id: str, now_ms: float) -> CampaignProgress:
        """Counts."""
        ...

    async def blocked(self, number: str = "", limit: int = 100) -> Sequence[DncEntry]:
        """Who must not be called, the newest first; only those who are, unless one number is asked for."""
        ...

    async def block(self, entry: DncEntry) -> None:
        """As DialGate.forbid."""
        ...

    async def unblock(self, entry: DncEntry, now_ms: float) -> bool:
        """Allow calls again, in this scope, for the entry's reason; it stays on record. False if there is none."""
        ...

    async def changes(self, number: str = "", limit: int = 100) -> Sequence[PermissionChange]:
        """What was forbidden, allowed again and revoked, the newest first; of one number, if one is asked for."""
        ...

    async def end(self, campaign_id: str, now_ms: float) -> bool:
        """Its workflow is no more: it is canceled, and attempts whose calls have not begun with it.

        False if it was over, or not begun.
        """
        ...

    async def consent(self, tenant: str, number: str, consent: ConsentOnRecord) -> None:
        """Put a consent on record, or its revocation."""
        ...

    async def consent_of(self, tenant: str, number: str) -> ConsentOnRecord | None:
        """What is on record; revoked without ever having been given, it was given at 0."""
        ...


class CallStarter(Protocol):
    """Begins calls."""

    async def begin(self, call: CallInput) -> bool:
        """Start the call's workflow, or find it running; False: it was started before, and is over.

        Raises VendorError, curable, while Temporal cannot be reached.
        """
        ...

    async def is_running(self, call_id: str) -> bool:
        """Whether the call goes on. Raises VendorError, as ``begin`` does."""
        ...
