"""What Temporal keeps of a call nobody reads without the key."""

import base64

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from core.contracts.call import CallResult
from core.conversation import ToolCall
from core.outcome import Disposition
from core.playbook import parse_playbook
from core.ports.errors import VendorError
from tests.temporal_server import TemporalServer
from tests.world.playbook import ORDERS
from tests.world.world import CallWorld, ScriptedCall, call_world, workers_of
from workflows.codec import HistoryKey, SealingCodec, Unreadable, read_keys, sealed

OLD, NEW = HistoryKey("2026-05", b"o" * 32), HistoryKey("2026-11", b"n" * 32)
NUMBER = "+12025550123"
SECRETS = (NUMBER, "brown parcel", "Marigold", "It has shipped", "48213770")


def payload(text: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=text.encode())


async def test_what_one_process_seals_another_opens_and_nobody_else() -> None:
    (told,) = await SealingCodec([NEW]).encode([payload("My number is 482.")])
    assert b"482" not in told.SerializeToString()
    assert await SealingCodec([NEW]).decode([told]) == [payload("My number is 482.")]
    with pytest.raises(Unreadable, match="2026-11"):
        await SealingCodec([OLD]).decode([told])
    with pytest.raises(Unreadable, match="not what"):
        await SealingCodec([HistoryKey("2026-11", b"x" * 32)]).decode([told])


async def test_the_same_is_never_sealed_the_same_way_twice() -> None:
    codec = SealingCodec([NEW])
    one, two = await codec.encode([payload("yes"), payload("yes")])
    assert one.data != two.data


async def test_a_key_can_be_changed_while_calls_are_live() -> None:
    (before,) = await SealingCodec([OLD]).encode([payload("before")])
    ring = SealingCodec([NEW, OLD])
    (after,) = await ring.encode([payload("after")])
    assert after.metadata["encryption-key-id"] == b"2026-11"
    assert await ring.decode([before, after]) == [payload("before"), payload("after")]


async def test_what_was_written_before_there_were_keys_is_read_as_it_is() -> None:
    assert await SealingCodec([NEW]).decode([payload("plain")]) == [payload("plain")]


def test_keys_are_read_in_their_order() -> None:
    text = f"2026-11:{base64.b64encode(NEW.secret).decode()}, 2026-05:{base64.b64encode(OLD.secret).decode()}"
    assert read_keys(text) == (NEW, OLD)
    assert "nnn" not in repr(read_keys(text)), "a key is never shown"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no key"),
        ("abc", "must be ID:KEY"),
        ("a b:AAAA", "must be ID:KEY"),
        ("k:???", "no base64"),
        ("k:AAAA", "has 3 bytes and needs 32"),
        (f"k:{'A' * 43}=,k:{'B' * 42}A=", "several keys of the id k"),
    ],
)
def test_a_bad_ring_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_keys(text)


async def test_no_word_of_a_call_stands_in_its_history(temporal_server: TemporalServer) -> None:
    async with call_world(await temporal_server.connect([NEW])) as world:
        call = await told_call(world)
        assert await call.disposition() is Disposition.CALLER_HUNG_UP
        await call.after_call()
        state = await call.state()
        assert state.last_caller.startswith("Where is the brown parcel")
        plain = await temporal_server.connect()
        for workflow_id in (call.handle.id, f"after-{call.handle.id}"):
            kept = await raw_history(plain, workflow_id)
            assert kept.count(b"binary/encrypted") > 5
            for secret in SECRETS:
                assert secret.encode() not in kept, f"{secret} stands in {workflow_id}"


async def test_a_failure_tells_its_words_to_those_with_the_key_only(temporal_server: TemporalServer) -> None:
    async with call_world(await temporal_server.connect([NEW])) as world:
        call = await world.answered_call(caller_number=NUMBER)
        world.reasoner.faults.coming.append(VendorError("model", "overloaded", "Marigold has to wait", curable=True))
        await call.asks("Where is the brown parcel?")
        kept = await raw_history(await temporal_server.connect(), call.handle.id)
        assert b"Encoded failure" in kept
        assert b"Marigold" not in kept


async def test_another_worker_goes_on_with_a_newer_key(temporal_server: TemporalServer) -> None:
    world = CallWorld(await temporal_server.connect([OLD]))
    async with workers_of(world):
        call = await world.answered_call()
        await call.asks("Where is my order?")
    world.client = await temporal_server.connect([NEW, OLD])
    call.handle = world.client.get_workflow_handle(call.handle.id, result_type=CallResult)
    async with workers_of(world):
        assert await call.asks("When does my parcel arrive?") == "You said: When does my parcel arrive?"
        await world.close()


async def test_where_history_is_not_sealed_the_temporal_ui_shows_nothing_personal(world: CallWorld) -> None:
    world.discreet = True
    call = await told_call(world, hang_up=False)
    metadata: WorkflowMetadata = await call.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert "step `order_status`" in metadata.current_details
    assert "find_order: done" in metadata.current_details
    summaries = [
        await pydantic_data_converter.decode([event.user_metadata.summary], [str])
        async for event in call.handle.fetch_history_events()
        if event.user_metadata.HasField("summary")
    ]
    shown = f"{metadata.current_details} {summaries}"
    for secret in SECRETS:
        assert secret not in shown


def test_a_converter_without_keys_stays_as_it_is() -> None:
    assert sealed(pydantic_data_converter, ()) is pydantic_data_converter


async def told_call(world: CallWorld, *, hang_up: bool = True) -> ScriptedCall:
    """A call in which something personal is said, done and found."""
    call = await world.call(playbook=parse_playbook(ORDERS), caller_number=NUMBER, variables={"name": "Marigold"})
    await call.attach()
    await call.hears()
    world.reasoner.will_say([ToolCall("t1", "find_order", {"order_number": "48213770"})], "It has shipped.")
    await call.asks("Where is the brown parcel of order 48213770?")
    assert await call.hears() == "It has shipped."
    if hang_up:
        await call.hangs_up()
        await call.result()
    return call


async def raw_history(plain: Client, workflow_id: str) -> bytes:
    """All that the server has on record, as it has it."""
    handle = plain.get_workflow_handle(workflow_id)
    events = [event.SerializeToString() async for event in handle.fetch_history_events()]
    description = await handle.describe()
    return b"".join([*events, description.raw_description.SerializeToString()])
