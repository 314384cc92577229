"""Finding passages by what a caller asks."""

from collections.abc import Sequence

import pytest

from core.knowledge.index import KnowledgeIndex, views_of
from core.knowledge.markdown import markdown_blocks
from core.knowledge.passages import passages_of
from core.ngrams import NgramEmbedder, ngrams
from core.ports.embedder import Embedder, Vectors
from core.recently_embedded import RecentlyEmbedded

TEXT = """
# Returns
Unused goods can be returned within 30 days.
# Shipping
A parcel to Alaska takes 7 working days. Express is not offered there. Kayaks come on a truck.
"""


class Counting:
    """Words under another name, so that sentences are looked at, too; counts what it embeds."""

    name = "counting"

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        """By words."""
        self.embedded += texts
        return ngrams(texts)


def index(embedder: Embedder, text: str = TEXT) -> KnowledgeIndex:
    passages = passages_of("help.md", markdown_blocks(text))
    return KnowledgeIndex(passages, embedder.embed(views_of(passages, embedder).texts), embedder)


@pytest.mark.parametrize("embedder", [NgramEmbedder(), Counting()])
def test_passage_that_tells_of_it_is_found_first(embedder: Embedder) -> None:
    found = index(embedder).answers("How many working days does a parcel to Alaska take?")
    assert found[0].passage.place == "help.md, Shipping"


@pytest.mark.parametrize("embedder", [NgramEmbedder(), Counting()])
def test_nothing_is_found_for_what_the_documents_do_not_know(embedder: Embedder) -> None:
    assert index(embedder).answers("Who won the election?") == []
    assert index(embedder).answers("") == []


def test_short_question_is_understood_with_the_turn_before() -> None:
    known = index(NgramEmbedder())
    assert known.answers("And how long?") == []
    assert known.answers("And how long?", before="Do you send a parcel to Alaska?")
    assert known.answers("Who is going to win the next big election in France?", before="A parcel to Alaska.") == []


def test_question_whose_words_are_sure_is_not_embedded() -> None:
    embedder = Counting()
    words, passages = index(NgramEmbedder()), index(embedder).passages
    known = KnowledgeIndex(passages, embedder.embed(views_of(passages, embedder).texts), embedder, words)
    embedder.embedded.clear()
    assert known.answers("How many working days does a parcel to Alaska take?")[0].passage.place == "help.md, Shipping"
    assert embedder.embedded == []
    known.answers("Would you send it by lorry as well, please?")
    assert embedder.embedded == ["Would you send it by lorry as well, please?"]


def test_words_are_not_believed_where_a_playbook_sets_its_own_threshold() -> None:
    embedder = Counting()
    words, passages = index(NgramEmbedder()), index(embedder).passages
    known = KnowledgeIndex(passages, embedder.embed(views_of(passages, embedder).texts), embedder, words)
    assert known.answers("How many working days does a parcel to Alaska take?", enough=0.99) == []


def test_own_threshold_of_a_playbook_counts() -> None:
    known = index(NgramEmbedder())
    assert known.answers("Alaska parcel", enough=0.99) == []
    assert len(known.answers("Alaska parcel", enough=0.0)) == 2


def test_vectors_of_another_text_are_refused() -> None:
    passages = passages_of("help.md", markdown_blocks(TEXT))
    with pytest.raises(ValueError, match="vectors for"):
        KnowledgeIndex(passages, NgramEmbedder().embed(["one"]), NgramEmbedder())


def test_words_of_a_turn_are_embedded_once_for_step_and_passages() -> None:
    counting = Counting()
    both = RecentlyEmbedded(counting)
    known = index(both)
    before = len(counting.embedded)
    both.embed(["Where is it?", "Where"])  # as finding the step does
    known.search("Where is it?")
    assert counting.embedded[before:] == ["Where is it?", "Where"]
    assert both.name == "counting"
