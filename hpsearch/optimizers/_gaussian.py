"""Gaussian process regression, and its hyperparameters.

x, X      features, (m, f) where asked and (n, f) where scored
group     the length scale that divides each feature, (f,), numbers from 0 to d - 1
y         scores, (n,), of mean 0 and variance 1, greater is better
theta     logs of d length scales, of the stretch of effects, and of the variances of the noise and
          of all effects, (d + 3,)
r         distance of two points, their features divided by the length scales
k, K      covariance of x with X, (m, n), and of X with itself, noise on the diagonal, (n, n)
W, v      waves of the effects of single parameters, and their variances: see `_effects`
L, alpha  lower Cholesky factor of K, (n, n), and the solution of K alpha = y

The covariance of two scores is Matern(r) + W diag(v) W^T: a joint process, and the effects of
single parameters. As the scores are standardised, the prior mean is 0, and the variance of the
joint process is 1 and not learnt; that of the effects and of the noise is.

Sources: Rasmussen & Williams, Gaussian Processes for Machine Learning (2006); equation numbers are
theirs. Length-scale prior: Hvarfner, Hellsten & Nardi, Vanilla Bayesian Optimization Performs
Great in High Dimensions (2024).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack
from scipy.optimize import minimize

from hpsearch.optimizers._effects import EFFECTS, NOISE, STRETCH, Effects, Waves

Array = NDArray[np.float64]
Index = NDArray[np.intp]

LENGTH_SCALES = (0.025, 100.0)  # bounds; features lie in [0, 1]
LENGTH_PRIOR = (math.sqrt(2), math.sqrt(3))  # of log l, its mean in one dimension
# Bounds of the noise, the stretch and the variance of effects; mean and deviation of their logs.
NOISES, NOISE_PRIOR = (1e-6, 1.0), (-8.25, 1.5)  # little: the scores of fixed splits repeat
STRETCHES, STRETCH_PRIOR = (0.25, 16.0), (0.0, 0.4)
SINGLES, SINGLES_PRIOR = (0.01, 5.0), (-1.7, 1.0)
NOISY, SUMS = 0.1, 0.3  # shares of searches whose noise, or stretch and effects, may be anything
BLOCK = 192  # points predicted at once: what lies between fits a cache
JITTERS = (0.0, 1e-8, 1e-6, 1e-4, 1e-2)  # tried in turn on the diagonal


def matern(r2: Array) -> Array:
    """Return the Matern covariance with nu = 5/2 at squared distances (eq. 4.17)."""
    a = np.sqrt(5 * r2)
    k = a / 3  # (1 + a + a^2 / 3) exp(-a) without a new array for each step: this is the hot spot
    k += 1
    k *= a
    k += 1
    k *= np.exp(np.negative(a, out=a), out=a)
    return k


def matern_slope(r2: Array) -> Array:
    """Return the derivative of `matern` by the squared distance."""
    a = np.sqrt(5 * r2)
    return -5 / 6 * (1 + a) * np.exp(-a)


# --- hyperparameters ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Pairs:
    """Each pair of scored points once: what stays the same while theta is sought."""

    n: int
    i: Index  # (n (n - 1) / 2,)
    j: Index
    effects: Effects
    W: Array
    D: Array  # squared differences, summed over the features of a length scale, (pairs, d)

    @classmethod
    def of(cls, X: Array, group: Index) -> Pairs:
        i, j = np.tril_indices(len(X), -1)
        effects = Effects.of(group)
        starts = np.flatnonzero(np.diff(group, prepend=-1))  # features of a group are neighbours
        D = np.add.reduceat((X[i] - X[j]) ** 2, starts, axis=1)
        return cls(len(X), i, j, effects, effects.waves.at(X), D)


def negative_log_posterior(
    theta: Array, pairs: Pairs, y: Array, own_noise: Array | float = 0.0
) -> tuple[float, Array]:
    """Return minus the log posterior of theta, up to a constant, and its gradient.

    `own_noise`, (n,), is the variance that scores are known to have besides the noise learnt.
    """
    weights, noise = np.exp(-2 * lengths(theta)), math.exp(theta[NOISE])
    v, slope_v = pairs.effects.variances(theta)
    r2 = pairs.D @ weights
    K = (pairs.W * v) @ pairs.W.T
    K[pairs.i, pairs.j] += matern(r2)  # only the lower triangle is read
    K[np.diag_indices(pairs.n)] += 1 + noise + own_noise
    L = cholesky(K)
    alpha = solve(L, y)
    inverse, _ = lapack.dpotri(L, lower=1)  # the lower triangle of K^-1
    value = y @ alpha / 2 + np.log(np.diag(L)).sum() + pairs.n / 2 * math.log(2 * math.pi)  # 2.30

    # Eq. 5.9. A pair stands for two entries of K, and dr2 / dlog l = -2 D / l^2.
    outer = inverse[pairs.i, pairs.j] - alpha[pairs.i] * alpha[pairs.j]
    by_length = -2 * ((outer * matern_slope(r2)) @ pairs.D) * weights
    # The derivative of K by v is W W^T, a wave each; dv / dlog of the effects' variance is v.
    symmetric = inverse + np.tril(inverse, -1).T
    by_v = (np.einsum("nw,nw->w", pairs.W, symmetric @ pairs.W) - (alpha @ pairs.W) ** 2) / 2
    by_scale = pairs.effects.by_scale(by_v * slope_v)
    slope = np.append(by_length + by_scale, np.zeros(3))
    slope[STRETCH] = by_scale.sum()
    slope[NOISE] = (np.trace(inverse) - alpha @ alpha) * noise / 2
    slope[EFFECTS] = by_v @ v
    penalty, slope_penalty = negative_log_prior(theta)
    return float(value + penalty), slope + slope_penalty


def lengths(theta: Array) -> Array:
    """Return the logs of the length scales, (d,), or what else an array has for each of them."""
    return theta[:STRETCH]


def negative_log_prior(theta: Array) -> tuple[float, Array]:
    """Return minus the log prior density of theta, up to a constant, and its gradient.

    Length scales have lognormal densities, not their logarithms, hence the term `+ log l`; the
    location of log l grows with log(d) / 2, as distances in the cube do. The logs of the others
    have mixtures.
    """
    log_l = lengths(theta)
    location = LENGTH_PRIOR[0] + math.log(max(len(log_l), 1)) / 2
    z = (log_l - location) / LENGTH_PRIOR[1]
    value, slope = np.sum(z**2 / 2 + log_l), np.append(z / LENGTH_PRIOR[1] + 1, np.zeros(3))
    for number, prior, bounds, share in (
        (STRETCH, STRETCH_PRIOR, STRETCHES, SUMS),
        (NOISE, NOISE_PRIOR, NOISES, NOISY),
        (EFFECTS, SINGLES_PRIOR, SINGLES, SUMS),
    ):
        own, slope[number] = negative_log_mixture(theta[number], prior, bounds, share)
        value += own
    return float(value), slope


def negative_log_mixture(
    log_value: float, prior: tuple[float, float], bounds: tuple[float, float], share: float
) -> tuple[float, float]:
    """Return minus the log density of a log that is normal or, in a share of searches, uniform.

    The normal alone is a ban on what is rare. Noise in the scores was then taken for detail: length
    scales became short, and some searches were lost. So were sums of bumps, one a parameter.

    Parameters
    ----------
    log_value : float
        The log of a hyperparameter.
    prior : (float, float)
        Mean and standard deviation of the normal.
    bounds : (float, float)
        Least and greatest value of the hyperparameter itself, not of its log.
    share : float
        The weight of the uniform.

    Returns
    -------
    float, float
        Minus the log density, and its derivative.
    """
    mean, scale = prior
    z = (log_value - mean) / scale
    normal = (1 - share) * math.exp(-(z**2) / 2) / (scale * math.sqrt(2 * math.pi))
    density = normal + share / math.log(bounds[1] / bounds[0])
    return -math.log(density), normal / density * z / scale


def default_theta(d: int) -> Array:
    """Return hyperparameters that are likely before any score: length scales, stretch at the mode.

    Noise and effects are above theirs, so that a search from here sees what either explains.
    """
    length_scale = min(max(0.2 * math.sqrt(d), 0.1), 3.0)
    theta: Array = np.log(np.append(np.full(d, length_scale), [1.0, 0.01, 0.5]))
    return theta


def shortened(theta: Array, by: Array | float) -> Array:
    """Return theta with log length scales less by so much: a process less sure of what it is."""
    return np.append(lengths(theta) - by, theta[STRETCH:])


def fit(X: Array, group: Index, y: Array, own_noise: Array | float = 0.0) -> Array:
    """Return the theta of greatest posterior density that a search from the default finds."""
    d = int(group[-1]) + 1
    pairs, start = Pairs.of(X, group), default_theta(d)
    bounds = np.log([LENGTH_SCALES] * d + [STRETCHES, NOISES, SINGLES])
    try:
        found = minimize(
            negative_log_posterior,
            start,
            args=(pairs, y, own_noise),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 50, "gtol": 1e-2, "ftol": 1e-6},
        )
    except np.linalg.LinAlgError:
        return start
    return np.clip(found.x, *bounds.T) if np.isfinite(found.x).all() else start


def deviations(
    theta: Array, X: Array, group: Index, y: Array, own_noise: Array | float = 0.0
) -> Array:
    """Return the posterior standard deviation of each log length scale, (d,); at most the prior's.

    By Laplace's approximation: the inverse of the Hessian of minus the log posterior at theta, its
    mode, from differences of the gradient.
    """
    pairs, step = Pairs.of(X, group), 0.2
    above, below = (
        np.array(
            [
                negative_log_posterior(theta + sign * row, pairs, y, own_noise)[1]
                for row in step * np.eye(len(theta))
            ]
        )
        for sign in (1, -1)
    )
    hessian = (above - below) / (2 * step)
    curvatures, directions = np.linalg.eigh((hessian + hessian.T) / 2)
    variances = directions**2 @ (1 / np.maximum(curvatures, LENGTH_PRIOR[1] ** -2))
    found: Array = np.sqrt(lengths(variances))
    return found


# --- prediction -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Posterior:
    """The process given scores: a mean and a variance everywhere."""

    scales: Array  # length scale of each feature, (f,)
    X: Array  # divided by the scales, (n, f)
    waves: Waves
    v: Array
    Wv: Array  # waves at X times v, (n, w)
    root: Array  # the inverse of L, (n, n)
    alpha: Array

    @classmethod
    def of(
        cls, X: Array, group: Index, y: Array, theta: Array, own_noise: Array | float = 0.0
    ) -> Posterior:
        scales, (waves, v) = np.exp(theta[group]), Effects.of(group).sifted(theta)
        W = waves.at(X)
        X, Wv = X / scales, W * v
        K = matern(squared_distances(X, X)) + Wv @ W.T
        K[np.diag_indices(len(X))] += math.exp(theta[NOISE]) + own_noise
        L = cholesky(K)
        root = lapack.dtrtri(L, lower=1)[0] if len(L) else L
        return cls(scales, X, waves, v, Wv, root, root.T @ (root @ y))

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Return the mean and the variance at x, both (m,)."""
        mean, variance = np.empty(len(x)), np.empty(len(x))
        for start in range(0, len(x), BLOCK):
            rows = slice(start, start + BLOCK)
            at = self.at(x[rows])
            mean[rows], variance[rows] = at.mean, at.variance
        return mean, variance

    def mean(self, x: Array) -> Array:
        """Return the mean alone, which takes far less than the variance: O(m n), not O(m n^2)."""
        mean: Array = self._covariance(x)[2] @ self.alpha  # 2.25
        return mean

    def _covariance(self, x: Array) -> tuple[Array, Array, Array]:
        """Return waves at x, squared distances from x to X, and k."""
        W = self.waves.at(x)
        r2 = squared_distances(x / self.scales, self.X)
        return W, r2, matern(r2) + W @ self.Wv.T

    def at(self, x: Array) -> Prediction:
        """Return what is predicted at x."""
        W, r2, k = self._covariance(x)
        u = blas.dtrmm(1.0, self.root, k.T, lower=1).T  # the root is a triangle: half the work
        mean = k @ self.alpha  # 2.25
        prior = 1 + W**2 @ self.v
        # Eq. 2.26; rounding may leave less than nothing at a point that was scored.
        variance = np.maximum(prior - np.einsum("ij,ij->i", u, u), 1e-12)
        return Prediction(self, x, W, r2, u, mean, variance)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Mean and variance at x, and what their gradients take."""

    posterior: Posterior
    x: Array
    W: Array  # (m, w)
    r2: Array  # (m, n)
    u: Array  # the solution of L u^T = k^T, (m, n)
    mean: Array
    variance: Array

    def slopes(self, by_mean: Array, by_variance: Array) -> Array:
        """Return the gradient by x, (m, f), of functions of mean and variance.

        Parameters
        ----------
        by_mean, by_variance : arrays of shape (m,)
            Their derivatives by the mean and by the variance.
        """
        given = self.posterior
        # d mean = dk alpha, and d variance = d prior - 2 dk K^-1 k^T: sums over dk, but for the
        # prior variance, 1 + W diag(v) W^T, which depends on x by its waves alone.
        by_k = np.outer(by_mean, given.alpha)
        by_k -= 2 * by_variance[:, None] * (self.u @ given.root)
        by_W = by_k @ given.Wv + 2 * by_variance[:, None] * self.W * given.v
        # The derivative of the Matern covariance by x is 2 slope(r2) (x - X) / scales.
        w = 2 * matern_slope(self.r2) * by_k
        joint = (w.sum(axis=1)[:, None] * (self.x / given.scales) - w @ given.X) / given.scales
        slopes: Array = joint + given.waves.slopes(self.x, by_W)
        return slopes


def squared_distances(a: Array, b: Array) -> Array:
    """Return the squared Euclidean distances of rows of a and b."""
    a2, b2 = np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)
    r2: Array = a @ (-2 * b.T)
    r2 += a2[:, None]
    r2 += b2
    return np.maximum(r2, 0.0, out=r2)


def cholesky(K: Array) -> Array:
    """Return the lower Cholesky factor of K, with as little added to the diagonal as it takes.

    Raises
    ------
    LinAlgError
        If no amount tried makes K positive definite.
    """
    if not len(K):
        return K  # LAPACK refuses nothing at all
    diagonal = np.diag_indices(len(K))
    for jitter in JITTERS:
        padded = K.copy()
        padded[diagonal] += jitter
        L: Array
        L, failed = lapack.dpotrf(padded, lower=1, clean=1)
        if not failed:
            return L
    raise np.linalg.LinAlgError("The covariance matrix is not positive definite.")


def solve(L: Array, y: Array) -> Array:
    """Return the solution of L L^T x = y."""
    x: Array
    x, _ = lapack.dpotrs(L, y, lower=1)
    return x
