"""How sure a best score is: corrections and tests, against closed forms and simulations."""

import itertools

import numpy as np
import pytest
from scipy import stats

from hpsearch.honest import (
    bootstrapped,
    corrected_p_value,
    error_of_mean,
    resampled_rows,
    resampled_splits,
    stretch_of,
    tibshirani,
)

FIVE_FOLDS = 1 / 4  # test rows for a training row


def test_error_by_the_formula():
    """Nadeau & Bengio (2003), eq. 11: (1 / k + n_test / n_train) s^2."""
    scores = np.array([0.81, 0.85, 0.79, 0.9, 0.83])
    expected = (1 / 5 + 20 / 80) * scores.var(ddof=1)
    assert error_of_mean(scores, 20 / 80) == pytest.approx(np.sqrt(expected))
    assert np.isnan(error_of_mean(scores[:1], 0.25))


def test_p_value_is_that_of_a_paired_t_test_but_for_the_correction():
    """Without shared rows it is scipy's paired t-test."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.8, 0.02, 10), rng.normal(0.79, 0.02, 10)
    assert corrected_p_value(a, b, 0.0) == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert corrected_p_value(a, b, 1 / 9) > corrected_p_value(a, b, 0.0)


def test_p_value_without_variance():
    """The same scores are tied, rounding is no difference, and luck has many ways to be alike."""
    a = np.array([0.9, 0.8, 0.7])
    assert corrected_p_value(a, a, 0.5) == 1.0
    assert corrected_p_value(a, a - 0.1, 0.5) == stats.binomtest(3, 3).pvalue
    assert corrected_p_value(a, (a / 3) * 3, 0.5) == 1.0
    assert np.isnan(corrected_p_value(a[:1], a[1:2], 0.5))


def test_the_corrected_test_keeps_its_level():
    """Equal candidates in ten-fold cross-validation: few rejections, where a plain test has many.

    Means of the differences have the correlation n_test / (n_test + n_train) that Nadeau & Bengio
    assume; 2000 simulated pairs.
    """
    rng = np.random.default_rng(0)
    k, rho = 10, 0.1
    shared = rng.normal(size=(2000, 1)) * np.sqrt(rho)
    d = shared + rng.normal(size=(2000, k)) * np.sqrt(1 - rho)
    rejected = [np.mean([corrected_p_value(x, 0 * x, s) < 0.05 for x in d]) for s in (1 / 9, 0.0)]
    assert rejected[0] == pytest.approx(0.05, abs=0.015)
    assert rejected[1] > 0.1


def test_tibshirani_by_brute_force():
    """The mean over the splits of (best of the split - the chosen one there), spelled out."""
    S = np.random.default_rng(1).normal(size=(6, 4))
    best = int(S.mean(axis=1).argmax())
    expected = sum(max(S[i, j] for i in range(6)) - S[best, j] for j in range(4)) / 4
    found = tibshirani(S, best, FIVE_FOLDS)
    assert found.optimism == pytest.approx(expected)
    assert found.score == pytest.approx(S[best].mean() - expected)
    half = stats.t.ppf(0.975, df=3) * error_of_mean(S[best], FIVE_FOLDS)
    assert (found.high - found.low) / 2 == pytest.approx(half)


def simulated(rng, truths, n_rows=100, k=5):
    """Hits of candidates with known accuracies, (c, n); their scores on k splits."""
    hits = rng.random((len(truths), n_rows)) < np.asarray(truths)[:, None]
    return hits, hits.reshape(len(truths), k, -1).mean(axis=2)


def accuracy(hits):
    return lambda w: w @ hits.T / w.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("truths", "least"),
    [([0.7] * 30, 0.05), (list(np.linspace(0.5, 0.8, 30)), 0.01)],
    ids=["all are equal", "some are better"],
)
def test_corrections_are_nearer_to_the_truth(truths, least):
    """Known accuracies, 200 searches: the best score is too good, every correction less so."""
    rng = np.random.default_rng(0)
    errors = {"none": [], "tibshirani": [], "splits": [], "bootstrap": [], "rows": []}
    for _ in range(200):
        hits, S = simulated(rng, truths)
        best = int(S.mean(axis=1).argmax())
        score, truth = S[best].mean(), truths[best]
        errors["none"].append(score - truth)
        errors["tibshirani"].append(tibshirani(S, best, FIVE_FOLDS).score - truth)
        errors["splits"].append(resampled_splits(S, best, FIVE_FOLDS).score - truth)
        found = bootstrapped(accuracy(hits), 100, best, score)
        errors["bootstrap"].append(found.score - truth)
        found = resampled_rows(accuracy(hits), 100, best, score)
        errors["rows"].append(found.score - truth)
    bias = {name: np.mean(e) for name, e in errors.items()}
    mean_error = {name: np.mean(np.abs(e)) for name, e in errors.items()}
    assert bias["none"] > least
    for name in ("splits", "bootstrap", "rows"):
        assert abs(bias[name]) < bias["none"]
        assert mean_error[name] < mean_error["none"]
    assert bias["tibshirani"] < bias["splits"]  # it takes away the most


def test_one_candidate_needs_no_correction():
    """Nothing was chosen, nothing is too good."""
    hits, S = simulated(np.random.default_rng(0), [0.7])
    assert tibshirani(S, 0, FIVE_FOLDS).optimism == 0
    assert resampled_splits(S, 0, FIVE_FOLDS).optimism == pytest.approx(0, abs=1e-12)
    assert abs(bootstrapped(accuracy(hits), 100, 0, S.mean()).optimism) < 0.005


def test_bootstrap_is_the_algorithm_of_the_paper():
    """A loop as it is written there (algorithm 5), with the same draws, gives the same."""
    hits, S = simulated(np.random.default_rng(3), [0.6, 0.65, 0.7], n_rows=40, k=4)
    best = int(S.mean(axis=1).argmax())
    rng = np.random.default_rng(0)
    scores = []
    for weights in rng.multinomial(40, np.full(40, 1 / 40), 500):
        rows = np.repeat(np.arange(40), weights)
        chosen = max(range(3), key=lambda i: (hits[i, rows].mean(), -i))
        left_out = [i for i in range(40) if i not in rows]
        scores.append(hits[chosen, left_out].mean())
    found = bootstrapped(accuracy(hits), 40, best, S[best].mean())
    assert found.score == pytest.approx(np.mean(scores))
    assert found.low == pytest.approx(np.quantile(scores, 0.025))


def test_a_constant_does_not_change_a_correction():
    """Scores in other units give the corrections in those units."""
    _, S = simulated(np.random.default_rng(0), [0.6] * 10)
    best = int(S.mean(axis=1).argmax())
    for correct, (a, b) in itertools.product((tibshirani, resampled_splits), [(100, 0), (1, -9)]):
        one, other = correct(S, best, FIVE_FOLDS), correct(a * S + b, best, FIVE_FOLDS)
        assert other.score == pytest.approx(a * one.score + b)
        assert other.optimism == pytest.approx(a * one.optimism)


@pytest.mark.parametrize("unit", [1.0, 100.0])
def test_intervals_of_shares_end_at_one(unit):
    """An accuracy above 1 is none, whatever the method; a score that may be above it has no end."""
    hits, S = simulated(np.random.default_rng(4), [0.96, 0.97], n_rows=50)
    hits[0, :3], S = False, unit * S
    S[0, 0], best = unit, int(S.mean(axis=1).argmax())
    measure = accuracy(unit * hits)
    found = [tibshirani(S, best, FIVE_FOLDS), resampled_splits(S, best, FIVE_FOLDS)]
    # Folds of other sizes, or another metric: the mean of the splits is not the score of all rows.
    found += [method(measure, 50, best, unit * 0.995) for method in (bootstrapped, resampled_rows)]
    for honest in found:
        assert honest.low < honest.score < honest.high
        assert (honest.high == 1) if unit == 1 else (honest.high > unit), honest.method


def test_interval_of_rows_tells_of_the_models_too():
    """As much wider than the rows alone as Nadeau & Bengio (2003) have it; it ends at 1."""
    hits, S = simulated(np.random.default_rng(0), [0.7] * 5)
    plain = resampled_rows(accuracy(hits), 100, 0, S[0].mean())
    wide = resampled_rows(accuracy(hits), 100, 0, S[0].mean(), stretch_of(5, FIVE_FOLDS))
    assert wide.score == plain.score
    assert (wide.high - wide.low) / (plain.high - plain.low) == pytest.approx(1.5)
    sure, S = simulated(np.random.default_rng(0), [0.97] * 5)
    assert resampled_rows(accuracy(sure), 100, 0, S[0].mean(), 9.0).high == 1
