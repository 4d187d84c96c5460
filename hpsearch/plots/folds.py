"""The scores of the splits of the best candidates."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from hpsearch.brief import short_params, short_score
from hpsearch.outcome import Outcome, outcome_of
from hpsearch.plots._canvas import COLOURS, Drawn, as_written

MAX_WRITTEN = 12  # splits; with more the numbers do not fit
WRITTEN = 0.36  # inches that a score takes


class FoldsDisplay(Drawn):
    """A row a candidate, the best at the top, and a column a split: who is good where.

    Parameters
    ----------
    outcome : Outcome
        What a search found; `from_search` takes it out of one.
    top : int, default=10
        How many candidates.

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
    >>> from hpsearch.plots import FoldsDisplay
    >>> search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1, 10]}).fit(*load_iris(return_X_y=True))
    >>> len(FoldsDisplay.from_search(search, top=2).ax_.get_yticks())
    2
    """

    def __init__(self, outcome: Outcome, top: int = 10) -> None:
        self.outcome = outcome
        self.top = top

    @classmethod
    def from_search(cls, search: Any, *, top: int = 10, ax: Any = None) -> Self:
        """Draw it.

        Parameters
        ----------
        search : fitted search
            Any search of hpsearch.
        top : int, default=10
            How many candidates, the best ones.
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        display : FoldsDisplay
            With `ax_` and `figure_`.

        Raises
        ------
        ValueError
            If no candidate is complete.
        """
        return cls(outcome_of(search), top).plot(ax=ax)

    def _draw(self, ax: Any) -> None:
        outcome = self.outcome
        if not outcome.complete:
            raise ValueError("No candidate has a score on every split.")
        order = np.argsort(-outcome.means, kind="stable")[: self.top]
        S = outcome.S[order]
        n, k = S.shape
        ax = self._begin(ax, (max(6.4, 3.6 + 0.5 * k), 1.0 + 0.32 * n))
        image = ax.imshow(S, cmap=COLOURS, aspect="auto")
        self.figure_.colorbar(image, ax=ax, label=outcome.metric)
        trials = [outcome.complete[i] for i in order]
        labels = [as_written(f"{short_params(t.params, most=40)}  {t.number}") for t in trials]
        ax.set_yticks(range(n), labels, fontsize=7)
        ax.set_xticks(range(k) if k <= MAX_WRITTEN else [0, k - 1])
        ax.set(xlabel="split", ylabel="candidate")
        self.figure_.draw_without_rendering()  # lays it out: only now it is known what fits
        if k <= MAX_WRITTEN and ax.get_window_extent().width / self.figure_.dpi >= k * WRITTEN:
            for (i, j), score in np.ndenumerate(S):
                dark = image.norm(score) < 0.6
                style = {"ha": "center", "va": "center", "fontsize": 7}
                ax.text(j, i, short_score(score), color="white" if dark else "black", **style)
