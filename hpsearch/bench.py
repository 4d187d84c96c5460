"""Where candidates are fitted and scored: a bench in each process (and thread) of a search.

A bench keeps what candidates share as long as its search's `Work` is there, and no longer.
"""

from __future__ import annotations

import math
import os
import platform
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from hpsearch import _sklearn as bridge
from hpsearch import scoring
from hpsearch.callbacks import FitCallbacks, around
from hpsearch.fit_lines import FitLines
from hpsearch.folds import Fold, Folds, Rows, cut, fold_key
from hpsearch.interrupts import is_from_outside
from hpsearch.keep import keep_piece
from hpsearch.reuse.anatomy import Part, anatomy, is_seeded, writes, writes_unseen
from hpsearch.reuse.blueprint import Blueprint
from hpsearch.reuse.ledger import Ledger, Phase
from hpsearch.reuse.lending import is_read_only_error, says_read_only
from hpsearch.reuse.sharing import Sharing
from hpsearch.reuse.store import Store, capacity_for
from hpsearch.reuse.values import Key
from hpsearch.stopping import STOPPED_AT, Validation
from hpsearch.trial import NAN_RETURNED, Job, SplitResult, Status, Task
from hpsearch.work import Work
from hpsearch.workers import take_share


class NotLendable(Exception):
    """A scorer would write to what others read: it is read-only."""


WHOLE = Part("", (), (), ())  # of an estimator that has nothing to share
MAX_UNLENDABLE = 3  # candidates in a search that may cost a second fit before nothing is shared


@dataclass(slots=True)
class Candidate:
    """A task on the bench, with its own estimator, unfitted."""

    task: Task
    estimator: Any
    part: Part
    root: Key  # stands for the rows of its split

    @property
    def identity(self) -> Key:
        """Equal for two tasks that are the same fit."""
        return self.root, self.part.full_key


@dataclass(slots=True)
class Misfit:
    """A task of which no estimator could be made, and why."""

    task: Task
    error: BaseException


def bench_of(work: Work) -> Bench | PlainBench:
    """Return the bench of this thread for a search."""
    found = _benches.setdefault(work, threading.local())
    if not hasattr(found, "bench"):
        found.bench = Bench(work) if work.reuse else PlainBench(weakref.proxy(work))
    return found.bench  # type: ignore[no-any-return]


_benches: weakref.WeakKeyDictionary[Work, threading.local] = weakref.WeakKeyDictionary()


class PlainBench:
    """Fits each candidate for itself, on rows of its own.

    Parameters
    ----------
    work : Work
        What is searched.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._blueprint = Blueprint(work.estimator)

    def run(
        self,
        job: Job,
        callbacks: Sequence[FitCallbacks | None],
        wanted: Mapping[Key, Sequence[Any]],
    ) -> list[SplitResult]:
        """Return a result a task."""
        results = []
        for task, told in zip(job, callbacks, strict=True):
            lines = _lines(self._work, task)
            lines.start()
            began = time.time()
            results.append(self.evaluate(task, told))
            note_span(results[-1], began)
            lines.end(results[-1])
        return results

    def evaluate(self, task: Task, callbacks: FitCallbacks | None) -> SplitResult:
        """Fit and score one candidate on one split."""
        work = self._work
        began = time.perf_counter()
        try:
            estimator = self.set_up(task)
            fold = cut(work, task, estimator)
            estimator = self._fitted(task, estimator, fold, callbacks)
        except BaseException as error:
            if is_from_outside(error):
                raise
            return failed(work, task, error, time.perf_counter() - began)
        return score(work, task, estimator, fold, time.perf_counter() - began, Ledger())

    def set_up(self, task: Task) -> Any:
        """Return the estimator of a candidate."""
        estimator = self._blueprint.make(task.params)
        take_share(estimator)
        return estimator

    def _fitted(
        self, task: Task, estimator: Any, fold: Fold, callbacks: FitCallbacks | None
    ) -> Any:
        """Fit an estimator, going on from its last rung's model if there is one."""

        def fit(model: Any) -> None:
            last = stopped_fit(self._work, model, fold)
            run = model.fit if last is None else partial(last, model)
            _fit(model, fold.train, callbacks, run)

        growth = self._work.growth
        if growth is None:
            fit(estimator)
            return estimator
        fitted = growth.fit(task, estimator, fit)
        growth.keep(task, fitted)
        return fitted


class Bench:
    """Fits candidates out of what they share.

    Parameters
    ----------
    work : Work
        What is searched. The bench does not keep it alive.
    """

    def __init__(self, work: Work) -> None:
        self._work: Work = weakref.proxy(work)  # whoever runs a job holds it
        store = Store(capacity_for(work.n_workers))
        weakref.finalize(work, store.drop_if, lambda _: True)
        self._plain = PlainBench(self._work)
        self._folds = Folds(self._work, store)
        self._sharing = Sharing(store, keeps_models=work.learns)
        self._twins: Counter[Key] = Counter()
        self._fitted: dict[Key, tuple[Any, Any]] = {}  # with the rows that it was fitted on
        self._n_unlendable = 0  # candidates that were fitted again
        self._may_share = work.reuse.may_share(work.estimator)
        self._writes = writes(work.estimator.get_params())

    def run(
        self,
        job: Job,
        callbacks: Sequence[FitCallbacks | None],
        wanted: Mapping[Key, Sequence[Any]],
    ) -> list[SplitResult]:
        """Return a result a task."""
        candidates = [self._candidate(task, job) for task in job]
        fit = [c for c in candidates if isinstance(c, Candidate)]
        self._sharing.begin_job([(c.root, c.part) for c in fit], wanted)
        if self._work.reuse.inactive and len(job) > 1:
            self._twins = Counter(c.identity for c in fit)
        try:
            results = [
                self._evaluate(place, candidate, told)
                for place, (candidate, told) in enumerate(zip(candidates, callbacks, strict=True))
            ]
        finally:
            self._sharing.end_job()
            self._fitted.clear()
            self._twins.clear()
        for place, phase, seconds in self._sharing.ledger.corrections():
            results[place].details[phase.value] += seconds
        return results

    def _candidate(self, task: Task, job: Job) -> Candidate | Misfit:
        work = self._work
        try:
            estimator = self._plain.set_up(task)
            part = WHOLE
            if self._may_share or len(job) > 1:
                part = anatomy(estimator, task.params, work.reuse, work.fit_params)
            return Candidate(task, estimator, part, fold_key(work, task, estimator))
        except BaseException as error:
            if is_from_outside(error):
                raise
            return Misfit(task, error)

    def _evaluate(
        self, place: int, candidate: Candidate | Misfit, callbacks: FitCallbacks | None
    ) -> SplitResult:
        lines = _lines(self._work, candidate.task)
        lines.start()
        began = time.time()
        self._sharing.begin_task(place)
        if isinstance(candidate, Misfit):
            result = failed(self._work, candidate.task, candidate.error, 0.0)
        else:
            result = self._fit_and_score(candidate, callbacks)
        shared = self._sharing.shared()
        if shared:
            result.details["shared"] = shared
        note_span(result, began)
        lines.end(result)
        return result

    def _fit_and_score(self, candidate: Candidate, callbacks: FitCallbacks | None) -> SplitResult:
        goes_on = self._work.growth is not None and self._work.growth.has(candidate.task)
        is_alone = (
            self._n_unlendable >= MAX_UNLENDABLE
            or self._reads_what_is_written(candidate)
            or writes_unseen(candidate.estimator)
        )
        if goes_on or is_alone:
            return self._plain.evaluate(candidate.task, callbacks)
        fold, is_frozen = self._folds.get(candidate.task, candidate.estimator, candidate.root)
        try:
            return self._on_fold(candidate, self._lent(fold) if is_frozen else fold, callbacks)
        except BaseException as error:
            if not is_read_only_error(error):
                raise
        # What fails because it may not write to what others read is done again for itself. Its
        # callbacks have been told of the fit.
        self._n_unlendable += 1
        return self._plain.evaluate(candidate.task, None)

    def _reads_what_is_written(self, candidate: Candidate) -> bool:
        """Whether rows that a step has written to (`copy=False`) are read again afterwards.

        scikit-learn's scores then say something of rows transformed twice, and so must ours.
        """
        work = self._work
        once = not work.return_train_score and bridge.predicts_once(work.scorer)
        return not once and (self._writes or writes(candidate.task.params))

    def _on_fold(
        self, candidate: Candidate, fold: Fold, callbacks: FitCallbacks | None
    ) -> SplitResult:
        work, task = self._work, candidate.task
        began = time.perf_counter()
        self._sharing.ledger.phase = Phase.FIT
        try:
            estimator = self._fit(candidate, fold, callbacks)
        except BaseException as error:
            if is_from_outside(error) or is_read_only_error(error):
                raise
            return failed(work, task, error, time.perf_counter() - began)
        if work.growth is not None and not self._sharing.shared():
            work.growth.keep(task, estimator)
        if self._sharing.rows is not None:
            fold.train.X = self._sharing.rows
        ledger = self._sharing.ledger
        ledger.phase = Phase.SCORE
        return score(work, task, estimator, fold, time.perf_counter() - began, ledger)

    def _fit(self, candidate: Candidate, fold: Fold, callbacks: FitCallbacks | None) -> Any:
        """Return a fitted estimator: the candidate's, or that of its twin."""
        estimator, identity = candidate.estimator, candidate.identity
        has_twin = self._twins[identity] > 1 and is_seeded(estimator)
        if has_twin and identity in self._fitted:
            estimator, self._sharing.rows = self._fitted[identity]
            _fit(estimator, fold.train, callbacks, lambda *_, **__: None)
            self._sharing.note("fit")
            return estimator

        last = stopped_fit(self._work, estimator, fold)

        def fit(X: Any, y: Any = None, **params: Any) -> None:
            self._sharing.fit(estimator, candidate.part, candidate.root, X, y, params, last)

        _fit(estimator, fold.train, callbacks, fit)
        if has_twin:
            rows = self._sharing.rows
            self._fitted[identity] = estimator, fold.train.X if rows is None else rows
        return estimator

    def _lent(self, fold: Fold) -> Fold:
        """Handles of the candidate's own to the rows of a frozen fold."""
        tokens = (fold.key, (fold.key, "test"), (fold.key, "valid"))
        train, test, *own = (
            Rows(
                self._sharing.hand_out(rows.X, token),
                None if rows.y is None else self._sharing.hand_out(rows.y, None),
                {k: self._folds.lend(v) for k, v in rows.fit_params.items()},
                {k: self._folds.lend(v) for k, v in rows.score_params.items()},
                is_lent=True,
            )
            for rows, token in zip(fold.parts, tokens, strict=False)
        )
        valid = None if fold.valid is None else (*own, test)[0]
        return Fold(fold.key, train, test, fold.n_test_rows, valid)


def note_span(result: SplitResult, began: float) -> None:
    """Note who ran a task and when, in seconds of the epoch: what is shared counts where it ran."""
    thread = threading.get_ident()
    result.details["worker"] = f"{platform.node()} {os.getpid()} {thread}"
    result.details["span"] = [began, time.time()]


def _fit(estimator: Any, rows: Rows, callbacks: FitCallbacks | None, fit: Any) -> None:
    weight = rows.fit_params.get("sample_weight")
    with around(callbacks, estimator, rows.X, rows.y, weight):
        fit = partial(fit, rows.X, **rows.fit_params)
        _ = fit() if rows.y is None else fit(rows.y)


def stopped_fit(work: Work, estimator: Any, fold: Fold) -> Callable[..., Any] | None:
    """Return what fits an estimator that is stopped by the rows of the fold; None for its `fit`."""
    if work.stopping is None or fold.valid is None:
        return None
    valid = Validation(fold.valid.X, fold.valid.y, fold.valid.fit_params)
    return work.stopping.fitter(estimator, fold.train.fit_params, valid)


def score(
    work: Work, task: Task, estimator: Any, fold: Fold, spent: float, ledger: Ledger
) -> SplitResult:
    """Score a fitted candidate on the test rows, and on the training rows if asked for.

    `spent` is what the fit took, in seconds; the ledger is told what is not to be paid for.
    """
    began = time.perf_counter()
    scores, failure = _score(work, estimator, fold.test)
    details: dict[str, Any] = {
        "fit_time": spent,
        "score_time": time.perf_counter() - began,
        "n_test_samples": fold.n_test_rows,
    }
    if work.return_train_score:
        ledger.phase = Phase.UNTIMED
        details["train_scores"], _ = _score(work, estimator, fold.train)
    if work.stopping is not None and fold.valid is not None:
        details[STOPPED_AT] = dict(work.stopping.found(estimator))
    failure = failure or not_a_number(scores)
    if failure is not None:
        details["failed_in"] = "score"
    elif work.keep is not None:
        keep_piece(work.keep, details, estimator, fold.test.X)
    status = Status.COMPLETE if failure is None else Status.FAILED
    return SplitResult(task.split, task.resource, scores, details, status, failure)


def not_a_number(scores: Mapping[str, float]) -> str | None:
    """Say which metrics a scorer returned NaN for, if it did: such a candidate cannot win."""
    names = [name for name, value in scores.items() if math.isnan(value)]
    return f"{NAN_RETURNED} for {', '.join(names)}." if names else None


def _score(work: Work, estimator: Any, rows: Rows) -> tuple[dict[str, float], str | None]:
    X, y, params = rows.X, rows.y, rows.score_params
    scores, error = scoring.score(work.scorer, estimator, X, y, params, work.error_score)
    if error is not None:
        if rows.is_lent and says_read_only(error):
            raise NotLendable("A scorer wrote to rows that are read-only.")
        scoring.warn_of_scoring(error, work.error_score)
    return scores if isinstance(scores, dict) else {"score": scores}, error


def failed(work: Work, task: Task, error: BaseException, seconds: float) -> SplitResult:
    """Return the result of a fit that raised; raise if that is what the user wants."""
    if work.error_score == "raise":
        raise error
    # No metric is named where only a score could have named it; formatting fills those in.
    names = bridge.metric_names(work.scorer) or []
    scores = dict.fromkeys(names, work.error_score)
    details: dict[str, Any] = {"fit_time": seconds, "score_time": 0.0, "failed_in": "fit"}
    if work.return_train_score:
        details["train_scores"] = dict(scores)
    text = scoring.traceback_of(error)
    return SplitResult(task.split, task.resource, scores, details, Status.FAILED, text)


def _lines(work: Work, task: Task) -> FitLines:
    return FitLines(work.verbose, task, len(work.splits), work.n_candidates)
