"""Callers are put through to representatives: real processes, real sockets, the sandbox's people and conferences."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cli.settings import Settings
from cli.stack import Stack
from evals.product import Product
from evals.sandbox_control import SandboxControl
from tests.world.playbook import ORDERS
from tests.world.stack import stack_options

pytestmark = pytest.mark.timeout(400)

OUR_NUMBER, CALLER = "+12025550142", "+12025550117"
MACHINE, COLLEAGUE, DECLINER = "+12025550171", "+12025550172", "+12025550173"
PLAYBOOK = f"""{ORDERS.replace("operation: find_order", "operation: get_order_status")}
numbers: ["{OUR_NUMBER}"]
queues:
  - {{name: billing, numbers: ["{MACHINE}", "{COLLEAGUE}"]}}
"""
ASKS: list[dict[str, Any]] = [{"wait": 1.0}, {"say": "Can I talk to a human?"}]
BRIEFED = "press 1"
TAKES_IT = [
    {"dtmf": "1", "wait_for": BRIEFED},
    {"say": "Good morning, this is billing.", "after": 1.5},
    {"hang_up": True, "wait_for": "here I am"},
]
DECLINES = [{"dtmf": "2", "wait_for": BRIEFED}]


async def a_call(product: Product, sandbox: SandboxControl, script: list[dict[str, Any]]) -> dict[str, Any]:
    """A whole call, as it is on record."""
    sid = await sandbox.place_call(CALLER, OUR_NUMBER, script)
    async with asyncio.timeout(120):
        async for line in product.feed():
            if line.call_id == sid and line.kind == "call_summarized":  # it is on record by then
                break
    return await product.call(sid)


def heard(told: dict[str, Any]) -> str:
    return " ".join(line["text"] for line in told["heard"])


async def test_caller_is_put_through_comes_back_and_is_called_back(tmp_path: Path, temporal_binary: Path) -> None:
    options = stack_options(tmp_path, temporal_binary, PLAYBOOK)
    async with Stack(options, Settings.read()) as stack:
        product, sandbox = Product(stack.url, stack.api_key), SandboxControl(stack.sandbox_url or "")
        try:
            await sandbox.put_person(MACHINE, {"answer": "machine"})
            await sandbox.put_person(COLLEAGUE, {"voice": "representative", "script": TAKES_IT})
            script = [*ASKS, {"say": "Hello billing, here I am.", "wait_for": "this is billing"}]
            taken = await a_call(product, sandbox, [*script, {"hang_up": True, "wait_for": "back with me"}])
            await sandbox.put_person(COLLEAGUE, {"voice": "representative", "script": DECLINES})
            missed = await a_call(product, sandbox, [*ASKS, {"hang_up": True, "wait_for": "call.* back"}])
            callers = [await sandbox.call(call["id"]) for call in (taken, missed)]
        finally:
            await product.close()
            await sandbox.close()
    (transfer,) = taken["transfers"]
    assert (transfer["outcome"], transfer["number"], transfer["tried"]) == (
        "representative_hung_up",
        COLLEAGUE,
        ["voicemail"],
    )
    assert "Good morning, this is billing." in heard(callers[0])
    assert "You are back with me." in heard(callers[0])
    (transfer,) = missed["transfers"]
    assert (transfer["outcome"], transfer["tried"], transfer["callback"]) == ("declined", ["voicemail"], True)
