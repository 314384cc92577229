"""Threads that carry audio run before other work on the machine: a frame has 20 ms, nothing else is so urgent.

Asterisk and FreeSWITCH do the same where they may.
"""

import os
import sys

PRIORITY = 10  # of 1 to 99: before all work without real-time priority, after the kernel's own


def run_in_real_time() -> bool:
    """Have this thread and those it starts run before all ordinary ones; False where that is not to be had.

    Those it starts as well: they take Python's lock in turns, and one that waits for a CPU would not give it back.

    Linux wants CAP_SYS_NICE for it, or RLIMIT_RTPRIO of PRIORITY. Source: sched(7), SCHED_RR.
    """
    if sys.platform != "linux":
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except PermissionError:
        return False
    return True
