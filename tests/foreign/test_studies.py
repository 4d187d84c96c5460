"""Searches as studies of Optuna, and studies and results of others as prior knowledge."""

import json
import math
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from scipy.stats import expon, uniform
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from hpsearch import (
    ExhaustiveSearchCV,
    GPSearchCV,
    Integer,
    OneStandardError,
    Real,
    SampledSearchCV,
    StepHalving,
    StopSearch,
    TPESearchCV,
    maximize,
    minimize,
)
from hpsearch.interop import OptunaWriter, prior_trials_of, to_optuna
from hpsearch.trial import Board, SplitResult, Status, Trial

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
X, y = load_iris(return_X_y=True)
SPACE = {"C": (0.01, 100.0, "log-uniform"), "kernel": ["rbf", "linear"], "degree": (2, 5)}


@pytest.fixture
def optuna():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


@pytest.fixture
def storage(tmp_path):
    return f"sqlite:///{tmp_path / 'study.db'}"


def train(params, trial):
    if params["x"] > 0.9:
        raise ValueError("too far")
    for epoch in range(1, 10):
        value = params["x"] + 1 / epoch
        if not trial.report(epoch, value):
            break
    return value


def test_a_search_becomes_a_study(optuna, storage):
    """Values, parameters, distributions and the best of it, as Optuna reads them."""
    search = GPSearchCV(SVC(), SPACE, n_iter=8, random_state=0).fit(X, y)
    to_optuna(search, storage, "svc")
    study = optuna.load_study(storage=storage, study_name="svc")
    assert study.best_value == pytest.approx(search.best_score_)
    assert study.best_params == search.best_params_
    assert [t.params for t in study.trials] == [t.params for t in search.trials_]
    np.testing.assert_allclose(
        [t.value for t in study.trials], search.cv_results_["mean_test_score"]
    )
    d = optuna.distributions
    assert study.trials[0].distributions == {
        "C": d.FloatDistribution(0.01, 100, log=True),
        "kernel": d.CategoricalDistribution(["rbf", "linear"]),
        "degree": d.IntDistribution(2, 5),
    }
    assert (
        study.trials[0].user_attrs["split4_score"] == search.trials_[0].results[4].scores["score"]
    )


def test_written_again_only_what_is_new(optuna, storage, tmp_path):
    """A search that goes on is written as far as the study does not have it."""
    for n_iter in (4, 7):
        search = TPESearchCV(
            SVC(), SPACE, n_iter=n_iter, random_state=0, checkpoint=tmp_path / "run.sqlite"
        ).fit(X, y)
        to_optuna(search, storage, "svc")
    study = optuna.load_study(storage=storage, study_name="svc")
    assert [t.params for t in study.trials] == [t.params for t in search.trials_]


def test_a_running_search_is_seen(optuna, storage):
    """Each trial is in the storage as soon as it has ended."""
    seen = []

    def look(event):
        if event.kind == "closed":
            study = optuna.load_study(storage=storage, study_name="live")
            seen.append(len(study.trials))
            if len(seen) == 3:
                raise StopSearch("enough")

    writer = OptunaWriter(storage, "live", SPACE)
    GPSearchCV(SVC(), SPACE, n_iter=9, random_state=0, watch=[writer, look]).fit(X, y)
    assert seen == [1, 2, 3]


def test_functions_with_failures_and_steps(optuna, storage):
    """Less is better; failed and pruned trials are what they are; steps are intermediate values."""
    space = {"x": (0.0, 1.0)}
    found = minimize(
        train, space, n_iter=30, steps=StepHalving(), optimizer="random", random_state=0
    )
    to_optuna(found, storage, "f", space)
    study = optuna.load_study(storage=storage, study_name="f")
    assert study.direction == optuna.study.StudyDirection.MINIMIZE
    assert study.best_value == found.best_value
    states = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
    assert [t.state.name for t in study.trials] == [states[t.status] for t in found.trials]
    assert {t.state.name for t in study.trials} == set(states.values())
    best = study.best_trial
    assert best.intermediate_values == {e: best.params["x"] + 1 / e for e in range(1, 10)}
    assert "too far" in next(t for t in study.trials if t.state.name == "FAIL").user_attrs["error"]
    most = maximize(lambda p: p["x"], space, n_iter=5, random_state=0)
    to_optuna(most, storage, "g")
    assert optuna.load_study(storage=storage, study_name="g").best_value == most.best_value


def test_branches_and_values_of_any_type(optuna, storage):
    """A conditional space; tuples and estimators by their repr."""
    grid = [
        {"kernel": ["rbf"], "gamma": [0.1, 1.0]},
        {"kernel": ["linear"], "class_weight": [None]},
    ]
    search = ExhaustiveSearchCV(SVC(), grid).fit(X, y)
    to_optuna(search, storage, "grid")
    study = optuna.load_study(storage=storage, study_name="grid")
    assert [t.params for t in study.trials] == [t.params for t in search.trials_]
    found = minimize(lambda p: len(p["layers"]), {"layers": [(8,), (8, 8)]}, optimizer="grid")
    to_optuna(found, storage, "tuples", {"layers": [(8,), (8, 8)]})
    study = optuna.load_study(storage=storage, study_name="tuples")
    assert study.best_params == {"layers": "(8,)"}


def test_distributions_of_several_branches(optuna, storage):
    """A parameter has one in Optuna, that holds what it may be in any branch."""
    space = [
        {
            "branch": ["a"],
            "both": Real(1, 10, log=True),
            "one": Real(0.1, 1.0, log=True),
            "whole": Integer(4, 9),
            "part": Integer(1, 5),
            "listed": [1, 2, 3],
            "drawn": uniform(2, 3),
            "endless": expon(),
        },
        {
            "branch": ["b"],
            "both": Real(5, 100, log=True),
            "one": Real(0.0, 0.5),
            "whole": Integer(1, 5),
            "part": Real(0.5, 3.5),
            "listed": [3, 4],
        },
    ]
    writer = OptunaWriter(storage, "branches", space)
    maximize(lambda _: 1.0, space, n_iter=12, optimizer="random", random_state=0, watch=writer)
    trials = optuna.load_study(storage=storage, study_name="branches").trials
    found = {name: d for trial in trials for name, d in trial.distributions.items()}
    d = optuna.distributions
    endless = found.pop("endless")
    assert endless.low == 0
    assert 20 < endless.high < 21  # a billionth of what is drawn lies beyond
    assert found == {
        "branch": d.CategoricalDistribution(["a", "b"]),
        "both": d.FloatDistribution(1, 100, log=True),
        "one": d.FloatDistribution(0, 1),
        "whole": d.IntDistribution(1, 9),
        "part": d.FloatDistribution(0.5, 5),
        "listed": d.CategoricalDistribution([1, 2, 3, 4]),
        "drawn": d.FloatDistribution(2, 5),
    }
    assert all(trial.params.keys() == trial.distributions.keys() for trial in trials)
    mixed = [{"z": (0.0, 1.0)}, {"z": [1, 2]}]
    with pytest.raises(ValueError, match="listed in one branch and a range in another"):
        OptunaWriter(storage, "mixed", mixed)


def test_distributions_of_what_was_tried(optuna, storage):
    """Where the space is not known: ranges of numbers, else the values; a tuple was no range."""
    grid = {"C": [1, 0.5], "degree": [2, 4], "coef0": [0.0], "shrinking": [True, False]}
    space = {**{name: tuple(values) for name, values in grid.items()}, "class_weight": [None]}
    search = SampledSearchCV(SVC(kernel="poly"), space, n_iter=8, cv=2, random_state=0).fit(X, y)
    to_optuna(search, storage, "sampled")
    trials = optuna.load_study(storage=storage, study_name="sampled").trials
    d = optuna.distributions
    found = trials[0].distributions
    assert sorted(found.pop("shrinking").choices) == [False, True]
    assert found == {
        "C": d.FloatDistribution(0.5, 1),
        "degree": d.IntDistribution(2, 4),
        "coef0": d.CategoricalDistribution([0.0]),
        "class_weight": d.CategoricalDistribution([None]),
    }
    assert [trial.params for trial in trials] == [trial.params for trial in search.trials_]


def test_the_ends_of_a_distribution_belong_to_it(optuna, storage):
    """An estimator's own value may be one."""
    search = GPSearchCV(SVC(C=3.0), {"C": uniform(1, 2)}, n_iter=2, random_state=0).fit(X, y)
    to_optuna(search, storage, "ends")
    study = optuna.load_study(storage=storage, study_name="ends")
    assert study.trials[0].params == {"C": 3.0}


def test_trials_without_a_value(optuna, storage):
    """What still runs is left for later; what was closed before it had a score has failed."""
    result = SplitResult(0, scores={"score": 0.5}, details={"fit_time": 2.0, "score_time": 0.5})
    trials = [
        Trial(0, {"x": 0.1, "of another": 3}, Status.COMPLETE, [result]),
        Trial(1, {"x": 0.2}, Status.RUNNING, [result]),
        Trial(2, {"x": 0.3}, Status.PAUSED, [result]),
        Trial(3, {"x": 0.4}, Status.PRUNED, []),
        Trial(4, {"x": 0.5}, Status.PRUNED, [result]),
        Trial(5, {"x": 0.6}, Status.TIMEOUT, [result]),
    ]
    to_optuna(trials, storage, "trials", {"x": (0.0, 1.0)})
    written = optuna.load_study(storage=storage, study_name="trials").trials
    told = [(t.user_attrs["hpsearch_number"], t.state.name, t.value) for t in written]
    expected = [(0, "COMPLETE", 0.5), (3, "FAIL", None), (4, "PRUNED", 0.5), (5, "FAIL", None)]
    assert told == expected
    assert written[0].params == {"x": 0.1}
    assert written[0].duration.total_seconds() == pytest.approx(2.5, abs=1e-3)
    assert written[0].user_attrs == {"hpsearch_number": 0, "status": "complete"}
    trials[1].status = Status.COMPLETE
    OptunaWriter(storage, "trials", {"x": (0.0, 1.0)}).write(trials[1], Board("score", 1, trials))
    written = optuna.load_study(storage=storage, study_name="trials").trials
    assert [t.user_attrs["hpsearch_number"] for t in written] == [0, 3, 4, 5, 1]


def test_optunas_own_tools_read_it(optuna, storage):
    """Importances and further trials by Optuna itself."""
    search = GPSearchCV(SVC(), SPACE, n_iter=15, random_state=0).fit(X, y)
    to_optuna(search, storage, "svc")
    study = optuna.load_study(storage=storage, study_name="svc")
    assert set(optuna.importance.get_param_importances(study)) <= set(SPACE)
    trial = study.ask(study.trials[0].distributions)
    study.tell(trial, 0.5)
    assert len(study.trials) == 16


def test_the_dashboard_shows_it(optuna, storage):
    """optuna-dashboard, as its users start it, lists the study and its trials."""
    pytest.importorskip("optuna_dashboard")
    search = GPSearchCV(SVC(), SPACE, n_iter=6, random_state=0).fit(X, y)
    to_optuna(search, storage, "svc")
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = (
        "import sys, optuna_dashboard; optuna_dashboard.run_server(sys.argv[1], '127.0.0.1', "
        "int(sys.argv[2]))"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", program, storage, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        studies = wait_for(f"http://127.0.0.1:{port}/api/studies")["study_summaries"]
        assert [s["study_name"] for s in studies] == ["svc"]
        detail = wait_for(f"http://127.0.0.1:{port}/api/studies/{studies[0]['study_id']}")
        values = [t["values"][0] for t in detail["trials"]]
        np.testing.assert_allclose(values, search.cv_results_["mean_test_score"])
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address):
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return json.load(answer)
        except OSError:
            time.sleep(0.1)
    raise AssertionError(address)


def test_studies_are_read(optuna):
    """Complete and failed trials, with the sign that is wanted."""
    study = optuna.create_study(direction="minimize")

    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        if trial.number == 2:
            raise optuna.TrialPruned
        if trial.number == 3:
            return math.nan
        return x

    study.optimize(objective, n_trials=6)
    less = prior_trials_of(study, "minimize")
    assert len(less) == 5
    assert [p for p, _ in less] == [t.params for t in study.trials if t.number != 2]
    assert min(v for _, v in less if not math.isnan(v)) == study.best_value
    assert max(v for _, v in prior_trials_of(study) if not math.isnan(v)) == -study.best_value
    several = optuna.create_study(directions=["minimize", "maximize"])
    with pytest.raises(ValueError, match="several objectives"):
        prior_trials_of(several)


def test_functions_are_read():
    """What failed too, what was pruned not; with the sign that is wanted."""
    found = minimize(
        train, {"x": (0.0, 1.0)}, n_iter=30, steps=StepHalving(), optimizer="random", random_state=0
    )
    rows = list(zip(found.trials, found.to_frame()["value"], strict=True))
    values = {repr(t.params): value for t, value in rows if t.status == "complete"}
    failed = [t.params for t in found.trials if t.status == "failed"]
    assert 0 < len(values) + len(failed) < 30
    prior = prior_trials_of(found, "minimize")
    assert {repr(p): v for p, v in prior if not math.isnan(v)} == values
    assert [p for p, v in prior if math.isnan(v)] == failed
    assert [-v for _, v in prior_trials_of(found)] == pytest.approx(
        [v for _, v in prior], nan_ok=True
    )


def played(optimizer, n):
    """The result of a loop of scikit-optimize."""
    for _ in range(n):
        point = optimizer.ask()
        result = optimizer.tell(point, point[0] ** 2 + point[1])
    return result


def test_results_of_skopt_are_read():
    skopt = pytest.importorskip("skopt")
    space = [skopt.space.Real(-2, 2, name="x"), skopt.space.Integer(0, 5, name="n")]
    result = played(skopt.Optimizer(space, "RF", random_state=0, n_initial_points=5), 8)
    prior = prior_trials_of(result, "minimize")
    assert min(v for _, v in prior) == result.fun
    assert all(v == p["x"] ** 2 + p["n"] for p, v in prior)
    assert {type(p["n"]) for p, _ in prior} == {int}
    unnamed = played(skopt.Optimizer([(-1.0, 1.0), (0, 3)], "RF", random_state=0), 3)
    with pytest.raises(ValueError, match="names="):
        prior_trials_of(unnamed)
    assert prior_trials_of(unnamed, names=["a", "b"])[0][0].keys() == {"a", "b"}


def test_searches_are_read():
    """Ours and scikit-learn's, by their mean scores."""
    grid = {"C": [0.1, 1.0, 10.0]}
    theirs, ours = GridSearchCV(SVC(), grid).fit(X, y), ExhaustiveSearchCV(SVC(), grid).fit(X, y)
    for one, other in zip(prior_trials_of(theirs), prior_trials_of(ours), strict=True):
        assert one == (other[0], pytest.approx(other[1]))
    assert [p for p, _ in prior_trials_of(ours)] == [{"C": 0.1}, {"C": 1.0}, {"C": 10.0}]
    with pytest.raises(TypeError, match="is none of"):
        prior_trials_of({"x": 1})


@pytest.mark.parametrize("cls", [GridSearchCV, ExhaustiveSearchCV])
@pytest.mark.parametrize("refit", ["f1_macro", OneStandardError(["C"], metric="f1_macro"), False])
@pytest.mark.parametrize("metrics", [["f1_macro", "accuracy"], ["accuracy", "f1_macro"]])
def test_searches_of_several_metrics_are_read(cls, refit, metrics):
    """By the metric that the winner was chosen by, or the first: never by none at all."""
    if metrics[0] != "f1_macro" and refit != "f1_macro":
        pytest.skip("it is not named")
    scoring = {name: name for name in metrics}
    search = cls(SVC(), {"C": [0.1, 1.0]}, scoring=scoring, refit=refit).fit(X, y)
    scores = [score for _, score in prior_trials_of(search)]
    assert scores == pytest.approx(list(search.cv_results_["mean_test_f1_macro"]))


def test_a_study_of_several_metrics_has_that_of_the_winner(optuna, storage):
    """Unless another one is named."""
    grid, scoring = {"C": [0.1, 1.0]}, ["accuracy", "f1_macro"]
    search = ExhaustiveSearchCV(SVC(), grid, scoring=scoring, refit="f1_macro").fit(X, y)
    to_optuna(search, storage, "own")
    to_optuna(search, storage, "named", metric="accuracy")
    for name, metric in (("own", "f1_macro"), ("named", "accuracy")):
        trials = optuna.load_study(storage=storage, study_name=name).trials
        means = search.cv_results_[f"mean_test_{metric}"]
        assert [trial.value for trial in trials] == pytest.approx(list(means))
