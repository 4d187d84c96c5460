"""A space for an estimator, from those of its parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from hpsearch import _sklearn as bridge
from hpsearch.dimensions import Dimension
from hpsearch.spaces.ranges import RANGES, UNKNOWN, Shape


def suggest(estimator: Any, X: Any = None) -> dict[str, Dimension]:
    """Return a space worth a first search, for the estimator and all its parts.

    Parameters
    ----------
    estimator : estimator
        One of scikit-learn, XGBoost, LightGBM or CatBoost, or one made of such: a pipeline, a
        column transformer, a union, an ensemble or another estimator around one. Parts that are
        not known are left as they are.
    X : array-like of shape (n_rows, n_columns), default=None
        The data, for ranges that end at its size: how many neighbours, components or columns to
        keep. Without it those that depend on the number of columns are left out.

    Returns
    -------
    space : dict
        Names of parameters to `Real`, `Integer`, `Categorical` or `Ordinal`. It can be changed
        like any dict, and given to every search but `ExhaustiveSearchCV`.

    Raises
    ------
    ValueError
        If nothing is known of the estimator or of any of its parts.

    Notes
    -----
    The sources of the ranges stand beside them in `hpsearch.spaces.ranges`: among others Probst,
    Boulesteix & Bischl (2019), van Rijn & Hutter (2018), Bischl et al. (2023) and Grinsztajn,
    Oyallon & Varoquaux (2022).

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from hpsearch.spaces import suggest
    >>> suggest(make_pipeline(StandardScaler(), SVC()))
    {'svc__C': Real(0.03, 30000.0, log=True), 'svc__gamma': Real(3e-05, 8.0, log=True)}
    """
    shape = None if X is None else Shape(bridge.n_rows(X), _n_columns(X))
    space: dict[str, Dimension] = {}
    parts = {"": estimator} | {
        name: value for name, value in estimator.get_params().items() if bridge.is_estimator(value)
    }
    for path, part in parts.items():
        prefix = f"{path}__" if path else ""
        space |= {f"{prefix}{n}": d for n, d in _of_part(part, path, shape).items()}
    if not space:
        known = ", ".join(sorted(RANGES))
        raise ValueError(
            f"Nothing is known of {type(estimator).__name__}; there are suggestions for {known}."
        )
    return space


def _n_columns(X: Any) -> int:
    """Columns of the data; 1 of a list of texts."""
    shape = np.shape(X)
    return int(shape[1]) if len(shape) > 1 else 1


def _of_part(part: Any, path: str, shape: Shape | None) -> dict[str, Dimension]:
    """The ranges of one part that it takes as it is set."""
    own = part.get_params(deep=False)
    found = {}
    for name, given in RANGES.get(type(part).__name__, {}).items():
        if name in own and _is_read(part, name):
            dimension = _sized(given, name, path, shape)
            if dimension is not None:
                found[name] = dimension
    return found


def _sized(given: Any, name: str, path: str, shape: Shape | None) -> Any:
    """A dimension, for the size of the data where it depends on that."""
    if isinstance(given, Dimension):
        return given
    if name != "n_neighbors" and (shape is None or "__" in path):
        return None  # how many columns come to this part is not known
    return given(shape or UNKNOWN)


def _is_read(part: Any, name: str) -> bool:
    """Whether a part, as it is set, reads the parameter; nothing is suggested that it ignores."""
    kernel = getattr(part, "kernel", None)
    if name == "gamma" and kernel == "linear":
        return False
    if name == "strategy" and getattr(part, "strategy", None) not in ("mean", "median"):
        return False  # what it fills may be no numbers
    if name == "subsample" and getattr(part, "booster", None) == "gblinear":
        return False
    return not (name == "learning_rate_init" and getattr(part, "solver", None) == "lbfgs")
