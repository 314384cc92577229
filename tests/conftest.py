"""Fixtures that several folders of tests share, and how long `make simulate` simulates."""

from hypothesis import HealthCheck, settings

settings.register_profile("simulate", max_examples=34_000, deadline=None, suppress_health_check=list(HealthCheck))

pytest_plugins = ["tests.browser", "tests.postgres", "tests.temporal_server"]
