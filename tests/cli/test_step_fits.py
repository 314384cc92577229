"""What was learnt from examples: in another process, kept, shared."""

from pathlib import Path

from cli.step_fits import KeptStepFits, key_of
from core.ngrams import NgramEmbedder
from tests.core.test_learnt_steps import EVERYWHERE, EXAMPLES


async def test_examples_are_learnt_elsewhere_and_kept(tmp_path: Path) -> None:
    fits = KeptStepFits(NgramEmbedder(), tmp_path / "steps")
    learnt = await fits.learnt(EXAMPLES)
    assert learnt is not None
    assert learnt.decide(["where is my parcel please"], EVERYWHERE)[0].step == "order_status"
    (file,) = (tmp_path / "steps").glob(f"{key_of(EXAMPLES, 'lexical')}.npz")
    written = file.stat().st_mtime_ns
    again = await KeptStepFits(NgramEmbedder(), tmp_path / "steps").learnt(list(reversed(EXAMPLES)))
    assert again is not None
    assert (again.learnt.threshold, file.stat().st_mtime_ns) == (learnt.learnt.threshold, written)


async def test_broken_file_is_learnt_again(tmp_path: Path) -> None:
    file = tmp_path / f"{key_of(EXAMPLES, 'lexical')}.npz"
    file.write_bytes(b"PK no archive")
    assert await KeptStepFits(NgramEmbedder(), tmp_path).learnt(EXAMPLES) is not None


async def test_folder_that_cannot_be_written_costs_no_call(tmp_path: Path) -> None:
    (tmp_path / "steps").write_text("a file")
    assert await KeptStepFits(NgramEmbedder(), tmp_path / "steps").learnt(EXAMPLES) is None
