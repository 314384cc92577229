"""Playbooks that learn from calls while calls go on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from activities.playbook_shelf import PlaybookShelf
from activities.step_learning import StepLearning
from core.auditing import Audit
from core.growth import version_of
from core.learnt_steps import Example, LearntSteps, learn
from core.ngrams import NgramEmbedder
from core.playbook import Playbook
from core.playbook_parts import Canned
from core.ports.errors import StorageUnavailable
from core.ports.step_examples import StepFit
from core.ports.step_fits import StepFits
from storage.step_examples import SqlStepExamples
from tests.core.test_learnt_steps import EXAMPLES
from tests.world.fakes import FakePlaybooks
from tests.world.playbook import orders

PINCHES = [("returns", f"the {what} pinch me dreadfully") for what in ("shoes", "boots", "gloves", "jeans", "hats")]


class Fits(StepFits):
    """Learns at once, in this process; ``fails`` as a process that was killed."""

    def __init__(self) -> None:
        self.asked: list[tuple[Example, ...]] = []
        self.fails = False

    async def learnt(self, own: Sequence[Example], grown: Sequence[Example] = ()) -> LearntSteps | None:
        examples = (*own, *grown)
        self.asked.append(examples)
        fit = None if self.fails else learn(examples, NgramEmbedder(), own=len(own))
        return LearntSteps(fit, NgramEmbedder(), examples) if fit else None


class Examples(SqlStepExamples):
    """A list in memory; ``away`` as a database that cannot be reached."""

    def __init__(self) -> None:
        self.known: list[Example] = []
        self.noted: list[StepFit] = []
        self.away = False
        self.audited: list[Audit] = []

    async def accepted(self, playbook: str) -> Sequence[Example]:
        if self.away:
            raise StorageUnavailable("away")
        return list(self.known)

    async def audits(self, playbook: str, since_ms: float) -> Sequence[Audit]:
        if self.away:
            raise StorageUnavailable("away")
        return list(self.audited)

    async def note_fit(self, fit: StepFit) -> None:
        self.noted.append(fit)


@dataclass
class Learner:
    fits: Fits = field(default_factory=Fits)
    examples: Examples = field(default_factory=Examples)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.playbook = taught_orders()
        self.learning = StepLearning(self.fits, self.examples, look_again_s=60.0, clock=lambda: self.now)
        self.shelf = PlaybookShelf(FakePlaybooks(self.playbook), learning=self.learning)

    async def step_of(self, text: str) -> str | None:
        """What a turn would find now; what it sets off has ended."""
        ready = await self.shelf.get(self.playbook.ref)
        found = ready.finder.find(text, "order_status").name
        await self.learning.settled()
        return found


def taught_orders() -> Playbook:
    playbook = orders()
    own = {name: tuple(text for step, text in EXAMPLES if step == name) for name, _ in EXAMPLES}
    steps = [step.model_copy(update={"examples": own.get(step.name, step.examples)}) for step in playbook.steps]
    return playbook.model_copy(update={"steps": tuple(steps)})


async def test_accepted_examples_reach_live_calls_without_a_new_version() -> None:
    learner = Learner()
    said = "these sandals pinch me dreadfully"
    assert await learner.step_of(said) is None
    learner.examples.known = [*PINCHES]
    learner.now = 59.0
    await learner.step_of(said)
    assert len(learner.fits.asked) == 1  # nobody has looked yet
    learner.now = 61.0
    assert await learner.step_of(said) is None  # this turn set it off, and did not wait for it
    assert await learner.step_of(said) == "returns"
    assert [(fit.examples, fit.grown) for fit in learner.examples.noted] == [(19, 0), (24, 5)]
    assert learner.examples.noted[-1].version == version_of(learner.fits.asked[-1])


async def test_nothing_is_learnt_again_as_long_as_nothing_is_new() -> None:
    learner = Learner()
    for now in (0.0, 61.0, 122.0):
        learner.now = now
        await learner.step_of("anything")
    assert len(learner.fits.asked) == 1


async def test_a_database_that_is_away_costs_no_call_and_is_asked_again() -> None:
    learner = Learner()
    learner.examples.away, learner.examples.known = True, PINCHES
    await learner.step_of("has my parcel shipped")
    assert await learner.step_of("has my parcel shipped") == "order_status"
    learner.examples.away, learner.now = False, 61.0
    await learner.step_of("anything")
    assert await learner.step_of("these sandals pinch me dreadfully") == "returns"


async def test_learning_that_fails_is_tried_again_and_leaves_what_was_learnt_before() -> None:
    learner = Learner()
    await learner.step_of("anything")
    learner.fits.fails, learner.examples.known = True, PINCHES
    learner.now = 61.0
    await learner.step_of("anything")
    assert await learner.step_of("has my parcel shipped") == "order_status"
    learner.fits.fails, learner.now = False, 130.0
    await learner.step_of("anything")
    assert await learner.step_of("these sandals pinch me dreadfully") == "returns"


async def test_learning_takes_no_more_than_its_share_of_a_processor() -> None:
    learner = Learner()

    class Slow(Fits):
        async def learnt(self, own: Sequence[Example], grown: Sequence[Example] = ()) -> LearntSteps | None:
            learner.now += 30.0
            return await super().learnt(own, grown)

    learner.fits = Slow()
    learner.__post_init__()
    await learner.step_of("anything")
    learner.examples.known = PINCHES
    learner.now = 300.0
    await learner.step_of("anything")
    assert len(learner.fits.asked) == 1
    learner.now = 631.0
    await learner.step_of("anything")
    assert len(learner.fits.asked) == 2


async def test_the_questions_of_canned_answers_are_learnt_too() -> None:
    learner = Learner()
    asked = tuple(f"until when may I return {what}" for what in ("shoes", "a jacket", "gloves", "my order", "a hat"))
    returns = learner.playbook.step("returns")
    returns = returns.model_copy(update={"canned": (Canned(examples=asked, answer="You have 30 days."),)})
    steps = tuple(returns if step.name == "returns" else step for step in learner.playbook.steps)
    learner.playbook = learner.playbook.model_copy(update={"steps": steps})
    learner.shelf = PlaybookShelf(FakePlaybooks(learner.playbook), learning=learner.learning)
    await learner.step_of("anything")
    canned = (await learner.shelf.get(learner.playbook.ref)).canned
    assert canned.learnt
    (found,) = canned.learnt.decide(["until when may I return gloves"], {"returns", "returns/0"})
    assert found.likeliest == "returns/0"


async def test_steps_have_to_be_surer_while_the_model_disagrees_too_often() -> None:
    learner = Learner()
    said = "Where is my order?"
    assert await learner.step_of(said) == "order_status"
    learner.examples.audited, learner.now = [Audit("lexical", 1.0, agreed=False)] * 60, 61.0
    await learner.step_of("anything")
    unlike = "my jacket order has not come yet"
    assert await learner.step_of(unlike) is None
    learner.examples.audited, learner.now = [Audit("lexical", 1.0, agreed=True)] * 60, 122.0
    await learner.step_of("anything")
    assert await learner.step_of(unlike) == "order_status"


async def test_bars_stay_while_the_database_is_away() -> None:
    learner = Learner()
    learner.examples.audited = [Audit("lexical", 1.0, agreed=False)] * 60
    await learner.step_of("anything")
    learner.examples.away, learner.now = True, 61.0
    await learner.step_of("anything")
    assert await learner.step_of("my jacket order has not come yet") is None
