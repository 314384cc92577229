"""The menu of a phone system that was called: which key leads where the call has to go."""

import re

from sandbox import model_words

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_KEYS = {word: str(key) for key, word in enumerate(_DIGITS)}
_KEY = r"(?:press|dial|key in)\s+(?P<{0}>[0-9*#]|" + "|".join(_KEYS) + r")\b"
_OPTION = re.compile(
    rf"for\s+(?P<first>[^.,;?!]+?),?\s+(?:please\s+)?{_KEY.format('after')}"
    rf"|{_KEY.format('before')}\s+(?:for|to)\s+(?P<then>[^.,;?!]+)",
    re.I,
)


def choice(text: str, goal: str) -> str:
    """The key of the option that fits the goal best, else of the first one; "" where the text offers none."""
    options = {
        (option["first"] or option["then"]).strip(): (option["after"] or option["before"]).lower()
        for option in _OPTION.finditer(text)
    }
    if not options:
        return ""
    best, _ = model_words.best(goal, list(options))
    return _KEYS.get(options[best], options[best])
