"""The language of a playbook's conditions: comparisons of what is known, joined by and, or, not. Nothing can be run.

    order_number is confirmed and tool.get_order_status.status == "shipped"
    caller.age < 18 or not (owns_house or fact.rents_out)
    time_of_day in (morning, afternoon)

A bare name is a slot, ``fact.NAME`` an earlier statement, ``caller.NAME`` a variable of the call, ``tool.NAME.FIELD``
what a tool has told last (``tool.NAME.ok``: whether it went well). What is not known makes each comparison false.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 300
_DEEPEST: Final = 20
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<number>-?\d+(?:\.\d+)?(?![\w.:-]))|(?P<text>"[^"]*"|'[^']*')|(?P<sign>==|!=|<=|>=|<|>|\(|\)|,)"""
    r"""|(?P<word>[A-Za-z0-9_][\w.:-]*))"""
)
_SIGNS: Final = ("==", "!=", "<", "<=", ">", ">=")
STATES: Final = ("known", "missing", "confirmed")
_RESERVED: Final = frozenset({"and", "or", "not", "in", "is", *STATES})


class BadCondition(ValueError):
    """The text is no condition; says why."""


@dataclass(frozen=True, slots=True)
class Value:
    """Something that is known."""

    text: str
    confirmed: bool = False


LookUp = Callable[[str], Value | None]


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison. ``sign``: one of _SIGNS, "in", one of STATES, or "" for a plain yes."""

    name: str
    sign: str
    against: tuple[str, ...] = ()

    def holds(self, look_up: LookUp) -> bool:
        """Whether it is true of what is known."""
        value = look_up(self.name)
        match self.sign:
            case "known":
                return value is not None
            case "missing":
                return value is None
            case "confirmed":
                return value is not None and value.confirmed
        if value is None:
            return False
        if not self.sign:
            return value.text.casefold() in ("yes", "true")
        if self.sign == "in":
            return any(_compare(value.text, "==", other) for other in self.against)
        return _compare(value.text, self.sign, self.against[0])


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    of: "Condition"

    def holds(self, look_up: LookUp) -> bool:
        """Whether the other is not true."""
        return not self.of.holds(look_up)


@dataclass(frozen=True, slots=True)
class Joined:
    """Several: all of them, or any."""

    every: bool
    parts: tuple["Condition", ...]

    def holds(self, look_up: LookUp) -> bool:
        """Whether all, or any, are true."""
        found = (part.holds(look_up) for part in self.parts)
        return all(found) if self.every else any(found)


Condition = Test | Not | Joined


def tests_in(condition: Condition) -> Iterator[Test]:
    """All comparisons, in order."""
    match condition:
        case Test():
            yield condition
        case Not(of):
            yield from tests_in(of)
        case Joined(_, parts):
            for part in parts:
                yield from tests_in(part)


def parse_condition(text: str) -> Condition:
    """Read a condition. Raises BadCondition."""
    if len(text) > LONGEST:
        raise BadCondition(f"is longer than {LONGEST} characters")
    reader = _Reader(list(_tokens(text)))
    condition = reader.any_of(0)
    if reader.next is not None:
        raise BadCondition(f"{reader.next[1]!r} is one too many")
    return condition


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadCondition(f"nobody can read {text[at:].strip()[:20]!r}")
        kind = match.lastgroup or ""
        yield kind, match[kind]
        at = match.end()


class _Reader:
    """Takes tokens one by one."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> tuple[str, str] | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def any_of(self, depth: int) -> Condition:
        return self._joined("or", lambda: self._joined("and", lambda: self._single(depth)))

    def _joined(self, word: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self._took(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word == "and", tuple(parts))

    def _single(self, depth: int) -> Condition:
        if depth > _DEEPEST:
            raise BadCondition("is nested too deeply")
        if self._took("not"):
            return Not(self._single(depth + 1))
        if self._took("("):
            inner = self.any_of(depth + 1)
            self._want(")")
            return inner
        return self._test()

    def _test(self) -> Condition:
        kind, name = self._take("a name")
        if kind != "word" or name in _RESERVED:
            raise BadCondition(f"a name has to stand where {name!r} stands")
        if self._took("is"):
            opposite = self._took("not")
            _, state = self._take("known, missing or confirmed")
            if state not in STATES:
                raise BadCondition(f"after 'is' comes known, missing or confirmed, not {state!r}")
            return Not(Test(name, state)) if opposite else Test(name, state)
        if self._took("in"):
            self._want("(")
            values = [self._value()]
            while self._took(","):
                values.append(self._value())
            self._want(")")
            return Test(name, "in", tuple(values))
        if self.next is not None and self.next[1] in _SIGNS and self.next[0] == "sign":
            _, sign = self._take("")
            return Test(name, sign, (self._value(),))
        return Test(name, "")

    def _value(self) -> str:
        kind, text = self._take("a value")
        if kind == "sign" or (kind == "word" and text in _RESERVED):
            raise BadCondition(f"a value has to stand where {text!r} stands")
        return text[1:-1] if kind == "text" else text

    def _took(self, text: str) -> bool:
        if self.next is None or self.next[0] == "text" or self.next[1] != text:
            return False
        self._at += 1
        return True

    def _want(self, text: str) -> None:
        if not self._took(text):
            raise BadCondition(f"a {text!r} is missing")

    def _take(self, what: str) -> tuple[str, str]:
        if self.next is None:
            raise BadCondition(f"ends where {what} has to come")
        self._at += 1
        return self._tokens[self._at - 1]


def _compare(left: str, sign: str, right: str) -> bool:
    one, other = number_of(left), number_of(right)
    if one is not None and other is not None:
        return _SIGN_OF[sign](one, other)
    if sign in ("==", "!="):
        return (left.casefold() == right.casefold()) is (sign == "==")
    return one is None and other is None and _SIGN_OF[sign](left, right)  # dates and times: ISO, so letters tell


def number_of(text: str) -> float | None:
    """A number as written in a playbook or told by a system; None: it is none."""
    try:
        return float(text)
    except ValueError:
        return None


_SIGN_OF: Final[dict[str, Callable[..., bool]]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
