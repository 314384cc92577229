"""holdfast dev: everything on this machine, until Ctrl-C."""

import asyncio
import logging
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
import uvloop

from cli.children import ChildFailed
from cli.process import STOP_SIGNALS, complaints
from cli.progress import out, progress
from cli.settings import Settings
from cli.stack import PortInUse, Stack, StackOptions
from cli.temporal_server import NoTemporal

STACK_FAILURES = (ChildFailed, PortInUse, NoTemporal)


def run(options: StackOptions) -> None:
    """Run a stack and say where to look; exits with 2 and one line when it cannot be started."""
    quiet_logs()
    with complaints(*STACK_FAILURES):
        settings = Settings.read()
        uvloop.run(run_stack(Stack(options, settings), _stay))


def quiet_logs() -> None:
    """Let the process that owns a stack log warnings only; its children's logs are files."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # as it is then: a test's own is closed after it
    )


async def run_stack(stack: Stack, use: Callable[[Stack], Awaitable[None]]) -> None:
    """Start the stack, use it, and stop it in order: when ``use`` has ended, or on a signal.

    A second signal kills what is left at once. Raises what the stack raises.
    """
    work = asyncio.ensure_future(_start_and_use(stack, use))
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, work.cancel)
    try:
        await asyncio.wait([work])
    finally:
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, stack.kill_all)
        async with progress("Stopping"):
            await stack.stop()
    if not work.cancelled():
        work.result()


async def _start_and_use(stack: Stack, use: Callable[[Stack], Awaitable[None]]) -> None:
    await stack.start()
    await use(stack)


async def _stay(stack: Stack) -> None:
    print_where_to_look(stack)
    await asyncio.Event().wait()


def print_where_to_look(stack: Stack, *, stays: bool = True) -> None:
    """Addresses, the key, and how to place a call. ``stays``: the stack is left running."""
    over = "[bold]Holdfast stops now[/bold] (make rehearse KEEP=1 leaves it running). It was at:"
    news = "[bold]Holdfast is up.[/bold] Ctrl-C stops it." if stays else over
    out.print(f"""
{news}

  console      {stack.url}/ (log in with the API key)
  API key      {stack.api_key}
  API docs     {stack.url}/docs
  Temporal UI  {stack.temporal_ui_url}
  vendors      {_vendors(stack)}
  logs         {stack.logs}""")
    if stays:
        out.print(f"""
Place a call from another terminal:

  export HOLDFAST_API_KEY={stack.api_key} PUBLIC_URL={stack.url}
  {our_command()} call +15550100 --playbook order_support --follow
""")


def our_command() -> str:
    """What to type: a new user's PATH does not hold the environment that make has made."""
    program = Path(sys.argv[0])
    if shutil.which("holdfast") or program.name != "holdfast":
        return "holdfast"
    return str(program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program)


def _vendors(stack: Stack) -> str:
    if not stack.sandboxed:
        return f"the real ones; the carrier reaches us at {stack.public_url}"
    real = {"twilio", "deepgram", "elevenlabs", "anthropic", "crm"} - stack.sandboxed
    return f"the sandbox ({stack.sandbox_url}/sandbox)" + (
        f", but {', '.join(sorted(real))} from outside" if real else ""
    )
