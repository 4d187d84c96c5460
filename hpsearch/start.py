"""The first candidates of a model-based search: what the user already knows to be sensible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpsearch.dimensions import Dimension
from hpsearch.space import Point, Space
from hpsearch.trial import Params


def starting_params(
    space: Space, current: Mapping[str, Any], initial: Sequence[Params] | None
) -> list[Params]:
    """Return the estimator's own values, then the user's candidates, each complete and once.

    Parameters
    ----------
    space : Space
        Where the candidates must lie.
    current : mapping
        The estimator's parameters as they are.
    initial : sequence of dict or None
        The user's candidates. What one leaves out is taken from the estimator.

    Returns
    -------
    candidates : list of dict
        Those that the constraint allows.

    Raises
    ------
    ValueError
        If one of the user's candidates does not lie in the space.
    """
    candidates = [_defaults(branch, current) for branch in space.branches]
    found = [params for params in candidates if params is not None]
    for number, given in enumerate(initial or ()):
        if not isinstance(given, Mapping):
            raise TypeError(f"initial_params[{number}]: {given!r} is not a dict of parameters.")
        try:
            found.append(_complete(space, given, current))
        except ValueError as error:
            raise ValueError(f"initial_params[{number}]: {error}") from None
    own: dict[Point, Params] = {}
    for params in found:
        own.setdefault(space.encode(params), space.own(params))
    return [params for point, params in own.items() if space.allows(point)]


def _defaults(branch: Mapping[str, Dimension], current: Mapping[str, Any]) -> Params | None:
    """The current values; the middle where one lies outside; None if all do."""
    inside = {n: current[n] for n, d in branch.items() if n in current and _holds(d, current[n])}
    if not inside:
        return None
    return {name: inside.get(name, d.decode(0.5)) for name, d in branch.items()}


def _complete(space: Space, given: Params, current: Mapping[str, Any]) -> Params:
    """Fill in, from the estimator, what a candidate leaves out of the first branch that fits."""
    for branch in space.branches:
        if given.keys() <= branch.keys():
            params = {name: given.get(name, current.get(name)) for name in branch}
            if all(_holds(d, params[name]) for name, d in branch.items()):
                return params
    space.encode(given)  # says why
    raise AssertionError(given)


def _holds(dimension: Dimension, value: Any) -> bool:
    try:
        dimension.encode(value)
    except ValueError:
        return False
    return True
