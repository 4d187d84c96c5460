"""What was asked and told: all that an optimizer goes by."""

from __future__ import annotations

import math

from hpsearch.space import Point


class History:
    """What was asked and told, in the order of asking: what `propose` goes by.

    Attributes
    ----------
    points : list of Point
        Every point asked, expected or told, in order.
    scores : list of float
        The last word on each point; NaN for a failure and for a point still pending.
    told : list of bool
        False while a point is pending.
    noises, costs : list of float
        Variance of the score, and seconds it took; NaN where nothing was said.

    Examples
    --------
    >>> from hpsearch.optimizers import RandomOptimizer
    >>> optimizer = RandomOptimizer({"x": [1, 2, 3]}, random_state=0)
    >>> params = optimizer.ask()
    >>> history = optimizer.history
    >>> len(history.points), len(history.pending)
    (1, 1)
    >>> optimizer.tell(params, 0.9)
    >>> history.scores, history.pending
    ([0.9], [])
    """

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.scores: list[float] = []
        self.told: list[bool] = []
        self.noises: list[float] = []
        self.costs: list[float] = []
        self._index: dict[Point, int] = {}

    def __len__(self) -> int:
        return len(self.points)

    def __contains__(self, point: Point) -> bool:
        return point in self._index

    @property
    def pending(self) -> list[Point]:
        """Points that were asked or expected and not told yet."""
        return [p for p, told in zip(self.points, self.told, strict=True) if not told]

    def expect(self, point: Point) -> int:
        """Note the point as pending unless it is known; return its place.

        Parameters
        ----------
        point : Point
            Of the space.

        Returns
        -------
        place : int
            In `points` and all other lists.

        Examples
        --------
        >>> from hpsearch.space import Point
        >>> history = History()
        >>> history.expect(Point(0, (0.5,))), history.expect(Point(0, (0.1,)))
        (0, 1)
        """
        if point not in self._index:
            self._index[point] = len(self.points)
            self.points.append(point)
            self.scores.append(math.nan)
            self.told.append(False)
            self.noises.append(math.nan)
            self.costs.append(math.nan)
        return self._index[point]

    def tell(self, point: Point, score: float, noise: float | None, cost: float | None) -> None:
        """Note the score of a point; the later word wins.

        Parameters
        ----------
        point : Point
            Of the space.
        score : float
            NaN for a failure.
        noise, cost : float or None
            Variance of the score, and seconds it took.

        Examples
        --------
        >>> from hpsearch.space import Point
        >>> history = History()
        >>> history.tell(Point(0, (0.5,)), 0.9, noise=None, cost=1.5)
        >>> history.scores, history.costs
        ([0.9], [1.5])
        """
        place = self.expect(point)
        self.scores[place] = score
        self.told[place] = True
        self.noises[place] = math.nan if noise is None else noise
        self.costs[place] = math.nan if cost is None else cost
