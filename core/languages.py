"""Which of a playbook's languages a caller wants: heard from turn to turn, or asked for in words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

IN_A_ROW: Final = 2  # turns in another language before the call goes over to it
SURE_WORDS: Final = 7  # of one turn, all in another language: no need to wait for the next

_NAMES: Final = {
    "ar": "arabic árabe arabisch arabe arabo عربي",
    "de": "german deutsch alemán aleman allemand tedesco alemão duits niemiecki",
    "en": "english inglés ingles englisch anglais inglese inglês engels angielski",
    "es": "spanish español espanol castellano spanisch espagnol spagnolo espanhol spaans",
    "fr": "french français francais francés frances französisch francese francês frans",
    "hi": "hindi हिन्दी",
    "it": "italian italiano italienisch italien italiaans",
    "ja": "japanese japonés japanisch japonais 日本語",
    "ko": "korean coreano koreanisch coréen 한국어",
    "nl": "dutch nederlands holandés holländisch niederländisch néerlandais olandese",
    "pl": "polish polski polaco polnisch polonais polacco",
    "pt": "portuguese português portugues portugués portugiesisch portugais portoghese",
    "ru": "russian русский ruso russisch russe russo",
    "sv": "swedish svenska sueco schwedisch suédois svedese",
    "tr": "turkish türkçe turco türkisch turc",
    "uk": "ukrainian українська українською ucraniano ukrainisch ukrainien",
    "vi": "vietnamese việt vietnamita vietnamesisch vietnamien",
    "zh": "chinese mandarin chino chinesisch chinois cinese 中文 普通话",
}
_SPEAK: Final = frozenset(
    """
    speak talk switch change continue habla hablas hablar hable hablo hablamos seguir cambiar
    sprechen sprichst spreche reden weiter parler parlez continuer parlare parla parliamo falar fala spreken praten
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_BEFORE: Final = frozenset("in en auf em po på want prefer quiero prefiero möchte".split())  # noqa: SIM905
_POLITE: Final = frozenset(
    "please now instead por favor ahora mejor bitte jetzt lieber s'il vous plaît per favore adesso alsjeblieft".split()  # noqa: SIM905
)
_NOT: Final = frozenset("no not don't doesn't can't cannot nicht kein keine pas non não nie".split())  # noqa: SIM905
_WORDS: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_NEAR: Final = 4  # words between "speak" and the language's name


@dataclass(frozen=True)
class Leaning:
    """The caller's last turns in a row were in this other language. "": in the call's own."""

    language: str = ""
    turns: int = 0


def lean(leaning: Leaning, heard: Sequence[str], words: int, current: str, known: Sequence[str]) -> tuple[Leaning, str]:
    """What another turn changes: the new leaning, and the language the call goes over to ("": it stays).

    Args:
        heard: what the recogniser says of the turn, the most spoken first; () if it cannot tell ("4 8 2").
        words: how many the turn has.
        current: the call's language.
        known: the playbook's.
    """
    spoken = [found for language in heard if (found := _known(language, known))]
    if not spoken:
        return leaning, ""
    most = spoken[0]
    if most == current:
        return Leaning(), ""
    turns = leaning.turns + 1 if leaning.language == most else 1
    sure = len(heard) == 1 and words >= SURE_WORDS
    return (Leaning(), most) if sure or turns >= IN_A_ROW else (Leaning(most, turns), "")


def asked_for(text: str, known: Sequence[str]) -> str:
    """The one language of the playbook that the caller asks for by name; "" if none."""
    words = _WORDS.findall(text.lower().replace("’", "'"))
    names = {name: language for language in known for name in _NAMES.get(language[:2], "").split()}
    places = [place for place, word in enumerate(words) if word in names]
    found = {
        names[words[place]]
        for last, place in zip([-1, *places], places, strict=False)
        if _is_wanted(words[max(last + 1, place - _NEAR) : place], words[place + 1 :])
    }
    return found.pop() if len(found) == 1 else ""


def _is_wanted(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether a name between these words is a wish, and not, say, where a guitar comes from."""
    if _NOT.intersection(before):
        return False
    if _SPEAK.intersection(before):
        return True
    polite = bool(after) and after[0] in _POLITE
    return polite or (not after and (not before or before[-1] in _BEFORE))


def _known(language: str, known: Sequence[str]) -> str:
    """The playbook's name of a language that a recogniser has named: "es-MX" may be "es" here."""
    return next((own for own in known if own == language or own[:2] == language[:2]), "")
