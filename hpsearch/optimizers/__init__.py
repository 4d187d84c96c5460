"""Optimizers: what proposes the next candidate. See `base` for how to write one."""

from hpsearch.optimizers.base import AbstractOptimizer, Optimizer, SpaceExhausted
from hpsearch.optimizers.gp import GPOptimizer
from hpsearch.optimizers.history import History
from hpsearch.optimizers.plain import (
    GridOptimizer,
    ListedOptimizer,
    RandomOptimizer,
    SobolOptimizer,
)
from hpsearch.optimizers.tpe import TPEOptimizer

__all__ = [
    "AbstractOptimizer",
    "GPOptimizer",
    "GridOptimizer",
    "History",
    "ListedOptimizer",
    "Optimizer",
    "RandomOptimizer",
    "SobolOptimizer",
    "SpaceExhausted",
    "TPEOptimizer",
]
