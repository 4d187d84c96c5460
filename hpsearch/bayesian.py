"""The searches that learn from the scores so far."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from hpsearch import _sklearn as bridge
from hpsearch import foreign
from hpsearch.base import BaseSearchCV
from hpsearch.checks import check_space
from hpsearch.journal import Journal, Origin
from hpsearch.keep import Keep
from hpsearch.optimizers.base import AbstractOptimizer, Optimizer, seed_of
from hpsearch.optimizers.gp import GPOptimizer
from hpsearch.optimizers.plain import GridOptimizer
from hpsearch.optimizers.tpe import TPEOptimizer
from hpsearch.prepared import Prepared
from hpsearch.protocols import Watcher
from hpsearch.pruners import Pruner
from hpsearch.reuse import Family
from hpsearch.source import Source
from hpsearch.space import Space
from hpsearch.start import start_of
from hpsearch.stopping import EarlyStopping
from hpsearch.trial import Params
from hpsearch.workers import Workers


class DistributionSearchCV(BaseSearchCV):
    """Base of the searches whose optimizer learns from the scores so far.

    Set `_optimizer_class`, or pass `optimizer=`, to search with another one. For the parameters
    see `GPSearchCV`.
    """

    _optimizer_class: ClassVar[type[AbstractOptimizer]]

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseSearchCV._parameter_constraints,
        "param_distributions": [
            dict,
            list,
            Space,
            bridge.Accepted(foreign.is_foreign, "a space of hyperopt or another library"),
        ],
        "n_iter": [bridge.positive_int],
        "random_state": ["random_state"],
        "initial_params": [list, tuple, None],
        "prior_trials": [list, tuple, None],
        "cost_aware": ["boolean"],
        "metric": [str, None],
        "optimizer": [callable, None],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 50,
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
        initial_params: Sequence[Params] | None = None,
        prior_trials: Sequence[tuple[Params, float]] | None = None,
        cost_aware: bool = False,
        metric: str | None = None,
        optimizer: Callable[..., Optimizer] | None = None,
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
        self.initial_params = initial_params
        self.prior_trials = prior_trials
        self.cost_aware = cost_aware
        self.metric = metric
        self.optimizer = optimizer

    def _space(self) -> Space:
        return Space.of(self.param_distributions)

    def _candidates(self, origin: Origin) -> Source:
        space = Space.of(self.param_distributions, self.constraint)
        is_one = isinstance(self.param_distributions, Mapping) and len(space.branches) == 1
        given = space.branches[0] if is_one else space.branches  # as the user wrote it
        check_space(
            self.estimator, given, "param_distributions", self.error_score, space.constraint
        )
        start = start_of(space, self.estimator, self.initial_params)
        seed = seed_of(origin.random_state)
        if self._is_covered(space):
            # Nothing is left to choose but the order: a grid's, as in scikit-learn's searches.
            initial = start.first if self.initial_params else ()
            optimizer: Optimizer = GridOptimizer(space, seed, initial)
        else:
            make = self.optimizer or self._optimizer_class
            hints: dict[str, Any] = {}
            if _takes(make, "opening_params"):
                hints["opening_params"] = start.openings
            if self.prior_trials is not None:
                hints["prior_trials"] = self.prior_trials
            if self.cost_aware:
                self._check_cost_aware(make)
                hints["cost_aware"] = True
            optimizer = make(space, random_state=seed, initial_params=start.first, **hints)
        n_candidates = self.n_iter if space.size is None else min(self.n_iter, space.size)
        return Source(
            optimizer,
            n_candidates,
            spell=space.spell,
            read=space.read,
            by_process=isinstance(optimizer, GPOptimizer),
        )

    def _check_cost_aware(self, make: Callable[..., Optimizer]) -> None:
        if not _takes(make, "cost_aware"):
            raise ValueError(
                "cost_aware=True: the optimizer of this search does not weigh what candidates "
                "cost. Use GPSearchCV."
            )
        if self.deterministic:
            raise ValueError(
                "cost_aware=True goes by measured times, so the search cannot be deterministic: "
                "leave one of the two out."
            )

    def _is_covered(self, space: Space) -> bool:
        """Whether every candidate will be evaluated, and no optimizer of the user's own asked."""
        is_ours = self.optimizer is None and self._optimizer_class in (GPOptimizer, TPEOptimizer)
        return is_ours and space.size is not None and space.size <= self.n_iter

    def _metric(self, prepared: Prepared) -> str:
        names = bridge.metric_names(prepared.scorer)
        if self.metric is not None:
            if names is not None and self.metric not in names:
                raise ValueError(f"metric={self.metric!r} is not one of the metrics {names}.")
            return self.metric
        if isinstance(self.refit, str):
            return self.refit
        if names is not None and len(names) > 1:
            raise ValueError(
                f"The search needs one metric to be guided by, and scoring gives {names}. Pass "
                f"metric={names[0]!r}, or the name of a metric as refit."
            )
        return "score"


def _takes(make: Callable[..., Optimizer], name: str) -> bool:
    return name in inspect.signature(make).parameters


class GPSearchCV(DistributionSearchCV):
    """Bayesian search with a Gaussian process: the fewest fits for continuous and mixed spaces.

    With `n_jobs=k`, k fits run at all times: a slot that falls free gets the next split or the
    next candidate at once, and candidates still running are taken into account. With `n_jobs=1`
    the same seed gives the same search; with more the order in which fits end matters too.

    Parameters
    ----------
    estimator : estimator object
        What is searched for. Its own parameter values are the first candidate, so that the result
        is never worse than they are on the cross-validation. For a value outside the space the
        nearest in it is taken; if all are outside, there is no such candidate.
    param_distributions : dict or list of dict
        Parameter names to lists of values (a list is never a range), ranges
        ``(low, high)`` or ``(low, high, "log-uniform")`` as tuples of numbers, `Real`, `Integer`,
        `Categorical`, or frozen distributions of scipy.stats. A list of dicts is a conditional
        space with one budget and one model.
    n_iter : int, default=50
        Candidates to evaluate. If the space has no more, each is evaluated once, in the order of
        a grid; only `initial_params`, if given, come before.
    scoring, n_jobs, refit, cv, verbose, pre_dispatch, error_score : see `BaseSearchCV`
    random_state : int, RandomState instance or None, default=None
        Seed of the search.
    return_train_score : bool, default=False
        See `BaseSearchCV`.
    constraint : callable or None, default=None
        Takes a candidate (a dict), returns whether it may be fitted.
    checkpoint, fit_timeout, max_time, memory_guard, reuse, pruner, deterministic, \
    watch, keep, early_stopping, workers : see `BaseSearchCV`
    initial_params : list of dict or None, default=None
        Candidates to evaluate first, after the estimator's own values. What one leaves out is
        taken from the estimator. A branch that sets another model (a step of a pipeline, say) is
        tried with that model's own values when it is tried for the first time.
    prior_trials : list of (dict, float) or None, default=None
        Candidates of an earlier search, on other data or by another cross-validation, and their
        scores, greater being better:
        ``list(zip(old.cv_results_["params"], old.cv_results_["mean_test_score"]))``. They say
        where to look first, and count for less as scores of this search come in. They are never
        reported. Those outside the space are left out.
    cost_aware : bool, default=False
        Whether candidates are preferred by the improvement to be expected for a second of fitting,
        from a model of the times so far. For searches with `max_time` whose parameters decide how
        long a fit takes. Times differ from run to run, so the same seed may search another way.
    metric : str or None, default=None
        The metric that guides the search if `scoring` gives several; by default `refit`.
    optimizer : callable or None, default=None
        Another optimizer: called with the space, `random_state`, `initial_params`, `prior_trials`
        if they are given, and `opening_params` if it takes them (see `GPOptimizer`), it returns an
        object with `ask`, `tell`, `expect` and `learns`.

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
    >>> from hpsearch import GPSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": (0.01, 100.0, "log-uniform"), "kernel": ["linear", "rbf"]}
    >>> search = GPSearchCV(SVC(), space, n_iter=8, random_state=0).fit(X, y)
    >>> search.trials_[0].params
    {'C': 1.0, 'kernel': 'rbf'}
    """

    _optimizer_class: ClassVar[type[AbstractOptimizer]] = GPOptimizer


class TPESearchCV(DistributionSearchCV):
    """Bayesian search with Parzen estimators: for thousands of candidates and branching spaces.

    For the parameters and attributes see `GPSearchCV`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import TPESearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": (0.01, 100.0, "log-uniform"), "kernel": ["linear", "rbf"]}
    >>> len(TPESearchCV(SVC(), space, n_iter=8, random_state=0).fit(X, y).trials_)
    8
    """

    _optimizer_class: ClassVar[type[AbstractOptimizer]] = TPEOptimizer
