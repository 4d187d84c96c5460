"""Getting the data to the workers: ``python benchmarks/shipping.py [--megabytes 200]``.

A search of eight candidates in two splits with two workers, beside GridSearchCV, each in a process
of its own, for containers of about the same size. "memory" is the most that the program and its
workers held together, shared pages counted once (PSS, sampled ten times a second, Linux), beyond
what the program held before the search; "left" the temporary files there afterwards.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import scipy.sparse
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV

from hpsearch import ExhaustiveSearchCV

N_COLUMNS = 50
KINDS = ("numpy", "pandas, numbers", "pandas, strings", "sparse")
WHO = {"scikit-learn": GridSearchCV, "hpsearch": ExhaustiveSearchCV}


class Touch(ClassifierMixin, BaseEstimator):
    """Looks at the first row alone."""

    def __init__(self, k=0):
        self.k = k

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        n = X.shape[0] if hasattr(X, "shape") else len(X)
        return np.full(n, self.classes_[0])


def data(kind, megabytes):
    n_rows = int(megabytes * 1e6 / (8 * N_COLUMNS))
    rng = np.random.default_rng(0)
    X = rng.random((n_rows, N_COLUMNS))
    y = rng.integers(0, 2, n_rows)
    if kind == "numpy":
        return X, y
    if kind == "pandas, numbers":
        return pd.DataFrame(X).add_prefix("x"), y
    if kind == "sparse":
        return scipy.sparse.random(n_rows, 2 * N_COLUMNS, 0.33, "csr", rng=0), y
    words = np.array([f"word {i}" for i in range(1000)], dtype=object)
    n_words = n_rows // 8  # a string is some sixty bytes
    frame = {f"x{i}": words[rng.integers(0, 1000, n_words)] for i in range(N_COLUMNS)}
    return pd.DataFrame(frame), y[:n_words]


def pss(pids):
    """Bytes that processes hold together."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(text.partition("\nPss:")[2].split()[0]) * 1024
    return total


def family():
    """This process and those it has started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {os.getpid()}
    for _ in range(4):
        found |= {pid for pid, parent in parents.items() if parent in found}
    return found


def run(who, kind, megabytes):
    """Search in this process; print what it took."""
    warnings.simplefilter("ignore")
    X, y = data(kind, megabytes)
    search = WHO[who](Touch(), {"k": list(range(8))}, cv=2, n_jobs=2, refit=False)
    before, most, is_over = pss(family()), [0], threading.Event()

    def look():
        while not is_over.wait(0.1):
            most[0] = max(most[0], pss(family()))

    watcher = threading.Thread(target=look)
    watcher.start()
    began = time.perf_counter()
    search.fit(X, y)
    seconds = time.perf_counter() - began
    is_over.set()
    watcher.join()
    print(json.dumps({"seconds": seconds, "megabytes": (most[0] - before) / 1e6}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=float, default=200)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--run", nargs=2)
    given = parser.parse_args()
    if given.run:
        run(*given.run, given.megabytes)
        return
    print(
        f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}, "
        f"pandas {pd.__version__}, joblib {joblib.__version__}, {given.megabytes:g} MB"
    )
    for kind in given.kinds:
        for who in WHO:
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, __file__, "--megabytes", str(given.megabytes)]
                environment = os.environ | {"JOBLIB_TEMP_FOLDER": folder, "TMPDIR": folder}
                out = subprocess.run(
                    [*command, "--run", who, kind],
                    capture_output=True,
                    check=True,
                    env=environment,
                )
                found = json.loads(out.stdout)
                left = sum(path.is_file() for path in Path(folder).rglob("*"))
            print(
                f"{kind:16} {who:13} {found['seconds']:6.2f} s  "
                f"memory {found['megabytes']:6.0f} MB  left {left}",
                flush=True,
            )


if __name__ == "__main__":
    main()
