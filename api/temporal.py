"""The API's one way to Temporal: every request has a deadline, and being away is one error."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self, TypeVar

import structlog
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from core.contracts import names
from core.contracts.after_call import AfterState, Resend, RetryStep
from core.contracts.call import CallInput, CallState, Direction, Phase
from core.contracts.campaign import CampaignInput
from core.contracts.campaign_results import ResultsInput
from core.contracts.take_over import Desk

log = structlog.get_logger()

T = TypeVar("T")
Connect = Callable[[], Awaitable[Client]]

DEADLINE_SECONDS = 0.8  # the carrier's caller hears silence meanwhile
UPDATE_SECONDS = 3.0  # long enough for another worker to take a call over
TASK_SECONDS = 0.6  # a worker killed in the middle of a workflow task costs the call no more
_TASK_TIMEOUT_OF_CAMPAIGNS = timedelta(seconds=3)  # ... a campaign, for which nobody waits on the line
_CALL_MEMO = "call"


class TemporalUnavailable(Exception):
    """Temporal cannot be reached, or no worker answered, within the deadline."""


class CallNotRunning(Exception):
    """No workflow of this call is running: it has ended, or there never was one."""


class CallRefused(Exception):
    """The call's workflow will not do what was asked; the message says why, for an operator."""


@dataclass(frozen=True)
class CallMemo:
    """What a call was started with, kept beside its workflow."""

    direction: Direction
    playbook: str
    caller_number: str
    our_number: str
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, call: CallInput) -> Self:
        """The memo of a call."""
        return cls(call.direction, call.playbook.ref, call.caller_number, call.our_number, call.variables)


@dataclass(frozen=True)
class KnownCall:
    """A call as Temporal's own record of it tells, without asking a worker."""

    call_id: str
    running: bool
    started_ms: float
    ended_ms: float | None
    memo: CallMemo | None  # None: started by another program
    attributes: dict[str, str]  # search attribute -> value


class Temporal:
    """Connects when first needed. All methods raise TemporalUnavailable.

    Args:
        connect: makes a connected client; raises RuntimeError while the server is away.
        deadline: seconds one request may take, connecting included.
        update_deadline: the same for updates, which need a worker.
        task: seconds a worker may take for a workflow task of a call; then another one gets it.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        deadline: float = DEADLINE_SECONDS,
        update_deadline: float = UPDATE_SECONDS,
        task: float = TASK_SECONDS,
    ) -> None:
        self._connect = connect
        self._deadline = deadline
        self._update_deadline = update_deadline
        self._task = timedelta(seconds=task)
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    @classmethod
    def at(
        cls,
        address: str,
        namespace: str = names.NAMESPACE,
        *,
        deadline: float = DEADLINE_SECONDS,
        update_deadline: float = UPDATE_SECONDS,
        task: float = TASK_SECONDS,
    ) -> Self:
        """Temporal at host:port, without TLS or a key: for tests."""

        async def connect() -> Client:
            return await Client.connect(address, namespace=namespace, data_converter=pydantic_data_converter)

        return cls(connect, deadline=deadline, update_deadline=update_deadline, task=task)

    async def check(self) -> None:
        """Reach the server and the namespace once."""
        await self._ask(_describe_namespace)

    async def start_call(self, call: CallInput) -> None:
        """Start the call's workflow, or find it running. Raises CallNotRunning for a call that has ended already."""
        try:
            await self._ask(lambda client: _start(client, call, self._deadline, self._task))
        except WorkflowAlreadyStartedError as error:
            raise CallNotRunning(call.call_id) from error

    async def signal(self, call_id: str, name: str, message: object) -> None:
        """Tell the call something. Raises CallNotRunning."""
        await self._ask(lambda client: _handle(client, call_id).signal(name, message))

    async def update(
        self, call_id: str, name: str, *messages: object, answer: type[T] | None = None, once: str | None = None
    ) -> T:
        """Ask the call to do something, and wait until it has taken it up. Raises CallNotRunning, CallRefused.

        Args:
            answer: the type of the answer, if there is one.
            once: a key under which the call does it one time only, however often it is asked.
        """
        try:
            return await self._ask(
                lambda client: _handle(client, call_id).execute_update(
                    name, args=messages, id=f"{name}:{once}" if once else None, result_type=answer
                ),
                self._update_deadline,
            )
        except WorkflowUpdateFailedError as error:
            raise CallRefused(_words(error)) from error

    async def state(self, call_id: str) -> CallState:
        """What the call itself says about where it stands. Raises CallNotRunning."""
        return await self._ask(lambda client: _handle(client, call_id).query(names.STATE, result_type=CallState))

    async def desk(self, call_id: str) -> Desk:
        """Where a supervisor listens to the call, and whether they may take it over. Raises CallNotRunning."""
        return await self._ask(lambda client: _handle(client, call_id).query(names.DESK, result_type=Desk))

    async def after_state(self, call_id: str) -> AfterState:
        """What follows the call, by its workflow. Raises CallNotRunning if Temporal knows of none."""
        return await self._ask(
            lambda client: client.get_workflow_handle(names.after_call_workflow_id(call_id)).query(
                names.STATE, result_type=AfterState
            )
        )

    async def retry_step(self, call_id: str, step: str) -> None:
        """Have a step that waits for its next attempt make it now. Raises CallNotRunning, CallRefused."""
        try:
            await self._ask(
                lambda client: client.get_workflow_handle(names.after_call_workflow_id(call_id)).execute_update(
                    names.RETRY_STEP, RetryStep(step)
                ),
                self._update_deadline,
            )
        except WorkflowUpdateFailedError as error:
            raise CallRefused(_words(error)) from error

    async def resend(self, letter_id: str) -> None:
        """Do a dead letter's errand again, or find that it is being done."""
        await self._ask(
            lambda client: client.start_workflow(
                names.RESEND_WORKFLOW,
                Resend(letter_id),
                id=names.resend_workflow_id(letter_id),
                task_queue=names.AFTER_CALLS_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=f"send dead letter {letter_id} again",
                rpc_timeout=timedelta(seconds=self._deadline),
            )
        )

    async def start_campaign(self, campaign: CampaignInput, tenant: str) -> None:
        """Start the campaign's workflow, or find it running."""
        await self._ask(
            lambda client: client.start_workflow(
                names.CAMPAIGN_WORKFLOW,
                campaign,
                id=names.campaign_workflow_id(campaign.campaign_id),
                task_queue=names.CAMPAIGNS_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                task_timeout=_TASK_TIMEOUT_OF_CAMPAIGNS,
                search_attributes=_attributes(
                    {names.TENANT_ATTRIBUTE: tenant, names.CAMPAIGN_ATTRIBUTE: campaign.campaign_id}
                ),
                static_summary=f"campaign {campaign.campaign_id}",
                rpc_timeout=timedelta(seconds=self._deadline),
            )
        )

    async def tell_campaign(self, campaign_id: str, update: str) -> None:
        """Pause, resume or cancel it, and wait until it has taken it up. Raises CallNotRunning."""
        await self._ask(
            lambda client: client.get_workflow_handle(names.campaign_workflow_id(campaign_id)).execute_update(update),
            self._update_deadline,
        )

    async def campaign_was_ended(self, campaign_id: str) -> bool:
        """Whether its workflow was ended by hand, or has failed. False if it is there, or nothing is known of it."""
        workflow_id = names.campaign_workflow_id(campaign_id)
        try:
            found = await self._ask(lambda client: client.get_workflow_handle(workflow_id).describe())
        except CallNotRunning:
            return False
        return found.status in _BROKEN_OFF

    async def campaign_changed(self, campaign_id: str) -> None:
        """Have it look again now; one that is over does not."""
        with suppress(CallNotRunning):
            await self._ask(
                lambda client: client.get_workflow_handle(names.campaign_workflow_id(campaign_id)).signal(
                    names.CAMPAIGN_CHANGED
                )
            )

    async def tell_results(self, results: ResultsInput, *, news: bool) -> None:
        """Have a campaign's customer told what is untold, if that is not under way; ``news``: look again now."""
        await self._ask(
            lambda client: client.start_workflow(
                names.CAMPAIGN_RESULTS_WORKFLOW,
                results,
                id=names.campaign_results_workflow_id(results.campaign_id),
                task_queue=names.AFTER_CALLS_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                search_attributes=_attributes({names.CAMPAIGN_ATTRIBUTE: results.campaign_id}),
                start_signal=names.RESULTS_NEWS if news else None,
                static_summary=f"tell results of campaign {results.campaign_id}",
                rpc_timeout=timedelta(seconds=self._deadline),
            )
        )

    async def known_call(self, call_id: str) -> KnownCall | None:
        """What Temporal has on record of the call, None if nothing."""
        try:
            return await self._ask(lambda client: _describe(client, call_id))
        except CallNotRunning:
            return None

    async def is_running(self, call_id: str) -> bool:
        """Whether the call's workflow is running."""
        known = await self.known_call(call_id)
        return known is not None and known.running

    async def _ask(self, request: Callable[[Client], Awaitable[T]], deadline: float | None = None) -> T:
        try:
            async with asyncio.timeout(deadline or self._deadline):
                return await request(await self._connected())
        except (TimeoutError, RPCTimeoutOrCancelledError) as error:
            raise TemporalUnavailable("no answer in time") from error
        except WorkflowQueryFailedError as error:
            raise TemporalUnavailable(str(error)) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND and not _lacks_namespace(error):
                raise CallNotRunning from error
            if error.status not in _AWAY:
                log.error("temporal_refused_request", status=error.status.name, error=error.message)
            raise TemporalUnavailable(f"{error.status.name}: {error.message}") from error

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None:
                try:
                    self._client = await self._connect()
                except RuntimeError as error:  # what the SDK raises when it finds no server
                    raise TemporalUnavailable("no connection") from error
                log.info("temporal_connected")
            return self._client


_BROKEN_OFF = {
    WorkflowExecutionStatus.TERMINATED,
    WorkflowExecutionStatus.CANCELED,
    WorkflowExecutionStatus.FAILED,
    WorkflowExecutionStatus.TIMED_OUT,
}
_AWAY = {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}


async def _start(client: Client, call: CallInput, deadline: float, task: timedelta) -> None:
    phase = Phase.CONNECTING if call.direction is Direction.INBOUND else Phase.DIALLING
    await client.start_workflow(
        names.CALL_WORKFLOW,
        call,
        id=names.call_workflow_id(call.call_id),
        task_queue=names.CALLS_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        task_timeout=task,
        search_attributes=_attributes(
            {
                names.TENANT_ATTRIBUTE: call.tenant,
                names.CAMPAIGN_ATTRIBUTE: call.campaign,
                names.PLAYBOOK_ATTRIBUTE: call.playbook.ref,
                names.STEP_ATTRIBUTE: call.playbook.start_step,
                names.PHASE_ATTRIBUTE: phase,
                names.ESCALATED_ATTRIBUTE: "false",
            }
        ),
        static_summary=f"{call.direction} call, playbook {call.playbook.ref}",
        memo={_CALL_MEMO: CallMemo.of(call)},
        rpc_timeout=timedelta(seconds=deadline),
    )


async def _describe(client: Client, call_id: str) -> KnownCall:
    found = await _handle(client, call_id).describe()
    return KnownCall(
        call_id=call_id,
        running=found.status is WorkflowExecutionStatus.RUNNING,
        started_ms=found.start_time.timestamp() * 1_000,
        ended_ms=found.close_time.timestamp() * 1_000 if found.close_time else None,
        memo=await _memo(found),
        attributes={pair.key.name: str(pair.value) for pair in found.typed_search_attributes},
    )


async def _memo(found: WorkflowExecutionDescription) -> CallMemo | None:
    return await found.memo_value(_CALL_MEMO, None, type_hint=CallMemo)


async def _describe_namespace(client: Client) -> None:
    await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))


def _handle(client: Client, call_id: str) -> WorkflowHandle[Any, Any]:
    return client.get_workflow_handle(names.call_workflow_id(call_id))


def _attributes(values: dict[str, str | None]) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [SearchAttributePair(SearchAttributeKey.for_keyword(key), str(value)) for key, value in values.items() if value]
    )


def _lacks_namespace(error: RPCError) -> bool:
    details = error.grpc_status.details
    return any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in details)


def _words(error: WorkflowUpdateFailedError) -> str:
    cause = error.cause
    return cause.message if isinstance(cause, ApplicationError) else "the call could not do that"
