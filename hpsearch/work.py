"""All of a search but its candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch.ambient import Ambient
from hpsearch.keep import Keep
from hpsearch.resources import Resource
from hpsearch.reuse import Settings
from hpsearch.reuse.growth import Growth
from hpsearch.stopping import Stopping


@dataclass(frozen=True, eq=False)
class Work:
    """What every fit of a search needs; goes to each worker once.

    `learns`: later candidates depend on the scores of earlier ones. `resource` is what halving
    gives out, and `is_stratified` says that a share of the rows has the classes in proportion;
    `growth` lets fits go on from those with less of the resource; `stopping` has rows that fits are
    stopped by.
    """

    estimator: Any
    X: Any
    y: Any
    splits: Sequence[tuple[Any, Any]]
    scorer: Any
    fit_params: dict[str, Any]
    score_params: dict[str, Any]
    error_score: Any
    return_train_score: bool
    verbose: int
    n_candidates: int | None
    ambient: Ambient
    reuse: Settings
    learns: bool
    n_workers: int
    resource: Resource | None = None
    is_stratified: bool = False
    growth: Growth | None = None
    keep: Keep | None = None
    stopping: Stopping | None = None

    @property
    def litter(self) -> list[str]:
        """Folders to be removed when the process that made them is gone."""
        return [] if self.growth is None else [self.growth.folder]
