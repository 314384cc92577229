"""What calls have brought for playbooks to learn from."""

from dataclasses import replace

import pytest
from sqlalchemy import delete

from core.auditing import Audit
from core.contracts.call import CallRecord
from core.growth import Review
from core.ports.step_examples import StepAudit, StepFit
from storage.calls import SqlCallStore
from storage.database import Database
from storage.models import Call
from storage.step_examples import MOST_CLEAR, SqlStepExamples
from tests.storage.records import GREETING, PLAYBOOK, QUESTION, ended_call

PINCH = replace(
    QUESTION,
    caller="The shoes pinch, order 48213.",
    step="returns",
    matters=(),
    step_method="model",
    step_confidence=0.9,
    fallback=True,
)
FIT = StepFit("order_support", "v1", "lexical", "order_support@0123456789ab", 12, 2, 0.6, 1_000.0)


def number_words(count: int) -> str:
    """Letters that no two counts share: figures are left out of examples."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(count)) + "ish"


def learning(call_id: str, learns: str, *callers: str) -> CallRecord:
    turns = [replace(PINCH, turn=number, caller=caller) for number, caller in enumerate(callers, 1)]
    record = ended_call(call_id, turns=(GREETING, *turns))
    return replace(record, call=replace(record.call, playbook=replace(PLAYBOOK, learns=learns)))


@pytest.fixture
def examples(database: Database) -> SqlStepExamples:
    return SqlStepExamples(database)


async def test_a_saved_call_leaves_its_examples_to_be_reviewed(store: SqlCallStore, examples: SqlStepExamples) -> None:
    record = learning("CA1", "reviewed", "The shoes pinch, order 48213.")
    await store.save(record)
    await store.save(record)
    page, older = await examples.examples()
    assert older is None
    (example,) = page
    assert (example.playbook, example.step, example.text) == (
        "order_support",
        "returns",
        "The shoes pinch, order 0",
    )
    assert (example.review, example.call_id, example.turn) == (Review.NEW, "CA1", 1)
    assert await examples.accepted("order_support") == []


async def test_automatic_playbooks_learn_at_once_and_others_never(
    store: SqlCallStore, examples: SqlStepExamples
) -> None:
    await store.save(learning("CA1", "automatic", "The shoes pinch a lot."))
    await store.save(learning("CA2", "never", "My jacket came in blue."))
    assert await examples.accepted("order_support") == [("returns", "The shoes pinch a lot.")]
    (example,) = (await examples.examples())[0]
    assert example.decided_by == "automatic"


async def test_automatic_playbooks_learn_from_turns_that_words_alone_told_and_reviewed_ones_do_not(
    store: SqlCallStore, examples: SqlStepExamples
) -> None:
    for call_id, learns in (("CA1", "automatic"), ("CA2", "reviewed")):
        record = learning(call_id, learns, f"The shoes pinch a lot, {learns}.")
        (greeting, turn) = record.turns
        decided = replace(turn, fallback=False, step_method="minilm", answer_method="model")
        await store.save(replace(record, turns=(greeting, decided)))
    (example,) = (await examples.examples())[0]
    assert (example.call_id, example.decided_by) == ("CA1", "clear words")


async def test_a_clear_turn_that_an_audit_finds_wrong_is_an_example_of_what_the_model_says(
    store: SqlCallStore, examples: SqlStepExamples
) -> None:
    record = learning("CA1", "automatic", "The shoes pinch a lot.", "My jacket is torn.", "The lamp is broken.")
    (greeting, *turns) = record.turns
    clear = [replace(turn, fallback=False, step_method="minilm", answer_method="model") for turn in turns]
    await store.save(replace(record, turns=(greeting, *clear)))
    (jacket,) = [each for each in (await examples.examples())[0] if "jacket" in each.text]
    await examples.decide(jacket.example_id, Review.ACCEPTED, "Grace", 5.0, step="complaints")
    verdicts = [(1, "(none)"), (2, "(none)"), (3, "returns")]
    audits = [StepAudit("CA1", turn, "order_support", "minilm", "returns", 0.9, says, 7.0) for turn, says in verdicts]
    await examples.note_audits(audits)
    await examples.note_audits(audits)
    told = {each.text: (each.step, each.decided_by, each.review) for each in (await examples.examples())[0]}
    assert told == {
        "The shoes pinch a lot.": ("(none)", "audit", Review.ACCEPTED),
        "My jacket is torn.": ("complaints", "Grace", Review.ACCEPTED),
        "The lamp is broken.": ("returns", "clear words", Review.ACCEPTED),
    }


async def test_clear_turns_leave_room_for_those_that_only_the_model_could_tell(
    store: SqlCallStore, examples: SqlStepExamples
) -> None:
    await store.save(learning("CA1", "automatic", "The shoes pinch a lot."))
    many = learning(
        "CA2", "automatic", *[f"I return the {number_words(count)} shoes" for count in range(MOST_CLEAR + 9)]
    )
    (greeting, *turns) = many.turns
    clear = [replace(turn, fallback=False, step_method="minilm", answer_method="model") for turn in turns]
    await store.save(replace(many, turns=(greeting, *clear), ended_ms=(many.ended_ms or 0) + 1))
    told = await examples.accepted("order_support")
    assert len(told) == MOST_CLEAR + 1
    assert told[-1] == ("returns", "The shoes pinch a lot.")


async def test_what_was_rejected_stays_so_when_somebody_says_it_again(
    store: SqlCallStore, examples: SqlStepExamples
) -> None:
    await store.save(learning("CA1", "automatic", "The shoes pinch a lot."))
    (example,) = (await examples.examples())[0]
    rejected = await examples.decide(example.example_id, Review.REJECTED, "Grace", 5.0)
    assert rejected is not None
    assert (rejected.review, rejected.decided_by) == (Review.REJECTED, "Grace")
    await store.save(learning("CA2", "automatic", "the shoes pinch a lot"))
    assert await examples.accepted("order_support") == []


async def test_an_example_may_be_accepted_for_another_step(store: SqlCallStore, examples: SqlStepExamples) -> None:
    await store.save(learning("CA1", "reviewed", "The shoes pinch a lot."))
    (example,) = (await examples.examples())[0]
    await examples.decide(example.example_id, Review.ACCEPTED, "Grace", 5.0, step="complaints")
    assert await examples.accepted("order_support") == [("complaints", "The shoes pinch a lot.")]
    assert await examples.accepted("another") == []
    assert await examples.decide("0" * 24, Review.ACCEPTED, "Grace", 5.0) is None


async def test_pages_by_playbook_and_review(store: SqlCallStore, examples: SqlStepExamples) -> None:
    said = ["The shoes pinch a lot.", "My jacket is torn.", "The lamp is broken."]
    await store.save(learning("CA1", "reviewed", *said))
    first, older = await examples.examples(playbook="order_support", review=Review.NEW, limit=2)
    rest, end = await examples.examples(playbook="order_support", review=Review.NEW, before=older, limit=2)
    assert sorted(example.text for example in (*first, *rest)) == sorted(said)
    assert (len(first), end) == (2, None)
    assert (await examples.examples(review=Review.ACCEPTED))[0] == []


async def test_what_was_learnt_is_listed_newest_first(examples: SqlStepExamples) -> None:
    newer = replace(FIT, version="v2", learnt_ms=2_000.0)
    for fit in (FIT, newer):
        await examples.note_fit(fit)
    assert await examples.fits("order_support") == [newer, FIT]
    again = replace(FIT, learnt_ms=3_000.0)  # an example was rejected: it is as it was
    await examples.note_fit(again)
    assert await examples.fits("order_support") == [again, newer]


async def test_audits_are_kept_once_a_turn_and_go_with_their_call(
    store: SqlCallStore, examples: SqlStepExamples, database: Database
) -> None:
    await store.save(ended_call("CA1"))
    agreed = StepAudit("CA1", 3, "order_support", "lexical", "returns", 0.7, "returns", 1_000.0)
    differs = replace(agreed, turn=4, method="minilm", judged="person", confidence=0.6, at_ms=2_000.0)
    await examples.note_audits([])
    await examples.note_audits([agreed, differs])
    await examples.note_audits([replace(differs, judged="returns")])
    both = [Audit("minilm", 0.6, agreed=False), Audit("lexical", 0.7, agreed=True)]
    assert await examples.audits("order_support", 0.0) == both
    assert await examples.audits("order_support", 1_500.0) == both[:1]
    assert await examples.audits("another", 0.0) == []
    async with database.write() as session:
        await session.execute(delete(Call))
    assert await examples.audits("order_support", 0.0) == []
