"""The journal in a real PostgreSQL server, started here. Skipped where none is installed."""

import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold
from sklearn.svm import SVC

from hpsearch import CheckpointError, GPSearchCV, PostgresJournal, SampledSearchCV

psycopg = pytest.importorskip("psycopg")

X, y = load_iris(return_X_y=True)
SPACE = {"C": (0.01, 100.0, "log-uniform"), "kernel": ["rbf", "poly"]}


def find_programs():
    found = [Path(p).parent for p in [shutil.which("initdb")] if p]
    return [*found, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of its own, on a socket in a temporary folder."""
    programs = find_programs()
    if not programs or not (programs[0] / "initdb").exists():
        pytest.skip("no PostgreSQL server is installed")
    folder = tmp_path_factory.mktemp("postgres")
    for place in (folder, *folder.parents):
        if not place.stat().st_mode & stat.S_IXOTH:
            place.chmod(0o755)
    # The server refuses to run as root.
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if prefix:
        shutil.chown(folder, "postgres")
    data = folder / "data"

    def run(program, *options):
        command = [*prefix, programs[0] / program, "-D", data, *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    run("initdb", "-A", "trust", "-N")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
    run("pg_ctl", "-w", "-l", folder / "log", "-o", options, "start")
    user = "postgres" if prefix else os.environ.get("USER", "postgres")
    yield f"host={folder} dbname=postgres user={user}"
    run("pg_ctl", "-m", "fast", "stop")


def test_a_search_goes_on_from_the_server(server):
    """Extended and read again, the search is that of an undisturbed run."""
    journal = PostgresJournal(server)
    options = {"cv": 3, "random_state": 0}
    GPSearchCV(SVC(), SPACE, n_iter=4, checkpoint=journal, **options).fit(X, y)
    resumed = GPSearchCV(SVC(), SPACE, n_iter=8, checkpoint=journal, **options).fit(X, y)
    again = GPSearchCV(SVC(), SPACE, n_iter=8, checkpoint=journal, **options).fit(X, y)
    expected = GPSearchCV(SVC(), SPACE, n_iter=8, **options).fit(X, y)
    for key, values in expected.cv_results_.items():
        if "time" not in key:
            np.testing.assert_array_equal(resumed.cv_results_[key], values, err_msg=key)
    np.testing.assert_array_equal(
        again.cv_results_["mean_fit_time"], resumed.cv_results_["mean_fit_time"]
    )


def test_splits_that_nobody_seeded_are_kept(server):
    """They are bytes in the database."""

    def search():
        cv = KFold(3, shuffle=True)
        return SampledSearchCV(SVC(), {"C": [1, 2, 3]}, n_iter=2, cv=cv, checkpoint=journal)

    journal = PostgresJournal(server)
    first, second = search().fit(X, y), search().fit(X, y)
    np.testing.assert_array_equal(
        first.cv_results_["split0_test_score"], second.cv_results_["split0_test_score"]
    )


def test_a_difference_is_said_and_a_search_in_use_refused(server):
    """As with a file."""
    journal, strict = PostgresJournal(server), PostgresJournal(server, if_different="refuse")
    options = {"n_iter": 4, "cv": 3}
    GPSearchCV(SVC(), SPACE, random_state=0, checkpoint=journal, **options).fit(X, y)
    with pytest.raises(CheckpointError, match="differs"):
        GPSearchCV(SVC(), SPACE, random_state=99, checkpoint=strict, **options).fit(X, y)
    parts = {"the search": "one of its own"}
    with journal.open(parts), pytest.raises(CheckpointError, match="another process"):
        journal.open(parts).__enter__()


def test_a_server_that_goes_away_does_not_end_the_search(server):
    """The search lives on in memory, and says so."""

    class Cutting(SVC):
        def fit(self, X, y, sample_weight=None):
            with psycopg.connect(server, autocommit=True) as db:
                db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
            time.sleep(0.05)
            return super().fit(X, y, sample_weight)

    search = GPSearchCV(
        Cutting(), SPACE, n_iter=3, cv=2, random_state=0, checkpoint=PostgresJournal(server)
    )
    with pytest.warns(RuntimeWarning, match="goes on in memory"):
        search.fit(X, y)
    assert len(search.trials_) == 3


def test_a_server_that_is_not_there_is_told(tmp_path):
    """Before the first fit."""
    journal = PostgresJournal(f"host={tmp_path} dbname=none")
    with pytest.raises(CheckpointError, match="server runs"):
        GPSearchCV(SVC(), SPACE, n_iter=3, checkpoint=journal).fit(X, y)
