"""What a playbook learns from its calls: turns become examples of the step they belonged to, or of none. Pure."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

from core.agenda import NO_STEP, OFF_TOPIC
from core.auditing import WITHOUT_MODEL
from core.conversation import CANNED, TurnRecord
from core.learnt_steps import Example, distinct
from core.likeness import telling_words
from core.steps import is_number, numbers_in
from core.words import words_of

SURE: Final = 0.7  # of the step, by the model: below it even a caller who goes along proves little
CLEAR: Final = 0.85  # of a step that was found without the model: what is learnt from a wrong one makes others wrong
CLEARLY_HEARD: Final = 0.6  # of the words, by the recogniser
FEWEST_TELLING: Final = 2  # words; "yes please" belongs to every step
A_NUMBER: Final = 3  # words such as "four eight two" in a row
MOST_WORDS: Final = 30  # what is longer speaks of several things
MOST_OF_A_STEP: Final = 150  # grown examples that are learnt from, the newest
MOST_IN_ALL: Final = 3_000  # of them: learning takes a minute then

_CORRECTIONS: Final = re.compile(
    r"^(?:no |oh |sorry |but |wait )*(?:"
    r"(?:no )?not that|(?:that's|that is|this is|it's) (?:not|wrong)|(?:i|we) (?:said|meant|mean|asked|didn't|did not)|"
    r"you (?:misunderst\w+|didn't|did not|don't understand|got)|(?:that|this) isn't|wrong|listen|"
    r"nein (?:ich|das|nicht)|das (?:meinte|wollte|habe) ich nicht|ich (?:meinte|meine|sagte|wollte)|falsch|"
    r"eso no|no es eso|(?:yo )?(?:dije|quise decir|quería)|non (?:je|ce|pas)|ce n'est pas|je (?:voulais|disais)|"
    r"pas (?:ça|cela))\b"
)


class Review(StrEnum):
    """What has become of an example that a call has brought."""

    NEW = "new"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Grown:
    """What a caller said, fit to be an example of a step, or of NO_STEP."""

    turn: int
    step: str
    text: str
    confidence: float
    clear: bool = False  # the words alone told


def grown_from(turns: Sequence[TurnRecord], *, ended_well: bool, decided: bool) -> list[Grown]:
    """The turns of a call that teach something: the words alone did not tell the step, the model did, and the caller
    went along with it.

    Args:
        ended_well: whether the call came to its end by itself, which confirms its last turn.
        decided: turns whose step the words alone told teach, too. What only hard turns have taught takes hard turns
            for the usual ones.
    """
    spoken = [turn for turn in turns if turn.caller]
    return [
        Grown(turn.turn, _label(turn), text, turn.step_confidence, clear=not turn.fallback)
        for before, turn, after in zip([None, *spoken], spoken, [*spoken[1:], None], strict=False)
        if turn.fallback or (decided and _is_clear(turn))
        if not turn.matters and _is_sure(turn) and (text := as_example(turn.caller))
        if (ended_well if after is None else _goes_along(before, turn, after))
    ]


def as_example(text: str) -> str:
    """The words without the caller's own numbers and addresses; "" if they tell nothing about a step."""
    if is_number(text) or len(telling_words(text)) < FEWEST_TELLING or len(text.split()) > MOST_WORDS:
        return ""
    kept: list[str] = []
    for private, group in groupby(text.split(), _may_be_private):
        words = list(group)
        told = not private or not (len(words) >= A_NUMBER or any(_is_private(word) for word in words))
        kept += words if told else ["0"]
    return " ".join(kept)


def example_id(playbook: str, step: str, text: str) -> str:
    """The same for the same words in the same step of any version of a playbook."""
    plain = " ".join(words_of(text))
    return hashlib.sha256(f"{playbook}\n{step}\n{plain}".encode()).hexdigest()[:24]


def taught(own: Iterable[Example], grown: Iterable[Example]) -> tuple[Example, ...]:
    """What is learnt from: the playbook's own examples, which count where calls say otherwise, and those of its calls.

    Args:
        grown: newest first, of steps or NO_STEP; those of steps that the playbook does not have any more teach nothing.
    """
    written = distinct(own)
    steps = {step for step, _ in written}
    room = Counter(dict.fromkeys(steps, min(MOST_OF_A_STEP, MOST_IN_ALL // max(1, len(steps)))))
    room[NO_STEP] = MOST_OF_A_STEP
    added: list[Example] = []
    for step, text in grown:
        if room[step] > 0:
            room[step] -= 1
            added.append((step, text))
    return distinct((*written, *added))


def version_of(examples: Iterable[Example]) -> str:
    """Names what is learnt from exactly these."""
    return hashlib.sha256(repr(sorted(examples)).encode()).hexdigest()[:12]


def _label(turn: TurnRecord) -> str:
    return NO_STEP if turn.step_method == OFF_TOPIC else turn.step


def _is_clear(turn: TurnRecord) -> bool:
    by_words = turn.step_method in WITHOUT_MODEL and turn.answer_method != CANNED
    return by_words and turn.step_confidence >= CLEAR


def _is_sure(turn: TurnRecord) -> bool:
    return turn.step_confidence >= SURE and turn.confidence >= CLEARLY_HEARD


def _goes_along(before: TurnRecord | None, turn: TurnRecord, after: TurnRecord) -> bool:
    """Whether the caller heard an answer in this step, and neither corrected it nor went straight back."""
    went_back = before is not None and after.step == before.step != turn.step
    corrected = _CORRECTIONS.match(" ".join(words_of(after.caller))) is not None
    return bool(turn.heard) and not went_back and not corrected


def _may_be_private(word: str) -> bool:
    return _is_private(word) or bool(numbers_in(words_of(word)))


def _is_private(word: str) -> bool:
    return "@" in word or any(char.isdigit() for char in word)
