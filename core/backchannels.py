"""Short sounds and words of a listener who does not want the floor: "mhm", "okay", "genau"."""

from collections.abc import Iterable
from functools import cache
from typing import Final

from core.words import words_of

_SOUNDS: Final = "mhm|mm|mmm|mm hm|mm hmm|hm|hmm|uh huh|uhuh|uh|um|ah|aha|oh|ok|okay"
_BY_LANGUAGE: Final = {
    "en": "yes|yeah|yep|yup|right|sure|i see|got it|alright|all right|of course|huh",
    "de": "ja|jaja|genau|gut|ach so|achso|stimmt|klar|verstehe|alles klar|äh",
    "es": "sí|si|vale|claro|ya|ajá|bueno|de acuerdo|eh",
    "fr": "oui|ouais|d'accord|bien|voilà|hum|euh|bien sûr",
    "it": "sì|si|certo|va bene|esatto|capito|eh",
    "nl": "ja|oké|oke|precies|goed|klopt|eh",
    "pt": "sim|tá|ta|certo|claro|está bem|tá bom|é",
}
_GREETINGS: Final = {
    "en": "hello|hi|hey|hi there|hello there|good morning|good afternoon|good evening|speaking|anybody there",
    "de": "hallo|guten tag|guten morgen|guten abend|grüß gott|moin|servus",
    "es": "hola|diga|dígame|aló|buenas|buenos días|buenas tardes|buenas noches",
    "fr": "allô|allo|bonjour|bonsoir|salut",
    "it": "pronto|ciao|buongiorno|buonasera",
    "nl": "hallo|hoi|goedemorgen|goedemiddag|goedenavond",
    "pt": "alô|olá|oi|bom dia|boa tarde|boa noite",
}


class Backchannels:
    """Those of one language, and the playbook's own."""

    def __init__(self, language: str, more: Iterable[str] = ()) -> None:
        known = f"{_SOUNDS}|{_BY_LANGUAGE.get(language.partition('-')[0], '')}".split("|")
        self._phrases = {tuple(words_of(phrase)) for phrase in (*known, *more) if phrase}
        self._longest = max(map(len, self._phrases))

    def others_in(self, text: str) -> int:
        """How many words of the text are no backchannel."""
        words = words_of(text)
        others = at = 0
        while at < len(words):
            length = next((n for n in range(self._longest, 0, -1) if tuple(words[at : at + n]) in self._phrases), 0)
            others += not length
            at += length or 1
        return others


def only_greets(text: str, language: str) -> bool:
    """Whether it says no more than somebody who picks up a phone: "hello?"."""
    return _greetings(language.partition("-")[0]).others_in(text) == 0


@cache
def _greetings(language: str) -> Backchannels:
    return Backchannels(language, _GREETINGS.get(language, "").split("|"))
