"""Many tiny fits: nothing grows but the results."""

import gc
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from hpsearch import SampledSearchCV

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
BYTES_A_CANDIDATE = 20_000  # of results, in the parent


def resident():
    """Bytes of memory that this process has."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def n_handles():
    return len(list(Path("/proc/self/fd").iterdir()))


def searched(n_iter, folder):
    X, y = np.random.default_rng(0).normal(size=(100, 5)), np.arange(100) % 2
    space = {"random_state": list(range(10**6))}
    search = SampledSearchCV(
        DummyClassifier(strategy="uniform"),
        space,
        n_iter=n_iter,
        cv=2,
        n_jobs=2,
        random_state=0,
        checkpoint=folder / f"{n_iter}.sqlite",
    )
    return search.fit(X, y)


def test_twenty_thousand_candidates(tmp_path):
    """Memory grows by the results alone; no file handle, thread or temporary file is left."""
    searched(500, tmp_path)
    handles, threads = n_handles(), threading.active_count()
    before = resident()
    search = searched(20_000, tmp_path)
    assert len(search.trials_) == 20_000
    assert {t.status.value for t in search.trials_} == {"complete"}
    assert resident() - before < 20_000 * BYTES_A_CANDIDATE
    del search
    gc.collect()
    assert n_handles() <= handles
    assert threading.active_count() <= threads
    left = [
        p for place in ("/tmp", "/dev/shm") for p in Path(place).glob(f"hpsearch-{os.getpid()}-*")
    ]
    assert left == []
