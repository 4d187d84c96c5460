"""What goes to workers goes there once, and does not stay."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from hpsearch import shipping
from hpsearch.shipping import Shipment


def received(source):
    """What a worker gets: through a pickle, and read from the file."""
    try:
        return pickle.loads(pickle.dumps(source))()
    finally:
        shipping._received.clear()


@pytest.mark.parametrize(
    "kind", ["array", "fortran", "sparse", "pandas", "polars", "list", "lambda"]
)
def test_comes_as_it_was(kind):
    """Whatever its type, with the same layout in memory."""
    X = np.arange(12.0).reshape(4, 3)
    made = {
        "array": lambda: X,
        "fortran": lambda: np.asfortranarray(X),
        "sparse": lambda: sp.csr_matrix(X),
        "pandas": lambda: pytest.importorskip("pandas").DataFrame(X).assign(text=list("abcd")),
        "polars": lambda: pytest.importorskip("polars").DataFrame({"a": ["x", None, "y"]}),
        "list": lambda: ["a", ["b", 1]],
        "lambda": lambda: lambda v: v + 1,
    }[kind]()
    shipment = Shipment(made)
    got = received(shipment.source)
    shipment.close()
    assert type(got) is type(made)
    if kind == "lambda":
        assert got(1) == 2
    elif kind == "sparse":
        assert (got != made).nnz == 0
    elif kind in ("pandas", "polars"):
        assert got.equals(made)
    else:
        assert np.array_equal(got, made) if kind != "list" else got == made
    if kind == "fortran":
        assert got.flags.f_contiguous
        assert not got.flags.c_contiguous


def test_large_arrays_are_mapped():
    """Processes share one copy of an array: it is read where the file is."""
    shipment = Shipment({"X": np.ones(10_000)})
    X = received(shipment.source)["X"]
    shipment.close()
    assert not X.flags.owndata
    assert not X.flags.writeable


def test_forgotten_when_gone(monkeypatch):
    """A worker that lives on lets go of the data once their file is removed."""
    monkeypatch.setattr(shipping, "PATIENCE", 0.01)
    shipment = Shipment(np.ones(3))
    shipment.source()
    assert shipment.source.path in shipping._received
    watching = [t for t in shipping.threading.enumerate() if t.daemon]
    shipment.close()
    for thread in watching:
        thread.join(timeout=5)
    assert shipment.source.path not in shipping._received


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "raise RuntimeError"])
def test_no_file_is_left(end, tmp_path):
    """Neither by a program that closes its shipment, nor by one that ends without doing so."""
    code = f"import hpsearch.shipping as s; kept = s.Shipment([1]); print(kept.source.path); {end}"
    env = {"JOBLIB_TEMP_FOLDER": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=False)
    path = Path(run.stdout.decode().strip())
    assert path.parent == tmp_path
    assert not path.exists()
