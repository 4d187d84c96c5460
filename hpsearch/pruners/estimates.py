"""What full score is to be expected of trials that ran in part.

Scores of different splits, or of different resources, are not comparable as they are: a split may
be an easy one, and more rows give better scores. What the splits add is told by all trials
(`_two_way`). What a greater resource adds is told by the trials that ran both: the difference is
added, and how much it varies between them is the variance of the estimate.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from hpsearch.pruners._two_way import TwoWay
from hpsearch.trial import Board, Status, Trial

MIN_AT_TARGET = 3  # trials that a scale needs to be the one that all scores are brought to

Context = tuple[float, tuple[int, ...]]  # the resource, the splits
Scores = dict[float, dict[int, float]]  # of a trial, by resource and split


class Estimate(NamedTuple):
    """An expected score, and its variance as far as it comes from what was not run."""

    score: float
    variance: float


def estimates(board: Board) -> Iterator[tuple[Trial, Estimate]]:
    """Return what is to be expected of each trial that has scores, on one scale for all.

    The scale is that of all splits, if there is but one resource; else that of the greatest
    resource at which a few trials ran all splits; while there is none, the one that most have.
    """
    known = {t.number: _scores(t, board.metric) for t in board.trials if _is_told(t)}
    if len({resource for scores in known.values() for resource in scores}) == 1:
        yield from _over_splits(board, known)
        return
    target = _target(known.values(), board.n_splits)
    if target is None:
        return
    full = {number: _mean(scores, target) for number, scores in known.items()}
    at_target = [mean for mean in full.values() if mean is not None]
    shifts: dict[Context, tuple[float, float]] = {}
    for trial in board.trials:
        scores = known.get(trial.number)
        if not scores:
            continue
        mean = full[trial.number]
        if mean is not None:
            yield trial, Estimate(mean, 0.0)
            continue
        own = _contexts(scores)[-1]
        if own not in shifts:
            pairs = [
                there - here
                for number, there in full.items()
                if there is not None and (here := _mean(known[number], own)) is not None
            ]
            shifts[own] = _shift(pairs, at_target)
        shift, variance = shifts[own]
        yield trial, Estimate(_average(scores[own[0]].values()) + shift, variance)


def _over_splits(board: Board, known: Mapping[int, Scores]) -> Iterator[tuple[Trial, Estimate]]:
    """Return what is to be expected where all ran at one resource, if not the same splits."""
    told = [trial for trial in board.trials if known.get(trial.number)]
    table = np.full((len(told), board.n_splits), np.nan)
    for row, trial in zip(table, told, strict=True):
        (own,) = known[trial.number].values()
        row[list(own)] = list(own.values())
    is_whole = np.isfinite(table).all(axis=1)
    model = None if is_whole.all() else TwoWay.of(table)
    for i, trial in enumerate(told):
        if model is None or is_whole[i]:
            yield trial, Estimate(board.score(trial), 0.0)
        else:
            yield trial, Estimate(float(model.means[i]), float(model.variances[i]))


def _is_told(trial: Trial) -> bool:
    return trial.status in (Status.COMPLETE, Status.PAUSED, Status.PRUNED)


def _scores(trial: Trial, metric: str) -> Scores:
    """Scores of a trial; none if one of them is not finite."""
    found: Scores = {}
    for result in trial.results:
        score = result.scores.get(metric, math.nan)
        if not math.isfinite(score):
            return {}
        found.setdefault(result.resource, {})[result.split] = score
    return found


def _contexts(scores: Scores) -> list[Context]:
    """What a trial ran, the greatest resource last."""
    return [(resource, tuple(sorted(scores[resource]))) for resource in sorted(scores)]


def _mean(scores: Scores, context: Context) -> float | None:
    """Mean score in a context; None if the trial did not run all of it."""
    resource, splits = context
    own = scores.get(resource, {})
    if any(split not in own for split in splits):
        return None
    return _average([own[split] for split in splits])


def _average(values: Collection[float]) -> float:
    return math.fsum(values) / len(values)


def _target(known: Iterable[Scores], n_splits: int) -> Context | None:
    trials = list(known)
    ran = Counter(context for scores in trials for context in _contexts(scores))
    whole = [c for c, n in ran.items() if len(c[1]) == n_splits and n >= MIN_AT_TARGET]
    if whole:
        return max(whole)
    counts = {c: sum(_mean(scores, c) is not None for scores in trials) for c in ran}
    return max(counts, key=lambda c: (counts[c], c), default=None)


def _shift(pairs: list[float], at_target: list[float]) -> tuple[float, float]:
    """Mean and variance of the differences; without any, no shift, and the scores' own variance."""
    if not pairs:
        return 0.0, float(np.var(at_target)) if at_target else 0.0
    return float(np.mean(pairs)), float(np.var(pairs, ddof=1)) if len(pairs) > 1 else 0.0
