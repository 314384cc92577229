"""How often questions find their canned answer, and how often a wrong one, on turns that were labelled by hand."""

from collections.abc import Sequence

import yaml

from core.canned import CannedFinder
from core.learnt_steps import Example, LearntSteps, learn
from core.playbook import Playbook, parse_playbook
from core.ports.embedder import Embedder
from evals.figures import Row
from evals.step_eval import Labelled

_FRAME = {
    "name": "questions",
    "goal": "Answer questions.",
    "persona": "You are brief.",
    "disclosure": "I am an AI assistant.",
    "greeting": "How can I help?",
    "transfer_to": "+12025550100",
}


def canned_finder(examples: Sequence[Example], embedder: Embedder) -> CannedFinder:
    """One that has an answer to every labelled question: the label."""
    finder = CannedFinder(_playbook(examples))
    learnt = learn(finder.to_learn, embedder) if finder.to_learn else None
    finder.learnt = LearntSteps(learnt, embedder, finder.to_learn) if learnt is not None else None
    return finder


def evaluate_canned(finder: CannedFinder, known: frozenset[str], turns: Sequence[Labelled]) -> Row:
    """Ask for every turn's answer. A turn without a label, or with one that has no examples, has none."""
    answers = [(turn.step, found.answer if (found := finder.find(turn.text, None)) else None) for turn in turns]
    asked = [answer for label, answer in answers if label in known]
    given = [(label, answer) for label, answer in answers if answer is not None]
    return {
        "questions": len(known),
        "turns": len(turns),
        "answered": round(sum(answer is not None for answer in asked) / max(1, len(asked)), 4),
        "wrong": sum(label != answer for label, answer in given),
        "prec": round(sum(label == answer for label, answer in given) / max(1, len(given)), 4),
    }


def _playbook(examples: Sequence[Example]) -> Playbook:
    questions: dict[str, list[str]] = {}
    for label, text in examples:
        questions.setdefault(label, []).append(text)
    canned = [{"examples": texts, "answer": label} for label, texts in questions.items()]
    step = {"name": "questions", "goal": "Answer.", "canned": canned}
    return parse_playbook(yaml.safe_dump(_FRAME | {"steps": [step]}))
