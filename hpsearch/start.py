"""The first candidates of a model-based search: what the user already knows to be sensible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import clone

from hpsearch import _sklearn as bridge
from hpsearch.dimensions import Dimension, Ordinal, is_number
from hpsearch.space import Point, Space
from hpsearch.trial import Params


def starting_params(
    space: Space, estimator: Any, initial: Sequence[Params] | None, most: int | None = None
) -> list[Params]:
    """Return what is sensible without a search, then the user's candidates, each complete and once.

    What is sensible are the values that the estimator has, or the nearest to them in the space; and
    in a branch that sets another model (a step of a pipeline, say), those that this model has.

    Parameters
    ----------
    space : Space
        Where the candidates must lie.
    estimator : estimator or None
        Whose values they are, if there is one.
    initial : sequence of dict or None
        The user's candidates. What one leaves out is taken from the estimator.
    most : int or None, default=None
        As many as are not the user's; those of the estimator as it is are the first.

    Returns
    -------
    candidates : list of dict
        Those that the constraint allows.

    Raises
    ------
    ValueError
        If one of the user's candidates does not lie in the space.
    """
    found = _sensible(space, estimator)[:most]
    for number, given in enumerate(initial or ()):
        if not isinstance(given, Mapping):
            raise TypeError(f"initial_params[{number}]: {given!r} is not a dict of parameters.")
        try:
            found.append(_complete(space, given, estimator))
        except ValueError as error:
            raise ValueError(f"initial_params[{number}]: {error}") from None
    return _once(space, found)


def _sensible(space: Space, estimator: Any) -> list[Params]:
    """The candidates of the branches, those with nothing but the estimator's values first."""
    found = []
    for branch in space.branches:
        own = _values(estimator, {})
        models = {n: d.decode(0.5) for n, d in branch.items() if not _is_in(d, own, n)}
        own = _values(estimator, models)
        inside = {name for name, d in branch.items() if _is_in(d, own, name)}
        if inside or any(map(bridge.is_estimator, models.values())):
            params = {name: _nearest(d, own.get(name)) for name, d in branch.items()}
            found.append((len(inside) < len(branch), params))
    found.sort(key=lambda pair: pair[0])
    return _once(space, [params for _, params in found])


def _nearest(dimension: Dimension, value: Any) -> Any:
    """Return the value, or the nearest that there is; the middle if that means nothing."""
    if _holds(dimension, value):
        return value
    if not dimension.ordered or not is_number(value):
        return dimension.decode(0.5)
    ends = [dimension.decode(0.0), dimension.decode(1.0)]
    others = [*dimension] if isinstance(dimension, Ordinal) else ends
    value = min(max(value, min(others)), max(others))  # it may be infinite
    return min(others, key=lambda other: abs(other - value))


def _once(space: Space, candidates: list[Params]) -> list[Params]:
    """Return candidates as the space writes them, each once, less those that it does not allow."""
    own: dict[Point, Params] = {}
    for params in candidates:
        own.setdefault(space.encode(params), space.own(params))
    return [params for point, params in own.items() if space.allows(point)]


def _values(estimator: Any, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the estimator's values once the models among the given ones are set."""
    if estimator is None:
        return {}
    models = {name: clone(value) for name, value in given.items() if bridge.is_estimator(value)}
    values: Mapping[str, Any] = (
        clone(estimator).set_params(**models) if models else estimator
    ).get_params()
    return values


def _complete(space: Space, given: Params, estimator: Any) -> Params:
    """Fill in, from the estimator, what a candidate leaves out of the first branch that fits."""
    current = _values(estimator, given)
    for branch in space.branches:
        if given.keys() <= branch.keys():
            params = {name: given.get(name, current.get(name)) for name in branch}
            if all(_holds(d, params[name]) for name, d in branch.items()):
                return params
    space.encode(given)  # says why
    raise AssertionError(given)


def _is_in(dimension: Dimension, values: Mapping[str, Any], name: str) -> bool:
    return name in values and _holds(dimension, values[name])


def _holds(dimension: Dimension, value: Any) -> bool:
    try:
        dimension.encode(value)
    except ValueError:
        return False
    return True
