"""Writing a search down as it runs, and reading it again: what a journal must do.

A journal is configuration; opened for the work of a search it gives a session. To keep searches
elsewhere than in a file (see `sqlite_journal`), write these two classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from hpsearch.fingerprint import Parts
from hpsearch.splits import Splits
from hpsearch.trial import Params, SplitResult, Trial


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the file is as it was."""


@dataclass(frozen=True)
class Origin:
    """What an earlier run of the same search has fixed.

    `random_state` is the user's, or the seed that was drawn then if the user gave none. `n_iters`
    are the numbers of candidates asked for so far, run by run, this one's last.
    """

    random_state: Any
    n_iters: Sequence[int] = ()


class Session(Protocol):
    """One search in an open journal. A context manager, in which the methods are called."""

    def origin(self, random_state: Any, n_iter: int | None) -> Origin:
        """Return what an earlier run has fixed; fix it now if there was none."""

    def settle(self, splits: Splits, cv: Any) -> Splits:
        """Return the splits of the search: an earlier run's, where each run would make others."""

    def spell_with(self, spell: Callable[[Params], Any]) -> None:
        """Write a candidate's place in the space, as JSON can take it, by this callable."""

    def restored(self, read: Callable[[Any], Params], most: int | None) -> list[Trial]:
        """Return what is known, in order of number; unfinished trials are RUNNING.

        Parameters
        ----------
        read : callable
            Gives the candidate at a place, as `spell_with`'s callable wrote it.
        most : int or None
            How many trials to return at most.
        """

    def asked(self, trial: Trial) -> None:
        """A trial was started; without a result nothing is lost if it is forgotten."""

    def finished(self, trial: Trial, result: SplitResult) -> None:
        """A split has its result: it must be safe when this returns. Never raises."""

    def closed(self, trial: Trial) -> None:
        """A trial has its final status."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Journal(Protocol):
    """A place to write searches down. Frozen configuration: what is open is in the session."""

    def open(self, parts: Parts) -> Session:
        """Return the session of the search that is made of these parts.

        Parameters
        ----------
        parts : dict
            What the work is, by content (see `fingerprint`).

        Returns
        -------
        session : Session
            Entering it raises CheckpointError if the journal cannot be used.

        Examples
        --------
        A search opens its journal itself:

        >>> from sklearn.svm import SVC
        >>> from hpsearch import ExhaustiveSearchCV, SQLiteJournal
        >>> parts = {"estimator": "SVC()", "data": "7f3a"}
        >>> with SQLiteJournal("parts.sqlite").open(parts) as session:
        ...     session.origin(random_state=0, n_iter=5)
        Origin(random_state=0, n_iters=[5])
        """


class Unrecorded:
    """The session of a search without a checkpoint."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def origin(self, random_state: Any, n_iter: int | None) -> Origin:
        """Nothing was fixed before."""
        return Origin(random_state, [] if n_iter is None else [n_iter])

    def settle(self, splits: Splits, cv: Any) -> Splits:
        """The splits are those just made."""
        return splits

    def restored(self, read: Callable[[Any], Params], most: int | None) -> list[Trial]:
        """Nothing is known."""
        return []

    def spell_with(self, spell: Callable[[Params], Any]) -> None: ...

    def asked(self, trial: Trial) -> None: ...

    def finished(self, trial: Trial, result: SplitResult) -> None: ...

    def closed(self, trial: Trial) -> None: ...
