"""Optuna's distributions: classes in optuna.distributions, with low, high, step, log, choices."""

from __future__ import annotations

from typing import Any

from hpsearch.dimensions import Dimension
from hpsearch.foreign.ranges import choices, integers, reals, steps


def dimension(given: Any) -> Dimension:
    """Return the dimension that a distribution stands for."""
    if hasattr(given, "choices"):
        return choices(given.choices)
    if not (hasattr(given, "low") and hasattr(given, "high")):
        raise TypeError(f"{given!r} is no distribution of Optuna that is known here.")
    log, step = bool(getattr(given, "log", False)), getattr(given, "step", None)
    is_whole = isinstance(given.low, int) and isinstance(given.high, int)
    if step is not None and not (is_whole and step == 1):
        return steps(given.low, given.high, step)
    return (integers if is_whole else reals)(given.low, given.high, log=log)
