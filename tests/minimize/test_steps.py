"""Values at steps: who goes on, in one process, in several, and in a loop of one's own."""

import itertools
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from hpsearch import StepHalving, StepLedger, maximize, minimize
from hpsearch.optimizers import GPOptimizer, RandomOptimizer
from hpsearch.trial import Status

from . import objectives


def brute_force(curves, reduction, n_steps):
    """Steps that each of some runs, one after another, gets by the rule as it is written."""
    at, lengths = {}, []
    for curve in curves:
        length = n_steps
        for step in range(1, n_steps + 1):
            if step not in [reduction**k for k in range(9)]:
                continue
            scores = at.setdefault(step, [])
            scores.append(curve[step - 1])
            best = sorted(scores, reverse=True)[: max(1, len(scores) // reduction)]
            if curve[step - 1] not in best:
                length = step
                break
        lengths.append(length)
    return lengths


@pytest.mark.parametrize("path", [None, "steps"])
@pytest.mark.parametrize("reduction", [2, 4])
def test_runs_in_a_row_go_by_the_rule(reduction, path, tmp_path):
    """The same lengths as by the definition, in memory and in a file."""
    rng = np.random.default_rng(0)
    curves = rng.normal(size=(60, 16)).tolist()
    ledger = StepLedger(StepHalving(reduction=reduction), path and tmp_path / path)
    lengths = []
    for curve in curves:
        run = ledger.start()
        told = [run.report(step, score) for step, score in zip(range(1, 17), curve, strict=True)]
        lengths.append(told.index(False) + 1 if False in told else 16)
        assert run.should_stop is (False in told)
    assert lengths == brute_force(curves, reduction, 16)
    assert sum(lengths) < 0.6 * 60 * 16


def test_a_score_that_is_no_number_ends_the_run():
    for score in (math.nan, math.inf, -math.inf):
        run = StepLedger().start()
        assert run.report(1, 0.5)
        assert not run.report(2, score)
        assert run.should_stop


def test_steps_may_pass_over_rungs():
    """A run that reports seldom is judged at the last rung that it passed."""
    ledger = StepLedger(StepHalving(reduction=2))
    assert ledger.start().report(10, 1.0)
    assert not ledger.start().report(9, 0.5)
    assert ledger.start().report(7, 0.5)


def test_equals_go_on():
    """A plateau is not cut by the order in which runs came."""
    ledger = StepLedger()
    assert all(ledger.start().report(1, 0.5) for _ in range(9))


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"reduction": 1}, "reduction must be a number of 2 or more, got 1"),
        ({"reduction": "3"}, "reduction must be"),
        ({"min_step": 0}, "min_step must be a positive number, got 0"),
        ({"min_step": math.inf}, "min_step must be"),
    ],
)
def test_bad_rules(bad, told):
    with pytest.raises(ValueError, match=told):
        StepHalving(**bad)


def test_any_number_reduces():
    """Two and a half: of five runs at a rung the best two go on, as by a rule of whole numbers."""
    rule = StepHalving(reduction=2.5)
    assert [rule.goes_on(s, others=[1, 2, 3, 4, 5]) for s in (4.5, 3.5)] == [True, False]
    assert [rule.rung(step) for step in (1, 2.4, 2.5, 6.25)] == [0, 0, 1, 2]


@pytest.mark.parametrize("key", ["my run", "", "tab\t"])
def test_a_name_with_blanks_is_refused(key):
    """It could not be found again in the file."""
    with pytest.raises(ValueError, match="no blanks"):
        StepLedger().start(key)


def test_a_ledger_in_a_file_lives_on(tmp_path):
    """Another process, or another day, knows what was reported; a torn line does no harm."""
    path = tmp_path / "steps"
    program = (
        "import sys, hpsearch; ledger = hpsearch.StepLedger(path=sys.argv[1])\n"
        "for score in range(9): ledger.start().report(1, score)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    with path.open("a") as file:
        file.write("0 torn 99")
    ledger = StepLedger(path=path)
    with path.open("a") as file:
        file.write("\n0 x 0.0\n")
    assert not ledger.start().report(1, 4.0)


def train(params, trial):
    """Nine epochs towards a value that the parameters decide."""
    for epoch in range(1, 10):
        value = params["x"] + 1 / epoch
        if not trial.report(epoch, value):
            break
    return value


def test_a_search_spends_less_on_what_is_bad():
    """Stopped trials are pruned, cannot win, and cost fewer epochs."""
    space, common = {"x": (0.0, 1.0)}, {"n_iter": 40, "optimizer": "random", "random_state": 0}
    whole = minimize(train, space, **common)
    halved = minimize(train, space, steps=StepHalving(), **common)
    n_epochs = [
        sum(len(t.results[0].details["steps"]) for t in found.trials) for found in (whole, halved)
    ]
    assert n_epochs[0] == 40 * 9
    assert n_epochs[1] < 200
    assert [t.params for t in whole.trials] == [t.params for t in halved.trials]
    assert halved.best_value == whole.best_value
    pruned = [t for t in halved.trials if t.status is Status.PRUNED]
    assert len(pruned) > 20
    assert halved.best_trial.status is Status.COMPLETE
    assert halved.best_trial.params == halved.best_params
    assert all(
        t.results[0].scores["value"] == t.params["x"] + 1 / len(t.results[0].details["steps"])
        for t in pruned
    )


def test_the_sign_of_maximize():
    """Curves turned upside down are stopped at the same steps."""

    def negative(params, trial):
        for epoch in range(1, 10):
            value = -params["x"] - 1 / epoch
            if not trial.report(epoch, value):
                return None  # the last report counts
        return value

    common = {"n_iter": 30, "steps": StepHalving(), "random_state": 1}
    least = minimize(train, {"x": (0.0, 1.0)}, **common)
    most = maximize(negative, {"x": (0.0, 1.0)}, **common)
    lengths = [[len(t.results[0].details["steps"]) for t in f.trials] for f in (least, most)]
    assert lengths[0] == lengths[1]
    assert most.best_value == -least.best_value


def test_workers_know_of_one_another():
    """Runs in several processes are compared with all that were before."""
    found = minimize(
        objectives.pid_of,
        {"n": list(range(1, 41))},
        n_iter=40,
        optimizer="grid",
        n_jobs=2,
        steps=StepHalving(),
    )
    pids = {t.results[0].details["info"]["pid"] for t in found.trials}
    assert os.getpid() not in pids
    assert len(pids) == 2
    # Ever greater losses, so that of each worker's runs only the very first are among the best.
    assert sum(t.status is Status.PRUNED for t in found.trials) >= 36
    assert found.best_value == 1.0


def test_no_file_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    minimize(train, {"x": (0.0, 1.0)}, n_iter=5, steps=StepHalving(), random_state=0)
    assert list(tmp_path.iterdir()) == []


def test_a_loop_of_ones_own():
    """Ask, report, stop half-way, tell: fewer epochs, and the minimum all the same."""
    optimizer = GPOptimizer({"x": (0.0, 1.0), "y": (0.0, 1.0)}, random_state=0)
    ledger, n_epochs, best = StepLedger(), 0, -math.inf
    for params in itertools.islice(optimizer, 30):
        run = ledger.start()
        for epoch in range(1, 10):
            n_epochs += 1
            score = -((params["x"] - 0.3) ** 2) - (params["y"] - 0.6) ** 2 - 1 / epoch
            if not run.report(epoch, score):
                break
        else:
            best = max(best, score)
        optimizer.tell(params, score)
    assert n_epochs < 30 * 9 * 0.7
    assert best > -1 / 9 - 0.02


def test_a_loop_that_stops_and_goes_on(tmp_path):
    """Left in the middle and told again, with its ledger in a file, it is the loop unbroken."""

    def go(optimizer, ledger, numbers):
        told = []
        for number, params in zip(numbers, optimizer, strict=False):
            run = ledger.start(str(number))
            for epoch in range(1, 10):
                score = -params["x"] - 1 / epoch
                if not run.report(epoch, score):
                    break
            optimizer.tell(params, score)
            told.append((params, score))
        return told

    space = {"x": (0.0, 1.0)}
    whole = go(RandomOptimizer(space, random_state=0), StepLedger(), range(20))
    path = tmp_path / "ledger"
    half = go(RandomOptimizer(space, random_state=0), StepLedger(path=path), range(8))
    optimizer = RandomOptimizer(space, random_state=0)
    for params, score in half:
        optimizer.tell(params, score)
    assert half + go(optimizer, StepLedger(path=path), range(8, 20)) == whole
