"""The rule-based model in other languages than English: few words, but the right ones to keep a call going."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_CALL = re.compile(r"The language of the call is '(\w\w)")


@dataclass(frozen=True, slots=True)
class Phrases:
    """What is said, and what is understood, in one language."""

    heard: str  # {} is a number or a word of the caller's
    understood: str
    ask: str
    told: str  # {} is what a tool has answered
    failed: str
    anything_else: str
    goodbye: str
    transfer: str
    says_goodbye: re.Pattern[str]
    wants_person: re.Pattern[str]


_PHRASES: Final = {
    "es": Phrases(
        heard="De acuerdo, he oído {}.",
        understood="De acuerdo.",
        ask="¿Me puede dar el número, por favor?",
        told="Aquí lo tengo: {}.",
        failed="Lo siento, no ha funcionado.",
        anything_else="¿Puedo ayudarle en algo más?",
        goodbye="De nada. ¡Que tenga un buen día, adiós!",
        transfer="Claro, le paso ahora mismo.",
        says_goodbye=re.compile(r"\b(?:adiós|nada más|eso es todo|hasta luego)\b", re.I),
        wants_person=re.compile(r"\b(?:una persona|un agente|un representante|alguien real)\b", re.I),
    ),
    "de": Phrases(
        heard="In Ordnung, ich habe {} verstanden.",
        understood="In Ordnung.",
        ask="Können Sie mir bitte die Nummer geben?",
        told="Hier habe ich es: {}.",
        failed="Das hat leider nicht geklappt.",
        anything_else="Kann ich sonst noch etwas für Sie tun?",
        goodbye="Gern geschehen. Einen schönen Tag noch, auf Wiederhören!",
        transfer="Gern, ich verbinde Sie jetzt.",
        says_goodbye=re.compile(r"\b(?:tschüss|auf wiederhören|das ist alles|das war alles|nichts mehr)\b", re.I),
        wants_person=re.compile(r"\b(?:einem menschen|einer person|einem mitarbeiter|jemand echtem)\b", re.I),
    ),
}


def phrases_of(system: str) -> Phrases | None:
    """The phrases of the language that the prompt names; None for English and those that are not known here."""
    found = _CALL.search(system)
    return _PHRASES.get(found[1]) if found else None


def tell(phrases: Phrases, results: Sequence[dict[str, object] | None]) -> str:
    """What tools have answered: the values, which need no translation."""
    told = []
    for result in results:
        values = [str(value) for value in (result or {}).values() if isinstance(value, str | int) and value != ""]
        told.append(phrases.told.format(", ".join(values)) if values else phrases.failed)
    return f"{' '.join(told)} {phrases.anything_else}"
