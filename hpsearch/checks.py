"""What can be checked of a space before the first fit: names, and values that are sure to fail."""

from __future__ import annotations

import difflib
import itertools
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone

from hpsearch import _sklearn as bridge
from hpsearch.dimensions import Integer, Real
from hpsearch.space import admits

MAX_VALUES = 1000  # listed values of a parameter that are looked at one by one


def check_space(
    estimator: Any, given: Any, argument: str, error_score: Any, constraint: Any = None
) -> None:
    """Raise for a parameter that the estimator does not have; tell of values sure to fail.

    Parameters
    ----------
    estimator : estimator
        What the candidates are set on.
    given : dict or list of dict
        The space as the user wrote it.
    argument : str
        Its name in the constructor, for messages.
    error_score : float or "raise"
        With "raise" a value that is sure to fail raises here; else it raises if a parameter has
        no other value, and warns if it has.
    constraint : callable or None, default=None
        If there is one, it may keep apart values that do not go together.

    Raises
    ------
    ValueError
        That names the parameter, the value, and what is accepted.
    """
    branches = [given] if isinstance(given, Mapping) else given
    if not branches:
        raise ValueError(f"{argument} is an empty list: give at least one dict of values to try.")
    for number, branch in enumerate(branches):
        where = argument if isinstance(given, Mapping) else f"{argument}[{number}]"
        if not isinstance(branch, Mapping):
            raise TypeError(f"{where} is not a dict of values to try, but {branch!r}.")
        for name, values in branch.items():
            if not isinstance(name, str):
                raise TypeError(f"{where}: parameter names are strings, got {name!r}.")
            owners = _owners(estimator, name, branch)
            if not owners and not _accepts(estimator, name, branch):
                raise ValueError(_unknown(estimator, name, branch, where))
            if constraint is None:
                _check_lacking(estimator, name, branch, owners, where)
            if owners:
                _check_values(
                    owners, name.rpartition("__")[2], values, f"{where}[{name!r}]", error_score
                )
    check_constraint(branches, constraint)


def check_constraint(branches: Iterable[Mapping[str, Any]], constraint: Any) -> None:
    """Raise if a constraint, where there is one, fails for a candidate of a dict of the space."""
    if constraint is None:
        return
    for branch in branches:
        values = {name: _some(values) for name, values in branch.items()}
        if all(values.values()):
            admits(constraint, {name: value for name, (value,) in values.items()})


def _some(values: Any) -> list[Any]:
    """One of the values of a parameter, in a list; an empty one if there is none."""
    if hasattr(values, "rvs"):
        return [values.rvs(random_state=np.random.RandomState(0))]
    return list(itertools.islice(_listed(values), 1))


def _owners(estimator: Any, name: str, branch: Mapping[str, Any]) -> list[Any]:
    """The objects that may hold a parameter, given what the branch may put in their places."""
    path, _, own = name.rpartition("__")
    holders = [o for o in _objects(estimator, path, branch) if bridge.is_estimator(o)]
    return [holder for holder in holders if own in holder.get_params()]


def _objects(estimator: Any, path: str, branch: Mapping[str, Any]) -> list[Any]:
    """What stands at a path of the estimator: itself for "", else a parameter's possible values."""
    if not path:
        return [estimator]
    if path in branch and not hasattr(branch[path], "rvs"):
        return list(_listed(branch[path]))
    parent, _, own = path.rpartition("__")
    holders = [h for h in _objects(estimator, parent, branch) if bridge.is_estimator(h)]
    return [h.get_params()[own] for h in holders if own in h.get_params()]


def _check_lacking(
    estimator: Any, name: str, branch: Mapping[str, Any], owners: list[Any], where: str
) -> None:
    """Raise if something that a branch puts in a place does not have the parameter."""
    places = _on_the_way(name, branch)
    is_direct = places == [name.rpartition("__")[0]]
    value = next(iter(_listed(branch[name])), None)
    for given in _fillings(places, branch):
        is_owner = is_direct and any(given[places[0]] is owner for owner in owners)
        if not is_owner and not _takes(estimator, {**given, name: value}):
            told = ", ".join(f"{place}={held!r}" for place, held in given.items())
            own = name.removeprefix(f"{places[-1]}__")
            raise ValueError(
                f"{where}[{name!r}]: {told}, which is tried too, has no parameter {own!r}. Give "
                "each its own dict in a list of dicts, or a constraint."
            )


def _accepts(estimator: Any, name: str, branch: Mapping[str, Any]) -> bool:
    """Whether `set_params` takes a name that `get_params` does not list, as some wrappers do."""
    # With whatever the branch may put in the places that the name leads through.
    value = next(iter(_listed(branch[name])), None)
    fillings = [*_fillings(_on_the_way(name, branch), branch)]
    return any(_takes(estimator, {**given, name: value}) for given in fillings or [{}])


def _on_the_way(name: str, branch: Mapping[str, Any]) -> list[str]:
    """The parameters of a branch that the name of another leads through, the outermost first."""
    return sorted((n for n in branch if name.startswith(f"{n}__")), key=len)


def _fillings(places: list[str], branch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What a branch may put in these places; nothing, if it draws them or there are none."""
    choices = itertools.product(*(_listed(branch[place]) for place in places)) if places else ()
    for choice in itertools.islice(choices, MAX_VALUES):
        yield dict(zip(places, choice, strict=True))


def _takes(estimator: Any, params: dict[str, Any]) -> bool:
    try:
        clone(estimator).set_params(**clone(params, safe=False))
    except Exception:  # noqa: BLE001 - each library has its own way to refuse a name
        return False
    return True


def _unknown(estimator: Any, name: str, branch: Mapping[str, Any], where: str) -> str:
    places = _on_the_way(name, branch)
    if places:
        own = name.removeprefix(f"{places[-1]}__")
        return f"{where}[{name!r}]: nothing tried as {places[-1]!r} has a parameter {own!r}."
    valid = list(estimator.get_params())
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.6)
    # A typo in the case of a letter is the commonest, and the least like by its letters.
    lower = name.lower()
    same = [v for v in valid if lower in (v.lower(), v.lower().rpartition("__")[2])]
    kind = type(estimator).__name__
    hint = f" Did you mean {(same or close)[0]!r}?" if same or close else ""
    return (
        f"{where}[{name!r}]: Invalid parameter {name!r} for estimator {kind}.{hint} "
        f"Valid parameters are: {sorted(valid)}."
    )


def _check_values(owners: list[Any], own: str, values: Any, where: str, error_score: Any) -> None:
    looked_at = list(_listed(values))
    refusals = {}
    for place, value in enumerate(looked_at):
        told = [bridge.refused_value(owner, own, value) for owner in owners]
        if all(text is not None for text in told):
            refusals[place] = told[0]
    if not refusals:
        return
    bad = [looked_at[place] for place in refusals]
    text = f"{where}: {next(iter(refusals.values()))} Given: {bad!r}."
    if error_score == "raise" or len(refusals) == len(looked_at):
        raise ValueError(text)
    warnings.warn(f"{text} Candidates with it will fail.", UserWarning, stacklevel=4)


def _listed(values: Any) -> Iterable[Any]:
    """The values of a parameter that can be looked at: all that are listed, the ends of a range."""
    if isinstance(values, (Real, Integer)):
        return [values.low, values.high]
    if hasattr(values, "rvs") or isinstance(values, str) or not isinstance(values, Iterable):
        return []
    return values[:MAX_VALUES] if isinstance(values, Sequence) else list(values)[:MAX_VALUES]
