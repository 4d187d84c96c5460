"""Expressions of hyperopt: graphs of nodes with `name`, `pos_args` and `named_args`.

A space there is any nesting of dicts, lists, constants and expressions, and a function gets the
same nesting with values in it. Here it becomes a list of dicts, one for each way to choose among
options that have parameters of their own. A parameter's name is the way to it, joined by dots;
`Shape` makes the nesting again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scipy import stats

from hpsearch.dimensions import Categorical, Dimension, Frozen, Integer, Ordinal
from hpsearch.foreign.ranges import choices, integers, reals, steps
from hpsearch.foreign.reading import Reading, check_branches, home
from hpsearch.trial import Params

Path = tuple[Any, ...]
Leaves = dict[Path, tuple[str | None, Dimension]]  # with the label of the expression


def is_expression(given: Any) -> bool:
    """Whether this is an expression of hyperopt, or a dict or list with one in it."""
    if isinstance(given, Mapping):
        return any(is_expression(value) for value in given.values())
    if isinstance(given, (list, tuple)):
        return any(is_expression(value) for value in given)
    return home(given) == "hyperopt"


def space(given: Any) -> Reading:
    """Return the space that an expression stands for.

    Raises
    ------
    TypeError, ValueError
        For what has no counterpart here.
    """
    _refuse_lists(given)
    branches = list(_branches(given, ()))
    paths = {path for branch in branches for path in branch}
    is_flat = all(len(path) == 1 and isinstance(path[0], str) for path in paths)
    named = {path: _name(path) for path in paths}
    if () in paths:
        label = next(branch[()][0] for branch in branches if () in branch)
        named[()] = label or "value"
    if len(set(named.values())) < len(named):
        raise ValueError(f"Keys with dots give two parameters one name: {sorted(named.values())}.")
    out = [{named[path]: leaf for path, (_, leaf) in branch.items()} for branch in branches]
    shape = None if is_flat else Shape({name: path for path, name in named.items()})
    return Reading(out[0] if len(out) == 1 else out, shape=shape)


@dataclass(frozen=True)
class Shape:
    """Makes the nested value that a function of hyperopt's users gets.

    Parameters
    ----------
    paths : dict
        Names of parameters to the keys and places that lead to them.
    """

    paths: dict[str, Path]

    def __call__(self, params: Params) -> Any:
        return _nested({self.paths[name]: value for name, value in params.items()})


def _nested(leaves: dict[Path, Any]) -> Any:
    if () in leaves:
        return leaves[()]
    groups: dict[Any, dict[Path, Any]] = {}
    for path, value in leaves.items():
        groups.setdefault(path[0], {})[path[1:]] = value
    inner = {key: _nested(group) for key, group in groups.items()}
    is_list = all(isinstance(key, int) for key in inner)
    return tuple(inner[place] for place in sorted(inner)) if is_list else inner


def _name(path: Path) -> str:
    return ".".join(map(str, path))


def _refuse_lists(given: Any) -> None:
    """A list beside expressions is a constant there, and values to choose from here."""
    if not isinstance(given, Mapping):
        return
    for name, value in given.items():
        if isinstance(value, list) and not is_expression(value):
            raise ValueError(
                f"Parameter {name!r}: a list beside expressions of hyperopt could be one value or "
                f"several to choose from. Write hp.choice({name!r}, {value!r}), or a tuple if it "
                "is one value."
            )


def _branches(node: Any, path: Path) -> Iterator[Leaves]:
    """Go through the ways to choose at and below a node."""
    items, options = _items(node), _options(node)
    if items and (not path or _has_parameters(node)):
        yield from _apart(items, path)
    elif options is None or not _differ(options, path):
        yield {path: _leaf(node, path)}
    else:
        for option in options:
            inside = _items(option)
            yield from _apart(inside, path) if inside else _branches(option, path)


def _apart(items: list[Any], path: Path) -> Iterator[Leaves]:
    """Go through the ways to choose in the entries of a dict or list."""
    parts = [list(_branches(value, (*path, key))) for key, value in items]
    check_branches(math.prod(map(len, parts)))
    return (_merged(chosen) for chosen in itertools.product(*parts))


def _differ(options: list[Any], path: Path) -> bool:
    """Whether options have parameters of their own, or are all that a candidate consists of."""
    return any(_has_parameters(o) or (not path and _items(o) is not None) for o in options)


def _merged(parts: tuple[Leaves, ...]) -> Leaves:
    merged: Leaves = {}
    for part in parts:
        merged |= part
    labels = [label for label, _ in merged.values() if label is not None]
    twice = {label for label in labels if labels.count(label) > 1}
    if twice:
        raise ValueError(
            f"The labels {sorted(twice)} stand in two places of one candidate, which would tie two "
            "parameters together. Give each expression a label of its own."
        )
    return merged


def _items(node: Any) -> list[Any] | None:
    """The entries of a dict or list, each with its key or place, None if it is neither."""
    if isinstance(node, Mapping):
        return list(node.items())
    if isinstance(node, (list, tuple)):
        return list(enumerate(node))
    if home(node) == "hyperopt" and node.name == "dict":
        return list(node.named_args)
    if home(node) == "hyperopt" and node.name == "pos_args":
        return list(enumerate(node.pos_args))
    return None


def _has_parameters(node: Any) -> bool:
    items = _items(node)
    if items is not None:
        return any(_has_parameters(value) for _, value in items)
    return home(node) == "hyperopt" and node.name != "literal"


def _options(node: Any) -> list[Any] | None:
    """What an hp.choice chooses from, None if this is something else."""
    if home(node) != "hyperopt" or node.name != "switch":
        return None
    index = node.pos_args[0]
    options: list[Any] = node.pos_args[1:]
    if index.name == "hyperopt_param" and index.pos_args[1].name == "categorical":
        weights = [_constant(weight) for weight in index.pos_args[1].pos_args[0].pos_args]
        choices(options, weights)  # raises if they are not alike
    return options


def _constant(node: Any) -> Any:
    """The value of a node without parameters; lists become tuples, as they do there."""
    items = _items(node)
    if home(node) == "hyperopt" and node.name == "literal":
        return node.obj
    if items is None:
        return node
    if isinstance(node, Mapping) or getattr(node, "name", "") == "dict":
        return {key: _constant(value) for key, value in items}
    return tuple(_constant(value) for _, value in items)


def _leaf(node: Any, path: Path) -> tuple[str | None, Dimension]:
    """The label and the values of a node without branches below it."""
    if not _has_parameters(node):
        return None, Categorical([_constant(node)])
    options = _options(node)
    if options is not None:
        return node.pos_args[0].pos_args[0].obj, choices([_constant(o) for o in options])
    if node.name in ("int", "float") and len(node.pos_args) == 1:
        label, inner = _leaf(node.pos_args[0], path)
        return label, inner if node.name == "float" else _whole(inner, path)
    if node.name != "hyperopt_param":
        raise TypeError(
            f"Parameter {_name(path)!r}: the operation {node.name!r} on expressions of hyperopt "
            "has no counterpart here; do it in the function."
        )
    label, prior = node.pos_args
    try:
        return label.obj, _prior(prior)
    except (TypeError, ValueError) as error:
        raise type(error)(f"Parameter {label.obj!r}: {error}") from None


def _whole(inner: Dimension, path: Path) -> Dimension:
    """What int() makes of values."""
    if isinstance(inner, (Ordinal, Categorical)):
        return type(inner)(list(dict.fromkeys(map(int, inner.values))))
    if isinstance(inner, Integer):
        return inner
    raise TypeError(
        f"Parameter {_name(path)!r}: int() of a continuum has no counterpart here; use "
        "hp.uniformint, or hp.quniform with q=1."
    )


def _prior(node: Any) -> Dimension:
    """The dimension of a distribution; see hyperopt's documentation of its expressions."""
    if node.name not in PRIORS:
        raise TypeError(f"hp.{node.name} has no counterpart here; use a range, or hp.choice.")
    names, make = PRIORS[node.name]
    given = dict(zip(names, map(_constant, node.pos_args), strict=False))
    return make(**given, **{name: _constant(value) for name, value in node.named_args})


def _quniform(low: float, high: float, q: float) -> Dimension:
    return steps(round(low / q) * q, round(high / q) * q, q)


def _loguniform(low: float, high: float) -> Dimension:
    return reals(math.exp(low), math.exp(high), log=True)


def _qloguniform(low: float, high: float, q: float) -> Dimension:
    if q == 1 and round(math.exp(low)) >= 1:
        return integers(round(math.exp(low)), round(math.exp(high)), log=True)
    raise ValueError(
        "hp.qloguniform has a counterpart here only from 1 on, in steps of 1: "
        "Integer(low, high, log=True)."
    )


def _randint(low: int, high: int | None = None) -> Dimension:
    return integers(0, low - 1) if high is None else integers(low, high - 1)


def _normal(mu: float, sigma: float) -> Dimension:
    return Frozen(stats.norm(mu, sigma))


def _lognormal(mu: float, sigma: float) -> Dimension:
    return Frozen(stats.lognorm(s=sigma, scale=math.exp(mu)))


PRIORS: dict[str, tuple[tuple[str, ...], Callable[..., Dimension]]] = {
    "uniform": (("low", "high"), reals),
    "loguniform": (("low", "high"), _loguniform),
    "quniform": (("low", "high", "q"), _quniform),
    "qloguniform": (("low", "high", "q"), _qloguniform),
    "randint": (("low", "high"), _randint),
    "normal": (("mu", "sigma"), _normal),
    "lognormal": (("mu", "sigma"), _lognormal),
}
