"""Log lines as a process writes them."""

import json
import os
import subprocess
import sys
from typing import Any

PROGRAM = """
import logging, structlog
from cli.logging import set_up_logging
from cli.settings import Settings

set_up_logging(Settings.read(), "worker")
log = structlog.get_logger("holdfast.test")
with structlog.contextvars.bound_contextvars(call_id="CA1"):
    log.info("step_found", step="greet", pii_caller_text="my number is 42")
log.debug("not_shown")
logging.getLogger("httpx").info("GET https://vendor.example/secret")
logging.getLogger("picows.server.12").info("New connection accepted from 192.0.2.7")
logging.getLogger("temporalio.workflow").warning("from the standard library", extra={"attempt": 2})
secret_speech = "my number is 42"
try:
    raise ValueError("broken")
except ValueError:
    log.exception("failed")
"""


def lines(**environment: str) -> list[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=inherited | environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout == ""
    return ran.stderr.splitlines()


def as_json(**environment: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(HOLDFAST_LOG_FORMAT="json", **environment)]


def test_a_line_is_an_event_with_its_context_and_without_personal_data() -> None:
    first, *_ = as_json()
    assert {name: first[name] for name in ("event", "step", "call_id", "role", "level", "logger")} == {
        "event": "step_found",
        "step": "greet",
        "call_id": "CA1",
        "role": "worker",
        "level": "info",
        "logger": "holdfast.test",
    }
    assert "pii_caller_text" not in first


def test_personal_data_is_written_only_where_it_is_allowed() -> None:
    assert as_json(HOLDFAST_LOG_PERSONAL_DATA="true")[0]["pii_caller_text"] == "my number is 42"


def test_the_standard_librarys_loggers_write_the_same_lines_and_clients_keep_quiet() -> None:
    told = as_json()
    assert [line["event"] for line in told] == ["step_found", "from the standard library", "failed"]
    assert told[1]["attempt"] == 2
    assert "call_id" not in told[1]


def test_a_traceback_shows_no_local_variables() -> None:
    failed = as_json()[-1]
    assert "ValueError: broken" in failed["exception"]
    assert "my number is 42" not in failed["exception"]
    console = "\n".join(lines(HOLDFAST_LOG_FORMAT="console"))
    assert "ValueError: broken" in console
    assert "my number is 42" not in console


def test_the_level_is_a_setting() -> None:
    assert [line["event"] for line in as_json(HOLDFAST_LOG_LEVEL="error")] == ["failed"]
