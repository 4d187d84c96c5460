"""The base of all searches: common parameters, and `fit` as a list of named steps."""

from __future__ import annotations

import os
import sys
import time
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone

from hpsearch import _sklearn as bridge
from hpsearch import foreign, results, stopping
from hpsearch.display import watchers_for, watchers_of
from hpsearch.evaluation import CrossValidation
from hpsearch.executors import executor_for
from hpsearch.fingerprint import parts_of_search
from hpsearch.fitted import FittedSearch, sizes_of
from hpsearch.journal import Journal, Origin, Session, Splits, Unrecorded
from hpsearch.keep import Keep, Kept
from hpsearch.loop import Loop
from hpsearch.memory import available
from hpsearch.notes import folder as temporary_folder
from hpsearch.optimizers.base import Optimizer
from hpsearch.planning import Plan, Upcoming, planned
from hpsearch.protocols import Limits, Watcher
from hpsearch.pruners import NAMED, NoPruner, Pruner, pruner_of
from hpsearch.publishing import publish
from hpsearch.refit import Refit
from hpsearch.resources import Resource, resolve
from hpsearch.reuse import Family, Planner, Settings
from hpsearch.reuse.growth import Growth
from hpsearch.space import Space
from hpsearch.sqlite_journal import SQLiteJournal
from hpsearch.stopping import EarlyStopping, Stopping
from hpsearch.trial import Params, Status, Trial
from hpsearch.work import Work
from hpsearch.workers import Workers, check_workers

WINDOW = 4  # of deterministic=True: what most machines keep busy


@dataclass(frozen=True)
class Source:
    """Where candidates come from.

    `n_candidates` is how many at most, None if only the optimizer knows. `spell` writes the place
    of a candidate as JSON can take it, `read` finds the candidate at a place; candidates are read
    in the order in which they were asked. `listed` are the candidates where they are known
    beforehand, in the order of their numbers; it can be gone through again.
    """

    optimizer: Optimizer
    n_candidates: int | None
    spell: Callable[[Params], Any]
    read: Callable[[Any], Params]
    listed: Iterable[Params] | None = None


class BaseSearchCV(FittedSearch, bridge.SearchBase):
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
    early_stopping : int, EarlyStopping or None, default=None
        For LightGBM, XGBoost, CatBoost and HistGradientBoosting, also as the last step of a
        Pipeline: each fit ends when so many rounds bring nothing better on a tenth of its training
        rows, held back and transformed by the fitted steps. The refit has no rows held back, and
        the mean of the best rounds of the splits. `EarlyStopping` has more to choose.

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
    >>> from hpsearch.base import Source
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
        "early_stopping": [bridge.positive_int, EarlyStopping, None],
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
        early_stopping: int | EarlyStopping | None = None,
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

    @abstractmethod
    def _candidates(self, origin: Origin) -> Source:
        """Check the space and return what proposes its candidates."""

    def _metric(self, prepared: bridge.Prepared) -> str:
        """The metric that candidates are judged by while the search runs."""
        return prepared.refit_metric if isinstance(prepared.refit_metric, str) else "score"

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
        _n_ahead(self.pre_dispatch, 1)  # raises for what it cannot read
        check_workers(self.workers)
        prepared = bridge.prepare(self, X, y, params)
        metric = self._metric(prepared)
        with self._session(prepared) as session:
            origin = session.origin(
                getattr(self, "random_state", None), getattr(self, "n_iter", None)
            )
            source = self._candidates(origin)
            callbacks = bridge.Callbacks(self, prepared)
            self._checked_cv_orig = prepared.cv
            self.n_splits_ = bridge.count_splits(prepared)
            splits = session.settle(bridge.split(prepared, self.n_splits_), prepared.cv)
            self.split_sizes_ = sizes_of(splits)
            self._judged_by = metric
            pruner, resource = self._judge(prepared, splits, metric)
            work = self._work(prepared, splits, source, resource)
            trials = self._search(work, source, metric, pruner, callbacks, session)
        publish(self, prepared, trials, metric, resource)
        if self.refit:
            self._refit(prepared, callbacks)
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
        prepared = bridge.prepare(self, X, y, params)
        self._refit(prepared, bridge.NoCallbacks())
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
        prepared = bridge.prepare(self, X, y, params)
        n_iter = getattr(self, "n_iter", None)
        origin = Unrecorded().origin(getattr(self, "random_state", None), n_iter)
        source = self._candidates(origin)
        splits = bridge.split(prepared, bridge.count_splits(prepared))
        learns = source.optimizer.learns
        self_space = self._space() if source.listed is None else Space([{}])
        upcoming = Upcoming.of(source.listed, source.n_candidates, learns, self_space)
        return planned(self._work(prepared, splits, source, None), upcoming, self.n_jobs, n_probes)

    def _session(self, prepared: bridge.Prepared) -> Session:
        """Open the checkpoint, if there is one."""
        if self.checkpoint is None:
            return Unrecorded()
        parts = parts_of_search(self, prepared)
        if isinstance(self.checkpoint, (str, os.PathLike)):
            return SQLiteJournal(self.checkpoint).open(parts)
        return self.checkpoint.open(parts)

    def _judge(
        self, prepared: bridge.Prepared, splits: Splits, metric: str
    ) -> tuple[Pruner, Resource | None]:
        """Return the pruner, its rungs settled, and what it gives out."""
        names = bridge.metric_names(prepared.scorer)
        if self.pruner is not None and names is not None and metric not in names:
            raise ValueError(
                f"pruner: it needs one metric to go by, and scoring gives {names}. Pass the name "
                f"of one as refit, such as refit={names[0]!r}."
            )
        sizes = [bridge.n_training_rows(train) for train, _ in splits]
        n_classes = bridge.n_classes(prepared.estimator, prepared.y)
        given = pruner_of(self.pruner)
        return resolve(given, prepared.estimator, self._searched(), sizes, n_classes)

    def _searched(self) -> set[str]:
        """Names of the parameters that are searched."""
        params = self.get_params(deep=False)
        given = foreign.read(params.get("param_grid", params.get("param_distributions", {}))).space
        branches = getattr(given, "branches", [given] if isinstance(given, Mapping) else given)
        return {name for branch in branches for name in branch}

    def _work(
        self,
        prepared: bridge.Prepared,
        splits: Splits,
        source: Source,
        resource: Resource | None,
    ) -> Work:
        stops = self._stopping(prepared, splits)
        reuse = Settings.of(self.reuse)
        if stops is not None:  # what stops early is not what a longer fit begins with
            reuse = reuse.without(stopping.types_of(stops.early))
        return Work(
            estimator=prepared.estimator,
            X=prepared.X,
            y=prepared.y,
            splits=splits,
            scorer=prepared.scorer,
            fit_params=dict(prepared.fit_params),
            score_params=dict(prepared.score_params),
            error_score=self.error_score,
            return_train_score=self.return_train_score,
            verbose=self.verbose,
            n_candidates=source.n_candidates,
            ambient=bridge.Ambient.here(),
            reuse=reuse,
            learns=source.optimizer.learns,
            n_workers=effective_n_jobs(self.n_jobs),
            resource=resource,
            growth=None if stops else self._growth(prepared.estimator, resource),
            is_stratified=bridge.n_classes(prepared.estimator, prepared.y) > 1,
            keep=Keep.of(self.keep),
            stopping=stops,
        )

    def _stopping(self, prepared: bridge.Prepared, splits: Splits) -> Stopping | None:
        """Return the rows that fits are stopped by, if they are."""
        early = stopping.early_of(self.early_stopping)
        if early is None:
            return None
        stopping.check(early, prepared.estimator, self._searched(), prepared.fit_params)
        of_classes = bridge.n_classes(prepared.estimator, prepared.y) > 1
        groups = prepared.split_params.get("groups")
        return Stopping.on(early, splits, prepared.y, groups, prepared.cv, of_classes=of_classes)

    def _search(
        self,
        work: Work,
        source: Source,
        metric: str,
        pruner: Pruner,
        callbacks: bridge.Callbacks,
        session: Session,
    ) -> list[Trial]:
        """Evaluate candidates until they end."""
        n_candidates, n_splits = source.n_candidates, len(work.splits)
        watch = watchers_of(self.watch)
        kept = None
        if work.keep is not None:
            kept = self.kept_ = Kept(work.keep, [test for _, test in work.splits], work.y)
        n_fits = None if n_candidates is None else n_candidates * n_splits
        if self.verbose > 0 and n_candidates is not None:
            print(  # noqa: T201 - what verbose asks for, in scikit-learn's words
                f"Fitting {n_splits} folds for each of {n_candidates} candidates, "
                f"totalling {n_fits} fits"
            )
        names = bridge.metric_names(work.scorer) or [metric]
        shown = metric if metric in names else names[0]  # a callable refit will choose
        displays = watchers_for(self.verbose, n_candidates, source.listed, self.max_time, shown)
        limits = Limits(
            n_candidates,
            self.max_time,
            self.fit_timeout,
            refits=bool(self.refit),
            one_by_one=self.workers is not None and self.workers.max_fits is not None,
        )
        memory = available() if self.memory_guard else None
        executor_of_fits = executor_for(self.n_jobs, self.fit_timeout, memory, self.workers)
        with callbacks.searching(n_fits), executor_of_fits as executor:
            if self.fit_timeout is not None and not executor.can_kill:
                raise ValueError(
                    "fit_timeout needs worker processes that can be ended: use joblib's loky "
                    "backend, and do not nest the search in another one's worker."
                )
            evaluator = CrossValidation(
                executor.share(work),
                planner=Planner(work.estimator, work.reuse, work.fit_params),
                error_score=self.error_score,
                metrics=bridge.metric_names(work.scorer),
                callbacks=callbacks,
                n_splits=n_splits,
                resource=work.resource,
            )
            loop = Loop(
                source.optimizer,
                evaluator,
                executor,
                metric=metric,
                n_splits=n_splits,
                limits=limits,
                pruner=pruner,
                window=self._window(pruner, source.optimizer),
                optimum=bridge.greatest_score(work.scorer, metric),
                n_ahead=_n_ahead(self.pre_dispatch, executor.slots),
                journal=session,
                watch=[*displays, *watch],
                intake=None if kept is None else partial(kept.take, metric),
            )
            session.spell_with(source.spell)
            loop.restore(session.restored(source.read, n_candidates))
            try:
                trials = loop.run()
            finally:  # whatever ends the search, what was computed is kept
                self.trials_ = results.Trials(loop.board.trials)
                self.stopped_ = loop.stopped
                if kept is not None:
                    kept.finish()
        if loop.interrupted:
            _tell_of_interruption(self.trials_)
        return trials

    def _growth(self, estimator: Any, resource: Resource | None) -> Growth | None:
        """Return where models wait to go on, if they may."""
        goes_on = getattr(self.pruner, "continue_fits", False)
        if resource is None or resource.is_rows or goes_on is False:
            return None
        growth = Growth(resource.name, goes_on is True, temporary_folder())
        return growth if growth.may_go_on(estimator) else None

    def _window(self, pruner: Pruner, optimizer: Optimizer) -> int | None:
        """How far a start may be ahead of the results that it goes by; None for any distance."""
        decides = optimizer.learns or type(pruner) is not NoPruner
        if self.deterministic is False or not decides:
            return None
        return WINDOW if self.deterministic is True else int(self.deterministic)

    def _refit(
        self, prepared: bridge.Prepared, callbacks: bridge.Callbacks | bridge.NoCallbacks
    ) -> None:
        # Values may be estimators: the fit must not change those in `cv_results_`.
        best = clone(prepared.estimator).set_params(**clone(self.best_params_, safe=False))
        early = stopping.early_of(self.early_stopping)
        rounds = (
            None if early is None else stopping.settle(early, best, self.trials_[self.best_index_])
        )
        if rounds is not None:
            self.n_rounds_ = rounds
        refit = Refit(best, prepared.X, prepared.y, prepared.fit_params)
        crashed = any(trial.status is Status.CRASHED for trial in self.trials_)
        fit = refit.apart if crashed or self.fit_timeout is not None else refit.here
        try:
            with callbacks.refitting(best):
                began = time.time()
                fitted = fit()
                self.refit_time_ = time.time() - began
        except BaseException as error:
            error.add_note(
                "The search itself is complete: see cv_results_ and best_params_. "
                "refit_best(X, y) tries the refit again."
            )
            raise
        self.best_estimator_ = fitted
        if hasattr(fitted, "feature_names_in_"):
            self.feature_names_in_ = fitted.feature_names_in_


def _tell_of_interruption(trials: results.Trials) -> None:
    """After Ctrl-C: go on with what there is, if there is anything."""
    n_results = sum(len(trial.results) for trial in trials)
    if not n_results:
        raise KeyboardInterrupt
    warnings.warn(
        f"The search was interrupted: {trials!r}, {n_results} fits. What is done is in "
        "cv_results_, and the best of it is refitted; Ctrl-C again ends that too.",
        UserWarning,
        stacklevel=4,
    )


def _n_ahead(pre_dispatch: int | str, slots: int) -> int:
    """Jobs in flight at most."""
    if pre_dispatch == "all":
        return sys.maxsize
    if isinstance(pre_dispatch, str):
        factor = pre_dispatch.replace(" ", "").removesuffix("n_jobs").removesuffix("*") or "1"
        try:
            pre_dispatch = round(float(factor) * slots)
        except ValueError:
            raise ValueError(
                f"pre_dispatch={pre_dispatch!r} is neither a number, 'all', nor a product such as "
                "'2*n_jobs'."
            ) from None
    return max(1, pre_dispatch)
