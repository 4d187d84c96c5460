"""What the optimizer is told, and when."""

from __future__ import annotations

import math

from hpsearch.optimizers.base import Optimizer
from hpsearch.pruners import estimates
from hpsearch.trial import Board, Status, Trial


class Teller:
    """Tells an optimizer what came of its candidates.

    Parameters
    ----------
    optimizer : Optimizer
        Who is told.
    is_prompt : bool
        Whether it is told of each trial as soon as there is a score. Otherwise it is told before
        each ask, of all trials that the ask may know of, in order of number: what is to be
        expected of a trial that ran in part changes with every other one.
    """

    def __init__(self, optimizer: Optimizer, *, is_prompt: bool) -> None:
        self._optimizer = optimizer
        self._is_prompt = is_prompt
        self._told: dict[int, tuple[float, float]] = {}  # of trials: score and variance

    def ended(self, trial: Trial, board: Board) -> None:
        """Take note that a trial's stage is over."""
        if self._is_prompt:
            cost = _cost(trial, board.n_splits)
            self._optimizer.tell(trial.params, board.score(trial), cost=cost)

    def before_ask(self, board: Board) -> None:
        """Tell what the board says, where that is not what was told before."""
        if self._is_prompt or not self._optimizer.learns:
            return
        expected = {trial.number: estimate for trial, estimate in estimates(board)}
        for trial in board.trials:
            if trial.status is Status.RUNNING:
                continue
            score, noise = told = expected.get(trial.number, (math.nan, 0.0))
            if self._told.get(trial.number) != told:
                self._told[trial.number] = told
                cost = _cost(trial, board.n_splits)
                self._optimizer.tell(trial.params, score, noise=noise, cost=cost)


def _cost(trial: Trial, n_splits: int) -> float | None:
    """Seconds that all splits at the full resource take, as far as they were run."""
    seconds = [result.seconds for result in trial.results if result.resource == 1.0]
    return n_splits * math.fsum(seconds) / len(seconds) if seconds else None
