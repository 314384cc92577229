"""What a bench runs on, and what is left of one that asks too much of its machine."""

from pathlib import Path

import pytest

from cli.bench_calls import at_each
from cli.bench_stack import PLAYBOOK, copy_playbook, options_of
from cli.knowledge_files import documents_of, published_documents
from cli.settings import PACKAGED_PLAYBOOKS, Settings
from cli.stack import Stack, free_port
from core.playbook import Playbook, parse_playbook
from evals.figures import LoadFailed, Row
from evals.sandbox_control import SandboxControl

SOURCE = PACKAGED_PLAYBOOKS / f"{PLAYBOOK}.yaml"


def copied(source: Path, folder: Path, *, speculation: bool) -> Playbook:
    copy_playbook(source, folder, speculation=speculation)
    return parse_playbook((folder / source.name).read_text(), PLAYBOOK)


@pytest.mark.parametrize("speculation", [True, False])
def test_only_whether_answers_are_made_ahead_differs_from_the_playbook_itself(
    tmp_path: Path, speculation: bool
) -> None:
    original = parse_playbook(SOURCE.read_text(), PLAYBOOK)
    copy = copied(SOURCE, tmp_path, speculation=speculation)
    assert (copy.turn_taking.eager_end_of_turn_threshold is not None) is speculation
    same = {"turn_taking": original.turn_taking, "digest": original.digest}
    assert copy.model_copy(update=same) == original


def test_speculation_is_switched_on_in_a_playbook_that_has_it_off(tmp_path: Path) -> None:
    (tmp_path / "off").mkdir()
    (tmp_path / "on").mkdir()
    copy_playbook(SOURCE, tmp_path / "off", speculation=False)
    copy = copied(tmp_path / "off" / SOURCE.name, tmp_path / "on", speculation=True)
    assert copy.turn_taking.eager_end_of_turn_threshold is not None


def test_the_copy_can_be_published_with_the_documents_of_the_original(tmp_path: Path) -> None:
    copy = copied(SOURCE, tmp_path, speculation=False)
    original = documents_of(parse_playbook(SOURCE.read_text(), PLAYBOOK), SOURCE)
    assert original.read
    assert published_documents(copy, tmp_path / SOURCE.name) == original.read


async def test_figures_stay_when_the_sandbox_stops_answering_at_more_calls() -> None:
    gone = SandboxControl(f"http://127.0.0.1:{free_port()}")

    async def measure(_: Stack, __: SandboxControl, calls: int) -> Row:
        if calls > 20:
            await gone.timeline()
        return {"calls": calls}

    rows = at_each([20, 60, 140], measure)(Stack(options_of(workers=1), Settings.read()))
    assert await anext(rows) == {"calls": 20}
    with pytest.raises(LoadFailed, match=r"Holding 60 calls: the sandbox does not answer .* ask for fewer"):
        await anext(rows)
    await gone.close()
