"""Dimensions of scikit-optimize: Real, Integer and Categorical in skopt.space, and its Space."""

from __future__ import annotations

from typing import Any

from hpsearch.dimensions import Dimension
from hpsearch.foreign.ranges import choices, integers, reals
from hpsearch.foreign.reading import kind


def dimension(given: Any) -> Dimension:
    """Return the dimension that one of theirs stands for."""
    if kind(given) == "Categorical":
        return choices(given.categories, given.prior)
    if kind(given) in ("Real", "Integer"):
        make = reals if kind(given) == "Real" else integers
        return make(given.low, given.high, log=given.prior == "log-uniform")
    raise TypeError(f"{given!r} is no dimension of scikit-optimize that is known here.")


def space(given: Any) -> dict[str, Dimension]:
    """Return the space of named dimensions: of a skopt Space, or a list of them."""
    dimensions = given if isinstance(given, (list, tuple)) else getattr(given, "dimensions", None)
    if dimensions is None:
        raise TypeError(f"{given!r}: give a dict, with this as the value of a parameter's name.")
    names = [part.name for part in dimensions]
    if None in names or len(set(names)) < len(names):
        raise ValueError(
            f"Dimensions of scikit-optimize in a list need names, each its own, got {names}: "
            "Real(..., name='C'); or give a dict of names to dimensions."
        )
    return {part.name: dimension(part) for part in dimensions}
