"""What the history of telling a customer of a campaign's results remembers. Times are ms since the epoch."""

from dataclasses import dataclass

from core.contracts.after_call import DeliverWebhook, Errand
from core.patience import Patience


@dataclass(frozen=True)
class ResultsInput:
    """Tell a campaign's endpoint all that it was not told yet."""

    campaign_id: str
    patience: Patience = Patience()
    pages: int = 50  # of one run; then the workflow goes on in a new one
    attempts: int = 0  # pages in a row of which the endpoint has taken nothing
    failing_since_ms: float | None = None


@dataclass(frozen=True)
class TellResults:
    """Tell a page of them, once."""

    campaign_id: str


@dataclass(frozen=True)
class Untold:
    """A message that was not taken, and why. ``contact_id`` "": it tells of the campaign's end."""

    contact_id: str
    title: str
    message: DeliverWebhook
    failure: str
    tenant: str = "default"
    for_good: bool = False  # it is not to be sent again


@dataclass(frozen=True)
class ResultsTold:
    """What became of a page. All empty: there is nothing to tell now."""

    told: int = 0
    untold: tuple[Untold, ...] = ()
    calls_go_on: bool = False  # the campaign has ended, calls of it have not: its end is told after them


@dataclass(frozen=True)
class ResultsSeenTo:
    """Others see to these messages now: not to be told again from here."""

    campaign_id: str
    contact_ids: tuple[str, ...]


@dataclass(frozen=True)
class LoneMessage:
    """A message that is tried by itself, for days."""

    errand: Errand
    call_id: str
    tenant: str
    patience: Patience
