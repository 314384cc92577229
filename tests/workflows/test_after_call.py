"""What follows a call: seen step by step, tried again for days, sent again by an operator."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from core.contracts import names
from core.contracts.after_call import AfterState, AfterStep, Resend, RetryStep, StepStatus
from core.contracts.call import CallTimers
from core.patience import Patience
from core.playbook import Playbook, parse_playbook
from core.ports.after_call import Endpoint
from core.webhooks import signature
from tests.world.fakes import broken
from tests.world.playbook import ORDERS
from tests.world.world import PATIENCE_S, QUICK, CallWorld, ScriptedCall

SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()
ENDPOINT = Endpoint("we_1", "https://customer.example/hook", ("call.ended", "call.analyzed"))
NEVER_AGAIN = replace(QUICK, after_call=Patience(first=3_600.0, longest=3_600.0))  # but when an operator asks
NO_PATIENCE = replace(QUICK, after_call=Patience(first=0.01, longest=0.01, whole=0.0))

AFTER = """
after_call:
  extract:
    type: object
    properties:
      order_number: {type: string, pattern: "^[0-9]{3,6}$"}
      sms_ok: {type: boolean}
      email: {type: string, format: email}
    required: [order_number]
  quiet_hours: {begin: "00:00", end: "00:00"}
  follow_ups:
    - name: tracking
      by: sms
      consent: sms_ok
      text: "Order {order_number} is on its way."
    - name: receipt
      by: email
      to: "{email}"
      subject: Your order {order_number}
      text: Thank you for calling.
"""


def orders_with(after: str = AFTER) -> Playbook:
    return parse_playbook(ORDERS + after)


async def test_every_step_of_a_call_without_trouble_is_done_and_seen(world: CallWorld) -> None:
    await world.webhooks.add(ENDPOINT, SECRET)
    world.reasoner.extracts = {"order_number": "482", "sms_ok": True, "email": None}
    call = await finished_call(world, orders_with())
    await call.after_call()
    state = await state_of(call)
    assert {step.name: step.status for step in state.steps} == {
        "record": StepStatus.DONE,
        "summary": StepStatus.DONE,
        "fields": StepStatus.DONE,
        "crm": StepStatus.DONE,
        "follow_up:tracking": StepStatus.DONE,
        "follow_up:receipt": StepStatus.SKIPPED,
        "webhook:call.ended:we_1": StepStatus.DONE,
        "webhook:call.analyzed:we_1": StepStatus.DONE,
    }
    assert state.fields == {"order_number": "482", "sms_ok": True}
    assert world.after_calls.states[call.id] == state
    assert world.crm.notes[f"{call.id}:note"].fields == state.fields
    assert world.messenger.texts == [("+12025550123", "+12025550001", "Order 482 is on its way.")]
    assert world.store.extraction_usages[call.id].output_tokens == 9


async def test_a_worker_that_dies_in_a_task_of_it_holds_it_up_no_longer_than_three_seconds(world: CallWorld) -> None:
    call = await finished_call(world)
    await call.after_call()
    after = world.client.get_workflow_handle(names.after_call_workflow_id(call.id))
    config = (await after.describe()).raw_description.execution_config
    assert config.default_workflow_task_timeout.ToTimedelta() == timedelta(seconds=3)


async def test_a_customer_can_prove_that_a_webhook_is_ours(world: CallWorld) -> None:
    await world.webhooks.add(ENDPOINT, SECRET)
    call = await finished_call(world)
    await call.after_call()
    events = {}
    for url, body, headers in world.webhook_sender.sent:
        proof = signature(SECRET, headers["webhook-id"], headers["webhook-timestamp"], body)
        assert (url, headers["webhook-signature"]) == (ENDPOINT.url, proof)
        message = json.loads(body)
        events[message["type"]] = message["data"]
    assert events["call.ended"]["disposition"] == "caller_hung_up"
    assert (events["call.analyzed"]["topic"], events["call.analyzed"]["call_id"]) == ("orders", call.id)


async def test_a_field_that_does_not_fit_the_playbook_is_left_out_and_told(world: CallWorld) -> None:
    world.reasoner.extracts = {"order_number": "none", "sms_ok": True, "email": "not an address"}
    call = await finished_call(world, orders_with())
    await call.after_call()
    state = await state_of(call)
    assert state.fields == {"sms_ok": True}
    assert state.faults == ("order_number (does not fit)", "email (does not fit)")
    assert step(state, "follow_up:tracking").detail == "the call did not tell 'order_number'"
    assert world.messenger.texts == []


@pytest.mark.parametrize("asked", [False, None])
async def test_nobody_is_written_to_without_consent(world: CallWorld, asked: bool | None) -> None:
    world.reasoner.extracts = {"order_number": "482", "sms_ok": asked, "email": "jo@example.com"}
    call = await finished_call(world, orders_with())
    await call.after_call()
    state = await state_of(call)
    assert [step(state, f"follow_up:{name}").detail for name in ("tracking", "receipt")] == ["no consent"] * 2
    assert (world.messenger.texts, world.messenger.mails) == ([], [])


async def test_crm_that_is_away_is_told_once_it_is_back_and_holds_nothing_else_up(world: CallWorld) -> None:
    await world.webhooks.add(ENDPOINT, SECRET)
    world.crm.note_faults.coming.extend([broken("unavailable")] * 4)
    call = await finished_call(world)
    await call.after_call()
    crm = step(await state_of(call), "crm")
    assert (crm.status, crm.attempts) == (StepStatus.DONE, 5)
    assert list(world.crm.notes) == [f"{call.id}:note"]


async def test_crm_hears_of_earlier_calls_first(world: CallWorld) -> None:
    world.after_calls.earlier = 2
    call = await finished_call(world)
    await call.after_call()
    assert world.after_calls.earlier == -1
    assert list(world.crm.notes) == [f"{call.id}:note"]


async def test_nobody_looks_again_whether_earlier_calls_wait_where_none_did(world: CallWorld) -> None:
    call = await finished_call(world)
    await call.after_call()
    assert world.after_calls.earlier == -1


async def test_what_operators_see_is_kept_once_the_database_is_back(world: CallWorld) -> None:
    world.after_calls.keep_faults.coming.extend([broken("unavailable")] * 2)
    call = await finished_call(world)
    await call.after_call()
    assert world.after_calls.states[call.id] == await state_of(call)


async def test_an_operator_need_not_wait_for_the_next_attempt(world: CallWorld) -> None:
    world.crm.note_faults.coming.append(broken("unavailable"))
    call = await finished_call(world, timers=NEVER_AGAIN)
    failed = await seen(call, lambda state: step(state, "crm").status is StepStatus.RETRYING)
    crm = step(failed, "crm")
    assert (crm.detail, crm.attempts) == ("vendor: is unavailable", 1)
    assert (crm.next_ms or 0) - crm.changed_ms == 3_600_000
    await after(call).execute_update(names.RETRY_STEP, RetryStep("crm"))
    await call.after_call()
    assert step(await state_of(call), "crm").status is StepStatus.DONE


async def test_a_step_that_does_not_wait_cannot_be_hurried(world: CallWorld) -> None:
    world.crm.note_faults.coming.append(broken("unavailable"))
    call = await finished_call(world, timers=NEVER_AGAIN)
    await seen(call, lambda state: step(state, "crm").status is StepStatus.RETRYING)
    with pytest.raises(WorkflowUpdateFailedError):
        await after(call).execute_update(names.RETRY_STEP, RetryStep("summary"))
    await after(call).execute_update(names.RETRY_STEP, RetryStep("crm"))
    await call.after_call()


async def test_what_failed_for_days_is_a_dead_letter_that_can_be_sent_again(world: CallWorld) -> None:
    world.crm.note_faults.always = broken("unavailable")
    call = await finished_call(world, timers=NO_PATIENCE)
    await call.after_call()
    assert step(await state_of(call), "crm").status is StepStatus.GAVE_UP
    assert (await resent(world, call, "crm")) == "dead"
    world.crm.note_faults.always = None
    assert (await resent(world, call, "crm")) == "sent"
    assert list(world.crm.notes) == [f"{call.id}:note"]


async def test_what_is_refused_for_good_is_not_tried_again(world: CallWorld) -> None:
    world.crm.note_faults.always = broken("refused", curable=False)
    call = await finished_call(world)
    await call.after_call()
    crm = step(await state_of(call), "crm")
    assert (crm.status, crm.attempts, crm.detail) == (StepStatus.GAVE_UP, 1, "vendor: is refused")
    assert world.after_calls.kept[f"{call.id}-crm"].letter.attempts == 1


async def test_an_endpoint_that_is_gone_for_good_is_given_up_at_once(world: CallWorld) -> None:
    await world.webhooks.add(replace(ENDPOINT, events=("call.ended",)), SECRET)
    world.webhook_sender.statuses = [410]
    call = await finished_call(world)
    await call.after_call()
    assert step(await state_of(call), "webhook:call.ended:we_1").status is StepStatus.GAVE_UP
    assert len(world.webhook_sender.sent) == 1


async def test_a_webhook_is_sent_until_it_is_taken_with_the_same_id_each_time(world: CallWorld) -> None:
    await world.webhooks.add(replace(ENDPOINT, events=("call.ended",)), SECRET)
    world.webhook_sender.statuses = [500, 404, 302]
    call = await finished_call(world)
    await call.after_call()
    sent = world.webhook_sender.sent
    assert len(sent) == 4
    assert {headers["webhook-id"] for _, _, headers in sent} == {f"msg_{call.id}_call_ended"}
    assert len({body for _, body, _ in sent}) == 1


async def test_nobody_is_written_to_at_night(world: CallWorld) -> None:
    hour = datetime.now(UTC).hour
    quiet = f'{{begin: "{hour:02}:00", end: "{(hour + 2) % 24:02}:00", timezone: UTC}}'
    world.reasoner.extracts = {"order_number": "482", "sms_ok": True}
    call = await finished_call(world, orders_with(AFTER.replace('{begin: "00:00", end: "00:00"}', quiet)))
    waits = await seen(call, lambda state: bool(step(state, "follow_up:tracking").detail))
    tracking = step(waits, "follow_up:tracking")
    assert tracking.status is StepStatus.WAITING
    assert tracking.detail.startswith("quiet hours until ")
    assert world.messenger.texts == []


async def test_nobody_is_written_to_from_a_machine_whose_clock_is_wrong(world: CallWorld) -> None:
    world.reasoner.extracts = {"order_number": "482", "sms_ok": True}
    world.clock_ahead_ms = 6 * 3_600_000.0
    call = await finished_call(world, orders_with())
    await seen(call, lambda state: "s ahead of the Temporal server's" in step(state, "follow_up:tracking").detail)
    assert world.messenger.texts == []
    world.clock_ahead_ms = 0.0
    await call.after_call()
    assert len(world.messenger.texts) == 1


async def finished_call(world: CallWorld, playbook: Playbook | None = None, timers: CallTimers = QUICK) -> ScriptedCall:
    """A call with one question, whose caller has hung up."""
    call = await world.answered_call(playbook, timers)
    await call.asks("Where is my order?")
    await call.hangs_up()
    await call.result()
    return call


def after(call: ScriptedCall) -> WorkflowHandle[object, object]:
    return call.world.client.get_workflow_handle(names.after_call_workflow_id(call.id))


async def state_of(call: ScriptedCall) -> AfterState:
    state: AfterState = await after(call).query(names.STATE, result_type=AfterState)
    return state


async def seen(call: ScriptedCall, wanted: Callable[[AfterState], bool]) -> AfterState:
    """The state once it is as wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while not wanted(state := await state_of(call)):
            pass
    return state


def step(state: AfterState, name: str) -> AfterStep:
    return next((step for step in state.steps if step.name == name), AfterStep(name, "not there yet"))


async def resent(world: CallWorld, call: ScriptedCall, name: str) -> str:
    """Send a dead letter again; how it stands then."""
    letter_id = f"{call.id}-{name}"
    async with asyncio.timeout(PATIENCE_S):
        await world.client.execute_workflow(
            names.RESEND_WORKFLOW,
            Resend(letter_id),
            id=names.resend_workflow_id(letter_id),
            task_queue=names.AFTER_CALLS_QUEUE,
        )
    return world.after_calls.kept[letter_id].status
