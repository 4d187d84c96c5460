"""Choosing the winner: rules against brute force, and again from stored results."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from hpsearch import (
    ExhaustiveSearchCV,
    FastestWithin,
    GPSearchCV,
    OneStandardError,
    WithinPercent,
)

X, Y = load_breast_cancer(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0)
GRID = {"max_depth": [1, 2, 3, 5, 9, None], "min_samples_leaf": [1, 5, 20]}


def results_of(scores, params, **columns):
    """A `cv_results_` of scores, (candidates, splits)."""
    scores = np.array(scores, dtype=float)
    table = {f"split{k}_test_score": column for k, column in enumerate(scores.T)}
    return table | {"mean_test_score": scores.mean(axis=1), "params": params, **columns}


@pytest.mark.parametrize("cls", [ExhaustiveSearchCV, GridSearchCV])
def test_one_standard_error_as_refit(cls):
    """By hand from `cv_results_`; scikit-learn's own search takes the rule too."""
    search = cls(TREE, GRID, cv=5, refit=OneStandardError(["max_depth"])).fit(X, Y)
    table = search.cv_results_
    means = table["mean_test_score"]
    best = int(means.argmax())
    scores = np.array([table[f"split{k}_test_score"][best] for k in range(5)])
    least = means[best] - scores.std(ddof=1) / np.sqrt(5)
    depths = [
        np.inf if p["max_depth"] is None else p["max_depth"]
        for p, m in zip(table["params"], means, strict=True)
        if m >= least
    ]
    assert search.best_params_["max_depth"] == min(depths)
    assert search.best_estimator_.get_params()["max_depth"] == min(depths)


def test_a_rule_among_several_metrics_as_refit():
    """It picks what it picks from the table of scikit-learn's own search."""
    rule = OneStandardError(["max_depth"], metric="f1")
    options = {"cv": 3, "scoring": ["accuracy", "f1"], "refit": rule}
    search, theirs = (
        cls(TREE, GRID, **options).fit(X, Y) for cls in (ExhaustiveSearchCV, GridSearchCV)
    )
    assert search.best_index_ == theirs.best_index_ == rule(theirs.cv_results_)


def test_a_metric_is_not_another_one_whose_name_goes_on():
    """The standard error of f1 is not that of f1 and f1_macro together."""
    params = [{"a": 2}, {"a": 1}]
    table = results_of([[0.90, 0.92], [0.88, 0.90]], params)
    f1 = {name.replace("score", "f1"): column for name, column in table.items()}
    macro = {name.replace("f1", "f1_macro"): column - 0.5 for name, column in f1.items()
             if name != "params"}  # fmt: skip
    rule = OneStandardError(["a"], metric="f1")
    assert rule(f1) == rule(macro | f1) == 0  # the error is 0.01, the difference 0.02


def test_simplicity_is_known_for_common_parameters():
    """More of a penalty is simpler, more of a depth is not, also below a step of a pipeline."""
    params = [{"svc__C": c, "ridge__alpha": a} for c in (1, 2) for a in (1, 2)]
    same = results_of([[0.5, 0.5]] * 4, params)
    assert params[OneStandardError()(same)] == {"svc__C": 1, "ridge__alpha": 2}
    unknown = results_of([[0.5, 0.5]] * 2, [{"colour": "red"}, {"colour": "blue"}])
    with pytest.raises(ValueError, match="simpler=None"):
        OneStandardError()(unknown)
    assert OneStandardError(["colour"])(unknown) == 0


def test_order_of_what_makes_simple():
    """The first name decides, the second among equals; a minus turns it round."""
    params = [{"a": a, "b": b} for a in (1, 2) for b in (1, 2)]
    same = results_of([[0.5, 0.5]] * 4, params)
    for simpler, expected in (
        (["a", "b"], {"a": 1, "b": 1}),
        (["-a", "b"], {"a": 2, "b": 1}),
        (["-b", "-a"], {"a": 2, "b": 2}),
    ):
        assert params[OneStandardError(simpler)(same)] == expected
    with pytest.raises(ValueError, match="'c' names none"):
        OneStandardError(["c"])(same)


def test_within_percent_and_fastest():
    """By hand; what is incomplete or too far off cannot win."""
    params = [{"n_estimators": n} for n in (1, 2, 3, 4)]
    scores = [[np.nan, 0.9], [0.97, 0.97], [0.995, 0.995], [1.0, 1.0]]
    times = {
        "mean_fit_time": np.array([0.0, 1.0, 3.0, 2.0]),
        "mean_score_time": np.array([0.0, 3.0, 1.0, 2.0]),
    }
    table = results_of(scores, params, **times)
    assert [WithinPercent(p)(table) for p in (0.0, 1.0, 3.5)] == [3, 2, 1]
    assert [FastestWithin(t)(table) for t in (0.0, 0.01, 0.05)] == [3, 3, 1]
    assert FastestWithin(0.05, time="score")(table) == 2
    negative = results_of([[-1.0, -1.0], [-1.04, -1.04]], [{"C": 2}, {"C": 1}])
    assert [WithinPercent(p)(negative) for p in (3, 5)] == [0, 1]


def test_nothing_to_pick_from():
    """Errors that name what there is."""
    none = results_of([[np.nan, 0.5]], [{"C": 1}])
    with pytest.raises(ValueError, match="every split"):
        OneStandardError()(none)
    with pytest.raises(ValueError, match="metric='recall'"):
        OneStandardError(metric="recall")(none)


# Again -------------------------------------------------------------------------------------------


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
        return np.full(len(X), self.classes_[int(self.C) % len(self.classes_)])


def test_select_fits_once():
    """One fit, that of the new winner; the first search stays as it was."""
    X, Y = load_iris(return_X_y=True)
    search = ExhaustiveSearchCV(Counting(), {"C": [1.0, 2.0, 3.0]}, cv=3).fit(X, Y)
    before, Counting.n_fits = search.best_estimator_, 0
    chosen = search.select(where=lambda row: row["params"]["C"] > 2, X=X, y=Y)
    assert Counting.n_fits == 1
    assert chosen.best_params_ == {"C": 3.0}
    assert chosen.best_index_ == 2
    assert chosen.best_estimator_.C == 3.0
    assert search.best_estimator_ is before
    assert not hasattr(search.select(where=lambda row: row["params"]["C"] > 2), "best_estimator_")
    assert Counting.n_fits == 1


def test_select_by_another_metric():
    """As if the search had been told so from the start."""
    model = make_pipeline(StandardScaler(), SVC())
    space = {"svc__C": [0.001, 0.1, 10], "svc__class_weight": [None, "balanced"]}
    metrics = ["accuracy", "recall", "roc_auc"]
    search = ExhaustiveSearchCV(model, space, scoring=metrics, refit="accuracy", cv=3).fit(X, Y)
    for metric in metrics:
        expected = clone(search).set_params(refit=metric).fit(X, Y)
        chosen = search.select(metric, X, Y)
        assert chosen.best_index_ == expected.best_index_
        assert chosen.best_score_ == expected.best_score_
        np.testing.assert_array_equal(chosen.predict(X), expected.predict(X))
        assert f"Best: {metric}" in chosen.summary().lines[1]
    with pytest.raises(ValueError, match="metric=None: the metrics"):
        search.select()


def test_select_by_a_rule_with_a_metric_and_a_constraint():
    """All three together, of a search that learnt; rows have what `cv_results_` has."""
    model = make_pipeline(StandardScaler(), LogisticRegression())
    space = {"logisticregression__C": (1e-4, 1e2, "log-uniform")}
    search = GPSearchCV(
        model,
        space,
        n_iter=12,
        random_state=0,
        scoring=["accuracy", "f1"],
        metric="f1",
        refit=False,
    ).fit(X, Y)
    chosen = search.select(
        OneStandardError(metric="f1"), X, Y, where=lambda row: row["mean_fit_time"] >= 0
    )
    means = search.cv_results_["mean_test_f1"]
    assert (
        chosen.best_params_["logisticregression__C"]
        <= search.cv_results_["params"][int(means.argmax())]["logisticregression__C"]
    )
    assert chosen.predict(X).shape == Y.shape
    with pytest.raises(ValueError, match="where: no candidate"):
        search.select("f1", where=lambda row: False)
    for place in (99, -1, len(search.cv_results_["params"])):
        with pytest.raises(IndexError, match=f"returned {place}"):
            search.select(lambda results, place=place: place)
    first, last = search.cv_results_["params"][0], search.cv_results_["params"][-1]
    n = len(search.cv_results_["params"])
    for place, params in ((0, first), (n - 1, last)):
        assert search.select(lambda results, place=place: place).best_params_ == params
