"""Pictures of a search. They need matplotlib: ``pip install 'hpsearch[plots]'``.

Each display follows scikit-learn's convention: ``from_search(search)`` draws and returns it,
``plot(ax=...)`` draws it again, ``ax_`` and ``figure_`` are what it was drawn on.
"""

from hpsearch.plots.convergence import ConvergenceDisplay
from hpsearch.plots.effect import EffectDisplay
from hpsearch.plots.folds import FoldsDisplay
from hpsearch.plots.importances import ImportancesDisplay
from hpsearch.plots.parallel import ParallelCoordinatesDisplay
from hpsearch.plots.timeline import TimelineDisplay

__all__ = [
    "ConvergenceDisplay",
    "EffectDisplay",
    "FoldsDisplay",
    "ImportancesDisplay",
    "ParallelCoordinatesDisplay",
    "TimelineDisplay",
]
