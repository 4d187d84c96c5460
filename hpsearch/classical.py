"""The two searches that give what scikit-learn's give: exhaustive and sampled."""

from __future__ import annotations

import itertools
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler

from hpsearch import _sklearn as bridge
from hpsearch import foreign
from hpsearch.base import BaseSearchCV
from hpsearch.checks import check_space
from hpsearch.dimensions import Dimension, Integer
from hpsearch.journal import Journal, Origin
from hpsearch.keep import Keep
from hpsearch.optimizers.plain import ListedOptimizer
from hpsearch.outcome import space_of_lists
from hpsearch.protocols import Watcher
from hpsearch.pruners import Pruner
from hpsearch.reuse import Family
from hpsearch.reuse.values import Key, key_of
from hpsearch.source import Source
from hpsearch.space import Space, admits
from hpsearch.stopping import EarlyStopping
from hpsearch.trial import Params
from hpsearch.workers import Workers

FOREIGN = "a space of hyperopt, scikit-optimize or ConfigSpace"
DRAWS_PER_CANDIDATE = 1000  # of a sampler, before its constraint is held to be impossible


class ExhaustiveSearchCV(BaseSearchCV):
    """Every candidate of a grid: scikit-learn's GridSearchCV, with the same results.

    Parameters
    ----------
    estimator : estimator object
        What is searched for.
    param_grid : dict or list of dict
        Parameter names to the values to try. A tuple is values here, as in scikit-learn; an
        `Integer`, or a dimension of your own with levels, stands for all its values.
    scoring, n_jobs, refit, cv, verbose, pre_dispatch, error_score : see `BaseSearchCV`
    return_train_score : bool, default=False
        See `BaseSearchCV`.
    constraint : callable or None, default=None
        Takes a candidate (a dict), returns whether it may be fitted.
    checkpoint, fit_timeout, max_time, memory_guard, reuse, pruner, deterministic, \
    watch, keep, early_stopping, workers : see `BaseSearchCV`

    Attributes
    ----------
    trials_ : Trials
        A record a candidate, also of those that failed.
    cv_results_, best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, \
    refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_ :
        As in GridSearchCV.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import ExhaustiveSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = ExhaustiveSearchCV(SVC(), {"kernel": ["linear", "rbf"], "C": [1, 10]}).fit(X, y)
    >>> search.best_params_
    {'C': 1, 'kernel': 'linear'}
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [dict, list, bridge.Accepted(foreign.is_foreign, FOREIGN)],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[[dict[str, Any]], int] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        constraint: Callable[[Params], bool] | None = None,
        checkpoint: str | os.PathLike[str] | Journal | None = None,
        fit_timeout: float | None = None,
        max_time: float | None = None,
        memory_guard: bool = True,
        reuse: bool | Sequence[str | Family] = True,
        pruner: str | Pruner | None = None,
        deterministic: bool | int = False,
        watch: Watcher | Sequence[Watcher] | None = None,
        keep: str | Sequence[str] | Keep | None = None,
        early_stopping: int | bool | EarlyStopping | None = None,
        workers: Workers | None = None,
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
            constraint=constraint,
            checkpoint=checkpoint,
            fit_timeout=fit_timeout,
            max_time=max_time,
            memory_guard=memory_guard,
            reuse=reuse,
            pruner=pruner,
            deterministic=deterministic,
            watch=watch,
            keep=keep,
            early_stopping=early_stopping,
            workers=workers,
        )
        self.param_grid = param_grid

    _is_exhaustive = True

    def _space(self) -> Space:
        return space_of_lists(_as_grid(foreign.read(self.param_grid).space), self.trials_)

    def _candidates(self, origin: Origin) -> Source:
        reading = foreign.read(self.param_grid)
        given, constraint = (
            _as_grid(reading.space),
            foreign.both(reading.constraint, self.constraint),
        )
        check_space(self.estimator, given, "param_grid", self.error_score, constraint)
        grid = ParameterGrid(given)
        if constraint is None:
            return _listed(grid, len(grid))
        return _listed(Allowed(grid, constraint), None)


class SampledSearchCV(BaseSearchCV):
    """Candidates drawn at random: scikit-learn's RandomizedSearchCV, with the same results.

    Parameters
    ----------
    estimator : estimator object
        What is searched for.
    param_distributions : dict or list of dict
        Parameter names to lists of values, frozen distributions of scipy.stats, `Real` or
        `Integer`. A tuple is values here, as in scikit-learn.
    n_iter : int, default=10
        Candidates to draw.
    scoring, n_jobs, refit, cv, verbose, pre_dispatch, error_score : see `BaseSearchCV`
    random_state : int, RandomState instance or None, default=None
        Where the draws come from.
    return_train_score : bool, default=False
        See `BaseSearchCV`.
    constraint : callable or None, default=None
        Takes a candidate (a dict), returns whether it may be fitted. What it rejects does not
        count towards `n_iter`.
    checkpoint, fit_timeout, max_time, memory_guard, reuse, pruner, deterministic, \
    watch, keep, early_stopping, workers : see `BaseSearchCV`

    Attributes
    ----------
    trials_ : Trials
        A record a candidate, also of those that failed.
    cv_results_, best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, \
    refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_ :
        As in RandomizedSearchCV.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import Real, SampledSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": Real(0.01, 100, log=True), "kernel": ["linear", "rbf"]}
    >>> search = SampledSearchCV(SVC(), space, n_iter=5, random_state=0).fit(X, y)
    >>> len(search.trials_)
    5
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseSearchCV._parameter_constraints,
        "param_distributions": [dict, list, bridge.Accepted(foreign.is_foreign, FOREIGN)],
        "n_iter": [bridge.positive_int],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[[dict[str, Any]], int] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        constraint: Callable[[Params], bool] | None = None,
        checkpoint: str | os.PathLike[str] | Journal | None = None,
        fit_timeout: float | None = None,
        max_time: float | None = None,
        memory_guard: bool = True,
        reuse: bool | Sequence[str | Family] = True,
        pruner: str | Pruner | None = None,
        deterministic: bool | int = False,
        watch: Watcher | Sequence[Watcher] | None = None,
        keep: str | Sequence[str] | Keep | None = None,
        early_stopping: int | bool | EarlyStopping | None = None,
        workers: Workers | None = None,
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
            constraint=constraint,
            checkpoint=checkpoint,
            fit_timeout=fit_timeout,
            max_time=max_time,
            memory_guard=memory_guard,
            reuse=reuse,
            pruner=pruner,
            deterministic=deterministic,
            watch=watch,
            keep=keep,
            early_stopping=early_stopping,
            workers=workers,
        )
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.random_state = random_state

    def _space(self) -> Space:
        return space_of_lists(self._reading().space, self.trials_)

    def _candidates(self, origin: Origin) -> Source:
        reading = self._reading()
        check_space(
            self.estimator,
            reading.space,
            "param_distributions",
            self.error_score,
            reading.constraint,
        )
        draws = self._sampler(self.n_iter, origin.random_state)
        if len(origin.n_iters) > 1 and not self._has_distribution():
            extended = self._extended(origin)
            return _listed(extended, len(extended))
        if isinstance(draws, Allowed):
            return _listed(draws, self.n_iter)
        # A generator that fits or splits may share is drawn from first, as scikit-learn does.
        is_own = isinstance(origin.random_state, int)
        return _listed(draws if is_own else list(draws), len(draws))

    def _reading(self) -> foreign.Reading:
        """The space in our own words, with all that constrains it."""
        reading = foreign.read(self.param_distributions)
        return replace(reading, constraint=foreign.both(reading.constraint, self.constraint))

    def _sampler(self, n_iter: int, random_state: Any) -> ParameterSampler | Allowed:
        """Draws; with a constraint, the first `n_iter` that it allows."""
        reading = self._reading()
        space = _countable(reading.space)
        if reading.constraint is None:
            return ParameterSampler(space, n_iter, random_state=random_state)
        n_draws = n_iter * DRAWS_PER_CANDIDATE
        if not self._has_distribution():  # drawn without replacement
            n_draws = min(n_draws, len(ParameterGrid(space)))
        draws = ParameterSampler(space, n_draws, random_state=random_state)
        return Allowed(draws, reading.constraint, n_iter)

    def _extended(self, origin: Origin) -> list[Params]:
        """The draws of each earlier run, then those of this one that are new.

        Draws from lists are without replacement, and others for another `n_iter`.
        """
        found: dict[Key, Params] = {}
        for n_iter in origin.n_iters:
            for params in self._sampler(n_iter, origin.random_state):
                if len(found) < n_iter:
                    found.setdefault(key_of(params), params)
        return list(found.values())

    def _has_distribution(self) -> bool:
        branches = _branches(_countable(self._reading().space))
        return any(hasattr(values, "rvs") for branch in branches for values in branch.values())


class Allowed:
    """Candidates that a constraint allows; can be gone through again.

    Parameters
    ----------
    candidates : iterable of dict
        Can be gone through again, too.
    constraint : callable
        Takes a candidate, returns whether it is allowed.
    most : int or None, default=None
        How many to give at most.
    """

    def __init__(
        self,
        candidates: Iterable[Params],
        constraint: Callable[[Params], bool],
        most: int | None = None,
    ) -> None:
        self._candidates = candidates
        self._admits = partial(admits, constraint)
        self._most = most

    def __iter__(self) -> Iterator[Params]:
        return itertools.islice(filter(self._admits, self._candidates), self._most)


class Draws:
    """Listed values as a distribution, each as likely."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values

    def rvs(self, random_state: np.random.RandomState) -> Any:
        return self._values[random_state.randint(len(self._values))]


def _countable(given: Any) -> Any:
    """Return the space, its lists as distributions if there are more candidates than `len` takes.

    scikit-learn numbers the candidates of lists, and an overflow is all that comes of so many.
    """
    branches = _branches(given)
    sized = [
        [len(values) for values in branch.values() if isinstance(values, Sized)]
        for branch in branches
        if isinstance(branch, Mapping)
    ]
    if sum(map(math.prod, sized)) <= sys.maxsize:
        return given
    return [
        {k: v if hasattr(v, "rvs") else Draws(v) for k, v in branch.items()} for branch in branches
    ]


def _branches(given: Any) -> Any:
    return [given] if isinstance(given, Mapping) else given


def _listed(candidates: Iterable[Params], n_candidates: int | None) -> Source:
    """Candidates are found again by going through the list."""
    again = iter(candidates)
    return Source(
        ListedOptimizer(candidates),
        n_candidates,
        spell=lambda params: None,  # noqa: ARG005 - the number of the trial is its place
        read=lambda place: next(again),  # noqa: ARG005 - likewise
        listed=candidates,
    )


def _as_grid(given: Any) -> Any:
    """Spell out dimensions that have levels; leave the rest to scikit-learn's own checks."""
    if isinstance(given, Mapping):
        return {name: _as_values(name, values) for name, values in given.items()}
    return [_as_grid(part) for part in given] if isinstance(given, list) else given


def _as_values(name: str, values: Any) -> Any:
    if not isinstance(values, Dimension) or isinstance(values, Sequence):
        return values
    if isinstance(values, Integer):
        return range(values.low, values.high + 1)
    if values.levels is None:
        raise TypeError(f"param_grid[{name!r}]: {values!r} is a continuum; list the values to try.")
    return [values.decode(values.cell(level)) for level in range(values.levels)]
