"""What halving gives out: rows of a split, or the value of a parameter such as n_estimators."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.dimensions import is_number
from hpsearch.trial import Params

ROWS = "n_samples"
ROWS_PER_CLASS = 10  # on the first rung, unless the user says otherwise


@dataclass(frozen=True)
class Resource:
    """A resource, and how much of it the last rung has.

    `most` is None for all rows of a split. `is_whole`: it comes in whole numbers.
    """

    name: str
    most: float | None
    is_whole: bool = True

    @property
    def is_rows(self) -> bool:
        return self.name == ROWS

    def amount(self, share: float, whole: float | None = None) -> float:
        """Return how much a share is; `whole` is all there is, where that depends on the split."""
        most = min(math.inf if n is None else n for n in (self.most, whole))
        value = share * most
        # A share such as 3 ** -2 is not quite what it says.
        return max(1, math.floor(value + 1e-6)) if self.is_whole else value

    def params(self, params: Params, share: float) -> Params:
        """Return a candidate with the resource among its parameters, if it is one."""
        return params if self.is_rows else {**params, self.name: self.amount(share)}

    def amounts(self, shares: Sequence[float], n_rows: int) -> NDArray[Any]:
        """Return how much each share is; of rows, of all that there are."""
        whole = n_rows if self.is_rows else None
        return np.array([self.amount(share, whole) for share in shares])


def resolve(
    pruner: Any, estimator: Any, names: Iterable[str], sizes: Sequence[int], n_classes: int
) -> tuple[Any, Resource | None]:
    """Return a pruner that knows its rungs, and its resource; None if it has none.

    Parameters
    ----------
    pruner : Pruner
        As the user gave it.
    estimator : estimator
        What is searched for.
    names : iterable of str
        Parameters of the space.
    sizes : sequence of int
        Training rows of each split.
    n_classes : int
        Of the targets; 1 for a regression.

    Raises
    ------
    ValueError
        That names the parameter, what was given, and what is accepted.
    """
    name = getattr(pruner, "resource", None)
    if name is None:
        return pruner, None
    if name == ROWS:
        bound = pruner.between(ROWS_PER_CLASS * n_classes, min(sizes))
        _check_rows(bound, min(sizes), n_classes)
        is_all = bound.max_resources == min(sizes)
        return bound, Resource(ROWS, None if is_all else bound.max_resources)
    params = estimator.get_params()
    if name not in params:
        raise ValueError(
            f"pruner: resource={name!r} is neither 'n_samples' nor a parameter of "
            f"{type(estimator).__name__}."
        )
    if name in names:
        raise ValueError(
            f"pruner: resource={name!r} is also a parameter of the space. Leave it out there: the "
            "pruner sets it."
        )
    own, most = params[name], pruner.max_resources
    if isinstance(most, str) and not (is_number(own) and own > 0):
        raise ValueError(
            f"pruner: pass max_resources, since {name}={own!r} of the estimator is not a number "
            "above 0."
        )
    given = own if isinstance(most, str) else most
    is_whole = isinstance(own if is_number(own) else given, numbers.Integral)
    bound = pruner.between(1 if is_whole else 0.0, given)
    return bound, Resource(name, bound.max_resources, is_whole)


def _check_rows(pruner: Any, fewest: int, n_classes: int) -> None:
    if pruner.max_resources > fewest:
        raise ValueError(
            f"pruner: max_resources={pruner.max_resources!r} rows, but the smallest training set "
            f"of the splits has {fewest}."
        )
    if pruner.min_resources < n_classes:
        raise ValueError(
            f"pruner: min_resources={pruner.min_resources!r} rows cannot hold one of each of the "
            f"{n_classes} classes."
        )


def nested_order(y: Any, rows: NDArray[Any], is_stratified: bool, split: int) -> NDArray[Any]:
    """Return training rows in an order of which every beginning is a fair sample.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or None
        Targets.
    rows : ndarray of shape (n_train,)
        Training rows of the split.
    is_stratified : bool
        Whether each beginning shall have the classes in their proportions, and the first few rows
        one of each.
    split : int
        Number of the split, the seed of the order.
    """
    rng = np.random.default_rng([split])
    rows = rng.permutation(rows)
    if not is_stratified:
        return rows
    labels = np.asarray(y).reshape(-1)[rows]  # a column of labels is labels
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    places = np.empty(len(rows))
    for label, size in enumerate(sizes):
        own = (np.arange(size) + rng.random()) / size
        own[0] = -1.0 + label / len(sizes)  # one of each comes first
        places[classes == label] = own
    return rows[np.argsort(places, kind="stable")]
