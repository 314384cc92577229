"""The command runs on uvloop, whose transports and processes differ from asyncio's in small ways; so do its tests."""

from collections.abc import Callable
from typing import Any

import uvloop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], Any]]:
    return {"uvloop": uvloop.new_event_loop}
