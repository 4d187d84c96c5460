"""Effects of single parameters: the part of a score that is a sum, a term a parameter.

What parameters do to a score is mostly a sum of what each does alone. A covariance that is the sum
of one for each parameter learns such a score from few points, where the joint one (`_gaussian`)
has to see every corner of the cube.

A Matern process (nu = 5/2) on an interval is nearly a sum of cosines whose amplitudes are
independent, with the spectral density at each frequency as variance. So the covariance of all
effects is W diag(v) W^T with few waves. The effect of an unordered parameter is one amplitude for
each of its values.

x       features, (m, f), and `group` of them, as in `_gaussian`
W       waves at points, (m, w): cosines of ordered features, those of one frequency together, and 0
        or 1 for values of unordered ones
v       variances of the amplitudes, (w,)
theta   logs of hyperparameters, as in `_gaussian`, (d + 3,)

The distances of d coordinates add up, so a joint length scale grows with the root of d; that of one
coordinate's effect does not. Effects have the joint length scales over the root of d, times a
stretch that all share: a score may owe its bumps to single parameters and be smooth in what several
do together, or the reverse.

Sources: Duvenaud, Nickisch & Rasmussen, Additive Gaussian Processes (2011); Solin & Sarkka, Hilbert
Space Methods for Reduced-Rank Gaussian Process Regression (2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]

N_WAVES = 20  # for each ordered feature; the shortest is 0.15 long
MARGIN = 0.25  # the cosines' interval goes so far beyond [0, 1], lest effects be flat at its ends
NEGLIGIBLE = 1e-7  # variance of a cosine that is left out; a tenth of the least noise
FREQUENCIES = np.pi / (1 + 2 * MARGIN) * np.arange(N_WAVES + 1)
STRETCH, NOISE, EFFECTS = -3, -2, -1  # where theta has what is not a length scale


@dataclass(frozen=True, eq=False)
class Waves:
    """Which waves there are."""

    ordered: Index  # places of the features of ordered parameters, (o,)
    has: NDArray[np.bool_]  # which of them, the first so many, have a frequency: (N_WAVES, o)
    values: Index  # places of the features of values of unordered parameters, (u,)

    def at(self, x: Array) -> Array:
        """Return the waves at x, (m, w)."""
        counts = np.count_nonzero(self.has, axis=1)
        W = np.empty((len(x), counts.sum() + len(self.values)))
        # cos((k + 1) a) = 2 cos(a) cos(k a) - cos((k - 1) a): a cosine takes longer than all else.
        first = np.cos((x[:, self.ordered] + MARGIN) * FREQUENCIES[1])
        before, wave, end = np.ones_like(first), first, 0
        for n in counts[counts > 0]:
            before, wave = before[:, :n], wave[:, :n]
            W[:, end : end + n] = wave
            before, wave, end = wave, 2 * first[:, :n] * wave - before, end + n
        W[:, end:] = x[:, self.values] > 0
        return W

    def slopes(self, x: Array, amplitudes: Array) -> Array:
        """Return the gradient at x of the sum of waves of these amplitudes, both (m, ...)."""
        angles = (x[:, None, self.ordered] + MARGIN) * FREQUENCIES[1:, None]
        of_cosines = np.zeros(angles.shape)
        of_cosines[:, self.has] = amplitudes[:, : np.count_nonzero(self.has)]
        slopes = np.zeros(x.shape)
        slopes[:, self.ordered] = -np.einsum(
            "mko,mko,k->mo", of_cosines, np.sin(angles), FREQUENCIES[1:]
        )
        return slopes


@dataclass(frozen=True, eq=False)
class Effects:
    """The effects of parameters, given the groups of their features."""

    waves: Waves
    scales: Index  # the length scale of each feature of the waves, (o + u,), from 0 to d - 1
    d: int

    @classmethod
    def of(cls, group: Index) -> Effects:
        # A parameter with several features is unordered: one feature for each value.
        alone = np.bincount(group)[group] == 1
        ordered, values = np.flatnonzero(alone), np.flatnonzero(~alone)
        waves = Waves(ordered, np.ones((N_WAVES, len(ordered)), dtype=bool), values)
        return cls(waves, group[np.append(ordered, values)], int(group[-1]) + 1)

    def variances(self, theta: Array) -> tuple[Array, Array]:
        """Return v, and its derivative by the log of the length scale that each belongs to."""
        scale = np.exp(theta[self.scales] + theta[STRETCH]) / math.sqrt(self.d)
        n_ordered = len(self.waves.ordered)
        spectrum, slope = spectral(scale[:n_ordered])
        own, own_slope = one_value(scale[n_ordered:])
        share = math.exp(theta[EFFECTS]) / self.d
        v, slopes = np.append(spectrum, own), np.append(slope, own_slope)
        return share * v, share * slopes

    def by_scale(self, of_waves: Array) -> Array:
        """Return the sums of what belongs to each wave over those of a length scale, (d,)."""
        n_ordered = len(self.waves.ordered)
        owners = np.append(np.tile(self.scales[:n_ordered], N_WAVES), self.scales[n_ordered:])
        sums = np.zeros(self.d)
        np.add.at(sums, owners, of_waves)
        return sums

    def sifted(self, theta: Array) -> tuple[Waves, Array]:
        """Return the waves without cosines of next to no variance, and the variances of the rest.

        The greater a frequency, the smaller its variance: each feature keeps its first cosines, and
        features that keep more come first.
        """
        v, _ = self.variances(theta)
        every = self.waves.has
        of_cosines = v[: every.size].reshape(every.shape)
        has = of_cosines > NEGLIGIBLE
        order = np.argsort(-np.count_nonzero(has, axis=0), kind="stable")
        waves = Waves(self.waves.ordered[order], has[:, order], self.waves.values)
        return waves, np.append(of_cosines[:, order][waves.has], v[every.size :])


def spectral(scale: Array) -> tuple[Array, Array]:
    """Return the variances of the cosines, (N_WAVES * o,), and their slopes by log scale.

    A process of a long scale is nearly constant, and the constant, frequency 0, is left out: the
    variance of an effect is that of its change.
    """
    precision = 5 / scale[:, None] ** 2
    log_density = -3 * np.log(precision + FREQUENCIES**2)
    log_slope = 6 * precision / (precision + FREQUENCIES**2)
    v = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    v[:, 0] /= 2  # the mean square of a cosine is 1/2, that of the constant 1
    v *= 2 / v.sum(axis=1, keepdims=True)
    slope = v * (log_slope - (v * log_slope).sum(axis=1, keepdims=True) / 2)
    return v[:, 1:].T.ravel(), slope[:, 1:].T.ravel()


def one_value(scale: Array) -> tuple[Array, Array]:
    """Return the variance of the amplitude of one value, 1 - Matern(1 / scale), and its slope."""
    a = math.sqrt(5) / scale
    decay = np.exp(-a)
    return 1 - (1 + a + a**2 / 3) * decay, -(a**2) / 3 * (1 + a) * decay
