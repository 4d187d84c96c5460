"""All of a search but its candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch import _sklearn as bridge
from hpsearch.keep import Keep
from hpsearch.reuse import Settings


@dataclass(frozen=True, eq=False)
class Work:
    """What every fit of a search needs; goes to each worker once.

    `learns`: later candidates depend on the scores of earlier ones.
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
    ambient: bridge.Ambient
    reuse: Settings
    learns: bool
    n_workers: int
    keep: Keep | None = None
