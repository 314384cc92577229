"""What the rule-based model can read out of words: numbers, days, times, yes and no, keywords."""

import re
from collections.abc import Iterable

_STOP_WORDS = """
    a about again all am an and any anything are as at be because been but by call calling can could did do does
    for from get give go going good got had has have he hear hello help her here hey hi him his how i if in is
    it its just know let like make may me might minutes moment more much must my need no not nothing now of off
    oh ok okay on one or our out please possible put right say see she should so some somebody someone something
    sorry tell than thank thanks that the their them then there these they thing this to today told too uh um us
    very want was we well were what when where which who why will with would yeah yes you your yours
    that's it's let's there's what's i'm i'd i'll i've we're we'd
"""
_TOKEN = re.compile(r"\s?\w{1,6}|\s?[^\w\s]|\s+")
_STOP = frozenset(_STOP_WORDS.split())
_UNIT_WORDS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
"""
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS = {word: value for value, word in enumerate(_UNIT_WORDS.split())} | {"oh": 0}
_TENS = {word: 10 * value for value, word in enumerate(_TENS_WORDS.split(), 2)}
_DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_DAY = re.compile(
    rf"\b(?:(?:next |this )?(?:{_DAYS})|tomorrow|today|next week|the day after tomorrow"
    rf"|(?:{_MONTHS}) (?:the )?\d{{1,2}}(?:st|nd|rd|th)?|(?:the )?\d{{1,2}}(?:st|nd|rd|th)(?: of (?:{_MONTHS}))?)\b",
    re.I,
)
_TIME = re.compile(
    r"\b(?:\d{1,2}(?::\d{2})? ?(?:a\.?m|p\.?m)\b\.?|\d{1,2}:\d{2}|\d{1,2} o'clock|noon|midday"
    rf"|(?:{'|'.join(_UNITS)}) (?:o'clock|thirty|a\.?m\.?|p\.?m\.?)"
    r"|(?:in the )?(?:morning|afternoon|evening))",
    re.I,
)
_YES = re.compile(
    r"\b(?:yes|yeah|yep|sure|of course|correct|exactly|absolutely|okay|ok|fine|works|perfect|please do|i can make it"
    r"|i will be there|i'll be there|sounds good|that's right|definitely)\b",
    re.I,
)
_NO = re.compile(r"\b(?:no|nope|not|don't|doesn't|can't|cannot|won't|never|rent|neither)\b", re.I)
_GOODBYE = re.compile(
    r"\b(?:good ?bye|bye|that(?:'s| is| was) (?:all|it|everything)|nothing else|no,? thank you|no,? thanks|see you"
    r"|have a (?:nice|good) (?:day|one|evening)|i'm good)\b",
    re.I,
)
_QUESTION = re.compile(r"[^.?!]*\?")
_NO_CLOSER = re.compile(r"\b(?:help|else|other words|about|good moment|there|hear)\b", re.I)
_OTHER_MATTERS = re.compile(
    r"\b(?:weather|forecast|joke|poem|horoscope|lottery|recipe|capital of|who won|football|the news)\b", re.I
)
_PERSON = re.compile(
    r"\b(?:humans?|real person|representative|an agent|operator|supervisor|manager|someone real|transfer me"
    r"|(?:talk|speak|put me through) (?:to|with) (?:a person|somebody|someone|people|the reception|a consultant|sales)"
    r")\b",
    re.I,
)
_MOODS = {
    "angry": re.compile(r"\b(?:angry|furious|outrageous|ridiculous|fed up|unacceptable|a scandal|sick of)\b", re.I),
    "upset": re.compile(r"\b(?:upset|annoyed|annoying|disappointed|frustrat\w+|terrible|awful|third time)\b", re.I),
    "confused": re.compile(r"\b(?:confused|confusing|don't (?:understand|get it)|what do you mean|lost me)\b", re.I),
    "pleased": re.compile(r"\b(?:great|wonderful|perfect|lovely|excellent|very kind|brilliant)\b", re.I),
}


def mood(text: str) -> str:
    """How the caller sounds: the strongest sign counts."""
    return next((name for name, signs in _MOODS.items() if signs.search(text)), "calm")


def words(text: str) -> list[str]:
    """Lower-case words and numbers."""
    return re.findall(r"[a-z']+|\d+", text.lower())


def keywords(text: str) -> list[str]:
    """The words that carry meaning, in order, crudely stemmed."""
    return [_stem(word) for word in weighty(text)]


def weighty(text: str) -> list[str]:
    """The words that carry meaning, as they were said."""
    return [word for word in words(text) if word not in _STOP and len(word) > 1]


def overlap(text: str, other: str) -> float:
    """How much two texts speak of the same, 0 to 1."""
    mine, theirs = set(keywords(text)), set(keywords(other))
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0


def echo(text: str) -> str:
    """The number, else the weightiest word, that shows a caller was heard. "" if there is none."""
    if found := digits(text):
        return max(found, key=len)
    named = [word for word in weighty(text) if word.isalpha()] or [word for word in words(text) if len(word) > 3]
    return max(named, key=len, default="")


def digits(text: str) -> list[str]:
    """Runs of digits, also when they are spelled out or said one by one ("4 8 two one three")."""
    runs: list[str] = []
    joined = False
    for word in re.findall(r"[a-z]+|\d+|[^\sa-z\d]+", text.lower()):
        piece = word if word.isdecimal() else str(_UNITS[word]) if _UNITS.get(word, 10) < 10 else ""
        if piece and joined and (len(piece) == 1 or len(runs[-1]) == 1):
            runs[-1] += piece
        elif piece:
            runs.append(piece)
        joined = bool(piece) or (joined and word in {",", "-"})
    return [run for run in runs if len(run) > 1 or run in text]


def amount(text: str) -> int | None:
    """The first whole number, in digits or in words ("two hundred and fifty")."""
    if found := re.search(r"\d[\d,]*", text):
        return int(found[0].replace(",", ""))
    total, seen = 0, False
    for word in words(text):
        if word in _UNITS and word != "oh":
            total, seen = total + _UNITS[word], True
        elif word in _TENS:
            total, seen = total + _TENS[word], True
        elif word == "hundred" and seen:
            total *= 100
        elif word == "thousand" and seen:
            total *= 1_000
        elif seen and word != "and":
            break
    return total if seen else None


def day(text: str) -> str | None:
    """The last day named, in the caller's words."""
    found = _DAY.findall(text)
    return found[-1] if found else None


def time_of_day(text: str) -> str | None:
    """The last time named, in the caller's words."""
    found = _TIME.findall(text)
    return found[-1].strip() if found else None


def agrees(text: str) -> bool | None:
    """True for a yes, False for a no, None for neither."""
    if _NO.search(text):
        return False
    return True if _YES.search(text) else None


def says_goodbye(text: str, asked: str = "") -> bool:
    """Whether the caller wants nothing more; ``asked`` is what the assistant said before."""
    if _GOODBYE.search(text):
        return True
    return "else" in words(asked) and agrees(text) is False and len(words(text)) <= 4


def asks_for_something(asked: str) -> bool:
    """Whether the assistant has asked for one thing, so that words which say nothing else are the answer."""
    return any(_NO_CLOSER.search(question) is None for question in _QUESTION.findall(asked))


def is_other_matter(text: str) -> bool:
    """Whether the caller asks for what no company's line is there for."""
    return _OTHER_MATTERS.search(text) is not None


def wants_person(text: str) -> bool:
    """Whether the caller asks for a person."""
    return _PERSON.search(text) is not None


def best(text: str, choices: Iterable[str]) -> tuple[str, float]:
    """The choice that speaks most of the same as the text, and how much; the first one at 0."""
    rated = [(overlap(text, choice), -place, choice) for place, choice in enumerate(choices)]
    score, _, choice = max(rated)
    return choice, score


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def tokens_of(text: str) -> tuple[str, ...]:
    """About four characters each; marks are tokens of their own, as the real ones mostly are."""
    return tuple(_TOKEN.findall(text))
