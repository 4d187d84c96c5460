"""What one or two parameters do to the score, by a model of all candidates.

The model is a Gaussian process if the search was guided by one, else a forest. It is drawn along
the parameters through the best candidate that has them, whose other values stay; the band is two
standard deviations of the process, or of the trees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from hpsearch.brief import short_names, short_value
from hpsearch.dimensions import Dimension
from hpsearch.honest import unit_of
from hpsearch.importance import Encoded, forest_of
from hpsearch.optimizers._columns import MISSING
from hpsearch.optimizers._gaussian import Posterior, fit
from hpsearch.outcome import Outcome, outcome_of
from hpsearch.plots._canvas import (
    BEST,
    COLOURS,
    POINT,
    Array,
    Drawn,
    as_written,
    is_log,
    is_numeric,
    ticks_of,
)
from hpsearch.space import Point
from hpsearch.trial import Trial

MIN_CANDIDATES = 5
DEPTH = 3.0  # distances from the best to the lower quartile that are told apart below it
MAX_SCORES = 300  # of which a process is made: its time grows with their cube
N_STEPS, N_CELLS = 200, 60  # along one parameter, and along each of two
Predict = Callable[[Array], tuple[Array, Array]]  # rows -> mean and standard deviation


class EffectDisplay(Drawn):
    """The score along one parameter, with a band, or over two.

    Parameters
    ----------
    outcome : Outcome
        What a search found; `from_search` takes it out of one.
    params : tuple of str
        One or two parameters.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        The figure of the axes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import GPSearchCV
    >>> from hpsearch.plots import EffectDisplay
    >>> space = {"C": (0.01, 100.0, "log-uniform"), "gamma": (0.001, 1.0, "log-uniform")}
    >>> search = GPSearchCV(SVC(), space, n_iter=8, random_state=0)
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> EffectDisplay.from_search(search, "C").ax_.get_xscale()
    'log'
    >>> EffectDisplay.from_search(search, ["C", "gamma"]).ax_.get_ylabel()
    'gamma'
    """

    def __init__(self, outcome: Outcome, params: tuple[str, ...]) -> None:
        self.outcome = outcome
        self.params = params

    @classmethod
    def from_search(cls, search: Any, params: str | Sequence[str], *, ax: Any = None) -> Self:
        """Draw it.

        Parameters
        ----------
        search : fitted search
            Any search of hpsearch.
        params : str or sequence of one or two str
            Names of parameters, or the ends of them ("C" for "svc__C").
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        display : EffectDisplay
            With `ax_` and `figure_`.

        Raises
        ------
        ValueError
            If there is no such parameter, no branch of the space that has both, or fewer than 5
            candidates are complete.
        """
        outcome = outcome_of(search)
        given = (params,) if isinstance(params, str) else tuple(params)
        if len(given) not in (1, 2):
            raise ValueError(f"params={params!r}: give one parameter, or two.")
        found = tuple(_found(outcome, name) for name in given)
        if not any(branch.keys() >= set(found) for branch in outcome.space.branches):
            raise ValueError(
                f"params={params!r}: no branch of the space has both {found[0]!r} and "
                f"{found[1]!r}. Draw the effect of each by itself."
            )
        return cls(outcome, found).plot(ax=ax)

    def _draw(self, ax: Any) -> None:
        if len(self.outcome.complete) < MIN_CANDIDATES:
            raise ValueError(
                f"{len(self.outcome.complete)} candidates are complete: an effect needs "
                f"{MIN_CANDIDATES}."
            )
        ax = self._begin(ax, (6.4, 4.0))
        slices = Slices(self.outcome)
        draw = self._line if len(self.params) == 1 else self._map
        draw(ax, slices)

    def _line(self, ax: Any, slices: Slices) -> None:
        (name,) = self.params
        dimension = slices.branch[name]
        units = slices.units(name, N_STEPS)
        mean, spread = slices.predict({name: units})
        numbers = [t for t in self.outcome.complete if slices.holds(t, name)]
        scores = [self.outcome.board.score(t) for t in numbers]
        places = [dimension.encode(t.params[name]) for t in numbers]
        if is_numeric(dimension):
            x = np.array([float(dimension.decode(u)) for u in units])
            ax.fill_between(x, mean - 2 * spread, mean + 2 * spread, color=POINT, alpha=0.18, lw=0)
            ax.plot(x, mean, color=POINT)
            at = [float(t.params[name]) for t in numbers]
            _scale(ax.set_xscale, dimension)
            if not is_log(dimension) and isinstance(dimension.decode(0.5), int):
                ax.xaxis.get_major_locator().set_params(integer=True)
        else:
            style = {"fmt": "s", "color": POINT, "capsize": 4}
            ax.errorbar(units, mean, yerr=2 * spread, **style)
            ax.set_xticks(units, ticks_of(dimension)[1] if len(units) <= 6 else _names(dimension))
            ax.set_xlim(0, 1)
            at = places
        ax.plot(at, scores, "o", color="black", ms=3, alpha=0.35)
        best = self.outcome.complete[self.outcome.best or 0]
        if best in numbers:
            ax.axvline(at[numbers.index(best)], color=BEST, lw=1, ls="--")
        known = np.asarray(scores or mean)  # it may be that no candidate has the parameter
        low = min(float((mean - 2 * spread).min()), float(np.quantile(known, 0.25)))
        top = float(max((mean + 2 * spread).max(), known.max()))
        margin = 0.05 * (top - low or abs(top) or 1.0)
        ax.set_ylim(low - margin, top + margin)
        ax.set(xlabel=short_names(slices.branch)[name], ylabel=f"mean {self.outcome.metric}")
        ax.set_title(f"by a {slices.kind}, other parameters as in the best", fontsize=9)

    def _map(self, ax: Any, slices: Slices) -> None:
        a, b = self.params
        units = [slices.units(name, N_CELLS) for name in self.params]
        grid = np.meshgrid(*units, indexing="ij")
        mean, _ = slices.predict({a: grid[0].ravel(), b: grid[1].ravel()})
        image = mean.reshape(grid[0].shape).T
        edges = [_edges(u) for u in units]
        mesh = ax.pcolormesh(*edges, image, cmap=COLOURS, shading="flat", rasterized=True)
        self.figure_.colorbar(mesh, ax=ax, label=f"mean {self.outcome.metric}")
        trials = [t for t in self.outcome.complete if slices.holds(t, a) and slices.holds(t, b)]
        x, y = ([slices.branch[n].encode(t.params[n]) for t in trials] for n in self.params)
        ax.plot(x, y, "o", color="white", mec="black", ms=4, mew=0.6)
        best = self.outcome.complete[self.outcome.best or 0]
        if best in trials:
            star = [slices.branch[n].encode(best.params[n]) for n in self.params]
            ax.plot(*star, "*", color=BEST, mec="white", ms=14)
        for name, axis in zip(self.params, (ax.xaxis, ax.yaxis), strict=True):
            axis.set_ticks(*ticks_of(slices.branch[name]))
        names = short_names(slices.branch)
        ax.set(xlabel=names[a], ylabel=names[b], xlim=(0, 1), ylim=(0, 1))
        ax.set_title(f"by a {slices.kind}, other parameters as in the best", fontsize=9)


@dataclass(frozen=True, eq=False)
class Slices:
    """A model of the scores, and cuts through it at the best candidate."""

    outcome: Outcome

    @property
    def kind(self) -> str:
        return "Gaussian process" if self.outcome.by_process else "forest"

    @cached_property
    def point(self) -> Point:
        """The best candidate."""
        best = self.outcome.complete[self.outcome.best or 0]
        return self.outcome.space.encode(best.params)

    @cached_property
    def branch(self) -> dict[str, Dimension]:
        """The parameters of the best candidate, then those that only other branches have."""
        found = dict(self.outcome.space.branches[self.point.branch])
        for other in self.outcome.space.branches:
            found = {**other, **found}
        return found

    def holds(self, trial: Trial, name: str) -> bool:
        """Whether a candidate has a value of the parameter that can be drawn."""
        try:
            self.branch[name].encode(trial.params[name])
        except (KeyError, ValueError):  # of another branch
            return False
        return True

    def units(self, name: str, n: int) -> Array:
        """Coordinates along a parameter: all values, or steps."""
        dimension = self.branch[name]
        levels = dimension.levels
        if levels is not None and (levels <= n or not dimension.ordered):
            return np.array([dimension.cell(level) for level in range(levels)])
        return np.linspace(0, 1, n)

    def predict(self, units: dict[str, Array]) -> tuple[Array, Array]:
        """Mean and standard deviation where some parameters are moved, in units of the score."""
        space = self.outcome.space
        holders = [
            i for i, branch in enumerate(space.branches) if all(name in branch for name in units)
        ]
        known = [
            (mean, space.encode(trial.params))
            for trial, mean in zip(self.outcome.complete, self.outcome.means, strict=True)
        ]
        near = [(mean, -i, p) for i, (mean, p) in enumerate(known) if p.branch in holders]
        if self.point.branch in holders:
            base = self.point
        elif near:  # the best of those that have these parameters
            base = max(near)[2]
        else:
            base = Point(holders[0], (0.5,) * len(space.branches[holders[0]]))
        number, names = base.branch, list(space.branches[base.branch])
        rows = np.tile(base.units, (len(next(iter(units.values()))), 1))
        for name, moved in units.items():
            rows[:, names.index(name)] = moved
        points = [space.snap(Point(number, tuple(row))) for row in rows]
        return self._model(self._columns.rows(points))

    @cached_property
    def _columns(self) -> Any:
        return Encoded.of(self.outcome.space, []).columns

    @cached_property
    def _model(self) -> Predict:
        outcome, columns = self.outcome, self._columns
        trials = outcome.complete[-MAX_SCORES:]
        scores = outcome.means[-MAX_SCORES:]
        rows = columns.rows([outcome.space.encode(t.params) for t in trials])
        low, high = np.quantile(scores, [0.25, 1.0])
        # A few hopeless ones would flatten all others; the search clips more, and draws nothing.
        kept = np.maximum(scores, low - DEPTH * (high - low))
        scale = unit_of(kept)
        zero, spread = float((kept / scale).mean()), float((kept / scale).std())
        is_flat = high - low <= 1e-12 * abs(high)
        y = np.zeros(len(kept)) if is_flat else (kept / scale - zero) / spread
        if outcome.by_process and y.any():
            X = columns.features(rows)
            posterior = Posterior.of(X, columns.group, y, fit(X, columns.group, y))

            def process(at: Array) -> tuple[Array, Array]:
                mean, variance = posterior(columns.features(at))
                return scale * (zero + spread * mean), scale * spread * np.sqrt(variance)

            return process
        forest = forest_of(np.nan_to_num(rows, nan=MISSING), y)

        def trees(at: Array) -> tuple[Array, Array]:
            at = np.nan_to_num(at, nan=MISSING)
            each = np.array([tree.predict(at) for tree in forest.estimators_])
            mean, deviation = each.mean(axis=0), each.std(axis=0)
            return scale * (zero + spread * mean), scale * spread * deviation

        return trees


def _found(outcome: Outcome, given: str) -> str:
    """The parameter that a name or the end of one stands for."""
    names = list(dict.fromkeys(n for branch in outcome.space.branches for n in branch))
    found = [n for n in names if n == given] or [n for n in names if n.endswith(f"__{given}")]
    if len(found) != 1:
        raise ValueError(f"params: {given!r} is {found or 'none'} of the parameters {names}.")
    return found[0]


def _scale(set_scale: Callable[[str], Any], dimension: Dimension) -> None:
    if is_log(dimension):
        set_scale("log")


def _names(dimension: Dimension) -> list[str]:
    values = (dimension.decode(dimension.cell(i)) for i in range(dimension.levels or 0))
    return [as_written(short_value(value)) for value in values]


def _edges(units: Array) -> Array:
    """Where the cells of coordinates begin and end."""
    if len(units) < 2:
        return np.array([0.0, 1.0])
    middles = (units[1:] + units[:-1]) / 2
    return np.concatenate([[0.0], middles, [1.0]])
