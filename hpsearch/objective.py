"""Turning a task into a result: one call of a function of the user's own.

A trial has a single split. Its result has two scores: `value`, what the function returned, and
`score`, the same with the sign turned so that greater is better, which the loop goes by.
"""

from __future__ import annotations

import inspect
import math
import time
import traceback
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from hpsearch.interrupts import is_from_outside
from hpsearch.pruners import NoPruner, Verdict
from hpsearch.steps import Report, Run, StepLedger
from hpsearch.trial import Board, Job, Params, SplitResult, Stage, Status, Task, Trial

METRIC = "score"
ONCE = Stage((0,))


@dataclass(frozen=True)
class RunningTrial:
    """What an objective of two arguments gets as its second: a place to report values to.

    Parameters
    ----------
    number : int
        Of the trial, from 0.
    params : dict
        Its parameters.
    sign : int
        -1 if less is better.
    run : Run or None
        Who compares; None lets every trial go on.

    Attributes
    ----------
    reports : list of (step, value)
        What was reported so far.

    Examples
    --------
    >>> import hpsearch
    >>> def train(params, trial):
    ...     loss = 10.0
    ...     for epoch in range(1, 28):
    ...         loss = params["x"] + (loss - params["x"]) / 2
    ...         if not trial.report(epoch, loss):
    ...             break
    ...     return loss
    >>> found = hpsearch.minimize(
    ...     train, {"x": (0.0, 1.0)}, n_iter=20, steps=hpsearch.StepHalving(), random_state=0
    ... )
    >>> sum(trial.status == "pruned" for trial in found.trials) > 5
    True
    """

    number: int
    params: Params
    sign: int
    run: Run | None = None
    reports: list[Report] = field(default_factory=list, init=False)

    def report(self, step: float, value: float) -> bool:
        """Say how good the trial is so far.

        Parameters
        ----------
        step : float
            How far it has come: epochs, rounds, rows.
        value : float
            As the objective would return it.

        Returns
        -------
        goes_on : bool
            False if the objective should return now, with the value so far.
        """
        self.reports.append((float(step), float(value)))
        return self.run is None or self.run.report(step, self.sign * float(value))

    @property
    def should_stop(self) -> bool:
        """Whether a report was answered by False.

        Examples
        --------
        >>> from hpsearch import RunningTrial
        >>> trial = RunningTrial(0, {}, sign=-1)
        >>> trial.report(1, 0.5), trial.should_stop  # nobody compares it
        (True, False)
        """
        return self.run is not None and self.run.should_stop


@dataclass(frozen=True)
class Objective:
    """A function with what its calls need; goes to each worker once."""

    function: Callable[..., Any]
    sign: int
    takes_trial: bool
    ledger: StepLedger | None
    raises: bool
    shape: Callable[[Params], Any] | None = None

    def evaluate(self, task: Task) -> SplitResult:
        """Call the function; what goes wrong in it comes back as a result."""
        run = None if self.ledger is None else self.ledger.start(str(task.trial))
        trial = RunningTrial(task.trial, task.params, self.sign, run)
        began = time.perf_counter()
        try:
            # A copy, so that a function that empties its dict harms nobody.
            params = dict(task.params) if self.shape is None else self.shape(task.params)
            given = (params, trial) if self.takes_trial else (params,)
            value, info = _read(self.function(*given), trial)
            error, status = None, Status.PRUNED if trial.should_stop else Status.COMPLETE
        except BaseException as raised:  # SystemExit in a training script included
            if self.raises or is_from_outside(raised):
                raise
            value, info, status = math.nan, {}, Status.FAILED
            is_ours = isinstance(raised, _Failure)
            error = str(raised) if is_ours else traceback.format_exc()
        details: dict[str, Any] = {"fit_time": time.perf_counter() - began, "score_time": 0.0}
        details |= {"steps": trial.reports} if trial.reports else {}
        details |= {"info": info} if info else {}
        scores = {METRIC: self.sign * value, "value": value}
        return SplitResult(task.split, task.resource, scores, details, status, error)

    def reached(self, number: int) -> list[Report]:
        """Return what is known of a run that did not come back."""
        known = [] if self.ledger is None else self.ledger.reached(str(number))
        return [(step, self.sign * score) for step, score in known]

    def recall(self, trials: Iterable[Trial]) -> None:
        """Enter into the ledger what the trials of an earlier run have reported."""
        if self.ledger is None:
            return
        for trial in trials:
            for result in trial.results:
                steps = [(s, self.sign * v) for s, v in result.details.get("steps", [])]
                self.ledger.enter(str(trial.number), steps)


class _Failure(Exception):
    """The function returned, and what it returned is no value."""


def _read(returned: Any, trial: RunningTrial) -> tuple[float, dict[str, Any]]:
    """Return the value, and what was returned beside it."""
    info: dict[str, Any] = {}
    if isinstance(returned, Mapping):
        info = {str(k): v for k, v in returned.items() if k not in ("loss", "status")}
        status = returned.get("status", "ok")
        if status != "ok":
            raise _Failure(f"The objective returned status={status!r}. {info or ''}".rstrip())
        if "loss" not in returned:
            raise _Failure(
                f"The objective returned a dict without 'loss', with {sorted(map(str, returned))}."
            )
        returned = returned["loss"]
    if returned is None and trial.should_stop:
        returned = trial.reports[-1][1]
    try:
        value = float(returned)
    except (TypeError, ValueError):
        hint = " Does it end without a return?" if returned is None else ""
        raise _Failure(f"The objective returned {returned!r}, which is no number.{hint}") from None
    if not math.isfinite(value):
        raise _Failure(f"The objective returned {value!r}.")
    return value, info


class Calls:
    """The evaluator of a function.

    Parameters
    ----------
    source : callable
        Gives the objective in whatever process it is called.
    objective : Objective
        The same, here.
    """

    horizon = 1

    def __init__(self, source: Callable[[], Objective], objective: Objective) -> None:
        self._source = source
        self._objective = objective

    def plan(self, tasks: Sequence[Task], slots: int) -> list[Job]:
        """Nothing is shared: a job a task."""
        return [(task,) for task in tasks]

    def prepare(self, job: Job) -> Callable[[], list[SplitResult]]:
        """Return the call that gives a result a task."""
        return partial(_run, self._source, job)

    def lost(self, task: Task, status: Status, error: str) -> SplitResult:
        """Return the result of a call that never came back, with what it had reported."""
        details: dict[str, Any] = {"fit_time": 0.0, "score_time": 0.0}
        steps = self._objective.reached(task.trial)
        details |= {"steps": steps} if steps else {}
        return SplitResult(task.split, task.resource, {}, details, status, error)


def _run(source: Callable[[], Objective], job: Job) -> list[SplitResult]:
    objective = source()
    return [objective.evaluate(task) for task in job]


@dataclass(frozen=True)
class StoppedByItself(NoPruner):
    """The pruner of a function: it was asked while it ran, and has ended."""

    is_told_at_once: ClassVar[bool] = True

    def stage(self, trial: Trial, board: Board) -> Stage:
        return ONCE

    def judge(self, trial: Trial, board: Board) -> Stage | Verdict:
        stopped = any(result.status is Status.PRUNED for result in trial.results)
        return Verdict.STOP if stopped else Verdict.DONE


def takes_trial(function: Callable[..., Any], names: Container[str] = ()) -> bool:
    """Whether a function has a second positional parameter that must be given.

    `names` are those of the space, which a function may be taking one by one.

    Raises
    ------
    TypeError
        If it cannot be called with a dict of parameters.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some compiled functions do not tell
        return False
    own = list(signature.parameters)
    if len(own) > 1 and all(name in names for name in own):
        raise TypeError(
            f"objective: it takes {', '.join(own)}, which are parameters of the space. It is given "
            "them in one dict: pass `lambda params: objective(**params)`."
        )
    for n_arguments in (1, 2):
        try:
            signature.bind(*[None] * n_arguments)
        except TypeError:
            continue
        return n_arguments == 2
    name = getattr(function, "__name__", repr(function))
    raise TypeError(
        f"objective {name}{signature}: it must take one argument, the dict of parameters, or two, "
        "the dict and the trial to report to."
    )
