"""Playbooks for callers: an old finding beats none."""

from dataclasses import replace

import pytest

from api.answering import AnsweringPlaybooks
from api.app import create_app
from core.playbook import Playbook
from core.ports.errors import StorageUnavailable, UnknownPlaybook
from core.ports.playbooks import Playbooks
from tests.api.world import OUR_NUMBER, RENEWAL, ApiWorld, Shelf


def impatient(shelf: Playbooks) -> AnsweringPlaybooks:
    return AnsweringPlaybooks(shelf, fresh_seconds=0.0, wait_seconds=0.05)


@pytest.mark.parametrize("trouble", ["away", "stuck"])
async def test_what_was_found_before_serves_while_the_database_is_away(trouble: str) -> None:
    shelf = Shelf()
    playbooks = impatient(shelf)
    first = await playbooks.for_number(OUR_NUMBER)
    setattr(shelf, trouble, True)
    assert await playbooks.for_number(OUR_NUMBER) == first


async def test_a_changed_playbook_is_noticed_once_the_old_finding_is_stale() -> None:
    shelf = Shelf()
    playbooks = impatient(shelf)
    await playbooks.for_number(OUR_NUMBER)
    shelf.books = [RENEWAL.model_copy(update={"digest": "newer"})]
    assert (await playbooks.for_number(OUR_NUMBER)).ref == "renewal@newer"


async def test_a_fresh_finding_is_not_looked_up_again() -> None:
    shelf = Shelf()
    playbooks = AnsweringPlaybooks(shelf, fresh_seconds=60.0)
    await playbooks.for_number(OUR_NUMBER)
    shelf.books = []
    assert (await playbooks.for_number(OUR_NUMBER)).ref == RENEWAL.ref


async def test_a_number_that_lost_its_playbook_is_unknown() -> None:
    shelf = Shelf()
    playbooks = impatient(shelf)
    await playbooks.for_number(OUR_NUMBER)
    shelf.books = []
    with pytest.raises(UnknownPlaybook):
        await playbooks.for_number(OUR_NUMBER)


async def test_a_number_never_seen_needs_the_database() -> None:
    with pytest.raises(StorageUnavailable):
        await impatient(Shelf(away=True)).for_number(OUR_NUMBER)


async def test_playbooks_are_read_before_the_first_caller_is_there(world_without_temporal: ApiWorld) -> None:
    read: list[str] = []

    class Watched(Shelf):
        async def for_number(self, number: str) -> Playbook:
            read.append(number)
            return await super().for_number(number)

    app = create_app(replace(world_without_temporal.deps, playbooks=Watched()))
    async with app.router.lifespan_context(app):
        assert read == [""]
