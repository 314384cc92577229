from pathlib import Path

import pytest

from core.playbook import PlaybookFaults
from core.ports.errors import StorageUnavailable, UnknownPlaybook
from storage.database import Database
from storage.models import PlaybookVersion
from storage.playbooks import SqlPlaybooks

TEXT = """\
name: {name}
goal: {goal}
persona: A clerk.
greeting: Hello.
numbers: [{numbers}]
steps:
  - name: help
    goal: Help.
"""


def write(folder: Path, name: str, goal: str = "Help.", numbers: str = "") -> Path:
    numbers = f'"{numbers}"' if numbers else ""
    (folder / f"{name}.yaml").write_text(TEXT.format(name=name, goal=goal, numbers=numbers))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "playbooks"
    folder.mkdir()
    return folder


def shelf(database: Database, default: str | None = None) -> SqlPlaybooks:
    return SqlPlaybooks(database, default, fresh_seconds=0.0)


async def test_another_process_finds_what_was_published(database: Database, folder: Path) -> None:
    write(folder, "orders")
    write(folder, "bookings")
    published = await shelf(database).publish(folder)
    other = shelf(database)
    assert await other.names() == ["bookings", "orders"]
    assert await other.latest("orders") == next(p for p in published if p.name == "orders")


async def test_a_call_keeps_the_version_it_began_with(database: Database, folder: Path) -> None:
    playbooks = shelf(database)
    (old,) = await playbooks.publish(write(folder, "orders", "Help."))
    (new,) = await playbooks.publish(write(folder, "orders", "Help more."))
    other = shelf(database)
    assert (await other.latest("orders")).ref == new.ref != old.ref
    assert (await other.load(old.ref)).goal == "Help."


async def test_publishing_an_older_text_again_makes_it_the_latest(database: Database, folder: Path) -> None:
    playbooks = shelf(database)
    (old,) = await playbooks.publish(write(folder, "orders", "Help."))
    await playbooks.publish(write(folder, "orders", "Help more."))
    await playbooks.publish(write(folder, "orders", "Help."))
    await playbooks.publish(folder)
    assert (await shelf(database).latest("orders")).ref == old.ref


async def test_a_number_is_answered_by_the_newest_playbook_that_lists_it_else_by_the_default(
    database: Database, folder: Path
) -> None:
    write(folder, "orders")
    write(folder, "bookings", numbers="+12025550142")
    playbooks = shelf(database, default="orders")
    await playbooks.publish(folder)
    assert (await playbooks.for_number("+12025550142")).name == "bookings"
    assert (await playbooks.for_number("+12025550199")).name == "orders"
    await playbooks.publish(write(folder, "bookings"))
    assert (await playbooks.for_number("+12025550142")).name == "orders"


async def test_what_nobody_published_is_unknown(database: Database, folder: Path) -> None:
    playbooks = shelf(database)
    await playbooks.publish(write(folder, "orders"))
    for look in (playbooks.latest("other"), playbooks.load("orders@000000000000"), playbooks.load("nonsense")):
        with pytest.raises(UnknownPlaybook):
            await look
    with pytest.raises(UnknownPlaybook):
        await playbooks.for_number("+12025550142")


async def test_a_folder_with_faults_publishes_nothing_and_names_them_all(database: Database, folder: Path) -> None:
    write(folder, "orders")
    (folder / "twin.yaml").write_text((folder / "orders.yaml").read_text())
    (folder / "typo.yml").write_text(TEXT.format(name="typo", goal="Help.", numbers="") + "grreting: x\n")
    playbooks = shelf(database)
    with pytest.raises(PlaybookFaults) as faults:
        await playbooks.publish(folder)
    assert {Path(fault.file).name for fault in faults.value.faults} == {"twin.yaml", "typo.yml"}
    assert await playbooks.names() == []


async def test_a_stored_text_this_program_cannot_read_keeps_no_other_from_answering(
    database: Database, folder: Path
) -> None:
    async with database.write() as session:
        session.add(PlaybookVersion(name="a", digest="1", text="name: a", created_ms=1.0, published_ms=1.0))
    playbooks = shelf(database, default="orders")
    await playbooks.publish(write(folder, "orders"))
    assert (await playbooks.for_number("+12025550142")).name == "orders"
    with pytest.raises(UnknownPlaybook):
        await playbooks.load("a@1")


async def test_with_nothing_read_before_a_database_that_is_away_is_said(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/gone/holdfast.db", statement_seconds=0.1)
    with pytest.raises(StorageUnavailable):
        await shelf(database).latest("orders")
    await database.close()


async def test_a_loaded_playbook_never_asks_the_database_again(database: Database, folder: Path) -> None:
    playbooks = shelf(database, default="orders")
    (published,) = await playbooks.publish(write(folder, "orders"))
    async with database.write() as session:
        await session.delete(await session.get_one(PlaybookVersion, ("orders", published.digest)))
    assert await playbooks.load(published.ref) == published
