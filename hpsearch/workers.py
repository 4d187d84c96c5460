"""Processes and threads of this machine: how long they live, and how many cores each has.

Cores are shared out evenly: with 4 calls at a time on 16 cores each has 4. loky tells the libraries
of linear algebra so when a process starts. What is told here, call by call, is what joblib and who
asks it (scikit-learn's `n_jobs=-1`, LightGBM) believe the machine to have, and, for calls in
threads of one process, what OpenMP and linear algebra may take.
"""

from __future__ import annotations

import numbers
import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
from joblib import cpu_count
from threadpoolctl import ThreadpoolController

N_CORES = "LOKY_MAX_CPU_COUNT"  # what `joblib.cpu_count` goes by
Environment = Mapping[str, str]


@dataclass(frozen=True)
class Workers:
    """How the processes that fit are kept, for `workers=` of the searches and of `minimize`.

    Fits then run in fresh processes, one even with ``n_jobs=1``, that end with the search. They are
    joblib's own (loky); on Dask, Ray and Spark the engine has settings for the same.

    Parameters
    ----------
    max_fits : int or None, default=None
        A process ends after so many fits, and another one takes its place: for frameworks that do
        not give back their memory. Fits then go to a process one by one, and share less of their
        work. All processes are replaced when the first has had its fits and the others are done
        with theirs, so nothing that runs is lost.
    env : sequence of dict, callable or None, default=None
        Environment variables for each process, set before it loads the estimator. The first
        process gets the first dict, and so on, from the beginning again if there are more
        processes; one that takes another's place gets the same. A callable is given the number of
        the process, from 0. Their values are strings. The refit runs in the process of the search,
        which has none of them.

    Examples
    --------
    A GPU for each of two processes, each of which ends after 20 trainings:

    >>> from hpsearch import Workers
    >>> gpus = [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"}]
    >>> workers = Workers(max_fits=20, env=gpus)

    >>> import os
    >>> from hpsearch import minimize
    >>> def loss(params):
    ...     return params["x"] + int(os.environ["CUDA_VISIBLE_DEVICES"]) * 0
    >>> minimize(loss, {"x": [3, 1, 2]}, optimizer="grid", workers=workers).best_params
    {'x': 1}
    """

    max_fits: int | None = None
    env: Sequence[Environment] | Callable[[int], Environment] | None = None


def check_workers(workers: Any) -> None:
    """Raise TypeError or ValueError for what cannot be used."""
    if workers is None:
        return
    if not isinstance(workers, Workers):
        raise TypeError(f"workers={workers!r} is not a hpsearch.Workers.")
    n, env = workers.max_fits, workers.env
    is_count = isinstance(n, numbers.Integral) and not isinstance(n, bool) and int(n) > 0
    if n is not None and not is_count:
        raise ValueError(f"workers: max_fits={n!r} is neither a positive integer nor None.")
    if env is None or callable(env):
        return
    if isinstance(env, (str, Mapping)) or not env:
        raise ValueError(
            f"workers: env={env!r} must be a list with a dict for each process, or a callable."
        )
    for place, given in enumerate(env):
        _check_environment(given, f"env[{place}]")


def _check_environment(given: Any, name: str) -> None:
    pairs = given.items() if isinstance(given, Mapping) else [(given, None)]
    if not all(isinstance(key, str) and isinstance(value, str) for key, value in pairs):
        raise TypeError(f"workers: {name}={given!r} is not a dict of strings to strings.")


@dataclass(frozen=True)
class Spent:
    """What comes back for a call that its process did not run, since it has run enough."""


@dataclass(frozen=True)
class Seated:
    """A call in a process that knows its place among the others.

    Parameters
    ----------
    call : callable
        What is called.
    n_cores : int
        Cores that it may take.
    folder : str
        Where the processes of a pool say which place is whose.
    workers : Workers or None
        How they are kept.
    """

    call: Callable[[], Any]
    n_cores: int
    folder: str
    workers: Workers | None

    def __call__(self) -> Any:
        if self.workers is not None:
            if self.folder not in _fits:
                _fits[self.folder] = 0
                os.environ.update(_environment(self.workers.env, self.folder))
            if self.workers.max_fits is not None and _fits[self.folder] >= self.workers.max_fits:
                return Spent()
            _fits[self.folder] += 1
        with cores(self.n_cores):
            try:
                return self.call()
            except Exception as error:
                if _can_be_sent(error):
                    raise
                # It would end a process where it is sent or received; its text does not.
                raise RuntimeError("".join(traceback.format_exception(error))) from None


def _can_be_sent(error: Exception) -> bool:
    try:
        pickle.loads(cloudpickle.dumps(error))  # noqa: S301 - written just now
    except Exception:  # noqa: BLE001 - a class of the user's own may do anything
        return False
    return True


_fits: dict[str, int] = {}  # in a worker: calls so far, by the folder of its pool


def _environment(env: Any, folder: str) -> Environment:
    if env is None:
        return {}
    place = _seat(Path(folder))
    if not callable(env):
        return env[place % len(env)]  # type: ignore[no-any-return]
    given = env(place)
    _check_environment(given, f"env({place})")
    return given  # type: ignore[no-any-return]


def _seat(folder: Path) -> int:
    """Take the first place that is nobody's, or that of a process which is gone."""
    place = 0
    while True:
        file = folder / f"seat-{place}"
        try:
            own = file.open("x")
        except FileExistsError:
            if not _is_left(file):
                place += 1
            continue
        with own:
            own.write(str(os.getpid()))
        return place


def _is_left(file: Path) -> bool:
    """Clear a place of which the process is gone; say whether it was."""
    with suppress(OSError, ValueError):  # just being written, or cleared by another one
        owner = int(file.read_text())
        if not Path("/proc/self").exists() or Path(f"/proc/{owner}").exists():
            return False
        file.rename(file.with_name(f"left-{owner}-{os.getpid()}"))
        return True
    return False


@contextmanager
def cores(n_cores: int) -> Iterator[None]:
    """Let joblib, and who asks it, believe that the machine has so many cores."""
    before = os.environ.get(N_CORES)
    os.environ[N_CORES] = str(n_cores)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(N_CORES, None)
        else:
            os.environ[N_CORES] = before


def take_share(estimator: Any) -> None:
    """Give CatBoost its share of the cores: of all libraries it alone counts them by itself."""
    if N_CORES not in os.environ or "catboost" not in sys.modules:
        return
    for model in (estimator, *estimator.get_params().values()):
        if type(model).__module__.startswith("catboost."):
            given = model.get_params().get("thread_count")
            if given is None or given < 0:
                model.set_params(thread_count=cpu_count())


class Threads:
    """Calls in threads of this process, each with its share of the cores.

    Entered while calls run. Linear algebra has one setting for the whole process, OpenMP one a
    thread.

    Parameters
    ----------
    n_cores : int
        Cores that a call may take.
    """

    def __init__(self, n_cores: int) -> None:
        self._n_cores = n_cores
        self._libraries = ThreadpoolController()
        self._cores = cores(n_cores)
        self._blas: Any = nullcontext()

    def __enter__(self) -> None:
        self._cores.__enter__()
        self._blas = self._libraries.limit(limits=self._n_cores, user_api="blas")
        self._blas.__enter__()

    def __exit__(self, *_: object) -> None:
        self._blas.__exit__(None, None, None)
        self._cores.__exit__(None, None, None)

    def around(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """Return the call with its share."""

        def run() -> Any:
            if threading.current_thread() is threading.main_thread():
                return call()
            with self._libraries.limit(limits=self._n_cores, user_api="openmp"):
                return call()

        return run
