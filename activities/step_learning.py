"""What playbooks learn from their own examples and from their calls, while calls go on."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import structlog

from core.auditing import KEPT_DAYS, bars_of, trust_in
from core.canned import CannedFinder
from core.growth import taught, version_of
from core.learnt_steps import Example, enough_to_learn
from core.playbook import Playbook
from core.ports.errors import StorageUnavailable
from core.ports.step_examples import StepExamples, StepFit
from core.ports.step_fits import StepFits
from core.steps import StepFinder

log = structlog.get_logger()

LOOK_AGAIN_S: Final = 60.0  # for examples that somebody has accepted since, and for audits
A_DAY_MS: Final = 86_400_000.0
REST: Final = 20.0  # times what learning took: it may have a twentieth of a processor


@dataclass(slots=True)
class _State:
    next_look: float
    taught: tuple[Example, ...] = ()
    looking: bool = False


class StepLearning:
    """Has finders learn in the background, and learn again when their playbook has got new examples.

    A finder goes on deciding with what it has learnt before until the newer is there. Nothing here is waited for by a
    turn; where the database or the process that learns fails, all stays as it is and is tried again later.

    Args:
        examples: what calls have brought; None: playbooks learn from their own examples only.
        clock: seconds.
    """

    def __init__(
        self,
        fits: StepFits | None,
        examples: StepExamples | None,
        look_again_s: float = LOOK_AGAIN_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fits = fits
        self._examples = examples
        self._look_again_s = look_again_s
        self._clock = clock
        self._states: WeakKeyDictionary[StepFinder, _State] = WeakKeyDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    def heed(self, playbook: Playbook, finder: StepFinder) -> None:
        """The finder is in use: see to it that it knows what it can know. Costs a turn a microsecond."""
        if self._fits is None or len(playbook.steps) == 1:
            return
        now = self._clock()
        state = self._states.get(finder)
        if state is None:
            state = self._states[finder] = _State(next_look=now)
        elif state.looking or now < state.next_look or self._examples is None:
            return
        state.looking = True
        task = asyncio.create_task(self._look(self._fits, playbook, finder, state))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def teach(self, canned: CannedFinder) -> None:
        """Have canned answers' questions learnt, once: calls bring no new ones."""
        if self._fits is not None and canned.to_learn:
            task = asyncio.create_task(_teach(self._fits, canned))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Until all that is being learnt is there: for whoever has no call waiting."""
        await asyncio.gather(*self._tasks)

    async def _look(self, fits: StepFits, playbook: Playbook, finder: StepFinder, state: _State) -> None:
        began = self._clock()
        try:
            await self._learn(fits, playbook, finder, state)
            await self._heed_audits(playbook, finder)
        finally:
            now = self._clock()
            state.looking = False
            state.next_look = now + max(self._look_again_s, REST * (now - began))

    async def _learn(self, fits: StepFits, playbook: Playbook, finder: StepFinder, state: _State) -> None:
        own = taught(((step.name, said) for step in playbook.steps for said in step.callers_say), ())
        examples = own
        if self._examples is not None:
            try:
                examples = taught(own, await self._examples.accepted(playbook.name))
            except StorageUnavailable as error:
                log.warning("grown_examples_unknown", playbook=playbook.ref, error=str(error))
                examples = state.taught or own
        if examples == state.taught:
            return
        learnt = await fits.learnt(own, examples[len(own) :])
        if learnt is None:
            state.taught = () if enough_to_learn(examples) else examples  # what has failed is tried again
            return
        state.taught = examples
        finder.learnt = learnt
        log.info("steps_learnt", playbook=playbook.ref, examples=len(examples), grown=len(examples) - len(own))
        fit = StepFit(
            playbook=playbook.name,
            version=version_of(examples),
            method=learnt.method,
            ref=playbook.ref,
            examples=len(examples),
            grown=len(examples) - len(own),
            threshold=round(learnt.learnt.threshold, 3),
            learnt_ms=time.time() * 1_000,
        )
        if self._examples is not None:
            try:
                await self._examples.note_fit(fit)
            except StorageUnavailable as error:
                log.warning("fit_not_noted", playbook=playbook.ref, error=str(error))

    async def _heed_audits(self, playbook: Playbook, finder: StepFinder) -> None:
        """Have what the model too often disagrees with left to it."""
        if self._examples is None:
            return
        try:
            audits = await self._examples.audits(playbook.name, time.time() * 1_000 - KEPT_DAYS * A_DAY_MS)
        except StorageUnavailable as error:
            log.warning("audits_unknown", playbook=playbook.ref, error=str(error))
            return
        bars = bars_of(trust_in(audits))
        if bars != finder.bars:
            log.warning("steps_bars_changed", playbook=playbook.ref, bars=bars)
            finder.bars = bars


async def _teach(fits: StepFits, canned: CannedFinder) -> None:
    canned.learnt = await fits.learnt(canned.to_learn)
