"""An edit that may break the replay of live calls is noticed, also where no recorded call comes by."""

import difflib
import shutil
from pathlib import Path

import pytest

from tests.histories.commands import commands_of
from workflows.fingerprint import KEPT, build_id, version_of

WORKFLOWS = KEPT.parent
WHAT_TO_DO = """
The commands that workflows give to Temporal have changed, or what they depend on:

{changes}
A call that is live when this is deployed replays what it did before, and fails if the new code would have done it
differently. So either
- put what is new behind `if workflow.patched("..."):`, or have it depend on a message or field that older calls do
  not have, so that they go on as before; or
- see that older calls do the same: same commands, same order (a renamed helper, a condition said in other words).
Then keep the new commands, to be looked at in review: pytest tests/histories --keep-commands
Workers with other commands are another version. Where neither is possible for a call, the new version's workers can run
beside the old ones until their calls have ended (docs/deploys.md); campaigns and what follows a call go over to the new
version in their midst, so there it must be possible.
"""


def test_workflows_give_the_commands_that_are_kept(request: pytest.FixtureRequest) -> None:
    found = commands_of(WORKFLOWS)
    if request.config.getoption("--keep-commands", default=False):
        KEPT.write_text(found)
    changes = difflib.unified_diff(KEPT.read_text().splitlines(True), found.splitlines(True), "kept", "now", n=2)
    told = "".join(changes)
    assert not told, WHAT_TO_DO.format(changes=told)


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("worker.py", "STICKY = timedelta(milliseconds=300)", "STICKY = timedelta(seconds=1)"),
        ("after_call.py", "record: CallRecord) -> None:", "record: CallRecord) -> None:  # all we know"),
    ],
)
def test_an_edit_that_changes_no_command_keeps_the_build_id(tmp_path: Path, file: str, before: str, after: str) -> None:
    assert _build_id_with(tmp_path, file, before, after) == build_id()


@pytest.mark.parametrize(
    ("before", "after"), [("AfterStepActivities.await_crm_turn", "AfterStepActivities.take_crm_turn")]
)
def test_an_edit_that_changes_a_command_changes_the_build_id(tmp_path: Path, before: str, after: str) -> None:
    assert _build_id_with(tmp_path, "after_call.py", before, after) != build_id()


def _build_id_with(folder: Path, file: str, before: str, after: str) -> str:
    """Of these workflows with one edit, once their commands are kept."""
    shutil.copytree(WORKFLOWS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    source = (folder / file).read_text()
    assert before in source
    (folder / file).write_text(source.replace(before, after))
    return version_of(commands_of(folder))


STORY = """
from temporalio import workflow

class Calls:
    async def run(self):
        await self._greet()
        if self.loud:
            await shout(self)

    async def _greet(self):
        "Says hello."
        self.greeted = True
        await workflow.execute_activity_method(Voice.say, "hello", summary="hello")

async def shout(call):
    await workflow.wait_condition(lambda: call.over, timeout=9)

def looks(call):
    return call.over
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Voice.say", "Voice.shout"),  # another activity
        ("if self.loud", "if self.quiet"),  # another condition
        ("            await shout(self)", "            return\n        await shout(self)"),
        ("lambda: call.over, timeout=9", "lambda: call.over"),  # no timer any more
        ("        await self._greet()\n", ""),
    ],
)
def test_edits_that_change_what_is_told_to_temporal_are_seen(tmp_path: Path, before: str, after: str) -> None:
    assert before in STORY
    assert _told(tmp_path, STORY.replace(before, after)) != _told(tmp_path, STORY)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return call.over", "return not call.over"),  # nothing depends on it
        ("self.greeted = True", "self.greeted = self.glad = True"),
        ('"Says hello."', '"Says hello to the caller."'),
        ('summary="hello"', 'summary="greet"'),
    ],
)
def test_edits_that_change_nothing_of_it_are_let_pass(tmp_path: Path, before: str, after: str) -> None:
    assert before in STORY
    assert _told(tmp_path, STORY.replace(before, after)) == _told(tmp_path, STORY)


def _told(folder: Path, source: str) -> str:
    (folder / "story.py").write_text(source)
    return commands_of(folder)
