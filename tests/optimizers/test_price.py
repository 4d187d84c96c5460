"""What evaluations cost, and scores that are known to be noisy."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern
from sklearn.svm import SVC

from hpsearch import GPSearchCV, TPESearchCV
from hpsearch.optimizers import GPOptimizer
from hpsearch.optimizers._columns import Columns
from hpsearch.optimizers._gaussian import (
    Pairs,
    Posterior,
    default_theta,
    negative_log_posterior,
)
from hpsearch.optimizers._price import Price
from hpsearch.space import Space

SPACE = {"x": (0.0, 1.0), "z": (0.0, 1.0)}


def price_of(n=30):
    columns = Columns(Space.of(SPACE))
    rng = np.random.default_rng(0)
    points = [
        columns.space.snap(columns.space.point(u))
        for u in rng.random((n, 3))[:, : columns.space.n_coordinates]
    ]
    rows = columns.rows(points)
    return columns, rows, Price.of(columns, rows, np.exp(3 * rows[:, 0]))


def test_slopes_of_the_cost():
    """Against central differences: the features of numbers are their columns."""
    _, rows, price = price_of()
    slopes, step = price.slopes(rows[:5]), 1e-6
    for column in range(2):
        change = np.zeros(2)
        change[column] = step
        differences = price.log_cost(rows[:5] + change) - price.log_cost(rows[:5] - change)
        assert slopes[:, column] == pytest.approx(differences / (2 * step), rel=1e-5, abs=1e-6)


def test_cost_is_learnt():
    """Differences of the logarithm are those of the costs told."""
    _, rows, price = price_of()
    told = price.log_cost(rows)
    expected = 3 * rows[:, 0]
    assert told - told.mean() == pytest.approx(expected - expected.mean(), abs=0.05)


def test_few_costs_count_for_nothing():
    """Five are needed that are known."""
    columns, rows, _ = price_of()
    assert Price.of(columns, rows[:4], np.ones(4)) is None
    assert Price.of(columns, rows[:6], np.array([1, 2, np.nan, 3, np.nan, 4])) is None
    assert Price.of(columns, rows[:5], np.arange(1.0, 6)) is not None


def test_costs_that_are_alike_and_costs_of_nothing():
    """Where all cost the same nothing is cheaper; a clock that has not moved is no infinity."""
    columns, rows, _ = price_of()
    assert Price.of(columns, rows, np.full(len(rows), 2.0)).log_cost(rows) == pytest.approx(0)
    assert np.isfinite(Price.of(columns, rows, np.arange(len(rows)) / 10).log_cost(rows)).all()


def test_the_latest_costs_count():
    """The last 150 that are known, each of its own row: what was slow may be fast by now."""
    columns, rows, _ = price_of(280)
    costs = np.exp(np.where(np.arange(280) < 100, -9, 3) * rows[:, 0])
    costs[100:130] = np.nan
    told = Price.of(columns, rows, costs).log_cost(np.array([[0.1, 0.5], [0.9, 0.5]]))
    assert told[1] - told[0] == pytest.approx(3 * 0.8, abs=0.2)


def spent(cost_aware):
    """Seconds for 25 candidates of which those on the right are dear, and none is better."""
    optimizer = GPOptimizer({"x": (0.0, 1.0)}, random_state=0, cost_aware=cost_aware)
    total = 0.0
    for _ in range(25):
        params = optimizer.ask()
        cost = 1.0 + 9.0 * (params["x"] > 0.5)
        optimizer.tell(params, np.sin(12 * params["x"]), cost=cost)
        total += cost
    return total


def test_cheap_candidates_are_preferred():
    """Of two peaks of the same height the cheap one is searched more."""
    assert spent(cost_aware=True) < 0.8 * spent(cost_aware=False)


def test_known_noise_against_scikit_learn():
    """The mean with a variance for each score is that of GaussianProcessRegressor's alpha."""
    rng = np.random.default_rng(0)
    X, y, noise = rng.random((12, 1)), rng.normal(size=12), rng.random(12)
    theta = default_theta(1)
    theta[-1] = -60.0  # no effects, which scikit-learn has no kernel for
    posterior = Posterior.of(X, np.zeros(1, dtype=int), y, theta, noise)
    kernel = Matern(np.exp(theta[0]), nu=2.5)
    control = GaussianProcessRegressor(kernel, alpha=np.exp(theta[-2]) + noise, optimizer=None)
    x = rng.random((5, 1))
    assert posterior(x)[0] == pytest.approx(control.fit(X, y).predict(x), abs=1e-8)


def test_gradient_with_known_noise():
    """Against central differences."""
    rng = np.random.default_rng(1)
    X, y, noise = rng.random((15, 2)), rng.normal(size=15), rng.random(15)
    pairs, theta = Pairs.of(X, np.array([0, 1])), default_theta(2)
    _, slope = negative_log_posterior(theta, pairs, y, noise)
    for i in range(len(theta)):
        step = np.zeros(len(theta))
        step[i] = 1e-5
        up = negative_log_posterior(theta + step, pairs, y, noise)[0]
        down = negative_log_posterior(theta - step, pairs, y, noise)[0]
        assert slope[i] == pytest.approx((up - down) / 2e-5, rel=1e-6, abs=1e-6)


def test_what_is_noisy_counts_for_less():
    """A score known to be uncertain moves the next ask less than one that is sure."""
    asks = []
    for noise in (None, 100.0):
        optimizer = GPOptimizer({"x": (0.0, 1.0)}, random_state=0)
        for x in (0.1, 0.3, 0.5, 0.7, 0.9):
            optimizer.tell({"x": x}, -abs(x - 0.3))
        optimizer.tell({"x": 0.92}, 1.0, noise=noise)
        asks.append(optimizer.ask()["x"])
    assert asks[0] > 0.85
    assert asks[1] < 0.6


@pytest.mark.parametrize(
    ("search", "given", "message"),
    [
        (TPESearchCV, {}, "Use GPSearchCV"),
        (GPSearchCV, {"deterministic": True}, "cannot be deterministic"),
    ],
)
def test_what_cost_aware_does_not_go_with(search, given, message):
    space = {"C": (0.1, 10.0)}
    with pytest.raises(ValueError, match=message):
        search(SVC(), space, cost_aware=True, **given).fit(*load_iris(return_X_y=True))


def test_cost_aware_search():
    """It runs to its end."""
    space = {"C": (0.1, 10.0)}
    search = GPSearchCV(SVC(), space, n_iter=10, cost_aware=True, random_state=0)
    assert len(search.fit(*load_iris(return_X_y=True)).trials_) == 10
