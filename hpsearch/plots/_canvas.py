"""What the pictures share: axes, colours, ticks of parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hpsearch.brief import short_value
from hpsearch.dimensions import Dimension
from hpsearch.space import Space

Array = NDArray[np.float64]
POINT, BEST, BAD, PALE = "#4c72b0", "#c44e52", "#8c2d04", "#9a9a9a"
COLOURS = "viridis"  # of scores: legible without colour vision, and printed
MAX_TICKS = 6


class Drawn(ABC):
    """What every display is after `plot`; write `_draw`."""

    ax_: Any
    figure_: Any

    def plot(self, *, ax: Any = None) -> Self:
        """Draw it again, on given axes or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        display : object
            This one, with `ax_` and `figure_` of the drawing.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.svm import SVC
        >>> from hpsearch import ExhaustiveSearchCV
        >>> from hpsearch.plots import ConvergenceDisplay
        >>> grid = {"C": [0.01, 0.1, 1, 10], "gamma": [0.1, 1]}
        >>> search = ExhaustiveSearchCV(SVC(), grid).fit(*load_iris(return_X_y=True))
        >>> _, axes = plt.subplots(2)
        >>> display = ConvergenceDisplay.from_search(search)
        >>> display.plot(ax=axes[1]).ax_ is axes[1]
        True
        """
        self._draw(ax)
        return self

    @abstractmethod
    def _draw(self, ax: Any) -> None:
        """Draw on the axes that `_begin` returns for those given."""

    def _begin(self, ax: Any, size: tuple[float, float]) -> Any:
        """Return the axes to draw on: the caller's, or those of a new figure."""
        try:
            import matplotlib.pyplot as plt  # noqa: PLC0415 - an optional extra
        except ImportError:
            raise ImportError("Pictures need matplotlib: pip install 'hpsearch[plots]'.") from None
        if ax is None:
            _, ax = plt.subplots(figsize=size, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        return ax


def is_log(dimension: Dimension) -> bool:
    """Whether the values of a parameter are to be drawn on a logarithmic scale.

    Ranges say so; of listed numbers and distributions the middle tells.
    """
    if hasattr(dimension, "log"):
        return bool(dimension.log)
    if not is_numeric(dimension):
        return False
    low, middle, high = (float(dimension.decode(u)) for u in (0.02, 0.5, 0.98))
    return low > 0 and high >= 10 * low and middle < (low + high) / 4


def is_numeric(dimension: Dimension) -> bool:
    """Whether values are numbers with an order."""
    value = dimension.decode(0.5)
    return dimension.ordered and isinstance(value, (int, float, np.number))


def ticks_of(dimension: Dimension) -> tuple[list[float], list[str]]:
    """Return some coordinates in [0, 1] of a parameter, and the values there."""
    n = dimension.levels
    if n is not None and n <= MAX_TICKS:
        units = [dimension.cell(level) for level in range(n)]
    elif n is not None and not dimension.ordered:
        step = -(-n // (2 * MAX_TICKS))
        units = [dimension.cell(level) for level in range(0, n, step)]
    else:
        units = np.linspace(0, 1, MAX_TICKS - 1).tolist()
    return units, [_label(dimension.decode(u)) for u in units]


def _label(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else as_written(short_value(value, most=14))


def as_written(text: str) -> str:
    """Return a text that matplotlib draws as it is: what stands between dollars is a formula to it.

    What is no Unicode, as in names of files, it does not draw at all.
    """
    return text.replace("$", r"\$").encode(errors="backslashreplace").decode()


def branch_names(space: Space) -> list[str]:
    """Return what tells the branches of a space apart: the values that are fixed in each."""
    fixed = [
        {name: d.decode(0.5) for name, d in branch.items() if d.levels == 1}
        for branch in space.branches
    ]
    names = [n for n in fixed[0] if len({repr(f.get(n)) for f in fixed}) == len(fixed)]
    if names:
        return [as_written(short_value(f.get(names[0]), most=14)) for f in fixed]
    return [str(i) for i in range(len(fixed))]
