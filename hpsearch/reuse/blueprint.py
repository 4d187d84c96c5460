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
from sklearn.pipeline import Pipeline

from hpsearch.reuse.values import is_unchangeable, key_of, own_values

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
class Copied:
    """An estimator that is its class and its parameters: values, and parts that are estimators."""

    kind: type
    values: dict[str, Any]
    parts: dict[str, Plan]  # of a pipeline, its steps

    def make(self) -> Any:
        made: Any = object.__new__(self.kind)
        vars(made).update(self.values)
        parts = [(name, plan.make()) for name, plan in self.parts.items()]
        vars(made).update({"steps": parts} if self.kind is Pipeline else parts)
        return made

    def has(self, name: str) -> bool:
        """Whether setting this parameter is known to be no more than setting an attribute."""
        head, _, rest = name.partition("__")
        return self.parts[head].has(rest) if head in self.parts else name in self.values


Plan = Cloned | Copied


def _plan_of(model: Any) -> Plan:
    """Return how to make another of a clone."""
    kind, held, other = type(model), dict(vars(model)), vars(clone(model))
    if kind is not Pipeline and not all(_inherits(kind, name) for name in INHERITED):
        return Cloned(model)
    if not held.keys() >= model.get_params(deep=False).keys():
        return Cloned(model)
    if kind is Pipeline:
        parts = dict(held.pop("steps"))
    else:
        parts = {name: held.pop(name) for name in [*held] if hasattr(held[name], "get_params")}
    if not is_unchangeable(held) or not all(map(_is_model, parts.values())):
        return Cloned(model)
    # What there is beside the parameters may be of this instance alone, as a counter's value is.
    if any(name not in other or key_of(v) != key_of(other[name]) for name, v in held.items()):
        return Cloned(model)
    return Copied(kind, held, {name: _plan_of(part) for name, part in parts.items()})


def _inherits(kind: type, name: str) -> bool:
    """Whether a class has this from scikit-learn's base, or from `object`."""
    return getattr(kind, name, None) is getattr(BaseEstimator, name)


def _is_model(value: Any) -> bool:
    return hasattr(value, "get_params") and not isinstance(value, type)


def _part(model: Any, path: str) -> Any:
    """Return the estimator that the path of a parameter names."""
    for name in path.split("__") if path else ():
        model = dict(model.steps)[name] if type(model) is Pipeline else getattr(model, name)
    return model
