"""Turns whose step was found without the model, judged by it once the call is over: how far can they be trusted? Pure.

A decision that looks sure and is wrong shows nowhere else: nobody asks the model about it. So a share of them is asked
about, and where the model disagrees too often, only what has been surer than that is decided without it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import sqrt
from typing import Final
from zlib import crc32

from core.conversation import CANNED, TurnRecord
from core.playbook import Playbook
from core.steps import LEXICAL, is_number

WITHOUT_MODEL: Final = frozenset({LEXICAL, "minilm"})  # methods of finding a step: the embedders' names
MOST_WRONG: Final = 0.02  # of what is decided
FEWEST: Final = 50  # audits of a method; fewer tell little
NEWEST: Final = 500  # audits of a playbook that count,
KEPT_DAYS: Final = 30  # and how old they may be: what was wrong then is tried again
_BEYOND_CHANCE: Final = 1.28  # standard deviations: nine in ten such counts are no accident
_BARS: Final = (*(notch / 20 for notch in range(9, 20)), 0.99)  # 0.45, 0.5 ... 0.95, 0.99


@dataclass(frozen=True, slots=True)
class Audit:
    """How a step was found, how sure it was, and whether the model says the same."""

    method: str
    confidence: float
    agreed: bool


@dataclass(frozen=True, slots=True)
class Trust:
    """What the audits of one method come to."""

    method: str
    audited: int
    agreed: int
    bar: float  # how sure it has to be from now on, beside its own threshold; 0: no surer than before


def audited_turns(playbook: Playbook, call_id: str, turns: Sequence[TurnRecord]) -> list[tuple[TurnRecord, TurnRecord]]:
    """The turns of a call that are audited, each after the one before it: always the same ones.

    Not those that were answered in fixed words, which are calibrated by themselves, nor numbers, which answer what was
    asked for.
    """
    share = playbook.step_finding.audit if len(playbook.steps) > 1 else 0.0
    return [
        (before, turn)
        for before, turn in pairwise(turns)
        if turn.step_method in WITHOUT_MODEL and turn.answer_method != CANNED and not is_number(turn.caller)
        if _is_drawn(call_id, turn.turn, share)
    ]


def trust_in(audits: Collection[Audit]) -> dict[str, Trust]:
    """By method: how often the model agreed, and what follows."""
    ordered = sorted(audits, key=lambda audit: audit.method)
    return {method: _trust(method, list(found)) for method, found in groupby(ordered, lambda audit: audit.method)}


def bars_of(trust: Mapping[str, Trust]) -> dict[str, float]:
    """How sure the methods have to be that have become untrustworthy."""
    return {method: found.bar for method, found in trust.items() if found.bar > 0}


def _is_drawn(call_id: str, turn: int, share: float) -> bool:
    return crc32(f"{call_id}:{turn}".encode()) < share * 2**32


def _trust(method: str, audits: Sequence[Audit]) -> Trust:
    agreed = sum(audit.agreed for audit in audits)
    return Trust(method, len(audits), agreed, _bar(audits) if _is_wrong_too_often(agreed, len(audits)) else 0.0)


def _is_wrong_too_often(agreed: int, audited: int) -> bool:
    """Whether more than ``MOST_WRONG`` are wrong even if chance is against them: the low end of Wilson's interval."""
    if audited < FEWEST:
        return False
    wrong, square = 1 - agreed / audited, _BEYOND_CHANCE**2
    spread = _BEYOND_CHANCE * sqrt(wrong * (1 - wrong) / audited + square / (4 * audited**2))
    return (wrong + square / (2 * audited) - spread) / (1 + square / audited) > MOST_WRONG


def _bar(audits: Sequence[Audit]) -> float:
    """The lowest above which few enough are wrong; the highest if there is none."""
    for bar in _BARS:
        left = [audit.agreed for audit in audits if audit.confidence >= bar]
        if left and sum(left) >= (1 - MOST_WRONG) * len(left):
            return bar
    return _BARS[-1]
