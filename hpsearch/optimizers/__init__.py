"""Optimizers: what proposes the next candidate. See `base` for how to write one."""

from hpsearch.optimizers.base import AbstractOptimizer, History, Optimizer, SpaceExhausted
from hpsearch.optimizers.plain import (
    GridOptimizer,
    ListedOptimizer,
    RandomOptimizer,
    SobolOptimizer,
)

__all__ = [
    "AbstractOptimizer",
    "GridOptimizer",
    "History",
    "ListedOptimizer",
    "Optimizer",
    "RandomOptimizer",
    "SobolOptimizer",
    "SpaceExhausted",
]
