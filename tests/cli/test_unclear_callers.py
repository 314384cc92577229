"""A caller who asks for two things in one breath: real processes, the sandbox's model."""

from pathlib import Path

import pytest

from cli.settings import Settings
from cli.stack import Stack
from evals.product import Product
from evals.rehearsal import Stage, load_rehearsals
from evals.sandbox_control import SandboxControl
from tests.world.stack import stack_options

REHEARSALS = Path(__file__).parents[2] / "evals" / "rehearsals" / "unclear_callers.yaml"
pytestmark = pytest.mark.timeout(300)


async def test_both_things_are_told_one_after_the_other(tmp_path: Path, temporal_binary: Path) -> None:
    options = stack_options(tmp_path, temporal_binary)
    (rehearsal,) = [one for one in load_rehearsals(REHEARSALS) if one.name == "two-things-at-once"]
    async with Stack(options, Settings.read()) as stack:
        product, sandbox = Product(stack.url, stack.api_key), SandboxControl(stack.sandbox_url or "")
        stage = Stage(product, sandbox, lambda line: None)
        async with stage.listening():
            outcome = await stage.play(rehearsal)
        call = await product.call(outcome.call_id)
        await product.close()
        await sandbox.close()
    assert outcome.problems == ()
    both = call["transcript"][1]
    assert both["step"] == "returns"
    told, asked = both["heard"].index("return label"), both["heard"].index("your order number")
    assert told < asked
