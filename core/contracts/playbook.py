"""What a call's history keeps of its playbook."""

from dataclasses import dataclass, field, replace

from core.mood import MoodRules
from core.playbook import Playbook
from core.protected import Protected, protected_in
from core.turns import TurnTaking


@dataclass(frozen=True)
class BriefLines:
    """The fixed lines of ``PlaybookBrief`` in another language, and whose voice says them."""

    greeting: str
    welcome_back: str
    silence_prompts: tuple[str, ...]
    farewell: str
    apology: str
    holding_line: str
    fillers: tuple[str, ...]
    take_your_time: str
    helps: dict[str, str]
    voice_model: str
    mood: MoodRules


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
    languages: tuple[str, ...] = ()  # all that may be spoken, the call's first in front
    translations: dict[str, BriefLines] = field(default_factory=dict)
    protected: Protected = Protected()

    def spoken_in(self, language: str) -> "PlaybookBrief":
        """The same with its lines in another language; unchanged for the first and for one it does not have."""
        lines = self.translations.get(language)
        return replace(self, **vars(lines)) if lines else self


def brief_of(playbook: Playbook) -> PlaybookBrief:
    """What workflow and gateway need of it."""
    return PlaybookBrief(
        ref=playbook.ref,
        start_step=playbook.steps[0].name,
        **vars(_lines(playbook, playbook.language)),
        filler_after_ms=playbook.filler_after_ms,
        transfer_to=playbook.transfer_to,
        turn_taking=TurnTaking(
            language=playbook.language, languages=playbook.languages, **playbook.turn_taking.model_dump()
        ),
        min_confidence=playbook.min_confidence,
        languages=playbook.spoken,
        translations={language: _lines(playbook, language) for language in playbook.translations},
        protected=protected_in(playbook),
    )


def _lines(playbook: Playbook, language: str) -> BriefLines:
    lines = playbook.lines_in(language)
    return BriefLines(
        greeting=lines.opening,
        welcome_back=lines.welcome_back,
        silence_prompts=lines.silence_prompts,
        farewell=lines.farewell,
        apology=lines.apology,
        holding_line=lines.holding_lines[0],
        fillers=lines.fillers,
        take_your_time=lines.take_your_time,
        helps=playbook.helps_in(language),
        mood=replace(playbook.mood.rules, escalation_line=playbook.escalation_line_in(language)),
        voice_model=playbook.voice_in(language).model,
    )
