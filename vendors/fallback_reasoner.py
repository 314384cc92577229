"""One language model made of several: the first that gets to a sentence answers. Knows no vendor."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from core.conversation import Step, Usage
from core.ports.errors import VendorError
from core.ports.reasoner import Beside, FindStep, Prompt, Reasoner, ReplyPiece, SummedUp, TextPiece
from core.sentences import SentenceCutter
from vendors.hedging import Member, Race

log = structlog.get_logger()

BEGUN = TextPiece("")
"""Tells that a model has begun to write, before anybody knows whose words will be spoken."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A reply up to the end of its first sentence, or to whatever else can be used."""

    model: AsyncExitStack
    held: list[ReplyPiece]
    rest: AsyncIterator[ReplyPiece]


class FallbackReasoner:
    """Implements core.ports.reasoner.Reasoner with several of them, the first preferred.

    A reply is held back until its first sentence is whole, so that until then another model can take over unnoticed;
    nothing is lost by it, because nothing is spoken before. A reply that breaks later raises VendorError: what was
    said was said, and the next attempt goes on after it.

    Args:
        hedge_after: seconds without progress after which the next model is asked beside the one that is silent.
        within: seconds for all of them together to get to a sentence.
    """

    def __init__(self, members: Sequence[Member[Reasoner]], *, hedge_after: float = 0.9, within: float = 6.0) -> None:
        self._members = members
        self._hedge_after = hedge_after
        self._within = within

    @asynccontextmanager
    async def reply(self, prompt: Prompt) -> AsyncIterator[AsyncIterator[ReplyPiece]]:
        """Stream a reply; leaving the block drops all requests. Iterating raises VendorError."""
        reply = _Reply(Race(self._members, patience=self._hedge_after, within=self._within, discard=_discard), prompt)
        try:
            yield reply.pieces()
        finally:
            await reply.close()

    async def find_step(self, request: FindStep) -> Step:
        """Raises VendorError."""
        race: Race[Reasoner, Step] = Race(self._members, patience=self._hedge_after, within=self._within)
        member, step = await race.run(lambda member: member.port.find_step(request))
        member.circuit.succeed()
        log.info("step_reasoned", vendor=member.name)
        return step

    async def summarize(self, prompt: Prompt) -> SummedUp:
        """Raises VendorError. Nobody waits for it: one model at a time, each as long as it takes."""
        race: Race[Reasoner, SummedUp] = Race(self._members, patience=3_600.0, within=3_600.0)
        member, summary = await race.run(lambda member: member.port.summarize(prompt))
        member.circuit.succeed()
        return summary

    async def extract(self, prompt: Prompt, schema: Mapping[str, Any]) -> tuple[dict[str, Any], Usage]:
        """Raises VendorError. As for ``summarize``."""
        race: Race[Reasoner, tuple[dict[str, Any], Usage]] = Race(self._members, patience=3_600.0, within=3_600.0)
        member, extracted = await race.run(lambda member: member.port.extract(prompt, schema))
        member.circuit.succeed()
        return extracted


class _Reply:
    def __init__(self, race: Race[Reasoner, _Begun], prompt: Prompt) -> None:
        self._race = race
        self._prompt = prompt
        self._writing = asyncio.Event()
        self._racing: asyncio.Task[tuple[Member[Reasoner], _Begun]] | None = None
        self._broken = False
        self._took: list[
            tuple[Member[Reasoner], Usage]
        ] = []  # what each model has told of its cost before it was chosen

    async def pieces(self) -> AsyncIterator[ReplyPiece]:
        self._racing = asyncio.ensure_future(self._race.run(self._begin))
        writing = asyncio.ensure_future(self._writing.wait())
        try:
            await asyncio.wait({self._racing, writing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            writing.cancel()
        if self._writing.is_set():
            yield BEGUN
        member, begun = await self._racing
        for other, usage in self._took:
            if other is not member:
                yield Beside(usage)
        for piece in begun.held:
            yield piece
        try:
            async for piece in begun.rest:
                yield piece
        except VendorError as error:
            self._broken = True
            member.failed(error)
            raise

    async def close(self) -> None:
        """Whether the reply was read to its end or not: a model that got to a sentence did its part."""
        racing = self._racing
        if racing is None:
            return
        if not racing.done():
            racing.cancel()
            await asyncio.wait({racing})
        if racing.cancelled() or racing.exception() is not None:
            return
        member, begun = racing.result()
        if not self._broken:
            member.circuit.succeed()
        await begun.model.aclose()

    async def _begin(self, member: Member[Reasoner]) -> _Begun:
        """Read up to the first thing that can be used. Raises VendorError."""
        cutter = SentenceCutter()
        held: list[ReplyPiece] = []
        async with AsyncExitStack() as model:
            pieces = await model.enter_async_context(member.port.reply(self._prompt))
            async for piece in pieces:
                held.append(piece)
                if isinstance(piece, Usage):
                    self._took.append((member, piece))
                    continue
                self._race.progress()
                self._writing.set()
                if not isinstance(piece, TextPiece) or cutter.feed(piece.text):
                    break
            log.info("reply_begun", vendor=member.name)
            return _Begun(model.pop_all(), held, pieces)


async def _discard(begun: _Begun) -> None:
    await begun.model.aclose()
