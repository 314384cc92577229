"""What a call's history keeps of its playbook's rules for turns that are unclear or ask for several things."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class AgendaRules:
    """Without them, as in calls of before: nobody is asked, and one turn has one step."""

    keeps: bool = False  # wishes that were said with others, and steps that were left half done
    comes_back: bool = False  # to such steps, without being asked
    most_unclear: int = 0  # turns in a row; with this one a person takes over; 0: never
    tools: dict[str, tuple[str, ...]] = field(default_factory=dict)  # step -> those that do its work
