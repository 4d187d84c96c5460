"""The search behind `minimize` and `maximize`: from their arguments to what was found.

The same loop, executors and checkpoints as the searches of estimators. Inside greater is better:
the sign turns here and in `objective`, and nowhere else.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hpsearch.checks import check_constraint
from hpsearch.dimensions import is_number
from hpsearch.display import watchers_for, watchers_of
from hpsearch.executors import executor_for
from hpsearch.fingerprint import parts_of_function
from hpsearch.journal import Journal, Origin, Session, Unrecorded
from hpsearch.loop import Loop
from hpsearch.memory import available
from hpsearch.notes import folder, prefix
from hpsearch.objective import METRIC, Calls, Objective, StoppedByItself, takes_trial
from hpsearch.optimizers import (
    GPOptimizer,
    GridOptimizer,
    Optimizer,
    RandomOptimizer,
    SobolOptimizer,
    TPEOptimizer,
)
from hpsearch.optimizers.base import seed_of
from hpsearch.optimum import Optimum, grouped, tell_failures
from hpsearch.protocols import Limits, SearchAborted, Watcher
from hpsearch.results import Trials
from hpsearch.space import Space
from hpsearch.sqlite_journal import journal_of
from hpsearch.start import start_of
from hpsearch.steps import StepHalving, StepLedger
from hpsearch.trial import Params
from hpsearch.workers import Workers, check_workers

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "gp": GPOptimizer,
    "tpe": TPEOptimizer,
    "random": RandomOptimizer,
    "sobol": SobolOptimizer,
    "grid": GridOptimizer,
}


def _is_whole(value: Any) -> bool:
    return is_number(value) and value % 1 == 0


def _is_duration(value: Any) -> bool:
    return is_number(value) and value > 0


def _is_list(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, Mapping))


SECONDS = (_is_duration, "a positive number of seconds or None")
ACCEPTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "n_iter": (lambda v: _is_whole(v) and v > 0, "a positive integer or None"),
    "n_jobs": (lambda v: _is_whole(v) and v != 0, "an integer other than 0, or None"),
    "max_time": SECONDS,
    "fit_timeout": SECONDS,
    "constraint": (callable, "a function of a dict, or None"),
    "initial_params": (_is_list, "a list of dicts, or None"),
    "prior_trials": (_is_list, "a list of pairs, of a dict and a number, or None"),
    "steps": (lambda v: isinstance(v, StepHalving), "a StepHalving or None"),
    "checkpoint": (
        lambda v: isinstance(v, (str, os.PathLike)) or hasattr(v, "open"),
        "a path, a journal or None",
    ),
    "optimizer": (
        lambda v: isinstance(v, (str, Optimizer)) or callable(v),
        f"one of {sorted(OPTIMIZERS)}, an optimizer, or what makes one",
    ),
}


@dataclass(frozen=True)
class FunctionSearch:
    """The arguments of `minimize`, and what is done with them; `sign` is -1 if less is better."""

    sign: int
    objective: Callable[..., Any]
    space: Any
    n_iter: int | None
    optimizer: str | Optimizer | Callable[..., Optimizer]
    n_jobs: int | None
    constraint: Callable[[Params], bool] | None
    initial_params: Sequence[Params] | None
    prior_trials: Sequence[tuple[Params, float]] | None
    steps: StepHalving | None
    checkpoint: str | os.PathLike[str] | Journal | None
    max_time: float | None
    fit_timeout: float | None
    memory_guard: bool
    workers: Workers | None
    raise_errors: bool
    watch: Watcher | Sequence[Watcher] | None
    verbose: int
    random_state: Any

    def run(self) -> Optimum:
        """Search, and say what was found."""
        self._check()
        space = self._space()
        branches = [] if space is None else space.branches
        names = {name for branch in branches for name in branch}
        gets_trial = takes_trial(self.objective, names)
        if self.steps is not None and not gets_trial:
            raise TypeError(
                "steps: the objective takes one argument, so it cannot report. Give it a second "
                "one, and call its `report(step, value)`."
            )
        with ExitStack() as stack:
            session = stack.enter_context(self._session(space))
            origin = session.origin(self.random_state, self.n_iter)
            optimizer = self._optimizer_of(space, origin)
            self._check_ends(space, optimizer)
            ledger = None
            if self.steps is not None:
                where = tempfile.TemporaryDirectory(prefix=prefix(), dir=folder())
                ledger = StepLedger(self.steps, Path(stack.enter_context(where), "steps"))
            shape = None if space is None else space.shape
            objective = Objective(
                self.objective, self.sign, gets_trial, ledger, bool(self.raise_errors), shape
            )
            loop = self._looped(objective, optimizer, space, session)
        return self._optimum(loop, shape)

    def _check(self) -> None:
        """Raise for arguments that cannot be used."""
        if not callable(self.objective):
            raise TypeError(
                f"objective: {self.objective!r} cannot be called; give a function of a dict."
            )
        check_workers(self.workers)
        for name, (accepts, text) in ACCEPTED.items():
            value = getattr(self, name)
            if value is not None and not accepts(value):
                kind = ValueError if is_number(value) else TypeError
                raise kind(f"{name} must be {text}, got {value!r}.")
        if isinstance(self.optimizer, str) and self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer={self.optimizer!r} is none of {sorted(OPTIMIZERS)}.")
        if self.prior_trials is not None and self.optimizer in ("random", "sobol", "grid"):
            raise ValueError(
                f"prior_trials: optimizer={self.optimizer!r} learns nothing; take 'gp' or 'tpe'."
            )
        if self._is_made and (
            self.prior_trials is not None or self.space is not None or self.initial_params
        ):
            raise ValueError(
                "optimizer is an object, which has its own space and knowledge: pass "
                "space=None, no initial_params and no prior_trials, or the class instead of the "
                "object."
            )

    @property
    def _is_made(self) -> bool:
        return not isinstance(self.optimizer, (str, type)) and isinstance(self.optimizer, Optimizer)

    def _check_ends(self, space: Space | None, optimizer: Optimizer) -> None:
        """Raise if nothing would ever end the search."""
        is_finite = space is not None and space.size is not None
        if self.n_iter is None and self.max_time is None and (optimizer.learns or not is_finite):
            raise ValueError(
                "Nothing would end the search: give n_iter (trials) or max_time (seconds)."
            )

    def _space(self) -> Space | None:
        if not self._is_made:
            space = Space.of(self.space, self.constraint)
            check_constraint(space.branches, space.constraint)
            return space
        own = getattr(self.optimizer, "space", None)
        return own if isinstance(own, Space) else None

    def _optimizer_of(self, space: Space | None, origin: Origin) -> Optimizer:
        if space is None or self._is_made:
            return self.optimizer  # type: ignore[return-value] # it was made by the user
        given: Any = self.optimizer
        make = OPTIMIZERS[given] if isinstance(given, str) else given
        start = start_of(space, None, self.initial_params).first
        hints: dict[str, Any] = {}
        if self.prior_trials is not None:
            hints["prior_trials"] = [_turned(pair, self.sign) for pair in self.prior_trials]
        made: Optimizer = make(
            space, random_state=seed_of(origin.random_state), initial_params=start, **hints
        )
        return made

    def _session(self, space: Space | None) -> Session:
        """Open the checkpoint, if there is one."""
        if self.checkpoint is None:
            return Unrecorded()
        if space is None:
            raise ValueError(
                "checkpoint: the optimizer has no `space` (hpsearch.space.Space), by which its "
                "candidates could be written down."
            )
        settings = {
            "the space": space.branches,
            "constraint": space.constraint,
            "optimizer": self.optimizer,
            "initial_params": list(self.initial_params or ()),
            "prior_trials": list(self.prior_trials or ()),
            "steps": self.steps,
            "random_state": self.random_state,
            "whether less is better": self.sign < 0,
        }
        parts = parts_of_function(self.objective, settings)
        return journal_of(self.checkpoint).open(parts)

    def _looped(
        self, objective: Objective, optimizer: Optimizer, space: Space | None, session: Session
    ) -> Loop:
        memory = available() if self.memory_guard else None
        shown = watchers_for(self.verbose, self.n_iter, max_time=self.max_time, metric="value")
        limits = Limits.of(self, self.n_iter, refits=False)
        with executor_for(self.n_jobs, self.fit_timeout, memory, self.workers) as executor:
            limits.check(executor)
            loop = Loop(
                optimizer,
                Calls(executor.share(objective), objective),
                executor,
                metric=METRIC,
                n_splits=1,
                limits=limits,
                pruner=StoppedByItself(),
                journal=session,
                watch=[*shown, *watchers_of(self.watch)],
            )
            if space is not None:
                session.spell_with(space.spell)
                known = session.restored(space.read, self.n_iter)
                objective.recall(known)
                loop.restore(known)
            loop.run()
        return loop

    def _optimum(self, loop: Loop, shape: Callable[[Params], Any] | None) -> Optimum:
        trials, best = Trials(loop.board.trials), loop.board.best()
        if best is None:
            raise self._nothing(trials, loop.interrupted)
        if loop.interrupted:
            warnings.warn(
                f"The search was interrupted: {trials!r}. What is returned is the best of them.",
                UserWarning,
                stacklevel=5,
            )
        tell_failures(trials)
        value = best.results[0].scores["value"]
        params = dict(best.params) if shape is None else shape(best.params)
        direction: Literal["minimize", "maximize"] = "minimize" if self.sign < 0 else "maximize"
        return Optimum(params, value, best, trials, direction, loop.stopped)

    def _nothing(self, trials: Trials, is_interrupted: bool) -> BaseException:
        """What to raise when there is no best."""
        if is_interrupted:
            return KeyboardInterrupt()
        failed = [trial for trial in trials if trial.status.is_failure]
        if failed:
            return SearchAborted(
                f"All {len(failed)} trials that ended failed ({grouped(failed)}).\nThe first of "
                f"them, with {failed[0].params!r}:\n{failed[0].error}"
            )
        if self.max_time is not None and (trials or self.constraint is None):
            text = f"max_time={self.max_time!r} seconds were over before the first trial ended."
            return SearchAborted(text)
        return SearchAborted("There was no candidate: does the constraint reject all of them?")


def _turned(pair: Any, sign: int) -> Any:
    """A candidate with its score, greater is better; what is no such pair is left to be refused."""
    try:
        params, value = pair
        return params, sign * float(value)
    except (TypeError, ValueError):
        return pair
