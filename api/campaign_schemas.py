"""What /v1/campaigns, /v1/contacts and /v1/dnc take and give. Times are ISO 8601 in UTC."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from api import campaign_examples as examples
from api.after_schemas import Url
from api.moments import moment, moment_or_none
from api.schemas import Line, Name, PhoneNumber, Variable
from core.attempts import AttemptOutcome, Retry, RetryRules, WhyNow
from core.calling_window import EVERY_DAY, LEGAL, Blackout, CallingWindow, Hours, ZonePolicy
from core.contracts.campaign import (
    Attempt,
    CampaignPhase,
    CampaignProgress,
    CampaignSettings,
    Contact,
    ContactState,
    VoicemailPolicy,
)
from core.may_call import CallingRules, ConsentOnRecord, DncScope, Hindrance, lack_of_consent
from core.pacing import BreakerRules, Pace
from core.ports.campaign import DncEntry, ListedCampaign, NewContact, Permission, PermissionChange


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _date(text: str) -> str:
    datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is no time zone; one is Europe/Berlin") from error
    return name


LocalDate = Annotated[str, Field(examples=["2026-12-25"]), AfterValidator(_date)]
Zone = Annotated[str, Field(max_length=60, examples=["Europe/Berlin"]), AfterValidator(_zone)]


class HoursOfDay(_Body):
    """When calls may begin, by the contact's clock. The legal hours (8 to 21) hold as well."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"opens": "09:00:00", "closes": "20:00:00", "days": [0, 1, 2, 3, 4]}]}
    )

    opens: time = Field(time(9), examples=["09:00"])
    closes: time = Field(time(20), examples=["20:00"])
    days: list[Annotated[int, Field(ge=0, le=6)]] = Field(list(EVERY_DAY), description="0 is Monday")

    def hours(self) -> Hours:
        """As the window has it."""
        return Hours(_minutes(self.opens), _minutes(self.closes), tuple(self.days))

    @classmethod
    def of(cls, hours: Hours) -> Self:
        """As clients see it."""
        return cls(opens=_time(hours.opens), closes=_time(hours.closes), days=list(hours.days))


class BlackoutTime(_Body):
    """Nobody is called then, wherever they are."""

    from_: AwareDatetime = Field(alias="from")
    until: AwareDatetime


class RetryAfter(_Body):
    """After one outcome: how long to wait, and how often to try again."""

    minutes: float = Field(ge=0)
    times: int = Field(ge=0, le=20)
    doubles: bool = Field(False, description="Each pause is twice the one before")


class CampaignRules(_Body):
    """What an operator decides; all of it can be changed while the campaign runs."""

    hours: list[HoursOfDay] = Field(
        default_factory=lambda: [HoursOfDay.model_validate({})], min_length=1, max_length=14
    )
    holidays: list[LocalDate] = Field(default_factory=list, max_length=400)
    blackouts: list[BlackoutTime] = Field(default_factory=list, max_length=100)
    needs_consent: bool = True
    most_a_day: int = Field(2, ge=1, le=20, description="Attempts to a number in 24 hours, of all campaigns")
    most_a_week: int = Field(4, ge=1, le=50)
    zones: ZonePolicy = ZonePolicy.STATED_OR_NUMBER
    retries: dict[AttemptOutcome, RetryAfter] | None = Field(None, description="null: the usual ones")
    most_attempts: int = Field(5, ge=1, le=50, description="To one contact")
    in_flight: int = Field(5, ge=1, le=10_000, description="Calls at once")
    per_representative: float = Field(
        0.0, ge=0, le=10, description="Calls at once follow who is free, and how many answer; 0: they do not"
    )
    representatives: int = Field(
        0, ge=0, le=10_000, description="On duty; who talks with a contact of the playbook's campaigns is not free"
    )
    priority: int = Field(0, ge=-100, le=100, description="The higher goes first")
    good_hours: bool = Field(False, description="Numbers that answered about this hour before go first")
    voicemail: VoicemailPolicy = VoicemailPolicy.HANG_UP
    voicemail_line: Line | None = None
    webhook_url: Url | None = Field(
        None, description="A public https address that is told of each contact that is done, and of the end, signed"
    )

    def settings(
        self, campaign_id: str, name: str, playbook: str, our_number: str, tenant: str, webhook: str
    ) -> CampaignSettings:
        """As campaigns have them. ``webhook``: the endpoint of ``webhook_url``."""
        window = CallingWindow(
            legal=LEGAL,
            hours=tuple(hours.hours() for hours in self.hours),
            holidays=tuple(self.holidays),
            blackouts=tuple(Blackout(_ms(one.from_), _ms(one.until)) for one in self.blackouts),
        )
        retries = RetryRules(most_attempts=self.most_attempts)
        if self.retries is not None:
            after = {
                outcome: Retry(rule.minutes * 60, rule.times, rule.doubles) for outcome, rule in self.retries.items()
            }
            retries = RetryRules(after, self.most_attempts)
        return CampaignSettings(
            campaign_id=campaign_id,
            name=name,
            playbook=playbook,
            our_number=our_number,
            tenant=tenant,
            rules=CallingRules(window, self.needs_consent, self.most_a_day, self.most_a_week),
            retries=retries,
            pace=Pace(self.in_flight, self.per_representative, self.representatives),
            breaker=BreakerRules(),
            priority=self.priority,
            zones=self.zones,
            voicemail=self.voicemail,
            voicemail_line=self.voicemail_line or "",
            good_hours=self.good_hours,
            webhook=webhook,
        )

    @classmethod
    def of(cls, listed: ListedCampaign) -> Self:
        """As clients see them."""
        settings = listed.settings
        rules, pace = settings.rules, settings.pace
        return cls.model_validate(
            {
                "hours": [HoursOfDay.of(hours) for hours in rules.window.hours],
                "holidays": list(rules.window.holidays),
                "blackouts": [
                    {"from": moment(one.from_ms), "until": moment(one.until_ms)} for one in rules.window.blackouts
                ],
                "needs_consent": rules.needs_consent,
                "most_a_day": rules.most_a_day,
                "most_a_week": rules.most_a_week,
                "zones": settings.zones,
                "retries": {
                    outcome: RetryAfter(minutes=retry.pause_s / 60, times=retry.most, doubles=retry.doubles)
                    for outcome, retry in settings.retries.after.items()
                },
                "most_attempts": settings.retries.most_attempts,
                "in_flight": pace.in_flight,
                "per_representative": pace.per_representative,
                "representatives": pace.representatives,
                "priority": settings.priority,
                "good_hours": settings.good_hours,
                "voicemail": settings.voicemail,
                "voicemail_line": settings.voicemail_line or None,
                "webhook_url": listed.webhook_url or None,
            }
        )


class NewCampaign(CampaignRules):
    """A campaign to create; it calls nobody before it is started."""

    name: str = Field(min_length=1, max_length=120, examples=["Reminders, December"])
    playbook: Name = Field(
        description="Each attempt is made with its newest version", examples=["appointment_reminder"]
    )
    from_: PhoneNumber | None = Field(None, alias="from", description="One of our numbers; default: the installation's")


class ChangedCampaign(BaseModel):
    """What is to be otherwise; the rest stays."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [{"in_flight": 20}]})


class Campaign(BaseModel):
    """A campaign."""

    id: str = Field(examples=["c5f0c7d2a9b6"])
    name: str
    playbook: str
    from_: str = Field(serialization_alias="from")
    phase: CampaignPhase
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    rules: CampaignRules
    webhook_endpoint: str | None = Field(
        description="Whose deliveries and secret /v1/webhooks knows", examples=["we_9c0d1e2f3a4b5c6d7e8f"]
    )
    webhook_secret: str | None = Field(
        description="Signs by Standard Webhooks; told only by the answer that has made the endpoint",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )
    temporal_url: str

    @classmethod
    def listed(cls, listed: ListedCampaign, temporal_url: str, secret: str | None = None) -> Self:
        """Of one on record."""
        settings = listed.settings
        return cls(
            id=settings.campaign_id,
            name=settings.name,
            playbook=settings.playbook,
            from_=settings.our_number,
            phase=listed.phase,
            created_at=moment(listed.created_ms),
            started_at=moment_or_none(listed.started_ms),
            ended_at=moment_or_none(listed.ended_ms),
            rules=CampaignRules.of(listed),
            webhook_endpoint=settings.webhook if listed.webhook_url else None,
            webhook_secret=secret,
            temporal_url=temporal_url,
        )


class CampaignList(BaseModel):
    """Campaigns, the newest first."""

    campaigns: list[Campaign]


class ConsentGiven(_Body):
    """What the holder of a number has agreed to."""

    given_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    source: str = Field("", max_length=200, examples=["web form 2026-03-01"])

    def consent(self) -> ConsentOnRecord:
        """As it is kept."""
        expires_ms = _ms(self.expires_at) if self.expires_at else None
        return ConsentOnRecord(_ms(self.given_at), None, expires_ms, self.source)


class ContactToAdd(_Body):
    """Somebody to call."""

    number: PhoneNumber
    zone: Zone | None = Field(None, description="Default: by the number")
    variables: dict[Name, Variable] = Field(default_factory=dict, max_length=200)
    consent: ConsentGiven | None = None

    def contact(self) -> NewContact:
        """As it is kept."""
        consent = self.consent.consent() if self.consent else None
        return NewContact(self.number, self.zone or "", dict(self.variables), consent)


class ContactsToAdd(_Body):
    """Some of a campaign's contacts."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CONTACTS]})

    contacts: list[ContactToAdd] = Field(min_length=1, max_length=1_000)


class AddedContacts(BaseModel):
    """What became of them."""

    added: int = Field(examples=[998])
    known: int = Field(examples=[2], description="Their numbers were in the campaign already")


class Progress(BaseModel):
    """How far a campaign has come."""

    phase: CampaignPhase
    contacts: int
    waiting: int
    dialling: int
    done: int
    attempts: int
    attempts_last_minute: int
    answered: int
    answer_rate: float | None = Field(description="Of attempts that have ended")
    outcomes: dict[AttemptOutcome, int] = Field(description="Of attempts that have ended")
    hindered: dict[Hindrance, int] = Field(description="Contacts who are not called, and why")
    eta_s: float | None = Field(description="Seconds until nobody waits, at the last minute's pace")

    @classmethod
    def of(cls, phase: CampaignPhase, counts: CampaignProgress) -> Self:
        """Of counts."""
        ended = sum(counts.outcomes.values())
        return cls(
            phase=phase,
            contacts=counts.contacts,
            waiting=counts.waiting,
            dialling=counts.dialling,
            done=counts.done,
            attempts=counts.attempts,
            attempts_last_minute=counts.last_minute,
            answered=counts.answered,
            answer_rate=round(counts.answered / ended, 3) if ended else None,
            outcomes=counts.outcomes,
            hindered=counts.hindered,
            eta_s=round(60 * counts.waiting / counts.last_minute) if counts.last_minute else None,
        )


class AttemptMade(BaseModel):
    """One dial, and by what it was allowed."""

    call_id: str
    campaign: str
    contact: str
    attempt: int
    opened_at: datetime
    ended_at: datetime | None
    outcome: AttemptOutcome | None
    zones: list[str] = Field(description="By whose clocks it was allowed")
    consent_source: str | None = Field(description="By which consent; null: none was needed")
    why_now: WhyNow | None = Field(description="What made it due; null: made before this was kept")

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """Of one on record."""
        return cls(
            call_id=attempt.call_id,
            campaign=attempt.campaign_id,
            contact=attempt.contact_id,
            attempt=attempt.number,
            opened_at=moment(attempt.opened_ms),
            ended_at=moment_or_none(attempt.ended_ms),
            outcome=attempt.outcome,
            zones=list(attempt.zones),
            consent_source=attempt.consent.source if attempt.consent else None,
            why_now=attempt.why_now,
        )


class ContactResult(BaseModel):
    """A contact, and what was tried."""

    id: str
    number: str
    state: ContactState
    due_at: datetime | None
    outcomes: list[AttemptOutcome]
    hindrance: Hindrance | None
    variables: dict[str, str]

    @classmethod
    def of(cls, contact: Contact) -> Self:
        """Of one on record."""
        waits = contact.state is ContactState.WAITING and contact.due_ms > 0
        return cls(
            id=contact.contact_id,
            number=contact.number,
            state=contact.state,
            due_at=moment(contact.due_ms) if waits else None,
            outcomes=list(contact.outcomes),
            hindrance=contact.hindrance,
            variables=contact.variables,
        )


class ContactPage(BaseModel):
    """Some of a campaign's contacts."""

    contacts: list[ContactResult]
    next: str | None = Field(description="Cursor of the next page", examples=["3f2a9b6e4c1f"])


class ConsentKept(BaseModel):
    """What the holder of a number has agreed to, and taken back."""

    given_at: datetime | None = Field(description="null: revoked without having been given")
    revoked_at: datetime | None
    expires_at: datetime | None
    source: str
    lacks: Hindrance | None = Field(description="Why it allows no call now; null: it does")

    @classmethod
    def of(cls, consent: ConsentOnRecord, now_ms: float) -> Self:
        """Of one on record."""
        return cls(
            given_at=moment(consent.given_ms) if consent.given_ms > 0 else None,
            revoked_at=moment_or_none(consent.revoked_ms),
            expires_at=moment_or_none(consent.expires_ms),
            source=consent.source,
            lacks=lack_of_consent(consent, now_ms),
        )


class NumberHistory(BaseModel):
    """What was done with a number, the newest first."""

    number: str = Field(examples=["+12025550117"])
    attempts: list[AttemptMade]
    dnc: list["DncNumber"]
    consent: ConsentKept | None = Field(description="null: none is on record")

    @classmethod
    def of(
        cls,
        number: str,
        attempts: Sequence[Attempt],
        entries: Sequence[DncEntry],
        consent: ConsentOnRecord | None,
        now_ms: float,
    ) -> Self:
        """Of what is on record."""
        return cls(
            number=number,
            attempts=[AttemptMade.of(attempt) for attempt in attempts],
            dnc=[DncNumber.listed(entry) for entry in entries],
            consent=ConsentKept.of(consent, now_ms) if consent is not None else None,
        )


class NewDnc(_Body):
    """A number that must not be called."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"number": "+12025550117", "scope": "tenant", "reason": "asked for by letter"}]}
    )

    number: PhoneNumber
    scope: DncScope = DncScope.TENANT
    of: str | None = Field(None, max_length=60, description="The tenant or campaign; default: this installation's")
    reason: str = Field("", max_length=200, examples=["asked for by letter"])


class DncNumber(BaseModel):
    """A number that must not be called, or must not have been."""

    number: str
    scope: DncScope
    of: str
    reason: str
    added_at: datetime
    removed_at: datetime | None

    @classmethod
    def listed(cls, entry: DncEntry) -> Self:
        """Of one on record."""
        return cls(
            number=entry.number,
            scope=entry.scope,
            of=entry.of,
            reason=entry.reason,
            added_at=moment(entry.added_ms),
            removed_at=moment_or_none(entry.removed_ms),
        )


class DncNumbers(BaseModel):
    """The newest first."""

    numbers: list[DncNumber]


class PermissionLine(BaseModel):
    """A change of whether a number may be called."""

    number: str = Field(examples=["+12025550117"])
    change: Permission
    scope: DncScope
    of: str = Field(description="The tenant or campaign", examples=["default"])
    reason: str = Field(examples=["asked for by letter"])
    at: datetime = Field(examples=["2026-11-26T09:30:00Z"])

    @classmethod
    def of_change(cls, change: PermissionChange) -> Self:
        """Of one on record."""
        return cls(
            number=change.number,
            change=change.change,
            scope=change.scope,
            of=change.of,
            reason=change.reason,
            at=moment(change.at_ms),
        )


class PermissionLog(BaseModel):
    """Such changes, the newest first."""

    changes: list[PermissionLine]


class WhichNumbers(_Body):
    """Which numbers of those that must not be called."""

    number: PhoneNumber | None = Field(None, description="Only this one, also if it was revoked")
    limit: int = Field(100, ge=1, le=500)


class WhichEntry(_Body):
    """An entry of those that must not be called."""

    number: PhoneNumber
    scope: DncScope = DncScope.TENANT
    of: str | None = Field(None, max_length=60)
    reason: str = Field(
        "", max_length=200, description="For whoever asks later", examples=["wrote that it was a mistake"]
    )


class WhichNumber(_Body):
    """A number."""

    number: PhoneNumber


class ContactsFrom(_Body):
    """A page of contacts."""

    cursor: str = Field("", max_length=64, description="`next` of the page before")
    limit: int = Field(100, ge=1, le=500)


class HowManyCampaigns(_Body):
    """How many."""

    limit: int = Field(100, ge=1, le=500)


class NumberConsent(ConsentGiven):
    """A consent to put on record."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"number": "+12025550117", "given_at": "2026-03-01T10:00:00Z", "source": "web form"}]
        }
    )

    number: PhoneNumber


class RevokedConsent(_Body):
    """A consent that was taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"number": "+12025550117"}]})

    number: PhoneNumber
    revoked_at: AwareDatetime | None = Field(None, description="Default: now")
    reason: str = Field("", max_length=200, description="For whoever asks later")


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _time(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


def _ms(moment: datetime) -> float:
    return moment.timestamp() * 1_000
