"""Lists on their way into campaigns."""

from dataclasses import replace

import pytest

from core.calling_window import CallingWindow, Hours
from core.campaign_outlook import Outlook
from core.contact_list import ListedContact
from core.contracts.campaign import CampaignPhase, CampaignSettings
from core.list_records import Fault, FaultKind
from core.may_call import CallingRules, ConsentOnRecord, DncScope, Hindrance
from core.outcome import Disposition
from core.ports.campaign import DncEntry, UnknownCampaign
from core.ports.contact_lists import ListUpload, UploadElsewhere
from storage.calls import SqlCallStore
from storage.campaign_rounds import SqlCampaignBook
from storage.campaigns import SqlCampaigns
from storage.contact_lists import SqlContactLists
from storage.database import Database
from tests.storage.records import ended_call

NOW_MS = 1_790_000_000_000.0  # a Monday, 15:33 in Berlin
AGREED = ConsentOnRecord(1_000.0, source="web form")
SETTINGS = CampaignSettings("c1", "Renewals", "renewal", "+15550199")


def listed(line: int, number: str = "", consent: ConsentOnRecord | None = AGREED, zone: str = "") -> ListedContact:
    return ListedContact(line, number or f"+4930123456{line:02}", zone, {"name": f"N{line}"}, consent)


@pytest.fixture
async def campaigns(database: Database) -> SqlCampaigns:
    campaigns = SqlCampaigns(database)
    await campaigns.create(SETTINGS, NOW_MS)
    return campaigns


@pytest.fixture
def lists(database: Database) -> SqlContactLists:
    return SqlContactLists(database)


async def test_contacts_come_in_the_order_of_the_list_and_the_upload_says_how_far(
    campaigns: SqlCampaigns, lists: SqlContactLists
) -> None:
    fault = Fault(4, FaultKind.BAD_NUMBER, "is no phone number")
    first = await lists.take(ListUpload("c1", "monday"), [listed(2), listed(3), fault], NOW_MS, lines=4)
    after = await lists.take(first, [listed(5)], NOW_MS, lines=5, complete=True)
    assert (after.lines, after.added, after.faults, after.complete) == (5, 3, {FaultKind.BAD_NUMBER: 1}, True)
    assert await lists.upload("c1", "monday") == after
    assert await lists.uploads("c1") == [after]
    assert [contact.variables["name"] for contact in await campaigns.contacts("c1")] == ["N2", "N3", "N5"]


async def test_a_number_that_is_there_already_stays_and_is_a_fault_of_its_line(
    campaigns: SqlCampaigns, lists: SqlContactLists
) -> None:
    first = await lists.take(
        ListUpload("c1", "a"), [listed(2), replace(listed(3), number=listed(2).number)], NOW_MS, lines=3
    )
    other = await lists.take(ListUpload("c1", "b"), [replace(listed(9), number=listed(2).number)], NOW_MS, lines=9)
    assert (first.added, other.added) == (1, 0)
    assert [fault.line for fault in (*first.first_faults, *other.first_faults)] == [3, 9]
    (contact,) = await campaigns.contacts("c1")
    assert contact.variables == {"name": "N2"}


async def test_two_requests_cannot_go_on_with_one_upload(campaigns: SqlCampaigns, lists: SqlContactLists) -> None:
    begun = ListUpload("c1", "a")
    await lists.take(begun, [listed(2)], NOW_MS, lines=2)
    with pytest.raises(UploadElsewhere):
        await lists.take(begun, [listed(3)], NOW_MS, lines=3)
    assert len(await campaigns.contacts("c1")) == 1
    with pytest.raises(UnknownCampaign):
        await lists.take(ListUpload("other", "a"), [listed(2)], NOW_MS, lines=2)


async def whole(lists: SqlContactLists, most: int | None = None) -> Outlook:
    return [found async for found in lists.outlook("c1", NOW_MS, most)][-1]


async def test_a_list_does_not_undo_a_later_revocation(campaigns: SqlCampaigns, lists: SqlContactLists) -> None:
    number = listed(2).number
    await campaigns.consent("default", number, ConsentOnRecord(1_000.0, revoked_ms=5_000.0))
    await lists.take(ListUpload("c1", "a"), [listed(2)], NOW_MS, lines=2)
    assert (await whole(lists)).never == {Hindrance.CONSENT_REVOKED: 1}
    again = replace(listed(3), number=number, consent=ConsentOnRecord(6_000.0))
    await lists.take(ListUpload("c1", "b"), [again], NOW_MS, lines=3)
    assert (await whole(lists)).now == 1


async def test_the_outlook_says_who_is_called_now_later_and_never(
    campaigns: SqlCampaigns, lists: SqlContactLists
) -> None:
    items = [
        listed(2),
        listed(3),
        listed(4),
        listed(5, consent=None),
        listed(6),
        listed(7, "+12025550117", zone="Pacific/Auckland"),  # past one in the morning
        listed(8, "+80012345678"),  # of no place
    ]
    await lists.take(ListUpload("c1", "a"), items, NOW_MS, lines=8, complete=True)
    await campaigns.block(DncEntry(listed(6).number, DncScope.GLOBAL))
    found = await whole(lists)
    assert (found.contacts, found.looked_at, found.now, found.later) == (7, 7, 3, 1)
    assert found.never == {Hindrance.NO_CONSENT: 1, Hindrance.DNC: 1, Hindrance.UNKNOWN_ZONE: 1}
    assert found.waits == {Hindrance.OUTSIDE_WINDOW: 1}
    assert (found.first_ms, found.zones) == (NOW_MS, ("Europe/Berlin",))
    assert (await whole(lists, most=2)).looked_at == 2


async def test_the_outlook_of_many_contacts_comes_page_by_page_and_counts_each_once(
    campaigns: SqlCampaigns, database: Database
) -> None:
    lists = SqlContactLists(database, page=3)
    items = [listed(line, consent=None if line % 2 else AGREED) for line in range(2, 10)]
    await lists.take(ListUpload("c1", "a"), items, NOW_MS, lines=9)
    seen = [found async for found in lists.outlook("c1", NOW_MS)]
    assert [(found.looked_at, found.now, found.contacts) for found in seen] == [
        (0, 0, 8),
        (3, 2, 8),
        (6, 3, 8),
        (8, 4, 8),
    ]
    assert seen[-1].never == {Hindrance.NO_CONSENT: 4}
    assert [found.looked_at async for found in lists.outlook("c1", NOW_MS, 4)] == [0, 3, 4]


async def test_whoever_is_called_no_more_is_done_whatever_stands_against_calling(
    campaigns: SqlCampaigns, lists: SqlContactLists, database: Database
) -> None:
    await lists.take(ListUpload("c1", "a"), [listed(2), listed(3, consent=None)], NOW_MS, lines=3)
    await SqlCampaignBook(database).keep_phase("c1", CampaignPhase.CANCELED, NOW_MS, call_off=True)
    found = await whole(lists)
    assert (found.looked_at, found.done, found.never) == (2, 2, {})


async def test_there_is_no_outlook_of_a_campaign_that_is_not_there(lists: SqlContactLists) -> None:
    with pytest.raises(UnknownCampaign):
        await whole(lists)


async def test_a_window_that_never_opens_is_told(campaigns: SqlCampaigns, lists: SqlContactLists) -> None:
    never = CallingRules(CallingWindow(hours=(Hours(2 * 60, 4 * 60),)))
    await campaigns.change(replace(SETTINGS, rules=never))
    await lists.take(ListUpload("c1", "a"), [listed(2), listed(3)], NOW_MS, lines=3)
    found = await whole(lists)
    assert (found.never, found.now, found.later, found.first_ms) == ({Hindrance.OUTSIDE_WINDOW: 2}, 0, 0, None)


async def test_past_calls_are_those_of_the_playbook(lists: SqlContactLists, store: SqlCallStore) -> None:
    assert (await lists.past_calls("order_support")).calls == 0
    record = ended_call("out-1")
    await store.save(replace(record, disposition=Disposition.COMPLETED))
    name = record.call.playbook.ref.partition("@")[0]
    outbound = record.call.direction.value == "outbound"
    assert (await lists.past_calls(name)).calls == (1 if outbound else 0)
    assert (await lists.past_calls("another")).calls == 0
