"""Expected improvement on the log scale, which has a slope even where improvement is 0 in floats.

mean, variance    of a normal prediction, (m,); greater is better
z                 how far the mean is above the best score, in standard deviations, (m,)

Source: Ament, Daulton, Eriksson, Balandat & Bakshy, Unexpected Improvements to Expected Improvement
(2023).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_ndtr, ndtr

Array = NDArray[np.float64]


def log_expected_improvement(
    mean: Array, variance: Array, best: float
) -> tuple[Array, Array, Array]:
    """Return log expected improvement on best, and its derivatives by mean and variance, (m,)."""
    scale = np.sqrt(variance)
    z = (mean - best) / scale
    value = log_h(z)
    slope = np.exp(log_ndtr(z) - value)  # the derivative of h is the normal distribution function
    return np.log(scale) + value, slope / scale, (1 - slope * z) / (2 * variance)


def log_h(z: Array) -> Array:
    """Return log(pdf(z) + z cdf(z)) of the standard normal, exact in the far tail.

    Left of -1 the two terms cancel: h = pdf (1 - |z| cdf / pdf), whose quotient is a scaled
    complementary error function; far left that cancels too, and h is pdf / z^2 (Ament et al.,
    appendix A).
    """
    log_pdf = -(z**2) / 2 - math.log(2 * math.pi) / 2
    near, far = np.maximum(z, -1.0), np.minimum(np.maximum(z, -1e3), -1.0)
    direct = np.log(np.exp(-(near**2) / 2) / math.sqrt(2 * math.pi) + near * ndtr(near))
    ratio = math.sqrt(math.pi / 2) * -far * erfcx(-far / math.sqrt(2))
    tail = np.where(z > -1e3, np.log1p(-ratio), -2 * np.log(np.maximum(-z, 1.0)))
    return np.where(z > -1.0, direct, log_pdf + tail)
