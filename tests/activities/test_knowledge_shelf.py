"""Documents as workers keep them."""

from collections.abc import Sequence

from activities.knowledge_shelf import AGAIN_S, KnowledgeShelf
from core.knowledge.index import KnowledgeIndex
from core.ngrams import NgramEmbedder
from core.ports.embedder import Vectors
from core.recently_embedded import RecentlyEmbedded
from tests.world.documents_shelf import FakeDocuments, FakeVectors, MeaningEmbedder

RETURNS = "# Returns\nUnused goods can be returned within 30 days.\n"
TO_ALASKA = "When does my parcel to Alaska come?"
UNSURE = "Would you send it by lorry as well, please?"
SURE = "How many days does a parcel to Alaska take?"
SHIPPING = "# Shipping\nA parcel to Alaska takes 7 days. Kayaks come on a truck.\n"


class Counting(MeaningEmbedder):
    """Writes down what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return super().embed(texts)


class Desk:
    """A shelf by meaning, and what stands behind it."""

    def __init__(self) -> None:
        self.documents = FakeDocuments(orders={"returns.md": RETURNS, "shipping.md": SHIPPING})
        self.vectors = FakeVectors()
        self.embedder = Counting()
        self.now = 0.0
        self.shelf = KnowledgeShelf(self.documents, self.vectors, RecentlyEmbedded(self.embedder), lambda: self.now)

    @property
    def index(self) -> KnowledgeIndex:
        found = self.shelf.index("orders")
        assert found is not None
        return found

    def place(self, question: str) -> str:
        found = self.index.answers(question)
        return found[0].passage.place if found else ""


async def test_documents_are_searched_by_words_until_their_meaning_is_found() -> None:
    desk = Desk()
    await desk.shelf.open()
    assert (desk.index.method, desk.place(TO_ALASKA)) == (
        "lexical",
        "shipping.md, Shipping",
    )
    await desk.shelf.look()
    assert (desk.index.method, desk.place(TO_ALASKA)) == (
        "meaning",
        "shipping.md, Shipping",
    )
    assert desk.place("Can goods be returned within 30 days?") == "returns.md, Returns"
    assert desk.shelf.index("bookings") is None


async def test_only_the_document_that_has_changed_is_put_into_vectors_again() -> None:
    desk = Desk()
    await desk.shelf.look()
    assert len(desk.vectors.asked) == 2
    await desk.shelf.look()
    assert len(desk.vectors.asked) == 2
    desk.documents.texts["orders"]["returns.md"] = RETURNS.replace("30", "60")
    before = desk.index
    await desk.shelf.look()
    assert [texts[0] for texts in desk.vectors.asked[2:]] == ["Returns. Unused goods can be returned within 60 days."]
    assert desk.index.search("returned goods")[0].passage.text == "Unused goods can be returned within 60 days."
    assert before.search("returned goods")[0].passage.text == "Unused goods can be returned within 30 days."


async def test_documents_that_are_gone_are_told_no_more() -> None:
    desk = Desk()
    await desk.shelf.look()
    del desk.documents.texts["orders"]["shipping.md"]
    await desk.shelf.look()
    assert desk.place(TO_ALASKA) == ""
    desk.documents.texts["orders"].clear()
    await desk.shelf.look()
    assert desk.shelf.index("orders") is None


async def test_what_was_read_stays_while_the_database_is_away() -> None:
    desk = Desk()
    desk.documents.away = True
    await desk.shelf.open()
    assert desk.shelf.index("orders") is None
    desk.documents.away = False
    await desk.shelf.look()
    desk.documents.away = True
    await desk.shelf.look()
    assert desk.place(TO_ALASKA) == "shipping.md, Shipping"


async def test_vectors_that_cannot_be_made_are_tried_again_and_words_do_meanwhile() -> None:
    desk = Desk()
    desk.vectors.fails = True
    await desk.shelf.look()
    await desk.shelf.look()
    assert desk.index.method == "lexical"
    assert len(desk.vectors.asked) == 1  # it is work of seconds: not at every look
    desk.vectors.fails = False
    desk.now += AGAIN_S
    await desk.shelf.look()
    assert desk.index.method == "meaning"


async def test_nothing_is_put_into_vectors_where_words_are_all_there_is() -> None:
    desk = Desk()
    shelf = KnowledgeShelf(desk.documents, desk.vectors, RecentlyEmbedded(NgramEmbedder()))
    await shelf.look()
    assert desk.vectors.asked == []


async def test_words_that_are_expected_are_embedded_before_they_are_searched_for() -> None:
    desk = Desk()
    await desk.shelf.look()
    desk.shelf.expect("orders", UNSURE)
    await desk.shelf.settled()
    assert desk.embedder.asked == [UNSURE]
    desk.place(UNSURE)
    assert desk.embedder.asked == [UNSURE]


async def test_words_that_are_sure_by_themselves_are_not_embedded() -> None:
    desk = Desk()
    await desk.shelf.look()
    desk.shelf.expect("orders", SURE)
    await desk.shelf.settled()
    assert desk.place(SURE) == "shipping.md, Shipping"
    assert desk.embedder.asked == []


async def test_words_are_embedded_where_the_playbook_sets_its_own_threshold() -> None:
    desk = Desk()
    await desk.shelf.look()
    desk.shelf.expect("orders", SURE, own_threshold=True)
    await desk.shelf.settled()
    assert desk.embedder.asked == [SURE]


async def test_nothing_is_embedded_for_a_playbook_without_documents() -> None:
    desk = Desk()
    await desk.shelf.look()
    desk.shelf.expect("bookings", TO_ALASKA)
    await desk.shelf.settled()
    assert desk.embedder.asked == []
