"""What a search is, by content: texts that are equal, in any process, if and only if the work is.

Data is hashed; estimators and functions are spelled by class, parameters and code. The parts are
kept apart, so that a difference can be said in words.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import inspect
import numbers
import platform
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import scipy
import sklearn
from joblib.hashing import NumpyHasher

from hpsearch import _sklearn as bridge

Parts = dict[str, str]  # what it is about, to what it is
# Parameters of a search that do not change what its fits give.
WITHOUT_EFFECT = {
    *("checkpoint", "cv", "error_score", "estimator", "fit_timeout", "keep", "max_time"),
    *("memory_guard", "n_iter", "n_jobs", "pre_dispatch", "random_state", "refit", "reuse"),
    *("scoring", "verbose", "watch", "workers"),
}
ONCE_FILES = ("hpsearch.dimensions",)  # packages now, whose classes are not others for that
ADDRESSES = ("_stop_words_id",)  # attributes that are another number in each process
PLAIN = (type(None), bool, int, float, complex, str, bytes)


class ContentHasher(NumpyHasher):
    """What `joblib.hash` does, less what differs between processes though contents are equal."""

    def save(self, obj: Any) -> None:
        """Add an object, and all that it holds."""
        if type(obj) is frozenset:  # of sets alone joblib knows that their order says nothing
            obj = ("frozenset", set(obj))
        elif any(name in ADDRESSES for name in getattr(obj, "__dict__", ())):
            obj = copy.copy(obj)
            for name in ADDRESSES:
                vars(obj).pop(name, None)
        super().save(obj)


def digest(value: Any) -> str:
    """Return a hash of the content of data.

    Raises
    ------
    TypeError
        If the value cannot be read as data.
    """
    try:
        return f"#{ContentHasher(hash_name='sha1').hash(value)}"
    except Exception as error:
        raise TypeError(
            f"checkpoint: a {type(value).__name__} cannot be told from another by its content "
            f"({error}), so a search that uses it cannot be resumed."
        ) from error


@functools.singledispatch
def describe(value: Any) -> str:
    """Return a text that tells a setting from any other."""
    kind = type(value)
    name = f"{_home(kind)}.{kind.__qualname__}"
    if bridge.is_estimator(value):
        return f"{_kind(value)}({describe(value.get_params(deep=False))})"
    if hasattr(value, "dist") and hasattr(value, "kwds"):  # a frozen distribution of scipy.stats
        return f"{value.dist.name}({describe(value.args)}, {describe(value.kwds)})"
    if callable(value) and hasattr(value, "__qualname__"):  # compiled functions
        return f"{value.__module__}.{value.__qualname__}"
    if hasattr(value, "__dict__"):
        is_ours = kind.__module__.partition(".")[0] == "hpsearch"
        code = "" if is_ours else f"#{_class_code(kind)}"
        try:
            return f"{name}{code}({describe(vars(value))})"
        except TypeError:  # a table or an index of pandas or polars, which is data
            return f"{name}{code} {digest(value)}"
    return f"{name} {digest(value)}"


@describe.register(type(None))
@describe.register(bool)
@describe.register(int)
@describe.register(float)
@describe.register(complex)
@describe.register(str)
@describe.register(bytes)
@describe.register(range)
@describe.register(np.generic)
def _(value: Any) -> str:
    return repr(value) if type(value) in PLAIN else f"{type(value).__name__}({value!r})"


@describe.register(list)
@describe.register(tuple)
def _(value: list[Any] | tuple[Any, ...]) -> str:
    return f"{type(value).__name__}({', '.join(map(describe, value))})"


@describe.register
def _(value: Mapping) -> str:  # type: ignore[type-arg]
    return "{" + ", ".join(f"{describe(k)}: {describe(v)}" for k, v in value.items()) + "}"


@describe.register
def _(value: np.ndarray) -> str:
    return f"array {digest(value)}"


@describe.register(np.random.RandomState)
@describe.register(np.random.Generator)
def _(value: Any) -> str:
    return f"a {type(value).__name__}"  # its state is another each time


@describe.register
def _(value: type) -> str:
    return f"{value.__module__}.{value.__qualname__}#{_class_code(value)}"


@describe.register
def _(value: types.FunctionType) -> str:
    return f"{value.__module__}.{value.__qualname__}#{_function_code(value)}"


@describe.register
def _(value: types.MethodType) -> str:
    return f"{describe(value.__func__)} of {describe(value.__self__)}"


@describe.register
def _(value: functools.partial) -> str:  # type: ignore[type-arg]
    return f"partial({describe(value.func)}, {describe(value.args)}, {describe(value.keywords)})"


def describe_estimator(estimator: Any) -> Parts:
    """Return the parts of an estimator: its class, and each of its parameters."""
    parts = {"the estimator's class": _kind(estimator)}
    for name, value in estimator.get_params(deep=True).items():
        if bridge.is_estimator(value):  # its own parameters follow by their names
            parts[f"the estimator's {name}"] = _kind(value)
        else:
            parts[f"the estimator's {name}"] = describe(_layout(value))
    return parts


def versions(estimator: Any) -> Parts:
    """Return the versions that scores may depend on."""
    found = {"Python": platform.python_version()}
    for module in (np, scipy, sklearn):
        found[module.__name__] = module.__version__
    values = [estimator, *estimator.get_params(deep=True).values()]
    for package in sorted({type(value).__module__.partition(".")[0] for value in values}):
        version = getattr(sys.modules.get(package), "__version__", None)
        if isinstance(version, str):
            found[package] = version
    return {f"the version of {name}": version for name, version in found.items()}


def differences(before: Parts, now: Parts) -> list[str]:
    """Say in words what differs; values are told where they are short."""
    told = []
    for name in dict.fromkeys([*now, *before]):
        was, is_now = before.get(name, "absent"), now.get(name, "absent")
        if was != is_now:
            short = max(len(was), len(is_now)) <= 60 and "#" not in was + is_now
            told.append(f"{name} differs" + (f" ({was} before, {is_now} now)" if short else ""))
    return told


def parts_of_search(search: Any, prepared: Any) -> Parts:
    """Return all that the scores of a search depend on.

    Parameters
    ----------
    search : BaseSearchCV
        For its own parameters.
    prepared : Prepared
        Its input, checked.
    """
    parts = {"the search": f"{type(search).__module__}.{type(search).__qualname__}"}
    parts |= {"X": digest(prepared.X), "y": digest(prepared.y)}
    given = [("fit", prepared.fit_params), ("score", prepared.score_params)]
    for method, params in [*given, ("split", prepared.split_params)]:
        parts |= {f"{name}, given to {method},": digest(v) for name, v in params.items()}
    parts |= describe_estimator(prepared.estimator) | versions(prepared.estimator)
    own_score = search.scoring is None  # the estimator's, which has its own parts
    parts["scoring"] = "the estimator's score" if own_score else describe(prepared.scorer)
    parts["cv"] = describe(prepared.cv)
    parts["error_score"] = describe(search.error_score)
    own = search.get_params(deep=False).items()
    parts |= {name: describe(v) for name, v in own if name not in WITHOUT_EFFECT}
    parts["random_state"] = _describe_seed(getattr(search, "random_state", None))
    return parts


def parts_of_function(function: Any, settings: Mapping[str, Any]) -> Parts:
    """Return all that the values of a function depend on, as far as can be seen.

    Parameters
    ----------
    function : callable
        What is evaluated.
    settings : mapping
        What decides where, by name.
    """
    parts = {"the objective": describe(function)}
    parts |= {name: describe(value) for name, value in settings.items()}
    parts["random_state"] = _describe_seed(settings.get("random_state"))
    versions = {"Python": platform.python_version(), "numpy": np.__version__}
    versions |= {"scipy": scipy.__version__}
    return parts | {f"the version of {name}": version for name, version in versions.items()}


def fixed_seed(random_state: Any) -> int | None:
    """Return the seed that a user gave, whatever its type; None for a generator or none at all."""
    is_whole = isinstance(random_state, numbers.Real) and random_state % 1 == 0
    return int(random_state) if is_whole else None


def _describe_seed(random_state: Any) -> str:
    seed = fixed_seed(random_state)
    return "no seed" if seed is None else str(seed)


def _kind(estimator: Any) -> str:
    """The class; with what it was fitted to, if candidates get that too."""
    state = f" {digest(estimator)}" if bridge.clones_itself(estimator) else ""
    return f"{describe(type(estimator))}{state}"


def _home(cls: type) -> str:
    """The module of a class, as checkpoints have spelled it from the first."""
    module = cls.__module__
    return next((name for name in ONCE_FILES if module.startswith(f"{name}.")), module)


def _layout(value: Any) -> Any:
    """A list of steps without what follows by their own names; any other value as it is.

    The order of steps, and the columns that they are given, are said by the list alone.
    """
    is_list = isinstance(value, (list, tuple)) and len(value) > 0
    if not is_list or not all(isinstance(step, tuple) for step in value):
        return value
    return [tuple("..." if bridge.is_estimator(v) else v for v in step) for step in value]


def _class_code(given: type) -> str:
    """Hash of the code of a class and of its bases, builtins aside."""
    codes = []
    for base in given.__mro__[:-1]:
        functions = sorted((name, f) for name, f in vars(base).items() if inspect.isfunction(f))
        codes += [f"{name}:{_function_code(function)}" for name, function in functions]
    return _hash(codes)


def _function_code(function: types.FunctionType) -> str:
    wrapped = inspect.unwrap(function)
    code = wrapped.__code__ if isinstance(wrapped, types.FunctionType) else function.__code__
    closed_over = [cell.cell_contents for cell in getattr(wrapped, "__closure__", None) or ()]
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).items()]
    return _hash([_code(code), *map(_held, closed_over), "defaults", *map(_held, defaults)])


def _held(value: Any) -> str:
    """What a function holds beside its code; of what can change, the type alone."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_held, value))})"
    return repr(value) if isinstance(value, PLAIN) else type(value).__qualname__


def _code(code: types.CodeType) -> str:
    constants = map(_constant, code.co_consts)
    return _hash([code.co_code.hex(), repr(code.co_names), *constants])


def _constant(value: Any) -> str:
    if isinstance(value, types.CodeType):
        return _code(value)
    if isinstance(value, frozenset):  # of `in {"a", "b"}`: each process has an order of its own
        return f"frozenset({{{', '.join(sorted(map(repr, value)))}}})"
    return repr(value)


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha1("\n".join(texts).encode(), usedforsecurity=False).hexdigest()[:16]
