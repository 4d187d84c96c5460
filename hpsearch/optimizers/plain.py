"""Optimizers that learn nothing: grid, random, low-discrepancy, and a listed sequence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from scipy.stats import qmc

from hpsearch.optimizers.base import AbstractOptimizer, SpaceExhausted, draw_unseen
from hpsearch.optimizers.history import History
from hpsearch.space import Point, Space
from hpsearch.trial import Params


class GridOptimizer(AbstractOptimizer):
    """Every point of a finite space, in order: names sorted, the last one fastest.

    Parameters
    ----------
    space : dict, list of dict, or Space
        See `Space.of`; every parameter must have finitely many values.
    random_state : ignored
        Taken so that all optimizers are made alike.
    initial_params : sequence of dict, default=()
        Candidates to ask before the others.

    Examples
    --------
    >>> from hpsearch.optimizers import GridOptimizer
    >>> [params["n"] for params in GridOptimizer({"n": [1, 2, 4]})]
    [1, 2, 4]
    """

    learns = False

    def __init__(
        self,
        space: Mapping[str, Any] | Sequence[Mapping[str, Any]] | Space,
        random_state: int | np.random.RandomState | np.random.Generator | None = 0,
        initial_params: Sequence[Params] = (),
    ) -> None:
        super().__init__(space, random_state, initial_params)
        for branch in self.space.branches:
            for name, dimension in branch.items():
                if dimension.levels is None:
                    raise ValueError(
                        f"Parameter {name!r}: {dimension!r} has no finite list of values, which "
                        "a grid needs. Give a list, or use another optimizer."
                    )

    @cached_property
    def _order(self) -> Iterator[Point]:
        # Points that were passed over are in the history, or never allowed: no need to look back.
        return filter(self.space.allows, self.space.points())

    def propose(self, history: History, rng: np.random.Generator) -> Point:
        for point in self._order:
            if point not in history:
                return point
        raise SpaceExhausted("Every candidate of the grid has been asked.")


class RandomOptimizer(AbstractOptimizer):
    """Random points, never the same twice.

    Parameters
    ----------
    space : dict, list of dict, or Space
        See `Space.of`.
    random_state : int, RandomState, Generator or None, default=None
        The seed.
    initial_params : sequence of dict, default=()
        Candidates to ask before any other.

    Examples
    --------
    >>> from hpsearch.optimizers import RandomOptimizer
    >>> optimizer = RandomOptimizer({"n": [1, 2, 4]}, random_state=0)
    >>> sorted(params["n"] for params in optimizer)
    [1, 2, 4]
    """

    learns = False

    def propose(self, history: History, rng: np.random.Generator) -> Point:
        return draw_unseen(self.space, history, rng)


class SobolOptimizer(AbstractOptimizer):
    """A scrambled Sobol sequence: random points that keep their distance.

    Parameters
    ----------
    space : dict, list of dict, or Space
        See `Space.of`.
    random_state : int, RandomState, Generator or None, default=None
        The seed of the scrambling (Owen, 1998, as in `scipy.stats.qmc.Sobol`).
    initial_params : sequence of dict, default=()
        Candidates to ask before any other.

    Examples
    --------
    >>> from hpsearch.optimizers import SobolOptimizer
    >>> optimizer = SobolOptimizer({"x": (0.0, 1.0)}, random_state=0)
    >>> halves = [optimizer.ask()["x"] < 0.5 for _ in range(8)]
    >>> halves.count(True)
    4
    """

    learns = False

    def propose(self, history: History, rng: np.random.Generator) -> Point:
        point = sobol_point(self.space, self.seed, len(history))
        taken = point in history or not self.space.allows(point)
        return draw_unseen(self.space, history, rng) if taken else point


class ListedOptimizer:
    """Candidates from a given sequence, one after another, whatever they are.

    Parameters
    ----------
    candidates : iterable of dict
        Gone through once, as they are asked.

    Examples
    --------
    >>> from hpsearch.optimizers import ListedOptimizer
    >>> ListedOptimizer([{"C": 1}, {"C": 10}]).ask()
    {'C': 1}
    """

    learns = False

    def __init__(self, candidates: Iterable[Params]) -> None:
        self._candidates = iter(candidates)

    def ask(self) -> Params:
        """Return the next candidate; raise SpaceExhausted after the last."""
        for params in self._candidates:
            return params
        raise SpaceExhausted("Every listed candidate has been asked.")

    def tell(
        self,
        params: Params,
        score: float,
        *,
        noise: float | None = None,
        cost: float | None = None,
    ) -> None:
        """Nothing is learnt."""

    def expect(self, params: Params) -> None:
        """Pass over the next candidate: candidates are expected in the order of the sequence."""
        next(self._candidates, None)


def sobol_point(space: Space, seed: int, number: int) -> Point:
    """Return the point number `number`, from 0, of a scrambled Sobol sequence over the space."""
    if space.n_coordinates == 0:
        return space.point([])
    sequence = qmc.Sobol(space.n_coordinates, bits=32, rng=np.random.default_rng(seed))
    if number:
        sequence.fast_forward(number)
    return space.snap(space.point(sequence.random(1)[0]))
