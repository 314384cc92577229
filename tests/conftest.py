"""Fixtures that several folders of tests share, and how long `make simulate` simulates."""

import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("simulate", max_examples=34_000, deadline=None, suppress_health_check=list(HealthCheck))

pytest_plugins = ["tests.browser", "tests.postgres", "tests.temporal_server"]


@pytest.fixture(scope="session")
def real_time_permitted() -> bool:
    """Whether this user may give a process real-time priority, by another program's experience."""
    chrt = shutil.which("chrt")
    return (
        chrt is not None
        and subprocess.run([chrt, "-r", "10", "true"], capture_output=True, check=False).returncode == 0
    )
