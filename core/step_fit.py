"""Learns from a playbook's examples to tell its steps apart, and how sure is sure enough.

A multinomial logistic regression over the examples and a "none of these" class of background speech. What is sure
enough is found by cross-validation on the playbook's own examples, with a fifth of the steps hidden: callers wish for
things that nobody has thought of. Once calls have told enough of these, none is hidden.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

FEWEST_EXAMPLES: Final = 5  # of a step that is found without the model
_LOOSE: Final = 30.0  # the inverse of the penalty on weights
_BACKGROUND_SHARE: Final = 0.05  # the weight of all background speech, in playbooks' worth of examples
_SAME_WISH: Final = 0.7  # likeness of background speech to an example: "bye for now" is no stranger to a farewell
_FOLDS: Final = 5
_SURE_AT_LAST: Final = 0.85  # few examples calibrate badly; in draws of public intents 99 % are right from here on
_PRECISION: Final = 0.98  # asked of the examples, and then a floor: see core.learnt_steps
_ENOUGH_TOLD: Final = 100  # examples of what belongs to no label: what callers wish for beside them is known then,
_LOWER: Final = 0.06  # and the floor, which guards against what nobody has thought of, may be so much lower
_OUT_OF_SCOPE: Final = 0.2  # of turns, as far as calibration knows
_CONTRADICTED: Final = 0.5  # what others teach says otherwise, likelier than not
_STEPS: Final = 80  # of the solver, at most
_REMEMBERED: Final = 8


@dataclass(frozen=True, slots=True)
class Fit:
    """What was learnt: a column of weights a label, "none of these" last."""

    labels: tuple[str, ...]
    weights: Floats  # features x (labels + 1); the last row is the bias
    threshold: float

    def chances(self, features: Floats) -> Floats:
        """Of each label and of none, one row a text."""
        return _softmax(features @ self.weights[:-1] + self.weights[-1])


def fit(
    features: Floats, labels: Sequence[str | None], background: Floats, floor: float, own: int | None = None
) -> Fit:
    """Learn from examples, a row each, and from background speech: a second of CPU for 300 examples, four for 1,300.

    Args:
        labels: None: something that belongs to no label, as somebody has said. Only examples from calls are.
        floor: nothing less is sure, whatever calibration says; a little less once calls have told what belongs to none.
        own: how many of the examples, the first ones, somebody has written for their step; the others come from calls,
            and some of them may be wrong. None: all.

    Raises:
        ValueError: there are no examples.
    """
    known = tuple(sorted({label for label in labels if label is not None}))
    if not known:
        raise ValueError("no examples to learn from")
    background = background[_likest(background, features) < _SAME_WISH]
    told = [len(known) if label is None else known.index(label) for label in labels]
    classes = np.array(told + [len(known)] * len(background), dtype=np.int64)
    places = np.arange(len(classes))
    grown = (places >= (len(labels) if own is None else own)) & (places < len(labels))
    rows = np.vstack([features, background]).astype(np.float32)
    points, back = _compact(rows)
    told_enough = sum(label is None for label in labels) >= _ENOUGH_TOLD
    asked = _cross_validated(points, classes, grown, len(known), hides=not told_enough)
    threshold = min(max(floor - _LOWER * told_enough, _threshold(asked)), _SURE_AT_LAST)
    believed = ~asked.doubtful
    weights = back @ _solve(points[believed], classes[believed], grown[believed], len(known) + 1)
    return Fit(known, np.ascontiguousarray(weights, dtype=np.float32), threshold)


def _likest(texts: Floats, examples: Floats) -> Floats:
    """The cosine of each text and the example nearest to it."""
    length = np.linalg.norm(texts, axis=1) * np.linalg.norm(examples, axis=1)[:, None]
    likest: Floats = (examples @ texts.T / np.maximum(length, 1e-9)).max(axis=0)
    return likest


def _compact(rows: Floats) -> tuple[Floats, Floats]:
    """The same points in as many dimensions as there are points, and the way back: fitting is several times faster."""
    rows = np.hstack([rows, np.ones((len(rows), 1), dtype=np.float32)])
    values, vectors = np.linalg.eigh(rows @ rows.T)
    kept = values > 1e-5 * values[-1]
    scale = np.sqrt(values[kept])
    axes = vectors[:, kept]
    return axes * scale, rows.T @ (axes / scale)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Examples and background speech as those were told who had not learnt from them."""

    chances: Floats
    right: Flags
    near: Flags  # of steps that were hidden
    far: Flags
    doubtful: Flags  # of all points: examples from calls that look like another step's


def _cross_validated(points: Floats, classes: Whole, grown: Flags, none: int, *, hides: bool) -> _Asked:
    """A fifth of the steps may be hidden in each fold; for examples from calls never in the fold that asks for them."""
    fold_of = _folds(classes, grown, none)
    doubtful = np.zeros(len(points), dtype=bool)
    parts: list[tuple[Floats, Flags, Flags, Flags, Whole]] = []
    for fold in range(_FOLDS):
        hidden = (classes < none) & (classes % _FOLDS == fold) & (hides and none >= _FOLDS)
        background = (classes == none) & ~grown
        unheard = background & ((fold_of + fold) % 2 == 0)  # half of it
        held_out = (classes < none) & (hidden | (fold_of == fold))
        learnt = ~held_out & ~unheard
        solved = _solve(points[learnt], classes[learnt], grown[learnt], none + 1)
        asked = np.flatnonzero((held_out & ~(hidden & grown)) | unheard)
        told = _softmax(points[asked] @ solved)[:, :none]
        chances, right = told.max(axis=1), (told.argmax(axis=1) == classes[asked]) & ~hidden[asked]
        doubtful[asked[grown[asked] & ~right & (chances > _CONTRADICTED)]] = True
        parts.append((chances, right, hidden[asked], background[asked], asked))
    chances, right, near, far, place = (np.concatenate(part) for part in zip(*parts, strict=True))
    sound = ~grown[place]  # what calls bring are the turns that were hard: they say nothing of the usual one
    return _Asked(chances[sound], right[sound], near[sound], far[sound], doubtful)


def _folds(classes: Whole, grown: Flags, none: int) -> Whole:
    """Every label's examples are spread over all folds."""
    order = np.random.default_rng(0).permutation(len(classes))  # the same for the same examples
    fold_of = np.empty(len(classes), dtype=np.int64)
    for each in range(none + 1):
        members = order[(classes[order] == each) & ~grown[order]]
        fold_of[members] = (np.arange(len(members)) + each) % _FOLDS
        members = order[(classes[order] == each) & grown[order]]
        fold_of[members] = (np.arange(len(members)) % (_FOLDS - 1) + each + 1) % _FOLDS
    return fold_of


def _threshold(asked: _Asked) -> float:
    """The lowest threshold over which enough would be right."""
    near, far = asked.near, asked.far
    weights = np.where(near | far, 0.0, (1 - _OUT_OF_SCOPE) / max(1, int((~near & ~far).sum())))
    out = [kind for kind in (near, far) if kind.any()]
    for kind in out:
        weights[kind] = _OUT_OF_SCOPE / len(out) / kind.sum()
    order = np.argsort(-asked.chances)
    passed, good = np.cumsum(weights[order]), np.cumsum((weights * asked.right)[order])
    enough = np.flatnonzero(good >= _PRECISION * passed)
    return float(asked.chances[order][enough[-1]]) if len(enough) else 1.0


def _solve(points: Floats, classes: Whole, grown: Flags, count: int) -> Floats:
    """The weights that explain the classes of points best: L-BFGS on a convex loss, so there is one answer."""
    wanted = np.eye(count, dtype=np.float32)[classes]
    worth = np.ones(len(points), dtype=np.float32)
    background = (classes == count - 1) & ~grown
    if background.any():
        worth[background] = _BACKGROUND_SHARE * (classes < count - 1).sum() / background.sum()
    worth = (_LOOSE * worth)[:, None]

    def loss(weights: Floats) -> tuple[float, Floats]:
        chances = _softmax(points @ weights)
        missed = -np.log(np.maximum((chances * wanted).sum(axis=1, keepdims=True), 1e-12))
        value = 0.5 * float((weights * weights).sum()) + float((worth * missed).sum())
        return value, weights + points.T @ (worth * (chances - wanted))

    return _minimum(loss, np.zeros((points.shape[1], count), dtype=np.float32))


def _minimum(loss: Callable[[Floats], tuple[float, Floats]], at: Floats) -> Floats:
    value, slope = loss(at)
    steepest = float(np.abs(slope).max())
    moves: list[tuple[Floats, Floats]] = []
    for _ in range(_STEPS):
        way = _downhill(slope, moves)
        length = 1.0 if moves else 1.0 / max(1.0, float(np.linalg.norm(slope)))
        fall = float((way * slope).sum())
        while True:
            there = at + length * way
            new_value, new_slope = loss(there)
            if new_value <= value + 1e-4 * length * fall or length < 1e-6:
                break
            length /= 2
        moves = [*moves[1 - _REMEMBERED :], (there - at, new_slope - slope)]
        at, value, slope = there, new_value, new_slope
        if float(np.abs(slope).max()) < 1e-3 * steepest:
            break
    return at


def _downhill(slope: Floats, moves: list[tuple[Floats, Floats]]) -> Floats:
    way = -slope
    shares = []
    for moved, changed in reversed(moves):
        share = float((moved * way).sum()) / float((moved * changed).sum())
        shares.append(share)
        way = way - share * changed
    if moves:
        moved, changed = moves[-1]
        way = way * (float((moved * changed).sum()) / float((changed * changed).sum()))
    for (moved, changed), share in zip(moves, reversed(shares), strict=True):
        way = way + moved * (share - float((changed * way).sum()) / float((moved * changed).sum()))
    return way


def _softmax(scores: Floats) -> Floats:
    shifted: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted
