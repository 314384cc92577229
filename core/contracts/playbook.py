"""What a call's history keeps of its playbook."""

from dataclasses import dataclass, field

from core.mood import MoodRules
from core.playbook import Playbook
from core.turns import TurnTaking


@dataclass(frozen=True)
class PlaybookBrief:
    """What workflow and gateway need of a playbook; the rest is loaded in activities by its reference."""

    ref: str  # "name@hash"
    start_step: str
    greeting: str  # disclosure and greeting, spoken first
    welcome_back: str  # spoken when a lost media stream has come back
    silence_prompts: tuple[str, ...]  # one for each silence in a row; after the last the call ends
    farewell: str
    apology: str  # spoken when a turn cannot be answered
    holding_line: str = "One moment, please."  # while a tool takes its time
    transfer_to: str | None = None  # where a caller goes who wants or needs a person
    turn_taking: TurnTaking = TurnTaking()
    min_confidence: float = 0.5  # below it a turn's audio is transcribed again
    fillers: tuple[str, ...] = ()  # said in rotation; none: ``holding_line`` for tools only
    filler_after_ms: int = 1_200
    mood: MoodRules = MoodRules()
    voice_model: str = "eleven_flash_v2_5"  # for the bill
    take_your_time: str = ""  # to a caller who has to find something first; "": the model answers
    helps: dict[str, str] = field(default_factory=dict)  # step -> what helps a silent caller


def brief_of(playbook: Playbook) -> PlaybookBrief:
    """What workflow and gateway need of it."""
    return PlaybookBrief(
        ref=playbook.ref,
        start_step=playbook.steps[0].name,
        greeting=f"{playbook.disclosure} {playbook.greeting}".strip(),
        welcome_back=playbook.welcome_back,
        silence_prompts=playbook.silence_prompts,
        farewell=playbook.farewell,
        apology=playbook.apology,
        holding_line=playbook.holding_lines[0],
        fillers=playbook.fillers,
        filler_after_ms=playbook.filler_after_ms,
        mood=playbook.mood.rules,
        transfer_to=playbook.transfer_to,
        voice_model=playbook.voice.model,
        turn_taking=TurnTaking(language=playbook.language, **playbook.turn_taking.model_dump()),
        min_confidence=playbook.min_confidence,
        take_your_time=playbook.take_your_time,
        helps={step.name: step.help for step in playbook.steps if step.help},
    )
