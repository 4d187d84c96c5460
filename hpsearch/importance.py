"""How much each parameter matters: functional analysis of variance of a forest.

X         candidates in [0, 1]^d, (n, d), one column a parameter
y         their scores, (n,), standardised, the worst clipped
leaves    of a tree: boxes with lower and upper ends, both (l, d), and a value each, (l,)

The variance of a tree over the whole space, each point as likely, is the sum of the variances of
its parts: a part for each parameter alone (its marginal: the mean over all others), and one for
what each pair does beyond its members. A tree is constant on boxes, so that the marginals are
sums over its leaves. The shares of the trees of a forest say how certain the answer is.

Source: Hutter, Hoos & Leyton-Brown, An Efficient Approach for Assessing Hyperparameter Importance,
ICML 2014.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from hpsearch.optimizers._columns import MISSING, Columns
from hpsearch.optimizers._evidence import standardised
from hpsearch.space import Space
from hpsearch.trial import Params

Array = NDArray[np.float64]
N_TREES = 64
MIN_LEAF = 2
MIN_CANDIDATES = 8  # a forest of fewer says nothing
PER_PARAMETER = 10  # candidates for each, before one is said to do nothing
NEGLIGIBLE = 0.01  # share of the variance
MAX_PAIRED = 8  # parameters whose pairs are looked at, the most important ones


@dataclass(frozen=True)
class Importances:
    """Shares of the variance of the score over the space.

    Attributes
    ----------
    alone : dict
        Parameter to (share, standard deviation over the trees): what it does by itself.
    together : dict
        Pair of parameters to (share, standard deviation): what they do beyond that.
    n_candidates : int
        How many scores this is from.
    """

    alone: dict[str, tuple[float, float]]
    together: dict[tuple[str, str], tuple[float, float]]
    n_candidates: int

    def total(self, name: str) -> float:
        """Share of a parameter, alone and in its pairs."""
        pairs = (share for pair, (share, _) in self.together.items() if name in pair)
        return self.alone[name][0] + sum(pairs)


@dataclass(frozen=True, eq=False)
class Encoded:
    """Candidates as a forest takes them."""

    names: list[str]
    columns: Columns
    X: Array

    @classmethod
    def of(cls, space: Space, params: Sequence[Params]) -> Encoded:
        columns = Columns(space)
        rows = columns.rows([space.encode(p) for p in params])
        return cls(column_names(columns), columns, np.where(np.isnan(rows), MISSING, rows))


def column_names(columns: Columns) -> list[str]:
    """Return the parameter of each column; the branch is called so.

    A parameter whose values differ from branch to branch has several columns, which are numbered.
    """
    found: dict[int, str] = {}
    for branch, places in zip(columns.space.branches, columns.places, strict=True):
        for name, place in zip(branch, places, strict=True):
            if place is not None and place not in found:
                n = sum(other.partition(" (")[0] == name for other in found.values())
                found[place] = f"{name} ({n + 1})" if n else name
    return [found.get(i, "branch") for i in range(len(columns))]


def forest_of(X: Array, y: Array, seed: int = 0) -> RandomForestRegressor:
    """Return a forest that predicts scores."""
    forest = RandomForestRegressor(N_TREES, min_samples_leaf=MIN_LEAF, random_state=seed)
    return forest.fit(X, y)


def importances(space: Space, params: Sequence[Params], scores: Array) -> Importances | None:
    """Return how much each parameter matters over the whole space.

    Parameters
    ----------
    space : Space
        Where the candidates lie.
    params : sequence of dict
        Candidates that are complete.
    scores : ndarray of shape (n,)
        Their mean scores.

    Returns
    -------
    importances : Importances or None
        None for fewer than 8 candidates, or scores that are all the same.

    Examples
    --------
    >>> from hpsearch.space import Space
    >>> space = Space.of({"a": (0.0, 1.0), "b": (0.0, 1.0)})
    >>> rng = np.random.default_rng(0)
    >>> params = [{"a": float(a), "b": float(b)} for a, b in rng.random((60, 2))]
    >>> found = importances(space, params, np.array([p["a"] for p in params]))
    >>> found.alone["a"][0] > 0.9, found.alone["b"][0] < 0.05
    (True, True)
    """
    y = standardised(scores)
    if len(params) < MIN_CANDIDATES or not y.any():
        return None
    encoded = Encoded.of(space, params)
    if not encoded.names:
        return None
    alone, together = _shares(encoded.X, y)
    return Importances(
        {name: _mean_and_spread(alone[:, i]) for i, name in enumerate(encoded.names)},
        {
            (encoded.names[i], encoded.names[j]): _mean_and_spread(shares)
            for (i, j), shares in together.items()
        },
        len(params),
    )


def _shares(X: Array, y: Array) -> tuple[Array, dict[tuple[int, int], Array]]:
    """Return the shares of each parameter, (trees, d), and of each pair, (trees,)."""
    boxes = [Boxes.of(tree.tree_, X.shape[1]) for tree in forest_of(X, y).estimators_]
    boxes = [box for box in boxes if box.variance > 0]
    if not boxes:
        return np.zeros((1, X.shape[1])), {}
    alone = np.array([[b.alone(i) for i in range(X.shape[1])] for b in boxes])
    ranked = np.argsort(-alone.mean(axis=0), kind="stable")[:MAX_PAIRED].tolist()
    together = {
        (i, j): np.array(
            [max(b.pair(i, j) - a[i] - a[j], 0.0) for b, a in zip(boxes, alone, strict=True)]
        )
        for i, j in itertools.combinations(sorted(ranked), 2)
    }
    return alone, together


@dataclass(frozen=True, eq=False)
class Boxes:
    """The leaves of a tree."""

    low: Array
    high: Array
    values: Array

    @classmethod
    def of(cls, tree: Any, d: int) -> Boxes:
        low, high = np.zeros((tree.node_count, d)), np.ones((tree.node_count, d))
        for node in range(tree.node_count):  # parents come before their children
            left, right = tree.children_left[node], tree.children_right[node]
            if left < 0:
                continue
            for child in (left, right):
                low[child], high[child] = low[node], high[node]
            feature = tree.feature[node]
            high[left, feature] = low[right, feature] = tree.threshold[node]
        leaves = tree.children_left < 0
        return cls(low[leaves], high[leaves], tree.value[leaves, 0, 0])

    @property
    def volumes(self) -> Array:
        volumes: Array = np.prod(self.high - self.low, axis=1)
        return volumes

    @property
    def mean(self) -> float:
        return float(self.volumes @ self.values)

    @property
    def variance(self) -> float:
        return float(self.volumes @ (self.values - self.mean) ** 2)

    def _inside(self, i: int) -> tuple[Array, Array]:
        """Lengths of the segments of a coordinate, (s,), and which leaf covers which, (s, l)."""
        ends = np.unique([self.low[:, i], self.high[:, i]])
        middles = (ends[1:] + ends[:-1]) / 2
        inside = (self.low[:, i] < middles[:, None]) & (middles[:, None] < self.high[:, i])
        return np.diff(ends), inside.astype(float)

    def alone(self, i: int) -> float:
        """The share of the variance of a coordinate's marginal."""
        lengths, inside = self._inside(i)
        weights = self.volumes / (self.high[:, i] - self.low[:, i]) * self.values
        return float(lengths @ (inside @ weights - self.mean) ** 2) / self.variance

    def pair(self, i: int, j: int) -> float:
        """The share of the variance of the marginal of two coordinates."""
        lengths_i, inside_i = self._inside(i)
        lengths_j, inside_j = self._inside(j)
        sizes = (self.high[:, i] - self.low[:, i]) * (self.high[:, j] - self.low[:, j])
        marginal = (inside_i * (self.volumes / sizes * self.values)) @ inside_j.T
        return float(lengths_i @ (marginal - self.mean) ** 2 @ lengths_j) / self.variance


def without_effect(space: Space, params: Sequence[Params], S: Array) -> list[str]:
    """Return the parameters that made no difference to any score.

    Sure where candidates that differ in nothing else have the same score on each split. Where
    none are alike, and candidates are many, a parameter that has less than a hundredth of the
    variance, alone and in pairs, and matters to a forest no more than when its values are
    shuffled.

    Parameters
    ----------
    space : Space
        Where the candidates lie.
    params : sequence of dict
        Candidates that are complete.
    S : ndarray of shape (n, k)
        Their scores on the splits.
    """
    if len(params) < MIN_CANDIDATES or not np.ptp(S.mean(axis=1)):
        return []
    encoded = Encoded.of(space, params)
    names = [name for name in encoded.names if name != "branch"]
    verdicts = {name: _is_idle(encoded, name, S) for name in names}
    unknown = [name for name, verdict in verdicts.items() if verdict is None]
    shuffled: set[str] = set()
    if unknown and len(params) >= PER_PARAMETER * len(encoded.names):
        shares = importances(space, params, S.mean(axis=1))
        small = [n for n in unknown if shares is not None and shares.total(n) < NEGLIGIBLE]
        shuffled = _no_better_than_shuffled(encoded, standardised(S.mean(axis=1)), small)
    idle = {name for name, verdict in verdicts.items() if verdict} | shuffled
    return [name for name in dict.fromkeys(names) if name in idle]


def _is_idle(encoded: Encoded, name: str, S: Array) -> bool | None:
    """Whether it changes nothing where all else is the same; None if nothing is."""
    at = [i for i, n in enumerate(encoded.names) if n == name]
    others = np.delete(encoded.X, at, axis=1)
    groups: dict[bytes, list[int]] = {}
    for place, row in enumerate(np.ascontiguousarray(others)):
        groups.setdefault(row.tobytes(), []).append(place)
    alike = [g for g in groups.values() if np.ptp(encoded.X[g][:, at], axis=0).any()]
    if len(alike) < 3:
        return None
    return all(np.ptp(S[group], axis=0).max() == 0 for group in alike)


def _no_better_than_shuffled(encoded: Encoded, y: Array, names: list[str]) -> set[str]:
    """The parameters that a forest uses about as little as shuffled copies."""
    found = set(names)
    d = len(encoded.names)
    for seed in range(3) if names else ():
        rng = np.random.default_rng(seed)
        X = np.hstack([encoded.X, rng.permuted(encoded.X, axis=0)])
        share = forest_of(X, y, seed).feature_importances_
        places = {name: encoded.names.index(name) for name in found}
        found = {name for name, i in places.items() if share[i] <= 1.5 * share[d:].max()}
    return found


def _mean_and_spread(shares: Array) -> tuple[float, float]:
    return float(shares.mean()), float(shares.std())
