"""Begins calls at Temporal, for campaigns, and has their results told."""

from api.temporal import CallNotRunning, Temporal, TemporalUnavailable
from core.contracts.call import CallInput
from core.contracts.campaign_results import ResultsInput
from core.ports.campaign import CallStarter
from core.ports.campaign_results import ResultsTeller
from core.ports.errors import VendorError


class TemporalCallStarter(CallStarter):
    """Starts calls as the API does: the same call is started once."""

    def __init__(self, temporal: Temporal) -> None:
        self._temporal = temporal

    async def begin(self, call: CallInput) -> bool:
        """See the port."""
        try:
            await self._temporal.start_call(call)
        except CallNotRunning:
            return False
        except TemporalUnavailable as error:
            raise VendorError("temporal", "unavailable", "a call could not be begun", curable=True) from error
        return True

    async def is_running(self, call_id: str) -> bool:
        """See the port."""
        try:
            return await self._temporal.is_running(call_id)
        except TemporalUnavailable as error:
            raise VendorError("temporal", "unavailable", "a call could not be looked up", curable=True) from error


class TemporalResultsTeller(ResultsTeller):
    """Begins the workflow that tells them."""

    def __init__(self, temporal: Temporal) -> None:
        self._temporal = temporal

    async def tell(self, results: ResultsInput, *, news: bool = False) -> None:
        """See the port."""
        try:
            await self._temporal.tell_results(results, news=news)
        except TemporalUnavailable as error:
            raise VendorError("temporal", "unavailable", "results could not be told", curable=True) from error
