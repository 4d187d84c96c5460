"""The process against finite differences and scikit-learn's class."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Kernel, Matern, WhiteKernel

from hpsearch.optimizers import _effects
from hpsearch.optimizers import _gaussian as gaussian

THETA = np.log([0.3, 0.7, 1.5, 1.8, 0.02, 0.4])


def make_data(n, d, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.random((n, d))
    y = np.sin(5 * X[:, 0]) + X[:, -1] ** 2 + 0.1 * rng.standard_normal(n)
    return X, (y - y.mean()) / y.std(), rng


def central(f, x, step=1e-5):
    """Return the gradient of f at x by central differences."""
    steps = step * np.eye(len(x))
    return np.array([(f(x + e) - f(x - e)) / (2 * step) for e in steps])


class SumOfEffects(Kernel):
    """The covariance of effects, from its definition: a sum over parameters, wave by wave."""

    def __init__(self, hyper, n_ordered):
        self.hyper, self.n_ordered = hyper, n_ordered

    def effect(self, number, a, b):
        d = len(self.hyper) - 3
        scale = np.exp(self.hyper[number] + self.hyper[-3]) / np.sqrt(d)
        if number >= self.n_ordered:
            far = Matern(scale, nu=2.5)([[0.0]], [[1.0]])[0, 0]
            return (1 - far) * (a[:, None] == b)
        frequencies = np.pi * np.arange(21) / 1.5
        density = (5 / scale**2 + frequencies**2) ** -3.0
        density[0] /= 2
        shares = 2 * density[1:] / density.sum()
        waves = [np.cos(np.multiply.outer(x + 0.25, frequencies[1:])) for x in (a, b)]
        return (waves[0] * shares) @ waves[1].T

    def __call__(self, X, Y=None, eval_gradient=False):
        Y = X if Y is None else Y
        d = len(self.hyper) - 3
        total = sum(self.effect(i, X[:, i], Y[:, i]) for i in range(d))
        return np.exp(self.hyper[-1]) / d * total

    def diag(self, X):
        return np.diag(self(X))

    def is_stationary(self):
        return False


def sklearn_process(theta, group=(0, 1, 2)):
    n_ordered = np.count_nonzero(np.bincount(group) == 1)
    joint, effects = Matern(np.exp(theta[np.array(group)]), nu=2.5), SumOfEffects(theta, n_ordered)
    kernel = joint + effects + WhiteKernel(np.exp(theta[-2]))
    return GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None)


@pytest.mark.parametrize("seed", range(3))
def test_gradient_of_posterior_density(seed):
    """The gradient by theta is that of finite differences, groups of features included."""
    X, y, rng = make_data(12, 5, seed)
    group = np.array([0, 1, 1, 2, 2])
    pairs = gaussian.Pairs.of(X, group)
    theta = gaussian.default_theta(3) + 0.5 * rng.standard_normal(6)
    value, slope = gaussian.negative_log_posterior(theta, pairs, y)
    numeric = central(lambda t: gaussian.negative_log_posterior(t, pairs, y)[0], theta)
    assert np.isfinite(value)
    np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-6)


def test_likelihood_is_that_of_sklearn():
    """Without its prior, the density of theta is scikit-learn's marginal likelihood."""
    X, y, _ = make_data(30, 3)
    value, _ = gaussian.negative_log_posterior(THETA, gaussian.Pairs.of(X, np.arange(3)), y)
    likelihood = gaussian.negative_log_prior(THETA)[0] - value
    expected = sklearn_process(THETA).fit(X, y).log_marginal_likelihood_value_
    assert likelihood == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("group", [(0, 1, 2), (0, 1, 2, 2)], ids=["ordered", "unordered"])
def test_posterior_is_that_of_sklearn(group, monkeypatch):
    """Mean and variance are scikit-learn's, the noise taken off; no wave is left out."""
    monkeypatch.setattr(_effects, "NEGLIGIBLE", 0.0)
    X, y, rng = make_data(30, 3)
    x = rng.random((500, 3))  # several blocks of points
    if len(group) > 3:  # the last parameter has two values, and a feature for each
        X, x = (np.column_stack([a[:, :2], a[:, 2] < 0.5, a[:, 2] >= 0.5]) for a in (X, x))
    mean, variance = gaussian.Posterior.of(X, np.array(group), y, THETA)(x)
    process = sklearn_process(THETA, group).fit(X, y)
    expected, std = process.predict(x, return_std=True)
    np.testing.assert_allclose(mean, expected, atol=1e-8)
    np.testing.assert_allclose(variance, std**2 - 0.02, atol=1e-8)


@pytest.mark.parametrize("noise", [1e-6, 1e-2])
def test_waves_left_out_are_of_no_account(noise, monkeypatch):
    """Twenty waves and more are left out; mean, variance and slopes are nearly those of all."""
    rng = np.random.default_rng(0)
    X, x, group = rng.random((40, 6)), rng.random((50, 6)), np.array([0, 1, 2, 3, 3, 3])
    X[:, 3:], x[:, 3:] = np.eye(3)[rng.integers(3, size=40)], np.eye(3)[rng.integers(3, size=50)]
    y = np.sin(9 * X[:, 1]) + X[:, 0] + X[:, 4]
    theta = np.log([2.0, 0.3, 5.0, 1.0, 1.0, noise, 0.5])
    few = gaussian.Posterior.of(X, group, y, theta)
    monkeypatch.setattr(_effects, "NEGLIGIBLE", 0.0)
    every = gaussian.Posterior.of(X, group, y, theta)
    assert len(few.v) < len(every.v) - 20
    for ours, expected in zip(few(x), every(x), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-4)
    at, of_all = few.at(x[:5]), every.at(x[:5])
    slopes = [given.slopes(np.ones(5), np.ones(5)) for given in (at, of_all)]
    np.testing.assert_allclose(slopes[0], slopes[1], atol=1e-2)


def test_prior_is_lognormal():
    """Differences of its density are scipy's: lognormal for lengths, mixtures for other logs."""
    from scipy.stats import lognorm, norm, uniform

    d = 4
    a = np.log([0.1, 0.2, 0.4, 0.8, 3.0, 0.01, 0.3])
    b = np.log([1.0, 3.0, 0.5, 2.0, 0.9, 0.3, 1.0])
    location = np.sqrt(2) + np.log(d) / 2

    def mixture(log_value, mean, scale, low, high, share):
        normal, anything = norm(mean, scale), uniform(np.log(low), np.log(high / low))
        return np.log((1 - share) * normal.pdf(log_value) + share * anything.pdf(log_value))

    def log_density(theta):
        scales = lognorm(np.sqrt(3), scale=np.exp(location)).logpdf(np.exp(theta[:-3]))
        stretch = mixture(theta[-3], 0.0, 0.4, 0.25, 16.0, 0.3)
        noise = mixture(theta[-2], -8.25, 1.5, 1e-6, 1.0, 0.1)
        return scales.sum() + stretch + noise + mixture(theta[-1], -1.7, 1.0, 0.01, 5.0, 0.3)

    ours = gaussian.negative_log_prior(a)[0] - gaussian.negative_log_prior(b)[0]
    assert ours == pytest.approx(log_density(b) - log_density(a), abs=1e-10)


def test_noise_is_found():
    """Scores of which a fifth of the variance is noise are not explained by short length scales."""
    found = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X = rng.random((30, 2))
        signal = np.sin(3 * X[:, 0]) + X[:, 1] ** 2
        y = signal / signal.std() + 0.5 * rng.standard_normal(30)
        theta = gaussian.fit(X, np.arange(2), (y - y.mean()) / y.std())
        found.append(np.exp(theta[-2]) / (0.5 / y.std()) ** 2)
    assert np.median(found) == pytest.approx(0.65, abs=0.25)
    assert np.count_nonzero(np.array(found) > 0.3) >= 8


def test_default_is_the_mode_of_the_prior():
    """The slope of the prior vanishes at the default length scales."""
    _, slope = gaussian.negative_log_prior(gaussian.default_theta(4))
    np.testing.assert_allclose(slope[:-3], 0, atol=0.02)  # 0.2 is exp(sqrt(2) - 3) rounded


def test_fit_finds_what_matters():
    """The length scale of a feature that matters is short, that of one that does not is long."""
    rng = np.random.default_rng(0)
    X = rng.random((40, 3))
    y = np.sin(8 * X[:, 1])
    theta = gaussian.fit(X, np.arange(3), (y - y.mean()) / y.std())
    assert theta[1] < min(theta[0], theta[2]) - 0.5
    assert np.exp(theta[-2]) < 0.01


def test_sum_of_bumps_is_learnt():
    """Bumps along each parameter are learnt from far fewer points than would show them all."""
    rng = np.random.default_rng(0)
    d, phases = 5, 2 * np.pi * rng.random(5)
    X, x = rng.random((70, d)), rng.random((300, d))
    y, truth = (np.cos(12 * at + phases).sum(axis=1) for at in (X, x))
    y = (y - y.mean()) / y.std()
    theta = gaussian.fit(X, np.arange(d), y)
    mean = gaussian.Posterior.of(X, np.arange(d), y, theta).mean(x)
    assert np.corrcoef(mean, truth)[0, 1] > 0.99


def test_no_sum_of_bumps_is_missed():
    """Of ten none stays at hyperparameters of what several parameters do together."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        phases = 2 * np.pi * rng.random(5)
        X, x = rng.random((50, 5)), rng.random((300, 5))
        y, truth = (np.sin(12 * at + phases).sum(axis=1) for at in (X, x))
        y = (y - y.mean()) / y.std()
        theta = gaussian.fit(X, np.arange(5), y)
        mean = gaussian.Posterior.of(X, np.arange(5), y, theta).mean(x)
        assert np.corrcoef(mean, truth)[0, 1] > 0.95


def test_interactions_are_learnt():
    """A score that no sum over parameters explains is not taken for one."""
    rng = np.random.default_rng(0)
    X, x = rng.random((60, 3)), rng.random((300, 3))
    y, truth = (np.sin(4 * (at[:, 0] - at[:, 1] * at[:, 2])) for at in (X, x))
    y = (y - y.mean()) / y.std()
    theta = gaussian.fit(X, np.arange(3), y)
    mean = gaussian.Posterior.of(X, np.arange(3), y, theta).mean(x)
    assert np.corrcoef(mean, truth)[0, 1] > 0.98


def test_fit_survives_duplicates():
    """The same point many times, with one score or with several, has a posterior."""
    X, group = np.repeat(np.random.default_rng(0).random((3, 2)), 20, axis=0), np.arange(2)
    for y in (np.tile([1.0, -1.0], 30), np.repeat([1.0, 0.0, -1.0], 20)):
        theta = gaussian.fit(X, group, y)
        mean, variance = gaussian.Posterior.of(X, group, y, theta)(X)
        assert np.isfinite(mean).all()
        assert (variance > 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_slopes_of_prediction(seed):
    """The gradients by ordered features are those of finite differences."""
    X, y, rng = make_data(15, 3, seed)
    X = np.hstack([X, np.eye(2)[rng.integers(2, size=15)] * np.sqrt(0.5)])
    group = np.array([0, 1, 2, 3, 3])
    posterior = gaussian.Posterior.of(X, group, y, np.append(THETA[:3], THETA[2:]))
    x = np.append(rng.random(3), [np.sqrt(0.5), 0.0])[None]
    at = posterior.at(x)
    one, none = np.ones(1), np.zeros(1)
    for part, weights in ((0, (one, none)), (1, (none, one))):
        slope = at.slopes(*weights)[0]

        def value(u, part=part):
            return posterior(np.append(u, x[0, 3:])[None])[part][0]

        np.testing.assert_allclose(slope[:3], central(value, x[0, :3]), rtol=1e-6, atol=1e-6)


def test_deviation_is_that_of_the_posterior():
    """Where the posterior is nearly normal, Laplace's deviation is that of a sum over a grid."""
    X, rng = np.random.default_rng(1).random((40, 1)), np.random.default_rng(2)
    y = np.sin(9 * X[:, 0]) + 0.3 * rng.standard_normal(40)
    y, group = (y - y.mean()) / y.std(), np.array([0])
    theta, pairs = gaussian.fit(X, group, y), gaussian.Pairs.of(X, group)
    steps = np.linspace(-1.5, 1.5, 9)
    grid = theta + np.stack(np.meshgrid(*[steps] * 4, indexing="ij"), axis=-1)
    minus_log = np.array(
        [gaussian.negative_log_posterior(t, pairs, y)[0] for t in grid.reshape(-1, 4)]
    )
    shares = np.exp(minus_log.min() - minus_log).reshape(9, -1).sum(axis=1)
    shares /= shares.sum()
    variance = shares @ steps**2 - (shares @ steps) ** 2
    assert gaussian.deviations(theta, X, group, y) == pytest.approx([np.sqrt(variance)], rel=0.2)


def test_deviation_is_the_priors_where_nothing_was_varied():
    """Of a parameter that all points have at one value, the scores say nothing."""
    X, y, _ = make_data(20, 3)
    X[:, 1] = 1.0
    group = np.arange(3)
    found = gaussian.deviations(gaussian.fit(X, group, y), X, group, y)
    assert found[1] > 0.9 * np.sqrt(3) > found[0]
    assert (found < np.sqrt(3) * (1 + 1e-9)).all()


def test_cholesky_gives_up_by_name():
    """A matrix that no jitter mends raises what callers catch."""
    with pytest.raises(np.linalg.LinAlgError):
        gaussian.cholesky(np.array([[1.0, 5.0], [5.0, 1.0]]))
