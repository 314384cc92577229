"""The rule-based model with documents, in the prompts the product really writes: it tells what they say, or nothing."""

from pathlib import Path

import pytest

from activities.prompts import reply_prompt
from cli.knowledge_files import passages_at
from core.contracts.call import GatewayAddress, ReplyKey, Respond
from core.conversation import Exchange
from core.knowledge.citations import CitationFilter, places_cited
from core.knowledge.index import KnowledgeIndex, views_of
from core.ngrams import NgramEmbedder
from core.playbook import parse_playbook
from core.sentences import SentenceCutter
from evals.knowledge_eval import read_questions
from sandbox.model_rules import answer
from tests.sandbox.test_model_rules import as_request

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "playbooks" / "order_support.yaml"
PLAYBOOK = parse_playbook(SHOP.read_text())
PASSAGES = passages_at(SHOP)
GOLDEN = read_questions(ROOT / "evals" / "knowledge" / "order_support.jsonl")
UNANSWERED = [one.ask for one in GOLDEN if not one.places and "a real person" not in one.ask]  # who is put through


@pytest.fixture(scope="module")
def index() -> KnowledgeIndex:
    words = NgramEmbedder()
    return KnowledgeIndex(PASSAGES, words.embed(views_of(PASSAGES, words).texts), words)


def told(index: KnowledgeIndex, text: str, step: str = "returns") -> tuple[list[str], tuple[str, ...]]:
    """The sentences that are spoken, and where they stand."""
    gateway, key = GatewayAddress(1, "ws://gateway", "http://gateway"), ReplyKey(1, 1, 0, 1)
    greeted = (Exchange(0, "", PLAYBOOK.greeting),)
    request = Respond("C1", PLAYBOOK.ref, gateway, key, step, text, "+12025550123", recent=greeted)
    found = index.answers(text)
    marks, cutter = CitationFilter(), SentenceCutter()
    said = answer(as_request(reply_prompt(PLAYBOOK, request, found)))
    sentences = [*cutter.feed(marks.feed(said.text)), *cutter.feed(marks.finish()), *cutter.finish()]
    return sentences, places_cited(marks.cited, [one.passage.place for one in found])


@pytest.mark.parametrize(
    ("asks", "tells", "place"),
    [
        ("Do you have a price match?", "we match its price within 14 days", "orders-and-payment.html, Price match"),
        (
            "How long does the warranty on backpacks last?",
            "5 years",
            "warranty.pdf, How long the warranty lasts, page 1",
        ),
        ("Can I rent snowshoes in a store?", "can be rented", "stores-and-service.md, Renting"),
    ],
)
def test_question_is_answered_out_of_the_document_that_is_cited(
    index: KnowledgeIndex, asks: str, tells: str, place: str
) -> None:
    sentences, places = told(index, asks)
    assert tells in " ".join(sentences)
    assert places == (place,)
    assert "[" not in " ".join(sentences)


@pytest.mark.parametrize("asks", UNANSWERED)
def test_nothing_is_spoken_that_no_document_tells(index: KnowledgeIndex, asks: str) -> None:
    sentences, places = told(index, asks)
    texts = " ".join(passage.text for passage in PASSAGES)
    for sentence in sentences[1:]:  # after the one that shows the caller was heard
        known = (PLAYBOOK.unknown, PLAYBOOK.step("returns").goal, texts)
        from_goal = sentence[1:].rstrip(".") in known[1]
        fixed = sentence.endswith(("?", "note of that.")) or sentence in known[0] or "Goodbye" in sentence
        assert from_goal or fixed or (places and sentence in known[2]), sentence


@pytest.mark.parametrize("asks", ["Do you sell bicycles?", "What is your CEO called?", "Is there a mobile app?"])
def test_it_says_that_it_does_not_know_and_offers_a_person(index: KnowledgeIndex, asks: str) -> None:
    sentences, places = told(index, asks)
    assert PLAYBOOK.unknown in sentences
    assert sentences[-1] == "Shall I connect you with a colleague?"
    assert places == ()


def test_question_that_a_tool_answers_is_left_to_the_tool(index: KnowledgeIndex) -> None:
    sentences, places = told(index, "Where is my order?", step="order_status")
    assert places == ()
    assert "order number" in sentences[-1]
