"""GP and TPE: hard histories, and that they learn at all."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import truncnorm

from hpsearch.optimizers import GPOptimizer, RandomOptimizer, TPEOptimizer
from hpsearch.optimizers import _evidence as evidence_module
from hpsearch.optimizers import gp as gp_module
from hpsearch.optimizers._columns import Columns
from hpsearch.optimizers._evidence import Scored, standardised
from hpsearch.optimizers._parzen import Kernels, Parzen
from hpsearch.optimizers.tpe import Divided, candidates, density, sample_of_rest
from hpsearch.space import Space

SPACE = {"x": (-5.0, 10.0), "y": (1e-3, 1e3, "log-uniform"), "c": ["a", "b", "c"], "n": (1, 100)}

learners = pytest.mark.parametrize("cls", [TPEOptimizer, GPOptimizer])


def score_of(params):
    shape = (params["x"] - 3) ** 2 / 10 + (math.log10(params["y"]) + 1) ** 2
    return -shape - (params["c"] != "b") - abs(params["n"] - 70) / 30


def run(optimizer, n, score_of=score_of):
    scores = []
    for _ in range(n):
        params = optimizer.ask()
        scores.append(score_of(params))
        optimizer.tell(params, scores[-1])
    return scores


@learners
def test_beats_random_search(cls):
    """After 40 evaluations the best is well ahead of random search's, on the mean of 5 seeds."""
    ours = np.mean([max(run(cls(SPACE, random_state=seed), 40)) for seed in range(5)])
    random = np.mean([max(run(RandomOptimizer(SPACE, seed), 40)) for seed in range(5)])
    assert ours > random / 2  # scores are negative


@learners
@pytest.mark.parametrize(
    "change",
    [
        lambda score, step: 1.0,
        lambda score, step: math.nan,
        lambda score, step: math.inf if step % 3 else score,
        lambda score, step: -1e300 if step == 7 else score,
        lambda score, step: 1e300 if step == 7 else score,
        lambda score, step: score * 1e-300,
        lambda score, step: 1e308 * (-1) ** step,
        lambda score, step: 1 + 1e-16 * step,
        lambda score, step: score if step % 2 else math.nan,
    ],
    ids=["constant", "nan", "inf", "outlier", "hit", "tiny", "huge", "rounding", "half"],
)
def test_hard_histories(cls, change):
    """Constant, failed, exploding and vanishing scores do not stop a search."""
    optimizer = cls(SPACE, random_state=0)
    for step in range(22):
        params = optimizer.ask()
        optimizer.tell(params, change(score_of(params), step))
    assert len(set(optimizer.history.points)) == 22


@learners
def test_range_of_1e_300(cls):
    """A range that nearly vanishes is searched as any other."""
    optimizer = cls({"x": (0.0, 1e-300), "y": (1e-300, 1e300, "log-uniform")}, random_state=0)
    best = max(run(optimizer, 30, lambda params: -abs(params["x"] * 1e300 - 0.7)))
    assert best > -0.1


@learners
def test_duplicates_told(cls):
    """A point told many times counts once, with its last score."""
    optimizer = cls(SPACE, random_state=0)
    params = optimizer.ask()
    for score in range(20):
        optimizer.tell(params, score)
    run(optimizer, 12)
    assert len(optimizer.history) == 13


@learners
def test_many_scores(cls):
    """A thousand scores are told, and what is asked next is among the best of them."""
    optimizer = cls(SPACE, random_state=0)
    run(RandomOptimizer(SPACE, 1), 1000, lambda p: optimizer.tell(p, score_of(p)) or 0.0)
    told = np.array(optimizer.history.scores)
    assert np.median(run(optimizer, 10)) > np.quantile(told, 0.9)


@learners
def test_failures_are_avoided(cls):
    """Where half of the space fails, the search goes to the other half."""
    optimizer = cls({"x": (0.0, 1.0), "y": (0.0, 1.0)}, random_state=0)
    failed = []
    for _ in range(60):
        params = optimizer.ask()
        failed.append(params["x"] > 0.5)
        optimizer.tell(params, math.nan if failed[-1] else -abs(params["y"] - 0.3))
    assert np.mean(failed[30:]) < 0.35


def best_after_a_plateau(seed):
    """The best of 40 scores where a plateau is wide and what is above it is narrow."""
    steps = [(0.15, 0.0), (0.25, 0.6), (0.38, 1.0), (0.45, 2.0), (1.0, 1.0)]

    def score_of(params):
        return next(score for end, score in steps if params["x"] <= end)

    return max(run(GPOptimizer({"x": (0.0, 1.0)}, random_state=seed), 40, score_of))


def test_pending_points_are_kept_away_from():
    """What waits for its score is not asked for again a hair's breadth away."""
    optimizer = GPOptimizer({"x": (0.0, 1.0), "y": (0.0, 1.0)}, random_state=0)
    for _ in range(6):
        params = optimizer.ask()
        optimizer.tell(params, -((params["x"] - 0.3) ** 2) - (params["y"] - 0.6) ** 2)
    asked = [optimizer.ask() for _ in range(4)]
    points = np.array([[params["x"], params["y"]] for params in asked])
    distances = np.linalg.norm(points[:, None] - points, axis=2)[np.triu_indices(4, 1)]
    assert distances.min() > 0.05


def test_plateaus_are_left(monkeypatch):
    """A model that is sure of a plateau is doubted; one that is believed stays there for ever."""
    assert [best_after_a_plateau(seed) for seed in (3, 6)] == [2.0, 2.0]
    monkeypatch.setattr(gp_module, "MAX_DOUBTS", 0)
    assert [best_after_a_plateau(seed) for seed in (3, 6)] == [1.0, 1.0]


def n_variations(seed):
    """How many of 45 asks share four of six coordinates with an earlier one, bounds left out."""
    optimizer = GPOptimizer({f"x{i}": (0.0, 1.0) for i in range(6)}, random_state=seed)
    asked, found = [], 0
    for _ in range(45):
        params = optimizer.ask()
        point = np.array(list(params.values()))
        inside = (point > 0) & (point < 1)
        found += any(((point == other) & inside).sum() >= 4 for other in asked)
        asked.append(point)
        optimizer.tell(params, -math.log1p(50 * float(np.sum((point - 0.4) ** 2))))
    return found


def test_good_points_are_varied(monkeypatch):
    """A model that is sure of many parameters is doubted about one or two at a time."""
    assert n_variations(0) >= 2
    monkeypatch.setattr(gp_module, "FEW", 6)
    assert n_variations(0) == 0


def test_best_point_is_refined_all_the_same():
    """An optimum is found to a third of a per cent of the range though models are doubted."""

    def score_of(params):
        return -(math.hypot(params["x"] - 0.3, params["y"] - 0.62) ** 2)

    space = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
    best = [max(run(GPOptimizer(space, random_state=seed), 40, score_of)) for seed in range(2)]
    assert min(best) > -(0.003**2)


@learners
def test_many_dimensions(cls):
    """Of 40 parameters of which three matter, these are found: better than random search."""
    space = {f"x{i:02d}": (0.0, 1.0) for i in range(40)}

    def score_of(params):
        return -sum((params[name] - 0.8) ** 2 for name in ("x03", "x17", "x31"))

    best = max(run(cls(space, random_state=0), 60, score_of))
    random = np.mean([max(run(RandomOptimizer(space, s), 60, score_of)) for s in range(5)])
    assert best > random / 2  # scores are negative


@learners
def test_all_categorical(cls):
    """A space of categories too large to be gone through: no column has a gradient to climb."""
    space = {f"c{i}": list("abcdef") for i in range(6)}  # 46,656 points

    def score_of(params):
        return sum(value == wanted for value, wanted in zip(params.values(), "facade", strict=True))

    ours = np.mean([max(run(cls(space, random_state=s), 40, score_of)) for s in range(3)])
    random = np.mean([max(run(RandomOptimizer(space, s), 40, score_of)) for s in range(10)])
    assert ours > random + 0.5


@learners
def test_effects_add_up(cls):
    """A sum over parameters, some without order, is climbed to its top or close to it."""
    space = {f"n{i}": (0, 9) for i in range(4)} | {f"c{i}": list("abcd") for i in range(3)}

    def score_of(params):
        numbers = sum(abs(params[f"n{i}"] - 2 * i) for i in range(4))
        return -numbers / 9 - sum(params[f"c{i}"] != "abc"[i] for i in range(3))

    ours = np.mean([max(run(cls(space, random_state=s), 50, score_of)) for s in range(2)])
    random = np.mean([max(run(RandomOptimizer(space, s), 50, score_of)) for s in range(5)])
    assert ours > random / (4 if cls is GPOptimizer else 1.5)


def test_cache_changes_no_answer(monkeypatch):
    """Hyperparameters kept from the last ask are those that would be learnt anew."""
    kept, fresh = GPOptimizer(SPACE, random_state=0), GPOptimizer(SPACE, random_state=0)
    for _ in range(30):
        fresh.__dict__.pop("_lessons", None)
        fresh.__dict__.pop("_table", None)
        params = kept.ask()
        assert params == fresh.ask()
        kept.tell(params, score_of(params))
        fresh.tell(params, score_of(params))


def test_asks_in_a_row_cost_one_fit(monkeypatch):
    """The process is fitted when scores have come, not when an ask has."""
    fits = []
    fit = evidence_module.fit
    monkeypatch.setattr(evidence_module, "fit", lambda *args: fits.append(1) or fit(*args))
    optimizer = GPOptimizer(SPACE, random_state=0)
    run(optimizer, 10)
    fits.clear()
    for _ in range(4):
        optimizer.ask()
    assert len(fits) == 1


def test_standardised_scores():
    """Mean 0, variance 1, failures as the worst, and a bad tail that leaves the rest apart."""
    y = standardised(np.array([0.8, 0.9, 0.85, np.nan, 0.7, -1e9]))
    assert y.mean() == pytest.approx(0)
    assert y.std() == pytest.approx(1)
    assert y[3] == y[5] == y.min()
    assert y[1] - y[0] > 0.1
    assert not standardised(np.array([0.3, 0.3, np.nan])).any()
    assert not standardised(np.array([0.0, 0.0])).any()
    assert not standardised(np.array([np.nan])).any()


def test_thinned_scores_keep_best_and_latest():
    """Of many scores the model sees the best and the latest."""
    scores = np.random.default_rng(0).permutation(1000).astype(float)
    thin = Scored.of(np.arange(1000.0)[:, None], scores).thinned(300, seed=0)
    assert len(thin.scores) == 300
    assert set(range(900, 1000)) <= set(thin.scores)
    assert set(range(900, 1000)) <= set(thin.rows[:, 0])


def test_parzen_is_the_density_it_says():
    """On one continuous column the mixture is that of truncated normals, from scipy."""
    columns = Columns(Space.of({"x": (0.0, 1.0)})).columns
    centres = np.array([[0.1], [0.5], [0.95]])
    parzen = Parzen.around(Kernels.of(columns), centres, np.array([1.0, 2.0, 1.0]))
    x = np.linspace(0, 1, 11)
    expected = np.zeros(11)
    for centre, width, weight in zip(
        parzen.centres[:, 0], parzen.widths[:, 0], np.exp(parzen.log_weights), strict=True
    ):
        part = truncnorm(-centre / width, (1 - centre) / width, centre, width)
        expected += weight * part.pdf(x)
    ours = parzen.log_density(x[:, None])
    np.testing.assert_allclose(ours - ours[0], np.log(expected / expected[0]), atol=1e-9)
    total, _ = quad(lambda u: np.exp(parzen.log_density(np.array([[u]])))[0], 0, 1)
    assert total == pytest.approx(np.sqrt(2 * np.pi))  # the constant all mixtures share


def test_parzen_masses_of_categories_sum_to_one():
    """On unordered columns the mixture is a distribution, and draws follow it."""
    columns = Columns(Space.of({"c": ["a", "b", "c"], "d": [True, False]})).columns
    rng = np.random.default_rng(0)
    rows = np.array([[1 / 6, 0.25], [1 / 6, 0.75], [5 / 6, 0.25]])
    parzen = Parzen.around(Kernels.of(columns), rows, np.ones(3))
    grid = np.array([[c, d] for c in columns[0].cells for d in columns[1].cells])
    masses = np.exp(parzen.log_density(grid))
    assert masses.sum() == pytest.approx(1)
    drawn = parzen.draw(20_000, rng)
    shares = [(np.abs(drawn - row).max(axis=1) < 1e-9).mean() for row in grid]
    np.testing.assert_allclose(shares, masses, atol=0.01)


def test_parzen_widths_by_hand():
    """Scott's rule, from 0.15 for a single point, never below 0.01; a cell adds its variance."""
    for levels, cell in ((None, 0.0), (5, 1 / 5)):
        dimension = (0.0, 1.0) if levels is None else (1, levels)
        kernels = Kernels.of(Columns(Space.of({"x": dimension})).columns)
        for n, width in ((1, 0.15), (32, 0.075), (10**6, 0.01)):
            parzen = Parzen.around(kernels, np.full((n, 1), 0.5), np.ones(n))
            expected = [np.sqrt(w**2 + cell**2 / 12) for w in (width, 1.0)]
            assert parzen.widths[[0, -1], 0] == pytest.approx(expected)
            assert np.exp(parzen.log_weights[-1]) == pytest.approx(1 / (n + 1))
            assert parzen.centres[-1] == 0.5


def test_parzen_draws_follow_the_density():
    """Also at the ends, beyond which nothing lies, and of cells, which are hit in the middle."""
    columns = Columns(Space.of({"x": (0.0, 1.0), "n": (1, 4)})).columns
    rows = np.array([[0.375, 0.02], [0.625, 0.5], [0.875, 0.99]])  # names are sorted: n, x
    parzen = Parzen.around(Kernels.of(columns), rows, np.array([1.0, 2.0, 3.0]))
    drawn = parzen.draw(40_000, np.random.default_rng(0))
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert sorted(set(drawn[:, 0])) == [0.125, 0.375, 0.625, 0.875]
    x, step = np.linspace(0, 1, 200, endpoint=False) + 1 / 400, 1 / 200
    grid = np.array([[n, at] for n in columns[0].cells for at in x])
    masses = np.exp(parzen.log_density(grid)).reshape(4, 20, 10).sum(axis=2) * step
    found = np.histogram2d(drawn[:, 0], drawn[:, 1], bins=[4, 20], range=[[0, 1], [0, 1]])[0]
    np.testing.assert_allclose(found / len(drawn), masses / masses.sum(), atol=0.01)


def test_densities_of_many_columns_are_finite():
    """Though they are products of hundreds of factors: at a centre, and far from it."""
    kernels = Kernels.of(Columns(Space.of({f"x{i}": (0.0, 1.0) for i in range(500)})).columns)
    parzen = Parzen.around(kernels, np.zeros((1, 500)), np.ones(1))
    assert np.isfinite(parzen.log_density(np.array([[0.0] * 500, [1.0] * 500]))).all()


def test_good_points_and_the_rest_by_hand():
    """The best 15 %, rounded up, 25 at most, the better the heavier; the rest has all others."""
    scores = np.array([0.1, np.nan, 0.9, 0.3, 0.8, 0.2, 0.5, 0.4, np.nan])
    divided = Divided.of(np.arange(9.0)[:, None], scores, np.random.default_rng(0))
    assert divided.good[:, 0].tolist() == [2, 4]
    assert divided.good_weights.tolist() == [1.5, 0.5]
    assert divided.rest[:, 0].tolist() == [0, 1, 3, 5, 6, 7, 8]
    assert divided.rest_weights.tolist() == [1] * 7
    many = np.random.default_rng(0).permutation(400).astype(float)
    divided = Divided.of(many[:, None], many, np.random.default_rng(0))
    assert divided.good[:, 0].tolist() == list(range(399, 374, -1))
    joined = divided.joined(divided, 0.25)
    assert len(joined.good) == len(joined.good_weights) == 50
    assert joined.good_weights[25:] == pytest.approx(divided.good_weights / 4)
    assert joined.rest_weights[len(divided.rest) :] == pytest.approx(divided.rest_weights / 4)


def test_what_is_old_fades():
    """The last 25 of the rest count in full; of thousands a sample keeps its order and weights."""
    rest, weights = sample_of_rest(102, np.array([3, 50]), np.random.default_rng(0))
    assert rest.tolist() == [i for i in range(102) if i not in (3, 50)]
    assert weights[75:].tolist() == [1] * 25
    assert weights[:75] == pytest.approx(np.linspace(1 / 100, 1, 75))
    rest, weights = sample_of_rest(5000, np.array([], dtype=int), np.random.default_rng(0))
    assert len(rest) == len(weights) == 1000
    assert (np.diff(rest) > 0).all()
    old = rest < 4975
    assert weights[old] == pytest.approx(np.linspace(1 / 5000, 1, 4975)[rest[old]])
    assert (weights[~old] == 1).all()


def test_candidates_come_by_the_ratio_of_densities():
    """Of all groups of columns that they have; there are some of each branch."""
    space = Space.of([{"k": ["a"], "x": (0.0, 1.0)}, {"k": ["b"], "x": (0.0, 1.0), "y": (1, 9)}])
    columns, rng = Columns(space), np.random.default_rng(0)
    points = [space.snap(space.point(u)) for u in rng.random((40, space.n_coordinates))]
    scores = np.array([-abs(point.units[1] - 0.3) for point in points])
    divided = Divided.of(columns.rows(points), scores, rng)
    rows, ratio = candidates(columns, divided, rng), np.zeros(64)
    for group in columns.groups:
        kernels = Kernels.of([columns.columns[number] for number in group])
        has = ~np.isnan(rows[:, group[0]])
        good, rest = (
            density(kernels, given[:, group], weights).log_density(rows[has][:, group])
            for given, weights in (
                (divided.good, divided.good_weights),
                (divided.rest, divided.rest_weights),
            )
        )
        ratio[has] += good - rest
    assert (np.diff(ratio) <= 1e-9).all()
    assert len(columns.groups) == 2
    assert set(columns.branches(rows)) == {0, 1}
