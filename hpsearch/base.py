"""The base of all searches: common parameters, and `fit` as a list of named steps."""

from __future__ import annotations

import copy
import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

from hpsearch import _sklearn as bridge
from hpsearch.assembly import judge_of, work_of
from hpsearch.callbacks import Callbacks, NoCallbacks
from hpsearch.executors import check_n_jobs
from hpsearch.fingerprint import parts_of_search
from hpsearch.fitted import FittedSearch
from hpsearch.journal import Journal, Origin, Session, Unrecorded
from hpsearch.keep import Keep
from hpsearch.keywords import TellsOfKeywords
from hpsearch.lanes import Lane
from hpsearch.planning import Plan, Upcoming, planned
from hpsearch.prepared import Prepared, count_splits, make_splits, prepare
from hpsearch.protocols import Watcher
from hpsearch.pruners import NAMED, Pruner
from hpsearch.publishing import publish
from hpsearch.refit import refit
from hpsearch.reuse import Family
from hpsearch.running import n_ahead, run
from hpsearch.source import Source
from hpsearch.space import Space
from hpsearch.splits import sizes_of
from hpsearch.sqlite_journal import journal_of
from hpsearch.stopping import EarlyStopping
from hpsearch.trial import Params
from hpsearch.workers import Workers, check_workers


class BaseSearchCV(TellsOfKeywords, FittedSearch, bridge.SearchBase):
    """Base of the searches; write `_candidates` to make one of your own.

    Parameters
    ----------
    estimator : estimator object
        What is searched for. It is cloned, never changed.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in scikit-learn's GridSearchCV.
    n_jobs : int or None, default=None
        Fits that run at a time, through the active joblib backend.
    refit : bool, str or callable, default=True
        As in GridSearchCV.
    cv : int, splitter, iterable, float or None, default=None
        As in GridSearchCV. Splits are made once and used for all candidates. A float between 0
        and 1 is one hold-out of that share of the rows: stratified for a classifier, whole groups
        if `groups` are given, with the search's `random_state` if it is a number, and else 0.
    verbose : int, default=0
        1: what will be fitted, and a live line: candidates done, the best so far, failures, the
        time left. It is a bar in a terminal or a notebook if tqdm is installed (in a notebook
        ipywidgets too), and else a line now and then, on the standard error. 2 and more: a line a
        fit, as in GridSearchCV.
    pre_dispatch : int or str, default="2*n_jobs"
        Jobs in flight, running or queued, at most. A search that learns from its results never
        has more than it has workers.
    error_score : "raise" or float, default=np.nan
        The score of a failed fit; "raise" ends the search at the first one.
    return_train_score : bool, default=True
        Whether `cv_results_` has the scores on the training rows.
    constraint : callable or None, default=None
        Takes a candidate (a dict), returns whether it may be fitted.
    checkpoint : path, SQLiteJournal or other Journal, default=None
        A file in which each finished fit is written down. Fitting again with the same data,
        estimator and settings goes on from there; `n_iter` may have been raised.
    fit_timeout : float or None, default=None
        Seconds that one fit and its scoring may take. What takes longer is killed, in compiled
        code too, and its candidate gets the status "timeout" and `error_score`. Fits then run in
        processes of their own, also with `n_jobs=1`.
    max_time : float or None, default=None
        Seconds that the whole of `fit` may take. No fit starts after it, what still runs in a
        process is ended, and time for the refit is put aside.
    memory_guard : bool, default=True
        Whether fits in processes are held back that would not fit into memory beside the others,
        going by how much the fits so far needed (Linux only).
    reuse : bool or list, default=True
        What candidates may share, never at the price of a score: True for all, False for nothing,
        or a list of "prefix" (fitted steps of pipelines, with what they make of the rows),
        "submodels" (one fit of nested models, such as a forest of 100 trees, serves the smaller
        ones), "inactive" (candidates that differ only in what their fit does not read, and
        duplicates), and `Family` objects of your own. The time of a shared fit is divided among
        its candidates. Steps without a fixed `random_state` are shared too.
    pruner : {"race", "bound", "halving", "hyperband"}, Pruner or None, default=None
        Stops candidates early; None runs every split of each. "race" stops those that are unlikely
        to win on the splits they have left (`RacingPruner`), "bound" those that cannot win any
        more, "halving" and "hyperband" give the full training rows to the best few alone
        (`HalvingPruner`, `HyperbandPruner`: also for a parameter such as `n_estimators`). A pruned
        candidate's mean test score is NaN; its `trials_` record has what it scored.
    deterministic : bool or int, default=False
        Whether a search that learns from its results, or prunes, is the same for any `n_jobs`: the
        k-th start then waits for those up to k - `deterministic` and goes by their results alone.
        True is 4; more keeps more workers busy and learns later.
    watch : callable, list of callables or None, default=None
        Called with one `Event` when a candidate is started, when one of its splits has a result,
        when it has its final status, and when the search is over; in the process that called
        `fit`, whatever runs the fits. One that raises `StopSearch` ends the search in order; one
        that raises anything else is left out from then on, with a warning.
    keep : {"predictions", "estimators"}, list of both, Keep or None, default=None
        What to keep of the best candidates beside their scores, in `kept_`. What an earlier run
        of a checkpoint has computed is not kept.
    workers : Workers or None, default=None
        Ends processes after so many fits, for frameworks that leak memory; gives each process an
        environment of its own, such as a GPU.
    early_stopping : int, bool, EarlyStopping or None, default=None
        For LightGBM, XGBoost, CatBoost and HistGradientBoosting, also as the last step of a
        Pipeline: each fit ends when so many rounds (True is 50) bring nothing better on a tenth of
        its training rows, held back and transformed by the fitted steps. The refit has no rows held
        back, and the mean of the best rounds of the splits. `EarlyStopping` has more to choose.

    Attributes
    ----------
    trials_ : Trials
        A record a candidate, also of those that failed.
    kept_ : Kept
        With `keep=`: the number of a candidate to its out-of-fold predictions and fold models.
    n_rounds_ : int
        With `early_stopping=`: the rounds that the refit is given.
    split_sizes_ : list of (int, int)
        Training and test rows of each split.
    stopped_ : str or None
        Why the search ended early: the text of a `StopSearch`, "max_time", or "interrupted".

    Examples
    --------
    A search of a list of candidates:

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import BaseSearchCV
    >>> from hpsearch.source import Source
    >>> from hpsearch.optimizers import ListedOptimizer
    >>> class ListedSearchCV(BaseSearchCV):
    ...     def __init__(self, estimator, listed, *, cv=None, n_jobs=None):
    ...         super().__init__(estimator, cv=cv, n_jobs=n_jobs)
    ...         self.listed = listed
    ...
    ...     def _candidates(self, origin):
    ...         optimizer = ListedOptimizer(self.listed)
    ...         at, place_of = self.listed.__getitem__, self.listed.index
    ...         return Source(optimizer, len(self.listed), place_of, at, self.listed)
    >>> search = ListedSearchCV(SVC(), [{"C": 1}, {"C": 10, "gamma": 0.1}], cv=3)
    >>> search.fit(*load_iris(return_X_y=True)).best_params_
    {'C': 10, 'gamma': 0.1}
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **bridge.SearchBase._parameter_constraints,
        "cv": [*bridge.SearchBase._parameter_constraints["cv"], bridge.share],
        "constraint": [callable, None],
        "checkpoint": [str, os.PathLike, bridge.with_open, None],
        "fit_timeout": [bridge.positive_number, None],
        "max_time": [bridge.positive_number, None],
        "memory_guard": ["boolean"],
        "reuse": ["boolean", list, tuple],
        "pruner": [bridge.one_of(set(NAMED)), bridge.a_pruner, None],
        "deterministic": ["boolean", bridge.positive_int],
        "watch": [callable, list, tuple, None],
        "keep": [str, list, tuple, Keep, None],
        "early_stopping": ["boolean", bridge.positive_int, EarlyStopping, None],
        "workers": [Workers, None],
    }

    @abstractmethod
    def __init__(
        self,
        estimator: Any,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[[dict[str, Any]], int] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: float | str = np.nan,
        return_train_score: bool = True,
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
        )
        self.constraint = constraint
        self.checkpoint = checkpoint
        self.fit_timeout = fit_timeout
        self.max_time = max_time
        self.memory_guard = memory_guard
        self.reuse = reuse
        self.pruner = pruner
        self.deterministic = deterministic
        self.watch = watch
        self.keep = keep
        self.early_stopping = early_stopping
        self.workers = workers

    _lane: Lane | None = None  # where fits run, if beside those of other searches

    @abstractmethod
    def _candidates(self, origin: Origin) -> Source:
        """Check the space and return what proposes its candidates."""

    def _metric(self, prepared: Prepared) -> str:
        """The metric that candidates are judged by while the search runs."""
        return prepared.refit_metric if isinstance(prepared.refit_metric, str) else "score"

    def _validate_params(self) -> None:
        bridge.check_metrics(self.scoring)  # scikit-learn's message lists all that there are
        super()._validate_params()
        if type(self)._run_search is not bridge.SearchBase._run_search:
            raise TypeError(
                f"{type(self).__name__} has a _run_search, as subclasses of scikit-learn's "
                "searches have, and nothing would call it here. Write _candidates(origin) in its "
                "place: see the example of hpsearch.BaseSearchCV."
            )
        check_n_jobs(self.n_jobs)

    @bridge.fit_context
    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Search, then refit the best candidate on all rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Training rows; a square kernel or distance matrix where the estimator takes one.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.
        **params : dict
            Passed to the estimator's `fit`, the scorers and the splitter, as in GridSearchCV.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError, TypeError
            For what can be known to fail before the first fit, and says so: names and values of
            parameters, splits, scorers; and if no candidate could be fitted.
        SearchAborted
            If the first candidates all end their process.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.svm import SVC
        >>> from hpsearch import ExhaustiveSearchCV
        >>> X, y = load_iris(return_X_y=True)
        >>> search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1, 10]}).fit(X, y)
        >>> search.best_params_, search.predict(X[:2])
        ({'C': 10}, array([0, 0]))
        """
        n_ahead(self.pre_dispatch, 1)  # raises for what it cannot read
        check_workers(self.workers)
        prepared = prepare(self, X, y, params)
        metric = self._metric(prepared)
        with self._session(prepared) as session:
            origin = session.origin(
                getattr(self, "random_state", None), getattr(self, "n_iter", None)
            )
            source = self._candidates(origin)
            callbacks = Callbacks(self, prepared)
            self._checked_cv_orig = prepared.cv
            self.n_splits_ = count_splits(prepared)
            splits = session.settle(make_splits(prepared, self.n_splits_), prepared.cv)
            self.split_sizes_ = sizes_of(splits)
            self._judged_by = metric
            self._by_process = source.by_process
            pruner, resource = judge_of(self, prepared, splits, metric)
            work = work_of(self, prepared, splits, source, resource)
            trials = run(self, work, source, metric, pruner, callbacks, session)
        publish(self, prepared, trials, metric, resource)
        if self.refit:
            refit(self, prepared, callbacks)
        callbacks.end()
        return self

    def refit_best(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Refit the best candidate again, after a refit that failed, without a new search.

        Parameters
        ----------
        X, y, **params :
            As in `fit`.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        AttributeError
            If nothing was searched yet.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.svm import SVC
        >>> from hpsearch import ExhaustiveSearchCV
        >>> X, y = load_iris(return_X_y=True)
        >>> search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1, 10]}, refit=False).fit(X, y)
        >>> search.refit_best(X, y).best_estimator_
        SVC(C=10)
        """
        if not hasattr(self, "best_params_"):
            raise AttributeError("There are no best_params_ to refit: call fit first.")
        prepared = prepare(self, X, y, params)
        refit(self, prepared, NoCallbacks())
        return self

    def plan(self, X: Any, y: Any = None, *, n_probes: int = 3, **params: Any) -> Plan:
        """Tell what `fit` would do, without doing it: candidates, fits, sharing, time, memory.

        Parameters
        ----------
        X, y, **params :
            As in `fit`.
        n_probes : int, default=3
            Candidates to fit and score on the first split, for times and memory; 0 for none.

        Returns
        -------
        plan : Plan
            Printed, it tells it in words.

        Raises
        ------
        ValueError, TypeError
            What `fit` would raise before its first fit.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.svm import SVC
        >>> from hpsearch import ExhaustiveSearchCV
        >>> grid = {"C": [1, 10], "kernel": ["rbf", "linear"], "gamma": [0.1, 1.0]}
        >>> plan = ExhaustiveSearchCV(SVC(), grid).plan(*load_iris(return_X_y=True), n_probes=0)
        >>> print(plan)
        8 candidates in 5 splits = 40 fits, and the refit; about 120 rows each.
        2 candidates are the same as another one: they differ only in parameters that nothing reads.
        10 of 40 fits are saved by reuse.
        """
        bridge.validate(self)
        prepared = prepare(self, X, y, params)
        # What `fit` is to draw from is not to be further on by then.
        prepared = replace(prepared, cv=copy.deepcopy(prepared.cv))
        seed = copy.deepcopy(getattr(self, "random_state", None))
        origin = Unrecorded().origin(seed, getattr(self, "n_iter", None))
        source = self._candidates(origin)
        splits = make_splits(prepared, count_splits(prepared))
        learns = source.optimizer.learns
        space = self._space() if source.listed is None else Space([{}])
        upcoming = Upcoming.of(source.listed, source.n_candidates, learns, space)
        return planned(
            work_of(self, prepared, splits, source, None), upcoming, self.n_jobs, n_probes
        )

    def _session(self, prepared: Prepared) -> Session:
        """Open the checkpoint, if there is one."""
        if self.checkpoint is None:
            return Unrecorded()
        return journal_of(self.checkpoint).open(parts_of_search(self, prepared))
