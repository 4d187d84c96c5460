"""The two searches that give what scikit-learn's give: exhaustive and sampled."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler

from hpsearch import _sklearn as bridge
from hpsearch.base import BaseSearchCV, Source
from hpsearch.checks import check_space
from hpsearch.dimensions import Integer, Real
from hpsearch.optimizers.plain import ListedOptimizer
from hpsearch.trial import Params

DRAWS_PER_CANDIDATE = 1000  # of a sampler, before its constraint is held to be impossible


class ExhaustiveSearchCV(BaseSearchCV):
    """Every candidate of a grid: scikit-learn's GridSearchCV, with the same results.

    Parameters
    ----------
    estimator : estimator object
        What is searched for.
    param_grid : dict or list of dict
        Parameter names to the values to try. A tuple is values here, as in scikit-learn; an
        `Integer` stands for all its values.
    scoring, n_jobs, refit, cv, verbose, pre_dispatch, error_score : see `BaseSearchCV`
    return_train_score : bool, default=False
        See `BaseSearchCV`.
    constraint : callable or None, default=None
        Takes a candidate (a dict), returns whether it may be fitted.

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
        "param_grid": [dict, list],
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
        )
        self.param_grid = param_grid

    def _candidates(self) -> Source:
        grid = ParameterGrid(_as_grid(self.param_grid))
        check_space(self.estimator, self.param_grid, "param_grid", self.error_score)
        if self.constraint is None:
            return Source(ListedOptimizer(grid), len(grid))
        return Source(ListedOptimizer(filter(self.constraint, grid)), None)


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
        "param_distributions": [dict, list],
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
        )
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.random_state = random_state

    def _candidates(self) -> Source:
        sampler = ParameterSampler(
            self.param_distributions, self.n_iter, random_state=self.random_state
        )
        check_space(
            self.estimator, self.param_distributions, "param_distributions", self.error_score
        )
        if self.constraint is not None:
            return Source(ListedOptimizer(self._allowed()), self.n_iter)
        # A generator that fits or splits may share is drawn from first, as scikit-learn does.
        is_own = isinstance(self.random_state, int)
        return Source(ListedOptimizer(sampler if is_own else list(sampler)), len(sampler))

    def _allowed(self) -> Iterator[Params]:
        """The first `n_iter` draws that the constraint allows."""
        n_draws = self.n_iter * DRAWS_PER_CANDIDATE
        if not _has_distribution(self.param_distributions):  # drawn without replacement
            n_draws = min(n_draws, len(ParameterGrid(self.param_distributions)))
        sampler = ParameterSampler(
            self.param_distributions, n_draws, random_state=self.random_state
        )
        return itertools.islice(filter(self.constraint, sampler), self.n_iter)


def _as_grid(given: Any) -> Any:
    """Spell out integer ranges; leave the rest to scikit-learn's own checks."""
    if isinstance(given, Mapping):
        return {name: _as_values(name, values) for name, values in given.items()}
    return [_as_grid(part) for part in given] if isinstance(given, list) else given


def _as_values(name: str, values: Any) -> Any:
    if isinstance(values, Integer):
        return range(values.low, values.high + 1)
    if isinstance(values, Real):
        raise TypeError(f"param_grid[{name!r}]: {values!r} is a continuum; list the values to try.")
    return values


def _has_distribution(given: Any) -> bool:
    branches = [given] if isinstance(given, Mapping) else given
    return any(hasattr(values, "rvs") for branch in branches for values in branch.values())
