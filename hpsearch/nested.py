"""Nested cross-validation: what a whole search, choice included, gives on rows it never saw."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import indexable

from hpsearch import _sklearn as bridge
from hpsearch.ambient import Ambient
from hpsearch.base import BaseSearchCV
from hpsearch.brief import short_amount, short_params, short_score
from hpsearch.display import watchers_of
from hpsearch.executors import JoblibExecutor, executor_for
from hpsearch.honest import error_of_mean
from hpsearch.lanes import Lane, Lanes
from hpsearch.memory import available
from hpsearch.prepared import splitter_of
from hpsearch.protocols import Event, Watcher
from hpsearch.splits import sizes_of
from hpsearch.sqlite_journal import SQLiteJournal
from hpsearch.trial import Params


@dataclass(frozen=True)
class NestedScores:
    """What `nested_score` returns; its `str` tells it in words.

    Attributes
    ----------
    scores : ndarray of shape (n_splits,)
        On the rows that the search of the split did not see.
    best_scores : ndarray of shape (n_splits,)
        `best_score_` of the searches: too good.
    best_params : list of dict
        What each search chose.
    standard_error : float
        Of the mean of the scores, corrected for shared rows (Nadeau & Bengio, 2003).
    searches : list of searches
        Fitted on the training rows of each split.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import ExhaustiveSearchCV, nested_score
    >>> search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=3)
    >>> scores = nested_score(search, *load_iris(return_X_y=True), cv=3)
    >>> print(scores)
    0.9667 ± 0.021 on new rows, by 3 searches; their best_score_ is 0.0035 higher on average.
    split 0: 0.98 with C=10
    split 1: 0.98 with C=1
    split 2: 0.94 with C=10
    >>> round(scores.mean, 4)
    0.9667
    """

    scores: NDArray[np.float64]
    best_scores: NDArray[np.float64]
    best_params: list[Params]
    standard_error: float
    searches: list[Any]

    @property
    def mean(self) -> float:
        """Mean of the scores."""
        return float(self.scores.mean())

    def __str__(self) -> str:
        chosen = [short_params(p) for p in self.best_params]
        optimism = float(self.best_scores.mean()) - self.mean
        told = (
            f"{short_score(self.mean)} ± {short_amount(self.standard_error)} on new rows, by "
            f"{len(self.scores)} searches; their best_score_ is {short_amount(abs(optimism))} "
            f"{'higher' if optimism >= 0 else 'lower'} on average."
        )
        each = enumerate(zip(self.scores, chosen, strict=True))
        lines = [f"split {i}: {short_score(score)} with {params}" for i, (score, params) in each]
        return "\n".join([told, *lines])


def nested_score(
    search: BaseSearchCV,
    X: Any,
    y: Any = None,
    *,
    cv: Any = 5,
    groups: Any = None,
    params: Mapping[str, Any] | None = None,
) -> NestedScores:
    """Score a search by cross-validation, each time on rows that it did not see.

    All searches run in one pool of `n_jobs` workers. The next one begins where those before leave
    a worker without a fit: at their end, while they refit, or because they are small. What each
    finds is what it would find alone; a search that learns from its results goes by their order,
    as ever with several workers. With a checkpoint, a `fit_timeout`, `workers`, callbacks of
    scikit-learn, or a backend whose workers are no processes of this machine, the searches run one
    after another.

    Parameters
    ----------
    search : search
        Any search of hpsearch with a refit; it is cloned. A checkpoint keeps all the searches in
        one file, so that the whole can be resumed.
    X : array-like of shape (n_rows, n_columns)
        The data.
    y : array-like of shape (n_rows,), default=None
        The targets.
    cv : int, float, splitter or iterable, default=5
        The outer splits, as in the searches.
    groups : array-like of shape (n_rows,), default=None
        For the outer splitter, and those of the rows for the splitter of each search.
    params : mapping or None, default=None
        Passed to the searches' `fit`; what has a value a row is cut to the rows.

    Returns
    -------
    scores : NestedScores
        Scores, choices and searches.

    Raises
    ------
    TypeError
        If the search is none of hpsearch; scikit-learn's `cross_val_score` takes any.
    ValueError
        If the search does not refit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import ExhaustiveSearchCV, nested_score
    >>> X, y = load_iris(return_X_y=True)
    >>> search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=3)
    >>> scores = nested_score(search, X, y, cv=4)
    >>> len(scores.scores), round(scores.mean, 2)
    (4, 0.97)
    """
    if not isinstance(search, BaseSearchCV):
        raise TypeError(
            f"search={search!r} is no search of hpsearch. For others there is "
            "sklearn.model_selection.cross_val_score."
        )
    if not search.refit:
        raise ValueError("nested_score scores the refitted winners: the search needs a refit.")
    scorer, _ = bridge.scorers_of(search)
    if callable(search.refit) and bridge.is_multimetric(scorer):
        raise _unnamed(search.refit, bridge.metric_names(scorer))
    X, y, groups = indexable(X, y, groups)  # sparse matrices of some formats have no rows to take
    splitter = splitter_of(cv, y, search, grouped=groups is not None)
    splits = [Split(*pair) for pair in splitter.split(X, y, groups)]
    nested = Nested(search, X, y, groups, dict(params or {}))
    done = _together(nested, splits) or [nested.run(split) for split in splits]
    scores = np.array([score for _, score in done])
    searches = [fitted for fitted, _ in done]
    train_rows, test_rows = np.sum(sizes_of(splits), axis=0)
    return NestedScores(
        scores,
        np.array([_best_score(s) for s in searches]),
        [s.best_params_ for s in searches],
        error_of_mean(scores, test_rows / train_rows),
        searches,
    )


def _unnamed(refit: Any, names: Any) -> ValueError:
    return ValueError(
        f"refit={refit!r}: with several metrics nested_score has to know by which of them to score "
        f"the winners. Give refit the name of one of {names}."
    )


class Split(NamedTuple):
    """Rows of an outer split."""

    train: Any
    test: Any


@dataclass(frozen=True)
class Nested:
    """A search, and the data of which it gets a part each time."""

    search: BaseSearchCV
    X: Any
    y: Any
    groups: Any
    params: dict[str, Any]

    def run(self, split: Split, lane: Lane | None = None) -> tuple[Any, float]:
        """Return the search fitted on the training rows, and its score on the others."""
        X_train, y_train = bridge.take_rows(self.search, self.X, self.y, split.train)
        X_test, y_test = bridge.take_rows(self.search, self.X, self.y, split.test, split.train)
        given = bridge.params_of_rows(self.X, self.params, split.train)
        if self.groups is not None:
            given["groups"] = np.asarray(self.groups)[split.train]
        fitted = _resumable(clone(self.search))
        if lane is None:
            fitted.fit(X_train, y_train, **given)
        else:
            _fit_in(lane, fitted, X_train, y_train, given)
        # That a callable gives several metrics is known only now.
        if fitted.multimetric_ and callable(fitted.refit):
            known = [n for n in fitted.cv_results_ if n.startswith("mean_test_")]
            raise _unnamed(fitted.refit, [name.removeprefix("mean_test_") for name in known])
        return fitted, float(fitted.score(X_test, y_test))


def _resumable(search: Any) -> Any:
    """Let the searches of all splits share a checkpoint."""
    if isinstance(search.checkpoint, (str, os.PathLike)):
        search.checkpoint = SQLiteJournal(search.checkpoint, if_different="add")
    return search


def _together(nested: Nested, splits: Sequence[Split]) -> list[tuple[Any, float]] | None:
    """Run the searches of all splits in one pool; None if they have to run one after another."""
    search = nested.search
    apart = (search.checkpoint, search.fit_timeout, search.workers)  # each wants the pool for one
    if any(given is not None for given in apart) or bridge.has_callbacks(search, search.estimator):
        return None
    memory = available() if search.memory_guard else None
    executor = executor_for(search.n_jobs, memory=memory)
    if not isinstance(executor, JoblibExecutor):
        return None
    config = Ambient.here().config
    with executor:
        if not executor.can_kill:  # a cluster, or threads
            return None

        def run(split: Split, lane: Lane) -> tuple[Any, float]:
            with sklearn.config_context(**config):  # which each thread has its own of
                return nested.run(split, lane)

        return Lanes[tuple[Any, float]](executor).run([partial(run, split) for split in splits])


def _fit_in(lane: Lane, search: BaseSearchCV, X: Any, y: Any, params: dict[str, Any]) -> None:
    """Fit a search in a lane; what looks on is called in the caller's thread."""
    watch = search.watch
    if watch is not None:
        search.watch = [Elsewhere(lane, watcher) for watcher in watchers_of(watch)]
    search._lane = lane  # noqa: SLF001 - the seam between the two
    try:
        search.fit(X, y, **params)
    finally:
        del search._lane  # noqa: SLF001
        search.watch = watch


@dataclass(frozen=True)
class Elsewhere:
    """A watcher that is called in the thread of a lane's caller."""

    lane: Lane
    watcher: Watcher

    def __call__(self, event: Event) -> None:
        self.lane.ask(partial(self.watcher, event))

    def __repr__(self) -> str:
        return repr(self.watcher)


def _best_score(search: Any) -> float:
    if hasattr(search, "best_score_"):
        return float(search.best_score_)
    means: Sequence[float] = search.cv_results_["mean_test_score"]  # a callable refit chose
    return float(means[search.best_index_])
