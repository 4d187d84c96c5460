"""Out-of-fold predictions and fold models of the best candidates, in bounded memory.

A worker sends what is to be kept along with the scores of a split, models as bytes: so they are
whole, hold on to nothing that other fits share, and their size is known. The parent takes it out
before the result goes anywhere else, and drops what is worst when there is too much.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cloudpickle
import numpy as np

from hpsearch.splits import indices_of
from hpsearch.trial import SplitResult, Trial

KEY = "kept"  # in the details of a result, from the worker to the keeper
WORDS = ("predictions", "estimators")
METHODS = ("predict", "predict_proba", "decision_function")


@dataclass(frozen=True)
class Keep:
    """What to keep of the best candidates; `keep="predictions"` is `Keep(predictions=True)`.

    Parameters
    ----------
    predictions : bool, default=False
        The predictions of each split's test rows: `predict`, and `predict_proba` or else
        `decision_function` where there is one, and it gives one table. They are made once more,
        after the scoring.
    estimators : bool, default=False
        The fitted estimator of each split.
    best : int, default=50
        Of how many candidates, the best ones.
    max_bytes : int, default=2**28
        What all that is kept may take, in bytes; the worst candidates are dropped beyond it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import ExhaustiveSearchCV, Keep
    >>> X, y = load_iris(return_X_y=True)
    >>> keep = Keep(predictions=True, estimators=True, best=1)
    >>> search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1, 10]}, keep=keep).fit(X, y)
    >>> best = search.kept_[search.best_index_]
    >>> len(best.estimators), best.out_of_fold().shape
    (5, (150,))
    """

    predictions: bool = False
    estimators: bool = False
    best: int = 50
    max_bytes: int = 2**28

    @classmethod
    def of(cls, given: Any) -> Keep | None:
        """Read what a user gave as `keep=`.

        Parameters
        ----------
        given : {"predictions", "estimators"}, list of both, Keep or None
            What to keep.

        Returns
        -------
        keep : Keep or None
            The same as a record.

        Raises
        ------
        ValueError
            That says what is accepted.

        Examples
        --------
        >>> Keep.of(["predictions", "estimators"])
        Keep(predictions=True, estimators=True, best=50, max_bytes=268435456)
        """
        if given is None or isinstance(given, Keep):
            keep = given
        else:
            words = (given,) if isinstance(given, str) else given
            if not isinstance(words, Sequence) or not set(words) <= set(WORDS) or not words:
                raise ValueError(
                    f"keep={given!r}: give 'predictions', 'estimators', a list of both, or a Keep."
                )
            keep = cls(**dict.fromkeys(words, True))
        if keep is not None and (keep.best < 1 or keep.max_bytes < 1):
            raise ValueError(f"keep={keep!r}: best and max_bytes must be at least 1.")
        return keep


@dataclass(slots=True)
class Piece:
    """What is kept of one split of a candidate."""

    predictions: dict[str, Any] = field(default_factory=dict)
    model: bytes = b""

    @property
    def n_bytes(self) -> int:
        arrays = (np.asarray(a) for a in self.predictions.values())
        return len(self.model) + sum(a.nbytes for a in arrays)


def keep_piece(keep: Keep, details: dict[str, Any], estimator: Any, X: Any) -> None:
    """Put what is to be kept into the details of a result; what cannot be is told, and is not."""
    try:
        details[KEY] = piece_of(keep, estimator, X)
    except Exception as error:  # noqa: BLE001 - the score is there, and is worth more
        warnings.warn(
            f"keep: a {type(estimator).__name__} or its predictions could not be kept: {error!r}.",
            UserWarning,
            stacklevel=2,
        )


def piece_of(keep: Keep, estimator: Any, X: Any) -> Piece:
    """Return what is to be kept of a fitted estimator and the test rows of its split."""
    piece = Piece()
    if keep.predictions:
        names = [name for name in METHODS if hasattr(estimator, name)]
        if "predict_proba" in names:
            names = [name for name in names if name != "decision_function"]
        made = {name: getattr(estimator, name)(X) for name in names}
        piece.predictions = {n: np.asarray(p) for n, p in made.items() if not _is_several(p)}
    if keep.estimators:
        piece.model = cloudpickle.dumps(estimator)
    return piece


def _is_several(predictions: Any) -> bool:
    """Whether these are a table for each of several outputs, as of `predict_proba`."""
    return isinstance(predictions, list) and all(np.ndim(part) == 2 for part in predictions)


@dataclass(frozen=True)
class KeptCandidate:
    """What was kept of one candidate.

    Attributes
    ----------
    rows : list of ndarray
        The test rows of each split.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import ExhaustiveSearchCV
    >>> keep = ["predictions", "estimators"]
    >>> search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=3, keep=keep)
    >>> best = search.fit(*load_iris(return_X_y=True)).kept_[1]
    >>> best.estimators
    [SVC(C=1), SVC(C=1), SVC(C=1)]
    >>> [len(part) for part in best.predictions("decision_function")]
    [50, 50, 50]
    >>> best.out_of_fold()[:3]
    array([0, 0, 0])
    """

    rows: list[Any]
    _pieces: Sequence[Piece]
    _n_rows: int

    @property
    def estimators(self) -> list[Any]:
        """The fitted estimator of each split; made anew at each look."""
        if not all(piece.model for piece in self._pieces):
            raise AttributeError("Estimators were not kept: give keep='estimators'.")
        return [cloudpickle.loads(piece.model) for piece in self._pieces]

    def predictions(self, method: str = "predict") -> list[Any]:
        """Return the predictions of each split's test rows.

        Parameters
        ----------
        method : {"predict", "predict_proba", "decision_function"}, default="predict"
            Which; see `Keep` for what there is.

        Returns
        -------
        predictions : list of ndarray
            In the order of `rows`.

        Raises
        ------
        ValueError
            If it was not kept.
        """
        for piece in self._pieces:
            if method not in piece.predictions:
                known = list(piece.predictions)
                raise ValueError(f"method={method!r}: what was kept is {known}.")
        return [piece.predictions[method] for piece in self._pieces]

    def out_of_fold(self, method: str = "predict") -> Any:
        """Return the predictions in the order of the rows of X.

        Parameters
        ----------
        method : {"predict", "predict_proba", "decision_function"}, default="predict"
            Which; see `Keep` for what there is.

        Returns
        -------
        predictions : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            The mean, where numbers were predicted more than once (repeated splits); NaN where
            never.

        Raises
        ------
        ValueError
            If each row does not have exactly one prediction, and they are no numbers to average.
        """
        parts = [np.asarray(p) for p in self.predictions(method)]
        counts = np.zeros(self._n_rows)
        for rows in self.rows:
            counts[rows] += 1
        if (counts == 1).all():
            out: Any = np.empty((self._n_rows, *parts[0].shape[1:]), dtype=np.result_type(*parts))
            for rows, part in zip(self.rows, parts, strict=True):
                out[rows] = part
            return out
        if parts[0].dtype.kind != "f":
            raise ValueError(
                f"{method}: some rows have no prediction or several; look at predictions() and "
                "rows, a split each."
            )
        out = np.zeros((self._n_rows, *parts[0].shape[1:]))
        for rows, part in zip(self.rows, parts, strict=True):
            out[rows] += part
        with np.errstate(invalid="ignore"):
            return out / counts.reshape(-1, *[1] * (out.ndim - 1))


class Kept(Mapping[int, KeptCandidate]):
    """What was kept, by the number of the candidate.

    Parameters
    ----------
    keep : Keep
        What is kept.
    rows : sequence of ndarray
        The test rows of each split.
    y : array or None
        The targets.
    n_rows : int
        How many rows X has.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from hpsearch import ExhaustiveSearchCV
    >>> keep = ["predictions", "estimators"]
    >>> search = ExhaustiveSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=3, keep=keep)
    >>> kept = search.fit(*load_iris(return_X_y=True)).kept_
    >>> list(kept), kept[1].estimators[0]
    ([0, 1, 2], SVC(C=1))
    """

    def __init__(self, keep: Keep, rows: Sequence[Any], y: Any, n_rows: int) -> None:
        self._keep = keep
        self._n_rows = n_rows
        self.rows = [indices_of(r) for r in rows]
        self.y = y
        self._pieces: dict[int, dict[int, Piece]] = {}
        self._scores: dict[int, list[float]] = {}
        self._dropped: set[int] = set()
        self._n_bytes = 0

    def take(self, metric: str, trial: Trial, result: SplitResult) -> None:
        """Take what a worker has sent along out of a result; called by the search."""
        piece = result.details.pop(KEY, None)
        if piece is None or trial.number in self._dropped or result.resource != 1.0:
            return
        first = next(iter(result.scores.values()), math.nan)  # where none was named
        score = result.scores.get(metric, first)
        if math.isnan(score):
            self._drop(trial.number)
            return
        self._pieces.setdefault(trial.number, {})[result.split] = piece
        self._scores.setdefault(trial.number, []).append(score)
        self._n_bytes += piece.n_bytes
        while self._n_bytes > self._keep.max_bytes or self._n_whole() > self._keep.best:
            self._drop(self._worst())

    def _n_whole(self) -> int:
        return sum(len(pieces) == len(self.rows) for pieces in self._pieces.values())

    def _worst(self) -> int:
        """The number of least mean so far; the later of two."""
        return min(self._pieces, key=lambda n: (np.mean(self._scores[n]), -n))

    def _drop(self, number: int) -> None:
        self._dropped.add(number)
        self._scores.pop(number, None)
        pieces = self._pieces.pop(number, {})
        self._n_bytes -= sum(piece.n_bytes for piece in pieces.values())

    def finish(self) -> None:
        """Let go of candidates that lack a split; called by the search, when it ends."""
        for number in [n for n, p in self._pieces.items() if len(p) < len(self.rows)]:
            self._drop(number)

    def __getitem__(self, number: int) -> KeptCandidate:
        if number not in self._pieces:
            raise KeyError(
                f"Of candidate {number} nothing is kept. Kept are {list(self)}, the best ones; "
                "Keep(best=..., max_bytes=...) says how many."
            )
        pieces = self._pieces[number]
        return KeptCandidate(self.rows, [pieces[i] for i in range(len(self.rows))], self._n_rows)

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._pieces))

    def __len__(self) -> int:
        return len(self._pieces)

    def __repr__(self) -> str:
        return f"<{len(self)} candidates kept, {self._n_bytes / 2**20:.3g} MiB>"
