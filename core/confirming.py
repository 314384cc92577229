"""Yes, no and "cancel that", found in the caller's words without a model. Unsure is unsure: a yes moves things."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.words import words_of


class Verdict(StrEnum):
    """What the caller's words mean for what was read back."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class _Tongue:
    yes: str  # one of these alone, or several in a row, is a yes
    no: str  # wherever it stands, it is no yes; in front it is a no
    but: str  # takes a yes back, or asks for something else
    withdraws: str  # takes back what was just done


_FILLERS: Final = (
    r"(?:oh|uh|um|ah|eh|hm|mhm|well|so|okay|ok|please|thanks|thank you|danke|bitte|gracias|por favor|merci)"
)
_TONGUES: Final = {
    "en": _Tongue(
        yes=r"yes|yeah|yep|yup|sure|correct|right|exactly|absolutely|definitely|confirmed|perfect|great|fine|good|"
        r"that's|that|is|it's|it|sounds|right|all|of course|go ahead|do it|do that|please do|i confirm|i do|"
        r"you got it|mhm|uh huh|okay|ok",
        no=r"no|nope|nah|not|don't|do not|never|wrong|incorrect|isn't|stop|wait|cancel|forget",
        but=r"but|except|instead|actually|rather|only|if|unless|what|which|when|where|how|why|or",
        withdraws=r"(?:no |oh |wait |sorry |actually |please |and )*(?:(?:please )?(?:cancel|undo|reverse|take back|"
        r"scrap|revert) (?:that|it|this)|(?:take|turn) (?:that|it) back|never ?mind|forget (?:it|that|about it)|"
        r"i (?:have )?changed my mind|don't do (?:that|it)|i don't want (?:that|it)(?: any ?more)?)"
        r"(?: (?:please|again|after all|then|sorry|thanks|i changed my mind))*",
    ),
    "de": _Tongue(
        yes=r"ja|jawohl|genau|richtig|stimmt|korrekt|passt|gern|gerne|klar|sicher|so|das|ist|es|gut|einverstanden|"
        r"machen sie das|perfekt|in ordnung|okay|ok",
        no=r"nein|nee|nicht|kein|keine|falsch|halt|stopp|moment|warten|lieber",
        but=r"aber|sondern|außer|wenn|falls|was|welche|wann|wo|wie|warum|oder|doch",
        withdraws=r"(?:nein |ach |doch |bitte )*(?:(?:machen sie|mach) das (?:bitte )?rückgängig|"
        r"stornieren sie das|(?:doch )?(?:lieber )?nicht|vergessen sie(?: es| das)?|"
        r"ich habe es mir anders überlegt)(?: bitte| wieder)*",
    ),
    "es": _Tongue(
        yes=r"sí|si|claro|correcto|correcta|exacto|exactamente|eso es|está bien|vale|de acuerdo|así es|adelante|"
        r"perfecto|hágalo|confirmo|es|ok|okay",
        no=r"no|nunca|mal|incorrecto|espere|pare|tampoco",
        but=r"pero|excepto|sino|si no|qué|cuál|cuándo|dónde|cómo|por qué|o",
        withdraws=r"(?:no |ay |perdón |mejor )*(?:cancél[ae]lo|anúlelo|deshágalo|olvídelo|déjelo|"
        r"he cambiado de opinión|cambié de opinión)(?: por favor)*",
    ),
    "fr": _Tongue(
        yes=r"oui|ouais|exact|exactement|correct|d'accord|c'est ça|c'est bien ça|c'est|ça|juste|parfait|bien sûr|"
        r"bien|tout à fait|allez y|je confirme|ok|okay",
        no=r"non|pas|jamais|faux|attendez|stop|arrêtez",
        but=r"mais|sauf|plutôt|quoi|quel|quelle|quand|où|comment|pourquoi|ou|si",
        withdraws=r"(?:non |ah |pardon |finalement )*(?:annulez(?: ça| cela)?|oubliez(?: ça)?|laissez tomber|"
        r"j'ai changé d'avis)(?: s'il vous plaît)*",
    ),
}
_MOST_WORDS: Final = 8
"""More than these hold more than a yes."""


def verdict_in(text: str, language: str) -> Verdict:
    """Whether the caller confirms what was read back."""
    tongue = _TONGUES.get(language.partition("-")[0])
    spoken = words_of(text)
    if tongue is None or not spoken or "?" in text:
        return Verdict.UNCLEAR
    said = " ".join(spoken)
    if re.search(rf"\b(?:{tongue.no})\b", said):
        return Verdict.NO if re.match(rf"(?:{_FILLERS} )*(?:{tongue.no})\b", said) else Verdict.UNCLEAR
    if len(spoken) > _MOST_WORDS or re.search(rf"\b(?:{tongue.but})\b", said):
        return Verdict.UNCLEAR
    words = rf"(?:{tongue.yes}|{_FILLERS})"
    sure = re.search(rf"\b(?:{_SURE[language.partition('-')[0]]})\b", said)
    return Verdict.YES if sure and re.fullmatch(rf"{words}(?: {words})*", said) else Verdict.UNCLEAR


_SURE: Final = {
    "en": r"yes|yeah|yep|yup|sure|correct|right|exactly|absolutely|definitely|confirmed|go ahead|do it|do that|"
    r"please do|i confirm|of course|uh huh|sounds good|that's fine|perfect|okay|ok",
    "de": r"ja|jawohl|genau|richtig|stimmt|korrekt|passt|gern|gerne|einverstanden|machen sie das|in ordnung|okay|ok",
    "es": r"sí|si|claro|correcto|correcta|exacto|exactamente|eso es|está bien|vale|de acuerdo|así es|adelante|"
    r"hágalo|confirmo|ok|okay",
    "fr": r"oui|ouais|exact|exactement|correct|d'accord|c'est ça|c'est bien ça|bien sûr|tout à fait|allez y|"
    r"je confirme|ok|okay",
}
"""At least one of these has to be among the words of a yes."""


def withdraws(text: str, language: str) -> bool:
    """Whether the caller says nothing but that what was just done is to be taken back."""
    tongue = _TONGUES.get(language.partition("-")[0])
    return tongue is not None and re.fullmatch(tongue.withdraws, " ".join(words_of(text))) is not None
