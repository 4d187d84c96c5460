"""A journal in SQL: what the sessions of all databases share.

Nothing in a journal is ever run or unpickled: parameters are found again by their place in the
space, and what is read is numbers and text. One transaction a finished split; what else there is
to say travels with the next one.
"""

from __future__ import annotations

import io
import json
import time
import warnings
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal

import numpy as np

from hpsearch.fingerprint import Parts, differences, digest, fixed_seed
from hpsearch.journal import CheckpointError, Origin
from hpsearch.splits import Splits
from hpsearch.trial import Params, SplitResult, Status, Trial

IfDifferent = Literal["refuse", "add"]
TABLES = (
    """CREATE TABLE {prefix}search (
    id {identity}, started TEXT NOT NULL, parts TEXT NOT NULL, seed BIGINT,
    n_iters TEXT NOT NULL, splits_digest TEXT, splits {bytes})""",
    """CREATE TABLE {prefix}trial (
    search INTEGER, number INTEGER, place TEXT, params TEXT, status TEXT,
    PRIMARY KEY (search, number)){tail}""",
    """CREATE TABLE {prefix}result (
    search INTEGER, trial INTEGER, split INTEGER, resource {real}, scores TEXT, details TEXT,
    status TEXT, error TEXT, PRIMARY KEY (search, trial, split, resource)){tail}""",
)
DAMAGE = (json.JSONDecodeError, KeyError, IndexError, zlib.error)  # of what is read
ASKED = """INSERT INTO {prefix}trial VALUES (?, ?, ?, ?, ?) ON CONFLICT (search, number)
    DO UPDATE SET place=excluded.place, params=excluded.params, status=excluded.status"""
FINISHED = """INSERT INTO {prefix}result VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (search, trial, split, resource) DO UPDATE SET scores=excluded.scores,
    details=excluded.details, status=excluded.status, error=excluded.error"""
CLOSED = "UPDATE {prefix}trial SET status=? WHERE search=? AND number=?"
TRIALS = """SELECT number, place, status FROM {prefix}trial WHERE search=? AND number<?
    ORDER BY number"""
RESULTS = """SELECT trial, split, resource, scores, details, status, error FROM {prefix}result
    WHERE search=? AND trial<? ORDER BY trial, resource, split"""


class SQLSession(ABC):
    """One search in an open database. The leaves connect, and speak the database's dialect.

    Parameters
    ----------
    name : str
        The journal, for messages.
    parts : dict
        What the search is, by content.
    if_different : {"refuse", "add"}
        What to do if the journal holds other searches, and not this one.
    """

    prefix = ""  # of the names of the tables
    errors: tuple[type[Exception], ...] = ()  # what the database raises
    advice = ""  # what to do if it cannot be used

    def __init__(self, name: str, parts: Parts, if_different: IfDifferent) -> None:
        self._name = name
        self._parts = parts
        self._if_different = if_different
        self._waiting: list[tuple[str, Sequence[Any]]] = []  # goes with the next transaction
        self._is_broken = False
        self._spell: Callable[[Params], Any] = lambda params: None  # noqa: ARG005
        self._id = 0

    @abstractmethod
    def _run(self, sql: str, row: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement, with ? for each value of the row; return what it selects."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Any]:
        """All or nothing of what runs inside; safe when it is left."""

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn the database's errors into a CheckpointError that says what to do."""
        expected: tuple[type[Exception], ...] = self.errors + DAMAGE
        try:
            yield
        except expected as error:
            raise CheckpointError(
                f"checkpoint={self._name!r} cannot be used: {error}. {self.advice}"
            ) from error

    def _sql(self, sql: str, row: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._run(sql.replace("{prefix}", self.prefix), row)

    def _enter(self) -> None:
        """Find the search in the database, or begin it."""
        nearest: list[str] | None = None
        for number, parts in self._sql("SELECT id, parts FROM {prefix}search ORDER BY id"):
            differing = differences(json.loads(parts), self._parts)
            if not differing:
                self._id = int(number)
                return
            if nearest is None or len(differing) < len(nearest):
                nearest = differing
        if nearest is not None and self._if_different == "refuse":
            raise CheckpointError(
                f"checkpoint={self._name!r} holds another search: {'; '.join(nearest)}. Use "
                f"another one, or a journal with if_different='add' to keep both."
            )
        row = (time.strftime("%Y-%m-%d %H:%M:%S"), json.dumps(self._parts), "[]")
        sql = "INSERT INTO {prefix}search (started, parts, n_iters) VALUES (?, ?, ?) RETURNING id"
        with self._transaction():
            self._id = int(self._sql(sql, row)[0][0])

    def _get(self, column: str) -> Any:
        sql = f"SELECT {column} FROM {{prefix}}search WHERE id=?"  # noqa: S608 - our own names
        return self._sql(sql, (self._id,))[0][0]

    def _set(self, column: str, value: Any) -> None:
        sql = f"UPDATE {{prefix}}search SET {column}=? WHERE id=?"  # noqa: S608 - our own names
        with self._transaction():
            self._sql(sql, (value, self._id))

    def origin(self, random_state: Any, n_iter: int | None) -> Origin:
        """Return what an earlier run has fixed; fix it now if there was none."""
        with self._told():
            n_iters = json.loads(self._get("n_iters"))
            if n_iter is not None and n_iter > max(n_iters, default=0):
                n_iters.append(int(n_iter))  # numpy's are no numbers to JSON
                self._set("n_iters", json.dumps(n_iters))
            if fixed_seed(random_state) is not None:
                return Origin(random_state, n_iters)
            if self._get("seed") is None:
                self._set("seed", _drawn_seed(random_state))
            return Origin(self._get("seed"), n_iters)

    def settle(self, splits: Splits, cv: Any) -> Splits:
        """Return the splits of the search: an earlier run's, where each run would make others."""
        with self._told():
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
                f"checkpoint={self._name!r} holds this search with other splits: {cv!r} did "
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
        with self._told():
            which = (self._id, 2**31 - 1 if most is None else int(most))
            rows = self._sql(TRIALS, which)
            trials = [Trial(n, read(json.loads(place)), Status(s)) for n, place, s in rows]
            for number, *columns in self._sql(RESULTS, which):
                trials[number].results.append(result_of(*columns))
        return trials

    def spell_with(self, spell: Callable[[Params], Any]) -> None:
        """Write a candidate's place in the space by this callable."""
        self._spell = spell

    def asked(self, trial: Trial) -> None:
        """Note a trial; written with its first result, since without one nothing is lost."""
        place = json.dumps(self._spell(trial.params))
        shown = as_json(trial.params)
        row = (self._id, trial.number, place, shown, trial.status.value)
        self._waiting.append((ASKED, row))

    def finished(self, trial: Trial, result: SplitResult) -> None:
        """Write down what came of a split."""
        texts = json.dumps(result.scores, default=float), as_json(result.details)
        row = (self._id, trial.number, result.split, result.resource, *texts)
        self._waiting.append((FINISHED, (*row, result.status.value, _storable(result.error))))
        self._commit()

    def closed(self, trial: Trial) -> None:
        """Note the final status; written with the next result, or when the session ends."""
        self._waiting.append((CLOSED, (trial.status.value, self._id, trial.number)))

    def _commit(self) -> None:
        """Write what waits; if that fails the search lives on in memory, and says so once."""
        if self._is_broken:
            return
        try:
            with self._transaction():
                for sql, row in self._waiting:
                    self._sql(sql, row)
        except self.errors as error:
            self._is_broken = True
            warnings.warn(
                f"checkpoint={self._name!r} can no longer be written ({error}). The search "
                "goes on in memory; what was written before stays usable.",
                RuntimeWarning,
                stacklevel=2,
            )
        self._waiting.clear()


def _drawn_seed(random_state: Any) -> int:
    """A seed, drawn from the user's generator if there is one."""
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    is_generator = isinstance(random_state, np.random.RandomState)
    draw = random_state if is_generator else np.random.RandomState()
    return int(draw.randint(2**31 - 1))


def _storable(text: str | None) -> str | None:
    """A text without what no database takes: halves of characters, as of file names, and NUL."""
    if text is None:
        return None
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", r"\x00")


def _is_unseeded(cv: Any) -> bool:
    """Whether a splitter makes other splits each time."""
    is_seeded = isinstance(getattr(cv, "random_state", 0), (int, np.integer))
    return not is_seeded and bool(getattr(cv, "shuffle", True))


def as_json(value: Any, depth: int = 3) -> str:
    """Return a value as JSON; what that cannot hold, by its `repr`."""
    try:
        return json.dumps(value, default=repr)
    except Exception:  # noqa: BLE001 - a key that is no text, a circle, a repr that raises
        if not isinstance(value, dict) or not depth:
            return json.dumps(_printed(value))
    parts = [f"{json.dumps(_printed(k))}: {as_json(v, depth - 1)}" for k, v in value.items()]
    return f"{{{', '.join(parts)}}}"


def _printed(value: Any) -> str:
    try:
        return value if isinstance(value, str) else repr(value)
    except Exception:  # noqa: BLE001 - a class of the user's own
        return f"a {type(value).__name__}"


def result_of(
    split: int, resource: float, scores: str, details: str, status: str, error: str | None
) -> SplitResult:
    """Return what the columns of a row of results say."""
    both = json.loads(scores), json.loads(details)
    return SplitResult(split, resource, *both, Status(status), error)


def _packed(splits: Splits) -> bytes:
    file = io.BytesIO()
    np.savez(file, *[np.asarray(rows) for pair in splits for rows in pair])
    return zlib.compress(file.getvalue())


def _unpacked(blob: bytes) -> Splits:
    with np.load(io.BytesIO(zlib.decompress(blob)), allow_pickle=False) as arrays:
        rows = [arrays[f"arr_{i}"] for i in range(len(arrays.files))]
    return list(zip(rows[::2], rows[1::2], strict=True))
