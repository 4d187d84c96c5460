"""Spaces as users of other libraries write them, read without importing those libraries.

Objects are known by the module of their class and by their attributes. What has no counterpart
here is refused, with the reason, rather than taken for something near it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpsearch.foreign import configspace, hyperopt, optuna, skopt
from hpsearch.foreign.reading import Reading, both, home

__all__ = ["Reading", "both", "is_foreign", "read"]
PARTS = {
    "optuna": optuna.dimension,
    "skopt": skopt.dimension,
    "ConfigSpace": configspace.dimension,
}


def is_foreign(given: Any) -> bool:
    """Whether a space is one object of another library, and not a dict or list."""
    return home(given) in ("skopt", "hyperopt", "ConfigSpace")


def read(given: Any) -> Reading:
    """Return a space as we write it.

    Parameters
    ----------
    given : object
        A ConfigSpace space, an expression of hyperopt or a dict or list with such, scikit-optimize
        dimensions with names, dicts with dimensions of Optuna, scikit-optimize or ConfigSpace as
        values, and lists of such dicts. Anything else is returned as it is.

    Raises
    ------
    TypeError, ValueError
        For what cannot be represented, with the reason.
    """
    if home(given) == "ConfigSpace":
        return configspace.space(given)
    if home(given) == "skopt" or _is_dimensions(given):
        return Reading(skopt.space(given))
    if hyperopt.is_expression(given):
        return hyperopt.space(given)
    if isinstance(given, Mapping):
        return Reading(_branch(given))
    if isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        return _branches(given)
    return Reading(given)


def _is_dimensions(given: Any) -> bool:
    is_list = isinstance(given, (list, tuple)) and len(given) > 0
    return is_list and all(home(part) == "skopt" for part in given)


def _branches(given: Sequence[Any]) -> Reading:
    """A list of dicts, each of which may be foreign."""
    parts = [read(part) if isinstance(part, Mapping) else Reading(part) for part in given]
    if any(part.constraint or part.shape for part in parts):
        raise ValueError(
            "A list of spaces of which one has constraints or nested values cannot be read; give "
            "that one alone, or write it as a list of dicts."
        )
    flat: list[Any] = []
    for part in parts:
        flat += part.space if isinstance(part.space, list) else [part.space]
    changed = any(a is not b for a, b in zip(flat, given, strict=False)) or len(flat) != len(given)
    return Reading(flat if changed else given)


def _branch(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A dict with foreign dimensions among its values, those turned into ours."""
    found = {}
    for name, value in given.items():
        turn = PARTS.get(home(value))
        if turn is not None:
            try:
                found[name] = turn(value)
            except (TypeError, ValueError) as error:
                raise type(error)(f"Parameter {name!r}: {error}") from None
    return {**given, **found} if found else given
