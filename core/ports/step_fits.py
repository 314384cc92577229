"""Where what was learnt from examples comes from: it takes seconds, so not from the process that has calls."""

from collections.abc import Sequence
from typing import Protocol

from core.learnt_steps import Example, LearntSteps


class StepFits(Protocol):
    """Learns elsewhere, and keeps what was learnt."""

    async def learnt(self, own: Sequence[Example], grown: Sequence[Example] = ()) -> LearntSteps | None:
        """What examples teach; None if they are too few, or learning failed (which is logged).

        Args:
            own: what somebody has written for its step.
            grown: what calls have brought; some of it may be wrong.
        """
        ...
