import pytest

from core.knowledge.passages import Passage
from core.ports.knowledge import DocumentIsPublished
from storage.database import Database
from storage.documents import SqlDocuments

ONE = [Passage("a.md", "In 30 days.", ("Returns", "Time"), 2)]
TWO = [Passage("a.md", "In 60 days.")]


async def test_files_of_a_playbook_are_found_with_their_passages(database: Database) -> None:
    documents = SqlDocuments(database)
    assert await documents.publish("orders", {"a.md": (b"one", ONE), "b/c.md": (b"", TWO)}) == 2
    found = await SqlDocuments(database).passages("orders")
    assert found["a.md"] == ONE
    assert [one.document for one in found["b/c.md"]] == ["b/c.md"]
    assert [(one.path, one.size, one.passages, one.uploaded) for one in await documents.listed("orders")] == [
        ("a.md", 3, 1, False),
        ("b/c.md", 0, 1, False),
    ]
    assert await documents.passages("bookings") == {}


async def test_same_files_again_change_nothing_and_others_change_their_version(database: Database) -> None:
    documents = SqlDocuments(database)
    await documents.publish("orders", {"a.md": (b"one", ONE), "b.md": (b"one", ONE)})
    before = (await documents.catalogue())["orders"]
    assert await documents.publish("orders", {"a.md": (b"one", ONE), "b.md": (b"one", ONE)}) == 0
    assert (await documents.catalogue())["orders"] == before
    assert await documents.publish("orders", {"a.md": (b"two", TWO)}) == 2  # and one that is gone
    after = (await documents.catalogue())["orders"]
    assert after.keys() == {"a.md"}
    assert after["a.md"] != before["a.md"]
    assert (await documents.passages("orders"))["a.md"] == TWO


async def test_file_read_better_than_before_is_a_new_version(database: Database) -> None:
    documents = SqlDocuments(database)
    await documents.publish("orders", {"a.md": (b"one", ONE)})
    before = (await documents.catalogue())["orders"]["a.md"]
    assert await documents.publish("orders", {"a.md": (b"one", TWO)}) == 1
    assert (await documents.catalogue())["orders"]["a.md"] != before


async def test_upload_stays_when_files_are_published_and_is_removed_by_its_path(database: Database) -> None:
    documents = SqlDocuments(database)
    kept = await documents.upload("orders", "up.md", b"one", ONE)
    assert (kept.path, kept.size, kept.passages, kept.uploaded) == ("up.md", 3, 1, True)
    await documents.upload("orders", "up.md", b"two", TWO)
    await documents.publish("orders", {"a.md": (b"one", ONE)})
    assert (await documents.catalogue())["orders"].keys() == {"a.md", "up.md"}
    assert (await documents.passages("orders"))["up.md"][0].text == "In 60 days."
    assert await documents.remove("orders", "up.md")
    assert not await documents.remove("orders", "up.md")
    assert not await documents.remove("bookings", "a.md")


async def test_published_document_is_not_changed_over_rest(database: Database) -> None:
    documents = SqlDocuments(database)
    await documents.publish("orders", {"a.md": (b"one", ONE)})
    with pytest.raises(DocumentIsPublished):
        await documents.upload("orders", "a.md", b"two", TWO)
    with pytest.raises(DocumentIsPublished):
        await documents.remove("orders", "a.md")


async def test_file_takes_the_place_of_an_upload_of_its_path(database: Database) -> None:
    documents = SqlDocuments(database)
    await documents.upload("orders", "a.md", b"one", ONE)
    await documents.publish("orders", {"a.md": (b"one", ONE)})
    assert not (await documents.listed("orders"))[0].uploaded
