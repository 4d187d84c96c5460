"""How much each parameter matters, with how sure that is."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from hpsearch.brief import short_names
from hpsearch.importance import Importances, importances
from hpsearch.outcome import outcome_of
from hpsearch.plots._canvas import PALE, POINT, Drawn

MAX_BARS = 12
MAX_PAIRS = 3
LEAST = 0.01  # share of a pair that is drawn


class ImportancesDisplay(Drawn):
    """Shares of the variance of the score: each parameter alone, and the foremost pairs.

    Functional analysis of variance of a forest (Hutter et al., 2014); the whiskers are one
    standard deviation over its trees.

    Parameters
    ----------
    importances : Importances
        What to draw; `from_search` computes it.

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
    >>> from hpsearch import SampledSearchCV, Real
    >>> from hpsearch.plots import ImportancesDisplay
    >>> space = {"C": Real(0.001, 100, log=True), "tol": Real(1e-5, 1e-3, log=True)}
    >>> search = SampledSearchCV(SVC(), space, n_iter=20, random_state=0)
    >>> search = search.fit(*load_iris(return_X_y=True))
    >>> found = ImportancesDisplay.from_search(search).importances
    >>> found.alone["C"][0] > 0.8
    True
    """

    def __init__(self, importances: Importances) -> None:
        self.importances = importances

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
        display : ImportancesDisplay
            With `importances`, `ax_` and `figure_`.

        Raises
        ------
        ValueError
            If there are too few scores to say anything, or all are the same.
        """
        outcome = outcome_of(search)
        params = [trial.params for trial in outcome.complete]
        found = importances(outcome.space, params, outcome.means) if params else None
        if found is None:
            raise ValueError(
                "Importances need 8 complete candidates whose scores are not all the same."
            )
        return cls(found).plot(ax=ax)

    def _draw(self, ax: Any) -> None:
        names = short_names(self.importances.alone)
        alone = sorted(self.importances.alone.items(), key=lambda item: -item[1][0])[:MAX_BARS]
        pairs = sorted(self.importances.together.items(), key=lambda item: -item[1][0])
        pairs = [(pair, share) for pair, share in pairs[:MAX_PAIRS] if share[0] > LEAST]
        bars = [(names[name], share, POINT) for name, share in alone]
        bars += [(f"{names[a]} and {names[b]}", share, PALE) for (a, b), share in pairs]
        ax = self._begin(ax, (6.4, 0.9 + 0.32 * len(bars)))
        shares = np.array([share for _, share, _ in bars])
        places = np.arange(len(bars))[::-1]
        ends = np.minimum([shares[:, 0], 1 - shares[:, 0]], shares[:, 1])  # shares end at 0 and 1
        style = {"ecolor": "black", "capsize": 3, "error_kw": {"lw": 0.8}}
        ax.barh(places, shares[:, 0], xerr=ends, color=[c for *_, c in bars], height=0.65, **style)
        ax.set_yticks(places, [label for label, *_ in bars])
        ax.set_xlim(0, 1)
        ax.set_xlabel("share of the variance of the score")
