"""What is told of trials that ran in part, against least squares, simulation and brute force."""

import math

import numpy as np
import pytest

from hpsearch.pruners import estimates
from hpsearch.pruners._two_way import TwoWay
from hpsearch.trial import Board, SplitResult, Status, Trial

K = 6


def board_of(table):
    """A board on which each row of scores is a trial's; NaN is a split that was not run."""
    trials = []
    for number, row in enumerate(table):
        ran = np.flatnonzero(np.isfinite(row))
        results = [SplitResult(int(i), scores={"score": float(row[i])}) for i in ran]
        status = Status.COMPLETE if len(ran) == len(row) else Status.PRUNED
        trials.append(Trial(number, {"x": number}, status, results))
    complete = [t for t in trials if t.status is Status.COMPLETE]
    return Board("score", len(table[0]), trials, complete)


def told(table):
    return {trial.number: estimate for trial, estimate in estimates(board_of(table))}


def partly(table, rng, least=1):
    """The first row whole, of the others some splits, from one that differs."""
    table = table.copy()
    for i, row in enumerate(table[1:], 1):
        n = rng.integers(least, len(row))
        row[(i + np.arange(n, len(row))) % len(row)] = np.nan
    return table


def test_exact_where_scores_are_sums():
    """Levels and effects that add up are found whatever was run, from a single complete trial."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(12, 1)) + rng.normal(size=(1, K))
    found = told(partly(table, rng))
    assert [found[i].score for i in range(12)] == pytest.approx(table.mean(axis=1))
    assert found[0].variance == 0
    assert all(found[i].variance > 0 for i in range(1, 12))


def test_effects_are_the_least_squares_solution():
    """Three candidates count in full: the regression on dummy variables, solved by numpy."""
    rng = np.random.default_rng(1)
    table = partly(rng.normal(size=(3, K)), rng, least=3)
    rows, splits = np.nonzero(np.isfinite(table))
    dummies = np.hstack([np.eye(3)[rows], np.eye(K)[splits]])
    solution = np.linalg.lstsq(dummies, table[rows, splits], rcond=None)[0]
    effects = solution[3:] - solution[3:].mean()
    model = TwoWay.of(table)
    assert model.effects == pytest.approx(effects)
    assert model.means == pytest.approx(solution[:3] + solution[3:].mean())
    assert model.variances[0] == 0


@pytest.mark.parametrize("level_spread", [0.3, 2.0])
def test_estimates_are_as_far_off_as_their_variance_says(level_spread):
    """Also where trials that begin badly are dropped, so that the complete ones are the lucky."""
    rng = np.random.default_rng(2)
    z, n_complete = [], []
    for _ in range(150):
        whole = rng.normal(size=(20, 1)) * level_spread + rng.normal(size=(1, K))
        whole = whole + rng.normal(size=whole.shape)
        table = whole.copy()
        for i, row in enumerate(table[1:], 1):
            order = (i + np.arange(K)) % K
            for m in range(1, K):
                if whole[i, order[:m]].mean() < 1.0:  # whatever the effects: it need not be fair
                    row[order[m:]] = np.nan
                    break
        n_complete.append(np.isfinite(table).all(axis=1).sum())
        for i, (score, variance) in told(table).items():
            if variance:
                z.append((score - whole[i].mean()) / math.sqrt(variance))
    assert np.median(n_complete) <= 5
    assert 0.75 < np.sqrt(np.mean(np.square(z))) < 1.15


def test_trials_on_different_splits_are_told_as_uncertain_and_on_one_scale():
    """Before a few are complete, too: what ran an easy split is not better, nor known for sure."""
    effects = np.array([0.0, 0.3, -0.3, 0.1, -0.1, 0.0])
    rng = np.random.default_rng(3)
    levels = np.array([0.5, 0.51, 0.49, 0.5, 0.505, 0.5])
    table = levels[:, None] + effects + rng.normal(0, 0.01, size=(6, K))
    for i in range(1, 6):
        table[i, np.arange(K) != i] = np.nan
    found = told(table)
    assert all(abs(found[i].score - levels[i]) < 0.05 for i in range(6))
    assert all(found[i].variance > 0.001 for i in range(1, 6))


def test_poor_candidates_hardly_count():
    """One that explodes, by split in another way, moves nothing that is told of the others."""
    rng = np.random.default_rng(4)
    table = rng.normal(size=(10, 1)) + rng.normal(size=(1, K)) + rng.normal(0, 0.1, size=(10, K))
    table = partly(table, rng)
    poor = -(10.0 ** rng.uniform(6, 12, size=(2, K)))
    before, after = told(table), told(np.vstack([table, poor]))
    for number, (score, variance) in before.items():
        assert after[number].score == pytest.approx(score, abs=0.1)
        assert after[number].variance <= 10 * variance + 1e-12


def test_splits_that_none_ran_together_are_alike():
    """Nothing tells their effects: scores are taken as they are, and their variance says so."""
    table = np.full((4, 4), np.nan)
    np.fill_diagonal(table, [0.1, 0.2, 0.4, 0.3])
    found = told(table)
    assert [found[i].score for i in range(4)] == pytest.approx([0.1, 0.2, 0.4, 0.3])
    assert all(found[i].variance > 0 for i in range(4))


def test_all_equal():
    """No variance, no division by it."""
    table = np.full((4, 3), 0.5)
    table[2:, 1:] = np.nan
    assert set(told(table).values()) == {(0.5, 0.0)}


def test_not_a_number_is_not_told():
    table = np.array([[0.1, 0.2], [0.3, 0.4]])
    board = board_of(table)
    board.trials[1].results[0] = SplitResult(0, scores={"score": math.nan})
    assert [trial.number for trial, _ in estimates(board)] == [0]
    assert list(estimates(Board("score", 2, []))) == []
