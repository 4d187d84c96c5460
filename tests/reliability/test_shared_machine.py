"""A machine, a folder and memory that others have a part of."""

import os
import pickle
import platform
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_iris, make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hpsearch import ExhaustiveSearchCV, memory, notes
from hpsearch.reuse.lending import n_bytes
from hpsearch.reuse.store import MEMORY_SHARE, Store, capacity_for

GIB = 2**30


@pytest.fixture
def container(tmp_path, monkeypatch):
    """A machine with 64 GiB free, and a container on it that may take 4 GiB and holds 3."""
    machine, group, own = (tmp_path / name for name in ("meminfo", "cgroup", "own"))
    machine.write_text(f"MemTotal: {2**27} kB\nMemAvailable:   {2**26} kB\n")
    group.mkdir()
    (group / "memory.max").write_text(f"{4 * GIB}\n")
    (group / "memory.current").write_text(f"{3 * GIB}\n")
    (group / "memory.stat").write_text(f"anon {GIB}\nactive_file 0\ninactive_file {2 * GIB}\n")
    monkeypatch.setattr(memory, "MACHINE", machine)
    own.write_text("0::/\n")
    monkeypatch.setattr(memory, "CGROUP", group)
    monkeypatch.setattr(memory, "OWN_GROUP", own)
    return group


def test_what_a_container_may_take_is_what_there_is(container):
    """Not what the machine has; files that were read count as free, as the kernel has it."""
    assert memory.available() == 3 * GIB
    (container / "memory.max").write_text("max\n")
    assert memory.available() == 64 * GIB


@pytest.mark.parametrize("level", ["jobs", "jobs/job_7", "jobs/job_7/step_0"])
def test_a_job_on_a_cluster_may_take_what_its_groups_let_it(level, container):
    """The limit stands on the job's own group or on one around it; the strictest counts."""
    memory.OWN_GROUP.write_text("0::/jobs/job_7/step_0\n")
    (container / "jobs" / "job_7" / "step_0").mkdir(parents=True)
    assert memory.available() == 3 * GIB
    (container / level / "memory.max").write_text(f"{2 * GIB}\n")
    (container / level / "memory.current").write_text(f"{GIB}\n")
    assert memory.available() == GIB


def test_what_candidates_share_fits_into_the_container(container):
    """A share of what the container may take, or the search would be killed for it."""
    assert capacity_for(2) == int(MEMORY_SHARE * 3 * GIB / 2)
    (container / "memory.current").write_text(f"{7 * GIB}\n")  # more than it may: nothing is left
    assert capacity_for(1) == 0


WORDS = [f"word{i} word{i * 7 % 500} common{i % 3}" for i in range(1000)]
HELD = [
    RandomForestClassifier(5, random_state=0),
    GradientBoostingClassifier(n_estimators=20, random_state=0),
    HistGradientBoostingClassifier(max_iter=10),
    BaggingClassifier(SVC(), 4),
    KNeighborsClassifier(algorithm="kd_tree"),
    make_pipeline(StandardScaler(), PCA()),
]


@pytest.mark.parametrize("model", HELD, ids=lambda model: type(model).__name__)
def test_what_is_kept_is_measured(model):
    """What candidates share is kept up to so many bytes: no model counts as much less than it is.

    The control is the larger of its pickle and of what Python allocates to read that.
    """
    X, y = make_classification(500, 20, random_state=0)
    assert 0.5 < n_bytes(model.fit(X, y)) / size_of(model) < 2


@pytest.mark.parametrize(
    "kind", [list, set, np.array, dict.fromkeys, sp.csr_matrix, "objects", "vocabulary"]
)
def test_tables_and_containers_are_measured(kind):
    """Likewise what steps make, and what they learn."""
    if kind == "vocabulary":
        thing = CountVectorizer().fit(WORDS)
    elif kind == "objects":
        thing = np.array(WORDS, dtype=object)
    else:
        thing = kind(np.eye(200) if kind is sp.csr_matrix else WORDS)
    assert 0.5 < n_bytes(thing) / size_of(thing) < 2


def size_of(thing):
    pickled = pickle.dumps(thing)
    tracemalloc.start()
    try:
        again = pickle.loads(pickled)
        allocated, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del again
    return max(len(pickled), allocated)


def test_what_took_long_for_its_size_stays():
    """Of what does not fit, the bytes that are cheapest to make again go."""
    store = Store(capacity=100)
    store.put("large", 1, seconds=6.0, n_bytes=60)
    store.put("small", 2, seconds=5.0, n_bytes=20)
    store.put("new", 3, seconds=2.0, n_bytes=25)  # 0.1, 0.25 and 0.08 seconds a byte
    assert [store.get(key) for key in ("large", "small", "new")] == [1, 2, None]
    store.grow("small", 25)  # "large" is worth least now
    assert [store.get(key) for key in ("large", "small")] == [None, 2]
    assert store.n_bytes == 45


@pytest.mark.parametrize("is_used", [True, False])
def test_what_nobody_asks_for_goes_with_time(is_used):
    """However long it took; what is asked for again and again stays."""
    store = Store(capacity=100)
    store.put("old", 1, seconds=3.0, n_bytes=30)
    for number in range(40):
        store.put(number, number, seconds=0.9, n_bytes=30)
        assert not is_used or store.get("old") == 1
    assert (store.get("old") is not None) is is_used


def test_a_temporary_folder_is_made_and_emptied(tmp_path, monkeypatch):
    """The folder that joblib is told of need not be there yet, and may begin with a tilde."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", "~/scratch/of mine")
    X, y = load_iris(return_X_y=True)
    ExhaustiveSearchCV(SVC(), {"C": [1, 10]}, cv=2, n_jobs=2).fit(X, y)
    made = tmp_path / "scratch" / "of mine"
    assert made.is_dir()
    assert list(made.glob("hpsearch-*")) == []


def test_temporary_files_of_another_machine_are_left_alone(tmp_path, monkeypatch):
    """In a folder that machines or containers share, process numbers say nothing of the others'."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    def left_behind(host):
        monkeypatch.setattr(platform, "node", lambda: host)
        name = notes.prefix().replace(str(os.getpid()), str(ended.pid), 1)
        path = tmp_path / f"{name}data"
        path.write_text("rows")
        return path

    elsewhere, here = left_behind("elsewhere"), left_behind("here")
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    X, y = load_iris(return_X_y=True)
    ExhaustiveSearchCV(SVC(), {"C": [1, 10]}, cv=2, n_jobs=2).fit(X, y)
    assert elsewhere.exists()
    assert not here.exists()
    assert [p for p in Path(tmp_path).glob("hpsearch-*") if p != elsewhere] == []
