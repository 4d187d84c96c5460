"""What `minimize` and `maximize` promise."""

import math
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from hpsearch import (
    CheckpointError,
    Integer,
    Real,
    SearchAborted,
    SQLiteJournal,
    StopSearch,
    maximize,
    minimize,
)
from hpsearch.optimizers import AbstractOptimizer, GPOptimizer, ListedOptimizer, RandomOptimizer
from hpsearch.optimizers.base import draw_unseen
from hpsearch.trial import Status

from . import objectives

NAMES = ["gp", "tpe", "random", "sobol", "grid"]
SPACE = {"x": (-5.0, 10.0), "n": (1, 8)}
GRID = {"a": [3, 1, 2], "b": ["x", "y"]}
ignore_failures = pytest.mark.filterwarnings("ignore:.*trials failed:RuntimeWarning")


def paraboloid(params):
    return (params["x"] - 3) ** 2 + params["n"]


def table(found):
    return [(t.params, t.status, t.results[0].scores.get("value")) for t in found.trials]


@pytest.mark.parametrize("name", ["gp", "tpe"])
def test_learners_find_the_least_value(name):
    """The minimum of a paraboloid is 1, at x = 3, n = 1; a random search is nowhere near it."""
    found = minimize(paraboloid, SPACE, n_iter=40, optimizer=name, random_state=0)
    assert found.best_value < 1.1
    assert found.best_value == paraboloid(found.best_params)
    assert found.best_trial is found.trials[found.best_trial.number]
    assert found.best_trial.params == found.best_params
    assert len(found.trials) == 40
    drawn = minimize(paraboloid, SPACE, n_iter=40, optimizer="random", random_state=0)
    assert found.best_value < drawn.best_value


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_finite_space_is_gone_through_once(name, n_jobs):
    """Without n_iter, as far as the optimizer needs none; the best is that of going through all."""

    def value(params):
        return params["a"] + (params["b"] == "y")

    found = minimize(
        value,
        GRID,
        n_iter=None if name == "grid" else 50,
        optimizer=name,
        n_jobs=n_jobs,
        random_state=0,
    )
    assert len(found.trials) == 6
    assert (found.best_params, found.best_value) == ({"a": 1, "b": "x"}, 1.0)


def test_grid_order_is_that_of_scikit_learn():
    """Names sorted, the last one fastest, listed values in their order."""
    from sklearn.model_selection import ParameterGrid

    found = minimize(lambda p: p["a"], GRID, optimizer="grid")
    assert [t.params for t in found.trials] == list(ParameterGrid(GRID))


def test_maximize_is_minimize_of_the_negative():
    """The same candidates, and the user's own sign in what is returned."""
    least = minimize(paraboloid, SPACE, n_iter=15, random_state=3)
    most = maximize(lambda p: -paraboloid(p), SPACE, n_iter=15, random_state=3)
    assert [t.params for t in least.trials] == [t.params for t in most.trials]
    assert most.best_value == -least.best_value
    assert most.to_frame()["value"].max() == most.best_value
    assert least.to_frame()["value"].min() == least.best_value


def test_values_are_the_users_own():
    """A choice gives the value and not its index, integers are ints, reals are floats."""
    marker = object()
    seen = []

    def objective(params):
        seen.append(params)
        return params["x"]

    space = {
        "c": [marker, None, (1, 2)],
        "n": Integer(1, 100, log=True),
        "x": Real(0, 1),
        "flag": [True, False],
        "k": [1, 2, 4],
    }
    minimize(objective, space, n_iter=20, random_state=0)
    for params in seen:
        assert any(params["c"] is value for value in [marker, None]) or params["c"] == (1, 2)
        assert type(params["n"]) is int
        assert type(params["x"]) is float
        assert type(params["flag"]) is bool
        assert type(params["k"]) is int


def test_hyperopt_style_dicts():
    """`loss` and `status` as there; what else is returned is kept; another status is a failure."""

    def objective(params):
        if params["n"] == 2:
            return {"status": "fail", "why": "no memory"}
        return {"loss": params["n"], "status": "ok", "epochs": 7}

    with pytest.warns(RuntimeWarning, match="1 of 3 trials failed.*status='fail'.*no memory"):
        found = minimize(objective, {"n": [1, 2, 3]}, optimizer="grid")
    assert found.best_value == 1.0
    assert found.trials[0].results[0].details["info"] == {"epochs": 7}
    assert [str(t.status) for t in found.trials] == ["complete", "failed", "complete"]


def raises(params):
    raise ValueError("no such layer")


def leaves(params):
    sys.exit(2)


@ignore_failures
@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (raises, "ValueError: no such layer"),
        (leaves, "SystemExit: 2"),
        (lambda p: math.nan, "returned nan"),
        (lambda p: math.inf, "returned inf"),
        (lambda p: -math.inf, "returned -inf"),
        (lambda p: None, "without a return"),
        (lambda p: "7a", "no number"),
        (lambda p: 1j, "no number"),
        (lambda p: {"status": "ok"}, "without 'loss'"),
        (lambda p: {"loss": math.nan, "status": "ok"}, "returned nan"),
    ],
)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_failures_are_data(bad, told, n_jobs):
    """What goes wrong costs its trial and is told; the best is never one of them."""

    def objective(params):
        return bad(params) if params["n"] in (0, 3) else params["n"]

    found = minimize(objective, {"n": list(range(6))}, optimizer="grid", n_jobs=n_jobs)
    failed = [t for t in found.trials if t.status is Status.FAILED]
    assert [t.params["n"] for t in failed] == [0, 3]
    assert all(told in t.error for t in failed)
    assert found.best_params == {"n": 1}
    frame = found.to_frame()
    assert frame["value"].isna().sum() == 2
    assert list(frame["param_n"]) == list(range(6))


def test_failures_are_told_once():
    """With how often each came."""

    def objective(params):
        if params["n"] < 3:
            raise ValueError("small")
        if params["n"] == 3:
            raise KeyError("three")
        return params["n"]

    with pytest.warns(RuntimeWarning) as caught:
        minimize(objective, {"n": list(range(6))}, optimizer="grid")
    assert len(caught) == 1
    assert "4 of 6 trials failed (3 times ValueError: small; 1 times KeyError" in str(
        caught[0].message
    )
    assert caught[0].filename == __file__


def test_all_failed_is_an_error():
    """That shows the reasons, one traceback, and its parameters."""
    with pytest.raises(SearchAborted, match=r"(?s)All 2 .*2 times ValueError: no such.*'n': 1.*Tr"):
        minimize(raises, {"n": [1, 2]}, optimizer="grid")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_errors_can_be_raised(n_jobs):
    """For those who are looking for a fault of their own."""
    with pytest.raises(ValueError, match="no such layer"):
        minimize(raises, {"n": [1, 2]}, optimizer="grid", raise_errors=True, n_jobs=n_jobs)


@ignore_failures
def test_learners_avoid_what_fails():
    """Most of the trials lie where the function has values."""

    def objective(params):
        if params["x"] > 2:
            raise ValueError("outside")
        return (params["x"] - 1.9) ** 2

    found = minimize(objective, {"x": (0.0, 4.0)}, n_iter=30, random_state=0)
    assert sum(t.status is Status.FAILED for t in found.trials) < 12
    assert found.best_value < 1e-3


def test_same_seed_same_search():
    """Bit for bit, with one worker."""
    first, second = (minimize(paraboloid, SPACE, n_iter=20, random_state=7) for _ in range(2))
    assert table(first) == table(second)
    other = minimize(paraboloid, SPACE, n_iter=20, random_state=8)
    assert table(first) != table(other)


def test_numpy_numbers_count():
    """Whatever float() takes is a value."""
    found = minimize(lambda p: np.float32(p["n"]), {"n": [1, 2]}, optimizer="grid")
    assert found.best_value == 1.0
    assert type(found.best_value) is float


def test_emptied_dicts_harm_nobody():
    """An objective may pop what it wants from its dict."""
    found = minimize(lambda p: p.pop("n"), {"n": [1, 2]}, optimizer="grid")
    assert found.best_params == {"n": 1}


def test_initial_params_come_first():
    found = minimize(paraboloid, SPACE, n_iter=3, initial_params=[{"x": 3.0, "n": 1}])
    assert found.trials[0].params == {"x": 3.0, "n": 1}
    assert found.best_value == 1.0
    with pytest.raises(ValueError, match=r"initial_params\[0\]"):
        minimize(paraboloid, SPACE, n_iter=3, initial_params=[{"x": 3.0}])


def test_constraint_and_conditional_space():
    space = [{"kind": ["a"], "x": (0.0, 1.0)}, {"kind": ["b"], "n": [1, 2, 3]}]
    found = minimize(
        lambda p: p.get("x", 0) + p.get("n", 0),
        space,
        n_iter=20,
        random_state=0,
        constraint=lambda p: p.get("x", 1) > 0.5,
    )
    assert {t.params["kind"] for t in found.trials} == {"a", "b"}
    assert all(t.params.get("x", 1) > 0.5 for t in found.trials)


class Anywhere(AbstractOptimizer):
    def propose(self, history, rng):
        return draw_unseen(self.space, history, rng)


def test_optimizers_of_ones_own(tmp_path):
    """A class, an object with its space, or anything with the four names."""
    found = minimize(paraboloid, SPACE, n_iter=4, optimizer=Anywhere, random_state=0)
    same = minimize(
        paraboloid,
        None,
        n_iter=4,
        optimizer=Anywhere(SPACE, random_state=0),
        checkpoint=tmp_path / "run.sqlite",
    )
    assert table(found) == table(same)
    listed = ListedOptimizer([{"x": 1.0, "n": 1}, {"x": 2.0, "n": 1}])
    assert minimize(paraboloid, None, optimizer=listed, n_iter=9).best_params["x"] == 2.0
    with pytest.raises(ValueError, match="its candidates could be written down"):
        minimize(paraboloid, None, optimizer=listed, n_iter=9, checkpoint=tmp_path / "b.sqlite")


def test_an_object_that_learnt_before_goes_on():
    """What was told to it by hand counts."""
    optimizer = GPOptimizer(SPACE, random_state=0)
    for x in (-4.0, 0.0, 2.0, 2.8, 5.0, 9.0):
        optimizer.tell({"x": x, "n": 1}, -paraboloid({"x": x, "n": 1}))
    found = minimize(paraboloid, None, optimizer=optimizer, n_iter=1)
    assert found.best_value < 3.5  # the first trial without it comes to 7


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"objective": 3}, "objective: 3 cannot be called"),
        ({"objective": lambda: 0}, "one argument, the dict"),
        ({"objective": lambda a, b, c: 0}, "one argument, the dict"),
        ({"objective": lambda n, x: n * x}, r"objective: it takes n, x, which .* one dict: pass"),
        ({"n_iter": 0}, "n_iter must be a positive integer"),
        ({"n_iter": 2.5}, "n_iter must be a positive integer"),
        ({"n_iter": None}, "Nothing would end the search"),
        ({"optimizer": "bayes"}, r"optimizer='bayes' is none of \['gp'"),
        ({"max_time": -1}, "max_time must be a positive number of seconds"),
        ({"fit_timeout": 0}, "fit_timeout must be a positive number of seconds"),
        ({"space": {"x": (5, 1)}}, "Parameter 'x'.*low must be less"),
        ({"space": {"x": 5}}, "Parameter 'x'"),
        ({"optimizer": "grid"}, "Parameter 'x'.*no finite list"),
        ({"optimizer": RandomOptimizer(SPACE)}, "pass space=None"),
        ({"random_state": -3}, "must not be negative"),
        ({"steps": 3}, "steps must be a StepHalving"),
        ({"n_iter": float("nan")}, "n_iter must be a positive integer"),
        ({"n_iter": float("inf")}, "n_iter must be a positive integer"),
        ({"n_iter": "5"}, "n_iter must be a positive integer"),
        ({"n_jobs": 0}, "n_jobs must be an integer other than 0"),
        ({"n_jobs": "all"}, "n_jobs must be an integer other than 0"),
        ({"max_time": "5"}, "max_time must be a positive number of seconds"),
        ({"constraint": 3}, "constraint must be a function of a dict"),
        ({"constraint": lambda p: p["y"] < 1}, r"constraint: it raised KeyError: 'y', when given"),
        ({"initial_params": {"x": 1.0, "n": 1}}, "initial_params must be a list of dicts"),
        ({"prior_trials": 3}, "prior_trials must be a list of pairs"),
        ({"prior_trials": [({"x": 1.0, "n": 1}, None)]}, r"prior_trials\[0\].*is not a pair"),
        ({"prior_trials": [1]}, r"prior_trials\[0\].*is not a pair"),
        ({"checkpoint": 3}, "checkpoint must be a path"),
        ({"optimizer": 3}, "optimizer must be one of"),
        ({"random_state": "a"}, "random_state must be an int"),
        ({"random_state": float("inf")}, "random_state must be an int"),
        ({"watch": 3}, "watch: 3 cannot be called"),
    ],
)
def test_bad_input(arguments, told):
    """Is told before the first trial, by the name of the argument."""
    with pytest.raises((TypeError, ValueError), match=told):
        minimize(**{"objective": paraboloid, "space": SPACE, "n_iter": 5} | arguments)


def test_steps_need_a_second_argument():
    from hpsearch import StepHalving

    with pytest.raises(TypeError, match="steps: the objective takes one argument"):
        minimize(paraboloid, SPACE, n_iter=5, steps=StepHalving())


def test_watchers_see_everything():
    events = []
    minimize(paraboloid, SPACE, n_iter=3, watch=[events.append], random_state=0)
    kinds = [event.kind for event in events]
    assert kinds == ["started", "result", "closed"] * 3 + ["finished"]


def test_watchers_may_end_it():
    def enough(event):
        if len(event.board.trials) == 4 and event.kind == "closed":
            raise StopSearch("four are enough")

    found = minimize(paraboloid, SPACE, n_iter=30, watch=enough, random_state=0)
    assert found.stopped == "four are enough"
    assert len(found.trials) == 4


def test_progress_shows_the_users_values(capsys):
    """Not those with the sign turned."""
    minimize(lambda p: p["n"], {"n": [3, 2]}, optimizer="grid", verbose=1)
    assert "best 2 " in capsys.readouterr().err


def test_a_dying_worker_costs_one_trial():
    """Its trial has crashed, the others have their values."""
    with pytest.warns(RuntimeWarning, match="1 of 6 trials failed"):
        found = minimize(objectives.exits, {"n": list(range(6))}, optimizer="grid", n_jobs=2)
    assert [t.params["n"] for t in found.trials if t.status is Status.CRASHED] == [3]
    assert [t.results[0].scores.get("value") for t in found.trials] == [0, 1, 2, None, 4, 5]


def test_a_hanging_trial_is_ended():
    """After fit_timeout seconds, though it sleeps."""
    with pytest.warns(RuntimeWarning, match="fit_timeout"):
        found = minimize(objectives.hangs, {"n": list(range(6))}, optimizer="grid", fit_timeout=3)
    assert [t.params["n"] for t in found.trials if t.status is Status.TIMEOUT] == [3]
    assert found.best_value == 0


def test_max_time_ends_the_search():
    """No trial starts after it."""
    began = time.monotonic()
    found = minimize(
        lambda p: time.sleep(0.05) or p["x"],
        {"x": (0.0, 1.0)},
        max_time=0.5,
        optimizer="random",
        random_state=0,
    )
    assert 1 <= len(found.trials) <= 11
    assert time.monotonic() - began < 60
    with pytest.raises(SearchAborted, match="max_time=1e-09 seconds were over"):
        minimize(paraboloid, SPACE, max_time=1e-9, optimizer="random")


def test_ctrl_c_keeps_what_is_done():
    """The best so far is returned, with a warning."""
    calls = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def objective(params):
        calls.append(params)
        if len(calls) == 4:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(10)
        return params["x"]

    try:
        with pytest.warns(UserWarning, match="interrupted"):
            found = minimize(objective, {"x": (0.0, 1.0)}, n_iter=50, random_state=0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert found.stopped == "interrupted"
    assert len(calls) == 4
    assert found.best_value == min(p["x"] for p in calls[:3])


def test_the_checkpoint_knows_the_work(tmp_path):
    """Another objective, space, seed or direction is refused, in words; the same one goes on."""
    path = tmp_path / "run.sqlite"
    common = {"n_iter": 5, "random_state": 0, "checkpoint": path}
    minimize(paraboloid, SPACE, **common)
    for change, told in [
        ({"objective": lambda p: p["x"]}, "the objective differs"),
        ({"space": {"x": (-5.0, 11.0), "n": (1, 8)}}, "the space differs"),
        ({"random_state": 1}, r"random_state differs \(0 before, 1 now\)"),
        ({"optimizer": "tpe"}, "optimizer differs"),
    ]:
        with pytest.raises(CheckpointError, match=told):
            minimize(**{"objective": paraboloid, "space": SPACE} | common | change)
    with pytest.raises(CheckpointError, match="whether less is better"):
        maximize(paraboloid, SPACE, **common)
    both = SQLiteJournal(path, if_different="add")
    maximize(paraboloid, SPACE, **common | {"checkpoint": both})
    assert len(minimize(paraboloid, SPACE, **common | {"n_iter": 8}).trials) == 8


def test_a_seed_that_was_drawn_is_kept(tmp_path):
    """Without a random_state, too, a search that goes on is one search."""
    path = tmp_path / "run.sqlite"
    first = minimize(paraboloid, SPACE, n_iter=12, checkpoint=path)
    assert table(minimize(paraboloid, SPACE, n_iter=12, checkpoint=path)) == table(first)


@pytest.mark.parametrize("name", ["gp", "tpe"])
def test_prior_trials_help(name):
    """Known values of the same function are a hint, and no trials themselves."""
    prior = [
        ({"x": x, "n": n}, paraboloid({"x": x, "n": n}))
        for x in (0.0, 2.0, 3.0, 4.0, 7.0)
        for n in (1, 4)
    ]
    common = {"n_iter": 8, "optimizer": name, "random_state": 0}
    without = minimize(paraboloid, SPACE, **common)
    knowing = minimize(paraboloid, SPACE, prior_trials=prior, **common)
    assert len(knowing.trials) == 8
    assert [t.params for t in knowing.trials] != [t.params for t in without.trials]
    if name == "gp":
        assert knowing.best_value < without.best_value
    turned = maximize(
        lambda p: -paraboloid(p), SPACE, prior_trials=[(p, -v) for p, v in prior], **common
    )
    assert [t.params for t in turned.trials] == [t.params for t in knowing.trials]
    with pytest.raises(ValueError, match="learns nothing"):
        minimize(paraboloid, SPACE, n_iter=3, optimizer="random", prior_trials=prior)
