"""What full score is to be expected of trials that ran in part.

Scores of different splits, or of different resources, are not comparable as they are: a split may
be an easy one, and more rows give better scores. Trials that ran both tell the difference, which
is added; how much it varies between them is the variance of the estimate.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import numpy as np

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

    The scale is that of the greatest resource at which a few trials ran all splits; as long as
    there is none, the one that most trials have.
    """
    known = {t.number: _scores(t, board.metric) for t in board.trials if _is_told(t)}
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
