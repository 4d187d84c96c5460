"""What a pruner is: what a trial runs first, what next, and which trial deserves a free slot.

A trial advances by stages. Pruners are frozen records, and their methods functions of the board
alone, so that a search that is resumed judges as it did before. To add one, write

    @dataclass(frozen=True)
    class MyPruner(NoPruner):
        def judge(self, trial, board): ...
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from hpsearch.trial import Board, Stage, Trial


class Verdict(Enum):
    """What becomes of a trial after a stage, if not another stage."""

    DONE = "done"
    PAUSE = "pause"
    STOP = "stop"


Move = tuple[Trial, Stage | Verdict]


@runtime_checkable
class Pruner(Protocol):
    """Decides what a trial runs next.

    Examples
    --------
    >>> from hpsearch import RacingPruner
    >>> from hpsearch.trial import Board, Trial
    >>> pruner, trial, board = RacingPruner(), Trial(0, {"C": 1.0}), Board("score", 5, [])
    >>> pruner.stage(trial, board)
    Stage(splits=(0,), resource=1.0)
    >>> pruner.judge(trial, board)
    <Verdict.PAUSE: 'pause'>
    >>> pruner.promote(board), pruner.hasten(board)  # no trial waits, none runs
    (None, None)
    """

    def stage(self, trial: Trial, board: Board) -> Stage:
        """Return the stage that a trial is in by its results: the first one of a new trial.

        Parameters
        ----------
        trial : Trial
            The trial.
        board : Board
            The search so far.

        Returns
        -------
        stage : Stage
            Splits, and the share of the resource.
        """

    def judge(self, trial: Trial, board: Board) -> Stage | Verdict:
        """Return what becomes of a trial that has run its stage.

        Parameters
        ----------
        trial : Trial
            The trial.
        board : Board
            The search so far.

        Returns
        -------
        verdict : Stage or Verdict
            A stage to go on with at once, or whether it is done, stopped, or waits to be promoted.
        """

    def promote(self, board: Board) -> Move | None:
        """Return a paused trial that deserves a free slot more than a new one does, if any.

        Parameters
        ----------
        board : Board
            The search so far.

        Returns
        -------
        move : (Trial, Stage or Verdict) or None
            With it comes its next stage, or the verdict that it is not worth another.
        """

    def hasten(self, board: Board) -> Move | None:
        """Return a running trial and a wider stage, for a slot that would stay idle.

        Parameters
        ----------
        board : Board
            The search so far.

        Returns
        -------
        move : (Trial, Stage) or None
            None lets the slot wait.
        """


@dataclass(frozen=True)
class NoPruner:
    """Every trial runs every split: exact."""

    def stage(self, trial: Trial, board: Board) -> Stage:
        """Return all splits."""
        return Stage(tuple(range(board.n_splits)))

    def judge(self, trial: Trial, board: Board) -> Stage | Verdict:
        """Return that a trial is done."""
        return Verdict.DONE

    def promote(self, board: Board) -> Move | None:
        """Return None: no trial waits."""
        return None

    def hasten(self, board: Board) -> Move | None:
        """Return None: all splits are under way."""
        return None
