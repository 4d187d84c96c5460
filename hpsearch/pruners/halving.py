"""Successive halving and Hyperband, asynchronous: few candidates get the full resource.

Rungs are shares of the full resource. A candidate that is among the best of its rung is promoted
to the next one as soon as a slot is free; no rung waits to be full (ASHA: Li et al., "A System for
Massively Parallel Hyperparameter Tuning", 2020).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from hpsearch.dimensions import is_number
from hpsearch.pruners.base import Move, NoPruner, Verdict
from hpsearch.trial import Board, Stage, Trial

MAX_STEPS = 3  # from the first rung to the last, by default: a 27th of the resource says enough


@dataclass(frozen=True)
class HalvingPruner(NoPruner):
    """Give all candidates a little of a resource, and the best of them more (ASHA).

    Parameters
    ----------
    resource : str, default="n_samples"
        "n_samples", the training rows of each split, or a parameter of the estimator that takes
        positive numbers, such as "n_estimators", "max_iter" or "clf__n_estimators".
    factor : float, default=3
        Of the candidates on a rung, one in so many is promoted to the next, which has so many
        times the resource.
    min_resources : int, float or "auto", default="auto"
        The resource of the first rung at least; "auto" is a 27th of the full one with a factor of
        3, and not fewer than ten rows for each class.
    max_resources : int, float or "auto", default="auto"
        The resource of the last rung; "auto" is all rows of a split, or the value that the
        estimator itself has.
    continue_fits : bool or "exact", default="exact"
        Whether a promoted candidate goes on from its fitted model, if it has `warm_start`, instead
        of beginning anew. "exact" does where that gives the model that a plain fit would have
        given: forests, bagging and gradient boosting of scikit-learn. With True the scores of
        other estimators, such as SGDClassifier's by `max_iter`, are of models that no plain fit
        gives, and the refit is a plain fit.

    Notes
    -----
    Names are those of scikit-learn's HalvingGridSearchCV. Unlike there, the last rung has just
    `max_resources`, rungs fill as slots fall free, and only candidates that reached the last rung
    have a mean test score and can win: scores at different resources are not comparable. Rows of a
    rung are among those of the next, and stratified for classifiers.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from hpsearch import HalvingPruner, SampledSearchCV
    >>> X, y = load_digits(return_X_y=True)
    >>> forest = RandomForestClassifier(random_state=0)
    >>> space = {"max_depth": [2, 4, 8, 16], "max_features": [1, 4, 16, 64]}
    >>> pruner = HalvingPruner("n_estimators", min_resources=3, max_resources=27)
    >>> search = SampledSearchCV(forest, space, n_iter=9, pruner=pruner, cv=3, random_state=0)
    >>> search.fit(X[:500], y[:500]).best_params_["n_estimators"]
    27
    """

    resource: str = "n_samples"
    factor: float = 3
    min_resources: float | str = "auto"
    max_resources: float | str = "auto"
    continue_fits: bool | str = "exact"

    def __post_init__(self) -> None:
        if not self.factor > 1:
            raise ValueError(f"factor must be greater than 1, got {self.factor!r}.")
        for name in ("min_resources", "max_resources"):
            value = getattr(self, name)
            if value != "auto" and not (is_number(value) and value > 0):
                raise ValueError(f"{name} must be 'auto' or a number above 0, got {value!r}.")
        if self.continue_fits not in (True, False, "exact"):
            raise ValueError(
                f"continue_fits must be True, False or 'exact', got {self.continue_fits!r}."
            )

    def between(self, least: float, most: float) -> Self:
        """Return the same pruner with its "auto" settled.

        Parameters
        ----------
        least, most : float
            Of the resource, where the pruner does not say.

        Returns
        -------
        pruner : HalvingPruner
            With numbers for `min_resources` and `max_resources`.

        Raises
        ------
        ValueError
            If `min_resources` is above `max_resources`.

        Examples
        --------
        >>> from hpsearch import HalvingPruner
        >>> HalvingPruner().between(least=10, most=900).min_resources
        33.333333333333336
        """
        largest = most if isinstance(self.max_resources, str) else self.max_resources
        if isinstance(self.min_resources, str):
            smallest = min(max(least, largest / self.factor**MAX_STEPS), largest)
        else:
            smallest = self.min_resources
        if smallest > largest:
            raise ValueError(
                f"min_resources={smallest!r} is more than max_resources={largest!r} of "
                f"{self.resource!r}."
            )
        return replace(self, min_resources=smallest, max_resources=largest)

    @cached_property
    def rungs(self) -> Sequence[float]:
        """The shares of the full resource, from the least to 1."""
        if isinstance(self.min_resources, str) or isinstance(self.max_resources, str):
            raise TypeError("The rungs of 'auto' are known only from `between`.")
        steps = math.log(self.max_resources / self.min_resources, self.factor)
        n_steps = math.floor(steps + 1e-9)  # a logarithm of 27 / 1 may be a little below 3
        return [float(self.factor) ** -k for k in range(n_steps, -1, -1)]

    def first_rung(self, trial: Trial) -> int:
        """Return the rung on which a trial begins.

        Parameters
        ----------
        trial : Trial
            The trial.

        Returns
        -------
        rung : int
            Its place in `rungs`.

        Examples
        --------
        >>> from hpsearch import HalvingPruner
        >>> from hpsearch.trial import Trial
        >>> HalvingPruner().between(1, 27).first_rung(Trial(4, {}))
        0
        """
        return 0

    def stage(self, trial: Trial, board: Board) -> Stage:
        """Return all splits, on the highest rung that a trial came to."""
        resource = max((r.resource for r in trial.results), default=None)
        if resource is None:
            resource = self.rungs[self.first_rung(trial)]
        return Stage(tuple(range(board.n_splits)), resource)

    def judge(self, trial: Trial, board: Board) -> Stage | Verdict:
        """Return whether a trial has done the last rung, or waits to be promoted."""
        stage = self.stage(trial, board)
        return Verdict.DONE if stage.resource == self.rungs[-1] else Verdict.PAUSE

    def promote(self, board: Board) -> Move | None:
        """Return a trial that is among the best of its rung, the highest rung first."""
        for k in range(len(self.rungs) - 2, -1, -1):
            for first in range(k + 1):  # those that began on a rung compete among themselves
                trial = self._best_of(board, first, k)
                if trial is not None:
                    return trial, Stage(tuple(range(board.n_splits)), self.rungs[k + 1])
        return None

    def _best_of(self, board: Board, first: int, k: int) -> Trial | None:
        """The paused trial that is among the best of its rung, if there is one."""
        paused = [
            trial
            for trial in board.paused
            if self.first_rung(trial) == first and self._reached(trial) == k
        ]
        if not paused:
            return None
        rung, known = self.rungs[k], [t for t in board.trials if self.first_rung(t) == first]
        scores = {t.number: board.score(t, rung) for t in known if _has_run(t, rung, board)}
        finite = [number for number, score in scores.items() if math.isfinite(score)]
        finite.sort(key=lambda number: (-scores[number], number))
        n_best = int(len(scores) // self.factor)
        if board.is_final:
            n_best = max(n_best, 1)
        best = set(finite[:n_best])
        return min(
            (t for t in paused if t.number in best),
            key=lambda t: (-scores[t.number], t.number),
            default=None,
        )

    def _reached(self, trial: Trial) -> int:
        resource = max(r.resource for r in trial.results)
        return self.rungs.index(resource)


@dataclass(frozen=True)
class HyperbandPruner(HalvingPruner):
    """Halving with several first rungs, for when it is not known how much a small one tells.

    For the parameters see `HalvingPruner`. Candidates begin on different rungs, in turn, in the
    proportions of Hyperband's brackets (Li et al., "Hyperband", JMLR 2018), and compete with those
    that began where they did.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import SGDClassifier
    >>> from hpsearch import HyperbandPruner, Real, SampledSearchCV
    >>> X, y = load_digits(return_X_y=True)
    >>> space = {"alpha": Real(1e-6, 1.0, log=True)}
    >>> pruner = HyperbandPruner(min_resources=100)
    >>> model = SGDClassifier(random_state=0)
    >>> search = SampledSearchCV(model, space, n_iter=12, pruner=pruner, cv=3, random_state=0)
    >>> search.fit(X, y).trials_
    <12 trials: 4 complete, 8 pruned>
    """

    def first_rung(self, trial: Trial) -> int:
        """Return the rung on which a trial begins: a function of its number alone.

        Parameters
        ----------
        trial : Trial
            The trial.

        Returns
        -------
        rung : int
            Its place in `rungs`.

        Examples
        --------
        >>> from hpsearch import HyperbandPruner
        >>> from hpsearch.trial import Trial
        >>> pruner = HyperbandPruner().between(1, 27)
        >>> [pruner.first_rung(Trial(i, {})) for i in range(8)]
        [0, 1, 0, 2, 0, 1, 3, 0]
        """
        return self._cycle[trial.number % len(self._cycle)]

    @cached_property
    def _cycle(self) -> Sequence[int]:
        """First rungs of a round of candidates, spread evenly."""
        n = len(self.rungs)
        # A bracket that takes s steps to the full resource starts this many (Algorithm 1).
        sizes = [math.ceil(n / (n - k) * self.factor ** (n - 1 - k)) for k in range(n)]
        places = [((i + 0.5) / size, k) for k, size in enumerate(sizes) for i in range(size)]
        return [k for _, k in sorted(places)]


def _has_run(trial: Trial, resource: float, board: Board) -> bool:
    """Whether a trial has run all splits at a resource."""
    return sum(result.resource == resource for result in trial.results) == board.n_splits
