"""Score by number of the candidate, and the best so far."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from hpsearch.outcome import Outcome, outcome_of
from hpsearch.plots._canvas import BAD, BEST, PALE, POINT, Drawn
from hpsearch.trial import Status

DEPTH = 4.0  # distances from the best to the median that are shown below the median


class ConvergenceDisplay(Drawn):
    """How the best score grew with the candidates; failed and pruned ones are marked.

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
    >>> from hpsearch import GPSearchCV
    >>> from hpsearch.plots import ConvergenceDisplay
    >>> space = {"C": (0.01, 100.0, "log-uniform")}
    >>> search = GPSearchCV(SVC(), space, n_iter=8, random_state=0).fit(*load_iris(return_X_y=True))
    >>> display = ConvergenceDisplay.from_search(search)
    >>> display.ax_.get_xlabel()
    'candidate'
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
        display : ConvergenceDisplay
            With `ax_` and `figure_`.
        """
        return cls(outcome_of(search)).plot(ax=ax)

    def _draw(self, ax: Any) -> None:
        ax = self._begin(ax, (6.4, 4.0))
        outcome, board = self.outcome, self.outcome.board
        numbers = [t.number for t in outcome.complete]
        means = outcome.means if numbers else np.zeros(0)
        low = _floor(means)
        shown = np.maximum(means, low)
        ax.plot(numbers, shown, "o", color=POINT, ms=4, alpha=0.7, label="complete")
        if numbers:
            best = np.maximum.accumulate(shown)
            ends = [*numbers, max(t.number for t in outcome.trials) + 1]
            ax.step(ends, [*best, best[-1]], where="post", color=BEST, label="best so far")
        pruned = [t for t in outcome.trials if t.status is Status.PRUNED]
        known = [(t.number, board.score(t)) for t in pruned]
        known = [(n, max(s, low)) for n, s in known if math.isfinite(s)]
        if known:
            label = "pruned (some splits)"
            ax.plot(*zip(*known, strict=True), "v", color=PALE, ms=4, label=label)
        failed = [t.number for t in outcome.failed]
        if failed:
            bottom = ax.get_xaxis_transform()
            style: dict[str, Any] = {"color": BAD, "ms": 6, "transform": bottom, "clip_on": False}
            ax.plot(failed, [0.03] * len(failed), "x", label=f"failed ({len(failed)})", **style)
        n_below = int(np.sum(means < low))
        if n_below:
            ax.axhline(low, color=PALE, lw=0.8, ls=":")
            ax.annotate(f"{n_below} at or below", (0.99, low), xycoords=("axes fraction", "data"),
                        ha="right", va="bottom", fontsize=8, color=PALE)  # fmt: skip
        ax.set(xlabel="candidate", ylabel=f"mean {outcome.metric}")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(fontsize=8, frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))


def _floor(means: Any) -> float:
    """The least score that is drawn to scale: a few hopeless ones would flatten all the others.

    Where most candidates are about as good as the best, the lower quarter tells how far to go.
    """
    if not len(means):
        return -math.inf
    low, median, top = (float(q) for q in np.quantile(means, [0.25, 0.5, 1.0]))
    return min(median - DEPTH * (top - median), low - (top - low) / 2)
