"""Metrics of many candidates on many weightings of the rows at once.

P         predictions, (c, m) or (c, m, outputs): candidates by predicted rows
y         targets, (m,)
W         weights of the rows, whole numbers, (b, m)

A few metrics are sums over rows, and so matrix products; any other is called for each candidate
and weighting, and then fewer of both must do.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from hpsearch import _sklearn as bridge
from hpsearch.keep import Kept

Array = NDArray[np.float64]
Measure = Callable[[Array], Array]  # (b, n) -> (b, c)
MAX_PAIRED = 2_000  # rows of which all pairs are looked at
MAX_CALLS = 2_000  # of a metric that is no sum


def measure_of(kept: Kept, numbers: list[int], scorer: Any, estimator: Any) -> Measure | None:
    """Return the metric of candidates as a function of the weights of the rows.

    Parameters
    ----------
    kept : Kept
        With the out-of-fold predictions.
    numbers : list of int
        The candidates.
    scorer : scorer
        A single one.
    estimator : estimator
        What was searched for.

    Returns
    -------
    measure : callable or None
        None if the scores cannot be had from what was kept.
    """
    recipe = bridge.recipe_of(scorer, estimator)
    if recipe is None or kept.y is None:
        return None
    P = _stacked(kept, numbers, recipe.methods)
    if P is None:
        return None
    rows = np.concatenate(kept.rows)
    y = np.asarray(kept.y)[rows]
    plain = _SUMS.get(recipe.function) if not recipe.options else None
    if plain is _area and (len(np.unique(y)) != 2 or len(y) > MAX_PAIRED):
        plain = None
    if plain is not None and y.ndim == 1 and P.ndim == 2:
        inner = plain(P, y)
    else:
        inner = _called(recipe, P, y)
    if np.isnan(inner(np.ones((1, len(rows))))).any():
        return None
    return lambda weights: recipe.sign * inner(weights[:, rows])


def _stacked(kept: Kept, numbers: list[int], methods: tuple[str, ...]) -> Any:
    """Predictions of all candidates, in the order of the concatenated rows."""
    for method in methods:
        try:
            parts = [np.concatenate(kept[number].predictions(method)) for number in numbers]
            P = np.stack(parts)
        except ValueError:  # not kept, or of different shapes in different splits
            continue
        is_binary = method == "predict_proba" and P.ndim == 3 and P.shape[2] == 2
        return P[..., 1] if is_binary else P
    return None


def _mean_of(values: Array) -> Measure:  # (c, m)
    return lambda W: (W @ values.T) / np.maximum(W.sum(axis=1, keepdims=True), 1e-300)


def _errors(P: Array, y: Array) -> Array:
    """Differences as floats: of small integers they overflow, and bools have none."""
    return np.subtract(P, y, dtype=np.float64)


def _r2(P: Array, y: Array) -> Measure:
    squares = _errors(P, y) ** 2
    y = y - y.mean()  # far from zero the squares would leave no digits to the variance

    def measure(W: Array) -> Array:
        n = np.maximum(W.sum(axis=1, keepdims=True), 1e-300)
        centre = (W @ y)[:, None] / n
        total = (W @ y**2)[:, None] - n * centre**2
        return 1 - (W @ squares.T) / np.where(total > 0, total, np.nan)

    return measure


def _balanced(P: Array, y: Array) -> Measure:
    labels = np.unique(y)
    hits = [(label == P) & (y == label) for label in labels]

    def measure(W: Array) -> Array:
        recalls = [
            (W @ hit.T.astype(float)) / np.where(n > 0, n, np.nan)
            for hit, label in zip(hits, labels, strict=True)
            for n in [(W @ (y == label).astype(float))[:, None]]
        ]
        means: Array = np.nanmean(recalls, axis=0)
        return means

    return measure


def _area(P: Array, y: Array) -> Measure:
    """The area under the curve: the share of pairs in the right order (Mann & Whitney)."""
    positive = y == np.unique(y)[-1]

    def measure(W: Array) -> Array:
        up, down = W[:, positive], W[:, ~positive]
        n_pairs = up.sum(axis=1) * down.sum(axis=1)
        right = []
        for p in P:
            d = p[positive][:, None] - p[~positive]
            right.append((up @ (0.5 * (d > 0) + 0.5 * (d >= 0)) * down).sum(axis=1))
        shares: Array = np.stack(right, axis=1) / np.where(n_pairs > 0, n_pairs, np.nan)[:, None]
        return shares

    return measure


_SUMS: dict[Any, Callable[[Array, Array], Measure]] = {
    metrics.accuracy_score: lambda P, y: _mean_of((y == P).astype(float)),
    metrics.mean_squared_error: lambda P, y: _mean_of(_errors(P, y) ** 2),
    metrics.mean_absolute_error: lambda P, y: _mean_of(np.abs(_errors(P, y))),
    metrics.r2_score: _r2,
    metrics.balanced_accuracy_score: _balanced,
    metrics.roc_auc_score: _area,
}


def _called(recipe: bridge.Recipe, P: Any, y: Array) -> Measure:
    takes_weights = "sample_weight" in inspect.signature(recipe.function).parameters

    def one(prediction: Any, weights: Array) -> float:
        try:
            if takes_weights:
                score = recipe.function(y, prediction, sample_weight=weights, **recipe.options)
            else:
                rows = np.repeat(np.arange(len(y)), weights.astype(int))
                score = recipe.function(y[rows], prediction[rows], **recipe.options)
        except ValueError:  # one class is missing among the rows drawn
            return float("nan")
        return float(score)

    def measure(W: Array) -> Array:
        scores = np.full((len(W), len(P)), np.nan)
        for i in range(min(len(W), max(1, MAX_CALLS // len(P)))):
            scores[i] = [one(prediction, W[i]) for prediction in P]
        return scores

    return measure
