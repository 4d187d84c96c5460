"""Notes that calls leave while they run in processes of this machine.

A call writes a small file when it starts and removes it when it ends. From the files the parent
knows which calls were running when a process died, and for how long each has been running. The
same wrapper makes workers leave within seconds when their parent is killed, and takes away what
the parent could not. (A worker whose parent is killed before its first call leaves when joblib's
idle time is over, five minutes.)
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import signal
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "hpsearch"
WATCH_SECONDS = 1.0
_watched: list[str] = []  # in a worker: what to remove when the parent is gone
_watcher: list[threading.Thread] = []


class Notes:
    """The notes of one executor.

    Attributes
    ----------
    litter : list of str
        Files that workers remove, too, should the parent be killed.
    """

    def __init__(self) -> None:
        clear_leftovers()
        self._folder = tempfile.mkdtemp(prefix=prefix(), dir=folder())
        self.litter: list[str] = []
        self.close: Callable[[], Any] = weakref.finalize(
            self, shutil.rmtree, self._folder, ignore_errors=True
        )

    @property
    def place(self) -> str:
        """The folder of the notes."""
        return self._folder

    def around(self, key: int, call: Callable[[], Any]) -> Noted:
        """Wrap a call, so that it leaves a note."""
        return Noted(self._folder, key, call, os.getpid(), tuple(self.litter))

    def running(self) -> dict[int, float]:
        """Keys of the calls that are running, to when they began (`time.monotonic`)."""
        found = {}
        for path in Path(self._folder).iterdir():
            with suppress(OSError, ValueError):  # gone, or just being written
                found[int(path.name)] = float(path.read_text())
        return found

    def clear(self) -> None:
        """Forget all calls: their processes are gone."""
        for path in Path(self._folder).iterdir():
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Noted:
    """A call with its note; runs in a worker."""

    folder: str
    key: int
    call: Callable[[], Any]
    parent: int
    litter: tuple[str, ...]

    def __call__(self) -> Any:
        _leave_with(self.parent, [self.folder, *self.litter])
        note = Path(self.folder, str(self.key))
        # The monotonic clock is the machine's, so the parent can read it.
        note.write_text(str(time.monotonic()))
        # Ctrl-C reaches every process of the terminal; the parent alone decides what it means.
        try:
            with _without_interrupts():
                return self.call()
        finally:
            note.unlink(missing_ok=True)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _leave_with(parent: int, litter: list[str]) -> None:
    """In a worker: end this process when its parent is gone."""
    _watched[:] = litter
    if not _watcher and os.getppid() == parent:
        _watcher.append(threading.Thread(target=_watch, args=(parent,), daemon=True))
        _watcher[0].start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    _remove(_watched)
    os._exit(1)


def prefix() -> str:
    """How every temporary name begins: by it is known whose it was, once a parent is gone."""
    return f"{PREFIX}-{os.getpid()}-{_place()}-"


def _place() -> str:
    """Tells this machine or container from others, which may share a folder and not processes."""
    namespace = ""
    with suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    told = f"{platform.node()} {namespace}".encode()
    return hashlib.sha1(told, usedforsecurity=False).hexdigest()[:8]


def folder() -> str:
    """Where temporary files go: joblib's folder if one was given, else the system's."""
    return given_folder() or tempfile.gettempdir()


def given_folder() -> str | None:
    """The folder that joblib was given by its variable, which is read and made as joblib does."""
    given = os.environ.get("JOBLIB_TEMP_FOLDER")
    if not given:
        return None
    path = Path(given).expanduser().absolute()
    path.mkdir(parents=True, exist_ok=True)
    return str(path)


def clear_leftovers() -> None:
    """Remove what parents that were killed, workers and all, have left behind."""
    if os.name != "posix":  # elsewhere there is no harmless way to ask whether a process lives
        return
    for place in {folder(), tempfile.gettempdir(), "/dev/shm"}:  # noqa: S108 - names are ours
        for path in Path(place).glob(f"{PREFIX}-*-{_place()}-*"):
            pid = path.name.split("-")[1]
            if pid.isdigit() and not _is_alive(int(pid)):
                _remove([str(path)])


def _remove(paths: list[str]) -> None:
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):
            Path(path).unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True
