"""Who ran what when, and who waited."""

from __future__ import annotations

from typing import Any, Self

from hpsearch.outcome import Outcome, outcome_of
from hpsearch.plots._canvas import BAD, BEST, PALE, POINT, Drawn
from hpsearch.trial import Status

LOOKS = {Status.COMPLETE: (POINT, "complete"), Status.PRUNED: (PALE, "pruned")}


class TimelineDisplay(Drawn):
    """A row a worker, and a bar a fit; gaps are idle time.

    Parameters
    ----------
    outcome : Outcome
        What a search found; `from_search` takes it out of one.

    Attributes
    ----------
    busy_ : float
        Share of the time between the first and the last fit in which workers had one.
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        The figure of the axes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import ExhaustiveSearchCV
    >>> from hpsearch.plots import TimelineDisplay
    >>> grid = {"C": [0.1, 1, 10]}
    >>> search = ExhaustiveSearchCV(SVC(), grid, reuse=False).fit(*load_iris(return_X_y=True))
    >>> display = TimelineDisplay.from_search(search)
    >>> 0 < display.busy_ <= 1
    True
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
        display : TimelineDisplay
            With `busy_`, `ax_` and `figure_`.

        Raises
        ------
        ValueError
            If it is not known when the fits ran.
        """
        return cls(outcome_of(search)).plot(ax=ax)

    def _draw(self, ax: Any) -> None:
        spans = spans_of(self.outcome)
        if not spans:
            raise ValueError("It is not known when the fits of this search ran.")
        workers = list(dict.fromkeys(worker for worker, *_ in sorted(spans, key=lambda s: s[1])))
        began, ended = min(s[1] for s in spans), max(s[2] for s in spans)
        self.busy_ = min(
            sum(end - start for _, start, end, *_ in spans)
            / max((ended - began) * len(workers), 1e-12),
            1.0,
        )
        ax = self._begin(ax, (6.4, 1.2 + 0.35 * len(workers)))
        best = self.outcome.complete[self.outcome.best].number if self.outcome.complete else None  # type: ignore[index]
        labelled = set()
        for worker, start, end, number, status in spans:
            look = (BEST, "best") if number == best else LOOKS.get(status, (BAD, "failed"))
            colour, label = look
            ax.barh(
                workers.index(worker),
                end - start,
                left=start - began,
                height=0.7,
                color=colour,
                edgecolor="white",
                linewidth=0.3,
                label=None if label in labelled else label,
            )
            labelled.add(label)
        ax.set_yticks(range(len(workers)), [f"worker {i}" for i in range(len(workers))])
        ax.invert_yaxis()
        ax.set(xlabel="seconds", xlim=(0, max(ended - began, 1e-9)))
        ax.set_title(f"busy {self.busy_:.0%} of the time", fontsize=9)
        ax.legend(
            fontsize=8, frameon=False, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.3)
        )


def spans_of(outcome: Outcome) -> list[tuple[str, float, float, int, Status]]:
    """Return (worker, began, ended, candidate, its status) of each fit of which that is known."""
    found = []
    for trial in outcome.trials:
        for result in trial.results:
            worker, span = result.details.get("worker"), result.details.get("span")
            if worker is not None and span is not None:
                found.append(
                    (str(worker), float(span[0]), float(span[1]), trial.number, trial.status)
                )
    return found
