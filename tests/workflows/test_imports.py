"""What a workflow module brings with it."""

import subprocess
import sys

IO_LIBRARIES = {
    "anthropic",
    "asyncpg",
    "deepgram",
    "elevenlabs",
    "fastapi",
    "httpx",
    "httpx2",
    "sqlalchemy",
    "twilio",
    "websockets",
}


def test_importing_workflows_loads_no_io_library() -> None:
    code = "import sys, workflows.call, workflows.after_call, workflows.worker; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert loaded.isdisjoint(IO_LIBRARIES)
