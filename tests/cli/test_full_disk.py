"""A disk that takes nothing any more: calls go on, it is told, and no half of a file is left."""

import asyncio
import json
import os
import resource
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from cli.background_work import UNFINISHED_S, write_whole
from cli.settings import Settings
from cli.stack import Stack
from evals.product import Product
from evals.sandbox_control import SandboxControl
from tests.cli.test_killed_worker import told
from tests.world.playbook import ORDERS
from tests.world.stack import stack_options

OUR_NUMBER = "+12025550142"
PLAYBOOK = f"""{ORDERS.replace("operation: find_order", "operation: get_order_status")}
numbers: ["{OUR_NUMBER}"]
"""
SCRIPT = (
    {"say": "Where is my parcel?", "after": "reply"},
    {"say": "Thank you, goodbye.", "wait_for": "your order number"},  # a holding line is no answer
)
FULL = """
import asyncio, json, os, resource, sys
from pathlib import Path

from cli.logging import set_up_logging
from cli.settings import Settings

_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
folder = Path(sys.argv[1])
set_up_logging(Settings.read(), "worker")

def disk(takes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (takes, most))
"""
KEEPING = """
from activities.knowledge_shelf import KnowledgeShelf
from cli.knowledge_vectors import KeptPassageVectors
from cli.step_fits import KeptStepFits
from core.ngrams import NgramEmbedder
from storage.speech_cache import KeptSpeech
from storage.speech_files import SpeechFiles
from tests.core.test_learnt_steps import EXAMPLES
from tests.storage.test_speech_cache import VOICE, recording

async def main() -> dict[str, object]:
    speech = KeptSpeech("vendor", 10_000, SpeechFiles(folder / "speech", 100_000))
    disk(takes=100)
    await speech.keep(VOICE, "Hello.", recording())
    learnt = await KeptStepFits(NgramEmbedder(), folder / "steps").learnt(EXAMPLES)
    vectors = await KeptPassageVectors("lexical", folder / "knowledge").vectors(["Returns."])
    return {"at_hand": speech.at_hand(VOICE, "Hello.") is not None, "learnt": learnt, "vectors": vectors}

print(json.dumps(asyncio.run(main())))
"""
LOGGING = """
import structlog

disk(takes=200)
for number in range(500):
    structlog.get_logger().warning("told", number=number)
print("went on")
"""
LOOKING = """
from cli.doctor import examine

disk(takes=100)
settings = Settings(data=folder)
[found] = [finding for finding in asyncio.run(examine(settings)) if finding.what == "disk"]
print(found.state, found.words)
"""
STORING = """
from core.may_call import DncScope
from core.ports.campaign import DncEntry
from core.ports.errors import StorageUnavailable
from storage.campaigns import SqlDialGate
from storage.database import Database
from storage.migrate import migrate

async def main() -> None:
    url = f"sqlite+aiosqlite:///{folder / 'holdfast.db'}"
    await migrate(url)
    database = Database(url)
    gate = SqlDialGate(database)
    await gate.hindrances("c1", "+12025550101", "", None, 0.0)
    disk(takes=1)
    try:
        await gate.forbid(DncEntry("+12025550101", DncScope.GLOBAL))
    except StorageUnavailable as error:
        print(error)
    print(len(await gate.hindrances("c1", "+12025550101", "", None, 0.0)))  # it can be read all the same
    disk(takes=most)
    await gate.forbid(DncEntry("+12025550101", DncScope.GLOBAL))
    print(len(await gate.hindrances("c1", "+12025550101", "", None, 0.0)))
    await database.close()

asyncio.run(main())
"""


def run(program: str, folder: Path, stderr: Any = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which alone has a full disk."""
    command = [sys.executable, "-c", FULL + program, str(folder)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, check=False, timeout=100)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_workers_keep_is_done_without_and_no_half_of_it_is_left(tmp_path: Path) -> None:
    ran = run(KEEPING, tmp_path)
    assert json.loads(ran.stdout) == {"at_hand": True, "learnt": None, "vectors": None}
    assert files_in(tmp_path) == []
    for event in ("speech_not_kept", "steps_not_learnt", "documents_not_indexed"):
        [line] = [line for line in ran.stderr.splitlines() if event in line]
        assert "File too large" in line


def test_lines_that_cannot_be_logged_stop_nothing(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        ran = run(LOGGING, tmp_path, log)
    assert ran.stdout == "went on\n"
    assert (tmp_path / "log").stat().st_size == 200


def test_a_database_that_cannot_grow_is_one_that_is_away(tmp_path: Path) -> None:
    ran = run(STORING, tmp_path)
    assert (ran.returncode, ran.stdout.splitlines()) == (0, ["database: OperationalError", "0", "1"]), ran.stderr


def test_doctor_finds_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    ran = run(LOOKING, tmp_path)
    assert ran.stdout == f"warning HOLDFAST_DATA: {tmp_path} takes nothing: File too large\n", ran.stderr
    assert not list(tmp_path.glob("doctor*"))


def test_what_cannot_be_written_whole_leaves_what_was_there(tmp_path: Path) -> None:
    def breaks(stream: Any) -> None:
        stream.write(b"half")
        raise OSError("no space")

    write_whole(tmp_path / "kept.npz", lambda stream: stream.write(b"whole"))
    with pytest.raises(OSError, match="no space"):
        write_whole(tmp_path / "kept.npz", breaks)
    assert files_in(tmp_path) == ["kept.npz"]
    assert (tmp_path / "kept.npz").read_bytes() == b"whole"


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    left, under_way = tmp_path / "a.17.part", tmp_path / "b.18.part"
    for part in (left, under_way):
        part.write_bytes(b"half")
    long_ago = left.stat().st_mtime - UNFINISHED_S - 60
    os.utime(left, (long_ago, long_ago))
    write_whole(tmp_path / "kept.npz", lambda stream: stream.write(b"whole"))
    assert files_in(tmp_path) == [under_way.name, "kept.npz"]


@pytest.mark.timeout(400)
async def test_a_call_goes_on_while_the_disk_is_full_and_is_on_record_once_there_is_room(
    tmp_path: Path, temporal_binary: Path
) -> None:
    async with Stack(stack_options(tmp_path, temporal_binary, PLAYBOOK), Settings()) as stack:
        product, sandbox = Product(stack.url, stack.api_key), SandboxControl(stack.sandbox_url or "")
        async with asyncio.timeout(120), aclosing(product.feed()) as feed:
            sid = await sandbox.place_call("+12025550117", OUR_NUMBER, SCRIPT)
            await told(feed, sid, "reply_started")
            _disk_of(stack, takes=1)
            line = await sandbox.ended_call(sid)
            assert [said["text"] for said in line["said"]] == [step["say"] for step in SCRIPT]
            _disk_of(stack, takes=resource.RLIM_INFINITY)
            await told(feed, sid, "call_summarized")  # its record is kept before
        call = await product.call(sid)
        assert call["disposition"] == "completed"
        assert [turn["caller"] for turn in call["transcript"]] == ["", *(step["say"] for step in SCRIPT)]
        assert [turn["heard"] == turn["said"] != "" for turn in call["transcript"]] == [True] * 3
        await product.close()
        await sandbox.close()


def _disk_of(stack: Stack, takes: int) -> None:
    """How long files may get that the product writes; Temporal has a disk of its own."""
    for child in stack.children():
        if child.role in ("api", "gateway", "worker") and child.pid is not None:
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (takes, resource.RLIM_INFINITY))
