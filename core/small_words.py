"""Small words that turn a sentence into another one, by language."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SmallWords:
    """Words in small letters."""

    negations: frozenset[str]
    questions: frozenset[str]
    joiners: frozenset[str]  # between two wishes


def _of(negations: str, questions: str, joiners: str) -> SmallWords:
    return SmallWords(frozenset(negations.split()), frozenset(questions.split()), frozenset(joiners.split()))


SMALL_WORDS: Final = {
    "en": _of(
        "no not never without nothing none neither nor cannot",
        "how what when where which who whom whose why",
        "and but",
    ),
    "de": _of(
        "nein nicht kein keine keinen keinem keiner nie niemals ohne nichts weder",
        "wie was wann wo wohin woher welche welcher welches welchen wer wem wen wessen warum wieso wozu wieviel",
        "und aber",
    ),
    "fr": _of(
        "non ne pas jamais sans aucun aucune rien ni",
        "comment quand où quel quelle quels quelles qui que quoi pourquoi combien",
        "et mais",
    ),
    "es": _of(
        "no nunca jamás sin nada ningún ninguna ninguno ni tampoco",
        "cómo qué cuándo dónde cuál cuáles quién cuánto cuánta cuántos cuántas",
        "y e pero",
    ),
    "it": _of(
        "no non mai senza niente nulla nessun nessuna nessuno né",
        "come cosa quando dove quale quali chi perché quanto quanta quanti quante",
        "e ed ma",
    ),
    "nl": _of(
        "nee niet geen nooit zonder niets noch",
        "hoe wat wanneer waar welke welk wie waarom hoeveel",
        "en maar",
    ),
    "pt": _of(
        "não nunca jamais sem nada nenhum nenhuma nem",
        "como que quando onde qual quais quem porquê quanto quanta quantos quantas",
        "e mas",
    ),
}
