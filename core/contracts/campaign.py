"""What a campaign's history and its tables remember. Times are ms since the epoch unless named otherwise."""

from dataclasses import dataclass, field
from enum import StrEnum

from core.attempts import AttemptOutcome, RetryRules, WhyNow
from core.calling_window import ZonePolicy
from core.may_call import CallingRules, ConsentOnRecord, Hindrance
from core.pacing import BreakerRules, Pace


class VoicemailPolicy(StrEnum):
    """What to do when a machine has answered."""

    MESSAGE = "message"  # after the beep
    HANG_UP = "hang_up"  # and try again by the retry rules


class CampaignPhase(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELED = "canceled"


class ContactState(StrEnum):
    """Where a contact of a campaign stands."""

    WAITING = "waiting"  # for its first or next attempt, not before ``due_ms``
    DIALLING = "dialling"  # an attempt is under way
    DONE = "done"  # its last attempt's outcome stays, or ``hindrance`` tells why there was none


@dataclass(frozen=True)
class CampaignSettings:
    """What an operator decides. Saved whole; a change while it runs comes as a message."""

    campaign_id: str
    name: str
    playbook: str  # by name: each attempt is made with the newest version
    our_number: str  # E.164: calls come from it
    tenant: str = "default"
    rules: CallingRules = CallingRules()
    retries: RetryRules = RetryRules()
    pace: Pace = Pace()
    breaker: BreakerRules = BreakerRules()
    priority: int = 0  # the higher goes first
    zones: ZonePolicy = ZonePolicy.STATED_OR_NUMBER
    voicemail: VoicemailPolicy = VoicemailPolicy.HANG_UP
    voicemail_line: str = ""  # for MESSAGE
    good_hours: bool = False  # whoever has answered about this hour before goes first
    webhook: str = ""  # the endpoint that is told of results


@dataclass(frozen=True)
class Contact:
    """One line of a campaign's list. A number is in a campaign once."""

    campaign_id: str
    contact_id: str
    number: str  # E.164
    stated_zone: str = ""  # IANA name
    variables: dict[str, str] = field(default_factory=dict)  # the list's further columns: what the call knows
    state: ContactState = ContactState.WAITING
    due_ms: float = 0.0
    outcomes: tuple[AttemptOutcome, ...] = ()  # of its attempts, the newest last
    hindrance: Hindrance | None = None  # why it is done without being reached
    done_ms: float | None = None


@dataclass(frozen=True)
class Attempt:
    """One dial of one contact. Its row is there before the dial, so that no other can begin."""

    campaign_id: str
    contact_id: str
    number: int  # from 1
    call_id: str  # of its call, by ``attempt_call_id``
    opened_ms: float
    zones: tuple[str, ...] = ()  # by whose clocks it was allowed
    consent: ConsentOnRecord | None = None  # by which it was allowed
    carrier_call_id: str | None = None
    ended_ms: float | None = None
    outcome: AttemptOutcome | None = None
    why_now: WhyNow | None = None  # None: made before this was kept


@dataclass(frozen=True)
class CampaignInput:
    """A campaign that is to run; all else stands in SQL, which each round reads anew."""

    campaign_id: str
    tick_s: float = 1.0  # between two rounds while somebody is due or spoken with
    rounds: int = 500  # of one run; then the workflow goes on in a new one
    paused: bool = False  # by an operator, when a new run begins


@dataclass(frozen=True)
class OpenRound:
    """Choose whom to call now, and begin their calls."""

    campaign_id: str


@dataclass(frozen=True)
class Round:
    """What a round came to. Counts are of the whole campaign after it."""

    opened: int = 0  # attempts that began in it
    in_flight: int = 0
    next_ms: float | None = None  # when the next contact is due; None: nobody waits any more
    rests_until_ms: float | None = None  # too much failed: nobody is dialled before


@dataclass(frozen=True)
class KeepPhase:
    """Write a campaign's phase down, for whoever lists campaigns."""

    campaign_id: str
    phase: CampaignPhase
    call_off: bool = False  # contacts who still wait are not called any more


@dataclass(frozen=True)
class CampaignState:
    """A running campaign as its workflow knows it; the query ``state``."""

    campaign_id: str
    phase: CampaignPhase
    last: Round = Round()
    waits_until_ms: float | None = None


@dataclass(frozen=True)
class CampaignProgress:
    """Counts, for whoever watches."""

    contacts: int = 0
    waiting: int = 0
    dialling: int = 0
    done: int = 0
    attempts: int = 0
    answered: int = 0
    outcomes: dict[AttemptOutcome, int] = field(default_factory=dict)  # of all attempts that have ended
    hindered: dict[Hindrance, int] = field(default_factory=dict)  # of contacts that are done without an attempt
    last_minute: int = 0  # attempts


def attempt_call_id(campaign_id: str, contact_id: str, number: int) -> str:
    """The call of an attempt. The same attempt is the same call, which Temporal starts once."""
    return f"{campaign_id}-{contact_id}-{number}"
