"""A journal in an SQLite file.

The file is written by the parent process alone. A search in it is known by the
content of its work (see `fingerprint`). One transaction a finished split; what else there is to
say travels with the next one.

What is lost when: a killed process loses nothing. A power failure may take the last
`sync_seconds`, since only so often does the file's tail go to the disk itself; 0 makes each
transaction wait for the disk, which costs some milliseconds a split.

Nothing in the file is ever run or unpickled: parameters are found again by their place in the
space, and what is read is numbers and text.
"""

from __future__ import annotations

import io
import json
import os
import sqlite3
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from hpsearch.fingerprint import Parts, differences, digest
from hpsearch.journal import CheckpointError, Origin, Splits
from hpsearch.trial import Params, SplitResult, Status, Trial

try:
    import fcntl
except ImportError:  # Windows: SQLite's own locks still keep the file whole
    fcntl = None  # type: ignore[assignment]

APPLICATION = 0x68707372  # "hpsr"; in the file's header
SCHEMA = 1
TABLES = """
CREATE TABLE search (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, parts TEXT NOT NULL, seed INTEGER,
    n_iters TEXT NOT NULL, splits_digest TEXT, splits BLOB);
CREATE TABLE trial (
    search INTEGER, number INTEGER, place TEXT, params TEXT, status TEXT,
    PRIMARY KEY (search, number)) WITHOUT ROWID;
CREATE TABLE result (
    search INTEGER, trial INTEGER, split INTEGER, resource REAL, scores TEXT, details TEXT,
    status TEXT, error TEXT, PRIMARY KEY (search, trial, split, resource)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class SQLiteJournal:
    """A checkpoint file.

    Parameters
    ----------
    path : path
        The file; made if it is not there.
    if_different : {"refuse", "add"}, default="refuse"
        What to do with a file that holds other searches, and not this one: say what differs and
        stop, or keep this one beside them (for nested cross-validation, say).
    sync_seconds : float, default=1.0
        What a power failure may cost at most, in seconds. A killed process loses nothing anyway.
        0 makes each split wait for the disk.

    Examples
    --------
    >>> from hpsearch import GPSearchCV, SQLiteJournal
    >>> from sklearn.svm import SVC
    >>> journal = SQLiteJournal("run.sqlite", if_different="add")
    >>> search = GPSearchCV(SVC(), {"C": (0.01, 100.0, "log-uniform")}, checkpoint=journal)
    """

    path: str | os.PathLike[str]
    if_different: Literal["refuse", "add"] = "refuse"
    sync_seconds: float = 1.0

    def open(self, parts: Parts) -> SQLiteSession:
        """Open the file for a search.

        Parameters
        ----------
        parts : dict
            What the work is, by content.

        Raises
        ------
        CheckpointError
            If the file is no journal, is damaged, is in use, or holds another search.
        """
        return SQLiteSession(self, parts)


class SQLiteSession:
    """One search in an open file. A context manager."""

    def __init__(self, journal: SQLiteJournal, parts: Parts) -> None:
        self._journal = journal
        self._path = Path(journal.path)
        self._parts = parts
        self._waiting: list[tuple[str, tuple[Any, ...]]] = []  # goes with the next transaction
        self._is_broken = False
        self._spell: Callable[[Params], Any] = lambda params: None  # noqa: ARG005
        self._last_sync = 0.0
        self._tail: int | None = None

    def __enter__(self) -> Self:
        self._lock = self._locked()
        try:
            with _told(self._path):
                self._db = self._connect()
                self._id = self._find() or self._begin()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if not self._is_broken:
            self._commit()
        if self._tail is not None:
            with suppress(OSError):
                os.fsync(self._tail)
            os.close(self._tail)
        with suppress(sqlite3.Error):
            self._db.close()
        os.close(self._lock)  # last: closing any descriptor of the file ends SQLite's own locks

    def _locked(self) -> int:
        """Open the file for this process alone; refuse what is not a journal."""
        with _told(self._path):
            lock = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _check_header(self._path, os.pread(lock, 100, 0))
        except BlockingIOError:
            os.close(lock)
            raise CheckpointError(
                f"checkpoint={str(self._path)!r} is in use by another search. Wait for it, or "
                "give this one a file of its own."
            ) from None
        except BaseException:
            os.close(lock)
            raise
        return lock

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=30)
        is_new = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not is_new and db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            db.close()
            raise CheckpointError(f"checkpoint={str(self._path)!r} is damaged; use another file.")
        if not is_new and db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            db.close()
            raise _foreign(self._path)
        if is_new:  # before the write-ahead log, so that the header is in the file itself
            db.executescript(
                f"BEGIN; PRAGMA application_id={APPLICATION}; PRAGMA user_version={SCHEMA};"
                f"{TABLES} COMMIT;"
            )
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={'NORMAL' if self._journal.sync_seconds else 'FULL'}")
        return db

    def _find(self) -> int | None:
        """The same search, if the file holds it."""
        nearest: list[str] | None = None
        for number, parts in self._db.execute("SELECT id, parts FROM search ORDER BY id"):
            differing = differences(json.loads(parts), self._parts)
            if not differing:
                return int(number)
            if nearest is None or len(differing) < len(nearest):
                nearest = differing
        if nearest is not None and self._journal.if_different == "refuse":
            raise CheckpointError(
                f"checkpoint={str(self._path)!r} holds another search: {'; '.join(nearest)}. Use "
                "another file, or checkpoint=SQLiteJournal(path, if_different='add') to keep both."
            )
        return None

    def _begin(self) -> int:
        row = (time.strftime("%Y-%m-%d %H:%M:%S"), json.dumps(self._parts), "[]")
        sql = "INSERT INTO search (started, parts, n_iters) VALUES (?, ?, ?)"
        return int(self._db.execute(sql, row).lastrowid or 0)

    def _get(self, column: str) -> Any:
        sql = f"SELECT {column} FROM search WHERE id=?"  # noqa: S608 - our own names
        return self._db.execute(sql, (self._id,)).fetchone()[0]

    def _set(self, column: str, value: Any) -> None:
        sql = f"UPDATE search SET {column}=? WHERE id=?"  # noqa: S608 - our own names
        self._db.execute(sql, (value, self._id))

    def origin(self, random_state: Any, n_iter: int | None) -> Origin:
        """Return what an earlier run has fixed; fix it now if there was none."""
        with _told(self._path):
            n_iters = json.loads(self._get("n_iters"))
            if n_iter is not None and n_iter > max(n_iters, default=0):
                n_iters.append(n_iter)
                self._set("n_iters", json.dumps(n_iters))
            if isinstance(random_state, (int, np.integer)):
                return Origin(random_state, n_iters)
            if self._get("seed") is None:
                is_generator = isinstance(random_state, np.random.RandomState)
                draw = random_state if is_generator else np.random.RandomState()
                self._set("seed", int(draw.randint(2**31 - 1)))
            return Origin(self._get("seed"), n_iters)

    def settle(self, splits: Splits, cv: Any) -> Splits:
        """Return the splits of the search: an earlier run's, where each run would make others."""
        with _told(self._path):
            known, now = self._get("splits_digest"), digest(splits)
            if known is None:
                self._set("splits_digest", now)
                if _is_unseeded(cv):
                    self._set("splits", _packed(splits))
                return splits
            stored = self._get("splits")
        if known == now:
            return splits
        if stored is None:
            raise CheckpointError(
                f"checkpoint={str(self._path)!r} holds this search with other splits: {cv!r} did "
                "not make the same ones again. Give it a random_state, or use another file."
            )
        return _unpacked(stored)

    def restored(self, read: Callable[[Any], Params], most: int | None) -> list[Trial]:
        """Return what is known, in order of number; unfinished trials are RUNNING.

        Parameters
        ----------
        read : callable
            Gives the candidate at a place in the space, as `spell_with`'s callable wrote it.
        most : int or None
            How many trials to return at most.
        """
        with _told(self._path):
            sql = "SELECT number, place, status FROM trial WHERE search=? ORDER BY number LIMIT ?"
            rows = self._db.execute(sql, (self._id, -1 if most is None else most)).fetchall()
            trials = [Trial(n, read(json.loads(place)), Status(s)) for n, place, s in rows]
            sql = (
                "SELECT trial, split, resource, scores, details, status, error FROM result "
                "WHERE search=? ORDER BY trial, resource, split"
            )
            for number, split, resource, scores, details, status, error in self._db.execute(
                sql, (self._id,)
            ):
                if number < len(trials):
                    both = json.loads(scores), json.loads(details)
                    result = SplitResult(split, resource, *both, Status(status), error)
                    trials[number].results.append(result)
        return trials

    def spell_with(self, spell: Callable[[Params], Any]) -> None:
        """Write a candidate's place in the space by this callable."""
        self._spell = spell

    def asked(self, trial: Trial) -> None:
        """Note a trial; written with its first result, since without one nothing is lost."""
        place = json.dumps(self._spell(trial.params))
        shown = json.dumps(trial.params, default=repr)
        row = (self._id, trial.number, place, shown, trial.status.value)
        self._waiting.append(("INSERT OR REPLACE INTO trial VALUES (?, ?, ?, ?, ?)", row))

    def finished(self, trial: Trial, result: SplitResult) -> None:
        """Write down what came of a split."""
        texts = json.dumps(result.scores), json.dumps(result.details, default=repr)
        row = (self._id, trial.number, result.split, result.resource, *texts)
        sql = "INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        self._waiting.append((sql, (*row, result.status.value, result.error)))
        self._commit()

    def closed(self, trial: Trial) -> None:
        """Note the final status; written with the next result, or when the session ends."""
        sql = "UPDATE trial SET status=? WHERE search=? AND number=?"
        self._waiting.append((sql, (trial.status.value, self._id, trial.number)))

    def _commit(self) -> None:
        """Write what waits; if that fails the search lives on in memory, and says so once."""
        if self._is_broken:
            return
        try:
            self._db.execute("BEGIN")
            for sql, row in self._waiting:
                self._db.execute(sql, row)
            self._db.execute("COMMIT")
            self._sync()
        except (sqlite3.Error, OSError) as error:
            self._is_broken = True
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            warnings.warn(
                f"checkpoint={str(self._path)!r} can no longer be written ({error}). The search "
                "goes on in memory; what was written before stays usable.",
                RuntimeWarning,
                stacklevel=2,
            )
        self._waiting.clear()

    def _sync(self) -> None:
        """Send the file's tail to the disk itself, now and then."""
        now = time.monotonic()
        if not self._journal.sync_seconds or now - self._last_sync < self._journal.sync_seconds:
            return
        if self._tail is None:
            self._tail = os.open(f"{self._path}-wal", os.O_RDWR)
        os.fsync(self._tail)
        self._last_sync = now


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in the user's words what is wrong with a file."""
    try:
        yield
    except (sqlite3.Error, OSError, json.JSONDecodeError, KeyError, zlib.error) as error:
        raise CheckpointError(
            f"checkpoint={str(path)!r} cannot be used: {error}. Give a file in a folder that "
            "exists and can be written, and that hpsearch has made, if it is there already."
        ) from error


def _check_header(path: Path, head: bytes) -> None:
    """Refuse a file that is not ours before SQLite touches it."""
    if not head:
        return
    application, schema = (int.from_bytes(head[i : i + 4], "big") for i in (68, 60))
    # 0 is an empty database, left by a process that was killed while it made the file; or
    # somebody else's, which its tables will tell.
    if head[:16] != b"SQLite format 3\0" or application not in (0, APPLICATION):
        raise _foreign(path)
    if schema > SCHEMA:
        raise CheckpointError(
            f"checkpoint={str(path)!r} was written by a newer hpsearch: update it, or use another "
            "file."
        )


def _foreign(path: Path) -> CheckpointError:
    return CheckpointError(f"checkpoint={str(path)!r} is not a checkpoint of hpsearch.")


def _is_unseeded(cv: Any) -> bool:
    """Whether a splitter makes other splits each time."""
    is_seeded = isinstance(getattr(cv, "random_state", 0), (int, np.integer))
    return not is_seeded and bool(getattr(cv, "shuffle", True))


def _packed(splits: Splits) -> bytes:
    file = io.BytesIO()
    np.savez(file, *[np.asarray(rows) for pair in splits for rows in pair])
    return zlib.compress(file.getvalue())


def _unpacked(blob: bytes) -> Splits:
    with np.load(io.BytesIO(zlib.decompress(blob)), allow_pickle=False) as arrays:
        rows = [arrays[f"arr_{i}"] for i in range(len(arrays.files))]
    return list(zip(rows[::2], rows[1::2], strict=True))
