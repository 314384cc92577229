"""Whatever zones, moments, lists and consents are drawn: who is dialled might be, by a judge of its own."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import settings as profile
from sqlalchemy import delete, insert

from core.calling_window import Blackout, CallingWindow, Hours, ZonePolicy
from core.contracts.campaign import CampaignPhase, CampaignSettings
from core.may_call import CallingRules, ConsentOnRecord, DncScope
from core.pacing import Pace
from core.ports.campaign import DncEntry, NewContact
from storage.campaign_rounds import SqlCampaignBook
from storage.campaigns import SqlCampaigns, SqlDialGate
from storage.database import Database
from storage.migrate import migrate
from storage.models import AttemptRow, ConsentRow, DialRate, DncRow

A_ROUND: Final = 200  # contacts drawn together
DRAWS: Final = 100_000 if profile().max_examples > 1_000 else 2_000  # `make simulate`, or `make test`
HOUR, DAY = 3_600_000.0, 86_400_000.0
TENANT: Final = "acme"

BY_NUMBER: Final = {  # where who has such a number may be
    "+4930": ("Europe/Berlin",),
    "+1212": ("America/New_York",),
    "+1808": ("Pacific/Honolulu",),
    "+44207": ("Europe/London",),
    "+5511987": ("America/Sao_Paulo",),
    "+97714": ("Asia/Kathmandu",),
    "+6493": ("Pacific/Auckland",),
    "+35191": ("Atlantic/Azores", "Europe/Lisbon"),
    "+34612": ("Atlantic/Canary", "Europe/Madrid"),
    "+614": ("Australia/Perth", "Australia/Eucla", "Australia/Adelaide", "Australia/Brisbane", "Australia/Sydney",
             "Australia/Lord_Howe", "Indian/Christmas", "Indian/Cocos"),
}  # fmt: skip
DIGITS: Final = {"+4930": 8, "+1212": 7, "+1808": 7, "+44207": 7, "+5511987": 6, "+97714": 6, "+6493": 6,
                 "+35191": 7, "+34612": 6, "+614": 8}  # fmt: skip
STATED: Final = ("", "", "", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
CLOCKS_CHANGE: Final = ("2026-03-08T07", "2026-03-29T01", "2026-04-04T15", "2026-10-25T01", "2026-11-01T06")  # UTC


@dataclass
class Person:
    """All that is true of a number, in the judge's own words."""

    number: str
    stated: str
    forbidden: tuple[tuple[str, str, bool], ...] = ()  # scope, of whom, taken back
    agreed: tuple[float, float | None, float | None] | None = None  # given, revoked, expires
    rang: tuple[float, ...] = ()
    unnoticed: tuple[float, ...] = ()  # attempts that never rang


def legal(person: Person, settings: CampaignSettings, at_ms: float) -> bool:
    """Whether a dial at that moment is allowed: the judge, who shares no code with what is judged."""
    rules, window = settings.rules, settings.rules.window
    ours = {("global", ""), ("tenant", TENANT), ("campaign", settings.campaign_id)}
    if any((scope, of) in ours and not taken_back for scope, of, taken_back in person.forbidden):
        return False
    if rules.needs_consent:
        if person.agreed is None:
            return False
        given, revoked, expires = person.agreed
        if given > at_ms or (revoked is not None and revoked >= given) or (expires is not None and at_ms >= expires):
            return False
    lately = [at_ms - rang for rang in person.rang]
    if (
        sum(ago < DAY for ago in lately) >= rules.most_a_day
        or sum(ago < 7 * DAY for ago in lately) >= rules.most_a_week
    ):
        return False
    if any(blackout.from_ms <= at_ms < blackout.until_ms for blackout in window.blackouts):
        return False
    return all(_awake(window, zone, at_ms) for zone in _zones(person, settings))


def _zones(person: Person, settings: CampaignSettings) -> tuple[str, ...]:
    by_number = next(zones for prefix, zones in BY_NUMBER.items() if person.number.startswith(prefix))
    if not person.stated:
        return by_number
    return (person.stated, *by_number) if settings.zones is ZonePolicy.BOTH else (person.stated,)


def _awake(window: CallingWindow, zone: str, at_ms: float) -> bool:
    clock = datetime.fromtimestamp(at_ms / 1_000, ZoneInfo(zone))
    minutes = clock.hour * 60 + clock.minute
    own = any(clock.weekday() in one.days and one.opens <= minutes < one.closes for one in window.hours)
    return 8 * 60 <= minutes < 21 * 60 and own and f"{clock:%Y-%m-%d}" not in window.holidays


def drawn_moment(draw: random.Random) -> float:
    """Any moment; half of them in the days on which some clock changes, many a hair beside a full hour somewhere."""
    if draw.random() < 0.5:
        hour = datetime.fromisoformat(f"{draw.choice(CLOCKS_CHANGE)}:00+00:00")
        at = hour + timedelta(hours=draw.randint(-30, 30))
    else:
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=draw.randint(0, 2 * 365 * 24))
    at += timedelta(minutes=draw.choice([0, 0, 15, 30]))
    return at.timestamp() * 1_000 + draw.choice([-1.0, 0.0, 0.0, 1.0, 60_000.0, draw.uniform(0, HOUR)])


def drawn_campaign(draw: random.Random, campaign_id: str, now_ms: float) -> CampaignSettings:
    office = (Hours(9 * 60, 12 * 60, (0, 1, 2, 3, 4)), Hours(13 * 60 + 30, 19 * 60, (0, 1, 2, 3, 4, 5)))
    today = datetime.fromtimestamp(now_ms / 1_000, UTC).date()
    window = CallingWindow(
        hours=draw.choice([(Hours(),), (Hours(),), (Hours(0, 24 * 60),), office]),
        holidays=(today.isoformat(),) if draw.random() < 0.1 else (),
        blackouts=(Blackout(now_ms - HOUR, now_ms + draw.choice([-1.0, 0.0, 1.0])),) if draw.random() < 0.2 else (),
    )
    return CampaignSettings(
        campaign_id,
        "Drawn",
        "order_support",
        "+12025550142",
        tenant=TENANT,
        rules=CallingRules(window, draw.random() < 0.5, draw.randint(1, 2), draw.randint(1, 3)),
        pace=Pace(in_flight=10 * A_ROUND),
        zones=draw.choice(list(ZonePolicy)),
    )


def drawn_person(draw: random.Random, campaign_id: str, now_ms: float) -> Person:
    prefix = draw.choice(list(BY_NUMBER))
    person = Person(prefix + "".join(str(draw.randint(2, 9)) for _ in range(DIGITS[prefix])), draw.choice(STATED))
    if draw.random() < 0.3:
        whose = [("global", ""), ("tenant", TENANT), ("tenant", "other"), ("campaign", campaign_id), ("campaign", "x")]
        taken = draw.sample(whose, draw.randint(1, 2))
        person.forbidden = tuple((scope, of, draw.random() < 0.5) for scope, of in taken)
    near = [-40 * DAY, -DAY, -1.0, 0.0, 0.0, 1.0, DAY]
    if draw.random() < 0.8:
        given = now_ms + draw.choice([*near[:5], *near])
        revoked = None if draw.random() < 0.8 else given + draw.choice([-1.0, 0.0, 1.0])
        person.agreed = given, revoked, None if draw.random() < 0.7 else now_ms + draw.choice(near)
    ago = [1.0, HOUR, DAY - 1, DAY, DAY + 1, 3 * DAY, 7 * DAY - 1, 7 * DAY, 30 * DAY]
    person.rang = tuple(now_ms - draw.choice(ago) for _ in range(draw.choice([0, 0, 0, 1, 2, 3])))
    person.unnoticed = tuple(now_ms - draw.choice(ago) for _ in range(draw.choice([0, 0, 1])))
    return person


async def keep(database: Database, settings: CampaignSettings, people: list[Person], now_ms: float) -> None:
    """Write down what is true."""
    campaigns = SqlCampaigns(database)
    assert await campaigns.create(settings, now_ms)
    listed = [NewContact(person.number, person.stated) for person in people]
    assert await campaigns.add(settings.campaign_id, listed, now_ms) == len(people)
    dnc = [
        {"number": person.number, "scope": scope, "of": of, "added_ms": 0.0, "removed_ms": 1.0 if taken_back else None}
        for person in people
        for scope, of, taken_back in person.forbidden
    ]
    consents = [
        {"tenant": TENANT, "number": person.number}
        | dict(zip(("given_ms", "revoked_ms", "expires_ms"), said, strict=True))
        for person in people
        if (said := person.agreed) is not None
    ]
    attempts = [row for person in people for row in _attempts(person, settings.campaign_id)]
    async with database.write() as session:
        for table, rows in ((DncRow, dnc), (ConsentRow, consents), (AttemptRow, attempts)):
            if rows:
                await session.execute(insert(table), rows)
        await session.execute(delete(DialRate))  # draws go to and fro in time, a carrier's account does not
    await SqlCampaignBook(database).keep_phase(settings.campaign_id, CampaignPhase.RUNNING, now_ms, call_off=False)


def _attempts(person: Person, campaign_id: str) -> Iterator[dict[str, object]]:
    outcomes = [(at_ms, "no_answer") for at_ms in person.rang] + [(at_ms, "bad_number") for at_ms in person.unnoticed]
    for count, (at_ms, outcome) in enumerate(outcomes):
        call_id = f"before-{campaign_id}-{person.number}-{count}"
        yield {"call_id": call_id, "campaign_id": "before", "contact_id": call_id, "attempt": 1, "zones": [],
               "number": person.number, "opened_ms": at_ms, "ended_ms": at_ms, "outcome": outcome}  # fmt: skip


async def dialled_of_a_draw(database: Database, seed: int, seen: set[str]) -> int:
    """Choose, then stand at the gate when some time has passed and some have changed their mind; how many were let by.

    Whoever is let by must be allowed by the judge, then and when chosen, and whoever is kept back must not be.
    """
    draw = random.Random(seed)
    campaign_id = f"c{seed}"
    now_ms = drawn_moment(draw)
    settings = drawn_campaign(draw, campaign_id, now_ms)
    by_number = {one.number: one for one in (drawn_person(draw, campaign_id, now_ms) for _ in range(A_ROUND))}
    people = [person for number, person in by_number.items() if number not in seen]  # each has one truth
    seen.update(by_number)
    await keep(database, settings, people, now_ms)
    book = SqlCampaignBook(database, calls_per_second=1e6)
    found, planned = await book.open_round(campaign_id, now_ms)
    chosen = {one.number for one in planned}
    wrong = [one for one in people if (one.number in chosen) != legal(one, settings, now_ms)]
    assert (found.opened, wrong) == (len(planned), []), (seed, now_ms, settings.rules)

    at_ms = now_ms + draw.choice([0.0, 1_000.0, HOUR, 5 * HOUR])
    gate, dialled = SqlDialGate(database), 0
    for one in planned:
        person = by_number[one.number]
        if draw.random() < 0.2:
            await _changes_their_mind(database, person, draw, at_ms)
        hindered = await gate.hindrances(one.call_id, one.number, TENANT, campaign_id, at_ms)
        assert (not hindered) == legal(person, settings, at_ms), (seed, one.number, hindered)
        dialled += not hindered
    await book.keep_phase(campaign_id, CampaignPhase.CANCELED, at_ms, call_off=False)
    return dialled


async def _changes_their_mind(database: Database, person: Person, draw: random.Random, at_ms: float) -> None:
    """Between the choice and the dial."""
    campaigns = SqlCampaigns(database)
    if draw.random() < 0.5 and person.agreed is not None:
        given, _, expires = person.agreed
        await campaigns.consent(TENANT, person.number, ConsentOnRecord(given, at_ms, expires))
        person.agreed = given, max(at_ms, person.agreed[1] or at_ms), expires
    else:
        entry = draw.choice([("tenant", TENANT), ("global", ""), ("tenant", "other")])
        await campaigns.block(DncEntry(person.number, DncScope(entry[0]), entry[1]))
        kept = [one for one in person.forbidden if one[:2] != entry]
        person.forbidden = (*kept, (*entry, False))


def test_nobody_is_dialled_whom_an_independent_judge_would_not_let_be_called(tmp_path: Path) -> None:
    async def judged() -> int:
        seen: set[str] = set()
        url = f"sqlite+aiosqlite:///{tmp_path}/draws.db"
        await migrate(url)
        database = Database(url)
        try:
            return sum([await dialled_of_a_draw(database, seed, seen) for seed in range(DRAWS // A_ROUND)])
        finally:
            await database.close()

    assert asyncio.run(judged()) > DRAWS // 20  # many are let by: it is no gate that is always shut
