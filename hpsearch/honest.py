"""How sure a search's answer is: corrections of its best score, and tests between candidates.

S         scores, (c, k): candidates by splits, greater is better
best      the candidate of greatest mean score, as the search picked it

The greatest of many noisy means is too good: it was picked for its noise too. Four corrections:
two from the scores of the splits alone (a bootstrap of them; Tibshirani & Tibshirani, 2009), two
from out-of-fold predictions of the candidates (a bootstrap of the optimism, Efron, 1983; bootstrap
bias-corrected cross-validation, Tsamardinos, Greasidou & Borboudakis, 2018).
`benchmarks/honest.py` measures them. Splits share training rows, so that the variance of their
scores tells too little; Nadeau & Bengio (2003) correct for it.

Sources
-------
Nadeau & Bengio, Inference for the Generalization Error, Machine Learning 52, 2003.
Efron, Estimating the Error Rate of a Prediction Rule: Improvement on Cross-Validation, JASA 78,
1983.
Tibshirani & Tibshirani, A Bias Correction for the Minimum Error Rate in Cross-Validation, Annals of
Applied Statistics 3, 2009.
Tsamardinos, Greasidou & Borboudakis, Bootstrapping the Out-of-sample Predictions for Efficient and
Accurate Cross-Validation, Machine Learning 107, 2018.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
LEVEL = 0.95  # of intervals; ties are what a test at 1 - LEVEL does not tell apart
N_BOOTSTRAPS = 500
ROUNDING = 1e-12  # of a score; a smaller difference is none
Method = Literal["rows", "bootstrap", "splits", "tibshirani"]


@dataclass(frozen=True)
class Honest:
    """A best score, corrected.

    Attributes
    ----------
    score : float
        What new rows should be expected to give.
    optimism : float
        By how much the best score of the search is too good.
    low, high : float
        An interval about `score` that should hold the truth at the level 0.95. It ends at 1 where
        all scores lie between 0 and 1.
    method : {"rows", "bootstrap", "splits", "tibshirani"}
        By out-of-fold predictions, whose rows are drawn again ("bootstrap" as in Tsamardinos et
        al., 2018), or by the scores of the splits: drawn again, or as in Tibshirani & Tibshirani
        (2009).
    """

    score: float
    optimism: float
    low: float
    high: float
    method: Method


def unit_of(values: Array) -> float:
    """Return the power of two below the greatest of them in size.

    Divided by it they keep all their digits, and can be squared without overflow or underflow.

    Examples
    --------
    >>> unit_of(np.array([0.7, -5.0])), unit_of(np.array([0.0]))
    (4.0, 0.5)
    """
    return math.ldexp(0.5, math.frexp(float(np.abs(values).max()))[1])


def error_of_mean(scores: Array, test_share: float) -> float:
    """Return the standard error of a mean over splits, by Nadeau & Bengio (2003), eq. 11.

    Parameters
    ----------
    scores : ndarray of shape (k,)
        Scores, or differences of scores, of the splits.
    test_share : float
        Test rows for each training row of a split: 1 / (k - 1) in cross-validation.

    Returns
    -------
    error : float
        NaN for fewer than two splits.

    Examples
    --------
    >>> round(error_of_mean(np.array([0.90, 0.92, 0.94]), test_share=0.5), 6)
    0.018257
    """
    k = len(scores)
    if k < 2:
        return math.nan
    unit = unit_of(scores)
    return unit * math.sqrt((1 / k + test_share) * float(np.var(scores / unit, ddof=1)))


def corrected_p_value(a: Array, b: Array, test_share: float) -> float:
    """Return the p-value of two candidates' scores being equally good in truth, two-sided.

    The corrected resampled t-test of Nadeau & Bengio (2003).

    Parameters
    ----------
    a, b : ndarray of shape (k,)
        Scores on the same splits.
    test_share : float
        See `error_of_mean`.

    Returns
    -------
    p : float
        1 where the scores are the same; NaN for fewer than two splits. Where they differ by the
        same amount on each split, which says nothing of their variance, it is that of a sign test.

    Examples
    --------
    >>> a, b = np.array([0.9, 0.8, 0.9, 0.8]), np.array([0.8, 0.8, 0.8, 0.7])
    >>> round(corrected_p_value(a, b, test_share=1 / 3), 3)
    0.144
    """
    d = np.asarray(a) - np.asarray(b)
    rounding = ROUNDING * float(np.max(np.abs([a, b])))
    error = error_of_mean(d, test_share)
    if math.isnan(error):
        return math.nan
    if error <= rounding:
        return 1.0 if abs(d.mean()) <= rounding else 2.0 ** (1 - len(d))
    return float(2 * stats.t.sf(abs(d.mean()) / error, df=len(d) - 1))


def tibshirani(S: Array, best: int, test_share: float) -> Honest:
    """Correct the best score by the scores of the splits (Tibshirani & Tibshirani, 2009).

    On each split, how much better the best of that split does than the best of all: the mean of
    this over the splits is the optimism. It tends to be too much where candidates are many, for
    single splits are noisier than their mean.

    Parameters
    ----------
    S : ndarray of shape (c, k)
        Scores of the candidates that have all; without NaN.
    best : int
        The row of the candidate that was picked.
    test_share : float
        See `error_of_mean`.

    Examples
    --------
    >>> S = np.array([[0.9, 0.7, 0.8], [0.8, 0.8, 0.7]])
    >>> found = tibshirani(S, best=0, test_share=0.5)
    >>> round(found.optimism, 4), round(found.score, 4)
    (0.0333, 0.7667)
    """
    optimism = float(np.mean(S.max(axis=0) - S[best]))
    return _about(S[best], optimism, test_share, "tibshirani")


def resampled_splits(S: Array, best: int, test_share: float) -> Honest:
    """Correct the best score by drawing the means of all candidates again.

    A parametric bootstrap (Efron, 1983, for a rule of choice): the means vary as the scores of the
    splits say, candidates together; each time the best is chosen anew, and the optimism is how
    much luck the chosen one had on average.

    Parameters
    ----------
    S, best, test_share :
        See `tibshirani`.

    Examples
    --------
    >>> S = np.array([[0.9, 0.7, 0.8], [0.8, 0.8, 0.7]])
    >>> 0 < resampled_splits(S, best=0, test_share=0.5).optimism < 0.0333
    True
    """
    k = S.shape[1]
    if k < 2:
        return _about(S[best], 0.0, test_share, "splits")
    means = S.mean(axis=1)
    noise = S - means[:, None]
    noise -= noise.mean(axis=0)  # what a split does to all of them changes no choice
    draws = np.random.default_rng(0).normal(size=(N_BOOTSTRAPS, k))
    luck = draws @ noise.T / math.sqrt(k * (k - 1))
    chosen = np.argmax(means + luck, axis=1)
    optimism = float(luck[np.arange(N_BOOTSTRAPS), chosen].mean())
    return _about(S[best], max(optimism, 0.0), test_share, "splits")


def _about(scores: Array, optimism: float, test_share: float, method: Method) -> Honest:
    """The interval of a mean over splits, moved by the optimism."""
    k, score = len(scores), float(scores.mean()) - optimism
    error = error_of_mean(scores, test_share)
    half = error * stats.t.ppf((1 + LEVEL) / 2, df=k - 1) if k > 1 else math.nan
    high = _ended(score + half, scores)
    return Honest(score, optimism, float(score - half), float(high), method)


def _ended(high: float, scores: Array) -> float:
    """The upper end of an interval; where all scores are shares, as accuracies are, at most 1."""
    is_share = bool(((scores >= 0) & (scores <= 1)).all())
    return min(high, 1.0) if is_share else high


def bootstrapped(
    measure: Callable[[Array], Array], n_rows: int, best: int, best_score: float
) -> Honest:
    """Correct the best score by out-of-fold predictions (Tsamardinos et al., 2018: BBC-CV).

    Rows are drawn with replacement; the candidate that is best on those drawn is scored on those
    left out, which had no part in its choice.

    Parameters
    ----------
    measure : callable
        Takes weights of the rows, (b, n), whole numbers; returns the scores of all candidates on
        the rows so weighted, (b, c); NaN where a score is undefined.
    n_rows : int
        Rows that were predicted.
    best : int
        The candidate that was picked.
    best_score : float
        Its score in the search.

    Examples
    --------
    >>> right = np.random.default_rng(0).random((40, 100)) < 0.5  # 40 coins guess 100 rows
    >>> def accuracy(weights):
    ...     return weights @ right.T / weights.sum(axis=1, keepdims=True)
    >>> best = int(right.mean(axis=1).argmax())
    >>> found = bootstrapped(accuracy, 100, best, right[best].mean())
    >>> bool(right[best].mean() > 0.65), bool(found.optimism > 0.05)
    (True, True)
    """
    drawn = _drawn(n_rows)
    whole = float(measure(np.ones((1, n_rows)))[0, best])
    inside, outside = measure(drawn), measure((drawn == 0).astype(float))
    chosen = np.argmax(np.nan_to_num(inside, nan=-np.inf), axis=1)
    scores = outside[np.arange(N_BOOTSTRAPS), chosen]
    scores = scores[np.isfinite(scores)]
    optimism = float(whole - scores.mean())
    # Of all rows at once a score may differ from the mean of the splits (AUC, R2): go by changes.
    low, high = np.quantile(scores, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) - whole + best_score
    high = _ended(float(high), scores)
    return Honest(float(best_score) - optimism, optimism, float(low), high, "bootstrap")


def resampled_rows(
    measure: Callable[[Array], Array],
    n_rows: int,
    best: int,
    best_score: float,
    stretch: float = 1.0,
) -> Honest:
    """Correct the best score by drawing the rows of out-of-fold predictions again.

    Efron's (1983) bootstrap of the optimism: each time the best candidate on the rows drawn is
    chosen, and the optimism is how much better it does on them than on all rows, on average.
    Less careful than `bootstrapped`, where a candidate is chosen by two thirds of the rows.

    Parameters
    ----------
    measure, n_rows, best, best_score :
        See `bootstrapped`.
    stretch : float, default=1.0
        How much wider the interval is than the rows that were drawn say: see `stretch_of`.

    Examples
    --------
    >>> right = np.random.default_rng(0).random((40, 100)) < 0.5  # 40 coins guess 100 rows
    >>> def accuracy(weights):
    ...     return weights @ right.T / weights.sum(axis=1, keepdims=True)
    >>> best = int(right.mean(axis=1).argmax())
    >>> found = resampled_rows(accuracy, 100, best, right[best].mean())
    >>> bool(found.optimism > 0.03)
    True
    """
    drawn = _drawn(n_rows)
    whole, inside = measure(np.ones((1, n_rows)))[0], measure(drawn)
    chosen = np.argmax(np.nan_to_num(inside, nan=-np.inf), axis=1)
    luck = inside[np.arange(len(drawn)), chosen] - whole[chosen]
    optimism = max(float(np.nanmean(luck)), 0.0)
    score = float(best_score) - optimism
    # How the best itself varies with the rows.
    low, high = np.nanquantile(inside[:, best], [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) - whole[best]
    low, high = float(score + stretch * low), float(score + stretch * high)
    return Honest(score, optimism, low, _ended(high, whole), "rows")


def stretch_of(n_splits: int, test_share: float) -> float:
    """Return by how much an interval is to be wider than the rows predicted alone say.

    They tell how a score varies with the rows it is measured on, and not with those that a model
    was fitted to. Nadeau & Bengio (2003) have the variance of both as 1 / k + `test_share` to the
    first one's 1 / k. `benchmarks/honest.py` measures what that gives.

    Examples
    --------
    >>> stretch_of(n_splits=5, test_share=1 / 4)
    1.5
    """
    return math.sqrt(1 + n_splits * test_share)


def _drawn(n_rows: int) -> Array:
    """How often each row is drawn, (b, n)."""
    rng = np.random.default_rng(0)
    return rng.multinomial(n_rows, np.full(n_rows, 1 / n_rows), N_BOOTSTRAPS).astype(float)
