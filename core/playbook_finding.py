"""What a playbook says of how its steps are found."""

from typing import Literal

from pydantic import Field

from core.playbook_parts import Part


class StepFinding(Part):
    """What becomes of turns whose step the model had to find, and how the others are watched."""

    learn_from_calls: Literal["reviewed", "automatic", "never"] = Field(
        "reviewed",
        description="what callers said where the model found the step and they went along: an example once somebody "
        "has accepted it, at once, or never",
    )
