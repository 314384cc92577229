"""Processes that carry audio run before other work on the machine: a frame has 20 ms, nothing else is so urgent.

Asterisk and FreeSWITCH can do the same.
"""

import contextlib
import os
import sys

PRIORITY = 10  # of 1 to 99: before all work without real-time priority, after the kernel's own


def run_in_real_time() -> bool:
    """Have all threads of this process, and those they start, run before ordinary ones; False where that cannot be.

    All threads: they take Python's lock in turns, and one that waits for a CPU would not give it back. To be called
    once everything is loaded: others would miss the CPU that loading takes.

    Linux wants CAP_SYS_NICE for it, or RLIMIT_RTPRIO of PRIORITY. Source: sched(7), SCHED_RR.
    """
    if sys.platform != "linux":
        return False
    try:
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.sched_setscheduler(int(thread), os.SCHED_RR, os.sched_param(PRIORITY))
    except PermissionError:
        return False
    return True
