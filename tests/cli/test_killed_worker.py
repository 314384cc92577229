"""A worker that is killed while it speaks, as a whole: real processes, real Temporal, real audio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from cli.settings import Settings
from cli.stack import Stack, StackOptions
from core.contracts.names import REPLY_LOST, RESPOND, call_workflow_id
from evals.product import FeedLine, Product
from evals.sandbox_control import SandboxControl

TOKEN_MS = 250.0  # of a model so slow that it is in the middle of its answer for seconds
OUR_NUMBER = "+12025550142"
SCRIPT = (
    {"say": "I have a problem with what you sent me."},
    {"say": "No, that is all. Thank you, goodbye.", "wait_for": "anything else"},
)
DEADLINE_S = 120.0
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
async def stack(tmp_path: Path, temporal_binary: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    monkeypatch.setenv("HOLDFAST_TEMPORAL_CLI", str(temporal_binary))
    monkeypatch.setenv("HOLDFAST_VERSIONED_WORKERS", "true")  # as in production; other tests' workers have no versions
    options = StackOptions(0, temporal_port=0, temporal_ui_port=0, workers=2, data=tmp_path / "data", sandbox_only=True)
    async with Stack(options, Settings()) as stack:
        yield stack


async def test_caller_hears_the_answer_to_its_end_and_once_when_its_worker_is_killed(stack: Stack) -> None:
    product, sandbox = Product(stack.url, stack.api_key), SandboxControl(stack.sandbox_url or "")
    await sandbox.set_latency(model_token_ms=TOKEN_MS)
    async with asyncio.timeout(DEADLINE_S), aclosing(product.feed()) as feed:
        call_id = await sandbox.place_call("+12025550117", OUR_NUMBER, SCRIPT)
        await told(feed, call_id, "tool_returned")
        await told(feed, call_id, "reply_started")
        client = await Client.connect(stack.temporal_address)
        victim = await speaking_worker(stack, client, call_id)
        stack.kill(victim)
        await told(feed, call_id, "call_ended")
    call = await product.call(call_id)
    answer = call["transcript"][1]
    line = await sandbox.call(call_id)
    heard = " ".join(each["text"] for each in line["heard"] if each["at_ms"] < line["said"][1]["at_ms"])
    assert call["disposition"] == "completed"
    assert answer["heard"] == answer["said"]
    sentences = answer["said"].replace("? ", "?. ").split(". ")
    assert len(sentences) >= 3
    assert [heard.count(sentence.rstrip(".")) for sentence in sentences] == [1] * len(sentences)
    assert len(await effects(stack)) == 1
    assert REPLY_LOST in [signal async for signal in signals(client, call_id)]  # it was in the middle of it
    await product.close()
    await sandbox.close()


async def told(feed: AsyncIterator[FeedLine], call_id: str, kind: str) -> None:
    """Wait for a line of the call."""
    async for line in feed:
        if (line.call_id, line.kind) == (call_id, kind):
            return


async def speaking_worker(stack: Stack, client: Client, call_id: str) -> str:
    """The child that runs the call's answer."""
    described = await client.get_workflow_handle(call_workflow_id(call_id)).describe()
    [pid] = [
        int(pending.last_worker_identity.partition("@")[0])
        for pending in described.raw_description.pending_activities
        if pending.activity_type.name == RESPOND
    ]
    [name] = [child.name for child in stack.children() if child.pid == pid]
    return name


async def effects(stack: Stack) -> list[dict[str, Any]]:
    """Cases that were opened at the CRM."""
    async with httpx.AsyncClient(trust_env=False) as http:
        found = (await http.get(f"{stack.sandbox_url}/crm/_effects")).json()["effects"]
    return [effect for effect in found if effect["operation"] == "create_case"]


async def signals(client: Client, call_id: str) -> AsyncIterator[str]:
    """The names of all signals in the call's history."""
    async for event in client.get_workflow_handle(call_workflow_id(call_id)).fetch_history_events():
        if event.HasField("workflow_execution_signaled_event_attributes"):
            yield event.workflow_execution_signaled_event_attributes.signal_name
