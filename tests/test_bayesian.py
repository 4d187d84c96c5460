"""The searches that learn: what comes first, what never comes, and that no worker waits."""

import os
import select
import warnings

import numpy as np
import pytest
from joblib import parallel_config
from scipy.stats import loguniform, randint, uniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, recall_score
from sklearn.model_selection import ParameterGrid, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from hpsearch import (
    ExhaustiveSearchCV,
    GPSearchCV,
    Integer,
    Ordinal,
    Real,
    SampledSearchCV,
    TPESearchCV,
)
from hpsearch.optimizers import AbstractOptimizer, RandomOptimizer
from hpsearch.trial import Status
from tests.doubling import Doubling

X, Y = load_iris(return_X_y=True)
LEARNERS = [GPSearchCV, TPESearchCV]
every_learner = pytest.mark.parametrize("cls", LEARNERS)


class Hill(ClassifierMixin, BaseEstimator):
    """Has a score that is a function of its parameters; fails in a part of the space."""

    def __init__(self, x=0.3, y=0.5, kind="round", fails_below=-1.0, fifo=None):
        self.x = x
        self.y = y
        self.kind = kind
        self.fails_below = fails_below
        self.fifo = fifo

    def fit(self, X, y):
        if self.x < self.fails_below:
            raise ValueError("too low")
        if self.fifo is not None:
            self._meet(len(X))
        self.classes_ = np.unique(y)
        return self

    def _meet(self, n_rows):
        """The first candidate's first split waits for OTHERS other fits; each tells of itself."""
        fifo = os.open(self.fifo, os.O_RDWR)
        if self.x == 0.3 and n_rows == SLOW_ROWS:
            for _ in range(OTHERS):
                ready, _, _ = select.select([fifo], [], [], 60)
                if not ready:
                    raise RuntimeError("the other fits were not started")
                os.read(fifo, 1)
        else:
            os.write(fifo, b".")
        os.close(fifo)

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return -((self.x - 0.7) ** 2) - (self.y - 0.2) ** 2


class Given(Hill):
    """Takes any x."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def score(self, X, y):
        return 0.0


def fit(cls, model, space, **options):
    return cls(model, space, **{"random_state": 0, "n_iter": 8, "cv": 2} | options).fit(X, Y)


def asked(search):
    return [trial.params for trial in search.trials_]


# What comes first --------------------------------------------------------------------------------


@every_learner
@pytest.mark.parametrize(
    "x", [Real(0, 1), Real(0.01, 100, log=True), (0.1, 0.9), loguniform(0.01, 10), [0.1, 0.3, 0.5]]
)
def test_default_first(cls, x):
    """The first candidate is the estimator as it is, to the last bit."""
    search = fit(cls, Hill(), {"x": x, "y": (0.1, 0.9)}, n_iter=2)
    assert asked(search)[0] == {"x": 0.3, "y": 0.5}


@every_learner
def test_never_worse_than_the_default(cls):
    """However the search goes, the best is as good as the estimator as it is."""
    for seed in range(5):
        search = fit(cls, Hill(x=0.7, y=0.2), {"x": (0.0, 1.0), "y": (0.0, 1.0)}, random_state=seed)
        assert search.best_score_ == 0.0
        assert search.best_params_ == {"x": 0.7, "y": 0.2}


@every_learner
def test_default_outside_the_space(cls):
    """The nearest takes the place of what lies outside; if all does, there is no default to try."""
    space = {"x": (0.5, 0.9), "y": (0.1, 0.9)}
    assert asked(fit(cls, Hill(), space))[0] == {"x": 0.5, "y": 0.5}
    narrow = {"x": (0.5, 0.9), "y": (0.6, 0.9)}
    assert asked(fit(cls, Hill(), narrow))[0] != {"x": 0.5, "y": 0.6}


@every_learner
@pytest.mark.parametrize(
    ("x", "nearest"),
    [
        (Real(0.001, 0.1, log=True), 0.1),
        (Integer(1, 9), 1),
        (uniform(0.5, 0.25), 0.5),
        (Ordinal([0.05, 0.1, 0.28, 0.4, 0.9]), 0.28),
        (["low", "middle", "high"], "middle"),  # nothing is near, so that any will do
    ],
)
def test_nearest_to_the_default(cls, x, nearest):
    """Of numbers it is the nearest of the space: an end, or one of those listed."""
    search = fit(cls, Given(), {"x": x, "y": (0.1, 0.9)}, n_iter=2)
    expected = nearest if isinstance(nearest, str) else pytest.approx(nearest)
    assert asked(search)[0] == {"x": expected, "y": 0.5}


@every_learner
@pytest.mark.parametrize("x", [(0.1, 0.9), (1, 9), uniform(0.1, 0.8), randint(1, 10), [1, 3, 5]])
def test_nearest_to_an_infinite_default(cls, x):
    """Infinity is beyond the upper end."""
    search = fit(cls, Given(x=np.inf), {"x": x, "y": (0.1, 0.9)}, n_iter=2)
    upper = 5 if isinstance(x, list) else 9 if x == (1, 9) or hasattr(x, "pmf") else 0.9
    assert asked(search)[0] == {"x": pytest.approx(upper), "y": 0.5}


@every_learner
@pytest.mark.parametrize(("x", "nearest"), [(None, 4), (100, 8), (2, 2)])
def test_defaults_and_a_dimension_of_the_users_own(cls, x, nearest):
    """What it cannot reckon with, such as None, does not belong to it."""
    search = fit(cls, Given(x=x), {"x": Doubling(), "y": (0.1, 0.9)}, n_iter=2)
    assert asked(search)[0] == {"x": nearest, "y": 0.5}


@every_learner
def test_default_of_a_step(cls):
    """Values below a pipeline's steps are found by their names."""
    model = make_pipeline(StandardScaler(), SVC(C=3.0))
    search = fit(cls, model, {"svc__C": Real(0.01, 100, log=True)}, n_iter=2)
    assert asked(search)[0] == {"svc__C": 3.0}


@every_learner
def test_defaults_of_each_model(cls):
    """A branch that sets another model begins with that model's values, not the estimator's."""
    tree, machine = DecisionTreeClassifier(min_samples_leaf=3), SVC(C=7.0)
    model = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression(C=3.0))])
    C = Real(0.01, 100, log=True)
    space = [
        {"model": [tree], "model__min_samples_leaf": (1, 9), "model__max_depth": (1, 9)},
        {"model": [machine], "model__C": C, "model__tol": (1.0, 2.0)},
        {"model__C": C},
    ]
    search = fit(cls, model, space, initial_params=[{"model": machine, "model__tol": 1.2}])
    candidates = asked(search)
    assert candidates[:2] == [
        {"model__C": 3.0},  # the estimator as it is comes first
        {"model": machine, "model__C": 7.0, "model__tol": 1.2},  # the gap is filled by the model
    ]
    of_tree = [params for params in candidates if params.get("model") is tree]
    assert of_tree[0] == {"model": tree, "model__min_samples_leaf": 3, "model__max_depth": 5}
    assert (tree.max_depth, machine.tol) == (None, 1e-3)
    assert isinstance(model.named_steps["model"], LogisticRegression)


@every_learner
def test_defaults_of_a_model_that_lie_outside(cls):
    """The nearest open its branch, though it knows none of the values but the model itself."""
    tree = DecisionTreeClassifier(min_samples_leaf=30)
    model = Pipeline([("model", SVC())])
    space = [
        {"model__C": Real(0.01, 100, log=True)},
        {"model": [tree], "model__min_samples_leaf": (1, 20)},
    ]
    of_tree = [params for params in asked(fit(cls, model, space)) if "model" in params]
    assert of_tree[0] == {"model": tree, "model__min_samples_leaf": 20}


@every_learner
def test_default_of_a_model_within_a_model(cls):
    """Steps that a branch sets inside a model that it sets are read there, and stay as they are."""
    inner = make_pipeline(StandardScaler(), SVC(C=2.0))
    model = Pipeline([("model", LogisticRegression())])
    space = {
        "model": [inner],
        "model__svc": [SVC(C=5.0)],
        "model__svc__C": Real(0.01, 100, log=True),
    }
    assert asked(fit(cls, model, space, n_iter=2))[0]["model__svc__C"] == 5.0
    assert inner.named_steps["svc"].C == 2.0


@every_learner
def test_openings_take_no_turn_of_their_own(cls):
    """A branch is opened by its model's values only when the search would try it anyway."""
    model = Pipeline([("model", SVC())])
    tried = [DecisionTreeClassifier(min_samples_leaf=leaf) for leaf in range(2, 22)]
    space = [{"model": [tree], "model__min_samples_leaf": (1, 30)} for tree in tried]
    space.append({"model__C": Real(0.01, 100, log=True)})
    candidates = asked(fit(cls, model, space, n_iter=12))
    assert candidates[0] == {"model__C": 1.0}
    seen = []
    for params in candidates[1:]:
        if "model" in params and params["model"] not in seen:
            seen.append(params["model"])
            assert params["model__min_samples_leaf"] == params["model"].min_samples_leaf
    assert seen != tried[: len(seen)]  # by the search's own choice, not in their order


@every_learner
def test_initial_params(cls):
    """The user's candidates follow the default in their order; gaps are filled by the estimator."""
    given = [{"x": 0.9, "y": 0.8}, {"y": 0.1}, {"x": 0.3, "y": 0.5}]  # the last is the default
    search = fit(cls, Hill(), {"x": (0.0, 1.0), "y": (0.0, 1.0)}, initial_params=given)
    expected = [{"x": 0.3, "y": 0.5}, {"x": 0.9, "y": 0.8}, {"x": 0.3, "y": 0.1}]
    assert asked(search)[:3] == expected
    assert len(asked(search)) == 8


@every_learner
def test_prior_trials(cls):
    """Scores of an earlier search say where to look, and are reported nowhere."""
    space = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
    old = ExhaustiveSearchCV(Hill(), {k: list(np.linspace(0.05, 0.95, 7)) for k in "xy"}, cv=2)
    scores = old.fit(X, Y).cv_results_["mean_test_score"]
    hint = list(zip(old.cv_results_["params"], 100 + scores, strict=True))
    hinted, alone = (fit(cls, Hill(), space, prior_trials=h) for h in (hint, None))
    assert len(asked(hinted)) == 8
    assert asked(hinted)[0] == {"x": 0.3, "y": 0.5}  # the default, as ever
    assert hinted.cv_results_["mean_test_score"].max() == hinted.best_score_ <= 0
    assert hinted.best_score_ > alone.best_score_


@every_learner
def test_prior_trials_that_are_none(cls):
    """The error says what is wrong before the first fit."""
    with pytest.raises(ValueError, match=r"prior_trials: no candidate.*'x'"):
        fit(cls, Hill(), {"x": (0.0, 1.0)}, prior_trials=[({"x": 7.0}, 1.0)])
    with pytest.raises(TypeError, match=r"prior_trials\[0\]"):
        fit(cls, Hill(), {"x": (0.0, 1.0)}, prior_trials=[{"x": 0.5}])


@every_learner
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"x": 7.0}, r"initial_params\[1\].*'x'.*7.0"),
        ({"z": 1.0}, r"initial_params\[1\]"),
        ({"x": "a"}, r"initial_params\[1\].*'a'"),
    ],
)
def test_initial_params_outside_the_space(cls, given, told):
    """The error names which of them, the parameter and the value."""
    with pytest.raises(ValueError, match=told):
        fit(cls, Hill(), {"x": (0.0, 1.0), "y": (0.0, 1.0)}, initial_params=[{"x": 0.5}, given])


@every_learner
def test_initial_params_that_the_estimator_cannot_complete(cls):
    """The error names what was left out, and the estimator's value that lies outside."""
    space = [{"x": (0.0, 1.0), "y": (0.6, 1.0)}, {"x": (2.0, 3.0)}]
    told = r"initial_params\[0\]: .*leaves out \['y'\].*estimator has, {'y': 0.5}"
    with pytest.raises(ValueError, match=told):
        fit(cls, Hill(), space, initial_params=[{"x": 0.1}])


# What never comes --------------------------------------------------------------------------------


@every_learner
def test_never_twice(cls):
    """No candidate is evaluated twice while there is another one."""
    space = {"x": [0.1, 0.3, 0.5, 0.7], "y": (0.1, 0.9), "kind": ["round", "flat"]}
    space["y"] = [0.2, 0.5, 0.9]
    candidates = list(map(repr, asked(fit(cls, Hill(), space, n_iter=23))))
    assert len(candidates) == len(set(candidates)) == 23


@every_learner
@pytest.mark.parametrize("n_iter", [12, 100])
@pytest.mark.parametrize("initial", [None, [{"x": 0.9}]])
def test_finite_space_is_covered(cls, n_iter, initial):
    """If n_iter reaches all candidates: each once, in the order of a grid, the user's own first."""
    space = {"x": [0.5, 0.3, 0.9], "y": [0.5, 0.1], "kind": ["round", "flat"]}
    search = fit(cls, Hill(), space, n_iter=n_iter, initial_params=initial)
    default = {"x": 0.3, "y": 0.5, "kind": "round"}
    first = [default, default | {"x": 0.9}] if initial else []
    assert asked(search) == first + [p for p in ParameterGrid(space) if p not in first]
    assert search.best_score_ == ExhaustiveSearchCV(Hill(), space, cv=2).fit(X, Y).best_score_


@every_learner
def test_failures_are_avoided(cls):
    """Candidates that fail are data: the model keeps away from where they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = fit(cls, Hill(x=0.9, fails_below=0.5), {"x": (0.0, 1.0)}, n_iter=40)
    failed = [trial.status is Status.FAILED for trial in search.trials_]
    assert len(failed) == 40
    assert np.mean(failed[15:]) < 0.35  # half of the space; what else there is to try is soon known
    assert search.best_score_ > -0.15


@every_learner
def test_constraint(cls):
    """Nothing is fitted that the constraint rejects, not even the default; the budget is used."""
    space = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
    search = fit(cls, Hill(), space, constraint=lambda p: p["x"] > 2 * p["y"], n_iter=12)
    assert len(asked(search)) == 12
    assert all(p["x"] > 2 * p["y"] for p in asked(search))


# Spaces ------------------------------------------------------------------------------------------


@every_learner
def test_conditional_space_has_one_budget(cls):
    """A list of dicts is one search: n_iter in all, and absent parameters are masked."""
    space = [{"kind": ["round"], "x": (0.0, 1.0)}, {"kind": ["flat"], "y": (0.0, 1.0)}]
    search = fit(cls, Hill(), space, n_iter=14)
    kinds = [params["kind"] for params in asked(search)]
    assert len(kinds) == 14
    assert set(kinds) == {"round", "flat"}
    mask = np.ma.getmaskarray(search.cv_results_["param_x"])
    assert mask.tolist() == [kind == "flat" for kind in kinds]
    assert all(
        set(p) == ({"kind", "x"} if p["kind"] == "round" else {"kind", "y"}) for p in asked(search)
    )


@every_learner
def test_tuples_are_ranges_and_lists_are_values(cls):
    """A tuple of two numbers is a range here; a list never is, whatever is in it."""
    values = [p["x"] for p in asked(fit(cls, Hill(), {"x": (0.1, 0.9)}))]
    assert len(set(values)) == 8
    assert all(0.1 <= x <= 0.9 for x in values)
    assert {p["x"] for p in asked(fit(cls, Hill(), {"x": [0.1, 0.9]}))} == {0.1, 0.9}


@pytest.mark.parametrize("cls", [ExhaustiveSearchCV, SampledSearchCV])
def test_tuples_are_values_in_the_classical_searches(cls):
    """As in scikit-learn."""
    options = {} if cls is ExhaustiveSearchCV else {"n_iter": 2}
    search = cls(Hill(), {"x": (0.1, 0.9)}, cv=2, **options).fit(X, Y)
    assert {p["x"] for p in asked(search)} == {0.1, 0.9}


@pytest.mark.parametrize("cls", [SampledSearchCV, *LEARNERS])
def test_one_space_for_all_samplers(cls):
    """Ranges, distributions and lists mean the same in every class that samples."""
    space = {"x": Real(0.01, 1, log=True), "y": loguniform(0.01, 1), "kind": ["round", "flat"]}
    search = fit(cls, Hill(), space, n_iter=12)
    assert all(0.01 <= p["x"] <= 1 and 0.01 <= p["y"] <= 1 for p in asked(search))
    assert {p["kind"] for p in asked(search)} == {"round", "flat"}
    assert all(type(p["x"]) is float for p in asked(search))


@every_learner
def test_types_are_kept(cls):
    """Integers stay ints and bools bools: no numpy scalar and no float reaches the estimator."""
    space = {
        "n": Integer(1, 64, log=True),
        "k": (1, 9),
        "flag": [True, False],
        "o": Ordinal([1, 2]),
    }

    class Typed(Hill):
        def __init__(self, n=1, k=1, flag=False, o=1):
            super().__init__()
            self.n, self.k, self.flag, self.o = n, k, flag, o

    for params in asked(fit(cls, Typed(), space, n_iter=15)):
        assert {name: type(v) for name, v in params.items()} == {
            "n": int,
            "k": int,
            "flag": bool,
            "o": int,
        }


# Estimator, scores -------------------------------------------------------------------------------


@every_learner
def test_outer_folds_are_stratified(cls):
    """On rows sorted by label, a search inside cross_val_score sees every class in each fold."""
    search = cls(SVC(), {"C": (0.1, 10.0, "log-uniform")}, n_iter=3, cv=3, random_state=0)
    assert min(cross_val_score(search, X, Y, cv=3)) > 0.9


def two_scores(estimator, X, y):
    return {"x": -abs(estimator.x - 0.9), "y": -abs(estimator.y - 0.9)}


@every_learner
def test_metric_that_guides(cls):
    """Of several metrics the one named by `metric`, else by `refit`, guides the search."""
    space = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
    by_x, by_y, by_refit = (
        fit(cls, Hill(), space, n_iter=25, scoring=two_scores, **options)
        for options in (
            {"metric": "x", "refit": "y"},
            {"metric": "y", "refit": "x"},
            {"refit": "x"},
        )
    )
    assert asked(by_refit) == asked(by_x) != asked(by_y)
    late = slice(12, None)
    # Once x is as good as can be, what is still explored are bad ones: hence the median.
    assert np.median(by_x.cv_results_["mean_test_x"][late]) > np.median(
        by_y.cv_results_["mean_test_x"][late]
    )
    assert by_x.best_score_ == by_x.cv_results_["mean_test_y"].max()


@every_learner
def test_metric_must_be_known(cls):
    """Several metrics and none to be guided by, or one that is none of them: an error."""
    scoring = ["accuracy", "recall_macro"]
    with pytest.raises(ValueError, match="metric='accuracy'"):
        fit(cls, SVC(), {"C": (0.1, 1.0)}, scoring=scoring, refit=False)
    with pytest.raises(ValueError, match=r"metric='f1'.*accuracy"):
        fit(cls, SVC(), {"C": (0.1, 1.0)}, scoring=scoring, refit="accuracy", metric="f1")
    search = fit(
        cls, SVC(), {"C": (0.1, 1.0)}, scoring=scoring, refit=False, metric="accuracy", n_iter=2
    )
    assert not hasattr(search, "best_params_")


@every_learner
def test_rule_that_picks_the_winner(cls):
    """A callable `refit` picks the winner; the search is guided by the score."""
    search = fit(cls, Hill(), {"x": (0.0, 1.0)}, refit=lambda results: 3)
    assert search.best_index_ == 3
    assert search.best_params_ == asked(search)[3]


@every_learner
def test_scores_are_scikit_learns(cls):
    """Each candidate has the scores that cross_val_score gives it, bit for bit."""
    search = fit(cls, SVC(), {"C": (0.1, 10.0), "kernel": ["rbf", "linear"]}, n_iter=5, cv=3)
    for row, params in enumerate(asked(search)):
        expected = cross_val_score(SVC(**params), X, Y, cv=3)
        got = [search.cv_results_[f"split{i}_test_score"][row] for i in range(3)]
        np.testing.assert_array_equal(got, expected)


# Seeds, extension --------------------------------------------------------------------------------


@every_learner
def test_same_seed_same_search(cls):
    """With one job the same seed gives the same candidates and scores, bit for bit."""
    space = [
        {"x": (0.0, 1.0), "y": (0.0, 1.0)},
        {"kind": ["a", "b"], "x": (0.1, 10.0, "log-uniform")},
    ]
    first, again, other = (fit(cls, Hill(), space, n_iter=20, random_state=s) for s in (3, 3, 4))
    assert asked(first) == asked(again) != asked(other)
    scores = first.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores, again.cv_results_["mean_test_score"])


@every_learner
def test_booleans_of_numpy_are_booleans(cls):
    """Settings that come out of a table mean what Python's own do."""
    names = ("deterministic", "reuse", "memory_guard", "refit", "return_train_score")
    for no in (False, True):
        plain, own = (
            fit(cls, Hill(), {"x": (0.0, 1.0)}, n_iter=6, n_jobs=2, **dict.fromkeys(names, given))
            for given in (no, np.bool_(no))
        )
        assert len(own.trials_) == 6
        assert hasattr(own, "best_estimator_") is no
        if no:  # deterministic
            assert asked(own) == asked(plain)


@every_learner
def test_more_iterations_begin_alike(cls):
    """A longer search with the same seed begins as the shorter one went."""
    space = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
    short, long = (fit(cls, Hill(), space, n_iter=n) for n in (12, 18))
    assert asked(long)[:12] == asked(short)


@every_learner
def test_seeds_of_other_kinds(cls):
    """A generator gives a seed; None another one each time."""
    space = {"x": (0.0, 1.0)}
    seeded = [fit(cls, Hill(), space, random_state=np.random.RandomState(5)) for _ in range(2)]
    assert asked(seeded[0]) == asked(seeded[1])
    unseeded = [fit(cls, Hill(), space, random_state=None) for _ in range(2)]
    assert asked(unseeded[0]) != asked(unseeded[1])


class Falling(AbstractOptimizer):
    """Goes down from 1, and remembers that it was asked."""

    def propose(self, history, rng):
        return self.space.encode({"x": 1 - len(history) / 100})


class FallingSearchCV(GPSearchCV):
    _optimizer_class = Falling


@pytest.mark.parametrize(
    "make", [FallingSearchCV, lambda *args, **kw: TPESearchCV(*args, optimizer=Falling, **kw)]
)
def test_optimizer_of_the_users_own(make):
    """A class of one method is a search: by `optimizer=`, or as a subclass of one line."""
    search = make(Hill(), {"x": (0.0, 1.0)}, n_iter=4, cv=2, random_state=0).fit(X, Y)
    assert asked(search) == [{"x": 0.3}, {"x": 0.99}, {"x": 0.98}, {"x": 0.97}]


class Foreign:
    """An optimizer that knows nothing of ours but the names of its methods."""

    learns = True

    def __init__(self, space, random_state, initial_params):
        self.told = []

    def ask(self):
        return {"x": 0.1 * (1 + len(self.told))}

    def tell(self, params, score, *, noise=None, cost=None):
        self.told.append((params, score, cost))

    def expect(self, params):
        pass


def test_foreign_optimizer():
    """It is told each candidate's mean score, and the seconds it took."""
    made = []

    def make(*args, **kwargs):
        made.append(Foreign(*args, **kwargs))
        return made[0]

    search = GPSearchCV(Hill(), {"x": (0.0, 1.0)}, n_iter=3, cv=2, optimizer=make).fit(X, Y)
    assert [params["x"] for params in asked(search)] == pytest.approx([0.1, 0.2, 0.3])
    assert [score for _, score, _ in made[0].told] == list(search.cv_results_["mean_test_score"])
    assert all(cost > 0 for _, _, cost in made[0].told)


def test_own_optimizer_is_asked_for_a_small_space():
    """A finite space is covered in the order of a grid only by our own optimizers."""
    search = fit(GPSearchCV, Hill(), {"x": list(np.linspace(0, 1, 8))}, optimizer=RandomOptimizer)
    values = [p["x"] for p in asked(search)]
    assert values != sorted(values)  # its own order
    assert sorted(values) == list(np.linspace(0, 1, 8))


# Asynchrony --------------------------------------------------------------------------------------

SPLITS = [(np.arange(0, 90), np.arange(90, 100)), (np.arange(20, 100), np.arange(0, 20))]
SLOW_ROWS = 90
OTHERS = 9  # fits besides the slow one, of four other candidates and more


@every_learner
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_slow_split_blocks_nothing(cls, backend, tmp_path):
    """While one split runs, the other worker goes on to the next splits and candidates.

    The slow fit ends once OTHERS fits have told of themselves, so that a search which waits for
    it, at the end of a candidate or of a batch, fails.
    """
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    fifo = os.open(path, os.O_RDWR)  # kept open, so that what is written is not lost
    try:
        with parallel_config(backend):
            search = cls(
                Hill(fifo=path),
                {"x": (0.0, 1.0)},
                n_iter=8,
                cv=SPLITS,
                n_jobs=2,
                random_state=0,
                error_score="raise",
                refit=False,
            ).fit(X, Y)
    finally:
        os.close(fifo)
    assert len(search.trials_) == 8
    assert all(trial.status is Status.COMPLETE for trial in search.trials_)


def test_scores_and_labels_of_text():
    """Metrics that need labels work in the learners too; the scorer gets real predictions."""

    def scorer(estimator, X, y):
        predicted = estimator.predict(X)
        return {"a": accuracy_score(y, predicted), "r": recall_score(y, predicted, average="macro")}

    labels = np.array(["a", "b", "c"])[Y]
    search = GPSearchCV(SVC(), {"C": (0.1, 10.0)}, n_iter=2, scoring=scorer, refit="r", cv=3)
    assert search.fit(X, labels).best_score_ > 0.9
