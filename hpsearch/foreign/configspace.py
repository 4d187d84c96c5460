"""Spaces of ConfigSpace: hyperparameters, conditions, forbidden clauses, by their classes' names.

A condition makes a parameter exist only where another has certain values. A space with conditions
becomes a list of dicts, one for each set of parameters that can exist together: the values of a
parent are cut into parts within which every condition has one answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from scipy import stats

from hpsearch.dimensions import Categorical, Dimension, Frozen, Integer, Ordinal, Real
from hpsearch.foreign.ranges import choices, integers, listed, reals
from hpsearch.foreign.reading import Reading, check_branches, kind
from hpsearch.trial import Params

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda a, b: a == b,
    "NotEquals": lambda a, b: a != b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
    "In": lambda a, b: a in b,
}
Branch = dict[str, Dimension]


def dimension(given: Any) -> Dimension:
    """Return the dimension that a hyperparameter stands for."""
    make = KINDS.get(kind(given))
    if make is None or (make in (_normal, _beta) and given.log):
        raise TypeError(
            f"{given!r} has no counterpart here; use a uniform range, or a list of values."
        )
    return make(given)


def _ordinal(given: Any) -> Dimension:
    values = list(given.sequence)
    is_numeric = all(isinstance(v, (int, float)) for v in values)
    return listed(values) if is_numeric and values == sorted(values) else Categorical(values)


def _normal(given: Any) -> Dimension:
    ends = ((end - given.mu) / given.sigma for end in (given.lower, given.upper))
    return Frozen(stats.truncnorm(*ends, loc=given.mu, scale=given.sigma))


def _beta(given: Any) -> Dimension:
    width = given.upper - given.lower
    return Frozen(stats.beta(given.alpha, given.beta, loc=given.lower, scale=width))


KINDS: dict[str, Callable[[Any], Dimension]] = {
    "UniformFloatHyperparameter": lambda given: reals(given.lower, given.upper, log=given.log),
    "UniformIntegerHyperparameter": lambda given: integers(given.lower, given.upper, log=given.log),
    "CategoricalHyperparameter": lambda given: choices(given.choices, given.weights),
    "OrdinalHyperparameter": _ordinal,
    "Constant": lambda given: Categorical([given.value]),
    "UnParametrizedHyperparameter": lambda given: Categorical([given.value]),
    "NormalFloatHyperparameter": _normal,
    "BetaFloatHyperparameter": _beta,
}


def space(given: Any) -> Reading:
    """Return a ConfigurationSpace as a dict or list of dicts, with a constraint for its clauses."""
    if not hasattr(given, "conditions"):
        raise TypeError(f"{given!r}: give a dict, with this as the value of a parameter's name.")
    dimensions: Branch = {}
    for name, parameter in given.items():
        try:
            dimensions[name] = dimension(parameter)
        except (TypeError, ValueError) as error:
            raise type(error)(f"Parameter {name!r}: {error}") from None
    conditions = {_child(condition).name: condition for condition in given.conditions}
    order = _parents_first(dimensions, conditions)
    branches = list(_branches(order, dimensions, conditions, {}))
    clauses = tuple(_Clause.of(clause) for clause in given.forbidden_clauses)
    allowed = Allowed(clauses) if clauses else None
    return Reading(branches[0] if len(branches) == 1 else branches, allowed)


def _branches(
    order: list[str], dimensions: Branch, conditions: dict[str, Any], chosen: Branch
) -> Iterator[Branch]:
    """Go through the sets of parameters that can exist together, with the values they have."""
    if not order:
        yield chosen
        return
    name, rest = order[0], order[1:]
    if name in conditions and not _holds(conditions[name], chosen):
        yield from _branches(rest, dimensions, conditions, chosen)
        return
    tests = [t for c in conditions.values() for t in _tests(c) if t.parent.name == name]
    n = 0
    for part in _parts(dimensions[name], tests):
        for branch in _branches(rest, dimensions, conditions, {**chosen, name: part}):
            n += 1
            check_branches(n)
            yield branch


def _parts(whole: Dimension, tests: list[Any]) -> list[Dimension]:
    """Cut a parent's values into parts within which each test has one answer."""
    if not tests:
        return [whole]
    if isinstance(whole, (Categorical, Ordinal)):
        groups: dict[tuple[bool, ...], list[Any]] = {}
        for value in whole.values:
            groups.setdefault(tuple(_answer(t, value) for t in tests), []).append(value)
        return [type(whole)(values) for values in groups.values()]
    if not isinstance(whole, (Integer, Real)):
        raise TypeError(f"{whole!r} is the parent of a condition; only uniform ranges may be.")
    return list(_intervals(whole, tests))


def _intervals(whole: Integer | Real, tests: list[Any]) -> Iterator[Dimension]:
    """The intervals between the values that tests name, and those values themselves."""
    named = {v for t in tests for v in (t.values if hasattr(t, "values") else [t.value])}
    inside = sorted(v for v in named if whole.low <= v <= whole.high)
    low: Any = whole.low
    for value in inside:
        below, above = _neighbours(whole, value)
        if low <= below:
            yield _range(whole, low, below)
        yield Categorical([value])
        low = above
    if low <= whole.high:
        yield _range(whole, low, whole.high)


def _neighbours(whole: Integer | Real, value: Any) -> tuple[Any, Any]:
    if isinstance(whole, Integer):
        return value - 1, value + 1
    return math.nextafter(value, -math.inf), math.nextafter(value, math.inf)


def _range(whole: Integer | Real, low: Any, high: Any) -> Dimension:
    return (integers if isinstance(whole, Integer) else reals)(low, high, log=whole.log)


def _child(condition: Any) -> Any:
    return condition.child if hasattr(condition, "child") else _child(condition.components[0])


def _tests(condition: Any) -> list[Any]:
    """The simple conditions that a condition is made of."""
    if not hasattr(condition, "components"):
        return [condition]
    return [test for part in condition.components for test in _tests(part)]


def _holds(condition: Any, chosen: Branch) -> bool:
    """Whether a condition holds in a branch; false where a parent does not exist."""
    if hasattr(condition, "components"):
        every = all if kind(condition) == "AndConjunction" else any
        return every(_holds(part, chosen) for part in condition.components)
    part = chosen.get(condition.parent.name)
    return part is not None and _answer(condition, part.decode(0.5))


def _answer(test: Any, value: Any) -> bool:
    compare = COMPARE.get(kind(test).removesuffix("Condition"))
    if compare is None:
        raise TypeError(f"The condition {test!r} has no counterpart here.")
    return bool(compare(value, test.values if hasattr(test, "values") else test.value))


def _parents_first(dimensions: Branch, conditions: dict[str, Any]) -> list[str]:
    order: list[str] = []

    def put(name: str) -> None:
        if name in order:
            return
        for test in _tests(conditions[name]) if name in conditions else []:
            put(test.parent.name)
        order.append(name)

    for name in dimensions:
        put(name)
    return order


@dataclass(frozen=True)
class _Clause:
    """A forbidden clause, in plain values: `how` is a name of COMPARE, "And" or "Or"."""

    how: str
    left: str | None = None
    right: str | None = None  # another parameter, for a relation
    value: Any = None
    parts: tuple[_Clause, ...] = ()

    @classmethod
    def of(cls, clause: Any) -> _Clause:
        name = kind(clause).removeprefix("Forbidden")
        if hasattr(clause, "components"):
            parts = tuple(cls.of(part) for part in clause.components)
            return cls(name.removesuffix("Conjunction"), parts=parts)
        how = name.removesuffix("Relation").removesuffix("Clause")
        if how not in COMPARE:
            raise TypeError(f"The forbidden clause {clause!r} has no counterpart here.")
        if name.endswith("Relation"):
            return cls(how, clause.left.name, clause.right.name)
        value = tuple(clause.values) if hasattr(clause, "values") else clause.value
        return cls(how, clause.hyperparameter.name, value=value)

    def forbids(self, params: Params) -> bool:
        if self.how in ("And", "Or"):
            every = all if self.how == "And" else any
            return every(part.forbids(params) for part in self.parts)
        if self.left not in params or (self.right is not None and self.right not in params):
            return False
        other = self.value if self.right is None else params[self.right]
        return bool(COMPARE[self.how](params[self.left], other))


@dataclass(frozen=True)
class Allowed:
    """The constraint that forbids what some clauses forbid."""

    clauses: tuple[_Clause, ...]

    def __call__(self, params: Params) -> bool:
        return not any(clause.forbids(params) for clause in self.clauses)
