"""A program that minimises is killed with SIGKILL; nothing that was finished is done again."""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import numpy as np
import pytest

from . import objectives

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="kills"),
    pytest.mark.filterwarnings("ignore:.*trials failed:RuntimeWarning"),
]


def start(name, folder, n_jobs):
    command = [sys.executable, "-W", "ignore", "-m", "tests.minimize.objectives", name]
    command += [str(folder / "run.sqlite"), str(folder / "calls.log"), str(n_jobs), "0.05"]
    return subprocess.Popen(command, start_new_session=True)


def calls(folder):
    log = folder / "calls.log"
    return log.read_text().splitlines() if log.exists() else []


def finished(folder):
    """Candidates whose value is in the file."""
    if not (folder / "run.sqlite").exists():
        return set()
    sql = (
        "SELECT json_extract(t.params, '$.x'), json_extract(t.params, '$.k') "
        "FROM result r JOIN trial t ON t.number = r.trial"
    )
    with closing(sqlite3.connect(f"file:{folder / 'run.sqlite'}?mode=ro", uri=True)) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
        return {f"{x!r} {k!r}" for x, k in db.execute(sql)}


def check_kills(name, n_jobs, n_kills, folder):
    rng = np.random.default_rng([len(name), n_jobs])
    for _ in range(n_kills):
        before, n_calls = finished(folder), len(calls(folder))
        process = start(name, folder, n_jobs)
        more, pause = int(rng.integers(1, 4)), rng.uniform(0, 0.06)
        while process.poll() is None and len(calls(folder)) < n_calls + more:
            time.sleep(0.005)
        time.sleep(pause)
        process.kill()
        process.wait()
        assert not set(calls(folder)[n_calls:]) & before
        if process.returncode == 0:
            break
    before, n_calls = finished(folder), len(calls(folder))
    assert start(name, folder, n_jobs).wait(timeout=300) == 0
    assert not set(calls(folder)[n_calls:]) & before
    n_calls = len(calls(folder))
    resumed = objectives.search(
        name, folder / "run.sqlite", str(folder / "calls.log"), n_jobs=1, seconds=0.05
    )
    assert len(calls(folder)) == n_calls, "all was in the file"
    undisturbed = objectives.search(name, None, None)
    assert len(resumed.trials) == len(undisturbed.trials) == 15
    if n_jobs == 1 or name in ("random", "grid"):
        assert kept(resumed) == kept(undisturbed)
        assert resumed.best_params == undisturbed.best_params


def kept(found):
    """All of a search but times and tracebacks."""
    rows = []
    for trial in found.trials:
        result = trial.results[0]
        steps = [tuple(pair) for pair in result.details.get("steps", [])]
        rows.append((trial.params, str(trial.status), repr(result.scores), steps))
    return rows


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("name", ["gp", "tpe", "random", "steps"])
def test_no_finished_trial_is_run_again(name, n_jobs, tmp_path):
    """Killed twice, resumed: the end is that of an undisturbed run, with one worker bit for bit."""
    check_kills(name, n_jobs, 2, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("name", ["gp", "tpe", "random", "steps"])
def test_twenty_kills(name, n_jobs, tmp_path):
    """The same at twenty random moments."""
    check_kills(name, n_jobs, 20, tmp_path)
