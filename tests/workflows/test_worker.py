"""How workers are built."""

from temporalio.client import Client
from temporalio.worker import Worker

from core.contracts import names
from tests.world.world import CallWorld
from workflows.fingerprint import build_id
from workflows.worker import STICKY, build_workers


async def test_live_calls_what_follows_them_and_campaigns_have_workers_of_their_own(temporal: Client) -> None:
    workers = build_workers(temporal, CallWorld(temporal).ports)
    assert [worker.task_queue for worker in workers] == [
        names.CALLS_QUEUE,
        names.AFTER_CALLS_QUEUE,
        names.CAMPAIGNS_QUEUE,
    ]


async def test_no_workflow_waits_long_for_a_worker_that_has_died(temporal: Client) -> None:
    workers = build_workers(temporal, CallWorld(temporal).ports)
    assert {worker.config()["sticky_queue_schedule_to_start_timeout"] for worker in workers} == {STICKY}


async def test_workers_of_all_queues_tell_temporal_the_build_id(temporal: Client) -> None:
    workers = build_workers(temporal, CallWorld(temporal).ports)
    versions = {_version(worker) for worker in workers}
    assert versions == {f"holdfast.{build_id()}"}


def _version(worker: Worker) -> str:
    deployment = worker.config()["deployment_config"]
    assert deployment is not None
    return deployment.version.to_canonical_string()
