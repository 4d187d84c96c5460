"""What full score is to be expected of trials that ran in part.

Scores of different splits, or of different resources, are not comparable as they are: a split may
be an easy one, and more rows give better scores. Trials that ran both tell the difference, which
is added; how much it varies between them is the variance of the estimate.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from hpsearch.trial import Board, Status, Trial

MIN_AT_TARGET = 3  # trials that a scale needs to be the one that all scores are brought to

Context = tuple[float, tuple[int, ...]]  # the resource, the splits


class Estimate(NamedTuple):
    """An expected score, and its variance as far as it comes from what was not run."""

    score: float
    variance: float


def estimates(board: Board) -> Iterator[tuple[Trial, Estimate]]:
    """Return what is to be expected of each trial that has scores, on one scale for all.

    The scale is that of the greatest resource at which a few trials ran all splits; as long as
    there is none, the one that most trials have.
    """
    known = {t.number: _means(t, board.metric) for t in board.trials if _is_told(t)}
    target = _target(known.values(), board.n_splits)
    shifts: dict[Context, tuple[float, float]] = {}
    for trial in board.trials:
        means = known.get(trial.number)
        if not means or target is None:
            continue
        if target in means:
            yield trial, Estimate(means[target], 0.0)
            continue
        own = max(means)  # the greatest resource, then the most of the splits
        if own not in shifts:
            pairs = [m[target] - m[own] for m in known.values() if own in m and target in m]
            shifts[own] = _shift(pairs, [m[target] for m in known.values() if target in m])
        shift, variance = shifts[own]
        yield trial, Estimate(means[own] + shift, variance)


def _is_told(trial: Trial) -> bool:
    return trial.status in (Status.COMPLETE, Status.PAUSED, Status.PRUNED)


def _means(trial: Trial, metric: str) -> dict[Context, float]:
    """Mean scores of a trial in each context that can be compared with others'.

    Those are, at each resource, the first split, the first two, and so on.
    """
    if any(not math.isfinite(r.scores.get(metric, math.nan)) for r in trial.results):
        return {}
    found: dict[Context, float] = {}
    for resource in {r.resource for r in trial.results}:
        results = [r for r in trial.results if r.resource == resource]
        scores = {r.split: r.scores[metric] for r in results}
        total, splits = 0.0, []
        for split in sorted(scores):
            total += scores[split]
            splits.append(split)
            found[resource, tuple(splits)] = total / len(splits)
    return found


def _target(known: Iterable[Mapping[Context, float]], n_splits: int) -> Context | None:
    counts = Counter(context for means in known for context in means)
    whole = [c for c, n in counts.items() if len(c[1]) == n_splits and n >= MIN_AT_TARGET]
    if whole:
        return max(whole)
    return max(counts, key=lambda c: (counts[c], c), default=None)


def _shift(pairs: list[float], at_target: list[float]) -> tuple[float, float]:
    """Mean and variance of the differences; without any, no shift, and the scores' own variance."""
    if not pairs:
        return 0.0, float(np.var(at_target)) if at_target else 0.0
    return float(np.mean(pairs)), float(np.var(pairs, ddof=1)) if len(pairs) > 1 else 0.0
