"""REST: who must not be called, who has consented, and what was done with a number."""

import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Query

from api.campaign_schemas import (
    DncNumber,
    DncNumbers,
    NewDnc,
    NumberConsent,
    NumberHistory,
    PermissionLine,
    PermissionLog,
    RevokedConsent,
    WhichEntry,
    WhichNumber,
    WhichNumbers,
)
from api.deps import ApiDeps
from api.openapi import problems
from api.problems import Refusal
from core.may_call import ConsentOnRecord, DncScope
from core.ports.campaign import DncEntry

log = structlog.get_logger()


def router(deps: ApiDeps) -> APIRouter:
    """/v1/dnc and /v1/contacts."""
    routes = APIRouter(prefix="/v1", tags=["campaigns"])
    _add_dnc(routes, deps)
    _add_contacts(routes, deps)
    return routes


def _add_dnc(routes: APIRouter, deps: ApiDeps) -> None:
    permitting = Permitting(deps)

    @routes.post("/dnc", status_code=201, summary="Forbid calls to a number", responses=problems(400, 413))
    async def forbid_number(body: NewDnc) -> DncNumber:
        """From now on no call to it is dialled, whoever has planned it."""
        return DncNumber.listed(await permitting.forbid(body.number, body.scope, body.of, body.reason))

    @routes.get("/dnc", summary="List numbers that must not be called")
    async def list_forbidden(which: Annotated[WhichNumbers, Query()]) -> DncNumbers:
        """The newest first."""
        found = await deps.campaigns.blocked(which.number or "", which.limit)
        return DncNumbers(numbers=[DncNumber.listed(entry) for entry in found])

    @routes.delete("/dnc", status_code=204, summary="Allow calls to a number again", responses=problems(404))
    async def allow_number(which: Annotated[WhichEntry, Query()]) -> None:
        """The entry stays on record as revoked, and the reason is in the log."""
        await permitting.allow(which.number, which.scope, which.of, which.reason)

    @routes.get("/dnc/log", summary="See who was forbidden, allowed again, or revoked a consent")
    async def list_permission_changes(which: Annotated[WhichNumbers, Query()]) -> PermissionLog:
        """The newest first. The log only grows; what was forbidden before it was kept is not in it."""
        found = await deps.campaigns.changes(which.number or "", which.limit)
        return PermissionLog(changes=[PermissionLine.of_change(change) for change in found])


def _add_contacts(routes: APIRouter, deps: ApiDeps) -> None:
    tenant = deps.settings.tenant

    @routes.get("/contacts", summary="See what was done with a number")
    async def get_number(which: Annotated[WhichNumber, Query()]) -> NumberHistory:
        """Attempts of all campaigns, and whether it may be called: do-not-call lists and consent."""
        number, campaigns = which.number, deps.campaigns
        attempts, entries = await campaigns.attempts(number), await campaigns.blocked(number)
        consent = await campaigns.consent_of(tenant, number)
        return NumberHistory.of(number, attempts, entries, consent, time.time() * 1_000)

    @routes.post("/contacts/consent", status_code=204, summary="Put a consent on record", responses=problems(400, 413))
    async def keep_consent(body: NumberConsent) -> None:
        """The newest word counts."""
        await deps.campaigns.consent(tenant, body.number, body.consent())

    @routes.post("/contacts/revocation", status_code=204, summary="Revoke a consent", responses=problems(400, 413))
    async def revoke_consent(body: RevokedConsent) -> None:
        """Campaigns that need consent do not call the number any more."""
        at_ms = body.revoked_at.timestamp() * 1_000 if body.revoked_at else time.time() * 1_000
        await deps.campaigns.consent(tenant, body.number, ConsentOnRecord(0.0, at_ms, source=body.reason))
        log.info("consent_revoked", pii_number=body.number)


class Permitting:
    """Keeps the list of numbers that must not be called. All raise Refusal."""

    def __init__(self, deps: ApiDeps) -> None:
        self._campaigns = deps.campaigns
        self._tenant = deps.settings.tenant

    async def forbid(self, number: str, scope: DncScope, of: str | None, reason: str) -> DncEntry:
        """From now on no call to it is dialled."""
        entry = _entry(number, scope, of, self._tenant, reason)
        await self._campaigns.block(entry)
        log.info("number_forbidden", scope=scope.value, pii_number=number)
        return entry

    async def allow(self, number: str, scope: DncScope, of: str | None, reason: str) -> None:
        """Calls may be dialled again."""
        if not await self._campaigns.unblock(_entry(number, scope, of, self._tenant, reason), time.time() * 1_000):
            raise Refusal(404, "not-forbidden", "Calls to this number are not forbidden in this scope.")
        log.info("number_allowed", scope=scope.value, pii_number=number)


def _entry(number: str, scope: DncScope, of: str | None, tenant: str, reason: str = "") -> DncEntry:
    if scope is DncScope.CAMPAIGN and not of:
        raise Refusal(422, "invalid-request", "of is missing: which campaign must not call the number?")
    whose = {DncScope.GLOBAL: "", DncScope.TENANT: of or tenant, DncScope.CAMPAIGN: of or ""}[scope]
    return DncEntry(number, scope, whose, reason, time.time() * 1_000)
