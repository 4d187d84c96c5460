"""Scores of an earlier search: a hint for this one, never among its own scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.optimizers.base import AbstractOptimizer
from hpsearch.space import Point, Space
from hpsearch.trial import Params

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Earlier:
    """Points of an earlier search, and their scores; NaN says that one failed."""

    points: list[Point]
    scores: Array

    @classmethod
    def of(cls, space: Space, given: Sequence[tuple[Params, float]]) -> Earlier:
        """Read (candidate, score) pairs.

        Candidates outside the space are left out: the earlier space may have been another. Of a
        candidate that comes twice the last score counts. Where all failed there is nothing to
        learn.

        Raises
        ------
        TypeError
            If an element is not such a pair.
        ValueError
            If no candidate lies in the space.
        """
        found: dict[Point, float] = {}
        reason = ""
        for number, pair in enumerate(given):
            params, score = _pair(pair, number)
            try:
                point = space.encode(params)
            except ValueError as error:
                reason = reason or str(error)
                continue
            found[point] = score if math.isfinite(score) else math.nan
        if reason and not found:
            raise ValueError(f"prior_trials: no candidate lies in the space. {reason}")
        scores = np.array(list(found.values()), dtype=float)
        return cls(list(found), scores) if np.isfinite(scores).any() else cls([], np.zeros(0))

    @property
    def n_finite(self) -> int:
        return int(np.isfinite(self.scores).sum())


class LearningOptimizer(AbstractOptimizer):
    """An optimizer that takes the scores of an earlier search as a hint.

    Parameters
    ----------
    space, random_state, initial_params : see `AbstractOptimizer`
    prior_trials : sequence of (dict, float), default=()
        Candidates of an earlier search and their scores.
    opening_params : sequence of dict, default=()
        Candidates to ask where a branch of the space is asked for the first time, one a branch.
    """

    def __init__(
        self,
        space: Mapping[str, Any] | Sequence[Mapping[str, Any]] | Space,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        initial_params: Sequence[Params] = (),
        prior_trials: Sequence[tuple[Params, float]] = (),
        opening_params: Sequence[Params] = (),
    ) -> None:
        super().__init__(space, random_state, initial_params)
        own = [self.space.own(params) for params in opening_params]
        self._openings = {self.space.encode(params).branch: params for params in own}
        self.earlier = Earlier.of(self.space, prior_trials)


def _pair(given: Any, number: int) -> tuple[Params, float]:
    try:
        params, score = given
        score = float(score)
    except (TypeError, ValueError):
        params = None
    if not isinstance(params, Mapping):
        raise TypeError(
            f"prior_trials[{number}]: {given!r} is not a pair of a dict of parameters and a score. "
            "Those of an earlier search are list(zip(search.cv_results_['params'], "
            "search.cv_results_['mean_test_score']))."
        )
    return dict(params), score
