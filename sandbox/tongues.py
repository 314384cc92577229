"""Which languages a text is in, by its small words: what the recogniser goes by, and what the model answers in."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

_SMALL_WORDS: Final = {
    "en": """a about and are can do for has have hello hi how i in is it like me my need no not of on order please speak
        thank thanks that the this to want was we what when where which with would yes you your""",
    "es": """adiós con cómo cuándo cuál de del dónde el ella en es está esto gracias hablar hola la las los me mi
        muchas necesito nada no número para pedido por puede que qué quiero quisiera se sí su tengo todo un una yo""",
    "de": """auf bestellung bitte danke das dem den der die ein eine es guten hallo hat ich ihre ist ja kann kein können
        meine meiner mit möchte nein nicht nummer sie sprechen tag tschüss und von wann war was wie wo zu""",
    "fr": """au aux avec bonjour c'est dans de des du elle est et il je la le les ma merci mon ne non nous où oui
        par pas pour quand que qui s'il sa son sur un une voudrais vous""",
    "it": """buongiorno che ci come con da del della di dove e grazie ho il in io la le mi mia mio non ordine per più
        quando si sono un una vorrei""",
    "pt": """a as com da de do e ela em está eu gostaria isso meu minha muito não o obrigado olá onde os para pedido por
        quando que quero sim um uma você""",
    "nl": """de dank een en goedendag het hallo heb ik in is kan mijn naar nee niet nu op van waar wanneer wat wil""",
}
_KNOWN: Final = {language: frozenset(words.split()) for language, words in _SMALL_WORDS.items()}
_WORDS: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def languages_of(text: str, known: Sequence[str] = ()) -> list[str]:
    """The languages of a text, the most spoken first; [] if it does not tell ("48213").

    A word that several languages have counts for those that the rest of the text speaks for. ``known``: no others.
    """
    words = _WORDS.findall(text.lower().replace("’", "'"))
    choice = [language for language in _KNOWN if not known or language in {name[:2] for name in known}]
    counts = Counter({language: sum(word in _KNOWN[language] for word in words) for language in choice})
    alone = Counter(
        language
        for word in words
        if len(owners := [language for language in choice if word in _KNOWN[language]]) == 1
        for language in owners
    )
    told = {language: counts[language] for language in choice if alone[language]}
    return sorted(told, key=lambda language: -told[language])
