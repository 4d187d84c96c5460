"""Rules that pick the winner, other than the greatest mean score: for `refit=` and `select`.

Each is a callable of `cv_results_` that returns the row of the winner, as scikit-learn's searches
take it too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.honest import error_of_mean
from hpsearch.trial import Params

Array = NDArray[np.float64]
Results = Mapping[str, Any]

# Parameters of which less, or more, makes a simpler model, whatever the estimator.
LESS = frozenset(
    [
        "C",
        "coef0",
        "degree",
        "gamma",
        "k",
        "max_bin",
        "max_depth",
        "max_features",
        "max_leaf_nodes",
        "max_leaves",
        "n_components",
        "n_estimators",
        "n_iter",
        "n_knots",
        "num_leaves",
        "iterations",
        "depth",
        "num_iterations",
    ]
)
MORE = frozenset(
    [
        "alpha",
        "alpha_1",
        "ccp_alpha",
        "epsilon",
        "l2_leaf_reg",
        "l2_regularization",
        "lambda_l1",
        "lambda_l2",
        "min_child_samples",
        "min_child_weight",
        "min_data_in_leaf",
        "min_impurity_decrease",
        "min_samples_leaf",
        "min_samples_split",
        "min_split_gain",
        "n_neighbors",
        "reg_alpha",
        "reg_lambda",
        "shrinkage",
        "var_smoothing",
    ]
)


@dataclass(frozen=True)
class OneStandardError:
    """The simplest candidate that is within one standard error of the best.

    The rule of Breiman, Friedman, Olshen & Stone (1984): differences that small are noise, so that
    the simpler model is the safer one.

    Parameters
    ----------
    simpler : sequence of str or None, default=None
        What makes a candidate simple, the most important first: "max_depth" for less of it,
        "-alpha" for more of it, by the full name of the parameter or the end of it. None goes by
        the parameters that are known (`C`, `max_depth`, `n_estimators`, `alpha`, ...), all of
        them alike.
    metric : str or None, default=None
        The metric, if there are several.
    n_errors : float, default=1.0
        How many standard errors.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from hpsearch import ExhaustiveSearchCV, OneStandardError
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> grid = {"min_samples_leaf": [1, 2, 5, 10, 20, 40]}
    >>> ExhaustiveSearchCV(tree, grid).fit(X, y).best_params_
    {'min_samples_leaf': 10}
    >>> ExhaustiveSearchCV(tree, grid, refit=OneStandardError()).fit(X, y).best_params_
    {'min_samples_leaf': 40}
    """

    simpler: Sequence[str] | None = None
    metric: str | None = None
    n_errors: float = 1.0

    def __call__(self, results: Results) -> int:
        means = means_of(results, self.metric)
        best = int(np.nanargmax(means))
        scores = splits_of(results, self.metric)[:, best]
        scores = scores[np.isfinite(scores)]
        error = error_of_mean(scores, test_share=0.0) if len(scores) > 1 else 0.0
        return _simplest(results, means, means[best] - self.n_errors * error, self.simpler)


@dataclass(frozen=True)
class WithinPercent:
    """The simplest candidate that is at most so many per cent worse than the best.

    Parameters
    ----------
    percent : float, default=1.0
        Of the absolute value of the best score.
    simpler : sequence of str or None, default=None
        See `OneStandardError`.
    metric : str or None, default=None
        The metric, if there are several.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from hpsearch import ExhaustiveSearchCV, WithinPercent
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree, grid = DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3, 5, 9]}
    >>> ExhaustiveSearchCV(tree, grid, refit=WithinPercent(3)).fit(X, y).best_params_
    {'max_depth': 2}
    """

    percent: float = 1.0
    simpler: Sequence[str] | None = None
    metric: str | None = None

    def __call__(self, results: Results) -> int:
        means = means_of(results, self.metric)
        best = float(np.nanmax(means))
        return _simplest(results, means, best - self.percent / 100 * abs(best), self.simpler)


@dataclass(frozen=True)
class FastestWithin:
    """The fastest candidate that is at most so much worse than the best.

    Parameters
    ----------
    tolerance : float, default=0.01
        What may be lost, in units of the score.
    time : {"fit", "score"}, default="fit"
        Which seconds count: those of the fit, or those of scoring, which are those of predictions.
    metric : str or None, default=None
        The metric, if there are several.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from hpsearch import ExhaustiveSearchCV, FastestWithin
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> forest, grid = RandomForestClassifier(random_state=0), {"n_estimators": [5, 100]}
    >>> search = ExhaustiveSearchCV(forest, grid, refit=FastestWithin(0.05), reuse=False)
    >>> search.fit(X, y).best_params_
    {'n_estimators': 5}
    """

    tolerance: float = 0.01
    time: str = "fit"
    metric: str | None = None

    def __call__(self, results: Results) -> int:
        if self.time not in ("fit", "score"):
            raise ValueError(f"time={self.time!r} is not one of 'fit', 'score'.")
        means = means_of(results, self.metric)
        near = means >= np.nanmax(means) - self.tolerance
        return int(np.argmin(np.where(near, results[f"mean_{self.time}_time"], np.inf)))


def means_of(results: Results, metric: str | None) -> Array:
    """Return the mean scores of a metric, the only one if it is not named; NaN if incomplete.

    Raises
    ------
    ValueError
        If there is no such metric, several and none is named, or no score at all.
    """
    known = [k.removeprefix("mean_test_") for k in results if k.startswith("mean_test_")]
    if metric is None and len(known) == 1:
        metric = known[0]
    if metric not in known:
        raise ValueError(
            f"metric={metric!r}: the metrics of this search are {known}; name one of them."
        )
    means = np.asarray(results[f"mean_test_{metric}"], dtype=float)
    if not np.isfinite(means).any():
        raise ValueError("No candidate has a score on every split: there is none to pick.")
    return means


def splits_of(results: Results, metric: str | None) -> Array:
    """Return the scores of the splits by a metric, or by the only one, (splits, candidates)."""
    name = ".*" if metric is None else re.escape(metric)
    splits = [k for k in results if re.fullmatch(rf"split\d+_test_{name}", k)]
    return np.array([results[split] for split in splits], dtype=float)


def _simplest(results: Results, means: Array, least: float, simpler: Sequence[str] | None) -> int:
    """Return the simplest of the candidates with at least so high a mean; of equals, the best."""
    near = [i for i in np.flatnonzero(means >= least).tolist() if math.isfinite(means[i])]
    params = [results["params"][i] for i in near]
    if simpler is not None:
        given = (simpler,) if isinstance(simpler, str) else tuple(simpler)
        keys = _in_order(params, given, results["params"])
    else:
        keys = _alike(params, results["params"])
    return near[min(range(len(near)), key=lambda i: (keys[i], -means[near[i]], i))]


def _in_order(
    params: list[Params], given: tuple[str, ...], every: Iterable[Params]
) -> list[tuple[float, ...]]:
    names = dict.fromkeys(name for candidate in every for name in candidate)
    keys = []
    for word in given:
        found = [n for n in names if n == word.lstrip("-") or n.endswith(f"__{word.lstrip('-')}")]
        if len(found) != 1:
            raise ValueError(
                f"simpler: {word!r} names {found or 'none'} of the parameters {list(names)}."
            )
        sign = -1 if word.startswith("-") else 1
        keys.append([sign * _size(p.get(found[0])) for p in params])
    return list(zip(*keys, strict=True))


def _alike(params: list[Params], every: Iterable[Params]) -> list[tuple[float, ...]]:
    """Mean rank in the parameters that are known to make a model simple."""
    names = dict.fromkeys(name for candidate in every for name in candidate)
    ends = {name: name.rpartition("__")[2] for name in names}
    known = {n: 1 if end in LESS else -1 for n, end in ends.items() if end in LESS | MORE}
    if not known:
        raise ValueError(
            f"simpler=None: of none of the parameters {list(names)} it is known what is simple. "
            "Name them: simpler=['max_depth'] for less of it, ['-alpha'] for more."
        )
    ranks = np.zeros(len(params))
    for name, sign in known.items():
        sizes = np.array([sign * _size(p.get(name)) for p in params])
        ranks += np.searchsorted(np.unique(sizes), sizes) / max(len(np.unique(sizes)) - 1, 1)
    return [(float(rank),) for rank in ranks]


def _size(value: Any) -> float:
    """How much a value is: a number; the sum of several; without a limit for None."""
    if value is None:
        return math.inf
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, (tuple, list)) and all(isinstance(v, Real) for v in value):
        return float(sum(value))
    return 0.0  # "sqrt", "scale": of no known size


def picked(
    results: Results,
    rule: Callable[[Results], int] | str | None,
    where: Callable[[dict[str, Any]], bool] | None,
) -> int:
    """Return the row that a rule picks among those that a constraint allows.

    Parameters
    ----------
    results : dict
        `cv_results_`.
    rule : callable, str or None
        A rule; the name of a metric, whose greatest mean wins; None for the only metric.
    where : callable or None
        Takes a row of `cv_results_` as a dict, returns whether it may win.

    Raises
    ------
    ValueError
        If nothing is left to pick from.
    """
    n = len(results["params"])
    rows = range(n) if where is None else [i for i in range(n) if where(row_of(results, i))]
    if not rows:
        raise ValueError("where: no candidate of the search is allowed.")
    left = {name: _taken(values, rows) for name, values in results.items()}
    if callable(rule):
        place = rule(left)
        if not 0 <= place < len(rows):
            raise IndexError(f"The rule {rule!r} returned {place!r}, of {len(rows)} candidates.")
    else:
        place = int(np.nanargmax(means_of(left, rule)))
    return rows[int(place)]


def row_of(results: Results, place: int) -> dict[str, Any]:
    """Return a row of `cv_results_`."""
    return {name: values[place] for name, values in results.items()}


def _taken(values: Any, rows: Sequence[int]) -> Any:
    return [values[i] for i in rows] if isinstance(values, list) else values[list(rows)]
