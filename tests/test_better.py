"""Where our searches do better than scikit-learn's; each test names what happens there."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import expon
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV, ShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from hpsearch import (
    ExhaustiveSearchCV,
    GPSearchCV,
    Integer,
    Real,
    SampledSearchCV,
    TPESearchCV,
)
from hpsearch.trial import Status

X, Y = load_iris(return_X_y=True)
ROWS = np.random.default_rng(0).permutation(len(X))[:60]
X, Y = X[ROWS], Y[ROWS]
EVERY_CLASS = [ExhaustiveSearchCV, SampledSearchCV, GPSearchCV, TPESearchCV]
every_class = pytest.mark.parametrize("cls", EVERY_CLASS)
n_fits = 0


class Counting(ClassifierMixin, BaseEstimator):
    """Counts the fits of this process; some values make a fit, or only a refit, fail."""

    def __init__(self, level=0, depth=0):
        self.level = level
        self.depth = depth

    def fit(self, X, y):
        global n_fits  # noqa: PLW0603 - estimators are cloned, and would count for themselves
        n_fits += 1
        if self.level == "fails" or (self.level == "fails at last" and len(X) == len(ROWS)):
            raise ValueError(f"level={self.level!r} cannot be fitted")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[len(str(self.level)) % 3])


@pytest.fixture(autouse=True)
def _from_zero():
    global n_fits  # noqa: PLW0603 - see Counting
    n_fits = 0


def make(cls, estimator, space, **options):
    """Make a search of four candidates, unless told otherwise; a grid has as many as it has."""
    options = {"random_state": 0, "n_iter": 4} | options
    if cls is ExhaustiveSearchCV:
        options = {k: v for k, v in options.items() if k not in ("random_state", "n_iter")}
    return cls(estimator, space, **options)


# Names -------------------------------------------------------------------------------------------

PIPELINE = make_pipeline(StandardScaler(), SVC())
MODELS = Pipeline([("scale", StandardScaler()), ("model", Counting())])
TYPOS = {
    "case": (SVC(), {"c": [1]}, "'c'", "'C'"),
    "letters": (SVC(), {"gama": [1]}, "'gama'", "'gamma'"),
    "nested": (PIPELINE, {"svc__c": [1]}, "'svc__c'", "'svc__C'"),
    "step": (PIPELINE, {"scv__C": [1]}, "'scv__C'", "'svc__C'"),
    "second branch": (SVC(), [{"C": [1, 2]}, {"C": [1], "gama": [1]}], "'gama'", "'gamma'"),
    "inside an ensemble": (
        BaggingClassifier(DecisionTreeClassifier()),
        {"estimator__max_dept": [1]},
        "'estimator__max_dept'",
        "'estimator__max_depth'",
    ),
    "twice nested": (
        make_pipeline(AdaBoostClassifier(DecisionTreeClassifier())),
        {"adaboostclassifier__estimator__max_dept": [1]},
        "max_dept",
        "'adaboostclassifier__estimator__max_depth'",
    ),
}


@every_class
@pytest.mark.parametrize(("model", "space", "typo", "meant"), TYPOS.values(), ids=TYPOS)
def test_typo_is_found_before_the_first_fit(cls, model, space, typo, meant):
    """GridSearchCV fits what comes before the typo; here nothing is fitted, a name suggested."""
    with pytest.raises(ValueError, match="Did you mean") as error:
        make(cls, model, space).fit(X, Y)
    assert typo in str(error.value)
    assert meant in str(error.value).split("Did you mean")[1].split("Valid")[0]


@every_class
def test_typo_in_a_candidate_estimator(cls):
    """A name below a step is held against every estimator that the branch puts in its place."""
    good = {"model": [SVC(), SVC(kernel="linear")], "model__C": [1.0, 2.0]}
    search = make(cls, MODELS, good).fit(X, Y)
    assert len(search.trials_) == 4
    with pytest.raises(ValueError, match="model__C"):
        make(cls, MODELS, {"model": [KNeighborsClassifier()], "model__C": [1.0]}, n_iter=1).fit(
            X, Y
        )
    with pytest.raises(ValueError, match="model__level"):
        # The estimator's own step has it; the one that replaces it has not.
        make(cls, MODELS, {"model": [SVC()], "model__level": [1]}, n_iter=1).fit(X, Y)
    assert n_fits == 0


@every_class
def test_branch_is_named(cls):
    """The message says in which dict of the list the name stands."""
    with pytest.raises(ValueError, match=r"\[1\]\['gama'\]"):
        make(cls, SVC(), [{"C": [1]}, {"gama": [1]}]).fit(X, Y)


def test_names_that_only_set_params_knows():
    """An estimator whose set_params takes more names than get_params lists is believed."""

    class Open(Counting):
        def set_params(self, **params):
            self.extra = params.pop("extra", None)
            return super().set_params(**params)

    search = ExhaustiveSearchCV(Open(), {"extra": [1, 2]}).fit(X, Y)
    assert search.best_estimator_.extra == 1


# Values ------------------------------------------------------------------------------------------


@every_class
def test_values_that_all_fail_are_an_error_before_the_first_fit(cls):
    """GridSearchCV fits them all and then says "All the N fits failed"."""
    with pytest.raises(ValueError, match=r"'kernel'.*'linera'"):
        make(cls, SVC(), {"kernel": ["linera"], "C": [1, 10]}).fit(X, Y)


@every_class
def test_value_that_fails_is_told_before_the_first_fit(cls):
    """With a number as error_score the others are searched, and the bad one is named first."""
    search = make(cls, SVC(), {"kernel": ["linera", "rbf"]}, n_iter=2)
    with (
        pytest.warns(UserWarning, match=r"'linera'.*Candidates with it will fail"),
        pytest.warns(FitFailedWarning),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        search.fit(X, Y)
    assert search.best_params_ == {"kernel": "rbf"}


@every_class
def test_value_that_fails_ends_a_strict_search_before_the_first_fit(cls):
    """With `error_score="raise"` it would end the search anyway, some hours later."""
    with pytest.raises(ValueError, match="'linera'"):
        make(cls, SVC(), {"kernel": ["rbf", "linera"]}, error_score="raise").fit(X, Y)


@pytest.mark.parametrize("cls", [GPSearchCV, TPESearchCV])
def test_ranges_are_held_against_the_estimator(cls):
    """A range of which every value is refused is an error before the first fit."""
    with pytest.raises(ValueError, match="max_depth"):
        make(cls, DecisionTreeClassifier(), {"max_depth": (-5, -1)}).fit(X, Y)


def test_grid_of_a_continuum():
    """A continuum cannot be gone through: the error says what to do."""
    with pytest.raises(TypeError, match="list the values"):
        ExhaustiveSearchCV(SVC(), {"C": Real(1, 2)}).fit(X, Y)


def test_grid_of_an_integer_range():
    """An `Integer` stands for all its values in a grid."""
    search = ExhaustiveSearchCV(DecisionTreeClassifier(), {"max_depth": Integer(2, 4)}).fit(X, Y)
    assert [p["max_depth"] for p in search.cv_results_["params"]] == [2, 3, 4]


def test_integers_of_any_size_are_counted():
    """A space of more than 2**64 candidates is sampled; scikit-learn's overflows."""
    space = {
        name: list(range(1, 2000))
        for name in ("C", "gamma", "tol", "coef0", "cache_size", "degree")
    }
    with pytest.raises(OverflowError):
        RandomizedSearchCV(SVC(), space, n_iter=1).fit(X, Y)
    for cls in (SampledSearchCV, GPSearchCV, TPESearchCV):
        assert len(cls(SVC(), space, n_iter=3, random_state=0, cv=2).fit(X, Y).trials_) == 3


# Splits ------------------------------------------------------------------------------------------


class CountingSplitter(ShuffleSplit):
    n_calls = 0

    def split(self, X, y=None, groups=None):
        type(self).n_calls += 1
        return super().split(X, y, groups)


@every_class
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_splits_are_made_once(cls, n_jobs):
    """All candidates are judged on the same folds, also those that come later."""
    CountingSplitter.n_calls = 0
    # Values that change nothing: if the folds are the same, so are the scores.
    space = {"cache_size": [100, 150, 200, 250]}
    search = make(cls, SVC(), space, cv=CountingSplitter(4), n_jobs=n_jobs).fit(X, Y)
    assert CountingSplitter.n_calls == 1
    for split in range(4):
        assert len(set(search.cv_results_[f"split{split}_test_score"])) == 1


def test_generator_of_splits_with_workers():
    """A generator of splits is used up here and never sent to a worker."""
    options = {"n_jobs": 2, "return_train_score": True}
    search = ExhaustiveSearchCV(SVC(), {"C": [1, 10]}, cv=KFold(3).split(X), **options)
    control = GridSearchCV(SVC(), {"C": [1, 10]}, cv=KFold(3), return_train_score=True)
    expected = control.fit(X, Y).cv_results_["mean_train_score"]
    np.testing.assert_array_equal(search.fit(X, Y).cv_results_["mean_train_score"], expected)


# Failures ----------------------------------------------------------------------------------------


@every_class
def test_results_outlive_a_refit_that_fails(cls):
    """GridSearchCV has no `cv_results_` then, and hours of fits are gone."""
    search = make(cls, Counting(), {"level": ["fails at last"], "depth": [1, 2, 3]}, n_iter=3)
    with pytest.raises(ValueError, match="cannot be fitted"):
        search.fit(X, Y)
    assert len(search.cv_results_["params"]) == 3
    assert search.best_params_ == search.cv_results_["params"][search.best_index_]
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
    assert [trial.status for trial in search.trials_] == [Status.COMPLETE] * 3
    control = GridSearchCV(Counting(), {"level": ["fails at last"]})
    with pytest.raises(ValueError, match="cannot be fitted"):
        control.fit(X, Y)
    assert not hasattr(control, "cv_results_")


@every_class
def test_results_outlive_a_rule_that_fails(cls):
    """A faulty callable `refit` costs no result."""

    def faulty(results):
        raise ZeroDivisionError

    search = make(cls, SVC(), {"C": [1, 2, 3, 4]}, refit=faulty)
    with pytest.raises(ZeroDivisionError):
        search.fit(X, Y)
    assert len(search.cv_results_["params"]) == 4


def never(estimator, X, y):
    raise RuntimeError("this scorer is broken")


@every_class
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_scorer_that_fails_everywhere_is_an_error(cls, n_jobs):
    """GridSearchCV takes the first candidate with the score NaN as the best, and refits it."""
    search = make(cls, SVC(), {"C": [1, 2, 3, 4]}, scoring=never, n_jobs=n_jobs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="this scorer is broken"):
            search.fit(X, Y)
    assert not hasattr(search, "best_estimator_")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        control = GridSearchCV(SVC(), {"C": [1, 2]}, scoring=never).fit(X, Y)
    assert np.isnan(control.best_score_)


def test_one_of_two_metrics_that_fails_everywhere():
    """The search goes by the metric that works; the other is NaN in the table."""
    scoring = {"accuracy": "accuracy", "broken": never}
    search = ExhaustiveSearchCV(SVC(), {"C": [1, 2]}, scoring=scoring, refit="accuracy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, Y)
    assert np.isfinite(search.best_score_)
    assert np.isnan(search.cv_results_["mean_test_broken"]).all()


def a_metric(y_true, y_pred):
    return 1.0


@every_class
@pytest.mark.parametrize(
    ("scoring", "targets", "words"),
    [
        (accuracy_score, Y, "accuracy_score.*make_scorer"),
        (a_metric, Y, "a_metric.*make_scorer"),
        ({"accuracy": "accuracy", "other": a_metric}, Y, r"scoring\['other'\]: a_metric"),
        ("adjusted_rand_score", None, "y is None"),
    ],
    ids=["a metric of scikit-learn", "of the user", "among others", "without targets"],
)
def test_scorer_that_cannot_be_called_is_told_before_the_first_fit(cls, scoring, targets, words):
    """GridSearchCV fits all candidates, and names one of score NaN."""
    refit = "accuracy" if isinstance(scoring, dict) else True
    search = make(cls, Counting(), {"depth": [1, 2, 3, 4]}, scoring=scoring, refit=refit)
    with pytest.raises(ValueError, match=words):
        search.fit(X, targets)
    assert n_fits == 0


@every_class
def test_error_of_all_fits_comes_without_a_warning_of_blanks(cls):
    """As in GridSearchCV: where warnings are errors, the one that says why is raised."""
    space = {"level": ["fails"], "depth": [1, 2, 3, 4]}
    for search in (make(cls, Counting(), space), GridSearchCV(Counting(), space)):
        with pytest.raises(ValueError, match="All the 20 fits failed"):  # no warning: an error here
            search.fit(X, Y)


@every_class
def test_failed_fits_are_told_before_the_blanks_that_they_leave(cls):
    """In the order of GridSearchCV, and at the line that called `fit`."""
    space = {"level": ["fails", "a"], "depth": [1, 2]}
    told = []
    for search in (make(cls, Counting(), space), GridSearchCV(Counting(), space)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            search.fit(X, Y)
        told.append([warning.category for warning in caught])
        if search.__class__ is cls:
            assert caught[-1].filename == __file__
    assert told[0] == told[1] == [FitFailedWarning, UserWarning]


@pytest.mark.parametrize(
    ("cls", "n_jobs"), [*((cls, 1) for cls in EVERY_CLASS), (ExhaustiveSearchCV, 2)]
)
def test_strict_search_keeps_what_it_has(cls, n_jobs):
    """With `error_score="raise"` the first failure ends the search; `trials_` has the others."""
    space = {"level": [1, 2, 3, "fails"]}
    search = make(cls, Counting(), space, error_score="raise", n_jobs=n_jobs)
    with pytest.raises(ValueError, match="cannot be fitted"):
        search.fit(X, Y)
    assert 1 <= len(search.trials_) <= 4
    if cls is ExhaustiveSearchCV and n_jobs == 1:
        assert [len(trial.results) for trial in search.trials_][:3] == [5, 5, 5]
        assert [trial.status for trial in search.trials_][:3] == [Status.COMPLETE] * 3


# Large grids, constraints ------------------------------------------------------------------------


class Stop(Exception):
    pass


class StopsAtThird(Counting):
    def fit(self, X, y):
        if n_fits == 3:
            raise Stop
        return super().fit(X, y)


@pytest.mark.parametrize("cls", [ExhaustiveSearchCV, SampledSearchCV])
def test_large_grid_starts_at_once(cls, monkeypatch):
    """Of 10**6 candidates only those that are fitted are built; GridSearchCV builds all first."""
    n_built = 0

    def counted(function):
        def wrapper(*args, **kwargs):
            nonlocal n_built
            for item in function(*args, **kwargs):
                n_built += 1
                yield item

        return wrapper

    from sklearn.model_selection import ParameterGrid, ParameterSampler

    for source in (ParameterGrid, ParameterSampler):
        monkeypatch.setattr(source, "__iter__", counted(source.__iter__))
    space = {"level": list(range(1000)), "depth": list(range(1000))}
    search = make(cls, StopsAtThird(), space, error_score="raise", cv=2)
    if cls is SampledSearchCV:
        search.set_params(n_iter=10**5, param_distributions={"level": expon(), "depth": [1]})
    with pytest.raises(Stop):
        search.fit(X, Y)
    assert len(search.trials_) <= n_built < 20


@every_class
def test_constraint_holds_before_any_fit(cls):
    """What the constraint rejects is never fitted, and does not count towards n_iter."""
    space = {"level": list(range(6)), "depth": list(range(6))}
    search = make(cls, Counting(), space, constraint=lambda p: p["level"] < p["depth"], n_iter=9)
    search.fit(X, Y)
    seen = [(p["level"], p["depth"]) for p in search.cv_results_["params"]]
    assert all(a < b for a, b in seen)
    assert len(seen) == len(set(seen)) == (15 if cls is ExhaustiveSearchCV else 9)


def test_constrained_grid_keeps_its_order():
    """The candidates of a constrained grid are those of the grid, less the rejected."""
    space = {"level": [3, 1, 2], "depth": [1, 3]}
    search = ExhaustiveSearchCV(Counting(), space, constraint=lambda p: p["level"] != p["depth"])
    control = GridSearchCV(Counting(), space).fit(X, Y).cv_results_["params"]
    expected = [p for p in control if p["level"] != p["depth"]]
    assert search.fit(X, Y).cv_results_["params"] == expected


@every_class
def test_constraint_gets_a_copy(cls):
    """What it does to the dict that it is given changes no candidate."""
    space = {"level": [1, 2, 3], "depth": [1, 2]}
    search = make(cls, Counting(), space, constraint=lambda p: p.pop("level") < 3, n_iter=4)
    search.fit(X, Y)
    assert len(search.trials_) == 4
    assert all(params.keys() == space.keys() for params in search.cv_results_["params"])


@every_class
def test_constraint_that_nothing_meets(cls):
    """An error that says so, not an empty table."""
    with pytest.raises(ValueError, match=r"[Nn]o fits|constraint"):
        make(cls, Counting(), {"level": [1, 2, 3, 4]}, constraint=lambda p: False).fit(X, Y)


# Records -----------------------------------------------------------------------------------------


@every_class
def test_trials_tell_what_happened(cls):
    """A record a candidate: number, params, status, split scores, times, and the error's text."""
    space = {"level": [1, 22, "fails"], "depth": [1]}
    search = make(cls, Counting(), space, n_iter=3)
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, Y)
    assert [trial.number for trial in search.trials_] == [0, 1, 2]
    for trial, params, mean in zip(
        search.trials_,
        search.cv_results_["params"],
        search.cv_results_["mean_test_score"],
        strict=True,
    ):
        assert trial.params == params
        is_bad = params["level"] == "fails"
        assert trial.status is (Status.FAILED if is_bad else Status.COMPLETE)
        assert [result.split for result in trial.results] == [0, 1, 2, 3, 4]
        if is_bad:
            assert "level='fails' cannot be fitted" in trial.error
        else:
            assert trial.error is None
            assert np.mean([r.scores["score"] for r in trial.results]) == pytest.approx(mean)
        assert all(r.details["fit_time"] >= 0 for r in trial.results)
    assert "1 failed" in repr(search.trials_)
    assert "2 complete" in repr(search.trials_)
    assert [t.number for t in search.trials_[1:]] == [1, 2]


def test_trials_to_a_frame():
    """A table with a row a trial, and a column a parameter, metric and split."""
    options = {"scoring": ["accuracy", "recall_macro"], "refit": "accuracy", "cv": 2}
    search = ExhaustiveSearchCV(SVC(), [{"C": [1, 2]}, {"gamma": [1.0]}], **options).fit(X, Y)
    frame = search.trials_.to_frame()
    assert list(frame["number"]) == [0, 1, 2]
    assert list(frame["status"]) == ["complete"] * 3
    assert frame["param_C"].isna().tolist() == [False, False, True]
    for split, metric in itertools.product(range(2), options["scoring"]):
        expected = search.cv_results_[f"split{split}_test_{metric}"]
        np.testing.assert_array_equal(frame[f"split{split}_{metric}"], expected)
    assert (frame["fit_time"] > 0).all()
    assert list(search.trials_[1:].to_frame()["number"]) == [1, 2]
    assert frame["error"].isna().all()
    assert isinstance(frame, pd.DataFrame)


def test_search_in_a_search():
    """A search is an estimator: it can be the estimator of another one, and be cloned with it."""
    inner = ExhaustiveSearchCV(SVC(), {"C": [1, 10]}, cv=2)
    outer = GPSearchCV(inner, {"estimator__gamma": (0.01, 1.0)}, n_iter=3, random_state=0, cv=2)
    outer.fit(X, Y)
    assert set(outer.best_params_) == {"estimator__gamma"}
    assert set(outer.best_estimator_.best_params_) == {"C"}
    clone(outer)


def test_a_scorer_that_returns_nan_is_named():
    """The candidate is failed, its metric named, and the others are ranked as before."""

    def nan_for_depth_2(estimator, X, y):
        return np.nan if estimator.max_depth == 2 else estimator.score(X, y)

    X, y = load_iris(return_X_y=True)
    scoring = {"accuracy": "accuracy", "odd": nan_for_depth_2}
    tree = DecisionTreeClassifier(random_state=0)
    search = ExhaustiveSearchCV(tree, {"max_depth": [1, 2, 3]}, scoring=scoring, refit="odd", cv=3)
    with pytest.warns(UserWarning, match="returned nan for odd in 3 fits of 9: see trials_"):
        search.fit(X, y)
    assert [t.status.value for t in search.trials_] == ["complete", "failed", "complete"]
    assert "odd" in search.trials_[1].error
    assert search.trials_[1].results[0].scores["accuracy"] > 0.5
    assert search.best_params_ == {"max_depth": 3}
