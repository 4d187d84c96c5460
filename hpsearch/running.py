"""Running a search: the loop, with all that it speaks to, until it ends."""

from __future__ import annotations

import sys
import warnings
from functools import partial
from typing import Any

import numpy as np

from hpsearch import _sklearn as bridge
from hpsearch import results
from hpsearch.callbacks import Callbacks
from hpsearch.display import watchers_for, watchers_of
from hpsearch.evaluation import CrossValidation
from hpsearch.executors import executor_for
from hpsearch.journal import Session
from hpsearch.keep import Kept
from hpsearch.loop import Loop
from hpsearch.memory import available
from hpsearch.optimizers.base import Optimizer
from hpsearch.protocols import Executor, Limits, Watcher
from hpsearch.pruners import NoPruner, Pruner
from hpsearch.reuse import Planner
from hpsearch.source import Source
from hpsearch.trial import Trial
from hpsearch.work import Work

WINDOW = 4  # of deterministic=True: what most machines keep busy


def run(
    search: Any,
    work: Work,
    source: Source,
    metric: str,
    pruner: Pruner,
    callbacks: Callbacks,
    session: Session,
) -> list[Trial]:
    """Evaluate candidates until they end."""
    n_candidates, n_splits = source.n_candidates, len(work.splits)
    told_by = _told_by(search, work, metric)
    watch = _watchers(search, work, source, told_by)
    kept = None
    if work.keep is not None:
        rows, n_rows = [test for _, test in work.splits], bridge.n_rows(work.X)
        kept = search.kept_ = Kept(work.keep, rows, work.y, n_rows)
    n_fits = None if n_candidates is None else n_candidates * n_splits
    limits = Limits.of(search, n_candidates, refits=bool(search.refit))
    memory = available() if search.memory_guard else None
    apart = executor_for(search.n_jobs, search.fit_timeout, memory, search.workers)
    with callbacks.searching(n_fits), search._lane or apart as executor:  # noqa: SLF001 - of ours
        limits.check(executor)
        loop = Loop(
            source.optimizer,
            _evaluator(search, work, executor, callbacks),
            executor,
            metric=metric,
            n_splits=n_splits,
            limits=limits,
            pruner=pruner,
            window=_window(search, pruner, source.optimizer),
            optimum=bridge.greatest_score(work.scorer, metric),
            n_ahead=n_ahead(search.pre_dispatch, executor.slots),
            journal=session,
            watch=watch,
            intake=None if kept is None else partial(kept.take, told_by),
        )
        session.spell_with(source.spell)
        loop.restore(session.restored(source.read, n_candidates))
        try:
            trials = loop.run()
        finally:  # whatever ends the search, what was computed is kept
            search.trials_ = results.Trials(loop.board.trials)
            search.stopped_ = loop.stopped
            if kept is not None:
                kept.finish()
    if loop.interrupted:
        _tell_of_interruption(search.trials_)
    return trials


def _evaluator(
    search: Any, work: Work, executor: Executor, callbacks: Callbacks
) -> CrossValidation:
    """What turns the tasks of a search into calls for an executor."""
    return CrossValidation(
        executor.share(work),
        planner=Planner(work.estimator, work.reuse, work.fit_params),
        error_score=search.error_score,
        metrics=bridge.metric_names(work.scorer),
        callbacks=callbacks,
        n_splits=len(work.splits),
        resource=work.resource,
    )


def _watchers(search: Any, work: Work, source: Source, metric: str) -> list[Watcher]:
    """Say what is to be done if `verbose` asks for it; return all who look on."""
    watch = watchers_of(search.watch)
    n_candidates, n_splits = source.n_candidates, len(work.splits)
    if search.verbose > 0 and n_candidates is not None:
        print(  # noqa: T201 - what verbose asks for, in scikit-learn's words
            f"Fitting {n_splits} folds for each of {n_candidates} candidates, "
            f"totalling {n_candidates * n_splits} fits"
        )
    displays = watchers_for(search.verbose, n_candidates, source.listed, search.max_time, metric)
    return [*displays, *watch]


def _told_by(search: Any, work: Work, metric: str) -> str:
    """The metric to tell the best by: that of the rule, or the first, where `refit` names none."""
    names = bridge.metric_names(work.scorer) or [metric]
    of_rule = getattr(search.refit, "metric", None)
    return metric if metric in names else of_rule if of_rule in names else names[0]


def _window(search: Any, pruner: Pruner, optimizer: Optimizer) -> int | None:
    """How far a start may be ahead of the results that it goes by; None for any distance."""
    decides = optimizer.learns or type(pruner) is not NoPruner
    given = search.deterministic
    if not given or not decides:
        return None
    return WINDOW if isinstance(given, (bool, np.bool_)) else int(given)


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


def n_ahead(pre_dispatch: int | str, slots: int) -> int:
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
