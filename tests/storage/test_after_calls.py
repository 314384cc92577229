"""The order of a person's notes, dead letters, webhook endpoints."""

from dataclasses import replace
from time import time

from core.contracts.after_call import AfterState, AfterStep, DeadLetter, EndpointPlan, Errand, StepStatus
from core.contracts.call import CallRecord, CallSummary
from core.conversation import Usage
from core.ports.after_call import Attempt, Endpoint, Tried
from storage.after_calls import SqlAfterCalls, letter_id_of
from storage.calls import SqlCallReader, SqlCallStore
from storage.database import Database
from storage.webhooks import SqlWebhooks
from tests.storage.records import ended_call

NOW = time() * 1_000
ENDPOINT = Endpoint("we_1", "https://customer.example/hook", ("call.ended",), "theirs", 1.0)


def call(call_id: str, ended_ms: float, number: str = "+12025550123") -> CallRecord:
    record = ended_call(call_id, ended_ms=ended_ms)
    return replace(record, call=replace(record.call, caller_number=number))


async def test_a_later_call_waits_for_the_note_of_an_earlier_one_of_the_same_person(
    store: SqlCallStore, database: Database
) -> None:
    after = SqlAfterCalls(database)
    for record in (call("CA2", NOW), call("CA1", NOW - 5_000), call("CA3", NOW, "+12025550124")):
        await store.save(record)
        await after.queue_for_crm(record)
    turns = [await after.is_crm_turn(call_id) for call_id in ("CA1", "CA2", "CA3")]
    assert turns == [True, False, True]
    await store.save_crm_note("CA1", "note-1")
    assert await after.is_crm_turn("CA2")
    await after.queue_for_crm(call("CA1", NOW - 5_000))  # a late attempt at it
    assert await after.is_crm_turn("CA2")


async def test_a_note_that_was_given_up_holds_nobody_up(database: Database) -> None:
    after = SqlAfterCalls(database)
    await after.queue_for_crm(call("CA1", NOW - 5_000))
    await after.queue_for_crm(call("CA2", NOW))
    await after.leave_crm_queue("CA1")
    assert await after.is_crm_turn("CA2")


async def test_a_call_of_last_week_whose_workflow_is_gone_holds_nobody_up(database: Database) -> None:
    after = SqlAfterCalls(database)
    await after.queue_for_crm(call("CA1", NOW - 7 * 86_400_000))
    await after.queue_for_crm(call("CA2", NOW))
    assert await after.is_crm_turn("CA2")


async def test_hidden_numbers_are_not_one_person(database: Database) -> None:
    after = SqlAfterCalls(database)
    await after.queue_for_crm(call("CA1", NOW - 5_000, "anonymous"))
    await after.queue_for_crm(call("CA2", NOW, "anonymous"))
    assert await after.is_crm_turn("CA2")


async def test_what_follows_a_call_reads_back(database: Database) -> None:
    after = SqlAfterCalls(database)
    steps = (AfterStep("crm", "Put it into the CRM", StepStatus.RETRYING, 2, "crm: away", 1.0, 9.0),)
    state = AfterState("CA1", steps, {"order": "482", "n": 1.5}, ("x",))
    await after.keep(replace(state, fields={}))
    await after.keep(state)
    assert await after.state("CA1") == state
    assert await after.state("CA2") is None


async def test_a_step_has_one_letter_which_keeps_its_errand_whole(database: Database) -> None:
    after = SqlAfterCalls(database)
    letter = DeadLetter("CA1", "acme", Errand("summary", "Sum up", summarize=ended_call()), "model: away", 7, 5.0)
    letter_id = await after.set_aside(letter)
    assert letter_id == await after.set_aside(replace(letter, attempts=8)) == letter_id_of(letter)
    (kept,) = await after.letters(dead=True)
    assert (kept.status, kept.letter) == ("dead", replace(letter, attempts=8))
    await after.mark_letter(letter_id, "sent")
    assert await after.letters(dead=True) == []
    assert [found.letter_id for found in await after.letters(call_id="CA1")] == [letter_id]


async def test_a_rotated_secret_is_signed_with_beside_the_new_one_until_its_time_is_up(database: Database) -> None:
    book = SqlWebhooks(database)
    await book.add(ENDPOINT, "whsec_old")
    assert await book.rotate("we_1", "whsec_new", time() * 1_000, 60_000.0)
    found = await book.endpoint("we_1")
    assert found is not None
    assert found[1] == ("whsec_new", "whsec_old")
    await book.rotate("we_1", "whsec_newest", time() * 1_000, -1.0)
    found = await book.endpoint("we_1")
    assert found is not None
    assert found[1] == ("whsec_newest",)
    assert not await book.rotate("we_2", "whsec_new", 0.0, 0.0)


async def test_deliveries_are_counted_by_message_and_go_with_their_endpoint(database: Database) -> None:
    book = SqlWebhooks(database)
    await book.add(ENDPOINT, "whsec_x")
    refused, taken = Attempt(500, "answered 500", 12), Attempt(204, "answered 204", 7)
    await book.note("we_1", [Tried("msg_1", "call.ended", "CA1", refused), Tried("msg_0", "call.ended", "", refused)])
    await book.note("we_1", [Tried("msg_1", "call.ended", "CA1", taken)])
    delivery, other = await book.deliveries("we_1")
    assert (other.message_id, other.delivered, other.attempts) == ("msg_0", False, 1)
    assert (delivery.delivered, delivery.attempts, delivery.status, delivery.took_ms) == (True, 2, 204, 7)
    assert list(await book.plans()) == [EndpointPlan("we_1", ("call.ended",), "customer.example")]
    assert await book.remove("we_1")
    await book.note("we_1", [Tried("msg_2", "call.ended", "CA1", taken)])
    assert await book.deliveries("we_1") == []


async def test_the_sentiment_is_part_of_the_summary(store: SqlCallStore, reader: SqlCallReader) -> None:
    summary = CallSummary("Asked for an order.", "delivery", True, "", "positive")
    await store.save(ended_call())
    await store.save_summary("CA1", summary, Usage())
    (row,), _ = await reader.calls()
    assert row.summary == summary
