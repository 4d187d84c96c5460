"""All candidates at once: a line each through its values, coloured by its score."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from hpsearch.brief import short_names, short_score
from hpsearch.dimensions import Dimension
from hpsearch.importance import column_names
from hpsearch.optimizers._columns import Columns
from hpsearch.outcome import Outcome, outcome_of
from hpsearch.plots._canvas import COLOURS, PALE, Drawn, branch_names, ticks_of
from hpsearch.trial import Trial

ABSENT = -0.12  # where a line passes an axis whose parameter its branch lacks
MAX_LINES = 500


class ParallelCoordinatesDisplay(Drawn):
    """An axis a parameter, and a line a candidate; the best are drawn last, failures dashed.

    Parameters
    ----------
    outcome : Outcome
        What a search found; `from_search` takes it out of one.

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
    >>> from hpsearch import ExhaustiveSearchCV
    >>> from hpsearch.plots import ParallelCoordinatesDisplay
    >>> grid = {"C": [0.1, 1, 10], "kernel": ["rbf", "linear"]}
    >>> search = ExhaustiveSearchCV(SVC(), grid).fit(*load_iris(return_X_y=True))
    >>> display = ParallelCoordinatesDisplay.from_search(search)
    >>> [label.get_text() for label in display.ax_.get_xticklabels()]
    ['C', 'kernel', 'score']
    """

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    @classmethod
    def from_search(cls, search: Any, *, ax: Any = None) -> Self:
        """Draw it.

        Parameters
        ----------
        search : fitted search
            Any search of hpsearch.
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        display : ParallelCoordinatesDisplay
            With `ax_` and `figure_`.
        """
        return cls(outcome_of(search)).plot(ax=ax)

    def _draw(self, ax: Any) -> None:
        import matplotlib as mpl  # noqa: PLC0415 - an optional extra

        outcome, columns = self.outcome, Columns(self.outcome.space)
        names = column_names(columns)
        ax = self._begin(ax, (max(6.4, 1.1 * (len(names) + 1)), 4.2))
        order = np.argsort(outcome.means, kind="stable")[-MAX_LINES:].tolist()
        ranks = np.linspace(0, 1, max(len(order), 1))
        span = _span(outcome)
        xs = np.arange(len(names) + 1)
        for trial in outcome.failed[:MAX_LINES]:
            ax.plot(xs[:-1], self._row(columns, trial), color=PALE, lw=0.8, ls=":", zorder=1)
        for place, rank in zip(order, ranks, strict=False):
            row = [*self._row(columns, outcome.complete[place]), span(outcome.means[place])]
            colour = mpl.colormaps[COLOURS](rank)
            width, alpha = (2.5, 1.0) if place == outcome.best else (1.0, 0.3 + 0.6 * rank)
            ax.plot(xs, row, color=colour, lw=width, alpha=alpha, zorder=2 + rank)
        dimensions = _dimensions(outcome, columns)
        for x, name in enumerate(names):
            ticks = _branches(outcome) if name == "branch" else ticks_of(dimensions[x])
            _axis(ax, x, *ticks)
        if outcome.complete:
            ends = [float(outcome.means.min()), float(outcome.means.max())]
            _axis(ax, len(names), [0.0, 1.0], [short_score(end) for end in ends])
        lacks = np.isnan(columns.rows([outcome.space.encode(t.params) for t in outcome.complete]))
        if lacks.any():
            ax.text(-0.08, ABSENT, "absent", ha="right", va="center", fontsize=7, color=PALE)
        short = short_names(names)
        ax.set_xticks(xs, [*(short[n] for n in names), outcome.metric])
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(bottom=False)
        ax.set(xlim=(-0.3, len(names) + 0.4), ylim=(ABSENT - 0.03 if lacks.any() else -0.03, 1.03))

    def _row(self, columns: Columns, trial: Trial) -> list[float]:
        row = columns.rows([self.outcome.space.encode(trial.params)])[0]
        return [float(v) for v in np.nan_to_num(row, nan=ABSENT)]


def _span(outcome: Outcome) -> Any:
    low, high = (outcome.means.min(), outcome.means.max()) if outcome.complete else (0, 1)
    return lambda score: float((score - low) / (high - low)) if high > low else 0.5


def _dimensions(outcome: Outcome, columns: Columns) -> dict[int, Dimension]:
    found: dict[int, Dimension] = {}
    for branch, places in zip(outcome.space.branches, columns.places, strict=True):
        found |= {p: d for d, p in zip(branch.values(), places, strict=True) if p is not None}
    return found


def _branches(outcome: Outcome) -> tuple[list[float], list[str]]:
    n = len(outcome.space.branches)
    return [(i + 0.5) / n for i in range(n)], branch_names(outcome.space)


def _axis(ax: Any, x: float, places: list[float], labels: list[str]) -> None:
    ax.plot([x, x], [0, 1], color="black", lw=0.8, zorder=5)
    for place, label in zip(places, labels, strict=True):
        ax.plot([x - 0.02, x], [place, place], color="black", lw=0.8, zorder=5)
        box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5}
        ax.text(x - 0.04, place, label, ha="right", va="center", fontsize=7, zorder=6, bbox=box)
