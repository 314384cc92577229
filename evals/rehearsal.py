"""Scripted calls in real time against the sandbox, each with what must come of it."""

import asyncio
import contextlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from core.outcome import Disposition
from evals.product import FeedLine, Product
from evals.sandbox_control import SandboxControl

FOLDER = Path(__file__).parent / "rehearsals"
FIRST_CALLS = "first_calls"
CALL_DEADLINE_S = 120.0
AFTER_CALL_DEADLINE_S = 20.0  # summary and CRM sync


class Expected(BaseModel):
    """What must be true when the call is over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    disposition: Disposition
    tools: tuple[str, ...] = ()
    not_tools: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()  # regular expressions, in any case of letters
    interrupted: bool | None = None

    @field_validator("heard")
    @classmethod
    def _are_patterns(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in written:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return written


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
    visits: dict[str, str] = {}  # number -> the name of who has booked at the sandbox's Cal.com before
    expect: Expected


class Outcome(BaseModel):
    """What came of a rehearsal; no ``problems``: all as expected."""

    rehearsal: Rehearsal
    call_id: str
    disposition: Disposition | None
    problems: tuple[str, ...]


class BadRehearsals(ValueError):
    """A file of rehearsals cannot be used; the message says which, where and why."""


def shipped_rehearsals() -> list[str]:
    """The names of those that come with Holdfast: most are a playbook's."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def rehearsals_named(name: str) -> list[Rehearsal]:
    """Those that come with Holdfast under this name, or those in this file. Raises BadRehearsals."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        if name not in shipped_rehearsals():
            raise BadRehearsals(
                f"{name} has no rehearsals: give a YAML file, or one of {', '.join(shipped_rehearsals())}"
            )
        path = FOLDER / f"{name}.yaml"
    try:
        return load_rehearsals(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadRehearsals(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadRehearsals(f"{path}: {where}: {first['msg']}") from error


def load_rehearsals(path: Path = FOLDER / f"{FIRST_CALLS}.yaml") -> list[Rehearsal]:
    """Read a file of rehearsals. Raises pydantic.ValidationError, OSError or yaml.YAMLError."""
    return list(_REHEARSALS.validate_python(yaml.safe_load(path.read_text(encoding="utf-8"))))


_REHEARSALS: TypeAdapter[tuple[Rehearsal, ...]] = TypeAdapter(tuple[Rehearsal, ...])


class Stage:
    """Plays rehearsals, several at once if need be, and hands each line of their live feed to ``show``."""

    def __init__(self, product: Product, sandbox: SandboxControl, show: Callable[[FeedLine], None]) -> None:
        self._product = product
        self._sandbox = sandbox
        self._show = show
        self._lines: defaultdict[str, asyncio.Queue[FeedLine]] = defaultdict(asyncio.Queue)  # by call

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
        for number, name in rehearsal.visits.items():
            await self._sandbox.book_visit(number, name)
        if rehearsal.direction == "inbound":
            call_id = await self._sandbox.place_call(rehearsal.from_, rehearsal.to, rehearsal.script)
        else:
            call_id = await self._product.place_call(rehearsal.to, rehearsal.playbook, rehearsal.variables)
        ended = await self._follow(call_id, until="call_ended", deadline_s=CALL_DEADLINE_S)
        synced = ended and await self._follow(call_id, until="crm_synced", deadline_s=AFTER_CALL_DEADLINE_S)
        return self.judge(rehearsal, call_id, await self._product.call(call_id), ended=ended, synced=synced)

    async def _listen(self) -> None:
        async for line in self._product.feed():
            self._lines[line.call_id].put_nowait(line)

    async def _follow(self, call_id: str, until: str, deadline_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while True:
                    line = await self._lines[call_id].get()
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
        ran = {tool["name"] for turn in turns for tool in turn["tools"]} & set(expect.not_tools)
        steps = set(expect.steps) - {turn["step"] for turn in turns}
        heard = " ".join(turn["heard"] for turn in turns)
        unheard = [pattern for pattern in expect.heard if not re.search(pattern, heard, re.I)]
        faults = {
            "the call did not end": not ended,
            f"ended as {found}, not {expect.disposition}": found is not expect.disposition,
            "the CRM has no note of it": ended and not synced,
            f"tools that did not succeed: {', '.join(sorted(missed))}": bool(missed),
            f"tools that were not to run: {', '.join(sorted(ran))}": bool(ran),
            f"steps it never came to: {', '.join(sorted(steps))}": bool(steps),
            f"nobody heard {', '.join(map(repr, unheard))}": bool(unheard),
            "nobody was interrupted": bool(expect.interrupted) and not any(turn["interrupted"] for turn in turns),
        }
        return Outcome(rehearsal=rehearsal, call_id=call_id, disposition=found, problems=_true_ones(faults.items()))


def _true_ones(faults: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
    return tuple(words for words, true in faults if true)
