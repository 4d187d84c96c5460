"""Pictures: the convention of scikit-learn's displays, what they say, and how they look."""

import itertools
import os
import pickle
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from hpsearch import ExhaustiveSearchCV, GPSearchCV, Integer, Real, SampledSearchCV, TPESearchCV
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
from hpsearch.space import Space
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
    from hpsearch.plots.effect import Slices

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
