"""Estimators for candidates: what `clone` and `set_params` make, without looking twice.

Each call of `clone` reads the signature of a class twice and that of `set_params` once more, which
is most of what a short fit costs beside itself. What they find is the same for all candidates of a
search, so it is looked at once here, where an estimator is no more than its parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from hpsearch import _sklearn as bridge
from hpsearch.reuse.values import is_unchangeable, key_of, own_values

LISTS = {Pipeline: "steps", FeatureUnion: "transformer_list", ColumnTransformer: "transformers"}
INHERITED = ("get_params", "set_params", "__sklearn_clone__", "__setattr__", "__new__")


class Blueprint:
    """Makes the estimators of candidates.

    Parameters
    ----------
    estimator : estimator
        What the candidates are set on; it is left as it is.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from hpsearch.reuse.blueprint import Blueprint
    >>> Blueprint(SVC(kernel="linear")).make({"C": 10})
    SVC(C=10, kernel='linear')
    """

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator

    @cached_property
    def _plan(self) -> Plan:
        return _plan_of(clone(self._estimator))

    def make(self, params: Mapping[str, Any]) -> Any:
        """Return an estimator of its own with these parameters set.

        Raises
        ------
        ValueError, TypeError
            If the estimator has no such parameter, or cannot be cloned.
        """
        made = self._plan.make()
        if is_unchangeable(params) and all(self._plan.has(name) for name in params):
            for name, value in params.items():
                path, _, own = name.rpartition("__")
                setattr(_part(made, path), own, value)
            return made
        return made.set_params(**own_values(params))


@dataclass(frozen=True, eq=False, slots=True)
class Cloned:
    """An estimator that only `clone` can make another of."""

    model: Any

    def make(self) -> Any:
        return clone(self.model)

    def has(self, name: str) -> bool:
        """Whether setting this parameter is known to be no more than setting an attribute."""
        return False


@dataclass(frozen=True, eq=False, slots=True)
class Kept:
    """What stands in the place of an estimator: "passthrough", "drop" or None."""

    value: str | None

    def make(self) -> Any:
        return self.value

    def has(self, name: str) -> bool:
        """Whether setting this parameter is known to be no more than setting an attribute."""
        return False


@dataclass(frozen=True, eq=False, slots=True)
class Copied:
    """An estimator that is its class and its parameters.

    Of these some are plain values and some estimators; a container has a list of such besides,
    each with its name and perhaps more, as the columns that it is given.
    """

    kind: type
    values: dict[str, Any]
    parts: dict[str, Plan]
    listed: dict[str, tuple[Plan, tuple[Any, ...]]]

    def make(self) -> Any:
        made: Any = object.__new__(self.kind)
        held = vars(made)
        held.update(self.values)
        for name, plan in self.parts.items():
            held[name] = plan.make()
        if self.kind in LISTS:
            held[LISTS[self.kind]] = [
                (name, plan.make(), *clone(more, safe=False))
                for name, (plan, more) in self.listed.items()
            ]
        return made

    def has(self, name: str) -> bool:
        """Whether setting this parameter is known to be no more than setting an attribute."""
        head, _, rest = name.partition("__")
        if head in self.listed:
            return self.listed[head][0].has(rest)
        return self.parts[head].has(rest) if head in self.parts else name in self.values


Plan = Cloned | Kept | Copied


def _plan_of(model: Any) -> Plan:
    """Return how to make another of a clone."""
    if model is None or isinstance(model, str):
        return Kept(model)
    if not hasattr(model, "__dict__"):
        return Cloned(model)
    kind, held = type(model), dict(vars(model))
    items = held.pop(LISTS[kind], None) if kind in LISTS else []
    parts = {name: held.pop(name) for name in [*held] if bridge.is_estimator(held[name])}
    is_known = kind in LISTS or all(_inherits(kind, name) for name in INHERITED)
    if not (is_known and _are_items(items) and is_unchangeable(held)):
        return Cloned(model)
    if not vars(model).keys() >= model.get_params(deep=False).keys():
        return Cloned(model)
    # What there is beside the parameters may be of this instance alone, as a counter's value is.
    other = vars(clone(model))
    if any(name not in other or key_of(v) != key_of(other[name]) for name, v in held.items()):
        return Cloned(model)
    return Copied(
        kind,
        held,
        {name: _plan_of(part) for name, part in parts.items()},
        {name: (_plan_of(part), tuple(more)) for name, part, *more in items},
    )


def _inherits(kind: type, name: str) -> bool:
    """Whether a class has this from scikit-learn's base, or from `object`."""
    return getattr(kind, name, None) is getattr(BaseEstimator, name)


def _are_items(items: Any) -> bool:
    """Whether these are a container's (name, estimator, ...); if not, its own fit will say why."""
    if type(items) is not list or not all(type(i) is tuple and len(i) > 1 for i in items):
        return False
    names = {name for name, *_ in items if isinstance(name, str)}
    return len(names) == len(items) and all(
        part is None or isinstance(part, str) or bridge.is_estimator(part) for _, part, *_ in items
    )


def _part(model: Any, path: str) -> Any:
    """Return the estimator that the path of a parameter names."""
    for name in path.split("__") if path else ():
        own = getattr(model, LISTS[type(model)]) if type(model) in LISTS else ()
        listed = [item[1] for item in own if item[0] == name]
        model = listed[0] if listed else getattr(model, name)
    return model
