"""What a caller heard after each of their lines, and what was wrong with it, from a call as the carrier shows it."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

GREETING: Final = "(the greeting)"
RUN: Final = 4  # words in a row that are heard again in one answer: it was said twice
_TOKEN: Final = re.compile(r"[\w']+")
_NUMBER: Final = re.compile(r"\d{5}")


@dataclass(frozen=True, slots=True)
class Sound:
    """What was heard without a long pause. Times since the epoch, ms."""

    begin_ms: float
    end_ms: float
    words: tuple[tuple[float, str], ...]  # when each began
    silences: tuple[tuple[float, float], ...] = ()  # within it: from, until


@dataclass(frozen=True, slots=True)
class Answer:
    """A caller's line, and what they heard until their next one. Times since the epoch, ms."""

    line: str
    ended_ms: float
    until_ms: float
    heard: tuple[Sound, ...]

    def begins_ms(self, fillers: Collection[str]) -> float | None:
        """When its first word that is no filler was heard; None if there was none."""
        return next((at_ms for at_ms, _ in self._tokens(fillers)), None)

    def delay_ms(self, fillers: Collection[str]) -> float:
        """How long the caller waited for it; one that never came, until their next line."""
        begins_ms = self.begins_ms(fillers)
        return (self.until_ms if begins_ms is None else begins_ms) - self.ended_ms

    def faults(self, fillers: Collection[str]) -> list[str]:
        """What is wrong with it: not answered, answered with something else, broken off, or said twice."""
        tokens = [token for _, token in self._tokens(fillers)]
        if not tokens:
            return [f"nothing but fillers for “{self.line}”"]
        faults = []
        if (number := _NUMBER.search(self.line)) and number[0] not in tokens:
            faults.append(f"“{self.line}” was answered with “{' '.join(tokens)}”")
        last = [word for sound in self.heard for _, word in sound.words][-1]
        if last[-1] not in ".?!":
            faults.append(f"the answer to “{self.line}” was broken off after “{last}”")
        runs = Counter(tuple(tokens[place : place + RUN]) for place in range(len(tokens) - RUN + 1))
        twice = [" ".join(run) for run, times in runs.items() if times > 1]
        return [*faults, *(f"said twice after “{self.line}”: “{run}”" for run in twice[:1])]

    def silence_after(self, at_ms: float) -> float:
        """The longest silence within what is heard, of those that had not ended then."""
        between = [(before.end_ms, after.begin_ms) for before, after in pairwise(self.heard)]
        within = [silence for sound in self.heard for silence in sound.silences]
        return max((until - since for since, until in [*between, *within] if until >= at_ms), default=0.0)

    @property
    def longest_silence_ms(self) -> float:
        """Before it or within it."""
        begins_ms = self.heard[0].begin_ms if self.heard else self.until_ms
        return max(begins_ms - self.ended_ms, self.silence_after(self.ended_ms))

    def _tokens(self, fillers: Collection[str]) -> Iterator[tuple[float, str]]:
        """Each word without its signs, and when it began; fillers are left out."""
        words = [(at_ms, word) for sound in self.heard for at_ms, word in sound.words]
        tokens = [(at_ms, token) for at_ms, word in words for token in _TOKEN.findall(word.lower())]
        known = [split for filler in fillers if (split := _TOKEN.findall(filler.lower()))]
        place = 0
        while place < len(tokens):
            ahead = [token for _, token in tokens[place:]]
            if filler := next((each for each in known if ahead[: len(each)] == each), None):
                place += len(filler)
                continue
            yield tokens[place]
            place += 1


def answers_of(call: Mapping[str, Any]) -> list[Answer]:
    """The greeting, and each line of the caller's that they could say to its end."""
    heard = [_sound_of(one) for one in call["heard"]]
    said = [line for line in call["said"] if line["speech_end_ms"] is not None]
    begins = [line["speech_end_ms"] - (line["end_ms"] - line["at_ms"]) for line in said]
    last_ms = max([*(one.end_ms for one in heard), *(line["speech_end_ms"] for line in said)], default=0.0)
    greeting = tuple(one for one in heard if one.begin_ms < (begins[0] if begins else last_ms))
    first_ms, second_ms = (greeting[0].begin_ms, begins[0]) if greeting and begins else (0.0, 0.0)
    answers = [Answer(GREETING, first_ms, second_ms, greeting)]
    for line, until_ms in zip(said, [*begins[1:], last_ms], strict=True):
        within = tuple(one for one in heard if one.end_ms > line["speech_end_ms"] and one.begin_ms < until_ms + 1)
        answers.append(Answer(line["text"], line["speech_end_ms"], until_ms, within))
    return answers


def _sound_of(one: Mapping[str, Any]) -> Sound:
    """The carrier tells places on its line, and when the first of them was."""
    zero_ms = one["played_ms"] - one["at_ms"]
    words: Sequence[Mapping[str, Any]] = one["words"]
    return Sound(
        one["played_ms"],
        zero_ms + one["end_ms"],
        tuple((zero_ms + word["at_ms"], word["text"]) for word in words),
        tuple((zero_ms + since, zero_ms + until) for since, until in one["silences"]),
    )
