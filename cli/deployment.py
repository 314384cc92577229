"""Versions of the workflows at Temporal: who works for each, which calls stay with it, and which one new calls get."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType, WorkerDeploymentVersionStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentResponse,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from core.contracts.names import AFTER_CALLS_QUEUE, CALLS_QUEUE, CAMPAIGNS_QUEUE
from workflows.worker import DEPLOYMENT

QUEUES: Final = (CALLS_QUEUE, AFTER_CALLS_QUEUE, CAMPAIGNS_QUEUE)
LOOK_EVERY_S = 0.5
_NOT_YET: Final = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)  # it hears of new workers a little later


class NoWorkers(Exception):
    """Nobody works for a version; the message says where."""


class Stage(StrEnum):
    """What a version is for."""

    NEW = "new"  # never was the current one
    CURRENT = "current"  # new calls begin here
    DRAINING = "draining"  # its calls go on here
    DRAINED = "drained"  # it has none any more: its workers may go


@dataclass(frozen=True)
class Version:
    """One version, as it is now."""

    build_id: str
    stage: Stage
    calls: int  # that began here and have not ended
    workers: dict[str, int]  # task queue: processes that asked it for work within the last five minutes


async def versions(client: Client) -> list[Version]:
    """All there are, the newest first; none where no versioned worker ever came. Raises RPCError."""
    described = await _described(client)
    if described is None:
        return []
    workers = {queue: await _workers(client, queue) for queue in QUEUES}
    found = sorted(
        described.worker_deployment_info.version_summaries,
        key=lambda one: one.create_time.ToNanoseconds(),
        reverse=True,
    )
    return [
        Version(
            build_id := one.deployment_version.build_id,
            _stage(one.status),
            await _calls(client, build_id),
            {queue: len(of_queue.get(build_id, ())) for queue, of_queue in workers.items()},
        )
        for one in found
    ]


async def current_version(client: Client) -> str | None:
    """The build id that new calls get; None: they go to workers without versions. Raises RPCError."""
    described = await _described(client)
    if described is None:
        return None
    return described.worker_deployment_info.routing_config.current_deployment_version.build_id or None


async def trouble(client: Client, *, versioned: bool) -> str | None:
    """Why new calls would wait in vain, for workers with versions or without; None: they would not. Raises RPCError."""
    current = await current_version(client)
    if versioned and current is None:
        return "no version is the current one, so no worker gets a call: run holdfast deploy current"
    if not versioned and current is not None:
        return f"{current} gets all calls, workers without versions get none: run holdfast deploy current --none"
    if current is not None and (missing := await _unattended(client, current)):
        return f"{current} is the current version, and nobody works for it on {', '.join(missing)}"
    return None


async def make_current(client: Client, build_id: str, patience_s: float) -> None:
    """Have new calls begin with this version, once somebody works for it on every queue.

    Raises NoWorkers if nobody does for so long, RPCError if Temporal is away.
    """
    missing = list(QUEUES)
    try:
        async with asyncio.timeout(patience_s):
            while True:
                missing = await _unattended(client, build_id)
                if not missing and await _set_current(client, build_id):
                    return
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        where = f"on {', '.join(missing)}" if missing else "that Temporal has heard of"
        raise NoWorkers(f"no worker of version {build_id} asks for work {where}: are they up?") from None


async def make_none_current(client: Client) -> None:
    """Have new calls go to workers without versions. Raises RPCError."""
    if await _described(client) is not None:
        await _set_current(client, "")


async def _unattended(client: Client, build_id: str) -> list[str]:
    return [queue for queue in QUEUES if build_id not in await _workers(client, queue)]


async def _set_current(client: Client, build_id: str) -> bool:
    """False: not yet."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=DEPLOYMENT, build_id=build_id, identity=client.identity
    )
    try:
        await client.workflow_service.set_worker_deployment_current_version(request)
    except RPCError as error:
        if error.status not in _NOT_YET:
            raise
        return False
    return True


async def _workers(client: Client, queue: str) -> dict[str, set[str]]:
    """Who asked this queue for work within five minutes, by version."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    found: dict[str, set[str]] = {}
    for poller in (await client.workflow_service.describe_task_queue(request)).pollers:
        if poller.deployment_options.deployment_name == DEPLOYMENT:
            found.setdefault(poller.deployment_options.build_id, set()).add(poller.identity)
    return found


async def _calls(client: Client, build_id: str) -> int:
    pinned = "TemporalWorkflowVersioningBehavior = 'Pinned' AND ExecutionStatus = 'Running'"
    query = f"TemporalWorkerDeploymentVersion = '{DEPLOYMENT}:{build_id}' AND {pinned}"
    return (await client.count_workflows(query)).count


async def _described(client: Client) -> DescribeWorkerDeploymentResponse | None:
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
    try:
        return await client.workflow_service.describe_worker_deployment(request)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def _stage(status: WorkerDeploymentVersionStatus.ValueType) -> Stage:
    return {
        WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT: Stage.CURRENT,
        WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING: Stage.CURRENT,
        WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING: Stage.DRAINING,
        WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED: Stage.DRAINED,
    }.get(status, Stage.NEW)
