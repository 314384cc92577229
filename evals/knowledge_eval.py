"""How often the right passage is found, and how often one is found where there is no answer."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.knowledge.index import KnowledgeIndex
from evals.figures import Row, percentile


class BadQuestions(ValueError):
    """A file of questions cannot be used; the message names the line."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller asks, and the places of the passages that answer it; none: the documents do not."""

    ask: str
    places: tuple[str, ...]
    before: str = ""  # what the caller said in the turn before


def read_questions(file: Path) -> list[Question]:
    """JSONL of {"ask", "from": [places], "before"}. Raises BadQuestions."""
    found = []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadQuestions(f"{file}: {error.strerror if isinstance(error, OSError) else 'is no UTF-8 text'}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            places = tuple(map(str, row["from"]))
            found.append(Question(str(row["ask"]), places, str(row.get("before", ""))))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            wanted = '{"ask": what is asked, "from": [places of passages that answer it]}'
            raise BadQuestions(f"{file}:{number}: must be {wanted}") from error
    if not found:
        raise BadQuestions(f"{file}: is empty")
    return found


def evaluate(index: KnowledgeIndex, questions: Sequence[Question], file: Path) -> tuple[Row, list[str]]:
    """Search for every question. The figures, and a line for each that went wrong.

    Raises:
        BadQuestions: a place that is no passage's.
    """
    places = {passage.place for passage in index.passages}
    for question in questions:
        if unknown := set(question.places) - places:
            raise BadQuestions(f"{file}: {question.ask!r}: no passage stands at {sorted(unknown)[0]!r}")
    index.search(questions[0].ask)  # what is loaded at first use is no turn's time
    times, wrong = list[float](), list[str]()
    first = third = told = refused = false = 0
    for question in questions:
        started = time.perf_counter()
        answers = index.answers(question.ask, question.before)
        times.append(1000 * (time.perf_counter() - started))
        likest = answers or index.search(question.ask)
        at = [found.passage.place for found in likest]
        if not question.places:
            false += bool(answers)
            wrong += [f"{answers[0].score:.2f} false: {question.ask} -> {at[0]}"] if answers else []
            continue
        first += at[0] in question.places
        third += not set(at[:3]).isdisjoint(question.places)
        told += any(found.passage.place in question.places for found in answers)
        refused += not answers
        if set(at[:3]).isdisjoint(question.places) or not answers:
            wrong.append(f"{likest[0].score:.2f} {'missed' if answers else 'refused'}: {question.ask} -> {at[0]}")
    inside = sum(bool(question.places) for question in questions)
    outside = len(questions) - inside
    return {
        "embedder": index.method,
        "passages": len(index.passages),
        "questions": inside,
        "without_answer": outside,
        "recall_at_1": _share(first, inside),
        "recall_at_3": _share(third, inside),
        "told": _share(told, inside),  # the right passage is over the threshold, and in the prompt
        "refused": _share(refused, inside),  # nothing is over it, though there is an answer
        "false_found": _share(false, outside),  # something is over it, though there is no answer
        "threshold": index.enough,
        "p50_ms": round(percentile(times, 0.5), 2),
        "p95_ms": round(percentile(times, 0.95), 2),
    }, wrong


def _share(count: int, of: int) -> float:
    return round(count / max(1, of), 3)
