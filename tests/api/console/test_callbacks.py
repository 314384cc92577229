"""Callers who are to be called back, as the console lists them."""

import pytest

from storage.calls import SqlCallStore
from tests.api.console.board import LoggedIn
from tests.api.test_callbacks import MISSED
from tests.storage.records import ended_call

pytestmark = pytest.mark.browser


async def test_callback_is_shown_with_its_call_and_taken_off_the_list(console: LoggedIn, store: SqlCallStore) -> None:
    await store.save(ended_call("CA1", transfers=(MISSED,)))
    await console.visit("/calls/CA1")
    await console.expect_shown("#transfers", "Wants a refund for 48213.")
    await console.expect_shown("#transfers", "No answer")
    await console.page.click("text='To be called back'")
    await console.expect_shown("article", "Wants a refund for 48213.")
    await console.page.fill("input[name=by]", "Grace")
    await console.page.click("text='Done'")
    await console.expect_shown("main", "Nobody waits to be called back.")
