"""The least, or the greatest, value of a function of hyperparameters."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from hpsearch.function_search import FunctionSearch
from hpsearch.journal import Journal
from hpsearch.keywords import tells_of_keywords
from hpsearch.optimizers import Optimizer
from hpsearch.optimum import Optimum
from hpsearch.protocols import Watcher
from hpsearch.steps import StepHalving
from hpsearch.trial import Params
from hpsearch.workers import Workers


@tells_of_keywords
def minimize(
    objective: Callable[..., Any],
    space: Any,
    *,
    n_iter: int | None = None,
    optimizer: str | Optimizer | Callable[..., Optimizer] = "gp",
    n_jobs: int | None = None,
    constraint: Callable[[Params], bool] | None = None,
    initial_params: Sequence[Params] | None = None,
    prior_trials: Sequence[tuple[Params, float]] | None = None,
    steps: StepHalving | None = None,
    checkpoint: str | os.PathLike[str] | Journal | None = None,
    max_time: float | None = None,
    fit_timeout: float | None = None,
    memory_guard: bool = True,
    workers: Workers | None = None,
    raise_errors: bool = False,
    watch: Watcher | Sequence[Watcher] | None = None,
    verbose: int = 0,
    random_state: Any = None,
) -> Optimum:
    """Find the parameters for which a function is least.

    Parameters
    ----------
    objective : callable
        Takes a dict of parameters, returns a number; or a dict with the number as ``"loss"`` and
        ``"status": "ok"`` (anything else there is a failure), the rest of which is kept. If it
        takes a second argument, that is a trial to which values can be reported while it runs,
        see `steps`. What it raises, NaN and infinity are failures of one trial; the search
        learns to avoid them and goes on.
    space : dict, list of dict, or Space
        Parameter names to lists of values (a list is never a range), ranges
        ``(low, high)`` or ``(low, high, "log-uniform")`` as tuples of numbers, `Real`, `Integer`,
        `Categorical`, `Ordinal`, or frozen distributions of scipy.stats. A list of dicts is a
        conditional space. Spaces of Optuna, scikit-optimize, hyperopt and ConfigSpace are taken
        as they are; an objective for a nested space of hyperopt gets it nested. None if
        `optimizer` is an object, which has its own.
    n_iter : int or None, default=None
        Trials at most, those of an earlier run with the same `checkpoint` included. None goes on
        until `max_time` is over, or every candidate of a finite space was tried.
    optimizer : {"gp", "tpe", "random", "sobol", "grid"}, Optimizer or callable, default="gp"
        What proposes candidates: a Gaussian process (for some hundreds of trials), Parzen
        estimators (for thousands), or one that does not learn. An object with ``ask``, ``tell``,
        ``expect`` and ``learns``, which it is told greater-is-better; or what makes one, called
        with the space, `random_state` and `initial_params`.
    n_jobs : int or None, default=None
        Trials that run at a time, through the active joblib backend.
    constraint : callable or None, default=None
        Takes a candidate, returns whether it may be evaluated.
    initial_params : sequence of dict or None, default=None
        Candidates to evaluate first.
    prior_trials : sequence of (dict, float) or None, default=None
        Candidates of an earlier search with what the objective gave for them, as a hint to an
        optimizer that learns; NaN says that one failed. See `hpsearch.interop.prior_trials_of`,
        with `direction="minimize"` for `minimize`.
    steps : StepHalving or None, default=None
        Ends trials that are not among the best at the same step: ``trial.report(step, value)``
        then returns False, and the objective should return what it has. Such a trial has the
        status "pruned" and cannot be the best.
    checkpoint : path, SQLiteJournal or other Journal, default=None
        A file in which each finished trial is written down. The same call again goes on from
        there; with ``n_jobs=1`` the end is that of an undisturbed run. What the objective reads
        from outside its code and its arguments is not looked at.
    max_time : float or None, default=None
        Seconds after which no trial starts; trials in processes are ended then.
    fit_timeout : float or None, default=None
        Seconds that one trial may take. It runs in a process of its own and is killed after
        them, with the status "timeout".
    memory_guard : bool, default=True
        Whether trials in processes are held back that would not fit into memory beside the
        others (Linux only).
    workers : Workers or None, default=None
        Ends processes after so many trials, for frameworks that leak memory; gives each process an
        environment of its own, such as a GPU.
    raise_errors : bool, default=False
        Whether what the objective raises ends the search.
    watch : callable, sequence of callables or None, default=None
        Called with an `Event` when a trial starts, has a result or is closed, and at the end.
        One that raises `StopSearch` ends the search.
    verbose : int, default=0
        1 shows a line of progress.
    random_state : int, RandomState, Generator or None, default=None
        The seed; with ``n_jobs=1`` the same seed gives the same search.

    Returns
    -------
    found : Optimum
        With `best_params`, `best_value` and `trials`.

    Raises
    ------
    TypeError, ValueError
        Before the first trial, if an argument cannot be used.
    SearchAborted
        If no trial was evaluated to its end.
    CheckpointError
        If the checkpoint cannot be used.

    Examples
    --------
    >>> from hpsearch import minimize
    >>> def loss(params):
    ...     return (params["x"] - 3) ** 2 + params["n"]
    >>> found = minimize(loss, {"x": (-5.0, 10.0), "n": (1, 8)}, n_iter=30, random_state=0)
    >>> found.best_params["n"], abs(found.best_params["x"] - 3) < 0.5
    (1, True)
    """
    return FunctionSearch(
        sign=-1,
        objective=objective,
        space=space,
        n_iter=n_iter,
        optimizer=optimizer,
        n_jobs=n_jobs,
        constraint=constraint,
        initial_params=initial_params,
        prior_trials=prior_trials,
        steps=steps,
        checkpoint=checkpoint,
        max_time=max_time,
        fit_timeout=fit_timeout,
        memory_guard=memory_guard,
        workers=workers,
        raise_errors=raise_errors,
        watch=watch,
        verbose=verbose,
        random_state=random_state,
    ).run()


@tells_of_keywords
def maximize(
    objective: Callable[..., Any],
    space: Any,
    *,
    n_iter: int | None = None,
    optimizer: str | Optimizer | Callable[..., Optimizer] = "gp",
    n_jobs: int | None = None,
    constraint: Callable[[Params], bool] | None = None,
    initial_params: Sequence[Params] | None = None,
    prior_trials: Sequence[tuple[Params, float]] | None = None,
    steps: StepHalving | None = None,
    checkpoint: str | os.PathLike[str] | Journal | None = None,
    max_time: float | None = None,
    fit_timeout: float | None = None,
    memory_guard: bool = True,
    workers: Workers | None = None,
    raise_errors: bool = False,
    watch: Watcher | Sequence[Watcher] | None = None,
    verbose: int = 0,
    random_state: Any = None,
) -> Optimum:
    """Find the parameters for which a function is greatest; see `minimize`.

    Examples
    --------
    >>> from hpsearch import maximize
    >>> found = maximize(lambda p: -abs(p["x"] - 3), {"x": (0, 9)}, n_iter=10, random_state=0)
    >>> found.best_params
    {'x': 3}
    """
    return FunctionSearch(
        sign=1,
        objective=objective,
        space=space,
        n_iter=n_iter,
        optimizer=optimizer,
        n_jobs=n_jobs,
        constraint=constraint,
        initial_params=initial_params,
        prior_trials=prior_trials,
        steps=steps,
        checkpoint=checkpoint,
        max_time=max_time,
        fit_timeout=fit_timeout,
        memory_guard=memory_guard,
        workers=workers,
        raise_errors=raise_errors,
        watch=watch,
        verbose=verbose,
        random_state=random_state,
    ).run()
