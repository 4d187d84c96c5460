"""Values while a run goes on, and whether it should: asynchronous successive halving.

step    how far a run has come (epochs, rounds, rows); a number, greater is further
rung    number k = 0, 1, ... of the steps at which runs are compared, min_step * reduction**k
score   greater is better

A run that comes to a rung is compared with all that came there before it, and goes on if it is
among the best 1/reduction. Source: Li et al. (2020), A System for Massively Parallel
Hyperparameter Tuning; their runs are paused and taken up again, ours end, since a function that
was left cannot be entered where it was.

What runs have reported is kept in a file to which each appends whole lines, because they may run
in processes that know nothing of one another but a folder.
"""

from __future__ import annotations

import math
import numbers
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

Report = tuple[float, float]  # step, score


@dataclass(frozen=True)
class StepHalving:
    """Stop runs that are not among the best at the same step.

    Parameters
    ----------
    reduction : float, default=3
        Of the runs that come to a rung, one in so many goes on.
    min_step : float, default=1
        The first step at which runs are compared; the next ones are `reduction` times as far
        each: 1, 3, 9, 27, ...

    Raises
    ------
    ValueError
        If `reduction` is no number of 2 or more, or `min_step` no positive one.

    Notes
    -----
    A run is compared with those that were there before it, so that none waits for another; the
    first at a rung always goes on. Asynchronous successive halving [1]_, in the form that ends
    runs rather than pausing them.

    References
    ----------
    .. [1] Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht & Talwalkar, A System for
       Massively Parallel Hyperparameter Tuning, 2020.

    Examples
    --------
    >>> from hpsearch import StepHalving
    >>> [StepHalving(reduction=3, min_step=2).rung(step) for step in (1, 2, 5, 6, 18)]
    [None, 0, 0, 1, 2]
    """

    reduction: float = 3
    min_step: float = 1

    def __post_init__(self) -> None:
        for name, least in (("reduction", 2), ("min_step", 0)):
            value = getattr(self, name)
            is_finite = isinstance(value, numbers.Real) and math.isfinite(value)
            if not is_finite or value < least or value == 0:
                accepted = "a number of 2 or more" if least else "a positive number"
                raise ValueError(f"StepHalving: {name} must be {accepted}, got {value!r}.")

    def rung(self, step: float) -> int | None:
        """Return the number of the last rung at or before a step; None before the first.

        Parameters
        ----------
        step : float
            How far a run has come.

        Returns
        -------
        rung : int or None
            From 0.
        """
        if step < self.min_step:
            return None
        number = 0
        while self.min_step * self.reduction ** (number + 1) <= step:
            number += 1
        return number

    def goes_on(self, score: float, others: Iterable[float]) -> bool:
        """Whether a run with this score is among the best of its rung.

        Parameters
        ----------
        score : float
            Of the run; what is not finite does not go on.
        others : iterable of float
            Scores of the runs that came to the rung before.

        Returns
        -------
        goes_on : bool
            True for the first at a rung.

        Examples
        --------
        >>> from hpsearch import StepHalving
        >>> StepHalving(reduction=3).goes_on(0.7, others=[0.9, 0.6, 0.5, 0.4, 0.8])
        False
        >>> StepHalving(reduction=3).goes_on(0.85, others=[0.9, 0.6, 0.5, 0.4, 0.8])
        True
        """
        if not math.isfinite(score):
            return False
        scores = sorted([score, *filter(math.isfinite, others)], reverse=True)
        return score >= scores[max(int(len(scores) // self.reduction), 1) - 1]


class StepLedger:
    """What runs have reported, and which of them should go on.

    Parameters
    ----------
    rule : StepHalving, default=StepHalving()
        Who goes on.
    path : path or None, default=None
        A file in which reports are kept, for runs in several processes, or for a loop that goes
        on another day; None keeps them in memory.

    Examples
    --------
    A loop of one's own, that leaves a training that does not look good:

    >>> from hpsearch import StepLedger
    >>> from hpsearch.optimizers import RandomOptimizer
    >>> ledger = StepLedger()
    >>> n_epochs = 0
    >>> for params, _ in zip(RandomOptimizer({"x": (0.0, 1.0)}, random_state=0), range(9)):
    ...     run = ledger.start()
    ...     for epoch in range(1, 28):
    ...         n_epochs += 1
    ...         if not run.report(epoch, params["x"] * (1 - 0.5**epoch)):
    ...             break
    >>> n_epochs < 9 * 27
    True
    """

    def __init__(
        self, rule: StepHalving | None = None, path: str | os.PathLike[str] | None = None
    ) -> None:
        self.rule = StepHalving() if rule is None else rule
        self.path = path
        self._lines: list[str] = []

    def start(self, key: str | None = None) -> Run:
        """Return a new run.

        Parameters
        ----------
        key : str or None, default=None
            The run's own name, without blanks; a run that starts again under its name replaces
            what it reported. None makes one up.

        Returns
        -------
        run : Run
            Takes reports.

        Raises
        ------
        ValueError
            If the name has blanks.
        """
        if key is not None and key.split() != [key]:
            raise ValueError(f"key={key!r}: the name of a run has no blanks, and is not empty.")
        return Run(self, uuid.uuid4().hex if key is None else key)

    def enter(self, key: str, reports: Iterable[Report]) -> None:
        """Note what a run of the past has reported.

        Parameters
        ----------
        key : str
            Its name.
        reports : iterable of (step, score)
            In order.

        Examples
        --------
        >>> from hpsearch import StepLedger
        >>> ledger = StepLedger()
        >>> ledger.enter("yesterday", [(1, 0.5), (2, 0.6), (3, 0.7)])
        >>> ledger.reached("yesterday")  # at the rungs
        [(1, 0.5), (3, 0.7)]
        """
        reached = -1
        for step, score in reports:
            rung = self.rule.rung(step)
            if rung is not None and rung > reached:
                self._append(f"{rung} {key} {score!r}\n")
                reached = rung

    def judge(self, key: str, rung: int, score: float) -> bool:
        """Note that a run has come to a rung; return whether it goes on.

        Parameters
        ----------
        key : str
            Its name.
        rung : int
            The number of the rung.
        score : float
            Greater is better.

        Returns
        -------
        goes_on : bool
            By the rule.

        Examples
        --------
        >>> from hpsearch import StepLedger
        >>> ledger = StepLedger()
        >>> ledger.judge("first", rung=0, score=0.5), ledger.judge("second", rung=0, score=0.4)
        (True, False)
        """
        self._append(f"{rung} {key} {score!r}\n")
        others = {k: s for r, k, s in self._read() if r == rung and k != key}
        return self.rule.goes_on(score, others.values())

    def reached(self, key: str) -> list[Report]:
        """Return the step and score of a run at each rung it came to.

        Parameters
        ----------
        key : str
            Its name.

        Returns
        -------
        reports : list of (step, score)
            In order.

        Examples
        --------
        >>> from hpsearch import StepLedger
        >>> ledger = StepLedger()
        >>> run = ledger.start("mine")
        >>> [run.report(epoch, 1 - 0.5**epoch) for epoch in (1, 2, 3)]
        [True, True, True]
        >>> ledger.reached("mine")
        [(1, 0.5), (3, 0.875)]
        """
        scores = {rung: score for rung, k, score in self._read() if k == key}
        rule = self.rule
        return [(rule.min_step * rule.reduction**r, s) for r, s in sorted(scores.items())]

    def _append(self, line: str) -> None:
        if self.path is None:
            self._lines.append(line)
            return
        # One write to a file opened for appending is not torn by another process's.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def _read(self) -> list[tuple[int, str, float]]:
        lines = self._lines
        if self.path is not None:
            file = Path(self.path)
            lines = file.read_text().splitlines(keepends=True) if file.exists() else []
        fields = [line.split() for line in lines if line.endswith("\n")]
        return [(int(rung), key, float(score)) for rung, key, score in fields]


class Run:
    """One run of a ledger: takes values at steps, and says whether to go on.

    Parameters
    ----------
    ledger : StepLedger
        Where the reports go.
    key : str
        The run's name there.

    Attributes
    ----------
    reports : list of (step, score)
        What was reported, in order.
    should_stop : bool
        Whether the run was told to stop; it stays so.

    Examples
    --------
    >>> from hpsearch import StepLedger
    >>> ledger = StepLedger()
    >>> ledger.start().report(1, 0.9), ledger.start().report(1, 0.4)
    (True, False)
    """

    def __init__(self, ledger: StepLedger, key: str) -> None:
        self._ledger = ledger
        self._key = key
        self._rung = -1
        self.reports: list[Report] = []
        self.should_stop = False

    def report(self, step: float, score: float) -> bool:
        """Take the score at a step.

        Parameters
        ----------
        step : float
            How far the run has come.
        score : float
            Greater is better; what is not finite ends the run.

        Returns
        -------
        goes_on : bool
            False if the run should stop here.
        """
        step, score = float(step), float(score)
        self.reports.append((step, score))
        if not math.isfinite(score):
            self.should_stop = True
        rung = self._ledger.rule.rung(step)
        # One that was told to stop and does not is no measure for others.
        if rung is not None and rung > self._rung and not self.should_stop:
            self._rung = rung
            self.should_stop = not self._ledger.judge(self._key, rung, score)
        return not self.should_stop
