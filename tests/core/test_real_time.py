"""Processes that carry audio have real-time priority where the system permits it, in a process of its own."""

import os
import subprocess
import sys

import pytest

ASK = """
import os, resource, sys, threading
from core.real_time import run_in_real_time

policies = []
end = threading.Event()

def tell():
    end.wait()
    policies.append(os.sched_getscheduler(0))

if "powerless" in sys.argv:
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    os.setuid(65534)
before = threading.Thread(target=tell)
before.start()
began = run_in_real_time()
after = threading.Thread(target=tell)
after.start()
end.set()
before.join()
after.join()
print(began, os.sched_getscheduler(0), *policies)
"""


def asked(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", ASK, *arguments], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_all_threads_before_and_after_run_before_ordinary_ones(real_time_permitted: bool) -> None:
    if not real_time_permitted:
        pytest.skip("no real-time priority for this user")
    assert asked() == f"True {os.SCHED_RR} {os.SCHED_RR} {os.SCHED_RR}"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user without the right")
def test_without_the_right_everything_stays_as_it_was() -> None:
    assert asked("powerless") == f"False {os.SCHED_OTHER} {os.SCHED_OTHER} {os.SCHED_OTHER}"
