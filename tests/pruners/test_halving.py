"""Halving by a resource, against scikit-learn's own fits on the same rows and parameters."""

import math

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, make_classification
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from hpsearch import (
    ExhaustiveSearchCV,
    GPSearchCV,
    HalvingPruner,
    HyperbandPruner,
    SampledSearchCV,
    StopSearch,
    TPESearchCV,
)
from hpsearch.resources import nested_order
from hpsearch.trial import Status

X, y = load_breast_cancer(return_X_y=True)
GRID = {"max_depth": [1, 2, 3, 4, 5, 6, 7, 8, 9]}


def by_rung(search):
    """How many candidates have results at each share."""
    shares = [{r.resource for r in t.results} for t in search.trials_]
    return {s: sum(s in own for own in shares) for s in sorted(set().union(*shares))}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_third_goes_on(n_jobs):
    """27 candidates, three steps of a third: 27, 9, 3, 1."""
    grid = {"max_depth": [1, 2, 3], "min_samples_leaf": [1, 2, 5], "max_features": [1, 5, 20]}
    tree = DecisionTreeClassifier(random_state=0)
    pruner = HalvingPruner(min_resources=14)
    search = ExhaustiveSearchCV(tree, grid, cv=3, pruner=pruner, n_jobs=n_jobs).fit(X, y)
    counts = list(by_rung(search).values())
    assert counts[0] == 27
    assert counts[1] >= 9
    assert len(counts) == 4
    assert counts[3] >= 1
    if n_jobs == 1:
        assert all(best.status is not Status.RUNNING for best in search.trials_)
    complete = [t.number for t in search.trials_ if t.status is Status.COMPLETE]
    assert search.best_index_ in complete
    ranks = search.cv_results_["rank_test_score"]
    assert max(ranks[complete]) <= len(complete)


def test_rung_scores_are_those_of_plain_fits():
    """Each result is what scikit-learn gives for the parameter's value on that rung."""
    boosting = GradientBoostingClassifier(random_state=0, max_depth=2)
    pruner = HalvingPruner("n_estimators", min_resources=2, max_resources=18)
    cv = StratifiedKFold(3)
    space = {"learning_rate": [0.01, 0.1, 0.5, 1.0], "subsample": [0.5, 1.0]}
    search = ExhaustiveSearchCV(boosting, space, cv=cv, pruner=pruner).fit(X, y)
    amounts = {1 / 9: 2, 1 / 3: 6, 1.0: 18}
    for trial in search.trials_:
        for share in {r.resource for r in trial.results}:
            n = next(n for s, n in amounts.items() if math.isclose(s, share))
            plain = boosting.set_params(**trial.params, n_estimators=n)
            expected = cross_val_score(plain, X, y, cv=cv)
            got = [r.scores["score"] for r in trial.results if r.resource == share]
            assert np.array_equal(got, expected)
    best = search.best_params_
    assert best["n_estimators"] == 18
    assert search.best_estimator_.n_estimators == 18
    assert search.best_score_ == cross_val_score(boosting.set_params(**best), X, y, cv=cv).mean()
    assert set(search.cv_results_["n_resources"]) <= {2, 6, 18}


CONTINUED = [
    (RandomForestClassifier(random_state=0), "n_estimators", "max_depth"),
    (RandomForestClassifier(random_state=0, bootstrap=False), "n_estimators", "max_depth"),
    (ExtraTreesRegressor(random_state=0), "n_estimators", "max_depth"),
    (GradientBoostingClassifier(random_state=0, subsample=0.5), "n_estimators", "max_depth"),
    (GradientBoostingRegressor(random_state=0, loss="huber"), "n_estimators", "max_depth"),
    (HistGradientBoostingClassifier(random_state=0), "max_iter", "max_depth"),
    (HistGradientBoostingRegressor(random_state=0, max_features=0.5), "max_iter", "max_depth"),
    (
        BaggingClassifier(DecisionTreeClassifier(random_state=0), random_state=0),
        "n_estimators",
        "max_samples",
    ),
]


@pytest.mark.parametrize(("model", "resource", "searched"), CONTINUED)
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_continued_fits_equal_plain_fits(model, resource, searched, in_pipeline):
    """Going on from the last rung gives bit for bit what beginning anew gives."""
    data = (X[:200], y[:200]) if hasattr(model, "predict_proba") else load_diabetes(return_X_y=True)
    prefix = ""
    if in_pipeline:
        model, prefix = make_pipeline(StandardScaler(), model), f"{type(model).__name__.lower()}__"
    values = [0.3, 0.5, 0.9, 1.0] if searched == "max_samples" else [1, 2, 3, 4]
    tables = []
    for continue_fits in ("exact", False):
        pruner = HalvingPruner(
            prefix + resource, 2, min_resources=2, max_resources=8, continue_fits=continue_fits
        )
        grid = {prefix + searched: values}
        search = ExhaustiveSearchCV(model, grid, cv=3, pruner=pruner).fit(*data)
        tables.append(
            [[(r.split, r.resource, r.scores) for r in t.results] for t in search.trials_]
        )
        assert any(len({r.resource for r in t.results}) > 1 for t in search.trials_)
    assert tables[0] == tables[1]


class Counting(GradientBoostingClassifier):
    """Counts the trees that are fitted, in all instances of this process."""

    n_fitted = 0

    def _fit_stage(self, *args, **kwargs):
        Counting.n_fitted += 1
        return super()._fit_stage(*args, **kwargs)


def test_other_classes_begin_anew():
    """A subclass may fit in its own way: nothing is assumed of it unless the user says so."""
    counts = []
    for continue_fits in ("exact", True):
        Counting.n_fitted = 0
        pruner = HalvingPruner(
            "n_estimators", 2, min_resources=4, max_resources=8, continue_fits=continue_fits
        )
        search = ExhaustiveSearchCV(
            Counting(random_state=0), {"max_depth": [1, 2]}, cv=2, pruner=pruner, refit=False
        ).fit(X, y)
        assert list(by_rung(search).values()) == [2, 1]
        counts.append(Counting.n_fitted)
    # Two candidates of 4 in 2 splits; then one of 8, or of 4 more.
    assert counts == [4 * 2 * 2 + 8 * 2, 4 * 2 * 2 + 4 * 2]


def test_iterations_go_on_if_asked():
    """`continue_fits=True` takes up solvers by their warm_start, with the iterations that lack."""
    model = SGDClassifier(random_state=0, tol=None)
    pruner = HalvingPruner("max_iter", 2, min_resources=5, max_resources=10, continue_fits=True)
    search = ExhaustiveSearchCV(model, {"alpha": [1e-4, 1.0]}, cv=2, pruner=pruner).fit(X, y)
    best = next(t for t in search.trials_ if t.status is Status.COMPLETE)
    for split, (train, test) in enumerate(StratifiedKFold(2).split(X, y)):
        control = SGDClassifier(random_state=0, tol=None, max_iter=5, warm_start=True)
        control.set_params(**best.params)
        control.fit(X[train], y[train]).fit(X[train], y[train])
        got = [r.scores["score"] for r in best.results if r.resource == 1 and r.split == split]
        assert got == [control.score(X[test], y[test])]
    assert search.best_estimator_.max_iter == 10


def test_rows_are_nested_stratified_and_whole_at_the_end():
    """Each beginning of the order has the classes in proportion, and one of each from the start."""
    targets = np.repeat([0, 1, 2], [600, 300, 7])
    rows = np.arange(len(targets))[::2]
    order = nested_order(targets, rows, is_stratified=True, split=3)
    assert sorted(order) == sorted(rows)
    assert set(targets[order[:3]]) == {0, 1, 2}
    for n in (30, 90, 300):
        share = np.bincount(targets[order[:n]], minlength=3) / n
        whole = np.bincount(targets[rows], minlength=3) / len(rows)
        assert np.abs(share - whole).max() < 3.5 / n


def test_full_rung_is_the_plain_cross_validation():
    """On the last rung of rows the scores are those of a search without halving."""
    tree = DecisionTreeClassifier(random_state=0)
    plain = ExhaustiveSearchCV(tree, GRID, cv=3).fit(X, y)
    search = ExhaustiveSearchCV(tree, GRID, cv=3, pruner="halving").fit(X, y)
    for number, trial in enumerate(search.trials_):
        if trial.status is Status.COMPLETE:
            assert (
                search.cv_results_["mean_test_score"][number]
                == (plain.cv_results_["mean_test_score"][number])
            )
        else:
            assert math.isnan(search.cv_results_["mean_test_score"][number])
            assert math.isnan(search.cv_results_["split0_test_score"][number])


def test_small_rungs_keep_every_class():
    """A rare class is in the first rung too, or the pruner says why it cannot be."""
    X, y = make_classification(
        600, 10, n_classes=3, n_informative=5, weights=[0.9, 0.08, 0.02], random_state=0
    )
    tree = DecisionTreeClassifier(random_state=0)
    pruner = HalvingPruner(min_resources=10)
    search = ExhaustiveSearchCV(tree, GRID, cv=3, pruner=pruner, scoring="roc_auc_ovr")
    search.fit(X, y)  # the scorer fails where a class is missing
    assert not any(r.status.is_failure for t in search.trials_ for r in t.results)
    with pytest.raises(ValueError, match="min_resources=2 rows cannot hold"):
        ExhaustiveSearchCV(tree, GRID, pruner=HalvingPruner(min_resources=2)).fit(X, y)


def test_a_column_of_labels():
    """The rungs are those of the same labels without columns."""
    tree = DecisionTreeClassifier(random_state=0)
    search = ExhaustiveSearchCV(tree, GRID, cv=3, pruner="halving")
    flat, column = (clone(search).fit(X, labels).trials_ for labels in (y, y[:, None]))
    assert [t.results[0].scores for t in flat] == [t.results[0].scores for t in column]


def test_hyperband_starts_on_several_rungs():
    """Candidates begin on each of the rungs, most on the first, as in Hyperband's brackets."""
    pruner = HyperbandPruner(min_resources=1, max_resources=9)
    firsts = [pruner.first_rung(type("T", (), {"number": n})) for n in range(9 + 5 + 3)]
    assert [firsts.count(k) for k in range(3)] == [9, 5, 3]
    tree = DecisionTreeClassifier(random_state=0)
    search = ExhaustiveSearchCV(tree, GRID, cv=3, pruner=HyperbandPruner(min_resources=40))
    shares = [min(r.resource for r in t.results) for t in search.fit(X, y).trials_]
    assert len(set(shares)) == 3


@pytest.mark.parametrize("search", [GPSearchCV, TPESearchCV])
def test_learners_halve_too(search):
    """A learner gets the rungs on one scale, and ends with a complete candidate."""
    space = {"max_depth": (1, 12), "min_samples_leaf": (1, 60)}
    tree = DecisionTreeClassifier(random_state=0)
    found = search(tree, space, n_iter=15, cv=3, pruner="halving", random_state=0).fit(X, y)
    assert math.isfinite(found.best_score_)
    assert len(found.trials_) == 15


def test_time_up_before_any_is_complete():
    """What came farthest is the best, it is refitted, and the search says so."""
    tree = DecisionTreeClassifier(random_state=0)
    search = ExhaustiveSearchCV(tree, GRID, cv=3, pruner="halving", watch=stop_early)
    with pytest.warns(UserWarning, match="before any candidate was complete"):
        search.fit(X, y)
    assert math.isnan(search.best_score_)
    assert search.best_estimator_.max_depth == search.best_params_["max_depth"]


def stop_early(event):
    if event.kind == "result":
        raise StopSearch


BAD = [
    ({"resource": "n_trees"}, "neither 'n_samples' nor a parameter"),
    ({"resource": "max_depth"}, "also a parameter of the space"),
    ({"resource": "max_leaf_nodes"}, "pass max_resources"),
    ({"min_resources": 400, "max_resources": 300}, "more than max_resources"),
    ({"max_resources": 10_000}, "smallest training set"),
]


@pytest.mark.parametrize(("given", "message"), BAD)
def test_bad_resources(given, message):
    """What cannot be is said before the first fit."""
    search = ExhaustiveSearchCV(DecisionTreeClassifier(), GRID, pruner=HalvingPruner(**given))
    with pytest.raises(ValueError, match=message):
        search.fit(X, y)
    assert not hasattr(search, "trials_")


@pytest.mark.parametrize(
    "given",
    [{"factor": 1}, {"min_resources": 0}, {"max_resources": "all"}, {"continue_fits": "yes"}],
)
def test_bad_settings(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        HalvingPruner(**given)


def test_sampled_with_a_fixed_seed_repeats():
    """Two runs give the same trials."""
    tree = DecisionTreeClassifier(random_state=0)
    runs = [
        SampledSearchCV(tree, GRID, n_iter=5, cv=3, pruner="hyperband", random_state=0).fit(X, y)
        for _ in range(2)
    ]
    scores = [[[r.scores for r in t.results] for t in run.trials_] for run in runs]
    assert scores[0] == scores[1]
