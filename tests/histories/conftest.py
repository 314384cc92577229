"""Recording: ``pytest tests/histories --record-histories``; commands: ``--keep-commands``."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Histories are recorded only when asked for: a replay against fresh ones proves nothing."""
    parser.addoption("--record-histories", action="store_true", help="record a call for each ending anew")
    parser.addoption("--keep-commands", action="store_true", help="keep what workflows tell Temporal to do now")
