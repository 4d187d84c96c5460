"""Seeing a search while it runs: `watch=`, the live line, and the time that is left."""

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import ParameterGrid
from sklearn.svm import SVC

from hpsearch import (
    ExhaustiveSearchCV,
    GPSearchCV,
    SampledSearchCV,
    StopSearch,
    TPESearchCV,
)
from hpsearch.brief import short_params, short_value
from hpsearch.display import LogLines, ProgressLine, TimeLeft
from hpsearch.protocols import Event
from hpsearch.results import Trials
from hpsearch.timing import TimeModel
from hpsearch.trial import Board, SplitResult, Status, Trial

X, Y = load_iris(return_X_y=True)
GRID = {"C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.1]}


def searches(**options):
    """One of each class, of six candidates."""
    drawn = {"n_iter": 6, "random_state": 0}
    space = {"C": (0.1, 10.0), "gamma": (0.01, 0.1)}
    return [
        ExhaustiveSearchCV(SVC(), GRID, cv=3, **options),
        SampledSearchCV(SVC(), GRID, cv=3, **drawn, **options),
        GPSearchCV(SVC(), space, cv=3, **drawn, **options),
        TPESearchCV(SVC(), space, cv=3, **drawn, **options),
    ]


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("number", range(4))
def test_events_tell_all(number, n_jobs):
    """Each candidate is started, has a result a split, and is closed; then all is over."""
    told = []

    def watch(event):
        trial = event.trial
        params = None if trial is None else trial.params
        told.append((event.kind, params, trial and trial.number, event.score))

    search = searches(watch=watch, n_jobs=n_jobs)[number].fit(X, Y)
    kinds = [kind for kind, *_ in told]
    assert [kinds.count(k) for k in ("started", "result", "closed", "finished")] == [6, 18, 6, 1]
    assert kinds[-1] == "finished"
    closed = {n: (params, score) for kind, params, n, score in told if kind == "closed"}
    means = search.cv_results_["mean_test_score"]
    for n, params in enumerate(search.cv_results_["params"]):
        assert closed[n][0] == params
        assert closed[n][1] == pytest.approx(means[n])


def test_events_are_frozen_and_carry_the_table_so_far():
    """A watcher sees all trials so far, and cannot change what the next one is told."""
    sizes = []

    def watch(event):
        with pytest.raises(FrozenInstanceError):
            event.kind = "finished"
        if event.kind == "closed":
            frame = Trials(event.board.trials).to_frame()
            sizes.append(int((frame["status"] == "complete").sum()))

    pytest.importorskip("pandas")
    ExhaustiveSearchCV(SVC(), GRID, cv=2, reuse=False, watch=watch).fit(X, Y)
    assert sizes == [1, 2, 3, 4, 5, 6]


cut_short = pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")


@cut_short
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("number", range(4))
def test_a_watcher_can_stop_the_search(number, n_jobs):
    """No further candidate starts; what is done is in `cv_results_`, and the best is refitted."""

    def watch(event):
        if event.kind == "closed" and event.score > 0.5:
            raise StopSearch("good enough")

    search = searches(watch=[watch], n_jobs=n_jobs, pre_dispatch=1)[number].fit(X, Y)
    assert search.stopped_ == "good enough"
    complete = [t for t in search.trials_ if t.status is Status.COMPLETE]
    assert 1 <= len(complete) < 6 if n_jobs == 1 else len(complete) >= 1
    assert search.best_score_ > 0.5
    assert search.predict(X).shape == Y.shape
    pruned = [t.number for t in search.trials_ if t.status is Status.PRUNED]
    assert np.isnan(search.cv_results_["mean_test_score"][pruned]).all()


@pytest.mark.filterwarnings("ignore:The search ended before any candidate was complete")
def test_results_that_travel_with_the_stop_are_kept():
    """A job brings several results; a stop at the first of them does not lose the others."""

    def watch(event):
        if event.kind == "result":
            raise StopSearch

    forest = RandomForestClassifier(random_state=0)
    grid = {"n_estimators": [2, 4, 6]}  # one fit a split serves all three
    search = ExhaustiveSearchCV(forest, grid, cv=2, refit=False, watch=watch).fit(X, Y)
    assert search.stopped_ == "StopSearch"
    assert sum(len(t.results) for t in search.trials_) == 3


@cut_short
def test_a_search_that_runs_to_its_end_was_not_stopped():
    """`stopped_` is None; a limit of time is named."""
    assert ExhaustiveSearchCV(SVC(), GRID, cv=2).fit(X, Y).stopped_ is None

    class Slow(SVC):
        def fit(self, X, y):
            import time

            time.sleep(0.05)
            return super().fit(X, y)

    grid = {"C": list(np.geomspace(0.1, 10, 200))}
    search = ExhaustiveSearchCV(Slow(), grid, cv=2, max_time=0.5).fit(X, Y)
    assert search.stopped_ == "max_time"


def test_a_watcher_that_fails_does_not_end_the_search():
    """It is left out from then on, with one warning; the others are still called."""
    n_closed = 0

    def broken(event):
        raise OSError("the tracker's disk is full")

    def counts(event):
        nonlocal n_closed
        n_closed += event.kind == "closed"

    search = ExhaustiveSearchCV(SVC(), GRID, cv=2, watch=[broken, counts])
    with pytest.warns(RuntimeWarning, match="the tracker's disk is full") as told:
        search.fit(X, Y)
    assert len(told) == 1
    assert n_closed == 6


@pytest.mark.parametrize("watch", [3, [3], [print, "tell"]])
def test_what_cannot_be_called_is_refused(watch):
    """Before the first fit, with what is accepted."""
    with pytest.raises((TypeError, ValueError), match="watch"):
        ExhaustiveSearchCV(SVC(), GRID, watch=watch).fit(X, Y)


def test_a_watched_search_can_be_cloned():
    """As every estimator, also with a list of watchers."""
    search = ExhaustiveSearchCV(SVC(), GRID, watch=[print])
    assert clone(search).get_params()["watch"] == [print]


def test_a_resumed_search_is_watched_from_where_it_goes_on(tmp_path):
    """Events come for what is fitted now; the board holds what was fitted before too."""
    options = {"random_state": 0, "cv": 2, "checkpoint": tmp_path / "run.sqlite"}
    space = {"C": (0.1, 10.0)}
    GPSearchCV(SVC(), space, n_iter=3, **options).fit(X, Y)
    sizes = []

    def watch(event):
        if event.kind == "closed":
            sizes.append(len(event.board.trials))

    GPSearchCV(SVC(), space, n_iter=5, watch=watch, **options).fit(X, Y)
    assert sizes == [4, 5]


# The live line -----------------------------------------------------------------------------------

SCRIPT = """
from sklearn.datasets import load_iris
from sklearn.svm import SVC
from hpsearch import ExhaustiveSearchCV
grid = {"C": [0.1, 1.0], "kernel": ["rbf", "linear"], "class_weight": [None, {9: 1.0}]}
ExhaustiveSearchCV(SVC(), grid, cv=3, verbose=1).fit(*load_iris(return_X_y=True))
"""


def test_a_log_file_gets_whole_lines_without_control_codes():
    """One line at the end of a short search: done, best with its parameters, failed, time."""
    script = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    run = subprocess.run(script, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("Fitting 3 folds for each of 8 candidates, totalling 24 fits")
    assert not {"\r", "\x1b"} & set(run.stderr)
    (line,) = run.stderr.splitlines()
    assert line.startswith("8/8 candidates, best 0.9933 (C=1, class_weight=None, kernel=linear)")
    assert "4 failed, in " in line


def test_a_terminal_gets_a_bar_on_one_line():
    """Drawn by tqdm, over and over on the same line, no wider than the terminal."""
    pytest.importorskip("tqdm")
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = os.environ | {"TERM": "xterm"}
    script = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    with subprocess.Popen(
        script, stderr=child, stdout=subprocess.DEVNULL, env=environment
    ) as process:
        process.wait()
        os.close(child)
        told = b""
        try:
            while chunk := os.read(parent, 4096):
                told += chunk
        except OSError:  # the other end is closed
            pass
    os.close(parent)
    drawn = told.decode().replace("\x1b[A", "").strip().split("\r")
    assert "8/8 candidates, best 0.9933 (C=1, class_weight=None" in drawn[-1]
    assert max(map(len, drawn)) <= 80


class Window(io.StringIO):
    """The standard error of an editor: it says that it is a terminal, and has no number."""

    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Window(), None], ids=["a window", "none"])
def test_without_a_real_terminal_there_are_lines(stream, monkeypatch, capsys):
    """A search is not ended by where its progress would be shown."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    ExhaustiveSearchCV(SVC(), {"C": [1, 10]}, cv=2, verbose=1).fit(X, Y)
    told = capsys.readouterr().out if stream is None else stream.getvalue()
    assert "2/2 candidates, best" in told


def test_verbose_zero_prints_nothing(capfd):
    """Nothing at all, on neither stream, also with workers."""
    ExhaustiveSearchCV(SVC(), GRID, cv=2, n_jobs=2).fit(X, Y)
    assert capfd.readouterr() == ("", "")


def trial_of(number, seconds, status=Status.COMPLETE, score=0.5, **params):
    results = [SplitResult(0, 1.0, {"score": score}, {"fit_time": seconds, "score_time": 0.0})]
    return Trial(number, params, status, results if status is not Status.RUNNING else [])


def test_the_line_counts_what_became_of_the_candidates():
    """Failures of every kind are failed, pruned are pruned; the best is that of complete ones."""
    statuses = [Status.FAILED, Status.TIMEOUT, Status.CRASHED, Status.PRUNED, Status.COMPLETE]
    trials = [trial_of(i, 1.0, s, score=0.1 * i, C=i) for i, s in enumerate(statuses)]
    trials.append(trial_of(5, 1.0, Status.RUNNING, C=5))
    file, clock = io.StringIO(), iter([0.0, 90.0])
    line = ProgressLine(LogLines(10, file), TimeLeft(10, None, None), lambda: next(clock))
    line(Event("finished", None, Board("score", 1, trials)))
    expected = "5/10 candidates, best 0.4 (C=4), 3 failed, 1 pruned, in 1 min 30 s\n"
    assert file.getvalue() == expected


def test_lines_of_a_log_become_rare():
    """A search of a day leaves some fifteen hundred lines, not one a candidate."""
    file = io.StringIO()
    now = [0.0]
    line = ProgressLine(LogLines(None, file), TimeLeft(None, None, None), lambda: now[0])
    board = Board("score", 1, [trial_of(0, 1.0)])
    for second in range(3600):
        now[0] = float(second)
        line(Event("closed", board.trials[0], board))
    assert 60 <= len(file.getvalue().splitlines()) <= 75


# Time left ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_workers", [1, 4])
def test_time_left_knows_that_the_dear_candidates_are_still_to_come(n_workers):
    """Seconds grow with a listed parameter: the mean so far would tell a quarter of the truth."""
    grid = ParameterGrid({"n": [2**i for i in range(8)], "seed": list(range(10))})
    seconds = {i: 0.01 * p["n"] for i, p in enumerate(grid)}
    left = TimeLeft(len(grid), grid, None)
    trials = [trial_of(i, seconds[i], **grid[i]) for i in range(60)]
    for trial in trials:
        left.add(trial)
    spent = sum(seconds[i] for i in range(60))
    truth = sum(seconds[i] for i in range(60, 80)) / n_workers
    told = left.seconds(Board("score", 1, trials), spent / n_workers)
    assert told == pytest.approx(truth, rel=0.35)
    assert spent / 60 * 20 / n_workers < 0.35 * truth


def test_time_left_of_a_learner_is_that_of_its_latest_candidates():
    """It goes on where it was last; and no search is longer than its limit."""
    trials = [trial_of(i, 1.0 if i < 15 else 3.0, C=i) for i in range(20)]
    board = Board("score", 1, trials)
    for limit, expected in ((None, 30.0), (35.0, 5.0)):
        left = TimeLeft(30, None, limit)
        for trial in trials:
            left.add(trial)
        assert left.seconds(board, 30.0) == pytest.approx(expected)


def test_time_model_of_mixed_parameters():
    """Multiplicative effects of a number and of a category are found, and never run away."""
    rng = np.random.default_rng(0)
    params = [
        {"n": int(n), "kernel": str(k)}
        for n, k in zip(rng.integers(1, 1000, 200), rng.choice(["a", "b"], 200), strict=True)
    ]

    def truth(p):
        return 0.01 * p["n"] * (5.0 if p["kernel"] == "b" else 1.0)

    noise = rng.lognormal(0, 0.1, 200)
    model = TimeModel(params, [truth(p) * e for p, e in zip(params, noise, strict=True)])
    new = [{"n": n, "kernel": k} for n in (20, 200) for k in "ab"]
    assert model.predict(new) == pytest.approx([truth(p) for p in new], rel=0.2)
    strange = model.predict([{"n": 10**9, "kernel": "c"}, {}])
    assert (strange > 0).all()
    assert (strange < 1000).all()


def test_parameters_in_short():
    """Prefixes that tell nothing go, and so does what is too long."""
    params = {"scale__with_mean": False, "svc__C": 0.123456789, "svc__base": SVC()}
    assert short_params(params) == "with_mean=False, C=0.1235, base=SVC"
    assert short_params({f"parameter_{i}": i for i in range(30)}).endswith("…")
    assert short_value(np.float64(2.5)) == "2.5"
    assert short_value("x" * 100).endswith("…")
