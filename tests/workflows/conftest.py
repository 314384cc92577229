"""Fixtures of the calls' stories."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.world.world import CallWorld, call_world


@pytest.fixture
async def world(temporal: Client) -> AsyncIterator[CallWorld]:
    """A world whose workers run."""
    async with call_world(temporal) as running:
        yield running
