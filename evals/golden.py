"""Golden sets: what callers of a playbook say, with the step and the slots it belongs to, and what share is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.conversation import Step
from core.playbook import Playbook
from evals.figures import Row, percentile

FOLDER = Path(__file__).parent / "golden"


class BadGoldenSet(ValueError):
    """A golden set cannot be used; the message says which, where and why."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Utterance(_Part):
    """One turn of a caller's; ``step`` null: it belongs to none."""

    say: str = Field(min_length=1)
    step: str | None
    at: str = ""  # the step the call is in; "": the first
    asked: str = ""  # what the assistant has said before; "": the greeting
    slots: dict[str, str] = {}
    variables: dict[str, str] = {}


class Bar(_Part):
    """The least shares that are good enough, ``accepted`` the most. Those of the model count for a real one only."""

    decided: float = Field(0.0, ge=0, le=1)
    decided_right: float = Field(0.0, ge=0, le=1)
    accepted: float = Field(1.0, ge=0, le=1)
    calls_right: float = Field(1.0, ge=0, le=1)
    step_right: float = Field(0.0, ge=0, le=1)
    slots_right: float = Field(0.0, ge=0, le=1)


class GoldenSet(_Part):
    """A playbook's; its calls are the rehearsals of the same name."""

    bar: Bar = Bar()
    utterances: tuple[Utterance, ...] = Field(min_length=1)


def golden_set(path: Path, playbook: Playbook) -> GoldenSet:
    """Read one. Raises BadGoldenSet, also where it names a step or a slot that the playbook does not have."""
    try:
        found = GoldenSet.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadGoldenSet(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise BadGoldenSet(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    steps = {step.name for step in playbook.steps}
    for number, turn in enumerate(found.utterances):
        for name in (turn.step or "", turn.at):
            if name and name not in steps:
                raise BadGoldenSet(f"{path}: utterances.{number}: no step of {playbook.name} is named {name!r}")
        if unknown := sorted(turn.slots.keys() - playbook.slots.keys()):
            raise BadGoldenSet(f"{path}: utterances.{number}: {playbook.name} collects no {unknown[0]!r}")
    return found


@dataclass(frozen=True, slots=True)
class Heard:
    """What the product makes of an utterance."""

    by_words: Step  # ``name`` None: left to the model
    words_ms: float
    words_cpu_ms: float  # of it, what was computed: a busy machine has it wait as well
    step: str | None = None  # in the end; None: no model was asked
    slots: Mapping[str, str] | None = None


class Understanding(Protocol):
    """The product's way from words to step and slots."""

    async def hear(self, turn: Utterance) -> Heard:
        """Raises VendorError."""
        ...


@dataclass(frozen=True, slots=True)
class Score:
    """The figures, and what went wrong, a line each."""

    row: Row
    wrong: tuple[str, ...]


async def score(golden: GoldenSet, understanding: Understanding) -> Score:
    """Have every utterance understood. Raises VendorError."""
    heard = [(turn, await understanding.hear(turn)) for turn in golden.utterances]
    inside = [(turn, one) for turn, one in heard if turn.step is not None]
    outside = [(turn, one) for turn, one in heard if turn.step is None]
    decided = [(turn, one) for turn, one in inside if one.by_words.name is not None]
    times, computed = [one.words_ms for _, one in heard], [one.words_cpu_ms for _, one in heard]
    row: Row = {
        "utterances": len(inside),
        "out_of_scope": len(outside),
        "decided": _share(one.by_words.name is not None for _, one in inside),
        "decided_right": _share(one.by_words.name == turn.step for turn, one in decided),
        "accepted": _share([one.by_words.name not in (None, turn.at) for turn, one in outside], empty=0.0),
        "words_p50_ms": round(percentile(times, 0.5), 2),
        "words_p95_ms": round(percentile(times, 0.95), 2),
        "words_cpu_p50_ms": round(percentile(computed, 0.5), 2),
        "words_cpu_p95_ms": round(percentile(computed, 0.95), 2),
    }
    if asked := [(turn, one) for turn, one in inside if one.step is not None]:
        row["step_right"] = _share(one.step == turn.step for turn, one in asked)
        told = [(name, value, one.slots or {}) for turn, one in asked for name, value in turn.slots.items()]
        row["slots"] = len(told)
        row["slots_right"] = _share(slots.get(name) == value for name, value, slots in told)
    return Score(row, tuple(line for turn, one in heard for line in _wrong(turn, one)))


def below(bar: Bar, row: Mapping[str, Any], *, real_model: bool) -> list[str]:
    """What is not good enough, in words."""
    found = []
    for name, wanted in bar.model_dump().items():
        if name not in row or (name in ("step_right", "slots_right") and not real_model):
            continue
        if (row[name] > wanted) if name == "accepted" else (row[name] < wanted):
            found.append(f"{name} is {row[name]}, the bar {'at most ' if name == 'accepted' else ''}{wanted}")
    return found


def _wrong(turn: Utterance, heard: Heard) -> list[str]:
    found, words = [], heard.by_words
    if words.name is not None and words.name != turn.step:
        found.append(f"{turn.say!r} is {turn.step or 'none'}, by words {words.name} ({words.confidence})")
    elif heard.step is not None and turn.step not in (None, heard.step):
        found.append(f"{turn.say!r} is {turn.step}, by the model {heard.step}")
    slots = heard.slots if heard.slots is not None else turn.slots
    found += [
        f"{turn.say!r} tells {name} {value!r}, understood {slots.get(name)!r}"
        for name, value in turn.slots.items()
        if slots.get(name) != value
    ]
    return found


def _share(true: Any, empty: float = 1.0) -> float:
    rated: Sequence[bool] = list(true)
    return round(sum(rated) / len(rated), 4) if rated else empty
