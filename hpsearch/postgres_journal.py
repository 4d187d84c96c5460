"""A journal in a PostgreSQL database, for fleets whose disks do not last. Needs psycopg 3."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from hpsearch.fingerprint import Parts
from hpsearch.journal import CheckpointError
from hpsearch.sql_journal import TABLES, IfDifferent, SQLSession

if TYPE_CHECKING:  # an optional extra
    import psycopg

PREFIX = "hpsearch_"
DIALECT = {
    "prefix": f"IF NOT EXISTS {PREFIX}",
    "identity": "SERIAL PRIMARY KEY",
    "bytes": "BYTEA",
    "real": "DOUBLE PRECISION",
    "tail": "",
}
LOCKS = 0x68707372  # the first key of our advisory locks; the second is the search's number


@dataclass(frozen=True)
class PostgresJournal:
    """A checkpoint in a PostgreSQL database.

    What was committed there survives this machine. Each search is locked while it runs, so that a
    second process on the same search gets an error; searches beside it do not disturb each other.

    Parameters
    ----------
    conninfo : str
        How to connect, as psycopg takes it: "postgresql://user@host/database". The tables
        `hpsearch_search`, `hpsearch_trial` and `hpsearch_result` are made if they are not there.
    if_different : {"refuse", "add"}, default="add"
        What to do if the database holds other searches, and not this one.

    Examples
    --------
    >>> from hpsearch import PostgresJournal
    >>> journal = PostgresJournal("postgresql://hpsearch@localhost/searches")
    """

    conninfo: str
    if_different: IfDifferent = "add"

    def open(self, parts: Parts) -> PostgresSession:
        """Return the session of a search; entering it raises CheckpointError if it cannot be."""
        return PostgresSession(self, parts)


class PostgresSession(SQLSession):
    """One search in an open database. A context manager."""

    prefix = PREFIX
    advice = "Check that the server runs, and that this user may make and write tables there."
    _db: psycopg.Connection[tuple[Any, ...]]

    def __init__(self, journal: PostgresJournal, parts: Parts) -> None:
        super().__init__(journal.conninfo, parts, journal.if_different)
        self._conninfo = journal.conninfo

    def __enter__(self) -> Self:
        try:
            import psycopg  # noqa: PLC0415 - an optional extra
        except ImportError:
            raise CheckpointError(
                "PostgresJournal needs psycopg 3: pip install 'hpsearch[postgres]'."
            ) from None
        self.errors = (psycopg.Error,)
        with self._told():
            self._db = psycopg.connect(self._conninfo, autocommit=True)
        try:
            with self._told():
                self._make_tables()
                self._enter()
                self._lock()
        except BaseException:
            self._db.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._commit()
        with suppress(*self.errors):
            self._db.close()  # releases the lock

    def _make_tables(self) -> None:
        with self._transaction():
            # Two processes that find no tables would both make them.
            self._run("SELECT pg_advisory_xact_lock(?)", (LOCKS,))
            for table in TABLES:
                self._run(table.format(**DIALECT))

    def _lock(self) -> None:
        if not self._run("SELECT pg_try_advisory_lock(?, ?)", (LOCKS, self._id))[0][0]:
            raise CheckpointError(
                f"checkpoint={self._name!r}: the search runs in another process. Wait for it."
            )

    def _run(self, sql: str, row: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = self._db.execute(sql.replace("?", "%s").encode(), row)
        return cursor.fetchall() if cursor.description else []

    def _transaction(self) -> AbstractContextManager[Any]:
        return self._db.transaction()
