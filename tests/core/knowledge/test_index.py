"""Finding passages by what a caller asks."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.knowledge.index import LEAST_ENOUGH, MOST_ENOUGH, KnowledgeIndex, views_of
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


@pytest.mark.parametrize("text", ["My order number is 4 8 2 1 3.", "Number seven seven one", "My number is 30."])
def test_number_asks_nothing_however_like_a_passage_it_is(text: str) -> None:
    known = index(NgramEmbedder(), "# Numbers\nMy order number is 4 8 2 1 3. Number seven seven one. My number is 30.")
    assert known.search(text)[0].score > 0.3
    assert known.answers(text) == []
    assert not known.needs_meaning(text)
    assert known.answers(f"{text}?") != []


def test_question_has_to_be_the_more_like_a_passage_the_more_alike_the_passages_are() -> None:
    unlike = "# A\nGoods go back in May.\n# B\nLifts take seven people.\n# C\nDogs wait outside the shop door.\n"
    alike = "".join(
        f"# {day}\nThe shop on the square is open from {hour} on {day}.\n"
        for day, hour in (("Monday", "nine"), ("Tuesday", "ten"), ("Friday", "eight"))
    )
    assert index(Counting(), unlike).enough == LEAST_ENOUGH
    assert index(Counting(), alike).enough == MOST_ENOUGH
    assert index(Counting(), "# One\nThere is but one passage.").enough == LEAST_ENOUGH


class ByMeaning:
    """Finds every question as like the first passage as it is told."""

    name = "meaning"

    def __init__(self, likeness: float) -> None:
        self._asked = np.array([likeness, (1 - likeness**2) ** 0.5, 0], dtype=np.float32)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """What tells of Alaska is the first passage's."""
        return np.array([self._of(text) for text in texts], dtype=np.float32)

    def _of(self, text: str) -> Vectors:
        if "?" in text:
            return self._asked
        return np.array([1, 0, 0] if "Alaska" in text else [0, 0, 1], dtype=np.float32)


@pytest.mark.parametrize(("likeness", "by_its_words", "by_others"), [(0.2, 0, 0), (0.35, 1, 0), (0.6, 1, 1)])
def test_question_that_shares_words_with_a_passage_needs_less_of_its_meaning(
    likeness: float, by_its_words: int, by_others: int
) -> None:
    text = "# Shipping\nA parcel to Alaska takes 7 working days.\n# Pets\nDogs wait outside.\n"
    words, embedder = index(NgramEmbedder(), text), ByMeaning(likeness)
    vectors = embedder.embed(views_of(words.passages, embedder).texts)
    known = KnowledgeIndex(words.passages, vectors, embedder, words)
    assert len(known.answers("Does the parcel come by air at all?")) == by_its_words
    assert len(known.answers("Will you fly it up there?")) == by_others
