"""The first candidates of a model-based search: what the user already knows to be sensible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone

from hpsearch import _sklearn as bridge
from hpsearch.dimensions import Dimension, Ordinal, is_number
from hpsearch.space import Point, Space
from hpsearch.trial import Params


@dataclass(frozen=True)
class Start:
    """What a search that learns knows before its first score.

    `first` are the candidates to begin with. `openings` are candidates of branches, one each: what
    a branch is tried with when it is tried for the first time. To try them all at once would take
    evaluations from the branches that do well.
    """

    first: list[Params]
    openings: list[Params]


def start_of(space: Space, estimator: Any, initial: Sequence[Params] | None) -> Start:
    """Return the estimator's own values, the user's candidates, and the values of other models.

    What the estimator has, or the nearest to it in the space, comes first; the user's candidates
    follow. A branch that sets another model (a step of a pipeline, say) opens with the values of
    that model.

    Parameters
    ----------
    space : Space
        Where the candidates must lie.
    estimator : estimator or None
        Whose values they are, if there is one.
    initial : sequence of dict or None
        The user's candidates. What one leaves out is taken from the estimator.

    Returns
    -------
    start : Start
        Complete candidates that the constraint allows, each once.

    Raises
    ------
    ValueError
        If one of the user's candidates does not lie in the space.
    """
    branches = [_sensible(branch, estimator) for branch in space.branches]
    openings = [found for found in branches if found is not None]
    own = [min(openings, key=lambda found: found.n_other).params] if openings else []
    for number, given in enumerate(initial or ()):
        if not isinstance(given, Mapping):
            raise TypeError(f"initial_params[{number}]: {given!r} is not a dict of parameters.")
        try:
            own.append(_complete(space, given, estimator))
        except ValueError as error:
            raise ValueError(f"initial_params[{number}]: {error}") from None
    return Start(_once(space, own), _once(space, [found.params for found in openings]))


@dataclass(frozen=True)
class Sensible:
    """A candidate of a branch, and how many of its values are not the estimator's."""

    params: Params
    n_other: int


def _sensible(branch: Mapping[str, Dimension], estimator: Any) -> Sensible | None:
    """Return the values that the branch's models have, or the nearest; None if all lie outside."""
    own = _values(estimator, {})
    n_other = sum(not _is_in(d, own, name) for name, d in branch.items())
    models = {n: d.decode(0.5) for n, d in branch.items() if not _is_in(d, own, n)}
    own = _values(estimator, models)
    is_known = any(_is_in(d, own, name) for name, d in branch.items())
    if not is_known and not any(map(bridge.is_estimator, models.values())):
        return None
    return Sensible({name: _nearest(d, own.get(name)) for name, d in branch.items()}, n_other)


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
    lacking: dict[str, Any] = {}  # of the first branch that fits but for the estimator's values
    for branch in space.branches:
        if given.keys() <= branch.keys():
            params = {name: given.get(name, current.get(name)) for name in branch}
            outside = {n: value for n, value in params.items() if not _holds(branch[n], value)}
            if not outside:
                return params
            if not outside.keys() & given.keys():
                lacking = lacking or outside
    if lacking and estimator is not None:
        raise ValueError(
            f"{given!r} leaves out {[*lacking]}, and what the estimator has, {lacking!r}, does not "
            "lie in the space."
        )
    space.encode(given)  # says why
    raise AssertionError(given)


def _is_in(dimension: Dimension, values: Mapping[str, Any], name: str) -> bool:
    return name in values and _holds(dimension, values[name])


def _holds(dimension: Dimension, value: Any) -> bool:
    try:
        dimension.encode(value)
    except (TypeError, ValueError):  # None, of a dimension of the user's own that reckons with it
        return False
    return True
