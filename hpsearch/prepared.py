"""The input of a search, checked before the first candidate: data, scorer, metadata, splits."""

from __future__ import annotations

import inspect
import numbers
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import (
    GroupShuffleSplit,
    ShuffleSplit,
    StratifiedShuffleSplit,
    check_cv,
)
from sklearn.pipeline import Pipeline
from sklearn.utils import indexable
from sklearn.utils.multiclass import type_of_target

from hpsearch import _sklearn as bridge

ONE_LABEL = ("binary", "multiclass")


@dataclass(frozen=True)
class Prepared:
    """What a search knows once its input was checked, before the first candidate.

    The three `params` go to the estimator's fit, to the scorers and to the splitter.
    `refit_metric` is the metric that picks the winner, "score" if there is only one.
    """

    estimator: Any  # a clone, the base of all candidates
    X: Any
    y: Any
    scorer: Any
    refit_metric: Any
    cv: Any
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    split_params: Mapping[str, Any]
    fit_metadata: Mapping[str, Any] | None


def prepare(search: Any, X: Any, y: Any, params: dict[str, Any]) -> Prepared:
    """Resolve scorers, route metadata, check the splitter: all that precedes the splits."""
    scorer, refit_metric = bridge.scorers_of(search)
    X, y = indexable(X, y)
    params = bridge.params_of_rows(X, params, None)
    routed = bridge.routed(search, params)
    cv = splitter_of(search.cv, y, search, grouped=params.get("groups") is not None)
    weight = params.get("sample_weight")
    _check_weight(X, weight)
    _check_refit_name(search, scorer)
    bridge.check_responses(search.estimator, scorer)
    _check_calls(scorer, y, routed.scorer.score)
    estimator = clone(search.estimator)
    _check_fit(search, y, routed.estimator.fit)
    return Prepared(
        estimator=estimator,
        X=X,
        y=y,
        scorer=scorer,
        refit_metric=refit_metric,
        cv=cv,
        fit_params=routed.estimator.fit,
        score_params=routed.scorer.score,
        split_params=routed.splitter.split,
        fit_metadata=None if weight is None else {"sample_weight": weight},
    )


def splitter_of(cv: Any, y: Any, search: Any, *, grouped: bool = False) -> Any:
    """Return a splitter: scikit-learn's own, or for a share of the rows one stratified hold-out.

    A share is held out with the search's `random_state` if that is a number, and else with 0.
    """
    of_classes = is_classifier(search.estimator)
    if not isinstance(cv, (float, np.floating)):
        return check_cv(cv, y, classifier=of_classes)
    seed = getattr(search, "random_state", None)
    seed = int(seed) if isinstance(seed, numbers.Integral) else 0
    if grouped:
        return GroupShuffleSplit(1, test_size=float(cv), random_state=seed)
    stratified = of_classes and type_of_target(y) in ONE_LABEL
    cls = StratifiedShuffleSplit if stratified else ShuffleSplit
    return cls(1, test_size=float(cv), random_state=seed)


def _check_weight(X: Any, weight: Any) -> None:
    if weight is not None and hasattr(weight, "__len__") and len(weight) != bridge.n_rows(X):
        raise ValueError(
            f"sample_weight has {len(weight)} values, and X has {bridge.n_rows(X)} rows: give one "
            "weight a row."
        )


def _check_calls(scorer: Any, y: Any, params: Mapping[str, Any]) -> None:
    """Raise if a scorer, by its signature, cannot be called as one: each score would fail."""
    if params and bridge.is_multimetric(scorer):  # each takes what is its own
        return
    arguments = ("estimator", "X") if y is None else ("estimator", "X", "y")
    for name, single in bridge.singles(scorer).items():
        why_not = _why_not(single, *arguments, **params)
        if why_not is not None:
            call = f"{getattr(single, '__name__', single)}({', '.join(arguments)})"
            raise ValueError(
                f"scoring{f'[{name!r}]' if name else ''}: {call} cannot be called: {why_not}. "
                + (
                    "It needs targets, and y is None."
                    if y is None
                    else "sklearn.metrics.make_scorer makes a scorer of a metric of "
                    "(y_true, y_pred)."
                )
            )


def _check_fit(search: Any, y: Any, params: Mapping[str, Any]) -> None:
    """Raise if the estimator, by the signature of its `fit`, cannot be fitted: each fit would fail.

    Of a pipeline only whether its last step takes no targets is looked at, if no candidate has
    another one.
    """
    estimator = search.estimator
    if isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        params = {}
        if y is not None or name in _names(search) or not hasattr(estimator, "fit"):
            return
    why_not = _why_not(estimator.fit, "X", *([] if y is None else ["y"]), **params)
    if why_not is not None:
        signature = inspect.signature(estimator.fit)
        advice = "y is None: give targets." if y is None else f"Its signature: fit{signature}."
        if {"callback", "callbacks"} & set(params):  # as in BayesSearchCV
            advice += " What is to be called while the search runs is its watch=."
        # What scikit-learn's searches raise, after fits that all fail of it.
        raised = TypeError if search.error_score == "raise" else ValueError
        raise raised(f"{type(estimator).__name__}.fit cannot be called: {why_not}. {advice}")


def _why_not(function: Any, *arguments: str, **params: Any) -> TypeError | None:
    """Why a function, by its signature, cannot be called so; None if nothing is against it."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # compiled functions may have none
        return None
    try:
        signature.bind(*arguments, **params)
    except TypeError as error:
        return error
    return None


def _names(search: Any) -> set[str]:
    """What the candidates of a search may set, as far as can be seen."""
    given = search.get_params(deep=False)
    spaces = [given.get("param_grid"), given.get("param_distributions")]
    branches = [b for s in spaces for b in (s if isinstance(s, list) else [s])]
    return {name for branch in branches if isinstance(branch, Mapping) for name in branch}


def _check_refit_name(search: Any, scorer: Any) -> None:
    """With one metric `refit` may also be the name of it."""
    if isinstance(search.refit, str) and bridge.predicts_once(scorer):
        names = ["score"] + ([search.scoring] if isinstance(search.scoring, str) else [])
        if search.refit not in names:
            warnings.warn(
                f"refit={search.refit!r} is not one of the metrics {names}: the best is picked by "
                f"{names[-1]!r}, as with refit=True.",
                UserWarning,
                stacklevel=5,
            )


def count_splits(prepared: Prepared) -> int:
    return int(prepared.cv.get_n_splits(prepared.X, prepared.y, **prepared.split_params))


def make_splits(prepared: Prepared, n_splits: int) -> list[tuple[Any, Any]]:
    """Make the splits, once a search: a shuffling splitter would make others the next time."""
    splits = list(prepared.cv.split(prepared.X, prepared.y, **prepared.split_params))
    if len(splits) != n_splits:
        raise ValueError(
            f"cv.split and cv.get_n_splits {bridge.RETURN} inconsistent results. "
            f"Expected {n_splits} splits, got {len(splits)}"
        )
    return splits


def n_classes(estimator: Any, y: Any) -> int:
    """How many classes a classifier has to tell apart; 1 for anything else."""
    if y is None or not is_classifier(estimator) or type_of_target(y) not in ONE_LABEL:
        return 1
    return len(np.unique(np.asarray(y)))
