"""What an optimizer is: a function of its history.

What it asks depends on the space, the seed, and the list of what was asked and told, and on
nothing else: ask number k draws from a generator made of (seed, k), so there is no running random
stream to save. Resuming is telling again.

To add an optimizer, write `propose`:

    class MyOptimizer(AbstractOptimizer):
        def propose(self, history, rng):
            return draw_unseen(self.space, history, rng)
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, final, runtime_checkable

import numpy as np

from hpsearch.dimensions import is_number
from hpsearch.optimizers.history import History
from hpsearch.space import Point, Space
from hpsearch.trial import Params

RANDOM_DRAWS = 100  # before a finite space is enumerated
MAX_ENUMERATED = 200_000  # points of a finite space that are gone through one by one
MAX_REJECTED = 10_000  # draws in a row that a constraint may reject


class SpaceExhausted(Exception):
    """Every candidate of the space has been asked."""


@runtime_checkable
class Optimizer(Protocol):
    """All that a search needs of an optimizer; one from elsewhere fits in by these names.

    Examples
    --------
    >>> from hpsearch.optimizers import Optimizer, TPEOptimizer
    >>> optimizer = TPEOptimizer({"x": [1, 2, 3]}, random_state=0)
    >>> isinstance(optimizer, Optimizer), optimizer.learns
    (True, True)
    >>> optimizer.expect({"x": 2})  # somebody else evaluates it
    >>> params = optimizer.ask()
    >>> optimizer.tell(params, score=0.9)
    >>> params["x"] in (1, 3)
    True
    """

    @property
    def learns(self) -> bool:
        """False if what is told never changes what is asked: asks may then run far ahead."""

    def ask(self) -> Params:
        """Return the next candidate.

        Returns
        -------
        params : dict
            Parameter names to values.

        Raises
        ------
        SpaceExhausted
            If there is none.
        """

    def tell(
        self,
        params: Params,
        score: float,
        *,
        noise: float | None = None,
        cost: float | None = None,
    ) -> None:
        """Take the score of a candidate, asked or not; told again, the later word wins.

        Parameters
        ----------
        params : dict
            The candidate.
        score : float
            Greater is better; NaN says that it failed.
        noise : float, optional
            Variance of the score, if known.
        cost : float, optional
            Seconds that the evaluation took, if known.
        """

    def expect(self, params: Params) -> None:
        """Take note that a candidate is being evaluated though it was not asked here.

        Parameters
        ----------
        params : dict
            The candidate.
        """


class AbstractOptimizer(ABC):
    """An optimizer over a space: `ask`, `tell` and `expect`, given `propose`.

    Parameters
    ----------
    space : dict, list of dict, or Space
        See `Space.of`.
    random_state : int, RandomState, Generator or None, default=None
        The seed; the same seed and the same history give the same asks. None takes one from the
        operating system.
    initial_params : sequence of dict, default=()
        Candidates to ask before any other.

    Examples
    --------
    >>> from hpsearch.optimizers import RandomOptimizer
    >>> optimizer = RandomOptimizer({"C": (0.01, 100.0, "log-uniform")}, random_state=0)
    >>> params = optimizer.ask()
    >>> optimizer.tell(params, -abs(params["C"] - 1))
    """

    learns = True
    _openings: Mapping[int, Params] = MappingProxyType({})

    def __init__(
        self,
        space: Mapping[str, Any] | Sequence[Mapping[str, Any]] | Space,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        initial_params: Sequence[Params] = (),
    ) -> None:
        self.space = Space.of(space)
        self.seed = seed_of(random_state)
        self.history = History()
        own = [self.space.own(params) for params in initial_params]
        self._initial = {self.space.encode(params): params for params in own}

    @abstractmethod
    def propose(self, history: History, rng: np.random.Generator) -> Point:
        """Return a point of the space that is not in the history.

        A pure function of the space, the seed, the history and the generator: whatever is kept on
        the instance may only spare work, never change the answer.

        Parameters
        ----------
        history : History
            What was asked and told.
        rng : numpy.random.Generator
            Made for this ask; draws of others do not change it.

        Returns
        -------
        point : Point
            What `space.decode` makes a candidate of.

        Raises
        ------
        SpaceExhausted
            If there is no such point.

        Examples
        --------
        >>> from hpsearch.optimizers import AbstractOptimizer, SpaceExhausted
        >>> class Largest(AbstractOptimizer):
        ...     def propose(self, history, rng):
        ...         left = [point for point in self.space.points() if point not in history]
        ...         if not left:
        ...             raise SpaceExhausted
        ...         return max(left)
        >>> [params["x"] for params in Largest({"x": [1, 2, 3]})]
        [3, 2, 1]
        """

    @final
    def ask(self) -> Params:
        """Return the next candidate.

        Returns
        -------
        params : dict
            Parameter names to values; the user's own objects where values were listed.

        Raises
        ------
        SpaceExhausted
            If the space is finite and every candidate has been asked.

        Examples
        --------
        >>> from hpsearch.optimizers import GridOptimizer
        >>> optimizer = GridOptimizer({"x": [1, 2]})
        >>> optimizer.ask(), optimizer.ask()
        ({'x': 1}, {'x': 2})
        """
        rng = np.random.default_rng([self.seed, len(self.history)])
        start = next((p for p in self._initial if p not in self.history), None)
        if start is not None:
            params = dict(self._initial[start])
        else:
            point = self.propose(self.history, rng)
            opening = self._opening_of(point.branch)
            params = self.space.decode(point) if opening is None else dict(opening)
        self.expect(params)
        return params

    def _opening_of(self, branch: int) -> Params | None:
        """What a branch is to be tried with first, unless it was tried."""
        if branch in self._openings and all(p.branch != branch for p in self.history.points):
            return self._openings[branch]
        return None

    @final
    def tell(
        self,
        params: Params,
        score: float,
        *,
        noise: float | None = None,
        cost: float | None = None,
    ) -> None:
        """Take the score of a candidate, asked or not.

        Parameters
        ----------
        params : dict
            The candidate; it must lie in the space.
        score : float
            Greater is better. NaN, and any infinity, says that the candidate failed.
        noise : float, optional
            Variance of the score, if known.
        cost : float, optional
            Seconds that the evaluation took, if known.

        Raises
        ------
        ValueError
            If the candidate lies outside the space.

        Examples
        --------
        >>> from hpsearch.optimizers import GPOptimizer
        >>> optimizer = GPOptimizer({"x": (0.0, 1.0)}, random_state=0)
        >>> optimizer.tell({"x": 0.3}, score=0.8, noise=0.01, cost=12.0)
        >>> optimizer.tell({"x": 0.9}, score=float("nan"))  # it failed
        """
        score = float(score)
        point = self.space.encode(params)
        self.history.tell(point, score if math.isfinite(score) else math.nan, noise, cost)

    @final
    def expect(self, params: Params) -> None:
        """Take note that a candidate is being evaluated though it was not asked here.

        Parameters
        ----------
        params : dict
            The candidate; it must lie in the space.

        Raises
        ------
        ValueError
            If it lies outside the space.

        Examples
        --------
        >>> from hpsearch.optimizers import GridOptimizer
        >>> optimizer = GridOptimizer({"x": [1, 2]})
        >>> optimizer.expect({"x": 1})
        >>> optimizer.ask()
        {'x': 2}
        """
        self.history.expect(self.space.encode(params))

    def __iter__(self) -> Iterator[Params]:
        """Ask until the space is exhausted; tell between two steps what came of them."""
        while True:
            try:
                params = self.ask()
            except SpaceExhausted:
                return
            yield params


def seed_of(random_state: int | np.random.RandomState | np.random.Generator | None) -> int:
    """Return a seed: the int itself, or one drawn from the given generator."""
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if not is_number(random_state) or random_state % 1 != 0:
        raise TypeError(f"random_state must be an int, a generator or None, got {random_state!r}.")
    if random_state < 0:
        raise ValueError(f"random_state must not be negative, got {random_state!r}.")
    return int(random_state)


def draw_unseen(space: Space, history: History, rng: np.random.Generator) -> Point:
    """Draw a point at random that is allowed and not in the history.

    Raises
    ------
    SpaceExhausted
        If there is none left.
    ValueError
        If the constraint of a space too large to be enumerated rejects every draw.
    """
    n_draws = RANDOM_DRAWS if space.is_enumerable(MAX_ENUMERATED) else MAX_REJECTED
    for _ in range(n_draws):
        point = space.snap(space.point(rng.random(space.n_coordinates)))
        if point not in history and space.allows(point):
            return point
    if not space.is_enumerable(MAX_ENUMERATED):
        raise ValueError(
            f"{MAX_REJECTED} random candidates in a row were rejected by the constraint or had "
            "been asked before. Narrow the space to where the constraint holds."
        )
    left = [p for p in space.points() if p not in history and space.allows(p)]
    if not left:
        raise SpaceExhausted("Every candidate of the space has been asked.")
    return left[rng.integers(len(left))]
