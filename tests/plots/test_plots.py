"""Pictures: the convention of scikit-learn's displays, what they say, and how they look."""

import itertools
import os
import pickle
import sys
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import loguniform, uniform
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from hpsearch import (
    Categorical,
    ExhaustiveSearchCV,
    GPSearchCV,
    Integer,
    Real,
    SampledSearchCV,
    TPESearchCV,
)
from hpsearch.importance import Importances
from hpsearch.optimizers import GPOptimizer, RandomOptimizer
from hpsearch.outcome import Outcome
from hpsearch.plots import (
    ConvergenceDisplay,
    EffectDisplay,
    FoldsDisplay,
    ImportancesDisplay,
    ParallelCoordinatesDisplay,
    TimelineDisplay,
)
from hpsearch.plots.effect import Slices
from hpsearch.space import Point, Space
from hpsearch.trial import SplitResult, Status, Trial

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 - after the choice of where to draw
from matplotlib.axes import Axes  # noqa: E402 - likewise

REFERENCE = Path(__file__).parent / "reference"
X, Y = load_iris(return_X_y=True)
SPACE = [
    {"svc__kernel": ["rbf"], "svc__C": Real(1e-3, 1e3, log=True), "svc__gamma": Real(0.0, 1.0)},
    {
        "svc__kernel": ["poly"],
        "svc__C": Real(1e-3, 1e3, log=True),
        "svc__degree": Integer(1, 5),
        "svc__weight": [None, "balanced"],
    },
]
DISPLAYS = [
    ConvergenceDisplay,
    FoldsDisplay,
    ImportancesDisplay,
    ParallelCoordinatesDisplay,
    TimelineDisplay,
]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def outcome(n=40):
    """A search that never ran: conditional, mixed, with failures and pruned candidates."""
    rng = np.random.default_rng(0)
    space = Space.of(SPACE)
    trials = []
    for number in range(n):
        params = space.decode(space.snap(space.point(rng.random(space.n_coordinates))))
        score = 0.95 - 0.02 * np.log10(params["svc__C"] / 5) ** 2
        score -= 0.2 * (params.get("svc__gamma", 0.5) - 0.3) ** 2
        scores = score + 0.01 * rng.normal(size=5)
        status = {7: Status.FAILED, 20: Status.CRASHED, 9: Status.PRUNED}.get(number)
        splits = range(2 if status is Status.PRUNED else 5)
        results = [
            SplitResult(
                split,
                1.0,
                {"score": float(scores[split])},
                {
                    "fit_time": 1.0,
                    "score_time": 0.1,
                    "worker": f"w{split % 2}",
                    "span": [2.5 * number + split // 2, 2.5 * number + split // 2 + 0.9],
                },
            )
            for split in splits
            if status is None or not status.is_failure
        ]
        trials.append(Trial(number, params, status or Status.COMPLETE, results))
    return Outcome(
        "GPSearchCV of SVC", SVC(), "score", trials, [(80, 20)] * 5, space, None, None, False
    )


class Fitted:
    """Stands for a fitted search."""

    def __init__(self, outcome):
        self._given = outcome

    def _outcome(self):
        return self._given


class Guided(Fitted):
    """By a Gaussian process."""

    def _outcome(self):
        return replace(self._given, by_process=True)


PICTURES = {
    "convergence": lambda ax: ConvergenceDisplay.from_search(Fitted(outcome()), ax=ax),
    "effect": lambda ax: EffectDisplay.from_search(Guided(outcome()), "C", ax=ax),
    "effect_of_degree": lambda ax: EffectDisplay.from_search(Fitted(outcome()), "degree", ax=ax),
    "effect_of_two": lambda ax: EffectDisplay.from_search(Guided(outcome()), ["C", "gamma"], ax=ax),
    "folds": lambda ax: FoldsDisplay.from_search(Fitted(outcome()), top=8, ax=ax),
    "importances": lambda ax: ImportancesDisplay.from_search(Fitted(outcome()), ax=ax),
    "parallel": lambda ax: ParallelCoordinatesDisplay.from_search(Fitted(outcome()), ax=ax),
    "timeline": lambda ax: TimelineDisplay.from_search(Fitted(outcome(8)), ax=ax),
}


def pixels(figure):
    """Grey values of a figure in blocks of 8 by 8 pixels: fonts may differ, shapes may not."""
    figure.canvas.draw()
    grey = np.asarray(figure.canvas.buffer_rgba())[..., :3].mean(axis=2) / 255
    h, w = (n // 8 for n in grey.shape)
    return grey[: 8 * h, : 8 * w].reshape(h, 8, w, 8).mean(axis=(1, 3))


@pytest.mark.parametrize("name", PICTURES)
def test_looks_as_it_did(name):
    """Against a small picture that was looked at; HPSEARCH_REFERENCE=write makes new ones."""
    with mpl.rc_context(mpl.rcParamsDefault), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure, ax = plt.subplots(figsize=(4.8, 3.2), dpi=80, layout="constrained")
        display = PICTURES[name](ax)
        assert display.ax_ is ax
        assert display.figure_ is figure
        found = pixels(figure)
    path = REFERENCE / f"{name}.png"
    if os.environ.get("HPSEARCH_REFERENCE") == "write":
        plt.imsave(path, np.repeat(found[..., None], 3, axis=2))
        figure.savefig(REFERENCE.parent / f"{name}.full.png")
    expected = plt.imread(path)[..., 0]
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 0.02


def test_the_comparison_can_fail():
    """Two different pictures are told apart by it."""
    convergence, timeline = (
        plt.imread(REFERENCE / f"{n}.png")[..., 0] for n in ("convergence", "timeline")
    )
    assert np.abs(convergence - timeline).mean() > 0.04


SEARCHES = {
    "grid": lambda: ExhaustiveSearchCV(
        SVC(), {"C": [0.1, 1, 10], "kernel": ["rbf", "poly"], "shrinking": [True, False]}, cv=3
    ),
    "sampled": lambda: SampledSearchCV(
        SVC(), {"C": Real(0.01, 100, log=True)}, n_iter=12, cv=3, random_state=0
    ),
    "process": lambda: GPSearchCV(
        SVC(),
        [
            {"kernel": ["rbf"], "C": (0.01, 100.0, "log-uniform"), "gamma": (0.01, 1.0)},
            {"kernel": ["poly"], "degree": (1, 4), "class_weight": [None, "balanced", {1: 2.0}]},
        ],
        n_iter=15,
        cv=3,
        random_state=0,
        n_jobs=2,
    ),
    "parzen": lambda: TPESearchCV(
        SVC(), {"C": (0.01, 10.0), "tol": [1e-4, 1e-3, 1e-2]}, n_iter=12, cv=3, random_state=0
    ),
}


@pytest.fixture(scope="module", params=SEARCHES)
def search(request):
    return SEARCHES[request.param]().fit(X, Y)


@pytest.mark.parametrize("cls", DISPLAYS)
def test_convention(search, cls):
    """`from_search` draws on new axes or the given ones, `plot` draws again."""
    display = cls.from_search(search)
    assert display.figure_ is display.ax_.figure
    _, ax = plt.subplots()
    assert display.plot(ax=ax) is display
    assert display.ax_ is ax
    assert cls.from_search(search, ax=ax).ax_ is ax


def test_effects_of_every_parameter(search):
    """Of each class, kind of parameter and branch; alone and with another one."""
    moved = {n for b in search._space().branches for n, d in b.items() if d.levels != 1}
    for name in moved:
        assert EffectDisplay.from_search(search, name).ax_.get_xlabel() == name
    together = [
        pair
        for pair in [("C", "gamma"), ("C", "kernel"), ("C", "tol"), ("degree", "class_weight")]
        if set(pair) <= moved
    ]
    for pair in together:
        ax = EffectDisplay.from_search(search, pair).ax_
        assert (ax.get_xlabel(), ax.get_ylabel()) == pair


def test_convergence_shows_the_numbers():
    """The line is the running maximum of the scores, and what failed is counted."""
    drawn = ConvergenceDisplay.from_search(Fitted(outcome()))
    best = next(line for line in drawn.ax_.lines if line.get_label() == "best so far")
    means = drawn.outcome.means
    np.testing.assert_array_equal(best.get_ydata()[:-1], np.maximum.accumulate(means))
    labels = [text.get_text() for text in drawn.ax_.get_legend().get_texts()]
    assert labels == ["complete", "best so far", "pruned (some splits)", "failed (2)"]


def test_effect_of_a_process_goes_through_the_scores():
    """Where candidates are, the process is near their scores, and surer than elsewhere."""
    known = outcome(120)
    slices = Slices(replace(known, by_process=True))
    best = known.complete[known.best]
    unit = known.space.encode(best.params)
    name = "svc__C"
    place = list(known.space.branches[unit.branch]).index(name)
    mean, spread = slices.predict({name: np.array([unit.units[place]])})
    assert mean[0] == pytest.approx(known.means[known.best], abs=0.02)
    assert spread[0] < 0.02


class HouseSearchCV(GPSearchCV):
    """One of the user's own, with a default of the house."""

    def __init__(self, estimator, param_distributions, *, n_iter=8, cv=3, random_state=0):
        super().__init__(
            estimator, param_distributions, n_iter=n_iter, cv=cv, random_state=random_state
        )


@pytest.mark.parametrize(
    ("cls", "options", "model"),
    [
        (GPSearchCV, {}, "Gaussian process"),
        (HouseSearchCV, {}, "Gaussian process"),
        (TPESearchCV, {"optimizer": partial(GPOptimizer)}, "Gaussian process"),
        (TPESearchCV, {}, "forest"),
        (GPSearchCV, {"optimizer": RandomOptimizer}, "forest"),
    ],
)
def test_model_of_an_effect_is_that_of_the_search(cls, options, model, monkeypatch, tmp_path):
    """Whatever the class is called: in the picture, in the report, and after a copy."""
    space = {"C": Real(0.01, 100, log=True)}
    search = cls(SVC(), space, n_iter=8, cv=3, random_state=0, **options).fit(X, Y)
    titles = []
    monkeypatch.setattr(Axes, "set_title", lambda _, text, **options: titles.append(text))
    for each in (search, pickle.loads(pickle.dumps(search)), search.select()):
        EffectDisplay.from_search(each, "C")
    search.report(tmp_path / "report.html")
    told = [title for title in titles if title.startswith("by a")]
    assert told == [f"by a {model}, other parameters as in the best"] * 4


def tied(n=40):
    """A search in which most candidates share the best score, and the first do not."""
    rng = np.random.default_rng(0)
    space = Space.of({"C": Real(1e-3, 1e3, log=True)})
    trials = []
    for number in range(n):
        params = {"C": float(10 ** rng.uniform(-3, 3))}
        score = 0.95 if params["C"] > 0.1 and number > 3 else 0.7 + 0.01 * (number % 7)
        results = [SplitResult(split, 1.0, {"score": score}) for split in range(5)]
        trials.append(Trial(number, params, Status.COMPLETE, results))
    sizes = [(80, 20)] * 5
    return Outcome("a GPSearchCV", SVC(), "score", trials, sizes, space, None, None, False)


def test_pictures_of_many_that_are_the_best():
    """The process is that of the scores, and no candidate lies above the best so far."""
    known = tied()
    assert np.median(known.means) == known.means.max()
    ax = EffectDisplay.from_search(Guided(known), "C").ax_
    x, y = next(line.get_data() for line in ax.lines if len(line.get_xdata()) > 100)
    assert y[np.searchsorted(x, 10.0)] == pytest.approx(0.95, abs=0.04)
    assert y[np.searchsorted(x, 0.01)] < 0.9
    lines = {
        line.get_label(): line for line in ConvergenceDisplay.from_search(Fitted(known)).ax_.lines
    }
    best = lines["best so far"].get_ydata()[:-1]
    assert (lines["complete"].get_ydata() <= best).all()


def test_busy_share_of_a_timeline():
    """Two workers, three and two fits of 0.9 s in each 2.5 s: by hand."""
    display = TimelineDisplay.from_search(Fitted(outcome(5)))
    total = 4 * 2.5 + 2 + 0.9
    assert display.busy_ == pytest.approx(25 * 0.9 / (2 * total))


def test_a_search_knows_who_ran_what():
    """With two workers there are two rows, and no fit overlaps another of its worker."""
    from hpsearch.plots.timeline import spans_of

    search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=3, n_jobs=2, reuse=False).fit(X, Y)
    spans = sorted(spans_of(search._outcome()))
    assert len(spans) == 9
    for (worker, _, end, *_), (other, start, *_) in itertools.pairwise(spans):
        assert worker != other or start >= end - 1e-6


def test_what_cannot_be_drawn_is_said():
    """Unknown parameters, too few candidates, nothing complete."""
    few = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1]}, cv=3).fit(X, Y)
    with pytest.raises(ValueError, match="'gama' is none"):
        EffectDisplay.from_search(few, "gama")
    with pytest.raises(ValueError, match="one parameter, or two"):
        EffectDisplay.from_search(few, ["C", "C", "C"])
    with pytest.raises(ValueError, match="needs 5"):
        EffectDisplay.from_search(few, "C")
    with pytest.raises(ValueError, match="8 complete"):
        ImportancesDisplay.from_search(few)


def test_only_searches_of_hpsearch():
    """Another library's search is named as what it is."""
    from sklearn.model_selection import GridSearchCV

    other = GridSearchCV(SVC(), {"C": [1, 2]}).fit(X, Y)
    with pytest.raises(TypeError, match="GridSearchCV: this is drawn of a fitted search of hpsea"):
        ConvergenceDisplay.from_search(other)


def made(params, scores, space, statuses=None, n_splits=4, by_process=False, details=None):
    """A search that never ran: candidates with these scores on each split, None for no result."""
    statuses = statuses or [Status.COMPLETE] * len(params)
    trials = [
        Trial(
            number,
            own,
            status,
            []
            if score is None
            else [
                SplitResult(i, 1.0, {"score": float(score)}, (details or {}).get((number, i), {}))
                for i in range(n_splits)
            ],
        )
        for number, (own, score, status) in enumerate(zip(params, scores, statuses, strict=True))
    ]
    sizes = [(80, 20)] * n_splits
    given = ("a search", SVC(), "score", trials, sizes, Space.of(space), None, None, False)
    return Fitted(Outcome(*given, by_process))


def line_of(ax, label):
    return next(line for line in ax.lines if line.get_label() == label)


def texts_of(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(
    ("complete", "floor"),
    [
        ([0.0, 0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96], 0.925 - 4 * (0.96 - 0.925)),
        ([0.0, 0.7, 0.7, 0.9, 0.9, 0.9, 0.9, 0.9], 0.7 - (0.9 - 0.7) / 2),
    ],
    ids=["by the median", "by the lower quarter"],
)
def test_convergence_of_the_hopeless(complete, floor):
    """They lie on a floor, below which the others are not told apart, and are counted."""
    scores = [*complete, -3.0, None]
    statuses = [Status.COMPLETE] * 8 + [Status.PRUNED] * 2
    params = [{"x": 0.1 * i} for i in range(10)]
    ax = ConvergenceDisplay.from_search(made(params, scores, {"x": (0.0, 1.0)}, statuses)).ax_
    assert line_of(ax, "complete").get_ydata() == pytest.approx([floor, *scores[1:8]])
    assert line_of(ax, "pruned (some splits)").get_ydata() == pytest.approx([floor])
    assert texts_of(ax) == ["1 at or below"]
    best = line_of(ax, "best so far")
    assert best.get_drawstyle() == "steps-post"
    assert best.get_xdata().tolist() == [*range(8), 10]


def test_convergence_without_scores():
    """All failed, or nothing has ended: that is what is seen."""
    params = [{"x": 0.1}, {"x": 0.2}]
    statuses = [Status.FAILED, Status.PRUNED]
    search = made(params, [None, None], {"x": (0.0, 1.0)}, statuses)
    ax = ConvergenceDisplay.from_search(search).ax_
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["complete", "failed (1)"]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (Real(0.01, 100, log=True), "log"),
        (Real(0.01, 100), "linear"),
        ([0.01, 0.1, 1, 10, 100], "log"),
        ([1, 2, 4, 8, 9], "linear"),
        ([0.0, 0.1, 1, 10, 100], "linear"),
        (list(range(1, 51)), "linear"),
        (loguniform(0.01, 100), "log"),
        (uniform(1, 99), "linear"),
        (Categorical([0.01, 0.1, 1, 10, 100]), "linear"),
    ],
)
def test_scale_of_an_effect(values, scale):
    """That of a range; of listed numbers and of distributions the one that spreads them.

    Numbers that are said to be names have places, not a scale.
    """
    space = Space.of({"x": values})
    params = [space.decode(space.snap(Point(0, (u,)))) for u in np.linspace(0.02, 0.98, 12)]
    search = made(params, np.linspace(0, 1, 12), space)
    assert EffectDisplay.from_search(search, "x").ax_.get_xscale() == scale


def rising(n=12, **options):
    """A score that rises with x, and with nothing else."""
    space = {"x": (0.0, 1.0), "c": list("abcdefghi"), "one": ["only"], "n": Integer(1, 10**6)}
    params = [
        {"x": i / (n - 1), "c": "abcdefghi"[i % 9], "one": "only", "n": 1 + 80_000 * i}
        for i in range(n)
    ]
    return made(params, [0.5 + 0.4 * p["x"] for p in params], space, **options)


@pytest.mark.parametrize("by_process", [True, False])
def test_an_effect_is_what_its_model_says(by_process):
    """The line is the mean, the band two standard deviations, in units of the score."""
    search = rising(by_process=by_process)
    ax = EffectDisplay.from_search(search, "x").ax_
    line = next(line for line in ax.lines if len(line.get_xdata()) == 200)
    mean, spread = Slices(search._outcome()).predict({"x": np.linspace(0, 1, 200)})
    np.testing.assert_array_equal(line.get_ydata(), mean)
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() == pytest.approx((mean - 2 * spread).min())
    assert band.max() == pytest.approx((mean + 2 * spread).max())
    assert 0.4 < mean[0] < mean[-1] < 1
    assert spread.max() < 0.3
    best = next(line for line in ax.lines if line.get_linestyle() == "--")
    assert list(best.get_xdata()) == [1.0, 1.0]


def test_an_effect_of_many_values():
    """Of a long range steps are drawn, of a long list every value by its name."""
    ax = EffectDisplay.from_search(rising(), "n").ax_
    assert max(len(line.get_xdata()) for line in ax.lines) == 200
    ax = EffectDisplay.from_search(rising(), "c").ax_
    assert [label.get_text() for label in ax.get_xticklabels()] == list("abcdefghi")


def test_an_effect_of_two_lies_the_right_way():
    """The first parameter to the right; the best is a star; of one with one value there is one."""
    ax = EffectDisplay.from_search(rising(by_process=True), ["x", "one"]).ax_
    image = ax.collections[0].get_array()
    assert image.shape == (1, 60)
    assert (np.diff(image[0]) > 0).mean() > 0.9
    star = next(line for line in ax.lines if line.get_marker() == "*")
    assert (star.get_xdata().tolist(), star.get_ydata().tolist()) == ([1.0], [0.5])


def test_ticks_of_a_long_list_are_some_of_it():
    """At most twelve or so, and none between two values."""
    names = [f"v{i:02}" for i in range(30)]
    space = {"c": names, "x": (0.0, 1.0)}
    params = [{"c": names[i], "x": i / 30} for i in range(12)]
    ax = EffectDisplay.from_search(made(params, np.linspace(0, 1, 12), space), ["c", "x"]).ax_
    assert [label.get_text() for label in ax.get_xticklabels()] == names[::3]
    assert ax.get_xticks() == pytest.approx([(i + 0.5) / 30 for i in range(0, 30, 3)])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "0.25", "0.5", "0.75", "1"]


@pytest.mark.parametrize("n_values", [3, 9])
@pytest.mark.parametrize(
    "draw",
    [
        FoldsDisplay.from_search,
        ParallelCoordinatesDisplay.from_search,
        partial(EffectDisplay.from_search, params="pattern"),
        partial(EffectDisplay.from_search, params=["pattern", "x"]),
    ],
)
def test_values_are_written_as_they_are(draw, n_values):
    """What stands between dollars is no formula, and what is no Unicode is drawn escaped."""
    values = [r"^a+$|^b$", r"$\frac$", "\udcff", *"cdefgh"][:n_values]
    space = {"pattern": values, "x": (0.0, 1.0)}
    params = [{"pattern": values[i % n_values], "x": i / 18} for i in range(18)]
    ax = draw(made(params, np.linspace(0, 1, 18), space)).ax_
    ax.figure.canvas.draw()
    labels = [*ax.get_xticklabels(), *ax.get_yticklabels(), *ax.texts]
    told = [label.get_text() for label in labels]
    assert not any(map(mpl.cbook.is_math_text, told))
    for value in (*values[:2], r"\udcff"):
        assert any(value in text.replace(r"\$", "$") for text in told)


BRANCHES = [{"k": ["a"], "x": (0.0, 1.0)}, {"k": ["b"], "y": (0.0, 1.0), "z": (0.0, 9.0)}]


def test_effects_in_branches():
    """Along the best candidate that has the parameter; along the middle if none has it."""
    of_a = [{"k": "a", "x": i / 8} for i in range(8)]
    of_b = [{"k": "b", "y": i / 8, "z": 8.0 - i} for i in range(8)]
    scores = [0.9] * 8 + [0.1 * i + 0.05 * p["z"] for i, p in enumerate(of_b)]
    slices = Slices(made(of_a + of_b, scores, BRANCHES)._outcome())
    best_of_b = int(np.argmax(scores[8:]))
    y = np.array([0.3])
    at_best = slices.predict({"y": y, "z": np.array([of_b[best_of_b]["z"] / 9])})
    np.testing.assert_array_equal(slices.predict({"y": y}), at_best)
    none = made(of_a, scores[:8], BRANCHES)
    middle = Slices(none._outcome()).predict({"y": y, "z": np.array([0.5])})
    np.testing.assert_array_equal(Slices(none._outcome()).predict({"y": y}), middle)
    assert EffectDisplay.from_search(none, "y").ax_.get_xlabel() == "y"
    with pytest.raises(ValueError, match="no branch of the space has both 'x' and 'y'"):
        EffectDisplay.from_search(none, ["x", "y"])


def test_an_effect_of_a_parameter_with_other_values_in_each_branch():
    """What cannot be drawn on its axis is left out."""
    space = [{"k": ["a"], "x": (0.0, 1.0)}, {"k": ["b"], "x": (10.0, 20.0)}]
    params = [{"k": "a", "x": i / 8} for i in range(8)]
    params += [{"k": "b", "x": 10.0 + i} for i in range(3)]
    ax = EffectDisplay.from_search(made(params, np.linspace(1, 0, 11), space), "x").ax_
    assert len(next(line for line in ax.lines if line.get_marker() == "o").get_xdata()) == 8


def test_an_effect_where_all_scores_are_the_same():
    """A line at that score."""
    for by_process in (True, False):
        params = [{"x": i / 8} for i in range(8)]
        search = made(params, [0.7] * 8, {"x": (0.0, 1.0)}, by_process=by_process)
        mean, spread = Slices(search._outcome()).predict({"x": np.linspace(0, 1, 5)})
        assert mean == pytest.approx(0.7)
        assert spread == pytest.approx(0.0, abs=1e-6)
        EffectDisplay.from_search(search, "x")


def test_effects_take_the_latest_of_many_scores():
    """Of 300 a model is made; the others are drawn as points all the same."""
    params = [{"x": (i % 20) / 20 + i / 10**6} for i in range(320)]
    scores = [1 - p["x"] if i < 20 else p["x"] for i, p in enumerate(params)]
    search = made(params, scores, {"x": (0.0, 1.0)}, by_process=True)
    mean, _ = Slices(search._outcome()).predict({"x": np.array([0.1, 0.9])})
    assert mean == pytest.approx([0.1, 0.9], abs=0.01)


def test_names_of_an_effect():
    """A whole name, or all of its last parts."""
    space = {"a__C": (0.0, 1.0), "a__xC": (0.0, 1.0), "b__C": (0.0, 1.0), "C": (0.0, 1.0)}
    params = [dict.fromkeys(space, i / 8) for i in range(8)]
    search = made(params, np.linspace(0, 1, 8), space)
    for given, label in (("C", "C"), ("a__C", "a__C"), ("xC", "xC")):
        assert EffectDisplay.from_search(search, given).params[0].endswith(label)
    del space["C"]
    search = made([{k: p[k] for k in space} for p in params], np.linspace(0, 1, 8), space)
    with pytest.raises(ValueError, match=r"'C' is \['a__C', 'b__C'\] of the parameters"):
        EffectDisplay.from_search(search, "C")
    with pytest.raises(ValueError, match="one parameter, or two"):
        EffectDisplay.from_search(search, [])


@pytest.mark.parametrize(("n", "is_enough"), [(4, False), (5, True)])
def test_an_effect_needs_five(n, is_enough):
    """The message says how many there are."""
    params = [{"x": i / 8} for i in range(n)]
    search = made(params, np.linspace(0, 1, n), {"x": (0.0, 1.0)})
    if is_enough:
        EffectDisplay.from_search(search, "x")
    else:
        with pytest.raises(ValueError, match="4 candidates are complete: an effect needs 5"):
            EffectDisplay.from_search(search, "x")


def test_folds_are_in_order():
    """The best at the top, as many as are wanted, each score in the colour that can be read."""
    params = [{"x": i / 20} for i in range(20)]
    search = made(params, [(7 * i % 20) / 20 for i in range(20)], {"x": (0.0, 1.0)}, n_splits=3)
    ax = FoldsDisplay.from_search(search, top=12).ax_
    numbers = [int(label.get_text().split()[-1]) for label in ax.get_yticklabels()]
    assert numbers == sorted(range(20), key=lambda i: -(7 * i % 20))[:12]
    colours = [text.get_color() for text in ax.texts]
    assert len(colours) == 36
    assert colours[:3] == ["black"] * 3  # of the best, on yellow
    assert colours[-3:] == ["white"] * 3
    many = made(params, np.linspace(0, 1, 20), {"x": (0.0, 1.0)}, n_splits=13)
    ax = FoldsDisplay.from_search(many).ax_
    assert (texts_of(ax), ax.get_xticks().tolist()) == ([], [0, 12])
    failed = made(params[:1], [None], {"x": (0.0, 1.0)}, [Status.FAILED])
    with pytest.raises(ValueError, match="No candidate has a score on every split"):
        FoldsDisplay.from_search(failed)


def test_importances_are_in_order():
    """Twelve parameters at most, the greatest at the top, pairs below, whiskers within [0, 1]."""
    alone = {f"p{i:02}": (0.001 * i, 0.0) for i in range(20)} | {"most": (0.7, 0.4), "c": (0.02, 1)}
    together = {("most", "c"): (0.05, 0.01), ("p01", "p02"): (0.001, 0.01)}
    display = ImportancesDisplay(Importances(alone, together, 40)).plot()
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["most", "c", *(f"p{i:02}" for i in range(19, 9, -1)), "most and c"]
    places = display.ax_.get_yticks()
    assert (np.diff(places) < 0).all()
    ends = [path.vertices[:, 0] for path in display.ax_.collections[0].get_paths()]
    assert ends[0] == pytest.approx([0.3, 1.0])  # 0.7 and 0.4 more would be beyond 1
    assert ends[1] == pytest.approx([0.0, 1.0])
    failed = made([{"x": 0.1}], [None], {"x": (0.0, 1.0)}, [Status.FAILED])
    with pytest.raises(ValueError, match="8 complete candidates"):
        ImportancesDisplay.from_search(failed)


def test_parallel_lines():
    """The best thick, of very many the best ones; the axis of the score from worst to best."""
    params = [{"x": i / 510, "k": "ab"[i % 2]} for i in range(510)]
    search = made(params, np.linspace(0, 1, 510), {"x": (0.0, 1.0), "k": ["a", "b"]}, n_splits=1)
    ax = ParallelCoordinatesDisplay.from_search(search).ax_
    lines = [line for line in ax.lines if len(line.get_xdata()) == 3]
    assert len(lines) == 500
    assert lines[0].get_ydata()[-1] == pytest.approx(10 / 509)
    assert [line.get_linewidth() for line in lines].count(2.5) == 1
    assert lines[-1].get_linewidth() == 2.5
    assert "absent" not in texts_of(ax)
    same = made(params[:3], [0.7] * 3, {"x": (0.0, 1.0), "k": ["a", "b"]})
    ax = ParallelCoordinatesDisplay.from_search(same).ax_
    ends = [line.get_ydata()[-1] for line in ax.lines if len(line.get_xdata()) == 3]
    assert ends == [0.5] * 3


@pytest.mark.parametrize(
    ("space", "names"),
    [
        (BRANCHES, ["a", "b"]),
        ([{"also": [0]} | branch for branch in BRANCHES], ["a", "b"]),
        ([{"x": (0.0, 1.0)}, {"y": (0.0, 1.0), "z": (0.0, 9.0)}], ["0", "1"]),
    ],
    ids=["told apart", "by one of two", "by number"],
)
def test_branches_of_parallel_lines(space, names):
    """By the value that is fixed in each, else by their number; what one lacks is absent."""
    params = [{"x": i / 4} for i in range(4)] + [{"y": i / 4, "z": 1.0} for i in range(4)]
    if names[0] == "a":
        params = [p | {"k": "a" if "x" in p else "b"} for p in params]
    if "also" in space[0]:
        params = [p | {"also": 0} for p in params]
    ax = ParallelCoordinatesDisplay.from_search(made(params, np.linspace(0, 1, 8), space)).ax_
    at = [label.get_text() for label in ax.get_xticklabels()].index("branch") - 0.04
    told = {t.get_text(): t.get_position()[1] for t in ax.texts if t.get_position()[0] == at}
    assert told == dict(zip(names, [0.25, 0.75], strict=True))
    assert "absent" in texts_of(ax)


def test_timeline_by_hand():
    """Workers in the order of their first fit, bars where they were, each look told once."""
    spans = {(0, 0): ("late", 12.0, 13.0), (1, 0): ("early", 10.0, 12.0), (2, 0): ("late", 13, 14)}
    details = {at: {"worker": w, "span": [s, e]} for at, (w, s, e) in spans.items()}
    details[3, 0] = {"worker": "unknown", "span": None}
    params = [{"x": i / 4} for i in range(4)]
    display = TimelineDisplay.from_search(
        made(params, [0.1, 0.2, 0.9, 0.3], {"x": (0.0, 1.0)}, details=details, n_splits=1)
    )
    bars = [(p.get_x(), p.get_width(), p.get_y() + p.get_height() / 2) for p in display.ax_.patches]
    np.testing.assert_allclose(bars, [(2, 1, 1), (0, 2, 0), (3, 1, 1)], atol=1e-9)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["complete", "best"]
    assert display.busy_ == pytest.approx(4 / 8)
    failed = made(params[:1], [0.5], {"x": (0.0, 1.0)}, [Status.FAILED], 1, details=details)
    display = TimelineDisplay.from_search(failed)
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["failed"]
    with pytest.raises(ValueError, match="not known when the fits"):
        TimelineDisplay.from_search(made(params, [0.1, 0.2, 0.9, 0.3], {"x": (0.0, 1.0)}))


def test_without_matplotlib(monkeypatch):
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'hpsearch\[plots\]'"):
        ConvergenceDisplay.from_search(rising())
