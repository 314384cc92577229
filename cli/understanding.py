"""A playbook's understanding as calls have it: by words, by the model where they do not tell, slots by both."""

import time
from dataclasses import replace
from datetime import UTC, datetime

from activities.dialogue import place_of
from activities.note_prompts import notes_prompt
from activities.playbook_shelf import PlaybookShelf, ReadyPlaybook
from activities.prompts import step_prompt
from activities.step_learning import StepLearning
from cli.step_fits import KeptStepFits
from core.contracts.call import ReasonStep
from core.contracts.notes import TakeNotes
from core.conversation import Exchange, Usage
from core.memory import Known, Memory, Source
from core.note_taking import checked_notes, notes_schema
from core.playbook import Playbook
from core.ports.errors import UnknownPlaybook
from core.ports.playbooks import Playbooks
from core.ports.reasoner import Reasoner
from core.recently_embedded import RecentlyEmbedded
from evals.golden import Heard, Utterance

_CALL, _TURN = "eval", 1


class OnePlaybook(Playbooks):
    """A shelf's worth of one."""

    def __init__(self, playbook: Playbook) -> None:
        self._playbook = playbook

    async def load(self, ref: str) -> Playbook:
        """That one."""
        if ref != self._playbook.ref:
            raise UnknownPlaybook(ref)
        return self._playbook

    async def latest(self, name: str) -> Playbook:
        """That one."""
        return await self.load(f"{name}@{self._playbook.digest}")

    async def for_number(self, number: str) -> Playbook:
        """That one."""
        return self._playbook

    async def names(self) -> list[str]:
        """Its name."""
        return [self._playbook.name]


async def ready_playbook(playbook: Playbook, fits: KeptStepFits) -> ReadyPlaybook:
    """As a worker has it once its steps are learnt: seconds of CPU the first time."""
    learning = StepLearning(fits, examples=None)
    ready = await PlaybookShelf(OnePlaybook(playbook), learning=learning).get(playbook.ref)
    await learning.settled()
    ready.finder.find("hello", playbook.steps[0].name)  # what is loaded at first use is no turn's time
    return ready


class PlaybookUnderstanding:
    """Understands single turns.

    Args:
        reasoner: None: by words alone.
        embedder: that of ``ready``.
        tries: of which the fastest counts: on a busy machine the others tell of other work.
    """

    def __init__(
        self, ready: ReadyPlaybook, reasoner: Reasoner | None, embedder: RecentlyEmbedded, tries: int = 1
    ) -> None:
        self._ready = ready
        self._reasoner = reasoner
        self._embedder = embedder
        self._tries = tries

    async def hear(self, turn: Utterance) -> Heard:
        """See evals.golden.Understanding."""
        playbook = self._ready.playbook
        at = turn.at or playbook.steps[0].name
        memory = Memory(at=at)
        tries = []
        for _ in range(self._tries):
            self._embedder.forget()
            began, computed = time.perf_counter(), time.process_time()
            place = place_of(playbook, memory, at, _TURN, turn.say, turn.variables, playbook.language)
            by_words = place.finish(self._ready.match(turn.say, place.step, canned=True, reachable=place.reachable))
            tries.append((time.perf_counter() - began, time.process_time() - computed))
        heard = Heard(by_words, *(1_000 * min(took) for took in zip(*tries, strict=True)))
        if self._reasoner is None:
            return replace(heard, slots=place.slots) if turn.slots.keys() <= place.slots.keys() else heard
        step = by_words.name
        before = Exchange(0, "", turn.asked or playbook.greeting)
        if step is None:
            request = ReasonStep(_CALL, playbook.ref, place.step, _TURN, turn.say, (before,), variables=turn.variables)
            asked = step_prompt(playbook, request, place.reachable)
            step = place.finish(await self._reasoner.find_step(asked)).name or place.step
        memory.slots |= {name: Known(value, Source.CALLER, _TURN) for name, value in place.slots.items()}
        return replace(heard, step=step, slots=place.slots | await self._noted(turn, step, memory, before))

    async def _noted(self, turn: Utterance, step: str, memory: Memory, before: Exchange) -> dict[str, str]:
        playbook = self._ready.playbook
        if self._reasoner is None or not playbook.keeps_notes or not turn.slots:
            return {}
        exchanges = (before, Exchange(_TURN, turn.say, ""))
        request = TakeNotes(_CALL, playbook.ref, _TURN, step, exchanges, memory, turn.variables)
        prompt = notes_prompt(playbook, request, datetime.now(UTC).astimezone())
        told, _ = await self._reasoner.extract(prompt, notes_schema(playbook, step, memory, sums_up=False))
        return checked_notes(playbook, memory, _TURN, told, 0, Usage()).slots
