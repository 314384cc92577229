"""How soon an activity whose worker has died is missed, and how often it is tried.

Activities that have a heartbeat timeout are kept alive by their worker (``activities.heartbeats``).
"""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.retries import OWN_WORDS

ONCE: Final = RetryPolicy(maximum_attempts=1)
ELSEWHERE: Final = RetryPolicy(  # again only where its worker has died: what failed by itself is told at once
    initial_interval=timedelta(milliseconds=50), maximum_attempts=2, non_retryable_error_types=sorted(OWN_WORDS)
)
ALIVE: Final = timedelta(seconds=2)  # between heartbeats, where somebody waits: a worker that stalls is not dead yet
TASK_LATER: Final = timedelta(seconds=3)  # for a workflow task where nobody waits; its worker may have died in it
ALIVE_LATER: Final = timedelta(seconds=5)  # ... where nobody does
