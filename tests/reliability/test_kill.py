"""The parent is killed with SIGKILL, again and again; nothing that was finished is done again."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from . import victims

NAMES = ["exhaustive", "sampled", "gp", "tpe", "race", "halving"]


def start(name, checkpoint, log, n_jobs):
    command = [sys.executable, "-m", "tests.reliability.victims"]
    command += [name, str(checkpoint), str(log), str(n_jobs), "0.05"]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


def recorded(checkpoint, name):
    """Candidate, resource and split of every result in the file."""
    most = victims.MOST if name == "halving" else 1
    with closing(sqlite3.connect(f"file:{checkpoint}?mode=ro", uri=True)) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
        sql = (
            "SELECT json_extract(t.params, '$.x'), json_extract(t.params, '$.k'), "
            f"CAST(round(r.resource * {most}) AS INTEGER), r.split "
            "FROM result r JOIN trial t ON t.number = r.trial"
        )
        return set(db.execute(sql))


def logged(log):
    """Candidate, resource and split of every fit that was begun, in order."""
    if not log.exists():
        return []
    X, y = victims.data()
    cv = victims.search("gp", None, None)
    from sklearn.model_selection import check_cv

    splits = list(check_cv(cv.cv, y, classifier=True).split(X, y))
    by_sum = {int(X[train, 0].sum()): i for i, (train, _) in enumerate(splits)}
    by_sum[int(X[:, 0].sum())] = "refit"
    rows = [line.split() for line in log.read_text().splitlines()]
    return [(_number(x), int(k), int(n), by_sum[int(total)]) for x, k, n, total in rows]


def _number(text):
    return float(text.removeprefix("np.float64(").removesuffix(")"))


def wait_for(condition, process):
    while process.poll() is None and not condition():
        time.sleep(0.005)


def processes_of(session):
    """Processes that belong to a session that a test has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def kill_and_resume(name, n_jobs, n_kills, folder):
    checkpoint, log = folder / "run.sqlite", folder / "fits.log"
    rng = np.random.default_rng([NAMES.index(name), n_jobs])
    for _ in range(n_kills):
        before = recorded(checkpoint, name) if checkpoint.exists() else set()
        n_logged = len(logged(log))
        more = int(rng.integers(1, 4))  # kill at the start of this fit from here, and a bit later
        pause = rng.uniform(0, 0.05)
        process = start(name, checkpoint, log, n_jobs)
        wait_for(lambda n=n_logged + more: len(logged(log)) >= n, process)
        time.sleep(pause)
        process.kill()
        process.stdout.close()  # the workers hold its other end
        process.wait()
        again = set(logged(log)[n_logged:]) & before
        assert not again, f"fitted again: {again}"
        if process.returncode == 0:
            break
    before, n_logged = recorded(checkpoint, name), len(logged(log))
    process = start(name, checkpoint, log, n_jobs)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    assert not set(logged(log)[n_logged:]) & before
    return checkpoint


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_no_finished_split_is_fitted_again(name, n_jobs, tmp_path):
    """Killed twice, resumed: the end is that of an undisturbed run, with one worker bit for bit."""
    check_kills(name, n_jobs, 2, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_twenty_kills(name, n_jobs, tmp_path):
    """The same at twenty random moments."""
    check_kills(name, n_jobs, 20, tmp_path)


def check_kills(name, n_jobs, n_kills, folder):
    checkpoint = kill_and_resume(name, n_jobs, n_kills, folder)
    resumed = victims.search(name, str(checkpoint), None, n_jobs=1)
    # The log's path and the sleep are parameters of the estimator, hence of the work.
    resumed.estimator.set_params(log=str(folder / "fits.log"), seconds=0.05)
    n_fits = len(logged(folder / "fits.log"))
    resumed.fit(*victims.data())
    assert len(logged(folder / "fits.log")) == n_fits + 1, "only the refit is left to do"
    undisturbed = victims.search(name, None, None).fit(*victims.data())
    if n_jobs == 1 or name in ("exhaustive", "sampled"):  # a learner's asks depend on timing
        for key, values in undisturbed.cv_results_.items():
            if "time" not in key:
                np.testing.assert_array_equal(resumed.cv_results_[key], values, err_msg=key)
    assert len(resumed.trials_) == len(undisturbed.trials_)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_leave_with_a_killed_parent(tmp_path):
    """After kill -9 of the parent no process and no temporary file is left within seconds.

    A worker that has not begun a call yet does not know its parent; it ends when it has been idle
    for as long as joblib lets it.
    """
    log = tmp_path / "fits.log"
    process = start("exhaustive", tmp_path / "run.sqlite", log, 2)
    session = process.pid
    notes = f"hpsearch-{session}-*/*"  # one of each call that runs
    wait_for(lambda: len(list(Path(tempfile.gettempdir()).glob(notes))) == 2, process)
    os.kill(process.pid, signal.SIGKILL)
    process.stdout.close()  # the workers hold its other end
    process.wait()
    end = time.monotonic() + 30
    while processes_of(session) and time.monotonic() < end:
        time.sleep(0.05)
    assert processes_of(session) == []
    places = [Path("/dev/shm"), Path("/tmp")]
    assert [p for place in places for p in place.glob(f"hpsearch-{session}-*")] == []
