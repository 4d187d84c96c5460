"""Pruners: what a trial runs first, and what it runs next.

A trial advances by stages. After each the pruner judges: another stage, pause, stop, or done.
Pruners are frozen records, and their methods functions of the board alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from hpsearch.trial import Board, Stage, Trial


class Verdict(Enum):
    """What becomes of a trial after a stage, if not another stage."""

    DONE = "done"
    PAUSE = "pause"
    STOP = "stop"


class Pruner(Protocol):
    """Decides what a trial runs next."""

    def first(self, trial: Trial, board: Board) -> Stage:
        """Return what a new trial runs first."""

    def judge(self, trial: Trial, board: Board) -> Stage | Verdict:
        """Return what becomes of a trial that has run its stage."""

    def promote(self, board: Board) -> tuple[Trial, Stage] | None:
        """Return a paused trial that deserves a free slot more than a new one does, if any."""


@dataclass(frozen=True)
class NoPruner:
    """Every trial runs every split: exact."""

    def first(self, trial: Trial, board: Board) -> Stage:
        return Stage(tuple(range(board.n_splits)))

    def judge(self, trial: Trial, board: Board) -> Stage | Verdict:
        return Verdict.DONE

    def promote(self, board: Board) -> tuple[Trial, Stage] | None:
        return None
