"""Parameter values as dictionary keys: equal keys, same behaviour.

What cannot be known to behave alike is a key only to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from types import BuiltinFunctionType, FunctionType, NoneType
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from hpsearch import _sklearn as bridge

Key = Hashable
PLAIN = (NoneType, bool, int, str, bytes)
PLAIN_DTYPES = "biufcSU"
NUMBERS = (bool, int, float, np.float64, np.int64)
NAMED = (type, FunctionType, BuiltinFunctionType)  # are their own deep copies
UNCHANGEABLE = frozenset({NoneType, str, bytes, *NUMBERS, *NAMED})
MAX_ARRAY_BYTES = 10_000  # larger arrays are compared by identity


def is_unchangeable(params: Mapping[str, Any]) -> bool:
    """Whether no fit can change a value of a candidate."""
    return all(map(_is_unchangeable, params.values()))


def _is_unchangeable(value: Any) -> bool:
    kind = type(value)
    return kind in UNCHANGEABLE or (kind is tuple and all(map(_is_unchangeable, value)))


def own_values(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values for one estimator alone: some may be estimators, which a fit would change."""
    return params if is_unchangeable(params) else clone(dict(params), safe=False)


class Itself:
    """The key of a value that equals nothing but itself; keeps it alive, so that its id is its own.

    Parameters
    ----------
    value : object
        Anything.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Itself) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def key_of(value: Any) -> Key:
    """Return a key; two values with equal keys cannot be told apart by an estimator.

    The type is part of it (1, 1.0 and True are three values), and so is the sign of a zero.
    """
    kind = type(value)
    if kind in PLAIN:
        return kind, value
    spell = _SPELLINGS.get(kind)
    if spell is not None:
        return kind, spell(value)
    if isinstance(value, np.generic) and value.dtype.kind in PLAIN_DTYPES:
        return kind, value.dtype.str, value.tobytes()
    if is_cloned_by_parameters(value):
        return kind, key_of(_settings(value))
    return Itself(value)


def _spell_array(array: Any) -> Key:
    if array.dtype.kind not in PLAIN_DTYPES or array.nbytes > MAX_ARRAY_BYTES:
        return Itself(array)
    return array.dtype.str, array.shape, array.strides, array.tobytes()


_SPELLINGS: dict[type, Callable[[Any], Key]] = {
    float: repr,  # 0.0 == -0.0, and nan != nan
    complex: repr,
    tuple: lambda v: tuple(map(key_of, v)),
    list: lambda v: tuple(map(key_of, v)),
    dict: lambda v: tuple((key_of(k), key_of(e)) for k, e in v.items()),
    np.ndarray: _spell_array,
}


def is_cloned_by_parameters(value: Any) -> bool:
    """Whether `clone` makes an object from nothing but its parameters and its settings."""
    if not bridge.is_estimator(value):
        return False
    return hasattr(value, "__sklearn_clone__") and not bridge.clones_itself(value)


def is_own(estimator: Any, *methods: str) -> bool:
    """Whether an estimator is a candidate's own, and has these methods by its class.

    Of a class with a clone of its own, such as FrozenEstimator, all candidates may hold the one
    object of the user's; what passes calls on by `__getattr__` has no method to fall back on.
    """
    kind = type(estimator)
    has = all(hasattr(kind, method) for method in methods)
    return has and not bridge.clones_itself(estimator)


def is_frozen(estimator: Any) -> bool:
    """Whether an estimator is no more than a wrapper that keeps another one as it was fitted."""
    return type(estimator) is FrozenEstimator and hasattr(estimator.estimator, "transform")


def _settings(estimator: Any) -> dict[str, Any]:
    """What `clone` carries over: parameters, output containers, metadata requests, callbacks."""
    kept = {k: v for k, v in vars(estimator).items() if k in _CARRIED}
    requests = kept.get("_metadata_request")
    if requests is not None:
        kept["_metadata_request"] = repr(requests)
    params = estimator.get_params(deep=False)
    return {name: params[name] for name in sorted(params)} | kept


_CARRIED = ("_metadata_request", "_sklearn_output_config", "_skl_callbacks")
