"""No process outlives the one that started it, however that one dies.

A child's standard input is a pipe that its parent holds open and never writes to. The kernel closes it with the
parent, and the child reads an end of file. Our own processes watch it in a thread (``hold_on``). Other programs are
started through ``python -m cli.lifeline PROGRAM ARGUMENT...``: it becomes the program, so that its process id is the
one the parent knows, and leaves a small watcher behind.
"""

import contextlib
import os
import select
import signal
import sys
import threading
import time

LIFELINE_VARIABLE = "HOLDFAST_LIFELINE"  # set by the parent: standard input is a lifeline
GRACE_S = 3.0


def hold_on() -> None:
    """End this process soon after its parent, if it was started with a lifeline."""
    if os.environ.pop(LIFELINE_VARIABLE, "") == "1":
        threading.Thread(target=_wait_for_the_end, name="lifeline", daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


def become(command: list[str]) -> None:
    """Replace this process by ``command``, watched by a fork that ends it when standard input ends."""
    gone, held = os.pipe()
    os.set_inheritable(held, True)  # the program holds it as long as it lives
    program = os.getpid()
    if os.fork() == 0:
        os.close(held)
        _watch(program, gone)
        os._exit(0)
    os.close(gone)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.execvp(command[0], command)


def _watch(program: int, gone: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    readable, _, _ = select.select([0, gone], [], [])
    if gone in readable:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(program, signal.SIGTERM)
    readable, _, _ = select.select([gone], [], [], GRACE_S)
    if not readable:
        with contextlib.suppress(ProcessLookupError):
            os.kill(program, signal.SIGKILL)


if __name__ == "__main__":
    become(sys.argv[1:])
