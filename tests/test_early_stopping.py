"""Boosting stopped early inside of a cross-validation, against the same done by hand."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.datasets import load_breast_cancer, load_iris, make_regression
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from hpsearch import (
    CheckpointError,
    EarlyStopping,
    ExhaustiveSearchCV,
    GPSearchCV,
)
from hpsearch.stopping import Stopper, stoppers

takes_rows = pytest.mark.skipif(
    sklearn.__version__ < "1.7", reason="HistGradientBoosting took no validation rows"
)


class Boosted(RegressorMixin, BaseEstimator):
    """The least of what boosts: trees on the rest, and who is watched is written down."""

    seen = ()

    def __init__(self, n_rounds=60, rate=0.3, depth=2):
        self.n_rounds = n_rounds
        self.rate = rate
        self.depth = depth

    def fit(self, X, y, sample_weight=None, watch=None, watch_weight=None, patience=None):
        self.trees_, self.losses_, best = [], [], 0
        rest = y.astype(float)
        for n in range(1, self.n_rounds + 1):
            tree = DecisionTreeRegressor(max_depth=self.depth, random_state=0)
            self.trees_.append(tree.fit(X, rest, sample_weight=sample_weight))
            rest = rest - self.rate * tree.predict(X)
            if watch is not None:
                losses = (self.predict(watch[0]) - watch[1]) ** 2
                self.losses_.append(np.average(losses, weights=watch_weight))
                best = int(np.argmin(self.losses_)) + 1
                if n - best >= patience:
                    break
        if watch is not None:
            self.best_round_ = best
            self.trees_ = self.trees_[:best]
            self.watched_ = watch, watch_weight
        return self

    def predict(self, X):
        return self.rate * np.sum([tree.predict(X) for tree in self.trees_], axis=0)


class Stops(Stopper):
    """What a user writes for a library of his own."""

    types = (f"{__name__}.Boosted",)
    name = "n_rounds"

    def fit(self, model, X, y, params, valid, rounds):
        weight = valid.params.get("sample_weight")
        watch = {"watch": (valid.X, valid.y), "watch_weight": weight, "patience": rounds}
        type(model).fit(model, X, y, **watch, **params)

    def found(self, model):
        return {"rounds": model.best_round_}


EARLY = EarlyStopping(4, stoppers=[Stops()])
X, Y = make_regression(150, 6, noise=20, random_state=0)
MODEL = Pipeline([("scale", StandardScaler()), ("boost", Boosted())])
GRID = {"boost__rate": [0.3, 0.7], "boost__depth": [1, 3]}


def early(**changed):
    return EarlyStopping(**{**vars(EARLY), **changed})


def scores_of(search):
    return np.array([[r.scores["score"] for r in trial.results] for trial in search.trials_])


def rounds_of(search):
    return np.array([search.cv_results_[f"split{i}_n_rounds"] for i in range(search.n_splits_)]).T


def by_hand(model, params, train, valid, test, weight=None):
    """Fit the steps, take the validation rows through them, fit the last one, score."""
    *steps, (_, last) = clone(model).set_params(**params).steps
    before = Pipeline(steps).fit(X[train], Y[train])
    weights = {} if weight is None else {"sample_weight": weight[train]}
    theirs = None if weight is None else weight[valid]
    last.fit(
        before.transform(X[train]),
        Y[train],
        watch=(before.transform(X[valid]), Y[valid]),
        watch_weight=theirs,
        patience=4,
        **weights,
    )
    return last.score(before.transform(X[test]), Y[test]), last.best_round_


@pytest.mark.parametrize("reuse", [True, False])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_stopped_by_the_test_rows_as_by_hand(reuse, n_jobs):
    """The held-out part goes through the fold's own fitted steps, and is the eval set."""
    search = ExhaustiveSearchCV(
        MODEL, GRID, cv=KFold(3), early_stopping=early(on="test"), reuse=reuse, n_jobs=n_jobs
    ).fit(X, Y)
    expected = [
        [by_hand(MODEL, t.params, train, test, test) for train, test in KFold(3).split(X)]
        for t in search.trials_
    ]
    np.testing.assert_array_equal(scores_of(search), np.array(expected)[..., 0])
    np.testing.assert_array_equal(rounds_of(search), np.array(expected)[..., 1])


@pytest.mark.parametrize("reuse", [True, False])
def test_stopped_by_a_share_as_by_hand(reuse):
    """A share of the training rows is held back, and nothing sees the test rows."""
    weight = np.random.default_rng(0).uniform(0.2, 2, len(Y))
    search = ExhaustiveSearchCV(
        MODEL, GRID, cv=KFold(3), early_stopping=early(on=0.25), keep="estimators", reuse=reuse
    )
    search.fit(X, Y, boost__sample_weight=weight)
    for number, (train, test) in enumerate(KFold(3).split(X)):
        kept = next(search.kept_[t.number] for t in search.trials_ if t.number in search.kept_)
        (_, y), theirs = kept.estimators[number][-1].watched_
        rows = np.array([int(np.flatnonzero(value == Y)[0]) for value in y])
        assert len(rows) == 25
        assert not set(rows) - set(train)
        fitted_on = np.setdiff1d(train, rows)
        np.testing.assert_array_equal(theirs, weight[rows])
        for trial in search.trials_:
            score, n_rounds = by_hand(MODEL, trial.params, fitted_on, rows, test, weight)
            result = next(r for r in trial.results if r.split == number)
            assert result.scores["score"] == score
            assert result.details["stopped_at"] == {"rounds": n_rounds}


@pytest.mark.parametrize(
    ("aggregate", "function"), [("mean", np.mean), ("median", np.median), ("max", max)]
)
def test_refit_has_the_rounds_of_the_splits(aggregate, function):
    """The refit is a fit on all rows, of as many rounds, that nothing stops."""
    search = ExhaustiveSearchCV(MODEL, GRID, cv=3, early_stopping=early(aggregate=aggregate))
    search.fit(X, Y)
    expected = round(function(rounds_of(search)[search.best_index_].tolist()))
    assert search.n_rounds_ == search.cv_results_["n_rounds"][search.best_index_] == expected
    plain = clone(MODEL).set_params(**search.best_params_, boost__n_rounds=expected).fit(X, Y)
    np.testing.assert_array_equal(search.predict(X), plain.predict(X))
    assert search.best_estimator_.get_params()["boost__n_rounds"] == expected


def test_aggregate_of_ones_own():
    """Rounds may be scaled to all rows."""
    more = early(aggregate=lambda rounds: 1.5 * max(rounds))
    search = ExhaustiveSearchCV(MODEL, GRID, cv=3, early_stopping=more).fit(X, Y)
    assert search.n_rounds_ == round(1.5 * rounds_of(search)[search.best_index_].max())


@takes_rows
def test_true_is_the_default():
    """And False is none: True is not one round."""
    X, y = load_iris(return_X_y=True)
    grid = {"max_iter": [3]}
    true, default, false, none = (
        ExhaustiveSearchCV(
            HistGradientBoostingClassifier(random_state=0), grid, cv=2, early_stopping=given
        ).fit(X, y)
        for given in (True, EarlyStopping(50), False, None)
    )
    np.testing.assert_array_equal(scores_of(true), scores_of(default))
    np.testing.assert_array_equal(rounds_of(true), rounds_of(default))
    np.testing.assert_array_equal(scores_of(false), scores_of(none))
    assert not hasattr(false, "n_rounds_")


def test_a_refit_has_a_round_at_least():
    """Whatever the aggregate makes of the rounds found."""
    none = early(aggregate=lambda rounds: 0.2)
    search = ExhaustiveSearchCV(MODEL, GRID, cv=3, early_stopping=none).fit(X, Y)
    assert search.n_rounds_ == len(search.best_estimator_[-1].trees_) == 1


def test_rounds_are_those_of_full_fits():
    """Not of the fits on fewer rows by which a candidate was judged before."""
    space = {"boost__rate": [0.2, 0.3, 0.5, 0.7], "boost__depth": [1, 2, 3]}
    search = ExhaustiveSearchCV(MODEL, space, cv=3, early_stopping=EARLY, pruner="halving").fit(
        X, Y
    )
    best = search.trials_[search.best_index_]
    full = [r.details["stopped_at"]["rounds"] for r in best.results if r.resource == 1.0]
    fewer = [r.details["stopped_at"]["rounds"] for r in best.results if r.resource < 1.0]
    assert len(full) == 3
    assert search.n_rounds_ == round(np.mean(full)) != round(np.mean(fewer + full))


@takes_rows
def test_booleans_of_numpy_are_booleans():
    """True of a table is the default, and not one round; False is none."""
    X, y = load_iris(return_X_y=True)
    model = HistGradientBoostingClassifier(max_iter=3, random_state=0)
    for given in (True, False):
        plain, own = (
            ExhaustiveSearchCV(model, {}, cv=2, early_stopping=kind(given)).fit(X, y)
            for kind in (bool, np.bool_)
        )
        np.testing.assert_array_equal(scores_of(plain), scores_of(own))
        assert getattr(plain, "n_rounds_", 0) == getattr(own, "n_rounds_", 0)


@takes_rows
def test_a_class_of_one_row():
    """It cannot be on both sides; the rows are drawn without looking at classes then."""
    X, y = load_iris(return_X_y=True)
    y[0] = 3
    model = HistGradientBoostingClassifier(max_iter=3, random_state=0)
    folds = KFold(3, shuffle=True, random_state=0)
    search = ExhaustiveSearchCV(model, {}, cv=folds, early_stopping=5, error_score="raise")
    assert search.fit(X, y).n_rounds_ == 3


@takes_rows
def test_a_refit_stops_not_by_itself():
    """Though the estimator would, by rows of its own choice."""
    X, y = load_breast_cancer(return_X_y=True)
    model = HistGradientBoostingClassifier(
        early_stopping=True, n_iter_no_change=1, tol=10.0, random_state=0
    )
    search = ExhaustiveSearchCV(model, {}, cv=2, early_stopping=5).fit(X, y)
    assert search.best_estimator_.n_iter_ == search.n_rounds_ > 1


class CutsBack(Stops):
    """Of scikit-learn's older boosting, whose models of fewer rounds are parts of those of more."""

    types = ("sklearn.ensemble.GradientBoostingRegressor",)
    name = "n_estimators"

    def fit(self, model, X, y, params, valid, rounds):
        type(model).fit(model, X, y, **params)
        losses = [np.mean((p - valid.y) ** 2) for p in model.staged_predict(valid.X)]
        model.estimators_ = model.estimators_[: int(np.argmin(losses)) + 1]

    def found(self, model):
        return {"rounds": len(model.estimators_)}


def test_shared_work_knows_the_stoppers_of_ones_own():
    """What they stop is not cut out of a fit of more rounds, which has stopped elsewhere."""
    own = EarlyStopping(5, stoppers=[CutsBack()])
    model = GradientBoostingRegressor(learning_rate=0.5, random_state=0)
    shared, apart = (
        ExhaustiveSearchCV(
            model, {"n_estimators": [5, 15, 60]}, cv=3, early_stopping=own, reuse=reuse
        ).fit(X, Y)
        for reuse in (True, False)
    )
    np.testing.assert_array_equal(scores_of(shared), scores_of(apart))
    np.testing.assert_array_equal(rounds_of(shared), rounds_of(apart))
    assert rounds_of(apart).max() < 60


class Patient(Stops):
    """A user's word on what the library knows a stopper of."""

    types = ("sklearn.ensemble.HistGradientBoostingClassifier",)
    name = "max_iter"

    def fit(self, model, X, y, params, valid, rounds):
        type(model).fit(model, X, y, **params)

    def found(self, model):
        return {"rounds": 7}


def test_stoppers_of_ones_own_come_first():
    """Also where there is one already."""
    X, y = load_iris(return_X_y=True)
    model = HistGradientBoostingClassifier(max_iter=9, random_state=0)
    own = EarlyStopping(5, stoppers=[Patient()])
    search = ExhaustiveSearchCV(model, {}, cv=2, early_stopping=own).fit(X, y)
    assert search.n_rounds_ == search.best_estimator_.n_iter_ == 7


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (Pipeline([("boost", Boosted())]), "boost__"),
        (Pipeline([("a", StandardScaler()), ("b", Pipeline([("c", Boosted())]))]), "b__c__"),
        (Pipeline([("a", StandardScaler()), ("b", LinearRegression())]), "b"),
        (
            Pipeline([("a", StandardScaler()), ("b", Pipeline([("c", LinearRegression())]))]),
            "b",
        ),
        (
            Pipeline([("a", StandardScaler()), ("b", Pipeline([("c", LinearRegression())]))]),
            "b__c",
        ),
    ],
    ids=["one step", "nested", "step searched", "pipeline searched", "its step searched"],
)
def test_wherever_the_booster_stands(model, name):
    """As the only step, in a pipeline of a pipeline, or put there by the search."""
    plain = Pipeline([("a", StandardScaler()), ("b", Boosted(rate=0.5))])
    boosted = Boosted(rate=0.5)
    if name == "b" and isinstance(model[-1], Pipeline):
        boosted = Pipeline([("c", boosted)])
    grid = {f"{name}rate": [0.5]} if name.endswith("__") else {name: [boosted]}
    search = ExhaustiveSearchCV(model, grid, cv=KFold(3), early_stopping=EARLY).fit(X, Y)
    control = ExhaustiveSearchCV(plain, {}, cv=KFold(3), early_stopping=EARLY).fit(X, Y)
    np.testing.assert_allclose(scores_of(search), scores_of(control), rtol=1e-9)
    np.testing.assert_array_equal(rounds_of(search), rounds_of(control))


def test_select_refits_with_the_rounds_of_the_other():
    """Another winner has rounds of its own."""
    search = ExhaustiveSearchCV(MODEL, GRID, cv=3, early_stopping=EARLY).fit(X, Y)
    other = int(np.argmin(search.cv_results_["mean_test_score"]))
    chosen = search.select(lambda results: other, X, Y)
    assert chosen.n_rounds_ == search.cv_results_["n_rounds"][other]
    assert chosen.best_estimator_[-1].n_rounds == chosen.n_rounds_
    assert not hasattr(search.select(lambda results: other), "n_rounds_")  # of no refit


@takes_rows
def test_shared_work_changes_nothing():
    """Most rounds are no nested models any more: one that stopped holds no longer one."""
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), HistGradientBoostingClassifier(random_state=0))
    name = "histgradientboostingclassifier"
    grid = {
        f"{name}__max_iter": [2, 10, 40],
        f"{name}__max_leaf_nodes": [4, 8],
        "standardscaler__with_mean": [True, False],
    }
    shared, apart = (
        ExhaustiveSearchCV(model, grid, cv=2, early_stopping=EarlyStopping(3), reuse=reuse)
        for reuse in (True, False)
    )
    np.testing.assert_array_equal(
        scores_of(shared.fit(X[::2], y[::2])), scores_of(apart.fit(X[::2], y[::2]))
    )
    np.testing.assert_array_equal(rounds_of(shared), rounds_of(apart))
    assert len(set(rounds_of(apart)[:, 0])) > 2
    assert {what for t in shared.trials_ for r in t.results for what in r.details.get("shared", ())}


@takes_rows
def test_histogram_model_predicts_with_its_best_round():
    """What scikit-learn's own early stopping keeps beyond the best round is cut off."""
    X, y = load_breast_cancer(return_X_y=True)
    weight = np.random.default_rng(0).uniform(0.2, 2, len(y))
    model = HistGradientBoostingClassifier(max_iter=200, learning_rate=0.5, random_state=0)
    folds = StratifiedKFold(2)
    search = ExhaustiveSearchCV(
        model, {"max_leaf_nodes": [5]}, cv=folds, early_stopping=EarlyStopping(5), keep="estimators"
    ).fit(X, y, sample_weight=weight)
    for number, (train, test) in enumerate(folds.split(X, y)):
        draw = StratifiedShuffleSplit(1, test_size=0.1, random_state=number)
        kept, held = next(draw.split(train, y[train]))
        inner, valid = train[np.sort(kept)], train[np.sort(held)]
        own = clone(model).set_params(max_leaf_nodes=5, early_stopping=True, n_iter_no_change=5)
        own.fit(
            X[inner],
            y[inner],
            weight[inner],
            X_val=X[valid],
            y_val=y[valid],
            sample_weight_val=weight[valid],
        )
        best = int(np.argmax(own.validation_score_[1:]))
        staged = list(own.staged_predict_proba(X[test]))[best]
        fitted = search.kept_[0].estimators[number]
        np.testing.assert_array_equal(fitted.predict_proba(X[test]), staged)
        assert rounds_of(search)[0, number] == best + 1 < len(own.validation_score_) - 1
        assert fitted.get_params() == clone(model).set_params(max_leaf_nodes=5).get_params()
    assert search.best_estimator_.n_iter_ == search.n_rounds_


def test_candidates_without_rounds_are_fitted_as_ever():
    """Where the last step itself is searched, the others get all of their training rows."""
    X, y = load_iris(return_X_y=True)
    model = Pipeline([("scale", StandardScaler()), ("last", Boosted())])
    grid = {"last": [Boosted(n_rounds=5), LinearThing()]}
    search = ExhaustiveSearchCV(
        model, grid, cv=KFold(3, shuffle=True, random_state=0), early_stopping=EARLY
    ).fit(X, y)
    plain = ExhaustiveSearchCV(model, grid, cv=KFold(3, shuffle=True, random_state=0)).fit(X, y)
    np.testing.assert_array_equal(scores_of(search)[1], scores_of(plain)[1])
    assert np.isnan(search.cv_results_["n_rounds"]).tolist() == [False, True]


class LinearThing(LinearRegression):
    """Has no rounds."""


def test_checkpoint_knows_the_rounds(tmp_path):
    """Resumed, nothing is fitted again, and the refit has the same rounds."""
    file = tmp_path / "run.sqlite"

    def search(n_iter):
        space = {"boost__rate": (0.1, 0.9), "boost__depth": [1, 2, 3]}
        return GPSearchCV(
            MODEL, space, n_iter=n_iter, cv=3, random_state=0, checkpoint=file, early_stopping=EARLY
        ).fit(X, Y)

    first, again = search(4), search(4)
    np.testing.assert_array_equal(rounds_of(first), rounds_of(again))
    assert first.n_rounds_ == again.n_rounds_
    more = search(6)
    np.testing.assert_array_equal(rounds_of(more)[:4], rounds_of(first))


def test_checkpoint_of_another_early_stopping_is_another_search(tmp_path):
    """Scores of fits that were stopped otherwise are not taken over."""
    file = tmp_path / "run.sqlite"

    def search(stopping):
        return ExhaustiveSearchCV(MODEL, GRID, cv=3, checkpoint=file, early_stopping=stopping)

    search(EARLY).fit(X, Y)
    for other in (None, early(rounds=2), early(on="test"), early(on=0.3)):
        with pytest.raises(CheckpointError, match="early_stopping differs"):
            search(other).fit(X, Y)


def test_metadata_is_routed_to_the_validation_rows_too():
    """Under another name as well."""
    weight = np.random.default_rng(1).uniform(0.2, 2, len(Y))
    with sklearn.config_context(enable_metadata_routing=True):
        model = Pipeline(
            [
                ("scale", StandardScaler().set_fit_request(sample_weight=False)),
                ("boost", Boosted().set_fit_request(sample_weight="importance")),
            ]
        )
        search = ExhaustiveSearchCV(
            model,
            {"boost__rate": [0.5]},
            cv=KFold(3),
            scoring="r2",
            early_stopping=early(on="test"),
            keep="estimators",
        ).fit(X, Y, importance=weight)
    for fitted, (_, test) in zip(search.kept_[0].estimators, KFold(3).split(X), strict=True):
        np.testing.assert_array_equal(fitted[-1].watched_[1], weight[test])
    for trial in search.trials_:
        for result, (train, test) in zip(trial.results, KFold(3).split(X), strict=True):
            score, n_rounds = by_hand(MODEL, trial.params, train, test, test, weight)
            assert (result.scores["score"], result.details["stopped_at"]["rounds"]) == (
                score,
                n_rounds,
            )


def validation_rows(cv, **fit_params):
    search = ExhaustiveSearchCV(
        Boosted(), {"rate": [0.5]}, cv=cv, early_stopping=EARLY, keep="estimators"
    ).fit(X, Y, **fit_params)
    for model, (train, _) in zip(
        search.kept_[0].estimators, cv.split(X, Y, fit_params.get("groups")), strict=True
    ):
        (_, y), _ = model.watched_
        yield np.flatnonzero(np.isin(Y, y)), train


def test_groups_are_held_back_whole():
    """Rows of one group are not on both sides."""
    groups = np.arange(len(Y)) // 5
    for valid, train in validation_rows(GroupKFold(3), groups=groups):
        inside = set(groups[valid])
        assert len(inside) == 2  # a tenth of the twenty that the training rows are of
        assert set(np.flatnonzero(np.isin(groups, list(inside)))) & set(train) == set(valid)


@pytest.mark.parametrize(
    ("cv", "groups", "share", "told"),
    [
        (LeaveOneGroupOut(), np.arange(len(Y)) % 2, 0.1, "training groups of split 0"),
        (GroupKFold(2), np.arange(len(Y)) % 4, 0.9, "training groups of split 0"),
        (KFold(75), None, 0.999, "training rows of split 0"),
    ],
    ids=["one group", "all groups", "all rows"],
)
def test_a_share_that_cannot_be_held_back(cv, groups, share, told):
    """Before the first fit, with the split, and with what to do instead."""
    search = ExhaustiveSearchCV(MODEL, GRID, cv=cv, early_stopping=early(on=share))
    with pytest.raises(ValueError, match=f"on={share}, .* {told} .*or on='test'"):
        search.fit(X, Y, groups=groups)


def test_the_last_rows_are_held_back_of_a_series():
    """What stops a fit on a time series is later than what it is fitted on."""
    for valid, train in validation_rows(TimeSeriesSplit(3)):
        assert valid.tolist() == train[-len(valid) :].tolist()


def test_of_a_short_series_one_row_is_held_back():
    """However small the share is."""
    tiny = early(on=0.01)
    search = ExhaustiveSearchCV(
        MODEL, {}, cv=TimeSeriesSplit(3), early_stopping=tiny, keep="estimators"
    ).fit(X, Y)
    valid = [model[-1].watched_[0][1] for model in search.kept_[0].estimators]
    ends = [train[-1] for train, _ in TimeSeriesSplit(3).split(X)]
    assert [rows.tolist() for rows in valid] == [[Y[end]] for end in ends]


def test_a_plan_stops_its_probes_too():
    """Times are of fits as they will be."""
    plan = ExhaustiveSearchCV(MODEL, GRID, cv=3, early_stopping=EARLY).plan(X, Y, n_probes=1)
    assert plan.seconds > 0


@pytest.mark.parametrize(
    ("estimator", "given", "text"),
    [
        (LogisticRegression(), 5, "LogisticRegression is not known to stop early"),
        (Boosted(), 5, "Boosted is not known to stop early"),
        (MODEL, early(on=2), "on=2 is neither 'test' nor a share"),
        (MODEL, early(on=1.0), "on=1.0 is neither 'test' nor a share"),
        (MODEL, early(on=True), "on=True is neither 'test' nor a share"),
        (MODEL, early(rounds=0), "rounds=0 is not a positive integer"),
        (MODEL, early(rounds=True), "rounds=True is not a positive integer"),
        (MODEL, early(aggregate="least"), "aggregate='least' is neither callable nor one of"),
        (MODEL, "yes", "The 'early_stopping' parameter"),
    ],
)
def test_what_cannot_be_is_said_before_the_first_fit(estimator, given, text):
    """With the parameter, the value, and what is accepted."""
    with pytest.raises(ValueError, match=text):
        ExhaustiveSearchCV(estimator, {}, early_stopping=given).fit(X, Y)


def test_ones_own_eval_set_is_refused():
    """It would be the same rows in every split, and not transformed."""
    with pytest.raises(ValueError, match="fit was given 'boost__eval_set' too"):
        ExhaustiveSearchCV(MODEL, GRID, early_stopping=EARLY).fit(X, Y, boost__eval_set=[(X, Y)])


def test_an_old_scikit_learn_is_named(monkeypatch):
    """It cannot be given validation rows."""

    class Old(HistGradientBoostingClassifier):
        def fit(self, X, y, sample_weight=None): ...

    monkeypatch.setattr(stoppers.HistGradientBoosting, "types", (f"{__name__}.Old",))
    monkeypatch.setitem(globals(), "Old", Old)
    with pytest.raises(ValueError, match=r"takes validation rows from scikit-learn 1\.7 on"):
        ExhaustiveSearchCV(Old(), {}, early_stopping=5).fit(X, Y > 0)
