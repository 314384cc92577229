"""What calls have brought for playbooks to learn from, as the console has it reviewed."""

from dataclasses import replace

import pytest

from storage.calls import SqlCallStore
from tests.api.console.board import LoggedIn
from tests.api.test_step_examples import SUPPORT
from tests.storage.test_step_examples import learning

pytestmark = pytest.mark.browser


async def test_an_example_is_moved_to_its_step_accepted_and_taken_back(console: LoggedIn, store: SqlCallStore) -> None:
    console.world.shelf.books.append(SUPPORT)
    await store.save(learning("CA1", "reviewed", "The shoes pinch a lot."))
    await console.visit("/")
    await console.page.click("nav >> text='Examples'")
    await console.expect_shown("article", "The shoes pinch a lot.")
    await console.page.select_option("select[name=step]", "complaints")
    await console.page.fill("input[name=by]", "Grace")
    await console.page.click("text='Accept'")
    await console.expect_shown("main", "There are none.")
    await console.page.click("main >> text='Accepted'")
    await console.expect_shown("article", "Accepted by Grace")
    await console.expect_shown("article h2", "Complaints")
    await console.page.click("text='Reject'")
    await console.page.click("main >> text='Rejected'")
    await console.expect_shown("article", "The shoes pinch a lot.")


async def test_what_belongs_to_no_step_is_offered_as_such(console: LoggedIn, store: SqlCallStore) -> None:
    console.world.shelf.books.append(SUPPORT)
    weather = learning("CA1", "reviewed", "What is the weather like?")
    turns = [replace(turn, step_method="off_topic") if turn.caller else turn for turn in weather.turns]
    await store.save(replace(weather, turns=tuple(turns)))
    await console.visit("/")
    await console.page.click("nav >> text='Examples'")
    await console.expect_shown("article h2", "No step")
    assert await console.page.input_value("select[name=step]") == "(none)"
    await console.page.click("text='Accept'")
    await console.page.click("main >> text='Accepted'")
    await console.expect_shown("article h2", "No step")
