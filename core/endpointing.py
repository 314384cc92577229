"""Has the caller finished? By the kind of answer that is expected, and by how the words so far end.

A recogniser says when it takes a turn for ended. What it takes for an end may be a pause: "my number is ... 4 5 ...".
"""

import re
from dataclasses import dataclass
from typing import Final

from core.wishes import asks_only_for_time
from core.words import words_of

UNFINISHED_MS: Final = 1_500.0  # of quiet after words that ask for more: pauses of a second are bridged
SETTLED: Final = 0.0


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """How one kind of answer is waited for. None: as the playbook's turn-taking says."""

    threshold: float | None = None  # at a recogniser that decides turns by itself (Flux: eot_threshold)
    timeout_ms: int | None = None  # .. and ends them all the same after so much silence (Flux: eot_timeout_ms)
    pause_ms: float = SETTLED  # of quiet, though the words could be all


ANSWERS: Final = {
    "open": AnswerKind(),  # anything
    "yes_no": AnswerKind(threshold=0.5, timeout_ms=1_000),  # one word, soon over
    "number": AnswerKind(threshold=0.8, pause_ms=1_300.0),  # digits in groups; none is waited for once all are there
    "spelling": AnswerKind(threshold=0.8, pause_ms=1_300.0),  # letter by letter: names, codes
    "address": AnswerKind(threshold=0.8, pause_ms=1_300.0),  # in pieces: street, town, code
}
"""The kinds of answers a playbook can expect (``expects``)."""

GROUPED: Final = frozenset({"number", "spelling", "address"})
"""Kinds that come in pieces."""

_DIGIT_WORDS: Final[dict[str, frozenset[str]]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "zero oh one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty"
        " seventy eighty ninety",
        "de": "null eins zwei zwo drei vier fünf sechs sieben acht neun",
        "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "fr": "zéro un deux trois quatre cinq six sept huit neuf",
        "it": "zero uno due tre quattro cinque sei sette otto nove",
        "nl": "nul een twee drie vier vijf zes zeven acht negen",
        "pt": "zero um uma dois duas três quatro cinco seis meia sete oito nove",
    }.items()
}
# Words that end no sentence.
_LEADS_ON: Final[dict[str, frozenset[str]]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "a an the my your his our their and or but so because if of for from with um uh it's i'm that's",
        "de": "der die das ein eine mein meine und oder aber weil wenn von zu für mit aus ähm lautet heißt",
        "es": "el la los las un una mi y o pero porque de para con eh pues",
        "fr": "le la les un une mon ma et ou mais parce de à pour avec c'est euh donc",
        "it": "il lo la un una mio mia e o ma perché di per con ehm allora",
        "nl": "de het een mijn en of maar omdat van naar voor met eh dus",
        "pt": "o a os as um uma meu minha e ou mas porque de para com é então",
    }.items()
}
# .. and those that do so after a pronoun ("yes, it is"), but not after a noun ("my number is").
_LINKS: Final = re.compile(r"^(?:is|are|was|ist|sind|war|es|son|est|sont|è|sono|zijn|são)$")
_PRONOUNS: Final = re.compile(
    r"^(?:it|they|that|this|he|she|we|you|there|i|who|what|where|das|es|sie|er|wir|ich|lo|ella|él|ce|il|elle|dat|hij)$"
)
_TRAILS_OFF: Final = re.compile(r"(?:,|…|\.\.|-|:)\s*$")


@dataclass(frozen=True, slots=True)
class Expected:
    """The answer that is expected now."""

    kind: str = "open"  # of ANSWERS
    digits: int = 0  # of a number; 0: not known
    pause_ms: int = 0  # how much longer than usual this caller's pauses may be
    language: str = "en"


def patience_ms(text: str, expected: Expected) -> float:
    """How long to wait after the end of speech before these words are a turn; 0: they are one."""
    language = expected.language.partition("-")[0]
    if _TRAILS_OFF.search(text) or _leads_on(text, expected.kind, language) or asks_only_for_time(text, language):
        return UNFINISHED_MS + expected.pause_ms
    digits = digits_in(text, language)
    if expected.digits and 0 < digits < expected.digits:
        return UNFINISHED_MS + expected.pause_ms
    pause_ms = ANSWERS[expected.kind].pause_ms
    if expected.kind == "number" and (digits == 0 or 0 < expected.digits <= digits):
        pause_ms = SETTLED  # all of it is there, or something else was said
    return pause_ms + expected.pause_ms


def _leads_on(text: str, kind: str, language: str) -> bool:
    words = words_of(text)
    if not words or text.rstrip().endswith("?"):
        return False
    if _LINKS.match(words[-1]):
        return kind in GROUPED or not _PRONOUNS.match(words[-2] if len(words) > 1 else "")
    return words[-1] in _LEADS_ON.get(language, frozenset())


def digits_in(text: str, language: str) -> int:
    """How many digits were said, as figures or as words."""
    spoken = _DIGIT_WORDS.get(language.partition("-")[0], frozenset())
    return sum(character.isdigit() for character in text) + sum(word in spoken for word in words_of(text))
