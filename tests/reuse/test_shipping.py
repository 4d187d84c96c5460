"""What goes to workers goes there once, and does not stay."""

import pickle
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp

from hpsearch import notes, shipping
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


def test_arrays_begin_where_vector_loops_like_it():
    """However long what stands before them in the file."""
    shipment = Shipment([np.ones(3, dtype=np.uint8), "x" * 17, np.ones(100), np.ones(5)])
    got = received(shipment.source)
    shipment.close()
    assert [array.ctypes.data % 64 for array in got if len(array) != 17] == [0] * 3


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no memory to write files to")
@pytest.mark.parametrize("is_room", [True, False])
def test_in_memory_if_there_is_room(is_room, monkeypatch):
    """Else on the disk, in the system's folder; twice what is written must be free."""
    monkeypatch.delenv("JOBLIB_TEMP_FOLDER", raising=False)
    usage = SimpleNamespace(free=200_000 if is_room else 120_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    shipment = Shipment(np.ones(10_000))
    expected = "/dev/shm" if is_room else tempfile.gettempdir()
    path = Path(shipment.source.path)
    shipment.close()
    assert str(path.parent) == expected
    assert path.name.startswith(notes.prefix())  # by which later searches find what was left


def test_one_object_at_a_time():
    """A process that is given another one lets go of what it had."""
    shipments = [Shipment([number]) for number in range(2)]
    try:
        for shipment in shipments:
            shipment.source()
            assert list(shipping._received) == [shipment.source.path]
    finally:
        shipping._received.clear()
        for shipment in shipments:
            shipment.close()


def test_a_file_that_somebody_has_removed():
    """Cleaning up is no error then."""
    shipment = Shipment([1])
    Path(shipment.source.path).unlink()
    shipment.close()


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
    code = (
        "import hpsearch.shipping as s; kept = s.Shipment([1]); kept.source(); "
        f"print(kept.source.path); {end}"
    )
    env = {"JOBLIB_TEMP_FOLDER": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, check=False, timeout=120
    )
    path = Path(run.stdout.decode().strip())
    assert path.parent == tmp_path
    assert not path.exists()
