"""`search.summary()`: each line says what is so, and is silent where there is nothing to say."""

import warnings
from functools import partial

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from hpsearch import (
    ExhaustiveSearchCV,
    GPSearchCV,
    Integer,
    OneStandardError,
    Real,
    SampledSearchCV,
    TPESearchCV,
    WithinPercent,
)
from hpsearch.failures import grouped
from hpsearch.importance import Boxes, importances, without_effect
from hpsearch.plots import EffectDisplay
from hpsearch.space import Space
from hpsearch.trial import SplitResult, Status, Trial

X, Y = load_iris(return_X_y=True)


class Drawn(ClassifierMixin, BaseEstimator):
    """Its accuracy is `level` on every split, whatever the data; some values fail."""

    def __init__(self, level=0.5, idle=0, how="well"):
        self.level = level
        self.idle = idle
        self.how = how

    def fit(self, X, y):
        if self.how == "badly" or self.level > 0.95:
            raise ValueError(f"level {self.level} with how={self.how!r} is too much")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X))

    def score(self, X, y):
        return self.level


def fitted(cls, space, estimator=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # failures are what some of the tests are about
        options = {"cv": 3} | options
        return cls(Drawn() if estimator is None else estimator, space, **options).fit(X, Y)


def lines_with(search, text):
    return [line for line in search.summary().lines if text in line]


@pytest.mark.parametrize("cls", [ExhaustiveSearchCV, SampledSearchCV, GPSearchCV, TPESearchCV])
def test_ten_lines_at_most(cls):
    """Of any search; counts and the best are those of `cv_results_`."""
    options = {} if cls is ExhaustiveSearchCV else {"n_iter": 12, "random_state": 0}
    space = {"C": list(np.geomspace(0.01, 100, 6)), "kernel": ["rbf", "linear"]}
    search = fitted(cls, space, SVC(), **options)
    summary = search.summary()
    assert 4 <= len(summary.lines) <= 10
    assert str(summary).splitlines() == list(summary.lines)
    assert f"{cls.__name__} of SVC: 12 candidates (12 complete), 36 fits" in summary.lines[0]
    assert f"score {search.best_score_:.4g}" in summary.lines[1]
    assert f"(candidate {search.best_index_})" in summary.lines[1]
    assert summary.honest.score <= search.best_score_
    assert search.best_index_ in summary.tied


def test_values_of_numpy_are_told_as_pythons():
    """Whoever lists values in an array reads the same lines."""
    grid = {"kernel": ["poly", "rbf"], "shrinking": [False, True], "C": [1, 12345]}
    lines = [
        ExhaustiveSearchCV(SVC(), given, cv=3).fit(X, Y).summary().lines[1]
        for given in (grid, {name: np.array(values) for name, values in grid.items()})
    ]
    assert lines[0] == lines[1]
    assert "kernel=" in lines[0]


def test_defaults_beside_the_best():
    """They are found among the candidates; what they lack is told, and whether it may be luck."""
    search = fitted(ExhaustiveSearchCV, {"C": [0.001, 1.0, 5.0]}, SVC())
    (line,) = lines_with(search, "own parameters")
    default = search.cv_results_["mean_test_score"][1]
    assert f"give {default:.4g}" in line
    assert "may be luck" in line
    assert search.summary().p_of_defaults > 0.05
    search = fitted(ExhaustiveSearchCV, {"C": [1e-5, 1.0]}, LogisticRegression(C=1e-5))
    assert lines_with(search, "more than luck")
    assert search.summary().p_of_defaults < 0.05
    assert lines_with(fitted(ExhaustiveSearchCV, {"level": [0.5, 0.1]}), "nothing was gained")
    assert lines_with(fitted(ExhaustiveSearchCV, {"level": [0.6, 0.1]}), "not among")


def test_ties():
    """Those of the same scores are tied with the best, those that are always worse are not."""
    search = fitted(ExhaustiveSearchCV, {"level": [0.9, 0.5], "idle": [0, 1]}, cv=8)
    assert search.summary().tied == (*np.flatnonzero(search.cv_results_["param_level"] == 0.9),)
    assert lines_with(fitted(ExhaustiveSearchCV, {"level": [0.9, 0.5]}, cv=8), "No other")


def test_best_value_at_the_edge():
    """Told where one could look beyond: not where the estimator would refuse it."""
    search = fitted(ExhaustiveSearchCV, {"C": [1e-6, 1e-5, 1e-4]}, LogisticRegression())
    assert search.summary().on_edge == ("C",)
    assert lines_with(search, "At the edge of its range: C = 0.0001")
    tree = DecisionTreeClassifier(random_state=0)
    search = fitted(ExhaustiveSearchCV, {"min_samples_leaf": [1, 40, 80]}, tree)
    assert search.best_params_ == {"min_samples_leaf": 1}
    assert search.summary().on_edge == ()  # 0 is no number of samples
    space = {"level": Real(0.1, 0.9), "idle": Integer(0, 50)}
    search = fitted(GPSearchCV, space, n_iter=15, random_state=0)
    assert search.summary().on_edge[:1] == ("level",) or "level" in search.summary().on_edge


TREE = DecisionTreeClassifier(random_state=0)
SGD = SGDClassifier(penalty="elasticnet", max_iter=3, tol=None, random_state=0)
ENDS = [  # whether the estimator takes a value below the least, and above the greatest
    (SGD, {"l1_ratio": [0.0, 0.5, 1.0]}, False, False),
    (SGD, {"alpha": [0.01, 0.1, 1.0]}, True, True),
    (TREE, {"max_depth": [1, 2, 3]}, False, True),
    (TREE, {"max_depth": [3, 2, 4]}, True, True),
    (TREE, {"max_depth": [1, 2]}, False, False),  # too few to have ends
    (TREE, {"max_depth": Integer(1, 4)}, False, True),
    (TREE, {"min_impurity_decrease": Real(0.0, 0.5)}, False, True),
    (TREE, {"max_features": Real(0.1, 1.0)}, True, False),
    (TREE, {"ccp_alpha": Real(1e-3, 1.0, log=True)}, True, True),
]


@pytest.mark.parametrize("sign", [-1, 1], ids=["least", "greatest"])
@pytest.mark.parametrize(("estimator", "space", "below", "above"), ENDS)
def test_both_edges_of_every_kind_of_range(estimator, space, below, above, sign):
    """The best at either end is told where one can look beyond, on whatever scale."""
    ((name, values),) = space.items()
    cls, options = ExhaustiveSearchCV, {}
    if not isinstance(values, list):
        cls, options = SampledSearchCV, {"n_iter": 20 if name == "max_depth" else 200}
        options["random_state"] = 0
    score = partial(_value_of, name, sign)
    search = fitted(cls, space, estimator, scoring=score, cv=2, refit=False, **options)
    assert search.summary().on_edge == ((name,) if (above if sign > 0 else below) else ())


def _value_of(name, sign, model, X, y):
    return sign * getattr(model, name)


def test_one_candidate_of_a_distribution():
    """Of which nothing is known but one value."""
    search = fitted(SampledSearchCV, {"level": stats.uniform(0.1, 0.5)}, n_iter=1, random_state=0)
    assert search.summary().on_edge == ()
    assert "1 complete" in search.summary().lines[0]


def test_parameters_without_effect():
    """Exactly where the same score comes for every value; also where no two candidates match."""
    grid = {"level": [0.1, 0.3, 0.5, 0.7], "idle": [0, 1, 2]}
    assert fitted(ExhaustiveSearchCV, grid).summary().idle == ("idle",)
    space = {"level": Real(0.1, 0.9), "idle": Real(0.0, 1.0)}
    search = fitted(SampledSearchCV, space, n_iter=60, random_state=0)
    assert search.summary().idle == ("idle",)
    grid = {"C": [0.001, 0.01, 0.1], "gamma": [0.001, 0.01, 0.1]}
    assert fitted(ExhaustiveSearchCV, grid, SVC()).summary().idle == ()


def rising(scores, **options):
    """Candidates in the order of a list."""
    return fitted(GPSearchCV, {"level": scores}, n_iter=len(scores), **options).summary()


def test_a_curve_that_still_rises():
    """Told when the last candidates brought much of the gain; never of a grid that was covered."""
    still = list(np.linspace(0.1, 0.9, 20))
    assert rising(still).is_rising
    assert not rising(still[::-1]).is_rising
    assert not fitted(ExhaustiveSearchCV, {"level": still}).summary().is_rising


def test_failures_have_something_in_common():
    """All of a group, and nobody else: said in words; two reasons are two groups."""
    grid = {"level": [0.1, 0.5, 0.99], "how": ["well", "badly"], "idle": [0, 1]}
    search = fitted(ExhaustiveSearchCV, grid)
    (line,) = lines_with(search, "Failures")
    assert '"ValueError: level ' in line
    groups = search.summary().failures
    assert sum(len(g.trials) for g in groups) == 8
    numbers = [t.number for t in search.trials_ if t.status is Status.FAILED]
    assert sorted(n for g in groups for n in g.trials) == numbers


FAILED = [SplitResult(0, status=Status.FAILED, error="Traceback\n  x = 1\nValueError: no {n}")]


def trials(rule, candidates):
    return [
        Trial(i, p, Status.FAILED if rule(p) else Status.COMPLETE, FAILED if rule(p) else [])
        for i, p in enumerate(candidates)
    ]


CANDIDATES = [
    {"penalty": p, "solver": s, "C": c}
    for p in ("l1", "l2")
    for s in ("lbfgs", "saga")
    for c in (0.1, 1.0, 10.0, 100.0)
]


@pytest.mark.parametrize(
    ("rule", "common"),
    [
        (lambda p: p["penalty"] == "l1", "penalty='l1'"),
        (lambda p: p["C"] > 5, "C >= 10"),
        (lambda p: p["C"] < 5, "C <= 1"),
        (lambda p: p["penalty"] == "l1" and p["C"] > 5, "penalty='l1' and C >= 10"),
        (
            lambda p: p["penalty"] == "l1" and p["solver"] == "lbfgs",
            "penalty='l1' and solver='lbfgs'",
        ),
        (lambda p: True, None),
    ],
    ids=["a value", "large", "small", "a value and large", "two values", "everything"],
)
def test_the_rule_behind_failures_is_found(rule, common):
    """One condition, a bound or two conditions; nothing if all candidates fail."""
    (group,) = grouped(trials(rule, CANDIDATES))
    assert group.common == common
    assert group.n_others == 0
    told = f'{len(group.trials)} failed with "ValueError: no {{n}}"'
    assert str(group) == (f"{told}; all have {common}" if common else told)


def test_failures_at_random_have_nothing_in_common():
    """A rule that holds for most of the others too is no explanation."""
    rng = np.random.default_rng(0)
    some = {id(p) for p in rng.choice(CANDIDATES, 5, replace=False)}
    for group in grouped(trials(lambda p: id(p) in some, CANDIDATES)):
        assert group.common is None or group.n_others <= len(CANDIDATES) // 2


def test_nothing_complete():
    """A summary all the same."""
    search = ExhaustiveSearchCV(Drawn(), {"how": ["badly"]}, cv=3)
    with pytest.raises(ValueError, match="fits failed"):
        search.fit(X, Y)
    lines = search.summary().lines
    assert "(0 complete, 1 failed)" in lines[0]
    assert "No candidate" in lines[1]


def test_summary_of_what_is_not_fitted():
    """An error that says what to do."""
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        GPSearchCV(SVC(), {"C": (0.1, 1.0)}).summary()


def test_several_metrics():
    """The metric of `refit` is summarised; without a refit, the one that guided the search."""
    metrics = ["accuracy", "f1_macro"]
    for options in ({"refit": "f1_macro"}, {"refit": False, "metric": "f1_macro"}):
        search = fitted(GPSearchCV, {"C": (0.01, 1.0)}, SVC(), scoring=metrics, n_iter=5, **options)
        best = search.cv_results_["mean_test_f1_macro"].max()
        assert f"Best: f1_macro {best:.4g}" in search.summary().lines[1]


# Importances -------------------------------------------------------------------------------------


class Tree:
    """A tree of scikit-learn's form: x0 < 0.5 gives 0, else x1 < 0.25 gives 1, else 3."""

    node_count = 5
    children_left = np.array([1, -1, 3, -1, -1])
    children_right = np.array([2, -1, 4, -1, -1])
    feature = np.array([0, -2, 1, -2, -2])
    threshold = np.array([0.5, -2, 0.25, -2, -2])
    value = np.array([0.0, 0.0, 0.0, 1.0, 3.0]).reshape(5, 1, 1)


def test_shares_of_a_tree_by_hand():
    """Marginals of a tree of three leaves, integrated on a fine grid of cells."""
    boxes = Boxes.of(Tree, 2)
    x = (np.arange(400) + 0.5) / 400
    f = np.where(x[:, None] < 0.5, 0.0, np.where(x[None, :] < 0.25, 1.0, 3.0))
    variance = f.var()
    assert boxes.variance == pytest.approx(variance)
    for i, axis in ((0, 1), (1, 0)):
        assert boxes.alone(i) == pytest.approx(f.mean(axis=axis).var() / variance)
    assert boxes.pair(0, 1) == pytest.approx(1.0)


def test_importances_of_a_known_function():
    """f = 3 a + b: shares 0.9 and 0.1, from 200 points; and a product is an interaction."""
    space = Space.of({"a": (0.0, 1.0), "b": (0.0, 1.0), "c": ["x", "y", "z"]})
    rng = np.random.default_rng(0)
    params = [
        {"a": float(a), "b": float(b), "c": str(c)}
        for (a, b), c in zip(rng.random((300, 2)), rng.choice(list("xyz"), 300), strict=True)
    ]
    found = importances(space, params, np.array([3 * p["a"] + p["b"] for p in params]))
    assert found.alone["a"][0] == pytest.approx(0.9, abs=0.07)
    assert found.alone["b"][0] == pytest.approx(0.1, abs=0.07)
    assert found.alone["c"][0] < 0.02
    product = np.array([(p["a"] - 0.5) * (p["b"] - 0.5) for p in params])
    found = importances(space, params, product)
    assert max(found.together, key=lambda pair: found.together[pair][0]) == ("a", "b")
    assert found.together["a", "b"][0] > 0.5


def test_importances_of_a_conditional_space():
    """A branch is a column of its own; parameters that a branch lacks do not disturb."""
    space = Space.of([{"kernel": ["rbf"], "gamma": (0.0, 1.0)}, {"kernel": ["linear"]}])
    rng = np.random.default_rng(0)
    params = [{"kernel": "rbf", "gamma": float(g)} for g in rng.random(40)]
    params += [{"kernel": "linear"}] * 20
    found = importances(space, params, np.array([float(len(p)) for p in params]))
    assert found.alone["branch"][0] > 0.9


def test_too_little_to_say():
    """Few candidates, or scores that are all the same: nothing, not a guess."""
    space = Space.of({"a": (0.0, 1.0)})
    params = [{"a": 0.1 * i} for i in range(10)]
    assert importances(space, params[:5], np.arange(5.0)) is None
    assert importances(space, params, np.ones(10)) is None
    assert without_effect(space, params, np.ones((10, 3))) == []


def test_metrics_and_a_callable_that_picks():
    """No metric is named: the results are told by the first, or by that of the rule."""
    grid = {"C": [0.01, 0.1, 1.0, 10.0]}
    options = {"scoring": {"a": "accuracy", "r": "recall_macro"}}
    search = fitted(ExhaustiveSearchCV, grid, SVC(), refit=lambda _: 1, **options)
    assert "Best: a " in search.summary().lines[1]
    assert "candidate 1" in search.summary().lines[1]
    again = search.select(lambda _: 3)
    assert again.best_params_ == {"C": 10.0}
    assert again.best_score_ == search.cv_results_["mean_test_a"][3]
    rule = WithinPercent(1, metric="r")
    assert (
        "Best: r "
        in fitted(ExhaustiveSearchCV, grid, SVC(), refit=rule, **options).summary().lines[1]
    )
    without = fitted(ExhaustiveSearchCV, grid, SVC(), refit=False, **options)
    assert "Best: a " in without.summary().lines[1]


def test_defaults_that_are_estimators():
    """A step that is set as it is in the pipeline is the pipeline's own."""
    model = Pipeline([("clf", SVC())])
    space = {"clf": [SVC(), LogisticRegression()]}
    summary = fitted(ExhaustiveSearchCV, space, model).summary()
    assert "were not among" not in str(summary)
    other = {"clf": [SVC(C=2), LogisticRegression()]}
    assert "were not among" in str(fitted(ExhaustiveSearchCV, other, model).summary())


def test_one_complete_candidate():
    """There is nothing to correct for and nobody to compare with, and that is what is said."""
    lines = fitted(ExhaustiveSearchCV, {"level": [0.5]}).summary().lines
    assert lines[0].startswith("ExhaustiveSearchCV of Drawn: 1 candidate (1 complete)")
    assert "no other candidate is complete" in lines[2]
    assert lines[4] == "There is no other candidate to compare with."


def test_pruned_candidates_are_not_hidden():
    """Their share in the optimism is not known."""
    grid = {"level": [0.9, 0.5, 0.4, 0.3]}
    search = fitted(ExhaustiveSearchCV, grid, pruner="race")
    assert any(trial.status is Status.PRUNED for trial in search.trials_)
    assert "pruned adds is not known" in search.summary().lines[2]


def accuracy_over(least, scale):
    return lambda model, X, y: scale * (model.score(X, y) - least)


@pytest.mark.parametrize("power", [996, -996])
def test_scores_of_any_size_are_told_alike(power):
    """By a power of two all numbers are exact: the same words, ties, edges and corrections."""
    space, scale = {"C": [0.01, 0.1, 1, 10, 100], "gamma": [0.01, 0.1, 1, 10]}, 2.0**power
    plain, other = (
        fitted(ExhaustiveSearchCV, space, SVC(), scoring=accuracy_over(0.9, by))
        for by in (1.0, scale)
    )
    told, expected = other.summary(), plain.summary()
    for name in ("tied", "p_of_defaults", "on_edge", "idle", "is_rising"):
        np.testing.assert_equal(getattr(told, name), getattr(expected, name))
    for method in ("splits", "tibshirani"):
        got, control = other.corrected_score(method), plain.corrected_score(method)
        for name in ("score", "optimism", "low", "high"):
            assert getattr(got, name) == scale * getattr(control, name)
    rule = OneStandardError(["C", "gamma"])
    assert other.select(rule).best_params_ == plain.select(rule).best_params_
    figure = pytest.importorskip("matplotlib.figure").Figure
    got, control = (
        EffectDisplay.from_search(search, "C", ax=figure().subplots()).ax_.lines[0].get_ydata()
        for search in (other, plain)
    )
    np.testing.assert_allclose(got / scale, control)


def test_a_correction_of_r2_does_not_depend_on_where_targets_lie():
    """Targets of 1e10 and some: what is corrected by rows is what it would be about zero."""
    data, targets = load_diabetes(return_X_y=True)
    found = []
    for far in (0.0, 2.0**33):
        search = ExhaustiveSearchCV(Ridge(), {"alpha": [0.1, 1, 10]}, keep="predictions")
        found.append(search.fit(data, targets + far).corrected_score("rows"))
    near, away = found
    for name in ("score", "optimism", "low", "high"):
        assert getattr(away, name) == pytest.approx(getattr(near, name), rel=1e-4)
