"""What a playbook says of how its steps are found."""

from typing import Literal

from pydantic import Field

from core.playbook_parts import Part


class StepFinding(Part):
    """What becomes of turns whose step the model had to find, and how the others are watched."""

    learn_from_calls: Literal["reviewed", "automatic", "never"] = Field(
        "reviewed",
        description="what callers said where the model found the step and they went along: an example once somebody "
        "has accepted it, or never; automatic: at once, and so are turns whose step the words alone told",
    )
    clarify_below: float = Field(
        0.5,
        ge=0,
        le=0.95,
        description="a turn of whose step the model is less sure than this is asked about; 0: never",
    )
    audit: float = Field(
        0.03,
        ge=0,
        le=1,
        description="the share of turns found without the model that it judges once the call is over; where it "
        "disagrees too often, steps have to be surer to be found without it",
    )
