"""What is on record of a call, held against what its caller heard: real processes, the sandbox's own stamps."""

import statistics
from pathlib import Path
from typing import Any

import pytest

from cli.settings import Settings
from cli.stack import Stack
from evals.product import Product
from evals.rehearsal import Stage, load_rehearsals
from evals.sandbox_control import SandboxControl
from tests.world.stack import stack_options

REHEARSALS = Path(__file__).parents[2] / "evals" / "rehearsals" / "heard_calls.yaml"
pytestmark = pytest.mark.timeout(400)


async def test_the_record_says_what_was_heard(tmp_path: Path, temporal_binary: Path) -> None:
    options = stack_options(tmp_path, temporal_binary)
    async with Stack(options, Settings.read()) as stack:
        product, sandbox = Product(stack.url, stack.api_key), SandboxControl(stack.sandbox_url or "")
        stage = Stage(product, sandbox, lambda line: None)
        async with stage.listening():
            outcomes = [await stage.play(rehearsal) for rehearsal in load_rehearsals(REHEARSALS)]
        assert [outcome.problems for outcome in outcomes] == [(), ()]
        asking, hello = [await product.call(outcome.call_id) for outcome in outcomes]
        heard = await sandbox.call(asking["id"])
        await product.close()
        await sandbox.close()
    layers_add_up_to_what_was_heard(asking["transcript"][1:], heard["said"], heard["late_frames"])
    disclosure_was_heard_by_who_said_hello_at_once(hello)


def layers_add_up_to_what_was_heard(turns: list[dict[str, Any]], said: list[dict[str, Any]], late_frames: int) -> None:
    assert [turn["caller"] for turn in turns] == [line["text"] for line in said]
    assert any(turn["layers_ms"]["tools"] for turn in turns)
    assert any(turn["answer_method"] == "canned" for turn in turns)
    unexplained = []
    for turn, line in zip(turns, said, strict=True):
        waited_ms = line["reply_played_ms"] - line["speech_end_ms"]
        unexplained.append(abs(sum(turn["layers_ms"].values()) / waited_ms - 1))
        assert min(turn["layers_ms"].values()) >= -1, turn  # of clocks that round
    # A carrier that is late itself, by its own count, reads frames long after they were sent: that is nobody's layer.
    worst = statistics.median(unexplained) if late_frames else max(unexplained)
    assert worst <= 0.05, list(zip(turns, unexplained, strict=True))


def disclosure_was_heard_by_who_said_hello_at_once(call: dict[str, Any]) -> None:
    greeting, first = call["transcript"][0], call["transcript"][-3]
    assert (greeting["heard"], greeting["interrupted"]) == (greeting["said"], False)
    assert "this call may be recorded" in greeting["heard"]
    assert first["caller"] == "Yes, now is a good moment."
    assert [turn["heard"] for turn in call["transcript"] if turn["caller"] == "Hello?"] in ([], [""])
    assert call["talk_over_rate"] > 0 or len(call["transcript"]) == 5  # said over the greeting, or before it
