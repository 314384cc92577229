"""Who is called, by what is on record: nobody twice, against their will, or at night."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.attempts import AttemptOutcome, WhyNow
from core.calling_window import CallingWindow, Hours
from core.contracts.call import CallRecord, Phase
from core.contracts.campaign import CampaignPhase, CampaignSettings, ContactState
from core.may_call import CallingRules, ConsentOnRecord, DncScope, Hindrance
from core.outcome import Disposition
from core.pacing import BreakerRules, Pace
from core.ports.campaign import DncEntry, NewContact, Permission, PlannedCall, UnknownCampaign
from storage.calls import SqlCallStore
from storage.campaign_rounds import SqlCampaignBook
from storage.campaigns import SqlCampaigns, SqlDialGate
from storage.database import Database
from storage.models import Call
from storage.transfers import SqlCallbacks
from tests.storage.records import ended_call

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp() * 1_000  # in London
SECOND, MINUTE, HOUR, DAY = 1_000.0, 60_000.0, 3_600_000.0, 86_400_000.0
ADA, BOB, EVE = "+442071838750", "+442071838751", "+442071838752"
FREELY = CallingRules(needs_consent=False)
SETTINGS = CampaignSettings("c1", "Spring", "order_support", "+12025550142", tenant="acme", rules=FREELY)


class Running:
    """A campaign that runs on this database."""

    def __init__(self, database: Database, calls_per_second: float = 100.0) -> None:
        self.campaigns = SqlCampaigns(database)
        self.book = SqlCampaignBook(database, calls_per_second=calls_per_second)
        self.gate = SqlDialGate(database)
        self.calls = SqlCallStore(database)

    async def runs(self, settings: CampaignSettings, *numbers: str, consent: ConsentOnRecord | None = None) -> None:
        assert await self.campaigns.create(settings, NOON)
        contacts = [NewContact(number, consent=consent) for number in numbers]
        assert await self.campaigns.add(settings.campaign_id, contacts, NOON) == len(numbers)
        await self.book.keep_phase(settings.campaign_id, CampaignPhase.RUNNING, NOON, call_off=False)

    async def planned(self, at_ms: float = NOON, campaign: str = "c1") -> list[PlannedCall]:
        _, planned = await self.book.open_round(campaign, at_ms)
        await self.book.call_has_begun([one.call_id for one in planned])
        return list(planned)

    async def pass_the_gate(self, planned: Sequence[PlannedCall], at_ms: float) -> None:
        """A worker has come to dialling them."""
        for one in planned:
            assert await self.gate.hindrances(one.call_id, one.number, one.tenant, one.campaign_id, at_ms) == ()

    async def dialled(self, at_ms: float = NOON, campaign: str = "c1") -> list[str]:
        planned = await self.planned(at_ms, campaign)
        await self.pass_the_gate(planned, at_ms)
        return sorted(one.number for one in planned)

    async def ends(self, call: PlannedCall, disposition: Disposition, at_ms: float, **changes: object) -> None:
        await self.calls.save(record_of(call, disposition, at_ms, **changes))

    async def states(self, campaign: str = "c1") -> dict[str, tuple[ContactState, Hindrance | None]]:
        return {one.number: (one.state, one.hindrance) for one in await self.campaigns.contacts(campaign)}


def record_of(call: PlannedCall, disposition: Disposition, at_ms: float, **changes: object) -> CallRecord:
    record = ended_call(call.call_id)
    mine = replace(record.call, caller_number=call.number, tenant=call.tenant, campaign=call.campaign_id)
    return replace(record, call=mine, disposition=disposition, ended_ms=at_ms, **changes)  # type: ignore[arg-type]


@pytest.fixture
def running(database: Database) -> Running:
    return Running(database)


async def test_whoever_is_due_is_called_once_and_never_while_a_call_is_under_way(running: Running) -> None:
    await running.runs(SETTINGS, ADA, BOB)
    assert await running.dialled() == [ADA, BOB]
    found, planned = await running.book.open_round("c1", NOON + SECOND)
    assert (found.opened, found.in_flight, found.next_ms, planned) == (0, 2, None, [])
    assert {state for state, _ in (await running.states()).values()} == {ContactState.DIALLING}


async def test_rounds_side_by_side_call_nobody_twice(running: Running) -> None:
    await running.runs(SETTINGS, ADA, BOB, EVE)
    rounds = await asyncio.gather(*(running.book.open_round("c1", NOON) for _ in range(4)))
    opened = sum(found.opened for found, _ in rounds)
    assert opened == 3
    assert {one.call_id for _, planned in rounds for one in planned} == {
        attempt.call_id for number in (ADA, BOB, EVE) for attempt in await running.campaigns.attempts(number)
    }


async def test_a_round_whose_calls_did_not_begin_is_gone_on_with_by_the_next(running: Running) -> None:
    await running.runs(SETTINGS, ADA)
    _, lost = await running.book.open_round("c1", NOON)
    _, again = await running.book.open_round("c1", NOON + SECOND)
    assert [one.call_id for one in again] == [one.call_id for one in lost]
    await running.book.call_has_begun([lost[0].call_id])
    assert await running.planned(NOON + 2 * SECOND) == []


async def test_fewer_calls_begin_while_others_wait_for_a_worker_to_dial_them(database: Database) -> None:
    running = Running(database, calls_per_second=4.0)
    await running.runs(replace(SETTINGS, pace=Pace(in_flight=20)), *(f"+4420718387{last:02}" for last in range(12)))
    waiting = await running.planned()
    assert len(waiting) == 4
    assert len(await running.planned(NOON + SECOND)) == 1
    await running.pass_the_gate(waiting, NOON + SECOND)
    assert len(await running.planned(NOON + 2 * SECOND)) == 4


async def test_a_call_that_is_never_dialled_holds_others_up_for_seconds_only(database: Database) -> None:
    running = Running(database, calls_per_second=4.0)
    await running.runs(replace(SETTINGS, pace=Pace(in_flight=20)), *(f"+4420718387{last:02}" for last in range(12)))
    assert len(await running.planned()) == 4
    assert len(await running.planned(NOON + 11 * SECOND)) == 4


async def test_who_must_not_be_called_is_not_whoever_forbade_it(running: Running) -> None:
    await running.runs(SETTINGS, ADA, BOB, EVE)
    await running.campaigns.block(DncEntry(ADA, DncScope.GLOBAL))
    await running.campaigns.block(DncEntry(BOB, DncScope.TENANT, "acme", "by letter"))
    await running.campaigns.block(DncEntry(EVE, DncScope.TENANT, "somebody else"))
    assert await running.dialled() == [EVE]
    assert (await running.states())[ADA] == (ContactState.DONE, Hindrance.DNC)
    assert [entry.number for entry in await running.campaigns.blocked()] != []


async def test_a_number_that_was_allowed_again_is_called_and_stays_on_record(running: Running) -> None:
    entry = DncEntry(ADA, DncScope.TENANT, "acme", "by letter", NOON)
    await running.campaigns.block(entry)
    assert await running.campaigns.unblock(entry, NOON + SECOND)
    assert not await running.campaigns.unblock(entry, NOON + SECOND)
    await running.runs(SETTINGS, ADA)
    assert await running.dialled() == [ADA]
    assert await running.campaigns.blocked() == []
    assert (await running.campaigns.blocked(ADA))[0].removed_ms == NOON + SECOND


async def test_the_log_tells_what_was_forbidden_allowed_and_revoked_and_only_grows(running: Running) -> None:
    entry = DncEntry(ADA, DncScope.TENANT, "acme", "by letter", added_ms=NOON)
    for at_ms in (NOON, NOON + HOUR):  # again, while it stands: nothing changes
        await running.campaigns.block(replace(entry, added_ms=at_ms))
    await running.campaigns.unblock(replace(entry, reason="a mistake"), NOON + 2 * HOUR)
    await running.campaigns.block(replace(entry, reason="after all", added_ms=NOON + 3 * HOUR))
    for at_ms in (NOON, NOON):
        await running.campaigns.consent("acme", BOB, ConsentOnRecord(0.0, at_ms, source="by mail"))
    ada = [(one.change, one.reason, one.at_ms - NOON) for one in await running.campaigns.changes(ADA)]
    assert ada == [
        (Permission.FORBIDDEN, "after all", 3 * HOUR),
        (Permission.ALLOWED, "a mistake", 2 * HOUR),
        (Permission.FORBIDDEN, "by letter", 0.0),
    ]
    newest, *others = await running.campaigns.changes()
    assert (newest.number, newest.change, newest.of, newest.reason) == (
        BOB,
        Permission.CONSENT_REVOKED,
        "acme",
        "by mail",
    )
    assert len(others) == 3


async def test_the_gate_sees_at_dialling_what_has_changed_since_the_attempt_was_opened(running: Running) -> None:
    await running.runs(SETTINGS, ADA, BOB)
    ada, bob = sorted(await running.planned(), key=lambda one: one.number)
    await running.gate.forbid(DncEntry(ADA, DncScope.TENANT, "acme"))
    gate = running.gate.hindrances
    assert await gate(ada.call_id, ADA, "acme", "c1", NOON + SECOND) == (Hindrance.DNC,)
    assert await gate(bob.call_id, BOB, "acme", "c1", NOON + SECOND) == ()
    assert await gate(bob.call_id, BOB, "acme", "c1", NOON + 12 * HOUR) == (Hindrance.OUTSIDE_WINDOW,)
    assert await gate("out-1", ADA, "acme", None, NOON) == (Hindrance.DNC,)
    assert await gate("out-2", BOB, "acme", None, NOON + 12 * HOUR) == ()
    with pytest.raises(UnknownCampaign):
        await gate("x", BOB, "acme", "c9", NOON)


async def test_without_consent_nobody_is_called_and_what_was_revoked_is_no_consent(running: Running) -> None:
    settings = replace(SETTINGS, rules=CallingRules())
    await running.runs(settings, ADA, consent=ConsentOnRecord(NOON - DAY, source="web form"))
    await running.campaigns.add("c1", [NewContact(BOB), NewContact(EVE, consent=ConsentOnRecord(NOON - DAY))], NOON)
    await running.campaigns.consent("acme", EVE, ConsentOnRecord(0.0, NOON - HOUR))
    await running.campaigns.add(
        "c1", [NewContact(EVE, consent=ConsentOnRecord(NOON - DAY))], NOON
    )  # the same list again
    assert await running.dialled() == [ADA]
    states = await running.states()
    assert states[BOB] == (ContactState.DONE, Hindrance.NO_CONSENT)
    assert states[EVE] == (ContactState.DONE, Hindrance.CONSENT_REVOKED)
    (attempt,) = await running.campaigns.attempts(ADA)
    assert (attempt.consent and attempt.consent.source, attempt.zones) == ("web form", ("Europe/London",))


async def test_at_night_nobody_is_called_and_everybody_is_due_in_the_morning(running: Running) -> None:
    await running.runs(SETTINGS, ADA, BOB)
    night = NOON + 11 * HOUR
    found, planned = await running.book.open_round("c1", night)
    assert (found.opened, planned) == (0, [])
    assert found.next_ms == NOON + 20 * HOUR  # 8 o'clock
    assert await running.dialled(NOON + 20 * HOUR) == [ADA, BOB]


async def test_a_window_that_never_opens_leaves_everybody_done(running: Running) -> None:
    never = replace(FREELY, window=CallingWindow(hours=(Hours(9 * 60, 17 * 60, days=()),)))
    await running.runs(replace(SETTINGS, rules=never), ADA)
    found, _ = await running.book.open_round("c1", NOON)
    assert (found.next_ms, found.in_flight) == (None, 0)
    assert (await running.states())[ADA] == (ContactState.DONE, Hindrance.OUTSIDE_WINDOW)


async def test_other_hours_count_at_once_for_whoever_was_put_off(running: Running) -> None:
    late = replace(FREELY, window=CallingWindow(hours=(Hours(15 * 60, 17 * 60),)))
    await running.runs(replace(SETTINGS, rules=late), ADA)
    assert await running.dialled() == []
    await running.campaigns.change(SETTINGS)
    assert await running.dialled() == [ADA]


async def test_no_more_are_in_flight_than_the_pace_allows(running: Running) -> None:
    await running.runs(replace(SETTINGS, pace=Pace(in_flight=2)), ADA, BOB, EVE)
    first = await running.planned()
    assert len(first) == 2
    assert await running.planned(NOON + SECOND) == []
    await running.ends(first[0], Disposition.COMPLETED, NOON + MINUTE)
    assert len(await running.planned(NOON + MINUTE)) == 1


async def test_representatives_who_talk_are_not_free(running: Running, database: Database) -> None:
    settings = replace(SETTINGS, pace=Pace(in_flight=9, per_representative=1.0, representatives=2))
    await running.runs(settings, ADA, BOB, EVE)
    first, second = await running.planned()
    async with database.write() as session:
        session.add(Call(call_id=first.call_id, started_ms=NOON, phase=Phase.TRANSFERRING.value))
        session.add(Call(call_id=second.call_id, started_ms=NOON, phase=Phase.LIVE.value))
    assert await running.planned(NOON + SECOND) == []  # one talks, one may be wanted by the second
    await running.ends(second, Disposition.COMPLETED, NOON + MINUTE)
    assert len(await running.planned(NOON + MINUTE)) == 1


async def test_representatives_are_shared_by_the_campaigns_of_a_playbook(running: Running, database: Database) -> None:
    pace = Pace(in_flight=9, per_representative=1.0, representatives=1)
    await running.runs(SETTINGS, ADA)
    (talking,) = await running.planned()
    async with database.write() as session:
        session.add(Call(call_id=talking.call_id, started_ms=NOON, phase=Phase.TRANSFERRING.value))
    await running.runs(replace(SETTINGS, campaign_id="c2", pace=pace), BOB)
    await running.runs(replace(SETTINGS, campaign_id="c3", pace=pace, playbook="other"), EVE)
    assert await running.planned(NOON, "c2") == []
    assert await running.dialled(NOON, "c3") == [EVE]


async def test_dials_of_all_campaigns_are_as_far_apart_as_the_carrier_wants(database: Database) -> None:
    running = Running(database, calls_per_second=2.0)
    other = replace(SETTINGS, campaign_id="c2")
    await running.runs(SETTINGS, ADA, BOB)
    await running.runs(other, *(f"+44207183880{digit}" for digit in range(6)))
    moments = []
    for tick in range(5):
        for campaign in ("c1", "c2"):
            planned = await running.planned(NOON + tick * SECOND, campaign)
            await running.pass_the_gate(planned, NOON + tick * SECOND)
            moments += [one.dial_ms for one in planned]
    assert len(moments) >= 7
    assert all(
        later - earlier >= 500 - 1e-6 for earlier, later in zip(sorted(moments), sorted(moments)[1:], strict=False)
    )


async def test_the_higher_priority_is_called_first(database: Database) -> None:
    running = Running(database, calls_per_second=1.0)
    await running.runs(SETTINGS, ADA)
    await running.runs(replace(SETTINGS, campaign_id="c2", priority=1), BOB, EVE)
    assert await running.dialled(NOON, "c2") != []
    assert await running.dialled(NOON + SECOND, "c1") == []
    assert await running.dialled(NOON + SECOND, "c2") != []
    assert await running.dialled(NOON + 2 * SECOND, "c1") == [ADA]


async def test_a_number_that_another_campaign_is_calling_waits(running: Running) -> None:
    await running.runs(SETTINGS, ADA)
    await running.runs(replace(SETTINGS, campaign_id="c2"), ADA)
    assert await running.dialled(NOON, "c1") == [ADA]
    assert await running.dialled(NOON, "c2") == []
    found, _ = await running.book.open_round("c2", NOON + SECOND)
    assert found.next_ms == NOON + MINUTE


async def test_attempts_of_all_campaigns_count_for_what_a_number_bears_in_a_day(running: Running) -> None:
    rules = replace(FREELY, most_a_day=1)
    await running.runs(replace(SETTINGS, rules=rules), ADA)
    await running.runs(replace(SETTINGS, campaign_id="c2", rules=rules), ADA)
    (call,) = await running.planned()
    await running.ends(call, Disposition.COMPLETED, NOON + MINUTE)
    found, planned = await running.book.open_round("c2", NOON + HOUR)
    assert (planned, found.next_ms) == ([], NOON + DAY)


@pytest.mark.parametrize(
    ("disposition", "changes", "outcome", "again_in"),
    [
        (Disposition.COMPLETED, {}, AttemptOutcome.REACHED, None),
        (Disposition.BUSY, {}, AttemptOutcome.BUSY, 15 * MINUTE),
        (Disposition.NO_ANSWER, {}, AttemptOutcome.NO_ANSWER, 3 * HOUR),
        (Disposition.VOICEMAIL, {}, AttemptOutcome.VOICEMAIL, DAY),
        (Disposition.CONNECTION_LOST, {}, AttemptOutcome.DROPPED, 2 * MINUTE),
        (Disposition.FAILED, {}, AttemptOutcome.FAILED, 10 * MINUTE),
        (Disposition.FAILED, {"carrier_error": "404"}, AttemptOutcome.BAD_NUMBER, None),
        (Disposition.FAILED, {"carrier_error": "486"}, AttemptOutcome.BUSY, 15 * MINUTE),
        (Disposition.COMPLETED, {"no_more_calls": True}, AttemptOutcome.DO_NOT_CALL, None),
    ],
)
async def test_what_a_call_came_to_decides_whether_and_when_it_is_tried_again(
    running: Running,
    disposition: Disposition,
    changes: dict[str, object],
    outcome: AttemptOutcome,
    again_in: float | None,
) -> None:
    await running.runs(SETTINGS, ADA)
    (call,) = await running.planned()
    await running.ends(call, disposition, NOON + MINUTE, **changes)
    await running.ends(call, Disposition.COMPLETED, NOON + 2 * MINUTE)  # told again: the first outcome stays
    (contact,) = await running.campaigns.contacts("c1")
    assert contact.outcomes == (outcome,)
    if again_in is None:
        assert contact.state is ContactState.DONE
    else:
        assert (contact.state, contact.due_ms) == (ContactState.WAITING, NOON + MINUTE + again_in)


async def test_whoever_has_answered_about_this_hour_before_is_called_first_where_it_is_so_set(running: Running) -> None:
    settings = replace(SETTINGS, pace=Pace(in_flight=1), good_hours=True)
    await running.runs(replace(SETTINGS, campaign_id="c0"), ADA, BOB, EVE)
    for call in await running.planned(NOON - 2 * DAY - 0.5 * HOUR, "c0"):
        if call.number == BOB:
            await running.ends(call, Disposition.COMPLETED, NOON - 2 * DAY)
        elif call.number == EVE:
            await running.ends(call, Disposition.NO_ANSWER, NOON - 2 * DAY)  # rang in vain
    await running.runs(settings, *(f"+44207183870{digit}" for digit in range(6)), BOB, EVE)
    (first,) = await running.planned()
    assert first.number == BOB
    await running.ends(first, Disposition.COMPLETED, NOON + MINUTE)
    (second,) = await running.planned(NOON + MINUTE)
    assert [(await running.campaigns.attempts(one.number))[0].why_now for one in (first, second)] == [
        WhyNow.GOOD_HOUR,
        WhyNow.FIRST,
    ]


@pytest.mark.parametrize(("hours", "first"), [(0.9, True), (1.1, False), (-0.9, True), (-1.1, False)])
async def test_about_this_hour_is_an_hour_before_to_an_hour_after(running: Running, hours: float, first: bool) -> None:
    await running.runs(replace(SETTINGS, campaign_id="c0"), ADA)
    (call,) = await running.planned(NOON - 2 * DAY, "c0")
    await running.ends(call, Disposition.COMPLETED, NOON - 2 * DAY + MINUTE)
    await running.runs(replace(SETTINGS, good_hours=True), ADA)
    await running.planned(NOON + hours * HOUR)
    assert (await running.campaigns.attempts(ADA))[0].why_now is (WhyNow.GOOD_HOUR if first else WhyNow.FIRST)


async def callbacks_of(database: Database) -> list[tuple[str, str]]:
    tasks, _ = await SqlCallbacks(database).callbacks()
    return [(task.caller_number, task.reason) for task in tasks]


async def test_whoever_names_a_time_is_called_then_by_their_own_clock(database: Database) -> None:
    running = Running(database)
    await running.runs(SETTINGS, ADA)
    await running.campaigns.add("c1", [NewContact(BOB, "America/New_York")], NOON)
    ada, bob = sorted(await running.planned(NOON + 4 * HOUR), key=lambda one: one.number)
    await running.ends(ada, Disposition.COMPLETED, NOON + 5 * HOUR, callback="2026-03-05T15:00")
    await running.ends(bob, Disposition.CALLER_HUNG_UP, NOON + 5 * HOUR, callback="2026-03-05T15:00")
    due = {one.number: (one.outcomes, one.due_ms) for one in await running.campaigns.contacts("c1")}
    assert due == {
        ADA: ((AttemptOutcome.CALLBACK,), NOON + 27 * HOUR),
        BOB: ((AttemptOutcome.CALLBACK,), NOON + 32 * HOUR),
    }
    assert await running.dialled(NOON + 27 * HOUR - SECOND) == []
    assert await running.dialled(NOON + 27 * HOUR) == [ADA]
    assert [one.why_now for one in await running.campaigns.attempts(ADA)] == [WhyNow.CALLBACK, WhyNow.FIRST]
    assert await callbacks_of(database) == []  # the campaign sees to it


async def test_a_time_at_which_nobody_may_be_called_is_put_off_and_a_number_that_is_forbidden_stays_so(
    running: Running,
) -> None:
    await running.runs(SETTINGS, ADA, BOB)
    for call in await running.planned():
        await running.ends(call, Disposition.COMPLETED, NOON + MINUTE, callback="2026-03-05T22:30")
    await running.campaigns.block(DncEntry(BOB, DncScope.GLOBAL))
    night = NOON + 34.5 * HOUR
    found, planned = await running.book.open_round("c1", night)
    assert (planned, found.next_ms) == ([], NOON + 44 * HOUR)
    assert await running.dialled(NOON + 44 * HOUR) == [ADA]


async def test_a_time_that_is_over_is_none(running: Running) -> None:
    await running.runs(SETTINGS, ADA)
    (call,) = await running.planned()
    await running.ends(call, Disposition.COMPLETED, NOON + MINUTE, callback="2026-03-04T09:00")
    (contact,) = await running.campaigns.contacts("c1")
    assert (contact.state, contact.outcomes) == (ContactState.DONE, (AttemptOutcome.REACHED,))


async def test_where_no_campaign_calls_again_a_person_is_to(database: Database) -> None:
    running = Running(database)
    await running.runs(SETTINGS, ADA)
    (call,) = await running.planned()
    await running.book.keep_phase("c1", CampaignPhase.CANCELED, NOON, call_off=True)
    await running.ends(call, Disposition.COMPLETED, NOON + MINUTE, callback="2026-03-05T15:00")
    inbound = ended_call("CA7")
    of_bob = replace(inbound.call, caller_number=BOB)
    said = replace(inbound, call=of_bob, disposition=Disposition.COMPLETED, ended_ms=NOON, callback="2026-03-05T09:00")
    for _ in range(2):  # told again
        await running.calls.save(said)
    await running.calls.save(replace(said, call=replace(of_bob, call_id="CA8"), no_more_calls=True))
    assert sorted(await callbacks_of(database)) == [
        (ADA, "wants to be called 2026-03-05 15:00, by their clock"),
        (BOB, "wants to be called 2026-03-05 09:00, by their clock"),
    ]


async def test_dialling_rests_while_the_carrier_fails(running: Running) -> None:
    settings = replace(SETTINGS, breaker=BreakerRules(of_last=2, failed_share=1.0, rest_s=60))
    await running.runs(settings, ADA, BOB, EVE)
    for call in (await running.planned())[:2]:
        await running.ends(call, Disposition.FAILED, NOON + SECOND)
    await running.campaigns.add("c1", [NewContact("+442071838759"), NewContact("+442071838758")], NOON)
    found, planned = await running.book.open_round("c1", NOON + 2 * SECOND)
    assert (planned, found.rests_until_ms) == ([], NOON + 61 * SECOND)


async def test_a_call_that_ended_unrecorded_is_given_up_only_after_its_record_had_time_to_come(
    running: Running,
) -> None:
    await running.runs(SETTINGS, ADA)
    (call,) = await running.planned()
    doubtful = running.book.doubtful_calls
    assert await doubtful("c1", NOON + HOUR) == []
    asked_ms = NOON + 3 * HOUR
    assert await doubtful("c1", asked_ms) == [call.call_id]
    await running.book.call_is_lost(call.call_id, asked_ms)
    assert (await running.campaigns.contacts("c1"))[0].outcomes == ()
    assert await doubtful("c1", asked_ms + MINUTE) == []
    assert await doubtful("c1", asked_ms + 6 * MINUTE) == [call.call_id]
    await running.book.call_is_lost(call.call_id, asked_ms + 6 * MINUTE)
    assert (await running.campaigns.contacts("c1"))[0].outcomes == (AttemptOutcome.FAILED,)
    assert await doubtful("c1", asked_ms + HOUR) == []


async def test_a_campaign_that_was_called_off_calls_nobody_and_counts_who_was_left(running: Running) -> None:
    await running.runs(replace(SETTINGS, pace=Pace(in_flight=1)), ADA, BOB)
    (call,) = await running.planned()
    await running.book.keep_phase("c1", CampaignPhase.CANCELED, NOON, call_off=True)
    await running.ends(call, Disposition.BUSY, NOON + MINUTE)
    assert await running.planned(NOON + DAY) == []
    progress = await running.campaigns.progress("c1", NOON + MINUTE)
    assert (progress.contacts, progress.done, progress.attempts) == (2, 2, 1)
    assert progress.outcomes == {AttemptOutcome.BUSY: 1}


async def test_a_campaign_whose_workflow_is_gone_leaves_no_attempt_open_that_has_not_begun(running: Running) -> None:
    await running.runs(replace(SETTINGS, pace=Pace(in_flight=2)), ADA, BOB, EVE)
    _, planned = await running.book.open_round("c1", NOON)
    spoken_with, left = planned
    assert await running.gate.hindrances(spoken_with.call_id, spoken_with.number, "acme", "c1", NOON) == ()
    assert await running.campaigns.end("c1", NOON + SECOND)
    assert not await running.campaigns.end("c1", NOON + SECOND)
    found = await running.campaigns.campaign("c1")
    assert found is not None
    assert (found.phase, found.ended_ms) == (CampaignPhase.CANCELED, NOON + SECOND)
    (attempt,) = await running.campaigns.attempts(left.number)
    assert (attempt.outcome, attempt.ended_ms) == (AttemptOutcome.CANCELED, NOON + SECOND)
    states = [state for state, _ in (await running.states()).values()]
    assert sorted(states) == sorted([ContactState.DONE, ContactState.DONE, ContactState.DIALLING])
    await running.ends(spoken_with, Disposition.BUSY, NOON + MINUTE)
    (attempt,) = await running.campaigns.attempts(spoken_with.number)
    assert attempt.outcome is AttemptOutcome.BUSY
    assert {state for state, _ in (await running.states()).values()} == {ContactState.DONE}


async def test_a_call_that_begins_after_its_attempt_was_called_off_is_not_dialled(running: Running) -> None:
    await running.runs(SETTINGS, ADA)
    _, (left,) = await running.book.open_round("c1", NOON)
    await running.campaigns.end("c1", NOON)
    refused = await running.gate.hindrances(left.call_id, ADA, "acme", "c1", NOON)
    assert refused == (Hindrance.CALLED_OFF,)
    await running.runs(replace(SETTINGS, campaign_id="c2"), ADA)
    assert await running.dialled(campaign="c2") == [ADA]


async def test_a_draft_and_a_campaign_that_is_over_do_not_end(running: Running) -> None:
    await running.campaigns.create(SETTINGS, NOON)
    assert not await running.campaigns.end("c1", NOON)
    await running.book.keep_phase("c1", CampaignPhase.COMPLETED, NOON, call_off=False)
    assert not await running.campaigns.end("c1", NOON)
    assert not await running.campaigns.end("nobody", NOON)


async def test_a_lost_call_of_a_campaign_that_is_over_is_asked_about_by_others(running: Running) -> None:
    await running.runs(SETTINGS, ADA)
    (lost,) = await running.planned()
    await running.runs(replace(SETTINGS, campaign_id="c2"), BOB)
    later = NOON + 4 * HOUR
    assert await running.book.doubtful_calls("c2", later) == []  # c1 asks itself
    await running.book.keep_phase("c1", CampaignPhase.CANCELED, later, call_off=True)
    assert await running.book.doubtful_calls("c2", later) == [lost.call_id]


async def test_results_tell_of_every_contact_in_pages(running: Running, database: Database) -> None:
    numbers = [f"+44207183870{digit}" for digit in range(5)]
    await running.runs(SETTINGS, *numbers)
    await running.planned()
    found = [
        (contact.number, len(attempts)) async for contact, attempts in SqlCampaigns(database, page=2).results("c1")
    ]
    assert sorted(found) == [(number, 1) for number in numbers]


async def test_contacts_that_are_sent_again_are_counted_once(running: Running) -> None:
    await running.campaigns.create(SETTINGS, NOON)
    add = running.campaigns.add
    assert await add("c1", [NewContact(ADA), NewContact(BOB), NewContact(ADA)], NOON) == 2
    assert await add("c1", [NewContact(ADA), NewContact(BOB)], NOON) == 0
    assert await add("c1", [NewContact(BOB), NewContact(EVE)], NOON) == 1
    assert await add("c1", [], NOON) == 0
    assert sorted(await running.states()) == sorted((ADA, BOB, EVE))


async def test_a_campaign_nobody_knows_is_told(running: Running) -> None:
    with pytest.raises(UnknownCampaign):
        await running.book.open_round("c9", NOON)
    with pytest.raises(UnknownCampaign):
        await running.campaigns.add("c9", [NewContact(ADA)], NOON)
