"""Scripted calls in real time against the sandbox, each with what must come of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from core.outcome import Disposition
from evals.product import FeedLine, Product
from evals.sandbox_control import SandboxControl

SHIPPED = Path(__file__).parent / "rehearsals" / "first_calls.yaml"
CALL_DEADLINE_S = 120.0
AFTER_CALL_DEADLINE_S = 20.0  # summary and CRM sync


class Expected(BaseModel):
    """What must be true when the call is over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    disposition: Disposition
    tools: tuple[str, ...] = ()
    interrupted: bool | None = None


class Rehearsal(BaseModel):
    """One scripted call; ``script`` is the person's, see docs/sandbox.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    direction: Literal["inbound", "outbound"]
    to: str
    from_: str = Field("+12025550100", alias="from")
    playbook: str = ""
    variables: dict[str, str] = {}
    script: tuple[dict[str, Any], ...] = ()
    people: dict[str, dict[str, Any]] = {}
    expect: Expected


class Outcome(BaseModel):
    """What came of a rehearsal; no ``problems``: all as expected."""

    rehearsal: Rehearsal
    call_id: str
    disposition: Disposition | None
    problems: tuple[str, ...]


def load_rehearsals(path: Path = SHIPPED) -> list[Rehearsal]:
    """Read a file of rehearsals. Raises pydantic.ValidationError or yaml.YAMLError."""
    return [Rehearsal.model_validate(one) for one in yaml.safe_load(path.read_text())]


class Stage:
    """Plays rehearsals one after the other and hands each line of the live feed to ``show`` as it comes."""

    def __init__(self, product: Product, sandbox: SandboxControl, show: Callable[[FeedLine], None]) -> None:
        self._product = product
        self._sandbox = sandbox
        self._show = show
        self._lines: asyncio.Queue[FeedLine] = asyncio.Queue()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Follow the live feed inside this block. Raises httpx.HTTPError from the block if the feed breaks."""
        async with asyncio.TaskGroup() as tasks:
            listener = tasks.create_task(self._listen())
            yield
            listener.cancel()

    async def play(self, rehearsal: Rehearsal) -> Outcome:
        """One call, from the first ring to the CRM's note."""
        for number, person in rehearsal.people.items():
            await self._sandbox.put_person(number, person)
        if rehearsal.direction == "inbound":
            call_id = await self._sandbox.place_call(rehearsal.from_, rehearsal.to, rehearsal.script)
        else:
            call_id = await self._product.place_call(rehearsal.to, rehearsal.playbook, rehearsal.variables)
        ended = await self._follow(call_id, until="call_ended", deadline_s=CALL_DEADLINE_S)
        synced = ended and await self._follow(call_id, until="crm_synced", deadline_s=AFTER_CALL_DEADLINE_S)
        return self.judge(rehearsal, call_id, await self._product.call(call_id), ended=ended, synced=synced)

    async def _listen(self) -> None:
        async for line in self._product.feed():
            self._lines.put_nowait(line)

    async def _follow(self, call_id: str, until: str, deadline_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while True:
                    line = await self._lines.get()
                    if line.call_id == call_id:
                        self._show(line)
                        if line.kind == until:
                            return True
        return False

    @staticmethod
    def judge(rehearsal: Rehearsal, call_id: str, call: dict[str, Any], *, ended: bool, synced: bool) -> Outcome:
        """Hold a call, as /v1/calls/{id} tells it, against what was expected."""
        expect, turns = rehearsal.expect, call["transcript"]
        found = Disposition(call["disposition"]) if call["disposition"] else None
        used = {tool["name"] for turn in turns for tool in turn["tools"] if tool["ok"]}
        missed = set(expect.tools) - used
        faults = {
            "the call did not end": not ended,
            f"ended as {found}, not {expect.disposition}": found is not expect.disposition,
            "the CRM has no note of it": ended and not synced,
            f"tools that did not succeed: {', '.join(sorted(missed))}": bool(missed),
            "nobody was interrupted": bool(expect.interrupted) and not any(turn["interrupted"] for turn in turns),
        }
        return Outcome(rehearsal=rehearsal, call_id=call_id, disposition=found, problems=_true_ones(faults.items()))


def _true_ones(faults: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
    return tuple(words for words, true in faults if true)
