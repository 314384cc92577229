"""Recording: ``pytest tests/histories --record-histories``."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Histories are recorded only when asked for: a replay against fresh ones proves nothing."""
    parser.addoption("--record-histories", action="store_true", help="record a call for each ending anew")
