"""The workers of one process: the same for the command, for tests and for benchmarks."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import (
    PollerBehaviorSimpleMaximum,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerDeploymentConfig,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.heartbeats import Heartbeats
from activities.roster import Ports, roster
from core.contracts import names
from workflows.after_call import AfterCallWorkflow
from workflows.call import CallWorkflow
from workflows.campaign import CampaignWorkflow
from workflows.campaign_results import CampaignResultsWorkflow, MessageWorkflow
from workflows.converter import learn_types, with_shared_types
from workflows.fingerprint import build_id
from workflows.resend import ResendWorkflow

LIVE_CALLS = 100  # what one worker process is sized for
CACHED_WORKFLOWS = 5 * LIVE_CALLS
TASKS_AT_ONCE = 8  # each call of a dead worker has its history read: with more of them at once none is done in time
DEPLOYMENT = "holdfast"
POLLERS = 5
STICKY = timedelta(milliseconds=300)  # after a worker's death its workflows wait so long before others take them over
GRACE = timedelta(seconds=15)  # a deploy lets replies be made; then what runs fails, and is tried again elsewhere


def sandbox() -> WorkflowRunner:
    """The SDK's sandbox, which refuses clocks, randomness and I/O to workflow code: tests replay every ending in it.

    Live calls run without it. It loads the workflow modules anew for each call, 65 ms of CPU before the greeting and
    again for each call that a worker takes over from one that died. Core is passed through: it is pure already.
    """
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules("core"))


def build_workers(client: Client, ports: Ports, *, versioned: bool = False, build: str = "") -> list[Worker]:
    """One worker a queue, so that batch work takes no slot of a live call. Run all of them.

    Args:
        versioned: A call stays with workers of the version that it began with. What lasts for days, campaigns and the
            work after calls, goes over to the current version at its next step, so edits of it must be patched.
        build: Their version, if it is not this package's.
    """
    learn_types()
    client = _with_shared_types(client)
    activities = roster(ports)
    version = WorkerDeploymentVersion(DEPLOYMENT, build or build_id())

    def moves(behavior: VersioningBehavior) -> WorkerDeploymentConfig:
        return WorkerDeploymentConfig(version, versioned, behavior if versioned else VersioningBehavior.UNSPECIFIED)

    live = Worker(
        client,
        task_queue=names.CALLS_QUEUE,
        workflows=[CallWorkflow],
        activities=activities.calls,
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=CACHED_WORKFLOWS,
        max_concurrent_workflow_tasks=TASKS_AT_ONCE,
        max_concurrent_activities=3 * LIVE_CALLS,  # a reply, a tool, and a line that still prepares
        max_concurrent_local_activities=LIVE_CALLS,
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(POLLERS),
        activity_task_poller_behavior=PollerBehaviorSimpleMaximum(POLLERS),
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
        interceptors=[Heartbeats()],
        deployment_config=moves(VersioningBehavior.PINNED),
    )
    after = Worker(
        client,
        task_queue=names.AFTER_CALLS_QUEUE,
        workflows=[AfterCallWorkflow, ResendWorkflow, CampaignResultsWorkflow, MessageWorkflow],
        activities=activities.after_calls,
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=LIVE_CALLS,
        max_concurrent_activities=20,  # summaries share the model's rate limit with live calls
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(2),
        activity_task_poller_behavior=PollerBehaviorSimpleMaximum(2),
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
        interceptors=[Heartbeats()],
        deployment_config=moves(VersioningBehavior.AUTO_UPGRADE),
    )
    campaigns = Worker(
        client,
        task_queue=names.CAMPAIGNS_QUEUE,
        workflows=[CampaignWorkflow],
        activities=activities.campaigns,
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=LIVE_CALLS,
        max_concurrent_activities=20,  # one for each running campaign
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(2),
        activity_task_poller_behavior=PollerBehaviorSimpleMaximum(2),
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
        interceptors=[Heartbeats()],
        deployment_config=moves(VersioningBehavior.AUTO_UPGRADE),
    )
    return [live, after, campaigns]


def _with_shared_types(client: Client) -> Client:
    """The same connection; other users of the client notice nothing."""
    config = client.config()
    config["data_converter"] = with_shared_types(config["data_converter"])
    return Client(**config)
