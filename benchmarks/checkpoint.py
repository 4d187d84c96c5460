"""What a checkpoint costs: seconds a split, and against the fit itself.

    python benchmarks/checkpoint.py

Prints, for the cheapest fits there are (a DummyClassifier on 100 rows), the time a split takes
without a checkpoint, with one that survives a killed process (the default; a power failure may
take the last second), and with one that waits for the disk at every split.
"""

import argparse
import platform
import statistics
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
import sklearn
from sklearn.dummy import DummyClassifier

from hpsearch import ExhaustiveSearchCV, SQLiteJournal

N_SPLITS = 5


def seconds_a_split(journal_of, n_jobs, n_candidates):
    """Wall and CPU seconds a split, medians of five searches after one that is not counted."""
    X, y = np.random.default_rng(0).normal(size=(100, 5)), np.arange(100) % 2
    grid = {"constant": [0], "random_state": list(range(n_candidates))}
    times = []
    for _ in range(6):
        with tempfile.TemporaryDirectory() as folder:
            search = ExhaustiveSearchCV(
                DummyClassifier(strategy="constant"),
                grid,
                cv=N_SPLITS,
                n_jobs=n_jobs,
                refit=False,
                checkpoint=journal_of(Path(folder, "run.sqlite")),
            )
            began = time.perf_counter(), time.process_time()
            search.fit(X, y)
            times.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    n_fits = n_candidates * N_SPLITS
    return [statistics.median(kind[1:]) / n_fits for kind in zip(*times, strict=True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--candidates", type=int, default=200)
    given = parser.parse_args()
    print(
        f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}, joblib "
        f"{joblib.__version__}; n_jobs={given.n_jobs}, {given.candidates} candidates, "
        f"{N_SPLITS} splits"
    )
    kinds = {
        "no checkpoint": lambda _: None,
        "default (sync_seconds=1)": SQLiteJournal,
        "sync_seconds=0": lambda path: SQLiteJournal(path, sync_seconds=0),
    }
    bare = None
    for name, journal_of in kinds.items():
        wall, cpu = seconds_a_split(journal_of, given.n_jobs, given.candidates)
        bare = bare or (wall, cpu)
        print(
            f"{name:26} wall {wall * 1e3:6.3f} ms a split ({(wall - bare[0]) * 1e3:+.3f}), "
            f"CPU of the parent {cpu * 1e3:6.3f} ms ({(cpu - bare[1]) * 1e3:+.3f})"
        )


if __name__ == "__main__":
    main()
