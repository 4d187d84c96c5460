"""The search for the greatest expected improvement."""

import numpy as np
import pytest

from hpsearch.optimizers._acquisition import Acquisition, climb, evolve, mutants, refine, variations
from hpsearch.optimizers._columns import Columns
from hpsearch.optimizers._earlier import Earlier
from hpsearch.optimizers._evidence import Evidence, Hint, Scored
from hpsearch.optimizers.gp import Model
from hpsearch.space import Space

SPACE = [
    {"kind": ["p"], "x": (0.0, 1.0), "y": (0.0, 1.0), "n": (1, 200), "c": ["a", "b", "c"]},
    {"kind": ["q"], "x": (0.0, 1.0), "z": (1e-3, 1e3, "log-uniform")},
]
N, X = 2, 3  # places of their columns: branch, c, n, x, y, z


def draw(columns, n, seed):
    rng = np.random.default_rng(seed)
    shape = n, len(columns)
    return columns.settle(np.full(shape, np.nan), rng.random(shape))


def maximise(model, columns, allowed, rng):
    ranked = evolve(model.value, columns, allowed, model.near, rng)
    return refine(Acquisition(model.value, model.with_slopes), columns, allowed, ranked)


@pytest.fixture
def columns():
    return Columns(Space.of(SPACE))


@pytest.fixture(params=[0, 12], ids=["alone", "after another search"])
def model(columns, request):
    rows = draw(columns, 30, seed=0)
    scores = -((rows[:, X] - 0.4) ** 2) - np.nan_to_num(rows[:, N]) / 5
    earlier = [columns.point(row) for row in draw(columns, request.param, seed=9)]
    hint = Hint.of(columns, Earlier(earlier, np.arange(request.param) / 10), seed=0)
    theta = np.log(np.append(np.full(len(columns), 0.5), [2.0, 1e-3, 0.5]))
    evidence = Evidence.of(columns, Scored.of(rows, scores), hint)
    return Model.of(evidence, theta, draw(columns, 3, seed=1))


def test_slopes_are_those_of_the_value(columns, model):
    """The gradient by rows is that of central differences, 0 for what a branch lacks."""
    rows, step = draw(columns, 8, seed=2), 1e-6
    value, slopes = model.with_slopes(rows)
    np.testing.assert_allclose(value, model.value(rows), rtol=1e-9)
    for j in np.flatnonzero(columns.ordered):
        change = step * (np.arange(len(columns)) == j)
        numeric = (model.value(rows + change) - model.value(rows - change)) / (2 * step)
        has = ~np.isnan(rows[:, j])
        np.testing.assert_allclose(slopes[has, j], numeric[has], rtol=1e-4, atol=1e-5)


def test_climbs_lead_upwards(columns, model):
    """Each climb ends in the space, in its own branch, no lower than it began on the whole."""
    starts = draw(columns, 5, seed=3)
    ends = climb(Acquisition(model.value, model.with_slopes), columns, starts)
    assert model.value(ends).sum() >= model.value(starts).sum()
    np.testing.assert_array_equal(columns.branches(ends), columns.branches(starts))
    np.testing.assert_array_equal(ends, columns.settle(ends, np.full(ends.shape, 0.5)))


def test_best_is_better_than_a_large_sample(columns, model):
    """What is found is at least as good as the best of 20000 random rows."""
    rng = np.random.default_rng(4)
    ranked = maximise(model, columns, lambda rows: rows, rng)
    assert ranked.values[0] >= model.value(draw(columns, 20_000, seed=5)).max() - 1e-6
    assert (np.diff(ranked.values) <= 0).all()


def test_only_what_is_allowed_is_ranked(columns, model):
    """Rows that may not be evaluated are not among the ranked, even if none is left."""
    rng = np.random.default_rng(4)
    ranked = maximise(model, columns, lambda r: r[r[:, X] > 0.9], rng)
    assert len(ranked.rows)
    assert (ranked.rows[:, X] > 0.9).all()
    assert not len(maximise(model, columns, lambda r: r[:0], rng).rows)


def test_mutants_are_rows_of_the_space(columns):
    """Changed rows are settled: in their cells, with what their branch has."""
    rng = np.random.default_rng(6)
    rows = mutants(draw(columns, 4, seed=7), np.full(200, 0.1), columns, rng)
    np.testing.assert_array_equal(rows, columns.settle(rows, np.full(rows.shape, 0.5)))


def test_variations_share_all_but_two_coordinates(columns):
    """Within a branch, one or two coordinates are others; all over the space, and settled."""
    parents = draw(columns, 4, seed=7)
    rows = variations(parents, columns, np.random.default_rng(6))
    np.testing.assert_array_equal(rows, columns.settle(rows, np.full(rows.shape, 0.5)))
    origin = parents[np.arange(len(rows)) % len(parents)]
    stayed = rows[:, 0] == origin[:, 0]
    changed = (np.nan_to_num(rows) != np.nan_to_num(origin)).sum(axis=1)
    assert set(changed[stayed]) == {0, 1, 2}  # a draw may be the value that was there
    assert 0.1 < stayed.mean() < 0.95
    assert np.ptp(rows[stayed][:, X]) > 0.95
