"""How workers are built."""

from temporalio.client import Client

from core.contracts import names
from tests.world.world import CallWorld
from workflows.fingerprint import build_id
from workflows.worker import build_workers


async def test_live_calls_what_follows_them_and_campaigns_have_workers_of_their_own(temporal: Client) -> None:
    workers = build_workers(temporal, CallWorld(temporal).ports)
    assert [worker.task_queue for worker in workers] == [
        names.CALLS_QUEUE,
        names.AFTER_CALLS_QUEUE,
        names.CAMPAIGNS_QUEUE,
    ]


def test_build_id_is_that_of_the_code() -> None:
    assert build_id() == build_id()
    assert len(build_id()) == 12
