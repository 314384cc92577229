"""What the carrier tells reaches the call, also when Temporal was away."""

from datetime import timedelta

import pytest
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api.observe import Figures
from api.temporal import Temporal, TemporalUnavailable
from api.undelivered import CarrierMessages
from core.contracts import names
from core.contracts.call import CarrierStatus, StreamStatus
from core.outcome import CarrierState
from storage.database import Database
from tests.api.recording_call import TOLD_SO_MUCH, RecordingCall
from tests.api.world import CALLER, ApiWorld, api_world
from tests.temporal_server import TemporalServer, free_port


def status(sid: str, state: str, sequence: int, **more: str) -> dict[str, str]:
    return {"CallSid": sid, "CallStatus": state, "SequenceNumber": str(sequence), **more}


async def test_status_callbacks_reach_the_call_as_they_come(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    for form in (status(sid, "in-progress", 2), status(sid, "ringing", 1), status(sid, "ringing", 1)):
        assert (await world.twilio("status", form)).status_code == 204
    failed = status(sid, "failed", 3, ErrorCode="13224")
    assert (await world.twilio("status", failed)).status_code == 204
    assert await world.told(sid) == [
        repr(CarrierStatus(sid, CarrierState.IN_PROGRESS, 2)),
        repr(CarrierStatus(sid, CarrierState.RINGING, 1)),
        repr(CarrierStatus(sid, CarrierState.RINGING, 1)),
        repr(CarrierStatus(sid, CarrierState.FAILED, 3, error="13224")),
    ]


async def test_a_status_of_a_call_of_ours_goes_to_the_call_its_url_names(world: ApiWorld) -> None:
    placed = await world.v1("POST", "/v1/calls", json={"to": CALLER, "playbook": "renewal"})
    call_id = placed.json()["id"]
    world.started.append(call_id)
    await world.twilio("status", status("CA-leg", "ringing", 1), {"call_id": call_id})
    assert await world.told(call_id) == [repr(CarrierStatus("CA-leg", CarrierState.RINGING, 1))]


async def test_an_answering_machine_is_told_to_the_call(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    form = {"CallSid": sid, "AnsweredBy": "machine_start", "MachineDetectionDuration": "3100"}
    assert (await world.twilio("amd", form)).status_code == 204
    told = CarrierStatus(sid, CarrierState.IN_PROGRESS, 0, answered_by="machine_start")
    assert await world.told(sid) == [repr(told)]


async def test_a_lost_stream_is_told_to_the_call(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    form = {"CallSid": sid, "StreamSid": "MZ1", "StreamEvent": "stream-error", "StreamError": "31903"}
    assert (await world.twilio("stream", form, {"call_id": sid})).status_code == 204
    assert await world.told(sid) == [repr(StreamStatus("MZ1", "stream-error", "31903"))]


async def test_a_stream_that_has_begun_wakes_no_call(world: ApiWorld) -> None:
    sid, _ = await world.incoming()
    for event in ("stream-started", "stream-stopped"):
        form = {"CallSid": sid, "StreamSid": "MZ1", "StreamEvent": event}
        assert (await world.twilio("stream", form, {"call_id": sid})).status_code == 204
    assert await world.told(sid) == [repr(StreamStatus("MZ1", "stream-stopped"))]


async def test_messages_for_no_call_and_of_no_known_kind_do_no_harm(world: ApiWorld) -> None:
    assert (await world.twilio("status", status("CA-nobody", "ringing", 1))).status_code == 204
    sid, _ = await world.incoming()
    assert (await world.twilio("status", status(sid, "levitating", 1))).status_code == 204
    assert (await world.twilio("amd", {"CallSid": sid})).status_code == 204
    assert await world.told(sid) == []


async def test_what_came_while_temporal_was_away_is_delivered_in_order(
    own_temporal_server: TemporalServer, database: Database
) -> None:
    client = await own_temporal_server.connect()
    reach = Temporal.at(own_temporal_server.address)
    async with api_world(reach, client, database) as world:
        async with Worker(
            client, task_queue=names.CALLS_QUEUE, workflows=[RecordingCall], workflow_runner=UnsandboxedWorkflowRunner()
        ):
            sid, _ = await world.incoming()
        own_temporal_server.stop()
        for sequence, state in enumerate(("ringing", "in-progress", "completed")):
            assert (await world.twilio("status", status(sid, state, sequence))).status_code == 204
        assert "holdfast_api_undelivered_messages 3.0" in (await world.client.get("/metrics")).text
        own_temporal_server.start()
        client = await own_temporal_server.connect()
        async with Worker(
            client, task_queue=names.CALLS_QUEUE, workflows=[RecordingCall], workflow_runner=UnsandboxedWorkflowRunner()
        ):
            handle = client.get_workflow_handle(names.call_workflow_id(sid))
            told = await handle.execute_update(TOLD_SO_MUCH, 3, rpc_timeout=timedelta(seconds=30))
        assert list(dict.fromkeys(told)) == [  # a delivery whose answer was lost is repeated
            repr(CarrierStatus(sid, CarrierState.RINGING, 0)),
            repr(CarrierStatus(sid, CarrierState.IN_PROGRESS, 1)),
            repr(CarrierStatus(sid, CarrierState.COMPLETED, 2)),
        ]


async def test_when_too_many_wait_the_carrier_is_told_so() -> None:
    messages = CarrierMessages(Temporal.at(f"127.0.0.1:{free_port()}"), Figures(), most=2)
    body = StreamStatus("MZ1", "stream-stopped")
    await messages.deliver("CA1", names.STREAM_STATUS, body)
    await messages.deliver("CA2", names.STREAM_STATUS, body)
    with pytest.raises(TemporalUnavailable):
        await messages.deliver("CA3", names.STREAM_STATUS, body)
    await messages.close()


async def test_what_nobody_wants_any_more_is_given_up() -> None:
    figures = Figures()
    messages = CarrierMessages(Temporal.at(f"127.0.0.1:{free_port()}"), figures, patience=0.0, pause=0.0)
    await messages.deliver("CA1", names.STREAM_STATUS, StreamStatus("MZ1", "stream-stopped"))
    await messages.flush()
    assert figures.registry.get_sample_value("holdfast_api_undelivered_messages") == 0
