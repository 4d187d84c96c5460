"""A journal in an SQLite file, written by the parent process alone.

What is lost when: a killed process loses nothing. A power failure may take the last
`sync_seconds`, since only so often does the file's tail go to the disk itself; 0 makes each
transaction wait for the disk, which costs some milliseconds a split.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from hpsearch.fingerprint import Parts
from hpsearch.journal import CheckpointError, Journal
from hpsearch.sql_journal import TABLES, IfDifferent, SQLSession

try:
    import fcntl
except ImportError:  # Windows: SQLite's own locks still keep the file whole
    fcntl = None  # type: ignore[assignment]

APPLICATION = 0x68707372  # "hpsr"; in the file's header
SCHEMA = 1
DIALECT = {
    "prefix": "",
    "identity": "INTEGER PRIMARY KEY",
    "bytes": "BLOB",
    "real": "REAL",
    "tail": " WITHOUT ROWID",
}


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
    if_different: IfDifferent = "refuse"
    sync_seconds: float = 1.0

    def open(self, parts: Parts) -> SQLiteSession:
        """Return the session of a search.

        Parameters
        ----------
        parts : dict
            What the work is, by content.

        Returns
        -------
        session : SQLiteSession
            Entering it raises CheckpointError if the file is no journal, is damaged, is in use,
            or holds another search.
        """
        return SQLiteSession(self, parts)


def journal_of(checkpoint: str | os.PathLike[str] | Journal) -> Journal:
    """Return the journal that a path stands for; a journal as it is."""
    return SQLiteJournal(checkpoint) if isinstance(checkpoint, (str, os.PathLike)) else checkpoint


class SQLiteSession(SQLSession):
    """One search in an open file. A context manager."""

    errors = (sqlite3.Error, OSError)
    advice = (
        "Give a file in a folder that exists and can be written, and that hpsearch has made, if it "
        "is there already."
    )

    def __init__(self, journal: SQLiteJournal, parts: Parts) -> None:
        super().__init__(str(journal.path), parts, journal.if_different)
        self._path = Path(journal.path)
        self._sync_seconds = journal.sync_seconds
        self._last_sync = 0.0
        self._tail: int | None = None

    def __enter__(self) -> Self:
        with ExitStack() as on_error:
            self._lock = self._locked()
            on_error.callback(os.close, self._lock)
            with self._told():
                self._db = self._connect()
                on_error.callback(self._disconnect)
                self._enter()
            on_error.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as at_end:  # Ctrl-C while one thing is closed leaves none of them open
            # Last: closing any descriptor of the file ends SQLite's own locks.
            at_end.callback(os.close, self._lock)
            at_end.callback(self._disconnect)
            if self._tail is not None:
                at_end.callback(os.close, self._tail)
            self._commit()
            if self._tail is not None:
                with suppress(OSError):
                    os.fsync(self._tail)

    def _disconnect(self) -> None:
        with suppress(sqlite3.Error):
            self._db.close()

    def _locked(self) -> int:
        """Open the file for this process alone; refuse what is not a journal."""
        with self._told():
            lock = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._check_header(os.read(lock, 100))
        except BlockingIOError:
            os.close(lock)
            raise CheckpointError(
                f"checkpoint={self._name!r} is in use by another search. Wait for it, or give "
                "this one a file of its own."
            ) from None
        except BaseException:
            os.close(lock)
            raise
        return lock

    def _check_header(self, head: bytes) -> None:
        """Refuse a file that is not ours before SQLite touches it."""
        if not head:
            return
        application, schema = (int.from_bytes(head[i : i + 4], "big") for i in (68, 60))
        # 0 is an empty database, left by a process that was killed while it made the file; or
        # somebody else's, which its tables will tell.
        if head[:16] != b"SQLite format 3\0" or application not in (0, APPLICATION):
            raise self._foreign()
        if schema > SCHEMA:
            raise CheckpointError(
                f"checkpoint={self._name!r} was written by a newer hpsearch: update it, or use "
                "another file."
            )

    def _foreign(self) -> CheckpointError:
        return CheckpointError(f"checkpoint={self._name!r} is not a checkpoint of hpsearch.")

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=30)
        try:
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                self._check_content(db)
            else:  # before the write-ahead log, so that the header is in the file itself
                tables = ";".join(table.format(**DIALECT) for table in TABLES)
                marks = f"PRAGMA application_id={APPLICATION}; PRAGMA user_version={SCHEMA};"
                db.executescript(f"BEGIN; {marks} {tables}; COMMIT;")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(f"PRAGMA synchronous={'NORMAL' if self._sync_seconds else 'FULL'}")
        except BaseException:
            db.close()
            raise
        return db

    def _check_content(self, db: sqlite3.Connection) -> None:
        if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise CheckpointError(f"checkpoint={self._name!r} is damaged; use another file.")
        if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise self._foreign()

    def _run(self, sql: str, row: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, row).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._sync()

    def _sync(self) -> None:
        """Send the file's tail to the disk itself, now and then."""
        now = time.monotonic()
        if not self._sync_seconds or now - self._last_sync < self._sync_seconds:
            return
        if self._tail is None:
            self._tail = os.open(f"{self._path}-wal", os.O_RDWR)
        os.fsync(self._tail)
        self._last_sync = now
