"""How long from a turn at the gateway until its reply's activity starts, through a real Temporal server.

The bench plays the gateways: it starts call workflows by name, attaches, and sends ``caller_turn`` updates at the pace
of conversation. A worker process with instant vendors (evals.instant) tells when each ``respond`` started.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from temporalio.client import Client, WorkflowHandle

from core.contracts import names
from core.contracts.call import (
    NEW_CALLS,
    Attach,
    Attached,
    CallerTurn,
    CallInput,
    CallResult,
    Direction,
    TurnAccepted,
    TurnTimings,
)
from core.contracts.playbook import PlaybookBrief
from evals.figures import CpuMeter, Row, spread
from evals.histories import Growth
from evals.instant import now_ms

SETTLE_S = 3.0  # what the beginning of many calls leaves to do is done by then
TURN_EVERY_S = 8.0  # as in the rehearsed calls


@dataclass
class HopLog:
    """When replies' activities started, as the worker tells it: (call, turn) -> epoch ms."""

    started: dict[tuple[str, int], float] = field(default_factory=dict)
    _waiting: dict[tuple[str, int], asyncio.Event] = field(default_factory=dict)

    def told(self, call_id: str, turn: int, at_ms: float) -> None:
        """A reply has started."""
        self.started.setdefault((call_id, turn), at_ms)
        self._event(call_id, turn).set()

    async def wait(self, call_id: str, turn: int) -> float:
        """When it started; waits for it at most 10 s."""
        await asyncio.wait_for(self._event(call_id, turn).wait(), 10)
        return self.started[(call_id, turn)]

    def _event(self, call_id: str, turn: int) -> asyncio.Event:
        return self._waiting.setdefault((call_id, turn), asyncio.Event())


@dataclass(frozen=True, slots=True)
class HopBench:
    """One measurement: ``calls`` live calls with ``turns`` turns each, one every eight seconds."""

    client: Client
    log: HopLog
    playbook: PlaybookBrief
    utterances: Sequence[str]
    pids: Mapping[str, Sequence[int]]
    calls: int
    turns: int

    async def run(self) -> Row:
        """Measure, then drop the calls: their end is not measured here."""
        run_id = f"{time.time_ns():x}"
        calls = [_Call(self, f"hop{run_id}{index}") for index in range(self.calls)]
        await asyncio.gather(*(call.begin() for call in calls))
        await asyncio.sleep(SETTLE_S)
        meter = CpuMeter.start(self.pids)
        hops = [hop for hops in await asyncio.gather(*(call.talk() for call in calls)) for hop in hops]
        used = meter.used()
        total = self.calls * self.turns
        grown = await calls[0].history_per_turn()
        await asyncio.gather(*(call.drop() for call in calls))
        return {
            "calls": self.calls,
            "turns": total,
            **spread(hops),
            **{f"{role}_cpu_ms_per_turn": round(cpu / total * 1_000, 1) for role, cpu in used.items()},
            "gateway_events_per_turn": round(grown.messages, 1),
            "history_events_per_turn": round(grown.events, 1),
            "history_bytes_per_turn": round(grown.size),
        }


class _Call:
    def __init__(self, bench: HopBench, call_id: str) -> None:
        self._bench = bench
        self._call_id = call_id
        self._attachment = time.time_ns() // 1_000_000
        self._seq = 0
        self._handle: WorkflowHandle[object, CallResult] | None = None
        self._before = Growth(0, 0, 0)

    @property
    def _call(self) -> WorkflowHandle[object, CallResult]:
        if self._handle is None:
            raise RuntimeError("the call has not begun")
        return self._handle

    async def begin(self) -> None:
        call = CallInput(
            call_id=self._call_id,
            direction=Direction.INBOUND,
            playbook=self._bench.playbook,
            caller_number="+15550123",
            our_number="+15550100",
            carrier_call_id=f"CA{self._call_id}",
            timers=NEW_CALLS,
        )
        self._handle = await self._bench.client.start_workflow(
            names.CALL_WORKFLOW,
            call,
            id=names.call_workflow_id(self._call_id),
            task_queue=names.CALLS_QUEUE,
            result_type=CallResult,
        )
        attach = Attach(
            attachment=self._attachment,
            stream_id=f"MZ{self._call_id}",
            carrier_call_id=f"CA{self._call_id}",
            playback_url="ws://127.0.0.1:9/bench",
            audio_url="http://127.0.0.1:9/bench",
        )
        await self._handle.execute_update(names.ATTACH, attach, result_type=Attached)
        await self._bench.log.wait(self._call_id, 0)
        self._before = await self._growth()

    async def talk(self) -> list[float]:
        await asyncio.sleep(random.uniform(0, TURN_EVERY_S))  # calls are not in step with each other
        hops = []
        for turn in range(1, self._bench.turns + 1):
            began = time.monotonic()
            hops.append(await self._turn(turn))
            await asyncio.sleep(max(0.0, TURN_EVERY_S - (time.monotonic() - began)))
        return hops

    async def _turn(self, turn: int) -> float:
        sent_ms = now_ms()
        words = self._bench.utterances[turn % len(self._bench.utterances)]
        event = CallerTurn(
            attachment=self._attachment,
            seq=self._next(),
            turn=turn,
            text=words,
            confidence=0.98,
            timings=TurnTimings(speech_ended_ms=sent_ms, decided_ms=sent_ms, sent_ms=sent_ms),
            words=len(words.split()),
        )
        update_id = f"{self._attachment}-{event.seq}"
        await self._call.execute_update(names.CALLER_TURN, event, id=update_id, result_type=TurnAccepted)
        return await self._bench.log.wait(self._call_id, turn) - sent_ms

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    async def history_per_turn(self) -> Growth:
        """What a turn adds to the history."""
        return (await self._growth()).per_turn(self._before, self._bench.turns)

    async def _growth(self) -> Growth:
        return await Growth.of(self._bench.client, self._call.id)

    async def drop(self) -> None:
        await self._call.terminate("bench is over")
