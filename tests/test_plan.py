"""`plan` and `cv=0.2`: what would be done, before it is; one hold-out."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedShuffleSplit, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hpsearch import ExhaustiveSearchCV, GPSearchCV, Real, SampledSearchCV, TPESearchCV
from hpsearch.timing import TimeModel

X, Y = load_iris(return_X_y=True)


class Counting(ClassifierMixin, BaseEstimator):
    """Counts the fits of this process."""

    n_fits = 0

    def __init__(self, C=1.0):
        self.C = C

    def fit(self, X, y):
        Counting.n_fits += 1
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_counts_of_a_grid():
    """Candidates, splits, fits; equal ones by what a kernel reads; nothing is fitted for it."""
    grid = {"kernel": ["rbf", "linear"], "gamma": [0.1, 1.0], "degree": [2, 3], "C": [1, 10]}
    plan = ExhaustiveSearchCV(SVC(), grid, cv=4).plan(X, Y, n_probes=0)
    assert (plan.n_candidates, plan.n_splits, plan.n_fits) == (16, 4, 64)
    # rbf: 2 gammas, 2 C; linear: 2 C; the rest is the same again.
    assert plan.n_equivalent == 16 - (4 + 2)
    assert plan.n_fits_saved == 10 * 4
    assert np.isnan(plan.seconds)
    assert any(line.startswith("10 candidates are the same") for line in plan.lines)
    steps = ExhaustiveSearchCV(
        make_pipeline(PCA(2), SVC()), {f"svc__{name}": values for name, values in grid.items()}
    )
    assert steps.plan(X, Y, n_probes=0).n_equivalent == plan.n_equivalent


def test_saved_fits_are_those_that_the_search_saves():
    """Trees of a forest: one fit serves all sizes, as the details of the results say too."""
    forest, grid = RandomForestClassifier(random_state=0), {"n_estimators": [3, 5, 9]}
    search = ExhaustiveSearchCV(forest, grid, cv=2)
    plan = search.plan(X, Y, n_probes=0)
    assert plan.n_fits_saved == 4
    assert "4 of 6 fits are saved by reuse." in plan.lines
    assert plan.n_equivalent == 0
    search.fit(X, Y)
    shared = sum("shared" in r.details for t in search.trials_ for r in t.results)
    assert shared >= plan.n_fits_saved
    assert search.set_params(reuse=False).plan(X, Y, n_probes=0).n_fits_saved == 0


def test_invalid_candidates_are_counted_with_the_reason():
    """As the estimator declares it, some values of many."""
    grid = {"C": [-1.0, 1.0, 2.0], "kernel": ["rbf", "linear"]}
    with pytest.warns(UserWarning, match="Candidates with it will fail"):
        plan = ExhaustiveSearchCV(SVC(), grid).plan(X, Y, n_probes=0)
    ((reason, n),) = plan.invalid.items()
    assert n == 2
    assert "'C' parameter" in reason
    assert any(line.startswith("2 of those seen will be refused") for line in plan.lines)
    with pytest.warns(UserWarning, match="Candidates with it will fail"):
        probed = ExhaustiveSearchCV(SVC(), grid, cv=2).plan(X, Y, n_probes=6)
    assert "by 4 probes" in str(probed)  # none of those that would fail
    assert "failed" not in str(probed)


def test_invalid_candidates_are_those_whose_fits_fail():
    """A value is judged by what the candidate puts in the place of a step, not what was there."""
    pipeline = Pipeline([("scale", StandardScaler()), ("model", SVC())])
    grid = [
        {"model": [KNeighborsClassifier()], "model__n_neighbors": [0, 3]},
        {"model": [RandomForestClassifier(5)], "model__max_features": ["sqrt", -1.0, 0.5]},
        {"scale": ["passthrough"], "model__C": [-1.0, 1.0]},
    ]
    search = ExhaustiveSearchCV(pipeline, grid, cv=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of those that fail
        plan, trials = search.plan(X, Y, n_probes=0), search.fit(X, Y).trials_
    failed = [trial for trial in trials if trial.status.value == "failed"]
    assert len(failed) == 3
    for trial in failed:
        assert any(reason in trial.error for reason in plan.invalid)
    assert sum(plan.invalid.values()) == 3


@pytest.mark.parametrize("cls", [SampledSearchCV, GPSearchCV, TPESearchCV])
def test_plans_of_searches_that_draw(cls):
    """As many as `n_iter` says; probes give a time, and are all that is fitted."""
    Counting.n_fits = 0
    search = cls(Counting(), {"C": Real(0.1, 10)}, n_iter=30, cv=3, random_state=0)
    plan = search.plan(X, Y, n_probes=2)
    assert (plan.n_candidates, plan.n_fits, plan.n_seen) == (30, 90, 30)
    assert plan.seconds > 0
    assert Counting.n_fits == 3  # one to warm up
    assert not hasattr(search, "trials_")


def test_a_plan_of_many_candidates_is_quick():
    """A grid of a hundred million is counted, not gone through."""
    grid = {f"step{i}": list(range(100)) for i in range(4)}

    class Wide(Counting):
        def __init__(self, step0=0, step1=0, step2=0, step3=0):
            self.step0, self.step1, self.step2, self.step3 = step0, step1, step2, step3

    plan = ExhaustiveSearchCV(Wide(), grid).plan(X, Y, n_probes=0)
    assert plan.n_candidates == 10**8
    assert plan.n_seen == 2000


def test_a_plan_takes_nothing_from_generators():
    """The search draws and splits as if nobody had asked for its plan."""

    def search():
        rng, of_splits = np.random.RandomState(0), np.random.RandomState(1)
        cv = KFold(3, shuffle=True, random_state=of_splits)
        space = {"C": Real(0.01, 100.0, log=True)}
        return SampledSearchCV(SVC(), space, n_iter=3, random_state=rng, cv=cv)

    alone, planned = search(), search()
    planned.plan(X, Y, n_probes=0)
    results = [s.fit(X, Y).cv_results_ for s in (alone, planned)]
    for key in ("param_C", "split0_test_score", "split2_test_score"):
        np.testing.assert_array_equal(results[0][key], results[1][key])


def test_probes_that_fail_are_told():
    """The error of the estimator, before anything is searched."""
    grid = {"class_weight": [{9: 1.0}]}
    plan = ExhaustiveSearchCV(SVC(), grid).plan(X, Y)
    assert "1 of the probes failed: ValueError" in str(plan)


def test_plan_refuses_what_fit_would():
    """Before anything is fitted."""
    with pytest.raises(ValueError, match="Did you mean 'gamma'"):
        ExhaustiveSearchCV(SVC(), {"gama": [1]}).plan(X, Y)
    with pytest.raises(ValueError, match="'n_iter'"):
        SampledSearchCV(SVC(), {"C": [1]}, n_iter=0).plan(X, Y)


def test_time_of_a_pipeline_is_predicted(capsys):
    """By probes of candidates from all over the space."""
    pipe = make_pipeline(PCA(), KNeighborsClassifier())
    grid = {"pca__n_components": [1, 2, 3], "kneighborsclassifier__n_neighbors": [1, 3, 5]}
    plan = ExhaustiveSearchCV(pipe, grid, n_jobs=2).plan(X, Y)
    assert plan.seconds > 0
    assert "with 2 workers" in str(plan)


# cv=0.2 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [ExhaustiveSearchCV, GPSearchCV])
def test_a_share_is_one_stratified_hold_out(cls):
    """The scores are those of scikit-learn's search with the same split."""
    split = StratifiedShuffleSplit(1, test_size=0.2, random_state=0)
    expected = GridSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=split).fit(X, Y)
    search = cls(SVC(), {"C": [0.1, 1, 10]}, cv=0.2).fit(X, Y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    assert search.n_splits_ == 1
    assert search.split_sizes_ == [(120, 30)]
    assert "nan" not in str(search.summary())


def test_a_share_of_a_regression_and_of_groups():
    """Rows at random for numbers; whole groups where there are any."""
    data, y = load_diabetes(return_X_y=True)
    search = SampledSearchCV(Ridge(), {"alpha": [1.0]}, n_iter=1, cv=0.25, random_state=3)
    search.fit(data, y)
    train, test = train_test_split(np.arange(len(y)), test_size=0.25, random_state=3)
    expected = Ridge(alpha=1.0).fit(data[train], y[train]).score(data[test], y[test])
    assert search.best_score_ == pytest.approx(expected)
    groups = np.arange(len(Y)) // 10
    kept = ExhaustiveSearchCV(SVC(), {"C": [1]}, cv=0.4, keep="predictions")
    (rows,) = kept.fit(X, Y, groups=groups).kept_.rows
    assert set(groups[rows]) & set(np.delete(groups, rows)) == set()
    assert len(rows) == 0.4 * len(Y)


@pytest.mark.parametrize("cv", [0.0, 1.0, -0.5, 1.5])
def test_what_is_no_share_is_refused(cv):
    """With what is accepted."""
    with pytest.raises(ValueError, match="'cv' parameter"):
        ExhaustiveSearchCV(SVC(), {"C": [1]}, cv=cv).fit(X, Y)


def test_far_from_the_probes_times_stay_in_sight():
    """Three probes close together say little of the rest of the space, and nothing overflows."""
    probes = [{"C": 1.0, "gamma": 0.1}, {"C": 1.01, "gamma": 0.1001}, {"C": 1.0, "gamma": 0.11}]
    model = TimeModel(probes, [0.01, 0.02, 0.4])
    found = model.predict([{"C": 1e9, "gamma": 1e-9}, {"C": -1e9, "gamma": 1e300}])
    assert ((found > 0) & (found <= 20 * 0.4)).all()
