"""Kills in the middle of calls, on a seeded schedule: what callers notice, and whether every promise was kept.

A kill is judged for each call it struck, by what the call was doing: its worker was speaking, thinking, or nothing was
under way and its workflow was only at home there. Times are as the carrier heard them.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Protocol

import structlog
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client

from core.contracts import names
from core.conversation import TurnRecord
from evals.call_bench import LINES
from evals.callers import Callers, Script
from evals.figures import Row, percentile
from evals.heard_answers import GREETING, Answer, answers_of
from evals.product import Product
from evals.sandbox_control import SandboxControl

log = structlog.get_logger()

CASE: Final = "I have a problem with what you sent me."  # a case is opened for it, once
ASKED_ON: Final = "you were saying"  # what a caller hears whose words a dead gateway had
WHOLE: Final = r"\b{number}\. .*[.?!]$"  # an answer of more than its first sentence, which tells the number back
SPEAKING, THINKING, BETWEEN = "speaking", "thinking", "between turns"
BARS_MS: Final = {SPEAKING: 500.0, THINKING: 900.0, BETWEEN: 700.0}
PROMISES: Final = {
    SPEAKING: "added silence",
    THINKING: "reply delayed",
    BETWEEN: "next reply delayed",
}
SPEECH: Final = {names.RESPOND, names.SPEAK_LINE}
SOONEST_S, LATEST_S = 3.0, 8.0  # from one kill to the next, once all that were killed are back
RECORDED_S: Final = 90.0  # until what follows a call has been done
_LAST_EVENTS: Final = 20


class Victims(Protocol):
    """What can be killed: processes by name."""

    async def ready(self) -> Mapping[str, int]:
        """Those that work, and their process ids."""

    @property
    def count(self) -> int:
        """How many there are when all are well."""

    def strike(self, name: str) -> None:
        """Kill it, or tell it to stop; another takes its place."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill, and the calls that the killed process had."""

    at_ms: float  # since the epoch
    speaking: frozenset[str]  # their answer was being made or played by it
    home: frozenset[str]  # it has run their workflow last


@dataclass(frozen=True, slots=True)
class Cost:
    """How long a call was silent; for ``line`` an answer takes a while anyway."""

    ms: float
    line: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was not kept in a call."""

    call: str
    what: str


@dataclass(slots=True)
class Verdict:
    """What came of all calls."""

    delays: dict[str, list[Cost]] = field(default_factory=lambda: {SPEAKING: [], THINKING: [], BETWEEN: []})
    usual: list[Cost] = field(default_factory=list)  # of answers that nothing struck
    broken: list[Broken] = field(default_factory=list)
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Chaos:
    """One run. ``fillers``: lines that are no answer (fixed ones of the playbook)."""

    sandbox: SandboxControl
    product: Product
    temporal: Client
    victims: Victims
    number: str
    calls: int
    lines: int
    kills: int
    seed: int
    latency: Mapping[str, float]
    fillers: Collection[str]

    async def run(self) -> Verdict:
        """Hold calls, round after round, until there were enough kills; judge every call."""
        await self.sandbox.set_latency(**self.latency)
        await self.sandbox.lines_are_made()
        random, verdict, killed, numbers = Random(self.seed), Verdict(), 0, 20_001
        while killed < self.kills:
            firsts = range(numbers, numbers + 100 * self.calls, 100)
            scripts = [script_of(random, self.lines, first, patient=True) for first in firsts]
            numbers = firsts.stop
            callers = Callers(self.sandbox, self.number, spread_s=6.0, random=Random(random.random()))
            holding = asyncio.create_task(callers.hold(scripts))
            kills = await self._kill(random, holding, self.kills - killed)
            calls = await holding
            killed += len(kills)
            await self.judge(verdict, calls, kills)
        return verdict

    async def _kill(self, random: Random, holding: asyncio.Task[Any], most: int) -> list[Kill]:
        kills: list[Kill] = []
        while len(kills) < most:
            await asyncio.wait({holding}, timeout=random.uniform(SOONEST_S, LATEST_S))
            ready = await self._all_ready(holding)
            if holding.done():
                break
            kills.append(await self._strike(random, ready))
        return kills

    async def _all_ready(self, holding: asyncio.Task[Any]) -> Mapping[str, int]:
        while len(ready := await self.victims.ready()) < self.victims.count and not holding.done():
            await asyncio.wait({holding}, timeout=0.2)
        return ready

    async def _strike(self, random: Random, ready: Mapping[str, int]) -> Kill:
        """Kill one of those that have calls: after a kill all are at home elsewhere, and stay there."""
        speaks, homes = await self._at_work()
        names_of = {str(pid): name for name, pid in sorted(ready.items())}
        busy = [pid for pid in names_of if pid in {*speaks.values(), *homes.values()}]
        victim = random.choice(busy or list(names_of))
        self.victims.strike(names_of[victim])
        speaking, home = (frozenset(sid for sid, pid in at.items() if pid == victim) for at in (speaks, homes))
        log.warning("struck", victim=names_of[victim], speaking=len(speaking), home=len(home))
        return Kill(time.time() * 1_000, speaking, home)

    async def _at_work(self) -> tuple[dict[str, str], dict[str, str]]:
        """Who, by process id, makes or plays a call's answer, and who has run its workflow last."""
        running = self.temporal.list_workflows(
            f"WorkflowType = '{names.CALL_WORKFLOW}' AND ExecutionStatus = 'Running'"
        )
        looks = [asyncio.create_task(self._look_at(call.id)) async for call in running]
        found = [await look for look in looks]
        speaks = {sid: pid for sid, pid, _ in found if pid}
        return speaks, {sid: pid for sid, _, pid in found}

    async def _look_at(self, workflow_id: str) -> tuple[str, str, str]:
        """The call, who speaks in it ("": nobody), whose it is."""
        described, home = await asyncio.gather(
            self.temporal.get_workflow_handle(workflow_id).describe(), self._home_of(workflow_id)
        )
        pending = described.raw_description.pending_activities
        speakers = (one.last_worker_identity for one in pending if one.activity_type.name in SPEECH)
        sid = workflow_id.removeprefix(names.call_workflow_id(""))
        return sid, _pid(next(speakers, "")), _pid(home)

    async def _home_of(self, workflow_id: str) -> str:
        """Who has run the workflow last."""
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self.temporal.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id),
            maximum_page_size=_LAST_EVENTS,
        )
        answer = await self.temporal.workflow_service.get_workflow_execution_history_reverse(request)
        for event in answer.history.events:
            if event.HasField("workflow_task_started_event_attributes"):
                return event.workflow_task_started_event_attributes.identity
        return ""

    async def judge(self, verdict: Verdict, calls: Sequence[Mapping[str, Any]], kills: Sequence[Kill]) -> None:
        """Look at each call as the carrier heard it, at the CRM and at what is on record."""
        opened = await self.cases()
        for call in calls:
            lines = answers_of(call)
            verdict.lines += self.lines
            if len(lines) - 1 < self.lines:
                words = f"only {len(lines) - 1} of {self.lines} lines could be said"
                verdict.broken.append(Broken(call["sid"], words))
            if (cases := opened[call["sid"]]) != 1:
                verdict.broken.append(Broken(call["sid"], f"{cases} cases were opened for one wish"))
            take_times(verdict, call["sid"], lines, kills, self.fillers)
            verdict.broken += [Broken(call["sid"], what) for line in lines for what in line.faults(self.fillers)]
            verdict.broken += [Broken(call["sid"], what) for what in await self.record_faults(call["sid"])]

    async def record_faults(self, call_id: str) -> list[str]:
        """Whether SQL tells what the workflow tells."""
        handle = self.temporal.get_workflow_handle(names.call_workflow_id(call_id))
        try:
            async with asyncio.timeout(RECORDED_S):
                await self.temporal.get_workflow_handle(names.after_call_workflow_id(call_id)).result()
        except TimeoutError:
            return [f"what follows it was not done {RECORDED_S:.0f} s after its end"]
        turns = await handle.query(names.TRANSCRIPT, result_type=list[TurnRecord])
        record = await self.product.call(call_id)
        told = [(turn.turn, turn.caller, turn.heard) for turn in turns]
        kept = [(turn["turn"], turn["caller"], turn["heard"]) for turn in record["transcript"]]
        faults = [] if told == kept else [f"SQL differs from the workflow: {kept} instead of {told}"]
        if record["disposition"] != "caller_hung_up":
            faults.append(f"it ended as {record['disposition']}, and the caller hung up")
        return faults

    async def cases(self) -> Counter[str]:
        """How many cases were opened in each call: an idempotency key begins with the call's id."""
        return Counter(key.partition(":")[0] for key in await self.sandbox.effect_keys("create_case"))


def take_times(
    verdict: Verdict, call: str, lines: Sequence[Answer], kills: Iterable[Kill], fillers: Collection[str]
) -> None:
    """What each kill that struck the call has cost it, and how long answers take that none has struck."""
    struck: set[int] = set()
    for kill in kills:
        place = next((place for place, line in enumerate(lines) if line.until_ms > kill.at_ms), None)
        if place is None or call not in kill.speaking | kill.home:
            continue
        line = lines[place]
        begins_ms = line.begins_ms(fillers)
        if kill.at_ms < line.ended_ms:  # they were still speaking, or about to
            moment, cost = BETWEEN, line.delay_ms(fillers)
        elif begins_ms is None or kill.at_ms < begins_ms:
            moment, cost = THINKING, line.delay_ms(fillers)
        elif kill.at_ms < line.heard[-1].end_ms:
            moment, cost = SPEAKING, line.silence_after(kill.at_ms)
        else:
            moment, place = BETWEEN, place + 1
            if place == len(lines):
                continue
            cost = lines[place].delay_ms(fillers)
        if call in kill.speaking or (moment == BETWEEN and call in kill.home):
            verdict.delays[moment].append(Cost(cost, lines[place].line))
        struck.add(place)
    usual = (line for place, line in enumerate(lines) if place not in struck and line.line != GREETING)
    verdict.usual += [Cost(line.delay_ms(fillers), line.line) for line in usual]


def rows_of(verdict: Verdict, fault: str = "worker killed") -> list[Row]:
    """A row for each moment, what is usual taken off where an answer was late: a wish takes longer than a question."""
    of_all = [cost.ms for cost in verdict.usual]
    usual = {
        wish: percentile([cost.ms for cost in verdict.usual if (cost.line == CASE) == wish] or of_all, 0.5)
        for wish in (False, True)
    }
    rows: list[Row] = []
    for moment, costs in verdict.delays.items():
        added = [cost.ms if moment == SPEAKING else cost.ms - usual[cost.line == CASE] for cost in costs]
        rows.append(
            {
                "fault": f"{fault} while {moment}" if moment != BETWEEN else f"{fault} {BETWEEN}",
                "promise": PROMISES[moment],
                "struck": len(added),
                "p50_ms": round(percentile(added, 0.5), 1) if added else "",
                "p95_ms": round(percentile(added, 0.95), 1) if added else "",
                "bar_p95_ms": BARS_MS[moment],
            }
        )
    return rows


def script_of(random: Random, lines: int, number: int, *, patient: bool) -> Script:
    """Questions with a number of their own each, and in their middle a wish that has an effect.

    ``patient`` callers wait until they were answered, the others until the line is quiet after some words, and after
    their wish until it was granted or they are asked to go on: then nobody has heard it.
    """
    numbers = range(number, number + lines - 1)
    said: Script = [{"say": random.choice(LINES).format(number=each)} for each in numbers]
    answered = [WHOLE.format(number=each) for each in numbers]
    at = random.randrange(1, max(2, lines - 1))
    said.insert(at, {"say": CASE})
    answered.insert(at, "anything else")
    for place, step in enumerate(said[1:], 1):
        if patient:
            step["wait_for"] = answered[place - 1]
        elif place == at + 1:
            step["wait_for"] = f"{answered[place - 1]}|{ASKED_ON}"
    heard = {"wait_for": answered[-1]} if patient else {"after": "reply"}
    return [*said, {"wait": 0, **heard}, {"hang_up": True, "after": 2.5}]


def _pid(identity: str) -> str:
    return identity.partition("@")[0]
